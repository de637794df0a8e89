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
	assert_true(manifest_read(&manifest, example, example_size, NULL, false));
	const struct pod *pod = manifest.pod;
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
	if (!manifest_read(&manifest, data, strlen(data), NULL, false) ||
		!can_run_here(&manifest, images))
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
	assert_string_equal(manifest.pod->containers.item[1].env.item[0].value, "why");
	assert_string_equal(manifest.pod->containers.item[1].args[1], "why");
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
		const char *rootfs = manifest.pod->containers.item[0].rootfs;
		assert_string_equal(rootfs ? rootfs : "", i < 4 ? "" : "/srv/web");
		manifest_free(&manifest);
	}
	/* Also behind one that is not there: --explain says of each what it knows. */
	static const char two[] =
		HEAD "spec: {containers: [{name: a, image: x}, {name: b, image: web}]}\n";
	assert_true(manifest_read(&manifest, two, strlen(two), NULL, false));
	assert_false(can_run_here(&manifest, images));
	assert_string_equal(manifest.pod->containers.item[1].rootfs, "/srv/web");
	manifest_free(&manifest);
}

static void null_is_as_if_it_were_not_there(void **state)
{
	(void)state;
	read_or_fail(HEAD
		"spec:\n  hostname:\n  volumes: ~\n  containers:\n"
		"  - {name: a, image: busybox, args: null, resources: {limits: {cpu: }}}\n",
		NULL);
	assert_null(manifest.pod->hostname);
	assert_false(manifest.pod->containers.item[0].limits.cpu.set);
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
			"spec.containers[].livenessProbe: setns(), execve()"},
		{ONE_POD "  - {name: b, image: busybox, tty: true}\n", 8, 31, "/dev/ptmx"},
		{ONE_POD "  hostNetwork: true\n", 8, 16, "spec.hostNetwork: no CLONE_NEWNET"},
		{ONE_POD "---\nkind: Service\n", 9, 7, "kind Service"},
		{IN("env: [{name: A, valueFrom: {fieldRef: {fieldPath: x}}}]"), 8, 21,
			"valueFrom: "},
		{IN("envFrom: [{secretRef: {name: s}}]"), 8, 5, "envFrom: execve()"},
		{ONE_POD "  volumes: [{name: s, secret: {secretName: s}}]\n", 8, 23,
			"spec.volumes[].secret: a tmpfs"},
		{ONE_POD "  volumes: [{name: s, csi: {driver: d}}]\n", 8, 23,
			"the volume's driver"},
		{ONE_POD "    volumeMounts: [{name: v, mountPath: /v, subPath: s}]\n"
			 "  volumes: [{name: v}]\n",
			8, 20, "subPath: a mount of a part"},
		{ONE_POD "  volumes: [{name: v, emptyDir: {mode: 01777}}]\n", 8, 34,
			"emptyDir.mode: chmod()"},
		{ONE_POD "  volumes: [{name: v, configMap: {name: c, defaultMode: 0755}}]\n", 8, 44,
			"configMap.defaultMode: fchmod()"},
		{ONE_POD
			"    volumeMounts: [{name: v, mountPath: /v, bindMountOptions: [noexec]}]\n"
			"  volumes: [{name: v}]\n",
			8, 45, "bindMountOptions: mount_setattr("},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		read_or_fail(rows[i].data, NULL);
		assert_int_equal(manifest.warnings.count, 1);
		const struct problem *w = manifest.warnings.item;
		assert_true(w->left_out);
		if (w->at.line != rows[i].line || w->at.column != rows[i].column ||
			!strstr(w->message, rows[i].says))
			fail_msg("%d:%d: %s", w->at.line, w->at.column, w->message);
		manifest_free(&manifest);
	}
}

