/*
 * Lab 17's manifests beside the API server: small ones on fields that reach the kernel, with what
 * the server says of each and where it says so. Paths are those of
 * github.com/kubernetes/kubernetes: V is pkg/apis/core/validation/validation.go, W
 * pkg/api/pod/warnings.go, A staging/src/k8s.io/apimachinery/pkg, and D strict decoding,
 * A/runtime/serializer/json/json.go.
 */
/* link: yaml-0.1 */
#define _GNU_SOURCE
#include "pod_manifest.h"

enum verdict { TAKEN, WARNED, REFUSED };

struct server_row {
	enum verdict verdict;
	const char *data;
	const char *says; /* our words, when it is not taken */
	const char *source;
};

static void assert_verdicts(const struct server_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct server_row *row = &rows[i];
		bool good = manifest_read(&manifest, row->data, strlen(row->data), NULL, false);
		const char *warning = "";
		for (size_t j = 0; good && j < manifest.warnings.count; j++)
			if (!manifest.warnings.item[j]
					.left_out) /* that is ours, not the server's */
				warning = manifest.warnings.item[j].message;
		enum verdict is = !good ? REFUSED : *warning ? WARNED : TAKEN;
		const char *words = good ? warning : manifest.error.message;
		if (is != row->verdict || !strstr(words, row->says))
			fail_msg("row %zu, %s: %d, '%s' of\n%s", i, row->source, (int)is, words,
				row->data);
		manifest_free(&manifest);
	}
}

#define ENV(list) IN("env: [" list "]")
#define SECURITY(fields) IN("securityContext: {" fields "}")
#define RESOURCE_LISTS(fields) IN("resources: {" fields "}")
#define MOUNT(fields) IN("volumeMounts: [{name: v, " fields "}]") "  volumes: [{name: v}]\n"
#define VOLUME(fields) HEAD "spec:\n  volumes: [{name: v, " fields "}]\n" SPEC
#define LABEL(pair) \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {" pair "}}\nspec:\n" SPEC

static void names_and_variables(void **state)
{
	(void)state;
	static const struct server_row rows[] = {
		{TAKEN, LABEL("example.com/app: a.B_c-1"), "",
			"A/util/validation IsQualifiedName()"},
		{TAKEN, LABEL("app: ''"), "", "A/util/validation IsValidLabelValue()"},
		{REFUSED, LABEL("app: my app"), "at most 63",
			"A/util/validation IsValidLabelValue()"},
		{REFUSED, LABEL("app: -a"), "at most 63", "A/util/validation IsValidLabelValue()"},
		{REFUSED, LABEL("-a: b"), "at most 63", "A/util/validation IsQualifiedName()"},
		{REFUSED, LABEL("app: 1"), "expected a string", "D: a number in map[string]string"},
		{TAKEN, ENV("{name: 1ST, value: a}"), "", "V ValidateEnv(), IsRelaxedEnvVarName()"},
		{TAKEN, ENV("{name: 'a b', value: ''}"), "", "V ValidateEnv()"},
		{REFUSED, ENV("{name: 'A=B'}"), "without '='", "V ValidateEnv()"},
		{REFUSED, ENV("{name: ''}"), "printable", "V ValidateEnv(): Required"},
		{REFUSED, ENV("{name: A, value: 8080}"), "quote it", "D: a number in a string"},
		{REFUSED,
			ENV("{name: A, value: a, valueFrom: {fieldRef: {fieldPath: metadata.name}}}"),
			"one of value and valueFrom", "V validateEnvVarValueFrom()"},
		{WARNED, ENV("{name: A, value: a}, {name: A, value: b}"), "hides",
			"W warningsForPodSpecAndMeta(): hides previous definition"},
		{REFUSED, IN("ports: [{containerPort: 80, name: a}, {containerPort: 81, name: a}]"),
			"another name", "V validateContainerPorts(): Duplicate"},
		{REFUSED, IN("ports: [{containerPort: 80, name: '8080'}]"), "with a letter",
			"A/util/validation IsValidPortName()"},
		{REFUSED, IN("ports: [{containerPort: 80, protocol: tcp}]"), "TCP, UDP",
			"V validateContainerPorts(): NotSupported"},
		{REFUSED, HEAD "spec:\n  hostname: a.b\n" SPEC, "at most 63",
			"V ValidatePodSpec(): ValidateDNS1123Label()"},
		{REFUSED, IN("comand: [sh]"), "unknown field", "D: unknown field"},
		{REFUSED, ONE_POD "    image: other\n", "expected once", "D: duplicate field"},
	};
	assert_verdicts(rows, sizeof rows / sizeof *rows);
}

