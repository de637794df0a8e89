/*
 * Lab 17's manifests: what is read, and what is warned of.
 */
/* link: yaml-0.1 */
#define _GNU_SOURCE
#include "pod_manifest.h"

static char *example;
static size_t example_size;

static int load_example(void **state)
{
	(void)state;
	const char *here = strstr(__FILE__, "tests/unit/");
	char path[512];
	snprintf(path, sizeof path, "%.*slabs/17-pod/pod.yaml", here ? (int)(here - __FILE__) : 0,
		__FILE__);
	autofree char *lines = file_read(path);
	example = text("%s\n", lines);
	example_size = strlen(example);
	return 0;
}

static int free_example(void **state)
{
	(void)state;
	free(example);
	return 0;
}

static void variables_are_expanded(void **state)
{
	(void)state;
	static const struct {
		const char *from, *to;
	} cases[] = {{"$(A)", "1"}, {"x$(A)$(B)y", "x12y"}, {"$(C)", "$(C)"}, {"$$(A)", "$(A)"},
		{"$$$(A)", "$1"}, {"$A ${A} $", "$A ${A} $"}, {"$(A", "$(A"}, {"$()", "$()"},
		{"$(date +%s)", "$(date +%s)"}, {"$($(A))", "$($(A))"}, {"$(D)", "4"}, {"", ""}};
	struct pair items[] = {{.name = "A", .value = "1"}, {.name = "B", .value = "2"},
		{.name = "D", .value = "3"}, {.name = "D", .value = "4"}};
	struct pairs env = {items, 4};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *to = expanded(cases[i].from, &env, env.count, 100);
		assert_string_equal(to, cases[i].to);
		free(to);
	}
	char *above = expanded("$(A)$(B)", &env, 1, 100);
	assert_string_equal(above, "1$(B)"); /* B stands below */
	free(above);
	assert_null(expanded("$(A)$(A)$(A)", &env, 4, 2));
}

static void the_example_is_read(void **state)
{
	(void)state;
	assert_true(manifest_read(&manifest, example, example_size, NULL));
	const struct pod *pod = &manifest.pod;
	assert_int_equal(manifest.warnings.count, 0);
	assert_string_equal(pod->name, "web");
	assert_string_equal(pod->namespace, "course");
	assert_string_equal(pod->labels.item[0].value, "web");
	assert_true(pod->share_process_namespace.set);
	assert_int_equal(pod->volumes.count, 3);
	assert_int_equal(pod->volumes.item[1].size_limit.is, 16 << 20);
	assert_string_equal(pod->volumes.item[2].map->data.item[0].value, "Hello from a Pod.\n");
	assert_int_equal(pod->init_containers.count, 1);
	assert_int_equal(pod->containers.count, 2);
	const struct container_spec *server = &pod->containers.item[0];
	assert_string_equal(server->command[5], "/site");
	assert_null(server->command[6]);
	assert_int_equal(server->ports.item[0].number.is, 8080);
	assert_ptr_equal(server->mounts.item[0].volume, &pod->volumes.item[0]);
	assert_int_equal(server->mounts.item[0].read_only.is, 1);
	assert_string_equal(server->security.cap_drop[0], "ALL");
	assert_int_equal(container_security(pod, server).run_as_user.is, 1000);
	assert_int_equal(container_security(pod, pod->init_containers.item).run_as_user.is, 0);
	const struct container_spec *visitor = &pod->containers.item[1];
	assert_string_equal(container_word(visitor, 1), "-c");
	assert_ptr_equal(container_word(visitor, 2), visitor->args[0]);
	assert_null(container_word(visitor, 3));
	assert_string_equal(container_word(&(struct container_spec){0}, 0), "sh");
	manifest_free(&manifest);
}

static void read_or_fail(const char *data, const char *const *images)
{
	if (!manifest_read(&manifest, data, strlen(data), images))
		fail_msg("%d:%d: %s in\n%s", manifest.error.at.line, manifest.error.at.column,
			manifest.error.message, data);
}

static void aliases_are_resolved(void **state)
{
	(void)state;
	read_or_fail(HEAD
		"spec:\n  containers:\n  - &one {name: a, image: busybox, env: &e [{name: X, value: &v why}]}\n"
		"  - {name: b, image: busybox, env: *e, args: [*v, *v]}\n",
		NULL);
	assert_string_equal(manifest.pod.containers.item[1].env.item[0].value, "why");
	assert_string_equal(manifest.pod.containers.item[1].args[1], "why");
	manifest_free(&manifest);
}

static void images_are_found(void **state)
{
	(void)state;
	static const char *const good[] = {"busybox", "busybox:1.36", "docker.io/library/busybox",
		"localhost:5000/busybox:1@sha256:0f", "web", "web:2", "example.org/team/web:2"};
	static const char *const images[] = {"web=/srv/web", "x/busy=/b", NULL};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		autofree char *data =
			text(HEAD "spec: {containers: [{name: a, image: '%s'}]}\n", good[i]);
		read_or_fail(data, images);
		const char *rootfs = manifest.pod.containers.item[0].rootfs;
		assert_string_equal(rootfs ? rootfs : "", i < 4 ? "" : "/srv/web");
		manifest_free(&manifest);
	}
}

static void null_is_as_if_it_were_not_there(void **state)
{
	(void)state;
	read_or_fail(HEAD
		"spec:\n  hostname:\n  volumes: ~\n  containers:\n"
		"  - {name: a, image: busybox, args: null, resources: {limits: {cpu: }}}\n",
		NULL);
	assert_null(manifest.pod.hostname);
	assert_false(manifest.pod.containers.item[0].limits.cpu.set);
	manifest_free(&manifest);
}

static void what_is_not_read_is_named(void **state)
{
	(void)state;
	static const struct {
		const char *data;
		int line, column;
		const char *says;
	} rows[] = {
		{ONE_POD "    livenessProbe: {exec: {}}\n", 8, 5,
			"spec.containers[].livenessProbe: " NOT_HERE},
		{ONE_POD "    resources: {limits: {ephemeral-storage: 1Gi}}\n", 8, 26,
			"limits.ephemeral-storage: " NOT_HERE},
		{ONE_POD "    comand: [sh]\n", 8, 5, "spec.containers[].comand: " NOT_KNOWN},
		{ONE_POD "  hostNetwork: true\n", 8, 3, "spec.hostNetwork: " NOT_HERE},
		{ONE_POD "status: {}\n", 8, 1, "status: " NOT_HERE},
		{ONE_POD "---\nkind: Service\n", 9, 7, "kind Service"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		read_or_fail(rows[i].data, NULL);
		assert_int_equal(manifest.warnings.count, 1);
		const struct problem *w = manifest.warnings.item;
		if (w->at.line != rows[i].line || w->at.column != rows[i].column ||
			!strstr(w->message, rows[i].says))
			fail_msg("%d:%d: %s", w->at.line, w->at.column, w->message);
		manifest_free(&manifest);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(variables_are_expanded),
		cmocka_unit_test(the_example_is_read),
		cmocka_unit_test(aliases_are_resolved),
		cmocka_unit_test(images_are_found),
		cmocka_unit_test(null_is_as_if_it_were_not_there),
		cmocka_unit_test(what_is_not_read_is_named),
	};
	return cmocka_run_group_tests(tests, load_example, free_example);
}
