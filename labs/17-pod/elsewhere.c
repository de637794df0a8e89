/*
 * elsewhere.c: what a cluster makes of the fields that this lab has not. What is not in the table
 * means something to the API server, the scheduler or a controller only.
 */
#include <string.h>

#include "pod.h"

/* clang-format off */
static const struct elsewhere table[] = {
	{"ConfigMap.binaryData", "openat(volumes/...): files, decoded from base64; left out here", true},
	{"ConfigMapVolumeSource.defaultMode", "fchmod() of its files; left out here", true, "0644|420"},
	{"ConfigMapVolumeSource.defaultUser", "fchown() of its files; left out here", true},
	{"ConfigMapVolumeSource.items", "openat() of these keys only; here of all", true},
	{"Container.envFrom", "execve(): a variable for each key; left out here", true},
	{"Container.imagePullPolicy", "nothing: the kubelet looks for the image", false},
	{"Container.lifecycle", "setns(), execve(): a process beside it; left out here", true},
	{"Container.livenessProbe", "setns(), execve() or connect(), and kill(); left out here", true},
	{"Container.readinessProbe", "the same, and an entry of a Service; left out here", false},
	{"Container.restartPolicyRules", "nothing: the kubelet's loop; left out here", true},
	{"Container.startupProbe", "the same, before the other probes; left out here", true},
	{"Container.stdin", "a pipe from kubectl attach; left out here", false},
	{"Container.terminationMessagePath", "a bind mount: the kubelet reads it at the end", false},
	{"Container.tty", "open(/dev/ptmx): lab 16, --tty; left out here", true},
	{"Container.volumeDevices", "mknod() of a block device; left out here", true},
	{"ContainerPort.hostIP", "a rule of the node's firewall; left out here", false},
	{"ContainerPort.hostPort", "a rule of the node's firewall, lab 06; left out here", true},
	{"CronJobSpec.schedule", "nothing: the controller makes a Job at these times", false},
	{"DeploymentSpec.replicas", "nothing: the controller makes so many Pods", false},
	{"EmptyDirVolumeSource.mode", "chmod() of its folder; left out here", true, "0777|511"},
	{"EnvFromSource.configMapRef", "a ConfigMap's keys, which the kubelet asks the API server for", false},
	{"EnvFromSource.secretRef", "a Secret's keys, which the kubelet asks the API server for", false},
	{"EnvVar.valueFrom", "execve(): a variable from elsewhere; left out here, $(NAME) stays", true},
	{"EnvVarSource.configMapKeyRef", "one key of a ConfigMap, which the kubelet asks for", false},
	{"EnvVarSource.fieldRef", "the kubelet fills in this field of the Pod", false},
	{"EnvVarSource.resourceFieldRef", "the kubelet fills in this request or limit", false},
	{"EnvVarSource.secretKeyRef", "one key of a Secret, which the kubelet asks for", false},
	{"JobSpec.completions", "nothing: the controller makes Pods until so many succeed", false},
	{"Lifecycle.postStart", "a process beside the container's, as it starts", false},
	{"Lifecycle.preStop", "the same, before SIGTERM", false},
	{"PersistentVolumeClaimVolumeSource.claimName", "a mount on the node, which the driver makes before", false},
	{"PodSecurityContext.appArmorProfile", "write(/proc/self/attr/apparmor/exec); left out here", true},
	{"PodSecurityContext.fsGroup", "setgroups(), and chown() of its volumes; left out here", true},
	{"PodSecurityContext.seLinuxOptions", "write(/proc/self/attr/exec); left out here", true},
	{"PodSecurityContext.supplementalGroups", "setgroups(); left out here", true},
	{"PodSecurityContext.sysctls", "write() to /proc/sys of its namespaces; left out here", true},
	{"PodSpec.activeDeadlineSeconds", "kill() after that time; left out here", true},
	{"PodSpec.affinity", "nothing: the scheduler's", false},
	{"PodSpec.dnsConfig", "lines of /etc/resolv.conf; left out here", true},
	{"PodSpec.dnsPolicy", "lines of /etc/resolv.conf; left out here", false},
	{"PodSpec.enableServiceLinks", "execve(): variables with each Service's address", false},
	{"PodSpec.ephemeralContainers", "nothing: kubectl debug adds them; left out here", true},
	{"PodSpec.hostAliases", "lines of /etc/hosts; left out here", true},
	{"PodSpec.hostnameOverride", "sethostname(); left out here", true},
	{"PodSpec.imagePullSecrets", "nothing: the kubelet loads the image with them", false},
	{"PodSpec.nodeName", "nothing: the scheduler's", false},
	{"PodSpec.nodeSelector", "nothing: the scheduler's", false},
	{"PodSpec.overhead", "added to the values of the Pod's group; left out here", true},
	{"PodSpec.resourceClaims", "devices of a driver; left out here", true},
	{"PodSpec.runtimeClassName", "another runtime than runc; left out here", true},
	{"PodSpec.schedulerName", "nothing: the scheduler's", false},
	{"PodSpec.serviceAccountName", "a volume with a token, which the API server adds", false},
	{"PodSpec.setHostnameAsFQDN", "sethostname(): the long name; left out here", true},
	{"PodSpec.tolerations", "nothing: the scheduler's", false},
	{"PodSpec.topologySpreadConstraints", "nothing: the scheduler's", false},
	{"Probe.exec", "setns(), execve(): status 0 is well", false},
	{"Probe.grpc", "connect() by the kubelet", false},
	{"Probe.httpGet", "connect() by the kubelet: 200 to 399 is well", false},
	{"Probe.tcpSocket", "connect() by the kubelet", false},
	{"ReplicaSetSpec.replicas", "nothing: the controller makes so many Pods", false},
	{"ReplicationControllerSpec.replicas", "nothing: the controller makes so many Pods", false},
	{"ResourceList.device", "nothing here: a device plugin's", false},
	{"ResourceList.ephemeral-storage", "nothing: the kubelet measures", false},
	{"ResourceList.hugepages", "hugetlb.SIZE.max; left out here", false},
	{"ResourceRequirements.claims", "devices of a driver; left out here", true},
	{"SecretVolumeSource.defaultMode", "fchmod() of its files", false},
	{"SecretVolumeSource.items", "openat() of these keys only", false},
	{"SecretVolumeSource.secretName", "openat(): a file for each key, decoded from base64", false},
	{"SecurityContext.appArmorProfile", "write(/proc/self/attr/apparmor/exec); left out here", true},
	{"SecurityContext.procMount", "nothing is mounted over /proc; left out here", true},
	{"SecurityContext.seLinuxOptions", "write(/proc/self/attr/exec); left out here", true},
	{"StatefulSetSpec.replicas", "nothing: the controller makes so many Pods", false},
	{"Volume.downwardAPI", "a tmpfs: a file for each field; here an empty folder", true},
	{"Volume.image", "a mount of the image's layers; here an empty folder", true},
	{"Volume.nfs", "mount(...\"nfs\"...); here an empty folder", true},
	{"Volume.projected", "a tmpfs: files of several sources; here an empty folder", true},
	{"Volume.secret", "a tmpfs: a file for each key; here an empty folder", true},
	{"Volume.", "a mount by the volume's driver; here an empty folder", true},
	{"VolumeMount.bindMountOptions", "mount_setattr(...MOUNT_ATTR_NOEXEC...); left out here", true},
	{"VolumeMount.mountPropagation", "mount(...MS_SHARED or MS_SLAVE...); left out here", true},
	{"VolumeMount.recursiveReadOnly", "mount_setattr(...AT_RECURSIVE...); left out here", true},
	{"VolumeProjection.configMap", "openat(): a file for each key", false},
	{"VolumeProjection.downwardAPI", "openat(): a file for each field of the Pod", false},
	{"VolumeProjection.secret", "openat(): a file for each key", false},
	{"VolumeProjection.serviceAccountToken", "openat(): a token, which the kubelet renews", false},
};
/* clang-format on */

const struct elsewhere *elsewhere(const char *field)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		const char *name = table[i].field; /* "Volume." stands for any other field */
		if (!strncmp(name, field, strlen(name)) &&
			(name[strlen(name) - 1] == '.' || !field[strlen(name)]))
			return &table[i];
	}
	return NULL;
}
