/*
 * Lab 17's manifests: quantities, Kubernetes' formulas, what is refused with its
 * place, and a few thousand broken ones, of which each is refused with a place or
 * read to its end. The expected values are counted by hand.
 */
/* link: yaml-0.1 */
#define _GNU_SOURCE
#include "run.h"

#include "../../labs/16-container/root.c"
#include "../../labs/17-pod/check.c"
#include "../../labs/17-pod/fields.c"
#include "../../labs/17-pod/manifest.c"
#include "../../labs/17-pod/pod.c"
#include "../../labs/17-pod/problems.c"
#include "../../labs/17-pod/quantity.c"
#include "../../labs/17-pod/resources.c"

/* ---- Quantities ---- */

static void quantities_are_read_as_kubernetes_does(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		long long value, milli; /* both rounded up; -1: it does not fit */
	} good[] = {
		{"0", 0, 0},
		{"500m", 1, 500},
		{"1.5", 2, 1500},
		{"64Mi", 67108864, 67108864000},
		{"1G", 1000000000, 1000000000000},
		{"0.5Gi", 536870912, 536870912000},
		{"1e3", 1000, 1000000},
		{"1E3", 1000, 1000000},
		{"1E", 1000000000000000000, -1},
		{"128974848000m", 128974848, 128974848000},
		{"1Ki", 1024, 1024000},
		{"1Ti", 1099511627776, 1099511627776000},
		{"1Pi", 1125899906842624, 1125899906842624000},
		{"7Ei", 8070450532247928832, -1},
		{"1k", 1000, 1000000},
		{"1M", 1000000, 1000000000},
		{"1T", 1000000000000, 1000000000000000},
		{"1P", 1000000000000000, 1000000000000000000},
		{"1n", 1, 1},
		{"1u", 1, 1},
		{"3m", 1, 3},
		{"1000001u", 2, 1001},
		{"1.0001", 2, 1001},
		{"0.1m", 1, 1},
		{"3.001n", 1, 1},
		{"0.0000000000000000000000000000000000001", 1, 1},
		{"1e-3", 1, 1},
		{"1e+2", 100, 100000},
		{"1.25e2", 125, 125000},
		{"1e-100000000000", 1, 1},
		{"0e99999999999", 0, 0},
		{"0.000000000000000001Ei", 2, 1153},
		{"100.035Ki", 102436, 102435840},
		{"+5", 5, 5000},
		{"-5", -5, -5000},
		{"-1.5", -1, -1500},
		{"007", 7, 7000},
		{"1.", 1, 1000},
		{".5", 1, 500},
		{"1.G", 1000000000, 1000000000000},
		{"Mi", 0, 0},
		{"-", 0, 0},
		{"9223372036854775807", LLONG_MAX, -1},
	};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		quantity q;
		if (quantity_read(good[i].text, &q) != QUANTITY_OK ||
			quantity_value(q) != good[i].value ||
			(good[i].milli != -1 && quantity_milli(q) != good[i].milli))
			fail_msg(
				"%s is not %lld, %lld", good[i].text, good[i].value, good[i].milli);
	}
}

static void what_is_no_quantity_is_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {"", " ", "1 ", "1.2.3", "1mm", "1MI", "1Kib", "1K",
		"1e", "1e1.5", "1ee3", "1Ei5", "0x10", "--1", "+-1", "1,5", "1_000", "five", "1e+",
		"Gi1", "1 Gi", "1\n", "inf", "NaN", "1mi"};
	static const char *const large[] = {"8Ei", "9223372036854775808", "9223372036854775807.1",
		"10E", "1e19", "1e99999999999", "9223372036854775807Ki", "-9e99"};
	quantity q;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		if (quantity_read(wrong[i], &q) != QUANTITY_WRONG)
			fail_msg("'%s' is taken", wrong[i]);
	for (size_t i = 0; i < sizeof large / sizeof *large; i++)
		if (quantity_read(large[i], &q) != QUANTITY_TOO_LARGE)
			fail_msg("'%s' is not too large", large[i]);
}

/* ---- Formulas ---- */

