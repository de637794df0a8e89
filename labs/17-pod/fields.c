/*
 * fields.c: the fields of a Pod, as tables that manifest.c walks. Types and names
 * are those of k8s.io/api/core/v1/types.go. What a text must look like are the
 * regular expressions of k8s.io/apimachinery/pkg/util/validation/validation.go.
 */
#include <limits.h>
#include <string.h>

#include "kernel/sys.h"
#include "pod.h"

bool rule_matches(struct rule *rule, const char *text)
{
	if (!rule->ready && regcomp(&rule->compiled, rule->pattern, REG_EXTENDED | REG_NOSUB))
		die("regcomp: %s", rule->pattern);
	rule->ready = true;
	return strlen(text) <= rule->longest && !regexec(&rule->compiled, text, 0, NULL, 0);
}

/* clang-format off */
#define RULE(name, most, regex, say) \
	static struct rule name##_rule = {.pattern = "^(" regex ")$", .words = say, .longest = most}
#define SHARED_RULE(name, most, regex, say) \
	struct rule name##_rule = {.pattern = "^(" regex ")$", .words = say, .longest = most}
#define DNS_LABEL "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
#define NO_DOTS "[^/.:][^/:]*|[.][^/.:][^/:]*|[.][.][^/:]+|[.]"
RULE(label, 63, DNS_LABEL, "at most 63 of a-z, 0-9 and '-', no '-' at the ends");
RULE(subdomain, 253, DNS_LABEL "([.]" DNS_LABEL ")*", "a-z, 0-9, '-' and '.', as a DNS name");
RULE(port_name, 15, "([a-z0-9]+-)*[a-z0-9]*[a-z][a-z0-9]*(-[a-z0-9]+)*",
	"at most 15 of a-z, 0-9 and '-', with a letter");
RULE(variable, 4096, "[-._a-zA-Z][-._a-zA-Z0-9]*", "letters, digits, '_', '-', '.', no digit first");
RULE(file_name, 253, "[.]?[-_a-zA-Z0-9][-._a-zA-Z0-9]*", "a file's name of letters, digits, '-', '_', '.'");
RULE(a_path, 4095, "(/(" NO_DOTS ")?)+", "an absolute path without '..' and ':'");
RULE(image_name, 4096, "[^ \t\n]+", "the name of an image");
RULE(capability, 64, "[A-Z][A-Z_]*", "a capability such as NET_ADMIN, or ALL");
RULE(version, 9, "v1", "v1");
RULE(policy, 9, "Always|OnFailure|Never", "Always, OnFailure or Never");
RULE(protocol, 9, "TCP|UDP|SCTP", "TCP, UDP or SCTP");
RULE(profile, 16, "RuntimeDefault|Unconfined|Localhost", "RuntimeDefault, Unconfined or Localhost");
RULE(host_type, 32, "((Directory|File)(OrCreate)?|Socket|CharDevice|BlockDevice)?",
	"Directory, DirectoryOrCreate, File, FileOrCreate, Socket, CharDevice or BlockDevice");

/* YAML 1.1's words for what is no string, as sigs.k8s.io/yaml has them. */
SHARED_RULE(null, 4, "|~|null|Null|NULL", "null");
SHARED_RULE(true, 4, "y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON", "true");
SHARED_RULE(false, 5, "n|N|no|No|NO|false|False|FALSE|off|Off|OFF", "false");
SHARED_RULE(number, 400, "[-+]?(0[xbo][0-9a-fA-F_]+|([.][0-9]+|[0-9][0-9_]*([.][0-9_]*)?)([eE][-+]?[0-9]+)?"
	"|[.](inf|Inf|INF)|[.](nan|NaN|NAN))", "a number");

#define F(field, kind, where) .name = field, .type = kind, .offset = where
#define NEEDED .required = true
#define IS(a) .rule = &a##_rule
#define OF(a) .shape = &a##_fields
#define ID .max = INT_MAX /* of a user: at most 2^31-1 */
#define P(member) offsetof(struct pod, member)
#define C(member) offsetof(struct container_spec, member)
#define V(member) offsetof(struct volume, member)
#define M(member) offsetof(struct config_map, member)

#define RESOURCES(name, at) static const struct shape name##_fields = { \
	.also = "ephemeral-storage hugepages-2Mi hugepages-1Gi", .fields = { \
	{F("cpu", CPUS, at + offsetof(struct resources, cpu))}, \
	{F("memory", BYTES, at + offsetof(struct resources, memory))}}}