/* omitempty: a string that may be left out may be empty, unless types.go has a pointer to it. */
static void empty_strings(void **state)
{
	(void)state;
	static const struct server_row rows[] = {
		{TAKEN, HEAD "spec:\n  restartPolicy: ''\n  hostname: ''\n" SPEC, "",
			"SetDefaults_PodSpec(); V ValidatePodSpec(): len(spec.Hostname) > 0"},
		{TAKEN, IN("ports: [{containerPort: 80, name: '', protocol: ''}]"), "",
			"V validateContainerPorts(); SetDefaults of protocol"},
		{TAKEN, IN("workingDir: ''"), "", "V: not looked at"},
		{TAKEN, MOUNT("mountPath: /a, subPath: '', subPathExpr: b"), "",
			"V ValidateVolumeMounts(): len(mnt.SubPath) > 0"},
		{TAKEN, VOLUME("hostPath: {path: /a, type: ''}"), "", "HostPathUnset"},
		{TAKEN,
			"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n"
			"spec: {template: {spec: {containers: [{name: a, image: ''}]}}}\n",
			"", "V validateContainersOnlyForPod(): not of a template"},
		{REFUSED, HEAD "spec: {containers: [{name: a, image: ''}]}\n", "expected here",
			"V validateContainersOnlyForPod(): Required"},
		{REFUSED, VOLUME("configMap: {name: ''}"), "the name of a ConfigMap",
			"V validateConfigMapVolumeSource(): Required"},
		{REFUSED, IN("restartPolicy: ''"), "Always, OnFailure or Never",
			"types.go: *ContainerRestartPolicy"},
		{REFUSED, SECURITY("seccompProfile: {type: Localhost, localhostProfile: ''}"),
			"relative path", "types.go: *string; the runtime finds no such file"},
	};
	assert_verdicts(rows, sizeof rows / sizeof *rows);
}

#define OWNED(api, kind, before, more, after) \
	"apiVersion: " api "\nkind: " kind "\nmetadata: {name: o}\nspec:\n  " before \
	"{template: {spec: {" more "containers: [{name: a, image: x}]}}}" after "\n"

/* Who makes the Pods decides which of them are started again. */
static void restart_policies_of_templates(void **state)
{
	(void)state;
	static const struct server_row rows[] = {
		{REFUSED, OWNED("batch/v1", "Job", "", "", ""),
			"expected OnFailure or Never in a Job, got Always",
			"pkg/apis/batch/validation validatePodTemplateSpecForJob(): Required"},
		{REFUSED,
			OWNED("batch/v1", "CronJob",
				"{jobTemplate: {spec: ", "restartPolicy: Always, ", "}}"),
			"expected OnFailure or Never in a CronJob", "the same"},
		{TAKEN, OWNED("batch/v1", "Job", "", "restartPolicy: OnFailure, ", ""), "",
			"the same"},
		{TAKEN,
			OWNED("batch/v1", "CronJob",
				"{jobTemplate: {spec: ", "restartPolicy: Never, ", "}}"),
			"", "the same"},
		{REFUSED, OWNED("apps/v1", "Deployment", "", "restartPolicy: Never, ", ""),
			"expected Always in a Deployment, got Never",
			"pkg/apis/apps/validation ValidatePodTemplateSpecForReplicaSet(): NotSupported"},
		{REFUSED,
			OWNED("v1", "ReplicationController", "", "restartPolicy: OnFailure, ", ""),
			"expected Always", "V ValidatePodTemplateSpecForRC(): NotSupported"},
		{TAKEN, OWNED("apps/v1", "DaemonSet", "", "", ""), "", "SetDefaults_PodSpec()"},
		{TAKEN,
			"apiVersion: v1\nkind: PodTemplate\nmetadata: {name: o}\n"
			"template: {spec: {restartPolicy: Never, containers: [{name: a, image: x}]}}\n",
			"", "V ValidatePodTemplate()"},
	};
	assert_verdicts(rows, sizeof rows / sizeof *rows);
}

