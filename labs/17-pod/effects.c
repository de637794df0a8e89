/*
 * effects.c: what each field of a manifest becomes: "FILE <- VALUE" is a write, all else a call as
 * strace(1) shows it, in which "..." stands for the rest. The values are those that the Pod's life
 * uses; a test holds each against an strace of it.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "kernel/file.h"
#include "kernel/sys.h"
#include "pod.h"

/* A runtime makes the weight of the CPU request, and a newer one another weight. The Pod's is the
 * kubelet's own. */
char *weight_text(struct group_values v)
{
	if (!v.weight_newer)
		return text("cpu.weight <- %d", v.weight);
	return text("cpu.weight <- %d (newer runtimes: %d)", v.weight, v.weight_newer);
}

char *max_text(struct group_values v)
{
	return v.quota ? text("cpu.max <- %lld %d", v.quota, CPU_PERIOD)
		       : text("cpu.max <- max %d", CPU_PERIOD);
}

char *memory_text(struct group_values v)
{
	return v.memory ? text("memory.max <- %lld", v.memory) : text("memory.max <- max");
}

char *score_text(const struct pod *pod, const struct container_spec *c)
{
	struct sysinfo machine;
	sysinfo(&machine);
	return text("oom_score_adj <- %d",
		oom_score_adj(pod, c, (long long)machine.totalram * machine.mem_unit));
}

/* A string as JSON has it, on one line. */
static char *quoted(const char *string)
{
	char *words;
	size_t size;
	FILE *out = open_memstream(&words, &size);
	if (!out)
		die("open_memstream");
	json_text(out, string);
	fclose(out);
	return words;
}

/* execve(...["sh", "-c"]...), the strings as JSON has them. */
static char *execve_text(const struct container_spec *c)
{
	char *list;
	size_t size;
	FILE *out = open_memstream(&list, &size);
	if (!out)
		die("open_memstream");
	fputs("execve(...", out);
	for (size_t i = 0; container_word(c, i); i++) {
		fputs(i == 0 ? "[" : ", ", out);
		json_text(out, container_word(c, i));
	}
	fputs("]...)", out);
	fclose(out);
	return list;
}

static char *volume_text(const struct pod *pod, const struct volume *v)
{
	long long size = volume_size(pod, v);
	if (!v->medium || strcmp(v->medium, "Memory"))
		return text("mkdir(\"volumes/%s\", 0777) (memory too: here is no disk)", v->name);
	return size ? text("mount(\"tmpfs\", \"volumes/%s\"...size=%lld\")", v->name, size)
		    : text("mount(\"tmpfs\", \"volumes/%s\"...)", v->name);
}

static char *source_text(const struct pod *pod, const struct mount *m)
{
	const struct volume *v = m->volume;
	return v->host.line && !has_user_namespace(pod)
		       ? text("open_tree(...\"%s\"...)", v->host_path)
		       : text("open_tree(...volumes/%s\"...)", v->name);
}

static char *hostname_of_name(const struct said *l)
{
	const char *name = l->pod->short_name;
	return l->pod->hostname ? text(NOTHING)
				: text("sethostname(\"%s\", %zu)", name, strlen(name));
}

static char *hostname(const struct said *l)
{
	return text("sethostname(\"%s\", %zu)", l->text, strlen(l->text));
}

static char *host_network(const struct said *l)
{
	return text(l->pod->host_network.is
			    ? "no CLONE_NEWNET, no CLONE_NEWUTS: the node's; left out here"
			    : "clone3(...CLONE_NEWNET...)");
}

static char *host_pid(const struct said *l)
{
	return text(l->pod->host_pid.is ? "no CLONE_NEWPID: the node's; left out here"
					: "clone3(...CLONE_NEWPID...)");
}

static char *host_ipc(const struct said *l)
{
	return text(l->pod->host_ipc.is ? "no CLONE_NEWIPC: the node's; left out here"
					: "clone3(...CLONE_NEWIPC...)");
}

static char *host_users(const struct said *l)
{
	return text(l->pod->host_users.is ? "nothing: the user namespace stays the node's"
					  : "clone3(...CLONE_NEWUSER...)");
}

static char *share_process_namespace(const struct said *l)
{
	return text(l->pod->share_process_namespace.is ? "setns(...CLONE_NEWPID...)"
						       : "clone3(...CLONE_NEWPID...)");
}

static char *pod_cpu_request(const struct said *l)
{
	return weight_text(pod_values(l->pod));
}

static char *pod_cpu_limit(const struct said *l)
{
	return max_text(pod_values(l->pod));
}

static char *pod_memory_limit(const struct said *l)
{
	return memory_text(pod_values(l->pod));
}

static char *run_as_user(const struct said *l)
{
	return text("setresuid(%s, %s, %s)", l->text, l->text, l->text);
}

static char *run_as_group(const struct said *l)
{
	return text("setresgid(%s, %s, %s)", l->text, l->text, l->text);
}

