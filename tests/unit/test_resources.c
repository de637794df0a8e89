/*
 * Lab 17's resources: Kubernetes' formulas. The expected values are counted by hand.
 */
/* link: yaml-0.1 */
#define _GNU_SOURCE
#include "pod_manifest.h"

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
	if (!manifest_read(&manifest, data, strlen(data), NULL, false))
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
		if (pod_qos(manifest.pod) != rows[i].qos)
			fail_msg("row %zu is %s", i, qos_names[pod_qos(manifest.pod)]);
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
		const struct container_spec *c = manifest.pod->containers.item;
		assert_int_equal(oom_score_adj(manifest.pod, &c[0], 4 * GIB), rows[i].first);
		assert_int_equal(oom_score_adj(manifest.pod, &c[1], 4 * GIB), rows[i].second);
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
		struct group_values v = pod_values(manifest.pod);
		if (v.shares != rows[i].shares || v.quota != rows[i].quota ||
			v.memory != rows[i].memory)
			fail_msg("row %zu: %lld %lld %lld", i, v.shares, v.quota, v.memory);
		manifest_free(&manifest);
	}
	/* What only the Pod has is its containers' limit as well. */
	read_resources(BOTH("2", "1Gi"), "", "", "limits: {memory: 1Mi}");
	const struct container_spec *c = manifest.pod->containers.item;
	assert_int_equal(container_values(manifest.pod, &c[0]).memory, GIB);
	assert_int_equal(container_values(manifest.pod, &c[0]).quota, 200000);
	assert_int_equal(container_values(manifest.pod, &c[0]).shares, 2048);
	assert_int_equal(container_values(manifest.pod, &c[1]).memory, 1 << 20);
	manifest_free(&manifest);
}

/* Read in the place of an init container's resources: it goes on beside the others. */
#define BESIDE(resources) resources "}, restartPolicy: Always, securityContext: {"

static void sidecars_are_in_the_sum(void **state)
{
	(void)state;
	static const struct {
		const char *init, *one, *two;
		long long shares;
		int oom; /* the sidecar's, of a node with 4 GiB */
	} rows[] = {
		{BESIDE(ASKS("500m", "64Mi")), ASKS("500m", "64Mi"), "", 1024, 985},
		{ASKS("500m", "64Mi"), ASKS("500m", "64Mi"), "", 512, 985},
		/* what runs alone runs beside the sidecars above it, and not beside those below */
		{BESIDE(ASKS("1",
			 "1Gi")) "}}, {name: j, image: busybox, resources: {requests: {cpu: 3}",
			ASKS("1", "1Gi"), ASKS("1", "1Gi"), 4096, 750},
		{"requests: {cpu: 3}}}, {name: j, image: busybox, resources: {" BESIDE(
			 ASKS("1", "1Gi")),
			ASKS("1", "1Gi"), ASKS("500m", "1Gi"), 3072, 999},
		/* not before the container that asks for least */
		{BESIDE(ASKS("1", "1Gi")), ASKS("1", "2Gi"), ASKS("1", "3Gi"), 3072, 500},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		read_resources("", rows[i].init, rows[i].one, rows[i].two);
		struct group_values v = pod_values(manifest.pod);
		int oom = oom_score_adj(manifest.pod, manifest.pod->init_containers.item, 4 * GIB);
		if (v.shares != rows[i].shares || oom != rows[i].oom)
			fail_msg("row %zu: shares %lld, oom_score_adj %d", i, v.shares, oom);
		manifest_free(&manifest);
	}
}

static void groups_are_named_as_the_kubelet_does(void **state)
{
	(void)state;
	read_resources("", "", "requests: {cpu: 1}", "");
	autofree char *group = pod_group(manifest.pod, "0a1b-2c");
	assert_string_equal(group,
		"kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0a1b_2c.slice");
	manifest_free(&manifest);
	read_resources("", "", BOTH("1", "1"), BOTH("1", "1"));
	autofree char *guaranteed = pod_group(manifest.pod, "0a1b-2c");
	assert_string_equal(guaranteed, "kubepods.slice/kubepods-pod0a1b_2c.slice");
	manifest_free(&manifest);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_weights_and_quotas),
		cmocka_unit_test(the_qos_class),
		cmocka_unit_test(the_oom_score_adj),
		cmocka_unit_test(the_values_of_the_pod),
		cmocka_unit_test(sidecars_are_in_the_sum),
		cmocka_unit_test(groups_are_named_as_the_kubelet_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