/* What the API server warns of, and what is no reason to warn. */
static void warnings_of_the_api_server(void **state)
{
	(void)state;
	static const struct {
		const char *data, *says; /* NULL: nothing */
	} rows[] = {
		{IN("resources: {limits: {memory: 400m}}"), "fractional byte value '400m'"},
		{IN("resources: {limits: {memory: 1.5Ki}}"), NULL},
		{IN("resources: {limits: {ephemeral-storage: 1.5}}"),
			"fractional byte value '1.5'"},
		{IN("resources: {limits: {cpu: 1m}}"), NULL},
		{IN("env: [{name: A}, {name: A}]"), "hides the one above"},
		{ONE_POD "  hostNetwork: false\n", NULL},
		{ONE_POD "  tolerations: [{operator: Exists}]\n", NULL},
		{ONE_POD "  hostAliases: []\n", NULL},
		{ONE_POD "  volumes: [{name: v, configMap: {name: c, defaultMode: 420}}]\n", NULL},
		{ONE_POD "  volumes: [{name: v, emptyDir: {mode: 0777}}]\n", NULL},
		{ONE_POD "status: {}\n", NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		read_or_fail(rows[i].data, NULL);
		assert_int_equal(manifest.warnings.count, rows[i].says != NULL);
		if (rows[i].says && !strstr(manifest.warnings.item->message, rows[i].says))
			fail_msg("row %zu: %s", i, manifest.warnings.item->message);
		manifest_free(&manifest);
	}
}

static void an_unknown_field_is_a_warning_when_asked(void **state)
{
	(void)state;
	static const char data[] = IN("comand: [sh]");
	assert_false(manifest_read(&manifest, data, strlen(data), NULL, false));
	assert_string_equal(manifest.error.message,
		"spec.containers[].comand: unknown field, Kubernetes has none of that name here");
	manifest_free(&manifest);
	assert_true(manifest_read(&manifest, data, strlen(data), NULL, true));
	assert_int_equal(manifest.warnings.item->at.line, 8);
	assert_false(manifest.warnings.item->left_out);
	manifest_free(&manifest);
}

static void the_pods_of_a_file(void **state)
{
	(void)state;
#define TEMPLATE "template: {spec: {containers: [{name: a, image: busybox}]}}"
	static const struct {
		const char *data, *name, *chosen, *owner;
	} rows[] = {
		{"apiVersion: v1\nkind: List\nitems:\n"
		 "- {apiVersion: v1, kind: Service, metadata: {name: s}}\n"
		 "- {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, "
		 "image: x}]}}\n"
		 "- {apiVersion: v1, kind: Pod, metadata: {name: b}, spec: {containers: [{name: a, "
		 "image: x}]}}\n",
			"b", "b", ""},
		{ONE_POD "---\n" ONE_POD, NULL, "p", ""},
		{"\xef\xbb\xbf" ONE_POD, NULL, "p", ""},
		{"apiVersion: v1\nkind: Pod\nmetadata: {generateName: web-}\nspec:\n" SPEC, NULL,
			"web-xxxxx", ""},
		{"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {" TEMPLATE
		 "}\n",
			"d", "d", "Deployment"},
		{"apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: c}\n"
		 "spec: {jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: "
		 "[{name: a, image: busybox}]}}}}}\n",
			NULL, "c", "CronJob"},
		{"apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: s}\n"
		 "spec: {template: {spec: {containers: [{name: a, volumeMounts: [{name: www, "
		 "mountPath: /w}]}]}}, volumeClaimTemplates: [{metadata: {name: www}}]}\n",
			NULL, "s", "StatefulSet"},
	};
#undef TEMPLATE
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (!manifest_read(
			    &manifest, rows[i].data, strlen(rows[i].data), rows[i].name, false))
			fail_msg("row %zu: %s", i, manifest.error.message);
		assert_string_equal(manifest.pod->name, rows[i].chosen);
		assert_string_equal(manifest.pod->owner ? manifest.pod->owner : "", rows[i].owner);
		manifest_free(&manifest);
	}
	assert_false(manifest_read(&manifest, ONE_POD, strlen(ONE_POD), "q", false));
	assert_non_null(
		strstr(manifest.error.message, "a Pod named 'q', and the first one is 'p'"));
	manifest_free(&manifest);
}

static void claims_of_a_set_without_a_template_are_nobodys(void **state)
{
	(void)state;
	read_or_fail(ONE_POD "---\napiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: s}\n"
			     "spec: {volumeClaimTemplates: [{metadata: {name: www}}]}\n",
		NULL);
	assert_int_equal(manifest.pod->claims.count, 0);
	manifest_free(&manifest);
}

static void core_tags_are_read(void **state)
{
	(void)state;
	read_or_fail(IN("env: [{name: P, value: !!str 8080}, {name: Q, value: ! yes}]\n"
			"    ports: [{containerPort: !!int \"80\"}]\n"
			"    tty: !!bool 'no'\n    stdin: !!null ''\n    args: !!seq [!!str a]\n"
			"    securityContext: !!map {}"),
		NULL);
	const struct container_spec *c = manifest.pod->containers.item;
	assert_string_equal(c->env.item[0].value, "8080");
	assert_string_equal(c->env.item[1].value, "yes");
	assert_int_equal(c->ports.item[0].number.is, 80);
	assert_int_equal(manifest.warnings.count, 0);
	manifest_free(&manifest);
}

