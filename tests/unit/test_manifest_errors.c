/*
 * Lab 17's manifests: what is refused, with its place.
 */
/* link: yaml-0.1 */
#define _GNU_SOURCE
#include "pod_manifest.h"

struct error_row {
	const char *data;
	int line, column;
	const char *says; /* NULL: it is taken */
};

static void assert_errors(const struct error_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool good =
			manifest_read(&manifest, rows[i].data, strlen(rows[i].data), NULL, false);
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

static void errors_of_a_pod_have_their_place(void **state)
{
	(void)state;
	static const struct error_row rows[] = {
		{"", 1, 1, "expected a Pod"},
		{"# nothing\n", 1, 1, "expected a Pod"},
		{"- a\n", 1, 1, "expected a Pod, got a list"},
		{"kind: Pod\n", 1, 1, "apiVersion: expected here"},
		{"kind: 7\n", 1, 7, "kind: expected here, such as Pod"},
		{"apiVersion: v1\nkind: Deployment\n", 1, 1, "metadata.name: expected here"},
		{"apiVersion: v2\nkind: Pod\n", 1, 13, "expected v1, got 'v2'"},
		{"apiVersion: v1\nkind: Pod\nspec: {}\n", 3, 7, "spec.containers: expected here"},
		{"apiVersion: v1\nkind: Pod\nmetadata: {}\nspec:\n" SPEC, 3, 11,
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
		{HEAD "spec: {containers: [{name: a, image: ''}]}\n", 4, 21,
			"spec.containers[].image: expected here"},
		{HEAD "spec: {containers: [{name: a, image: 'a b'}]}\n", 4, 38,
			"the name of an image"},
		{ONE_POD "  - {name: a, image: busybox}\n", 8, 6,
			"container 'a': expected another name, line 6"},
	};
	assert_errors(rows, sizeof rows / sizeof *rows);
}

static void errors_of_a_container_have_their_place(void **state)
{
	(void)state;
	static const struct error_row rows[] = {
		{IN("command: sh -c true"), 8, 14, "expected a list, got 'sh -c true'"},
		{IN("command: \"sh\\e[31m\\nls\""), 8, 14, "expected a list, got 'sh [31m ls'"},
		{IN("args: [1]"), 8, 12, "got a number 1; quote it"},
		{IN("args: [[a]]"), 8, 12, "expected a string, got a list"},
		{IN("env: [{value: a}]"), 8, 11, "env[].name: expected here"},
		{IN("env: [{name: A=B, value: a}]"), 8, 18, "ASCII without '='"},
		{IN("env: [{name: A, value: true}]"), 8, 28, "got a boolean true; quote it"},
		{IN("comand: [sh]"), 8, 5, "spec.containers[].comand: unknown field"},
		{IN("livenessProbe: {exec: {comand: [a]}}"), 8, 28,
			"spec.containers[].livenessProbe.exec.comand: unknown field"},
		{IN("livenessProbe: [a]"), 8, 20, "expected an object, got a list"},
		{IN("envFrom: {prefix: a}"), 8, 14, "expected a list, got an object"},
		{IN("ports: [{containerPort: 0}]"), 8, 29, "an integer from 1 to 65535"},
		{IN("ports: [{containerPort: 65536}]"), 8, 29, "an integer from 1 to 65535"},
		{IN("ports: [{containerPort: '80'}]"), 8, 29,
			"an integer from 1 to 65535, got '80'"},
		{IN("ports: [{containerPort: 80.5}]"), 8, 29, "an integer"},
		{IN("ports: [{containerPort: 8e-1}]"), 8, 29, "an integer"},
		{IN("ports: [{containerPort: .inf}]"), 8, 29, "an integer"},
		{IN("ports: [{containerPort: '8e1'}]"), 8, 29, "an integer"},
		{IN("ports: [{containerPort: 99999999999999999999}]"), 8, 29, "an integer"},
		{IN("ports: [{containerPort: 80, protocol: tcp}]"), 8, 43, "TCP, UDP or SCTP"},
		{IN("ports: [{containerPort: 80, name: a-name-that-is-long}]"), 8, 39,
			"at most 15"},
		{IN("volumeMounts: [{name: v, mountPath: /v}]"), 8, 21,
			"expected a volume of that name"},
		{IN("volumeMounts: [{name: v}]"), 8, 20, "mountPath: expected here"},
	};
	assert_errors(rows, sizeof rows / sizeof *rows);
}

static void errors_of_resources_have_their_place(void **state)
{
	(void)state;
	static const struct error_row rows[] = {
		{IN("resources: {limits: {cpu: 1x}}"), 8, 31, "a quantity such as 500m"},
		{IN("resources: {limits: {cpu: true}}"), 8, 31, "a quantity"},
		{IN("resources: {limits: {cpu: -1}}"), 8, 31, "not negative"},
		{IN("resources: {limits: {cpu: 010}}"), 8, 31, "octal"},
		{IN("resources: {limits: {cpu: 1e9}}"), 8, 31, "a million CPUs"},
		{IN("resources: {limits: {gpu: 1}}"), 8, 26, "example.com/device"},
		{IN("resources: {limits: {a.b/gpu: 0.5}}"), 8, 35, "an integer"},
		{IN("resources: {requests: {a.b/gpu: 1}}"), 8, 37, "a limit of the same amount"},
		{IN("resources: {requests: {hugepages-2Mi: 2Mi}, limits: {hugepages-2Mi: 4Mi}}"), 8,
			43, "a limit of the same amount"},
		{IN("resources: {limits: {memory: 99999Ei}}"), 8, 34, "at most 2^63-1"},
		{IN("resources: {limits: {memory: 1GB}}"), 8, 34, "a quantity"},
		{IN("resources: {limits: [cpu]}"), 8, 25, "expected an object"},
		{IN("resources: {requests: {cpu: 2}, limits: {cpu: 1}}"), 8, 33,
			"cpu request: expected at most the limit of line 8"},
		{IN("resources: {requests: {memory: 2}, limits: {memory: 1500m}}"), 8, 0, NULL},
		{IN("resources: {requests: {memory: 3}, limits: {memory: 1500m}}"), 8, 36,
			"memory request"},
	};
	assert_errors(rows, sizeof rows / sizeof *rows);
}

static void errors_of_security_have_their_place(void **state)
{
	(void)state;
	static const struct error_row rows[] = {
		{IN("securityContext: {runAsUser: -1}"), 8, 34, "an integer from 0 to 2147483647"},
		{IN("securityContext: {runAsUser: root}"), 8, 34, "an integer"},
		{IN("securityContext: {privileged: 1}"), 8, 35, "expected true or false"},
		{IN("securityContext: {privileged: 'true'}"), 8, 35, "expected true or false"},
		{IN("securityContext: {privileged: true, allowPrivilegeEscalation: false}"), 8, 67,
			"expected true with privileged"},
		{IN("securityContext: {capabilities: {add: [CAP_SYS_ADMIN]}, allowPrivilegeEscalation: false}"),
			8, 87, "CAP_SYS_ADMIN"},
		{IN("securityContext: {seccompProfile: {type: Localhost}}"), 8, 23,
			"localhostProfile: expected here"},
		{IN("securityContext: {seccompProfile: {type: Unconfined, localhostProfile: a}}"),
			8, 23, "only with type Localhost"},
		{IN("securityContext: {seccompProfile: {type: Localhost, localhostProfile: ../a}}"),
			8, 75, "a relative path without '..'"},
		{IN("securityContext: {capabilities: {drop: all}}"), 8, 44, "expected a list"},
		{IN("securityContext: {seccompProfile: {}}"), 8, 39, "type: expected here"},
		{IN("securityContext: {seccompProfile: {type: None}}"), 8, 46,
			"RuntimeDefault, Unconfined or Localhost"},
	};
	assert_errors(rows, sizeof rows / sizeof *rows);
}

static void errors_of_a_spec_have_their_place(void **state)
{
	(void)state;
	static const struct error_row rows[] = {
		{HEAD "spec:\n  restartPolicy: always\n" SPEC, 5, 18,
			"Always, OnFailure or Never, got 'always'"},
		{HEAD "spec:\n  restartPolicy: Alway\n" SPEC, 5, 18, "Always, OnFailure or Never"},
		{HEAD "spec:\n  restartPolicy: Alwayss\n" SPEC, 5, 18,
			"Always, OnFailure or Never"},
		{HEAD "spec:\n  restartPolicy: Always|Never\n" SPEC, 5, 18,
			"Always, OnFailure or Never"},
		{HEAD "spec:\n  restartPolicy: AlwaysNever\n" SPEC, 5, 18,
			"Always, OnFailure or Never"},
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
			13, "expected one kind of volume, got 2"},
		{HEAD "spec:\n  volumes: [{name: v, secret: {}, emptyDir: {}}]\n" SPEC, 5, 13,
			"expected one kind of volume, got 2"},
		{HEAD "spec:\n  volumes: [{name: v, hostPath: {}}]\n" SPEC, 5, 33,
			"path: expected here"},
		{HEAD "spec:\n  volumes: [{name: v, hostPath: {path: /, type: Folder}}]\n" SPEC, 5,
			49, "Directory, "},
		{HEAD "spec:\n  hostUsers: false\n  hostPID: true\n" SPEC, 6, 12,
			"hostPID: expected false with hostUsers: false"},
		{HEAD "spec:\n  volumes: [{name: v, emptyDir: {sizeLimit: -1}}]\n" SPEC, 5, 45,
			"not negative"},
	};
	assert_errors(rows, sizeof rows / sizeof *rows);
}

static void errors_of_documents_and_yaml_have_their_place(void **state)
{
	(void)state;
	static const struct error_row rows[] = {
		{ONE_POD "---\n" IN("comand: []"), 16, 5, "unknown field"},
		{"apiVersion: v1\nkind: List\nitems: {}\n", 3, 8, "items: expected a list"},
		{"apiVersion: v1\nkind: List\nitems: [{kind: List, items: []}]\n", 3, 16,
			"expected a Pod, and there is none; kind 'List' is not read"},
		{IN("args: [!!int a]"), 8, 12, "!!int: expected a number, got 'a'"},
		{IN("args: [!!int 5]"), 8, 12, "got a number 5; quote it"},
		{ONE_POD
			"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a/b: x}\n",
			12, 8, "a file's name"},
		{ONE_POD
			"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: 1}\n",
			12, 11, "quote it"},
		{ONE_POD "kind: Pod\n", 8, 1, "kind: expected once, and it is in line 2 too"},
		{ONE_POD "    name: b\n", 8, 5, "name: expected once, and it is in line 6 too"},
		{ONE_POD "x: {y: {b: 1, a: 2, b: 3}}\n", 8, 21, "b: expected once"},
		{ONE_POD "    <<: {args: []}\n", 8, 5, "merging is not read"},
		{ONE_POD "    ? [a]\n    : b\n", 8, 7, "expected a word as the key"},
		{IN("args: [\"a\\0b\"]"), 8, 12, "NUL"},
		{IN("args: [!!binary aGk=]"), 8, 12, "expected no tag but"},
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
	assert_errors(rows, sizeof rows / sizeof *rows);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_of_a_pod_have_their_place),
		cmocka_unit_test(errors_of_a_container_have_their_place),
		cmocka_unit_test(errors_of_resources_have_their_place),
		cmocka_unit_test(errors_of_security_have_their_place),
		cmocka_unit_test(errors_of_a_spec_have_their_place),
		cmocka_unit_test(errors_of_documents_and_yaml_have_their_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
