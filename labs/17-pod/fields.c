/*
 * fields.c: the fields of a Pod, as tables that read.c walks. Types and names
 * are those of k8s.io/api/core/v1/types.go. What a text must look like are the
 * regular expressions of k8s.io/apimachinery/pkg/util/validation/validation.go.
 */
#include <limits.h>
#include <string.h>

#include "kernel/sys.h"
#include "pod.h"

/* words: one behind the other, with '|' between two. */
static bool is_one_of(const char *words, const char *text)
{
	size_t length = strlen(text);
	for (size_t of_word;; words += of_word + 1) {
		of_word = strcspn(words, "|");
		if (of_word == length && !memcmp(words, text, length))
			return true;
		if (!words[of_word])
			return false;
	}
}

static bool all_of(const char *characters, const char *text)
{
	return !text[strspn(text, characters)];
}

bool rule_matches(struct rule *rule, const char *text)
{
	enum { SHORT = 63 }; /* as long as a name may always be */
	size_t length = strlen(text);
	if (!rule->pattern)
		return is_one_of(rule->one_of, text);
	if (length > rule->longest || (rule->only && !all_of(rule->only, text)) ||
		(rule->first && !strchr(rule->first, *text)))
		return false;
	if (rule->surely && length > 0 && length <= SHORT && all_of(rule->surely, text))
		return true;
	if (!rule->ready && regcomp(&rule->compiled, rule->pattern, REG_EXTENDED | REG_NOSUB))
		die("regcomp: %s", rule->pattern);
	rule->ready = true;
	return !regexec(&rule->compiled, text, 0, NULL, 0);
}

/* clang-format off */
#define SHARED_RULE(name, most, regex, say, ...) \
	struct rule name##_rule = {.pattern = "^(" regex ")$", .words = say, .longest = most, __VA_ARGS__}
#define RULE(name, ...) static SHARED_RULE(name, __VA_ARGS__)
/* A pattern takes about 20 KiB when it is compiled: too much for a few words. */
#define WORDS(name, list, say) static struct rule name##_rule = {.one_of = list, .words = say}
#define SHARED_WORDS(name, list, say) struct rule name##_rule = {.one_of = list, .words = say}
#define SMALL "abcdefghijklmnopqrstuvwxyz"
#define LETTERS SMALL "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define DNS_LABEL "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
#define NO_DOTS "[^/.][^/]*|[.][^/.][^/]*|[.][.][^/]+|[.]"
RULE(label, 63, DNS_LABEL, "at most 63 of a-z, 0-9 and '-', no '-' at the ends", .surely = SMALL DIGITS);
RULE(subdomain, 253, DNS_LABEL "([.]" DNS_LABEL ")*", "a-z, 0-9, '-' and '.', as a DNS name",
	.surely = SMALL DIGITS);
RULE(port_name, 15, "([a-z0-9]+-)*[a-z0-9]*[a-z][a-z0-9]*(-[a-z0-9]+)*",
	"at most 15 of a-z, 0-9 and '-', with a letter");
/* IsRelaxedEnvVarName(), by default since Kubernetes 1.32 */
RULE(variable, 131072, "[ -<>-~]+", "printable characters of ASCII without '='",
	.surely = LETTERS DIGITS "_");
/* validateLabels(): IsQualifiedName() and IsValidLabelValue() */
#define QUALIFIED "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
RULE(label_key, 317, "(" DNS_LABEL "([.]" DNS_LABEL ")*/)?" QUALIFIED,
	"at most 63 of letters, digits, '-', '_' and '.', perhaps behind a domain and '/'",
	.surely = LETTERS DIGITS);
RULE(label_value, 63, "(" QUALIFIED ")?",
	"at most 63 of letters, digits, '-', '_' and '.', a letter or digit at the ends", .surely = LETTERS DIGITS);
RULE(file_name, 253, "[.]?[-_a-zA-Z0-9][-._a-zA-Z0-9]*", "a file's name of letters, digits, '-', '_', '.'",
	.surely = LETTERS DIGITS);