/* They are in JSON, into which they are made. */
static void whole_numbers_have_no_point(void **state)
{
	(void)state;
	read_or_fail(IN("securityContext: {runAsUser: 1.00068e+09, runAsGroup: 1e3}\n"
			"    ports: [{containerPort: 80.0}]"),
		NULL);
	const struct container_spec *c = manifest.pod->containers.item;
	assert_int_equal(c->security.run_as_user.is, 1000680000);
	assert_int_equal(c->security.run_as_group.is, 1000);
	assert_int_equal(c->ports.item[0].number.is, 80);
	bool said = false;
	for (size_t i = 0; i < manifest.said.count; i++)
		said |= !strcmp(manifest.said.item[i].text, "1000680000");
	assert_true(said);
	manifest_free(&manifest);
}

static void mount_paths_are_below_the_root(void **state)
{
	(void)state;
	static const char *const rows[][2] = {{"data", "/data"}, {"/a/../b", "/b"},
		{"../../c", "/c"}, {"//d//e/", "/d/e"}, {"./f/.", "/f"}, {"/g:h", "/g:h"}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		autofree char *data = text(
			IN("volumeMounts: [{name: v, mountPath: '%s'}]") "  volumes: [{name: v}]\n",
			rows[i][0]);
		read_or_fail(data, NULL);
		assert_string_equal(manifest.pod->containers.item->mounts.item->path, rows[i][1]);
		manifest_free(&manifest);
	}
}

/* ---- What is quick, and the patterns ---- */

/* Each text of at most three of these characters, and some longer ones. */
static void expect_same(struct rule *rule)
{
	static const char characters[] = "aZ09-_./=+x eNi";
	static const char *const longer[] = {"500m", "64Mi", "0x1f", "1e6", ".inf", ".NaN", "-17",
		"1_000", "web-1", "example.com/app", "NET_ADMIN", "nginx:1.27", "/var/log", "../up",
		"123456789012345678901234567890",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	enum { COUNT = sizeof characters };
	struct rule by_pattern = *rule;
	by_pattern.surely = by_pattern.only = by_pattern.first = NULL;
	by_pattern.ready = false;
	for (int i = 0; i < COUNT * COUNT * COUNT; i++) {
		char text[] = {characters[i / COUNT / COUNT], characters[i / COUNT % COUNT],
			characters[i % COUNT], 0};
		if (rule_matches(rule, text) != rule_matches(&by_pattern, text))
			fail_msg("%s: '%s': expected %d", rule->pattern, text,
				rule_matches(&by_pattern, text));
	}
	for (size_t i = 0; i < sizeof longer / sizeof *longer; i++)
		if (rule_matches(rule, longer[i]) != rule_matches(&by_pattern, longer[i]))
			fail_msg("%s: '%s': expected %d", rule->pattern, longer[i],
				rule_matches(&by_pattern, longer[i]));
	regfree(&by_pattern.compiled);
}

static int rules_held;

static void expect_same_in(const struct shape *shape)
{
	for (const struct field *f = shape->fields; f < shape->fields + 14 && f->name; f++) {
		struct rule *const rules[] = {f->rule, f->value_rule};
		for (size_t i = 0; i < 2; i++)
			if (rules[i] && rules[i]->pattern) {
				expect_same(rules[i]);
				rules_held++;
			}
		if (f->shape)
			expect_same_in(f->shape);
	}
}

static void what_is_quick_is_what_the_pattern_says(void **state)
{
	(void)state;
	expect_same(&number_rule);
	expect_same(&integer_rule);
	expect_same(&resource_rule);
	expect_same_in(&pod_document_fields);
	expect_same_in(&map_document_fields);
	assert_true(rules_held > 15);
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
		cmocka_unit_test(warnings_of_the_api_server),
		cmocka_unit_test(an_unknown_field_is_a_warning_when_asked),
		cmocka_unit_test(the_pods_of_a_file),
		cmocka_unit_test(claims_of_a_set_without_a_template_are_nobodys),
		cmocka_unit_test(core_tags_are_read),
		cmocka_unit_test(whole_numbers_have_no_point),
		cmocka_unit_test(mount_paths_are_below_the_root),
		cmocka_unit_test(what_is_quick_is_what_the_pattern_says),
	};
	return cmocka_run_group_tests(tests, load_example, free_example);
}