RESOURCES(requests, C(requests));
RESOURCES(limits, C(limits));
RESOURCES(pod_requests, P(requests));
RESOURCES(pod_limits, P(limits));
static const struct shape resources_fields = {.also = "claims", .fields = {
	{F("requests", OBJECT, 0), OF(requests)},
	{F("limits", OBJECT, 0), OF(limits)}}};
static const struct shape pod_resources_fields = {.also = "claims", .fields = {
	{F("requests", OBJECT, 0), OF(pod_requests)},
	{F("limits", OBJECT, 0), OF(pod_limits)}}};

static const struct shape seccomp_fields = {.also = "localhostProfile", .fields = {
	{F("type", TEXT, C(security.seccomp)), NEEDED, IS(profile)}}};
static const struct shape pod_seccomp_fields = {.also = "localhostProfile", .fields = {
	{F("type", TEXT, P(security.seccomp)), NEEDED, IS(profile)}}};
static const struct shape capabilities_fields = {.also = "", .fields = {
	{F("add", TEXTS, C(security.cap_add)), IS(capability)},
	{F("drop", TEXTS, C(security.cap_drop)), IS(capability)}}};
static const struct shape security_fields = {.also = "appArmorProfile procMount seLinuxOptions windowsOptions", .fields = {
	{F("runAsUser", NUMBER, C(security.run_as_user)), ID},
	{F("runAsGroup", NUMBER, C(security.run_as_group)), ID},
	{F("runAsNonRoot", YES_NO, C(security.run_as_non_root))},
	{F("privileged", YES_NO, C(security.privileged))},
	{F("allowPrivilegeEscalation", YES_NO, C(security.privilege_escalation))},
	{F("readOnlyRootFilesystem", YES_NO, C(security.read_only_root))},
	{F("capabilities", OBJECT, 0), OF(capabilities)},
	{F("seccompProfile", OBJECT, 0), OF(seccomp)}}};
static const struct shape pod_security_fields = {
	.also = "appArmorProfile fsGroup fsGroupChangePolicy seLinuxChangePolicy seLinuxOptions "
		"supplementalGroups supplementalGroupsPolicy sysctls windowsOptions", .fields = {
	{F("runAsUser", NUMBER, P(security.run_as_user)), ID},
	{F("runAsGroup", NUMBER, P(security.run_as_group)), ID},
	{F("runAsNonRoot", YES_NO, P(security.run_as_non_root))},
	{F("seccompProfile", OBJECT, 0), OF(pod_seccomp)}}};

static const struct shape env_fields = {.item = "env", .size = sizeof(struct pair), .also = "valueFrom", .fields = {
	{F("name", TEXT, offsetof(struct pair, name)), NEEDED, IS(variable)},
	{F("value", TEXT, offsetof(struct pair, value))}}};
static const struct shape port_fields = {.item = "port", .size = sizeof(struct port), .also = "hostIP hostPort", .fields = {
	{F("name", TEXT, offsetof(struct port, name)), IS(port_name)},
	{F("protocol", TEXT, offsetof(struct port, protocol)), IS(protocol)},
	{F("containerPort", NUMBER, offsetof(struct port, number)), NEEDED, .min = 1, .max = 65535}}};
static const struct shape mount_fields = {.item = "mount", .size = sizeof(struct mount),
	.also = "mountPropagation recursiveReadOnly subPath subPathExpr", .fields = {
	{F("name", TEXT, offsetof(struct mount, name)), NEEDED},
	{F("mountPath", TEXT, offsetof(struct mount, path)), NEEDED, IS(a_path)},
	{F("readOnly", YES_NO, offsetof(struct mount, read_only))}}};

static const struct shape container_fields = {.item = "container", .size = sizeof(struct container_spec),
	.also = "envFrom imagePullPolicy lifecycle livenessProbe readinessProbe resizePolicy "
		"restartPolicy restartPolicyRules startupProbe stdin stdinOnce "
		"terminationMessagePath terminationMessagePolicy tty volumeDevices", .fields = {
	{F("name", TEXT, C(name)), NEEDED, IS(label)},
	{F("image", TEXT, C(image)), NEEDED, IS(image_name)},
	{F("command", TEXTS, C(command))},
	{F("args", TEXTS, C(args))},
	{F("workingDir", TEXT, C(working_dir)), IS(a_path)},
	{F("env", LIST, C(env)), OF(env)},
	{F("ports", LIST, C(ports)), OF(port)},
	{F("volumeMounts", LIST, C(mounts)), OF(mount)},
	{F("resources", OBJECT, 0), OF(resources)},
	{F("securityContext", OBJECT, 0), OF(security)}}};