static void shares_weights_and_quotas(void **state)
{
	(void)state;
	static const struct {
		long long milli, shares;
		int weight, newer;
		long long quota;
	} rows[] = {
		{0, 2, 1, 1, 0},
		{1, 2, 1, 1, 1000},
		{2, 2, 1, 1, 1000},
		{10, 10, 1, 4, 1000},
		{100, 102, 4, 17, 10000},
		{250, 256, 10, 35, 25000},
		{500, 512, 20, 59, 50000},
		{1000, 1024, 39, 100, 100000},
		{1500, 1536, 59, 138, 150000},
		{2000, 2048, 79, 174, 200000},
		{256000, 262144, 10000, 10000, 25600000},
		{1000000, 262144, 10000, 10000, 100000000},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct group_values v = values_of(rows[i].milli, rows[i].milli, 0);
		assert_int_equal(v.shares, rows[i].shares);
		assert_int_equal(v.weight, rows[i].weight);
		assert_int_equal(v.weight_newer, rows[i].newer);
		assert_int_equal(v.quota, rows[i].quota);
	}
}

static struct manifest manifest;

/* In one line each: what the Pod says, its init container's and its two containers' resources. */
static void read_resources(const char *pod, const char *init, const char *one, const char *two)
{
	autofree char *more =
		*init ? text("  initContainers: [{name: i, image: busybox, resources: {%s}}]\n",
				init)
		      : text("%s", "");
	autofree char *data =
		text("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  resources: {%s}\n%s"
		     "  containers:\n  - {name: a, image: busybox, resources: {%s}}\n"
		     "  - {name: b, image: busybox, resources: {%s}}\n",
			pod, more, one, two);
	if (!manifest_read(&manifest, data, strlen(data), NULL))
		fail_msg("%d:%d: %s in\n%s", manifest.error.at.line, manifest.error.at.column,
			manifest.error.message, data);
}

#define BOTH(cpu, memory) "limits: {cpu: " cpu ", memory: " memory "}"
#define ASKS(cpu, memory) "requests: {cpu: " cpu ", memory: " memory "}"
#define GIB (1LL << 30)

static void the_qos_class(void **state)
{
	(void)state;
	static const struct {
		const char *pod, *init, *one, *two;
		enum qos qos;
	} rows[] = {
		{"", "", "", "", BEST_EFFORT},
		{"", "", "limits: {cpu: 0}", "requests: {memory: 0}", BEST_EFFORT},
		{"", "", BOTH("1", "1Gi"), BOTH("2", "1Gi"), GUARANTEED},
		{"", "", BOTH("1", "1Gi"), "", BURSTABLE},
		{"", "", "limits: {cpu: 1}", "limits: {cpu: 1}", BURSTABLE},
		{"", "", "requests: {cpu: 1m}", "", BURSTABLE},
		{"", "", BOTH("1", "1Gi") ", " ASKS("1", "1Gi"), BOTH("1", "1Gi"), GUARANTEED},
		{"", "", BOTH("1", "1Gi") ", " ASKS("1", "1"), BOTH("1", "1Gi"), BURSTABLE},
		{"", BOTH("1", "1Gi"), BOTH("1", "1Gi"), BOTH("1", "1Gi"), GUARANTEED},
		{"", "limits: {cpu: 1}", BOTH("1", "1Gi"), BOTH("1", "1Gi"), BURSTABLE},
		{BOTH("1", "1Gi"), "", "", "", GUARANTEED},
		{BOTH("4", "4Gi"), "", "requests: {cpu: 1}", "", BURSTABLE},
		{"requests: {cpu: 1}", "", "", "", BURSTABLE},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		read_resources(rows[i].pod, rows[i].init, rows[i].one, rows[i].two);
		if (pod_qos(&manifest.pod) != rows[i].qos)
			fail_msg("row %zu is %s", i, qos_names[pod_qos(&manifest.pod)]);
		manifest_free(&manifest);
	}
}

static void the_oom_score_adj(void **state)
{
	(void)state;
	static const struct {
		const char *pod, *one, *two;
		int first, second; /* of a node with 4 GiB */
	} rows[] = {
		{"", "", "", 1000, 1000},
		{"", BOTH("1", "1Gi"), BOTH("1", "1Gi"), -997, -997},
		{"", "requests: {memory: 1Gi}", "", 750, 999},
		{"", "requests: {memory: 1Mi}", "requests: {memory: 4Gi}", 999, 3},
		{"", "requests: {memory: 7Ei}", "", 3, 999},
		{"", "requests: {memory: 4286377362}", "", 3, 999}, /* 2, but for the bound */
		{"requests: {memory: 2Gi}", "", "", 750, 750},
		{"requests: {memory: 3Gi}", "requests: {memory: 1Gi}", "", 500, 750},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		read_resources(rows[i].pod, "", rows[i].one, rows[i].two);
		const struct container_spec *c = manifest.pod.containers.item;
		assert_int_equal(oom_score_adj(&manifest.pod, &c[0], 4 * GIB), rows[i].first);
		assert_int_equal(oom_score_adj(&manifest.pod, &c[1], 4 * GIB), rows[i].second);
		manifest_free(&manifest);
	}
}