/* ValidatePathNoBacksteps(): C:\data and \\.\pipe\x are paths of a Windows node. */
RULE(host_path, 4095, "(" NO_DOTS ")(/(" NO_DOTS ")?)*|(/(" NO_DOTS ")?)+", "a path without '..'");
RULE(a_path, 4095, ".+", "a path", .surely = LETTERS DIGITS "/._-");
/* validateLocalDescendingPath() */
RULE(local_path, 4095, "(" NO_DOTS ")(/(" NO_DOTS ")?)*", "a relative path without '..'",
	.surely = LETTERS DIGITS);
RULE(generate_name, 253, DNS_LABEL "([.]" DNS_LABEL ")*-?", "a-z, 0-9, '-' and '.', as a DNS name",
	.surely = SMALL DIGITS);
RULE(image_name, 4096, "[^ \t\n]+", "the name of an image", .surely = LETTERS DIGITS "/.:_-");
RULE(map_name, 4096, ".+", "the name of a ConfigMap", .surely = LETTERS DIGITS "-."); /* nor is this */
RULE(capability, 64, "[A-Za-z_]+", "a capability such as NET_ADMIN, or ALL",
	.surely = LETTERS "_"); /* not checked there */
WORDS(version, "v1", "v1");
WORDS(policy, "Always|OnFailure|Never", "Always, OnFailure or Never");
WORDS(protocol, "TCP|UDP|SCTP", "TCP, UDP or SCTP");
WORDS(profile, "RuntimeDefault|Unconfined|Localhost", "RuntimeDefault, Unconfined or Localhost");
WORDS(host_type, "|Directory|DirectoryOrCreate|File|FileOrCreate|Socket|CharDevice|BlockDevice",
	"Directory, DirectoryOrCreate, File, FileOrCreate, Socket, CharDevice or BlockDevice");

SHARED_RULE(resource, 317, "(" DNS_LABEL "([.]" DNS_LABEL ")*/)" QUALIFIED,
	"cpu, memory, ephemeral-storage, hugepages-SIZE or a name with a domain, example.com/device");

/* YAML 1.1's words for what is no string, as sigs.k8s.io/yaml has them. */
SHARED_WORDS(null, "|~|null|Null|NULL", "null");
SHARED_WORDS(true, "y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON", "true");
SHARED_WORDS(false, "n|N|no|No|NO|false|False|FALSE|off|Off|OFF", "false");
SHARED_RULE(number, 400, "[-+]?(0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|([.][0-9]+|[0-9][0-9_]*([.][0-9_]*)?)([eE][-+]?[0-9]+)?"
	"|[.](inf|Inf|INF)|[.](nan|NaN|NAN))", "a number",
	.surely = DIGITS, .only = DIGITS "abcdefABCDEFINinxo_.+-", .first = DIGITS "+-.");
SHARED_RULE(integer, 400, "-?(0|[1-9][0-9]*)", "an integer", .surely = "123456789", .only = DIGITS "-");
/* What leaves a Pod as it is, as if the field were not there. */
SHARED_WORDS(default, "|None|Default|n|N|no|No|NO|false|False|FALSE|off|Off|OFF", "a default");

#define F(field, kind, where) .name = field, .type = kind, .offset = where
#define NEEDED .required = true
#define POINTER .pointer = true
#define IS(a) .rule = &a##_rule
#define OF(a) .shape = &a##_fields
#define ID .max = INT_MAX /* of a user: at most 2^31-1 */
#define P(member) offsetof(struct pod, member)
#define C(member) offsetof(struct container_spec, member)
#define V(member) offsetof(struct volume, member)
#define M(member) offsetof(struct config_map, member)

#define RESOURCES(name, at, rest) static const struct shape name##_fields = { \
	.type = "ResourceList", .other = rest, .fields = { \
	{F("cpu", CPUS, at + offsetof(struct resources, cpu))}, \
	{F("memory", BYTES, at + offsetof(struct resources, memory))}}}
RESOURCES(requests, C(requests), C(other_requests));
RESOURCES(limits, C(limits), C(other_limits));
RESOURCES(pod_requests, P(requests), P(other_requests));
RESOURCES(pod_limits, P(limits), P(other_limits));
static const struct shape resources_fields = {.type = "ResourceRequirements", .fields = {
	{F("requests", OBJECT, 0), OF(requests)},
	{F("limits", OBJECT, 0), OF(limits)}}};