static char *seccomp_type(const struct said *l)
{
	const struct container_spec *c = strncmp(l->field, "pod.", 4) ? l->of : NULL;
	if (c && c->security.privileged.is)
		return text("nothing: a privileged one has no filter");
	return text(strcmp(l->text, "Unconfined") ? "seccomp(SECCOMP_SET_MODE_FILTER...)"
						  : "nothing: no filter");
}

static char *privileged(const struct said *l)
{
	const struct container_spec *c = l->of;
	return text(
		c->security.privileged.is
			? "nothing is taken away or masked; /dev stays short, mknod() adds to it"
			: "nothing");
}

static char *cap_drop(const struct said *l)
{
	const struct container_spec *c = l->of;
	return text(c->security.privileged.is ? "nothing: a privileged one has all"
					      : "prctl(PR_CAPBSET_DROP...)");
}

static char *cap_add(const struct said *l)
{
	struct security s = container_security(l->pod, l->of);
	for (const char **name = s.cap_add; !s.privileged.is && name && *name; name++)
		if (!is_capability(*name))
			return text("nothing: no runtime knows CAP_%.40s", *name);
	return text(s.privileged.is    ? "nothing: a privileged one has all"
		    : s.run_as_user.is ? "nothing: a user other than root has none"
				       : "capset(...)");
}

static char *privilege_escalation(const struct said *l)
{
	const struct container_spec *c = l->of;
	return text(c->security.privilege_escalation.is ? "nothing"
							: "prctl(PR_SET_NO_NEW_PRIVS, 1...)");
}

static char *read_only_root(const struct said *l)
{
	const struct container_spec *c = l->of;
	return text(c->security.read_only_root.is
			    ? "mount(NULL, \".\", NULL, MS_RDONLY|MS_REMOUNT|MS_BIND, NULL)"
			    : "nothing");
}

/* Without an image of this name the folder is not known, nor what its config executes. */
static char *image(const struct said *l)
{
	const struct container_spec *c = l->of;
	bool known = c->rootfs || is_busybox(c->image),
	     own = has_command(c) || (known && c->args && *c->args);
	autofree char *brought = text("images/%s", c->name);
	return text("mount(...lowerdir=...%s...)%s",
		known && has_user_namespace(l->pod) ? brought
		: c->rootfs                         ? c->rootfs
		: known                             ? "rootfs/tree"
						    : "its layers",
		own     ? ""
		: known ? ", execve(\"sh\", [\"sh\"])"
			: ", execve() of its ENTRYPOINT");
}

static char *command(const struct said *l)
{
	return has_command(l->of) ? execve_text(l->of) : text(NOTHING);
}

static char *args(const struct said *l)
{
	const struct container_spec *c = l->of;
	return !*c->args        ? text(NOTHING)
	       : has_command(c) ? text("the execve() of its command")
	       : c->rootfs || is_busybox(c->image)
		       ? execve_text(c)
		       : text("words of the execve() of its image's ENTRYPOINT");
}

static char *working_dir(const struct said *l)
{
	return text("openat2(...\"%s\"...)", l->text);
}

static char *cpu_request(const struct said *l)
{
	return weight_text(container_values(l->pod, l->of));
}

static char *memory_request(const struct said *l)
{
	return score_text(l->pod, l->of);
}

static char *cpu_limit(const struct said *l)
{
	return max_text(container_values(l->pod, l->of));
}

static char *memory_limit(const struct said *l)
{
	return memory_text(container_values(l->pod, l->of));
}

static char *env_name(const struct said *l)
{
	const struct pair *env = l->of;
	autofree char *pair = text("%s=%s", env->name,
		env->other   ? "..."
		: env->value ? env->value
			     : "");
	autofree char *string = quoted(pair);
	return text("execve(...%s...)", string);
}

static char *empty_dir(const struct said *l)
{
	return volume_text(l->pod, l->of);
}

static char *empty_dir_medium(const struct said *l)
{
	return text(!strcmp(l->text, "Memory") ? "tmpfs"
		    : !strncmp(l->text, "HugePages", 9)
			    ? "mount(...\"hugetlbfs\"...); left out here"
		    : *l->text ? "FailedMount: unknown storage medium"
			       : NOTHING);
}

static char *empty_dir_size(const struct said *l)
{
	const struct volume *v = l->of;
	return v->medium && !strcmp(v->medium, "Memory") ? text("size=%lld", volume_size(l->pod, v))
							 : text("nothing: the kubelet measures");
}

static char *restart_policy(const struct said *l)
{
	return text(is_sidecar(l->pod, l->of) ? "waitid() is not called before the next: a sidecar"
					      : "nothing: the kubelet's loop");
}

static char *priority_class(const struct said *l)
{
	return text(is_node_critical(l->pod) ? "oom_score_adj <- -997, for each container"
					     : "nothing: the scheduler's");
}

static char *grace(const struct said *l)
{
	return text("kill(SIGTERM), and SIGKILL after %lld s", grace_seconds(l->pod));
}