/* A Pod is bounded when all of its containers are, or when it says so itself. */
static void the_values_of_the_pod(void **state)
{
	(void)state;
	static const struct {
		const char *pod, *init, *one, *two;
		long long shares, quota, memory;
	} rows[] = {
		{"", "", "", "", 2, 0, 0},
		{"", "", BOTH("1", "1Gi"), BOTH("500m", "2Gi"), 1536, 150000, 3 * GIB},
		{"", "", BOTH("1", "1Gi"), "limits: {cpu: 1}", 2048, 200000, 0},
		{"", "", BOTH("1", "1Gi"), "requests: {cpu: 250m}", 1280, 0, 0},
		{"", BOTH("4", "8Gi"), BOTH("1", "1Gi"), BOTH("1", "1Gi"), 4096, 400000, 8 * GIB},
		{"", "requests: {cpu: 4}", BOTH("1", "1Gi"), BOTH("1", "1Gi"), 4096, 0, 0},
		{BOTH("4", "4Gi"), "", "", "", 4096, 400000, 4 * GIB},
		{BOTH("4", "4Gi"), "", "requests: {cpu: 1}", "", 1024, 400000, 4 * GIB},
		{"requests: {cpu: 2}, limits: {memory: 1Gi}", "", BOTH("1", "1Mi"), "", 2048, 0,
			GIB},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		read_resources(rows[i].pod, rows[i].init, rows[i].one, rows[i].two);
		struct group_values v = pod_values(&manifest.pod);
		if (v.shares != rows[i].shares || v.quota != rows[i].quota ||
			v.memory != rows[i].memory)
			fail_msg("row %zu: %lld %lld %lld", i, v.shares, v.quota, v.memory);
		manifest_free(&manifest);
	}
	/* What only the Pod has is its containers' limit as well. */
	read_resources(BOTH("2", "1Gi"), "", "", "limits: {memory: 1Mi}");
	const struct container_spec *c = manifest.pod.containers.item;
	assert_int_equal(container_values(&manifest.pod, &c[0]).memory, GIB);
	assert_int_equal(container_values(&manifest.pod, &c[0]).quota, 200000);
	assert_int_equal(container_values(&manifest.pod, &c[0]).shares, 2048);
	assert_int_equal(container_values(&manifest.pod, &c[1]).memory, 1 << 20);
	manifest_free(&manifest);
}

static void groups_are_named_as_the_kubelet_does(void **state)
{
	(void)state;
	read_resources("", "", "requests: {cpu: 1}", "");
	autofree char *group = pod_group(&manifest.pod, "0a1b-2c");
	assert_string_equal(group,
		"kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0a1b_2c.slice");
	manifest_free(&manifest);
	read_resources("", "", BOTH("1", "1"), BOTH("1", "1"));
	autofree char *guaranteed = pod_group(&manifest.pod, "0a1b-2c");
	assert_string_equal(guaranteed, "kubepods.slice/kubepods-pod0a1b_2c.slice");
	manifest_free(&manifest);
}

/* ---- What is read ---- */

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

#define HEAD "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"
#define ONE_POD HEAD "spec:\n  containers:\n  - name: a\n    image: busybox\n"
#define SPEC "  containers: [{name: a, image: busybox}]\n"

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

/* ---- What is refused, and where ---- */

#define IN(more) ONE_POD "    " more "\n" /* line 8, column 5 */