static const struct shape pod_resources_fields = {.type = "ResourceRequirements", .fields = {
	{F("requests", OBJECT, 0), OF(pod_requests)},
	{F("limits", OBJECT, 0), OF(pod_limits)}}};

#define SECCOMP(name, of) static const struct shape name##_fields = {.type = "SeccompProfile", .fields = { \
	{F("type", TEXT, of(security.seccomp)), NEEDED, IS(profile)}, \
	{F("localhostProfile", TEXT, of(security.seccomp_profile)), POINTER, IS(local_path)}}}
SECCOMP(seccomp, C);
SECCOMP(pod_seccomp, P);
static const struct shape capabilities_fields = {.type = "Capabilities", .fields = {
	{F("add", TEXTS, C(security.cap_add)), IS(capability)},
	{F("drop", TEXTS, C(security.cap_drop)), IS(capability)}}};
static const struct shape security_fields = {.type = "SecurityContext", .fields = {
	{F("runAsUser", NUMBER, C(security.run_as_user)), ID},
	{F("runAsGroup", NUMBER, C(security.run_as_group)), ID},
	{F("runAsNonRoot", YES_NO, C(security.run_as_non_root))},
	{F("privileged", YES_NO, C(security.privileged))},
	{F("allowPrivilegeEscalation", YES_NO, C(security.privilege_escalation))},
	{F("readOnlyRootFilesystem", YES_NO, C(security.read_only_root))},
	{F("capabilities", OBJECT, 0), OF(capabilities)},
	{F("seccompProfile", OBJECT, 0), OF(seccomp)}}};
static const struct shape pod_security_fields = {.type = "PodSecurityContext", .fields = {
	{F("runAsUser", NUMBER, P(security.run_as_user)), ID},
	{F("runAsGroup", NUMBER, P(security.run_as_group)), ID},
	{F("runAsNonRoot", YES_NO, P(security.run_as_non_root))},
	{F("seccompProfile", OBJECT, 0), OF(pod_seccomp)}}};

static const struct shape env_fields = {.item = "env", .size = sizeof(struct pair), .type = "EnvVar",
	.other = offsetof(struct pair, other), .fields = {
	{F("name", TEXT, offsetof(struct pair, name)), NEEDED, IS(variable)},
	{F("value", TEXT, offsetof(struct pair, value))}}};
static const struct shape port_fields = {.item = "port", .size = sizeof(struct port), .type = "ContainerPort", .fields = {
	{F("name", TEXT, offsetof(struct port, name)), IS(port_name)},
	{F("protocol", TEXT, offsetof(struct port, protocol)), IS(protocol)},
	{F("containerPort", NUMBER, offsetof(struct port, number)), NEEDED, .min = 1, .max = 65535}}};
static const struct shape mount_fields = {.item = "mount", .size = sizeof(struct mount), .type = "VolumeMount", .fields = {
	{F("name", TEXT, offsetof(struct mount, name)), NEEDED},
	{F("mountPath", TEXT, offsetof(struct mount, path)), NEEDED, IS(a_path)},
	{F("subPath", TEXT, offsetof(struct mount, sub_path)), IS(local_path)},
	{F("subPathExpr", TEXT, offsetof(struct mount, sub_path_expr)), IS(local_path)},
	{F("readOnly", YES_NO, offsetof(struct mount, read_only))}}};

static const struct shape container_fields = {.item = "container", .size = sizeof(struct container_spec),
	.type = "Container", .fields = {
	{F("name", TEXT, C(name)), NEEDED, IS(label)},
	{F("image", TEXT, C(image)), IS(image_name)},
	{F("command", TEXTS, C(command))},
	{F("args", TEXTS, C(args))},
	{F("workingDir", TEXT, C(working_dir)), IS(a_path)},
	{F("restartPolicy", TEXT, C(restart_policy)), POINTER, IS(policy)},
	{F("env", LIST, C(env)), OF(env)},
	{F("ports", LIST, C(ports)), OF(port)},
	{F("volumeMounts", LIST, C(mounts)), OF(mount)},
	{F("resources", OBJECT, 0), OF(resources)},
	{F("securityContext", OBJECT, 0), OF(security)}}};