static void privileges(void **state)
{
	(void)state;
	static const struct server_row rows[] = {
		{TAKEN,
			SECURITY(
				"allowPrivilegeEscalation: false, capabilities: {add: [SYS_ADMIN]}"),
			"", "V ValidateSecurityContext(): asks for CAP_SYS_ADMIN only"},
		{REFUSED,
			SECURITY("allowPrivilegeEscalation: false, capabilities: {add: "
				 "[CAP_SYS_ADMIN]}"),
			"CAP_SYS_ADMIN", "V ValidateSecurityContext()"},
		{REFUSED, SECURITY("allowPrivilegeEscalation: false, privileged: true"),
			"privileged", "V ValidateSecurityContext()"},
		{TAKEN, SECURITY("capabilities: {add: [no_such], drop: [all]}"), "",
			"V ValidateSecurityContext(): no list of names"},
		{REFUSED, SECURITY("runAsUser: -1"), "from 0 to 2147483647",
			"A/util/validation IsValidUserID()"},
		{TAKEN, SECURITY("runAsUser: 2147483647, runAsNonRoot: true"), "",
			"A/util/validation IsValidUserID()"},
		{TAKEN, SECURITY("runAsUser: 0, runAsNonRoot: true"), "",
			"V: the kubelet refuses it, verifyRunAsNonRoot()"},
		{REFUSED, SECURITY("seccompProfile: {type: Localhost}"), "localhostProfile",
			"V validateSeccompProfileField(): Required"},
		{TAKEN, SECURITY("seccompProfile: {type: Localhost, localhostProfile: a/b.json}"),
			"", "V validateSeccompProfileField()"},
		{REFUSED, SECURITY("seccompProfile: {type: Localhost, localhostProfile: /a}"),
			"relative path", "V validateLocalDescendingPath()"},
		{REFUSED, SECURITY("seccompProfile: {type: RuntimeDefault, localhostProfile: a}"),
			"only with", "V validateSeccompProfileField(): Invalid"},
		{REFUSED, HEAD "spec:\n  hostUsers: false\n  hostNetwork: true\n" SPEC,
			"hostNetwork: expected false", "V validateHostUsers(): Forbidden"},
		{REFUSED, HEAD "spec:\n  hostPID: true\n  shareProcessNamespace: true\n" SPEC,
			"shareProcessNamespace", "V ValidatePodSecurityContext()"},
	};
	assert_verdicts(rows, sizeof rows / sizeof *rows);
}

static void mounts_and_volumes(void **state)
{
	(void)state;
	static const struct server_row rows[] = {
		{TAKEN, MOUNT("mountPath: data"), "",
			"V ValidateVolumeMounts(): not empty is enough"},
		{TAKEN, MOUNT("mountPath: /a/../b"), "", "V ValidateVolumeMounts()"},
		{REFUSED, MOUNT("mountPath: ''"), "a path", "V ValidateVolumeMounts(): Required"},
		{REFUSED, MOUNT("mountPath: /a}, {name: v, mountPath: /a"), "once in a container",
			"V ValidateVolumeMounts(): must be unique"},
		{TAKEN, MOUNT("mountPath: /a}, {name: v, mountPath: a"), "",
			"V ValidateVolumeMounts(): compared as they are"},
		{REFUSED, MOUNT("mountPath: /a, subPath: ../b"), "relative path",
			"V validateLocalDescendingPath()"},
		{REFUSED, MOUNT("mountPath: /a, subPath: b, subPathExpr: c"), "one of subPath",
			"V ValidateVolumeMounts(): mutually exclusive"},
		{REFUSED, IN("volumeMounts: [{name: w, mountPath: /a}]"), "a volume of that name",
			"V ValidateVolumeMounts(): NotFound"},
		{TAKEN, IN("workingDir: app"), "", "V: not looked at; runc refuses it"},
		{TAKEN, VOLUME("configMap: {name: not-there}"), "",
			"V validateConfigMapVolumeSource(): the kubelet waits for it"},
		{TAKEN, VOLUME("emptyDir: {medium: Disk}"), "",
			"V validateEmptyDirVolumeSource(): the kubelet refuses it"},
		{REFUSED, VOLUME("emptyDir: {sizeLimit: -1}"), "not negative",
			"V validateEmptyDirVolumeSource()"},
		{REFUSED, VOLUME("hostPath: {path: /a/../b}"), "without '..'",
			"V validatePathNoBacksteps()"},
		{REFUSED, VOLUME("hostPath: {path: a/..}"), "without '..'",
			"V validatePathNoBacksteps()"},
		{TAKEN, VOLUME("hostPath: {path: '\\\\.\\pipe\\csi-proxy-v1'}"), "",
			"V validateHostPathVolumeSource(): of a Windows node"},
		{TAKEN, VOLUME("hostPath: {path: data/x/}"), "",
			"V validateHostPathVolumeSource(): the kubelet sees to it"},
		{REFUSED, VOLUME("hostPath: {path: /a, type: Folder}"), "Directory,",
			"V validateHostPathType(): NotSupported"},
		{REFUSED, VOLUME("emptyDir: {}, secret: {secretName: s}"), "one kind of volume",
			"V validateVolumeSource(): may not specify more than 1 volume type"},
	};
	assert_verdicts(rows, sizeof rows / sizeof *rows);
}