static void errors_have_their_place(void **state)
{
	(void)state;
	static const struct {
		const char *data;
		int line, column;
		const char *says;
	} rows[] = {
		{"", 1, 1, "expected a Pod"},
		{"# nothing\n", 1, 1, "expected a Pod"},
		{"- a\n", 1, 1, "expected a Pod, got a list"},
		{"kind: Pod\n", 1, 1, "apiVersion: expected here"},
		{"kind: 7\n", 1, 7, "expected Pod or ConfigMap"},
		{"apiVersion: v1\nkind: Deployment\n", 1, 1, "expected a Pod, and there is none"},
		{"apiVersion: v2\nkind: Pod\n", 1, 13, "expected v1, got 'v2'"},
		{"apiVersion: v1\nkind: Pod\nspec: {}\n", 3, 7, "spec.containers: expected here"},
		{"apiVersion: v1\nkind: Pod\nmetadata: {}\n", 3, 11,
			"metadata.name: expected here"},
		{"apiVersion: v1\nkind: Pod\nmetadata: {name: Web}\n", 3, 18,
			"DNS name, got 'Web'"},
		{"apiVersion: v1\nkind: Pod\nmetadata: {name: -a}\n", 3, 18, "DNS name"},
		{"apiVersion: v1\nkind: Pod\nmetadata: {name: 7}\n", 3, 18,
			"expected a string, got a number 7; quote it"},
		{"apiVersion: v1\nkind: Pod\nmetadata: {name: yes}\n", 3, 18, "got a boolean yes"},
		{HEAD "spec: {containers: {}}\n", 4, 20, "expected a list, got an object"},
		{HEAD "spec: {containers: [a]}\n", 4, 21, "expected an object, got 'a'"},
		{HEAD "spec: {containers: [{image: busybox}]}\n", 4, 21,
			"spec.containers[].name: expected here"},
		{HEAD "spec: {containers: [{name: a}]}\n", 4, 21,
			"spec.containers[].image: expected here"},
		{HEAD "spec: {containers: []}\n", 4, 8, "at least one"},
		{HEAD "spec: {containers: [{name: a.b, image: busybox}]}\n", 4, 28, "got 'a.b'"},
		{HEAD "spec: {containers: [{name: a, image: nginx}]}\n", 4, 31,
			"--image nginx=DIR"},
		{HEAD "spec: {containers: [{name: a, image: ''}]}\n", 4, 38,
			"the name of an image"},
		{ONE_POD "  - {name: a, image: busybox}\n", 8, 6,
			"container 'a': expected another name, line 6"},
		{IN("command: sh -c true"), 8, 14, "expected a list, got 'sh -c true'"},
		{IN("args: [1]"), 8, 12, "got a number 1; quote it"},
		{IN("args: [[a]]"), 8, 12, "expected a string, got a list"},
		{IN("env: [{value: a}]"), 8, 11, "env[].name: expected here"},
		{IN("env: [{name: 1A, value: a}]"), 8, 18, "no digit first"},
		{IN("env: [{name: A, value: true}]"), 8, 28, "got a boolean true; quote it"},
		{IN("workingDir: tmp"), 8, 17, "absolute path"},
		{IN("workingDir: /a/../b"), 8, 17, "absolute path without '..'"},
		{IN("ports: [{containerPort: 0}]"), 8, 29, "an integer from 1 to 65535"},
		{IN("ports: [{containerPort: 65536}]"), 8, 29, "an integer from 1 to 65535"},
		{IN("ports: [{containerPort: '80'}]"), 8, 29,
			"an integer from 1 to 65535, got '80'"},
		{IN("ports: [{containerPort: 8e1}]"), 8, 29, "an integer"},
		{IN("ports: [{containerPort: 99999999999999999999}]"), 8, 29, "an integer"},
		{IN("ports: [{containerPort: 80, protocol: tcp}]"), 8, 43, "TCP, UDP or SCTP"},
		{IN("ports: [{containerPort: 80, name: a-name-that-is-long}]"), 8, 39,
			"at most 15"},
		{IN("volumeMounts: [{name: v, mountPath: /v}]"), 8, 21,
			"expected a volume of that name"},
		{IN("volumeMounts: [{name: v}]"), 8, 20, "mountPath: expected here"},
		{IN("resources: {limits: {cpu: 1x}}"), 8, 31, "a quantity such as 500m"},
		{IN("resources: {limits: {cpu: true}}"), 8, 31, "a quantity"},
		{IN("resources: {limits: {cpu: -1}}"), 8, 31, "not negative"},
		{IN("resources: {limits: {cpu: 010}}"), 8, 31, "octal"},
		{IN("resources: {limits: {cpu: 1e9}}"), 8, 31, "a million CPUs"},
		{IN("resources: {limits: {memory: 99999Ei}}"), 8, 34, "at most 2^63-1"},
		{IN("resources: {limits: {memory: 1GB}}"), 8, 34, "a quantity"},
		{IN("resources: {limits: [cpu]}"), 8, 25, "expected an object"},
		{IN("resources: {requests: {cpu: 2}, limits: {cpu: 1}}"), 8, 33,
			"cpu request: expected at most the limit of line 8"},
		{IN("resources: {requests: {memory: 2}, limits: {memory: 1500m}}"), 8, 0, NULL},
		{IN("resources: {requests: {memory: 3}, limits: {memory: 1500m}}"), 8, 36,
			"memory request"},
		{IN("securityContext: {runAsUser: -1}"), 8, 34, "an integer from 0 to 2147483647"},
		{IN("securityContext: {runAsUser: root}"), 8, 34, "an integer"},
		{IN("securityContext: {privileged: 1}"), 8, 35, "expected true or false"},
		{IN("securityContext: {privileged: 'true'}"), 8, 35, "expected true or false"},
		{IN("securityContext: {privileged: true, allowPrivilegeEscalation: false}"), 8, 67,
			"expected true with privileged"},
		{IN("securityContext: {capabilities: {add: [SYS_ADMIN]}, allowPrivilegeEscalation: false}"),
			8, 83, "CAP_SYS_ADMIN"},
		{IN("securityContext: {capabilities: {drop: all}}"), 8, 44, "expected a list"},
		{IN("securityContext: {seccompProfile: {}}"), 8, 39, "type: expected here"},
		{IN("securityContext: {seccompProfile: {type: None}}"), 8, 46,
			"RuntimeDefault, Unconfined or Localhost"},
		{HEAD "spec:\n  restartPolicy: always\n" SPEC, 5, 18,
			"Always, OnFailure or Never, got 'always'"},
		{HEAD "spec:\n  hostUsers: 0\n" SPEC, 5, 14, "true or false"},
		{HEAD "spec:\n  hostname: a_b\n" SPEC, 5, 13, "at most 63"},
		{HEAD "spec:\n  resources: {limits: {cpu: 1}, requests: {cpu: 2}}\n" SPEC, 5, 49,
			"cpu request"},
		{HEAD "spec:\n  resources: {limits: {cpu: 1}}\n  containers: [{name: a, image: busybox, resources: {limits: {cpu: 2}}}]\n",
			6, 68, "cpu limit: expected at most the Pod's, of line 5"},
		{HEAD "spec:\n  resources: {requests: {cpu: 1}}\n  containers: [{name: a, image: busybox, resources: {requests: {cpu: 2}}}]\n",
			5, 31, "at least the sum"},
		{HEAD "spec:\n  volumes: [{emptyDir: {}}]\n" SPEC, 5, 13, "name: expected here"},
		{HEAD "spec:\n  volumes: [{name: v}, {name: v}]\n" SPEC, 5, 25,
			"expected another name"},
		{HEAD "spec:\n  volumes: [{name: v, emptyDir: {}, hostPath: {path: /}}]\n" SPEC, 5,
			13, "expected one of emptyDir"},
		{HEAD "spec:\n  volumes: [{name: v, hostPath: {}}]\n" SPEC, 5, 33,
			"path: expected here"},
		{HEAD "spec:\n  volumes: [{name: v, hostPath: {path: /, type: Folder}}]\n" SPEC, 5,
			49, "Directory, "},
		{HEAD "spec:\n  volumes: [{name: v, configMap: {name: c}}]\n" SPEC, 5, 35,
			"expected a ConfigMap of that name"},
		{HEAD "spec:\n  volumes: [{name: v, emptyDir: {sizeLimit: -1}}]\n" SPEC, 5, 45,
			"not negative"},
		{ONE_POD "---\n" ONE_POD, 9, 1, "expected one Pod in a file, and line 1 has one"},
		{ONE_POD "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a/b: x}\n",
			12, 8, "a file's name"},
		{ONE_POD "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: 1}\n",
			12, 11, "quote it"},
		{ONE_POD "kind: Pod\n", 8, 1, "kind: expected once, and it is in line 2 too"},
		{ONE_POD "    name: b\n", 8, 5, "name: expected once, and it is in line 6 too"},
		{ONE_POD "x: {y: {b: 1, a: 2, b: 3}}\n", 8, 21, "b: expected once"},
		{ONE_POD "    <<: {args: []}\n", 8, 5, "merging is not read"},
		{ONE_POD "    ? [a]\n    : b\n", 8, 7, "expected a word as the key"},
		{IN("args: [\"a\\0b\"]"), 8, 12, "NUL"},
		{IN("args: [!!binary aGk=]"), 8, 12, "expected no tag"},
		{IN("args: *nobody"), 8, 11, "undefined alias"},
		{IN("args: [a"), 9, 1, "did not find expected ',' or ']'"},
		{"a: b: c\n", 1, 5, "mapping values are not allowed"},
		{"\ta: b\n", 1, 1, "cannot start any token"},
		{"a: \x01\n", 1, 4, "control characters are not allowed"},
		{"a: b\n\xc3\xa4: \xff\n", 2, 4, "invalid leading UTF-8 octet"},
		{"\xff\xfe"
		 "a",
			1, 1, "UTF-8"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		bool good = manifest_read(&manifest, rows[i].data, strlen(rows[i].data), NULL);
		const struct problem *e = &manifest.error;
		if (good != !rows[i].says)
			fail_msg("row %zu: taken or not, %s\n%s", i, e->message, rows[i].data);
		if (!good && (e->at.line != rows[i].line || e->at.column != rows[i].column ||
				     !strstr(e->message, rows[i].says)))
			fail_msg("row %zu: %d:%d: %s\nexpected %d:%d: %s in\n%s", i, e->at.line,
				e->at.column, e->message, rows[i].line, rows[i].column,
				rows[i].says, rows[i].data);
		manifest_free(&manifest);
	}
}

/* ---- Thousands of broken ones ---- */

static size_t refused, taken;

/* Refused with a place that is in it, and a reason; or taken. Nothing else, and no sanitizer's
 * report. */
static void try_input(const char *data, size_t size)
{
	int lines = 1;
	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	/* A copy without a byte behind it, so that a read past its end is seen. */
	char *copy = malloc(size ? size : 1);
	memcpy(copy, data, size);
	if (manifest_read(&manifest, copy, size, NULL)) {
		taken++;
		assert_int_equal(manifest.error.at.line, 0);
	} else {
		const struct problem *e = &manifest.error;
		refused++;
		if (e->at.line < 1 || e->at.line > lines + 1 || e->at.column < 1 || !*e->message)
			fail_msg("%d:%d: '%s' of %d lines", e->at.line, e->at.column, e->message,
				lines);
	}
	manifest_free(&manifest);
	free(copy);
}

static void truncated_at_every_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < example_size; i++)
		try_input(example, i);
	assert_true(refused > 1000);
}

