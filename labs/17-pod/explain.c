/*
 * explain.c: --explain, the manifest line by line, and beside each line the system
 * call or the kernel's file that it becomes: "FILE <- VALUE" is a write, all else a
 * call as strace(1) shows it, in which "..." stands for the rest. The values are
 * those that the Pod's life uses; a test holds each against an strace of it.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "kernel/file.h"
#include "kernel/sys.h"
#include "pod.h"

#define NOTHING "nothing: Kubernetes only"
#define WIDTH 80
#define RIGHT 36 /* where the right column begins */

/* ---- What each becomes ---- */

static char *weight_text(struct group_values v)
{
	return text("cpu.weight <- %d (newer runtimes: %d)", v.weight, v.weight_newer);
}

static char *max_text(struct group_values v)
{
	return v.quota ? text("cpu.max <- %lld %d", v.quota, CPU_PERIOD)
		       : text("cpu.max <- max %d", CPU_PERIOD);
}

static char *memory_text(struct group_values v)
{
	return v.memory ? text("memory.max <- %lld", v.memory) : text("memory.max <- max");
}

static char *score_text(const struct pod *pod, const struct container_spec *c)
{
	struct sysinfo machine;
	sysinfo(&machine);
	return text("oom_score_adj <- %d",
		oom_score_adj(pod, c, (long long)machine.totalram * machine.mem_unit));
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

static char *source_text(const struct mount *m)
{
	const struct volume *v = m->volume;
	return v->host.line ? text("open_tree(...\"%s\"...)", v->host_path)
			    : text("open_tree(...volumes/%s\"...)", v->name);
}

/* A field of the manifest: its value as it was typed, and the struct that it belongs to. */
struct line {
	const struct pod *pod;
	const char *own;
	const void *of;
};

static char *hostname_of_name(const struct line *l)
{
	const char *name = l->pod->short_name;
	return l->pod->hostname ? text(NOTHING)
				: text("sethostname(\"%s\", %zu)", name, strlen(name));
}

static char *hostname(const struct line *l)
{
	return text("sethostname(\"%s\", %zu)", l->own, strlen(l->own));
}

static char *host_users(const struct line *l)
{
	return text(l->pod->host_users.is ? "nothing: the user namespace stays the node's"
					  : "clone3(...CLONE_NEWUSER...)");
}

static char *share_process_namespace(const struct line *l)
{
	return text(l->pod->share_process_namespace.is ? "setns(...CLONE_NEWPID...)"
						       : "clone3(...CLONE_NEWPID...)");
}

static char *pod_cpu_request(const struct line *l)
{
	return weight_text(pod_values(l->pod));
}

static char *pod_cpu_limit(const struct line *l)
{
	return max_text(pod_values(l->pod));
}

static char *pod_memory_limit(const struct line *l)
{
	return memory_text(pod_values(l->pod));
}

static char *run_as_user(const struct line *l)
{
	return text("setresuid(%s, %s, %s)", l->own, l->own, l->own);
}

static char *run_as_group(const struct line *l)
{
	return text("setresgid(%s, %s, %s)", l->own, l->own, l->own);
}

static char *seccomp_type(const struct line *l)
{
	return text(strcmp(l->own, "Unconfined") ? "seccomp(SECCOMP_SET_MODE_FILTER...)"
						 : "nothing: no filter");
}

static char *privileged(const struct line *l)
{
	const struct container_spec *c = l->of;
	return text(
		c->security.privileged.is
			? "nothing is taken away or masked; /dev stays short, mknod() adds to it"
			: "nothing");
}

static char *privilege_escalation(const struct line *l)
{
	const struct container_spec *c = l->of;
	return text(c->security.privilege_escalation.is ? "nothing"
							: "prctl(PR_SET_NO_NEW_PRIVS, 1...)");
}

static char *read_only_root(const struct line *l)
{
	const struct container_spec *c = l->of;
	return text(c->security.read_only_root.is
			    ? "mount(NULL, \".\", NULL, MS_RDONLY|MS_REMOUNT|MS_BIND, NULL)"
			    : "nothing");
}

static char *image(const struct line *l)
{
	const struct container_spec *c = l->of;
	return text("mount(...lowerdir=...%s...)%s", c->rootfs ? c->rootfs : "rootfs/tree",
		c->command || c->args ? "" : ", execve(\"sh\", [\"sh\"])");
}

static char *command(const struct line *l)
{
	return execve_text(l->of);
}

static char *args(const struct line *l)
{
	const struct container_spec *c = l->of;
	return c->command ? text("the execve() of its command") : execve_text(c);
}

static char *working_dir(const struct line *l)
{
	return text("openat2(...\"%s\"...)", l->own);
}

static char *cpu_request(const struct line *l)
{
	return weight_text(container_values(l->pod, l->of));
}

static char *memory_request(const struct line *l)
{
	return score_text(l->pod, l->of);
}

static char *cpu_limit(const struct line *l)
{
	return max_text(container_values(l->pod, l->of));
}

static char *memory_limit(const struct line *l)
{
	return memory_text(container_values(l->pod, l->of));
}

static char *env_name(const struct line *l)
{
	const struct pair *env = l->of;
	return text("execve(...\"%s=%s\"...)", env->name, env->value ? env->value : "");
}

static char *empty_dir(const struct line *l)
{
	return volume_text(l->pod, l->of);
}

static char *empty_dir_medium(const struct line *l)
{
	return text(strcmp(l->own, "Memory") ? NOTHING : "tmpfs");
}

static char *empty_dir_size(const struct line *l)
{
	const struct volume *v = l->of;
	return v->medium && !strcmp(v->medium, "Memory") ? text("size=%lld", volume_size(l->pod, v))
							 : text("nothing: the kubelet measures");
}

static char *config_map(const struct line *l)
{
	const struct volume *v = l->of;
	return text("mkdir(\"volumes/%s\", 0777)", v->name);
}

static char *config_map_file(const struct line *l)
{
	return *l->own ? text("openat(...volumes/.../%s...)", l->own) : NULL;
}

static char *mount_name(const struct line *l)
{
	return source_text(l->of);
}

static char *mount_path(const struct line *l)
{
	const struct mount *m = l->of;
	return text("openat2(...\"%s\"...)", m->path);
}

static char *read_only_mount(const struct line *l)
{
	return text(mount_read_only(l->of) ? "mount_setattr(...MOUNT_ATTR_RDONLY...)" : "nothing");
}

/* What each field becomes. A field that is not here means something to Kubernetes only. */
static const struct {
	const char *field;
	char *(*becomes)(const struct line *l); /* allocated; NULL: always the same words */
	const char *words;
} rows[] = {
	{"pod.metadata.name", hostname_of_name},
	{"pod.spec.hostname", hostname},
	{"pod.spec.hostUsers", host_users},
	{"pod.spec.shareProcessNamespace", share_process_namespace},
	{"pod.spec.resources.requests.cpu", pod_cpu_request},
	{"pod.spec.resources.limits.cpu", pod_cpu_limit},
	{"pod.spec.resources.limits.memory", pod_memory_limit},
	{"pod.spec.securityContext.runAsUser", run_as_user},
	{"pod.spec.securityContext.runAsGroup", run_as_group},
	{"pod.spec.securityContext.runAsNonRoot", NULL, "nothing: the kubelet looks at the uid"},
	{"pod.spec.securityContext.seccompProfile.type", seccomp_type},
	{"container.securityContext.runAsUser", run_as_user},
	{"container.securityContext.runAsGroup", run_as_group},
	{"container.securityContext.runAsNonRoot", NULL, "nothing: the kubelet looks at the uid"},
	{"container.securityContext.seccompProfile.type", seccomp_type},
	{"container.securityContext.privileged", privileged},
	{"container.securityContext.allowPrivilegeEscalation", privilege_escalation},
	{"container.securityContext.readOnlyRootFilesystem", read_only_root},
	{"container.securityContext.capabilities.add", NULL, "capset(...)"},
	{"container.securityContext.capabilities.drop", NULL, "prctl(PR_CAPBSET_DROP...)"},
	{"container.name", NULL, "mkdir(\"...cri-containerd-...scope\"...)"},
	{"container.image", image},
	{"container.command", command},
	{"container.args", args},
	{"container.workingDir", working_dir},
	{"container.resources.requests.cpu", cpu_request},
	{"container.resources.requests.memory", memory_request},
	{"container.resources.limits.cpu", cpu_limit},
	{"container.resources.limits.memory", memory_limit},
	{"env.name", env_name},
	{"env.value", NULL, "the execve() of its name"},
	{"volume.emptyDir", empty_dir},
	{"volume.emptyDir.medium", empty_dir_medium},
	{"volume.emptyDir.sizeLimit", empty_dir_size},
	{"volume.hostPath.path", NULL, "nothing yet: the source of its mounts"},
	{"volume.hostPath.type", NULL, "nothing: what is not there is not made"},
	{"volume.configMap", config_map},
	{"map.data", config_map_file},
	{"mount.name", mount_name},
	{"mount.mountPath", mount_path},
	{"mount.readOnly", read_only_mount},
};

/* Allocated; NULL for a line that only holds others. */
static char *effect(const char *field, const struct line *l)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (!strcmp(rows[i].field, field))
			return rows[i].becomes ? rows[i].becomes(l) : text("%s", rows[i].words);
	if (!strcmp(field, NOT_HERE) || !strcmp(field, NOT_KNOWN))
		return text("nothing: %s", field);
	return *l->own ? text(NOTHING) : NULL;
}