static const struct shape empty_dir_fields = {.type = "EmptyDirVolumeSource", .fields = {
	{F("medium", TEXT, V(medium))},
	{F("sizeLimit", BYTES, V(size_limit))}}};
static const struct shape host_path_fields = {.type = "HostPathVolumeSource", .fields = {
	{F("path", TEXT, V(host_path)), NEEDED, IS(host_path)},
	{F("type", TEXT, V(host_type)), IS(host_type)}}};
static const struct shape config_source_fields = {.type = "ConfigMapVolumeSource", .fields = {
	{F("name", TEXT, V(config_name)), NEEDED, IS(map_name)},
	{F("optional", YES_NO, V(optional))}}};
static const struct shape volume_fields = {.item = "volume", .size = sizeof(struct volume), .type = "Volume",
	.other = V(other), .fields = {
	{F("name", TEXT, V(name)), NEEDED, IS(label)},
	{F("emptyDir", OBJECT, V(empty)), OF(empty_dir)},
	{F("hostPath", OBJECT, V(host)), OF(host_path)},
	{F("configMap", OBJECT, V(config)), OF(config_source)}}};

static const struct shape spec_fields = {.type = "PodSpec", .fields = {
	{F("hostname", TEXT, P(hostname)), IS(label)},
	{F("priorityClassName", TEXT, P(priority_class)), IS(subdomain)},
	{F("hostUsers", YES_NO, P(host_users))},
	{F("hostNetwork", YES_NO, P(host_network))},
	{F("hostPID", YES_NO, P(host_pid))},
	{F("hostIPC", YES_NO, P(host_ipc))},
	{F("shareProcessNamespace", YES_NO, P(share_process_namespace))},
	{F("restartPolicy", TEXT, P(restart_policy)), IS(policy)},
	{F("terminationGracePeriodSeconds", NUMBER, P(grace)), .min = LLONG_MIN, .max = LLONG_MAX},
	{F("resources", OBJECT, 0), OF(pod_resources)},
	{F("securityContext", OBJECT, 0), OF(pod_security)},
	{F("volumes", LIST, P(volumes)), OF(volume)},
	{F("initContainers", LIST, P(init_containers)), OF(container)},
	{F("containers", LIST, P(containers)), NEEDED, OF(container)}}};

static const struct shape metadata_fields = {.type = "ObjectMeta", .fields = {
	{F("name", TEXT, P(name)), IS(subdomain)},
	{F("generateName", TEXT, P(generate_name)), IS(generate_name)},
	{F("namespace", TEXT, P(namespace)), IS(label)},
	{F("labels", PAIRS, P(labels)), IS(label_key), .value_rule = &label_value_rule}}};
static const struct shape map_metadata_fields = {.type = "ObjectMeta", .fields = {
	{F("name", TEXT, M(name)), NEEDED, IS(subdomain)}}};

const struct shape pod_document_fields = {.item = "pod", .type = "Pod", .fields = {
	{F("apiVersion", TEXT, P(api)), NEEDED, IS(version)},
	{F("kind", TEXT, P(kind)), NEEDED},
	{F("metadata", OBJECT, P(metadata)), NEEDED, OF(metadata)},
	{F("spec", OBJECT, 0), NEEDED, OF(spec)}}};
const struct shape template_fields = {.item = "pod", .type = "PodTemplateSpec", .fields = {
	{F("metadata", OBJECT, 0), OF(metadata)},
	{F("spec", OBJECT, 0), NEEDED, OF(spec)}}};
const struct shape map_document_fields = {.item = "map", .type = "ConfigMap", .fields = {
	{F("apiVersion", TEXT, M(api)), NEEDED, IS(version)},
	{F("kind", TEXT, M(kind)), NEEDED},
	{F("metadata", OBJECT, 0), NEEDED, OF(map_metadata)},
	{F("data", PAIRS, M(data)), IS(file_name)}}};
/* clang-format on */