static void with_a_foreign_byte_everywhere(void **state)
{
	(void)state;
	static const char bytes[] = {'\0', '\xff', '\xc3', '\x1b', '[', '{', '\t', '*', '&', '!',
		'"', '\'', ':', '-', '\n', '#', '|', '%', '@', '9'};
	size_t before = refused;
	autofree char *data = malloc(example_size);
	for (size_t i = 0; i < example_size; i++) {
		memcpy(data, example, example_size);
		data[i] = bytes[i % sizeof bytes];
		try_input(data, example_size);
		data[i] = bytes[i * 7 % 4]; /* no text at all */
		size_t was = refused;
		try_input(data, example_size);
		assert_int_equal(refused, was + 1);
	}
	assert_true(refused > before + 2000);
}

/* Behind each "KEY: " stands something else. */
static void with_another_value_everywhere(void **state)
{
	(void)state;
	static const char *const values[] = {"7", "-1", "1.5", "true", "~", "''", "[]", "{}", "[a]",
		"{a: b}", "99999999999999999999999", "\"\\0\"", "*a", "&a [*a]", "&a {a: *a}",
		"!!int 5", "!x y", "|\n", "'\xc3\xa4'", "a: b", "<<", "0x7fffffffffffffff", "1e400",
		".nan", "2001-01-01"};
	for (const char *at = example; (at = strchr(at, ':')); at++)
		for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
			size_t rest = strcspn(at, "\n");
			autofree char *data = text(
				"%.*s: %s%s", (int)(at - example), example, values[i], at + rest);
			try_input(data, strlen(data));
		}
}