/* ---- Two columns ---- */

/* Words from column on; what does not fit goes on under itself. Returns the column it ended in. */
static size_t print_words(const char *words, size_t column, size_t left)
{
	for (bool first = true; *words; first = false) {
		size_t length = strspn(words, " ") + strcspn(words + strspn(words, " "), " ");
		if (!first && column + length > WIDTH) {
			words += strspn(words, " ");
			length = strcspn(words, " ");
			printf("\n%*s", (int)left, "");
			column = left;
		}
		fwrite(words, 1, length, stdout);
		for (size_t i = 0; i < length; i++)
			column += ((unsigned char)words[i] & 0xc0) != 0x80; /* UTF-8 */
		words += length;
	}
	return column;
}

/* Beside the line before, which ended in column, or below it. effect is freed. */
static void print_effect(size_t *column, char *what)
{
	autofree char *words = what;
	if (*column + 1 > RIGHT) {
		putchar('\n');
		*column = 0;
	}
	printf("%*s-> ", (int)(RIGHT - *column), "");
	*column = print_words(words, RIGHT + 3, RIGHT + 3);
}

static void print_group(const char *name, struct group_values v, char *more)
{
	size_t column = print_words(name, 0, 0);
	print_effect(&column, weight_text(v));
	print_effect(&column, max_text(v));
	print_effect(&column, memory_text(v));
	if (more)
		print_effect(&column, more);
	putchar('\n');
}