static void amounts(void **state)
{
	(void)state;
	static const struct server_row rows[] = {
		{WARNED, RESOURCE_LISTS("limits: {memory: 400m}"), "fractional byte",
			"W warningsForPodSpecAndMeta(): fractional byte value"},
		{TAKEN, RESOURCE_LISTS("limits: {cpu: 0.0001}"), "",
			"A/api/resource: rounded up to 1m"},
		{REFUSED, RESOURCE_LISTS("limits: {cpu: -1}"), "not negative",
			"V ValidateNonnegativeQuantity()"},
		{REFUSED, RESOURCE_LISTS("limits: {cpu: 1}, requests: {cpu: 2}"),
			"at most the limit", "V ValidateContainerResourceRequirements()"},
		{REFUSED, RESOURCE_LISTS("limits: {gpu: 1}"), "with a domain",
			"V validateContainerResourceName(): must be a standard resource"},
		{TAKEN, RESOURCE_LISTS("limits: {nvidia.com/gpu: 1}"), "",
			"V validateContainerResourceName()"},
		{REFUSED, RESOURCE_LISTS("limits: {nvidia.com/gpu: 500m}"), "an integer",
			"V ValidateResourceQuantityValue(): isNotIntegerErrorMsg"},
		{REFUSED, RESOURCE_LISTS("requests: {nvidia.com/gpu: 1}"), "a limit of the same",
			"V ValidateContainerResourceRequirements(): non overcommitable"},
		{REFUSED,
			RESOURCE_LISTS(
				"limits: {hugepages-2Mi: 4Mi}, requests: {hugepages-2Mi: 2Mi}"),
			"a limit of the same", "V ValidateContainerResourceRequirements()"},
		{REFUSED, RESOURCE_LISTS("limits: {hugepages-2Mi: 2Mi}"), "cpu or memory with it",
			"V ValidateContainerResourceRequirements(): HugePages require cpu or memory"},
		{TAKEN,
			RESOURCE_LISTS("limits: {hugepages-2Mi: 4Mi, hugepages-1Gi: 0}, "
				       "requests: {memory: 1Gi}"),
			"", "V ValidateContainerResourceRequirements()"},
		{REFUSED, RESOURCE_LISTS("limits: {hugepages-2Mi: 3Mi, memory: 1Gi}"),
			"a multiple of the size",
			"V validateResourceQuantityHugePageValue(): is not positive integer multiple"},
		{REFUSED, RESOURCE_LISTS("limits: {hugepages-2MB: 2Mi, memory: 1Gi}"),
			"a multiple of the size", "V validateResourceQuantityHugePageValue()"},
		{TAKEN, RESOURCE_LISTS("limits: {ephemeral-storage: 1Gi}"), "",
			"V validateContainerResourceName()"},
		{TAKEN, RESOURCE_LISTS("limits: {memory: 100Ti}"), "",
			"V: the scheduler leaves it Pending"},
	};
	assert_verdicts(rows, sizeof rows / sizeof *rows);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_variables),
		cmocka_unit_test(empty_strings),
		cmocka_unit_test(restart_policies_of_templates),
		cmocka_unit_test(privileges),
		cmocka_unit_test(mounts_and_volumes),
		cmocka_unit_test(amounts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