static char *repeated(const char *head, const char *piece, size_t times, const char *tail)
{
	size_t each = strlen(piece), first = strlen(head);
	char *data = malloc(first + each * times + strlen(tail) + 1);
	memcpy(data, head, first);
	for (size_t i = 0; i < times; i++)
		memcpy(data + first + i * each, piece, each);
	strcpy(data + first + each * times, tail);
	return data;
}

static void deep_wide_and_exploding(void **state)
{
	(void)state;
	static const struct {
		const char *head, *piece;
		size_t times;
		const char *tail;
	} rows[] = {
		{"", "[", 100000, ""},
		{"", "{a: ", 100000, ""},
		{"", "- ", 100000, ""},
		{ONE_POD "x: ", "[", 500, ""},
		{ONE_POD "x: ", "? ", 50000, ""},
		{"", "a", MANIFEST_MAX, ""},
		{"", " ", MANIFEST_MAX + 1, ""},
		{"", "#\n", MANIFEST_MAX / 2, ""},
		{"", "---\n", 200000, ""},
		{"", "a: b\n", 200000, ""},
		{ONE_POD, "x: {}\n", 2, ""},
		{IN("args: ["), "a, ", 300000, "]\n"},
		{IN("env: ["), "{name: A}, ", 2000, "]\n"},
		{ONE_POD, "  - {name: a, image: busybox}\n", 30000, ""},
		{HEAD "spec:\n  labels: &l [", "a, ", 1000, "]\n  containers: []\n"},
		{IN("x: &a [b, b]\n    y: &b [*a, *a]\n    z: &c [*b, *b]\n    args: &d [*c, *c]"),
			"", 0, ""},
		{IN("args: &a [*a]"), "", 0, ""},
		{"&a [*a]\n", "", 0, ""},
		{"&a {*a : *a}\n", "", 0, ""},
		{"a: &a ", "[*a, *a, *a, *a, ", 400, ""},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		autofree char *data =
			repeated(rows[i].head, rows[i].piece, rows[i].times, rows[i].tail);
		try_input(data, strlen(data));
	}
	autofree char *deep = repeated("", "[", 101, "");
	assert_false(manifest_read(&manifest, deep, strlen(deep), NULL));
	assert_non_null(strstr(manifest.error.message, "within each other"));
	assert_int_equal(manifest.error.at.column, 101);
	manifest_free(&manifest);
}