/* ---- The whole ---- */

/* What no line says, and follows of all of them. */
static void explain_rest(const struct pod *pod, long long pids)
{
	char *rest;
	printf("\n# What no line says\nQoS class %s", qos_names[pod_qos(pod)]);
	size_t column = strlen("QoS class ") + strlen(qos_names[pod_qos(pod)]);
	autofree char *group = pod_group(pod, "...");
	for (char *one = strtok_r(group, "/", &rest); one; one = strtok_r(NULL, "/", &rest))
		print_effect(&column,
			text("mkdir(...%s...)", strlen(one) > 25 ? strchr(one, '-') + 1 : one));
	putchar('\n');
	print_group(
		"the Pod's group", pod_values(pod), pids ? text("pids.max <- %lld", pids) : NULL);
	for (size_t i = 0; i < container_count(pod); i++) {
		const struct container_spec *c = container_at(pod, i);
		autofree char *name = text("%s's group", c->name);
		print_group(name, container_values(pod, c), score_text(pod, c));
	}
	column = print_words("each container's group", 0, 0);
	print_effect(&column, text("memory.oom.group <- 1"));
	print_effect(&column, text("memory.swap.max <- 0"));
	putchar('\n');
	column = print_words("pause", 0, 0);
	print_effect(&column, text("clone3(...NEWNS...NEWIPC...NEWNET...)"));
	print_effect(&column, text("mount(\"pause\", ...\"tmpfs\"...)"));
	print_effect(&column, text("pivot_root(\".\", \".\")"));
	print_effect(&column, text("execveat(...[\"pause\"]...)"));
	print_effect(&column, text("prctl(PR_SET_NO_NEW_PRIVS, 1...)"));
	print_effect(&column, text("setresuid(65535, 65535, 65535)"));
	print_effect(&column, text("capset(...effective=0, permitted=0...)"));
	putchar('\n');
	column = print_words("each container", 0, 0);
	print_effect(&column, text("setns(...CLONE_NEWIPC...CLONE_NEWNET)"));
	print_effect(&column, text("clone3(...CLONE_PARENT|CLONE_NEWNS...)"));
	putchar('\n');
}

static int by_place(const void *a, const void *b)
{
	const struct position *one = a, *other = b; /* with which a struct said begins */
	return one->line != other->line ? one->line - other->line : one->column - other->column;
}

/* What the fields of one line become; "nothing" stands only where nothing else does. */
static void explain_line(
	const struct pod *pod, const char *line, const struct said *said, size_t count)
{
	size_t column = print_words(line, 0, strspn(line, " -") + 2);
	bool any = false;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < count; i++) {
			struct line l = {pod, said[i].text, said[i].of};
			char *one = effect(said[i].field, &l);
			bool something = one && strcmp(one, NOTHING);
			if (one && pass == 1 && (something || !any)) {
				print_effect(&column, one);
				any = true;
			} else {
				any |= something;
				free(one);
			}
		}
	putchar('\n');
}

void explain_manifest(struct manifest *m, const char *data, size_t size, long long pids)
{
	const char *end = data + size;
	size_t first = 0;
	int number = 1;
	qsort(m->said.item, m->said.count, sizeof *m->said.item, by_place);
	for (const char *line = data; line < end; number++) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t length = (size_t)((newline ? newline : end) - line), count = 0;
		autofree char *own = text("%.*s", (int)length, line);
		own[strcspn(own, "\r")] = '\0';
		while (first + count < m->said.count &&
			m->said.item[first + count].at.line == number)
			count++;
		explain_line(&m->pod, own, &m->said.item[first], count);
		first += count;
		line += length + 1;
	}
	explain_rest(&m->pod, pids);
}