static const struct shape empty_dir_fields = {.also = "", .fields = {
	{F("medium", TEXT, V(medium))},
	{F("sizeLimit", BYTES, V(size_limit))}}};
static const struct shape host_path_fields = {.also = "", .fields = {
	{F("path", TEXT, V(host_path)), NEEDED, IS(a_path)},
	{F("type", TEXT, V(host_type)), IS(host_type)}}};
static const struct shape config_source_fields = {.also = "defaultMode items", .fields = {
	{F("name", TEXT, V(config_name)), NEEDED},
	{F("optional", YES_NO, V(optional))}}};
static const struct shape volume_fields = {.item = "volume", .size = sizeof(struct volume),
	.also = "awsElasticBlockStore azureDisk azureFile cephfs cinder csi downwardAPI ephemeral "
		"fc flexVolume flocker gcePersistentDisk gitRepo glusterfs image iscsi nfs "
		"persistentVolumeClaim photonPersistentDisk portworxVolume projected quobyte rbd "
		"scaleIO secret storageos vsphereVolume", .fields = {
	{F("name", TEXT, V(name)), NEEDED, IS(label)},
	{F("emptyDir", OBJECT, V(empty)), OF(empty_dir)},
	{F("hostPath", OBJECT, V(host)), OF(host_path)},
	{F("configMap", OBJECT, V(config)), OF(config_source)}}};

static const struct shape spec_fields = {
	.also = "activeDeadlineSeconds affinity automountServiceAccountToken dnsConfig dnsPolicy "
		"enableServiceLinks ephemeralContainers hostAliases hostIPC hostNetwork hostPID "
		"hostnameOverride imagePullSecrets nodeName nodeSelector os overhead "
		"preemptionPolicy priority priorityClassName readinessGates resourceClaims "
		"runtimeClassName schedulerName schedulingGates serviceAccount serviceAccountName "
		"setHostnameAsFQDN subdomain terminationGracePeriodSeconds tolerations "
		"topologySpreadConstraints", .fields = {
	{F("hostname", TEXT, P(hostname)), IS(label)},
	{F("hostUsers", YES_NO, P(host_users))},
	{F("shareProcessNamespace", YES_NO, P(share_process_namespace))},
	{F("restartPolicy", TEXT, P(restart_policy)), IS(policy)},
	{F("resources", OBJECT, 0), OF(pod_resources)},
	{F("securityContext", OBJECT, 0), OF(pod_security)},
	{F("volumes", LIST, P(volumes)), OF(volume)},
	{F("initContainers", LIST, P(init_containers)), OF(container)},
	{F("containers", LIST, P(containers)), NEEDED, OF(container)}}};

#define OTHER_METADATA "annotations creationTimestamp deletionGracePeriodSeconds deletionTimestamp " \
	"finalizers generateName generation managedFields ownerReferences resourceVersion selfLink uid"
static const struct shape metadata_fields = {.also = OTHER_METADATA, .fields = {
	{F("name", TEXT, P(name)), NEEDED, IS(subdomain)},
	{F("namespace", TEXT, P(namespace)), IS(label)},
	{F("labels", PAIRS, P(labels))}}};
static const struct shape map_metadata_fields = {.also = OTHER_METADATA " labels namespace", .fields = {
	{F("name", TEXT, M(name)), NEEDED, IS(subdomain)}}};

const struct shape pod_document_fields = {.item = "pod", .also = "status", .fields = {
	{F("apiVersion", TEXT, P(api)), NEEDED, IS(version)},
	{F("kind", TEXT, P(kind)), NEEDED},
	{F("metadata", OBJECT, 0), NEEDED, OF(metadata)},
	{F("spec", OBJECT, 0), NEEDED, OF(spec)}}};
const struct shape map_document_fields = {.item = "map", .also = "binaryData immutable", .fields = {
	{F("apiVersion", TEXT, M(api)), NEEDED, IS(version)},
	{F("kind", TEXT, M(kind)), NEEDED},
	{F("metadata", OBJECT, 0), NEEDED, OF(map_metadata)},
	{F("data", PAIRS, M(data)), IS(file_name)}}};
/* clang-format on */