static char *host_path_type(const struct said *l)
{
	return text(strstr(l->text, "OrCreate") == NULL ? "stat(): it has to be one"
		    : *l->text == 'D'                   ? "mkdir(..., 0755), if it is not there"
				      : "open(...O_CREAT, 0644), if it is not there");
}

static char *config_map(const struct said *l)
{
	const struct volume *v = l->of;
	return text("mkdir(\"volumes/%s\", 0777)", v->name);
}

static char *config_map_file(const struct said *l)
{
	return *l->text ? text("openat(...volumes/.../%s...)", l->text) : NULL;
}

static char *mount_name(const struct said *l)
{
	return source_text(l->pod, l->of);
}

static char *mount_path(const struct said *l)
{
	const struct mount *m = l->of;
	return text("openat2(...\"%s\"...)", m->path);
}

static char *read_only_mount(const struct said *l)
{
	return text(mount_read_only(l->of) ? "mount_setattr(...MOUNT_ATTR_RDONLY...)" : "nothing");
}

/* What each field becomes. A field that is not here means something to Kubernetes only. */
static const struct {
	const char *field;
	char *(*becomes)(const struct said *l); /* allocated; NULL: always the same words */
	const char *words;
} rows[] = {
	{"pod.metadata.name", hostname_of_name},
	{"pod.metadata.generateName", hostname_of_name},
	{"pod.spec.hostname", hostname},
	{"pod.spec.hostUsers", host_users},
	{"pod.spec.hostNetwork", host_network},
	{"pod.spec.hostPID", host_pid},
	{"pod.spec.hostIPC", host_ipc},
	{"pod.spec.terminationGracePeriodSeconds", grace},
	{"pod.spec.priorityClassName", priority_class},
	{"pod.spec.restartPolicy", NULL, "nothing: the kubelet's loop"},
	{"pod.spec.shareProcessNamespace", share_process_namespace},
	{"pod.spec.resources.requests.cpu", pod_cpu_request},
	{"pod.spec.resources.limits.cpu", pod_cpu_limit},
	{"pod.spec.resources.limits.memory", pod_memory_limit},
	{"pod.spec.securityContext.runAsUser", run_as_user},
	{"pod.spec.securityContext.runAsGroup", run_as_group},
	{"pod.spec.securityContext.runAsNonRoot", NULL, "nothing: the kubelet looks at the uid"},
	{"pod.spec.securityContext.seccompProfile.type", seccomp_type},
	{"pod.spec.securityContext.seccompProfile.localhostProfile", NULL,
		"the filter of that file; here RuntimeDefault's"},
	{"container.securityContext.seccompProfile.localhostProfile", NULL,
		"the filter of that file; here RuntimeDefault's"},
	{"container.securityContext.runAsUser", run_as_user},
	{"container.securityContext.runAsGroup", run_as_group},
	{"container.securityContext.runAsNonRoot", NULL, "nothing: the kubelet looks at the uid"},
	{"container.securityContext.seccompProfile.type", seccomp_type},
	{"container.securityContext.privileged", privileged},
	{"container.securityContext.allowPrivilegeEscalation", privilege_escalation},
	{"container.securityContext.readOnlyRootFilesystem", read_only_root},
	{"container.securityContext.capabilities.add", cap_add},
	{"container.securityContext.capabilities.drop", cap_drop},
	{"container.name", NULL, "mkdir(\"...cri-containerd-...scope\"...)"},
	{"container.image", image},
	{"container.command", command},
	{"container.args", args},
	{"container.workingDir", working_dir},
	{"container.resources.requests.cpu", cpu_request},
	{"container.resources.requests.memory", memory_request},
	{"container.resources.limits.cpu", cpu_limit},
	{"container.resources.limits.memory", memory_limit},
	{"container.restartPolicy", restart_policy},
	{"env.name", env_name},
	{"env.value", NULL, "the execve() of its name"},
	{"volume.emptyDir", empty_dir},
	{"volume.emptyDir.medium", empty_dir_medium},
	{"volume.emptyDir.sizeLimit", empty_dir_size},
	{"volume.hostPath.path", NULL, "nothing yet: the source of its mounts"},
	{"volume.hostPath.type", host_path_type},
	{"volume.configMap", config_map},
	{"map.data", config_map_file},
	{"mount.name", mount_name},
	{"mount.mountPath", mount_path},
	{"mount.readOnly", read_only_mount},
	{"mount.subPath", NULL, "of this part of it only; the mount is left out here"},
	{"mount.subPathExpr", NULL, "of this part of it only; the mount is left out here"},
};

char *effect_of(const struct said *said)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (!strcmp(rows[i].field, said->field))
			return rows[i].becomes ? rows[i].becomes(said) : text("%s", rows[i].words);
	const struct elsewhere *other = elsewhere(said->field);
	if (other)
		return text("%s", other->words);
	if (!strcmp(said->field, NOT_KNOWN))
		return text("nothing: " NOT_KNOWN);
	/* A field that is not here begins with its type's capital letter. */
	return *said->text || (*said->field >= 'A' && *said->field <= 'Z') ? text(NOTHING) : NULL;
}