/* Few bytes, many values: a list of aliases to a list of aliases. */
static void aliases_do_not_explode(void **state)
{
	(void)state;
	autofree char *env = repeated("x: &e [", "{name: A},", 1000, "]\n");
	autofree char *list = text("%s", "");
	for (int i = 0; i < 200; i++) {
		autofree char *before = list;
		list = text("%s{name: c%d, image: busybox, env: *e},", before, i);
	}
	autofree char *data = text("%s" HEAD "spec: {containers: [%s]}\n", env, list);
	assert_false(manifest_read(&manifest, data, strlen(data), NULL));
	assert_non_null(strstr(manifest.error.message, "aliases included"));
	assert_int_equal(manifest.error.at.line, 1);
	manifest_free(&manifest);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantities_are_read_as_kubernetes_does),
		cmocka_unit_test(what_is_no_quantity_is_refused),
		cmocka_unit_test(shares_weights_and_quotas),
		cmocka_unit_test(the_qos_class),
		cmocka_unit_test(the_oom_score_adj),
		cmocka_unit_test(the_values_of_the_pod),
		cmocka_unit_test(groups_are_named_as_the_kubelet_does),
		cmocka_unit_test(variables_are_expanded),
		cmocka_unit_test(the_example_is_read),
		cmocka_unit_test(aliases_are_resolved),
		cmocka_unit_test(images_are_found),
		cmocka_unit_test(null_is_as_if_it_were_not_there),
		cmocka_unit_test(what_is_not_read_is_named),
		cmocka_unit_test(errors_have_their_place),
		cmocka_unit_test(truncated_at_every_byte),
		cmocka_unit_test(with_a_foreign_byte_everywhere),
		cmocka_unit_test(with_another_value_everywhere),
		cmocka_unit_test(deep_wide_and_exploding),
		cmocka_unit_test(aliases_do_not_explode),
	};
	return cmocka_run_group_tests(tests, load_example, free_example);
}
