/*
 * explain.h: --explain, the manifest line by line, and beside each line the system
 * call or the kernel's file that it becomes: "FILE <- VALUE" is a write, all else a
 * call as strace(1) shows it, in which "..." stands for the rest. The values are
 * those that the Pod's life uses; a test holds each against an strace of it.
 */
#pragma once

#include <sys/sysinfo.h>

#include "manifest.h"

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

static char *score_text(const struct pod *pod, const struct container *c)
{
	struct sysinfo machine;
	sysinfo(&machine);
	return text("oom_score_adj <- %d",
		oom_score_adj(pod, c, (long long)machine.totalram * machine.mem_unit));
}

/* execve(...["sh", "-c"]...), the strings as JSON has them. */
static char *execve_text(const struct container *c)
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

/* Allocated; NULL for a line that only holds others. of is what the field belongs to. */
static char *effect(const struct pod *pod, const char *field, const char *own, const void *of)
{
	const struct container *c = of;
	const struct volume *v = of;
	const struct mount *m = of;
	const struct pair *env = of;
#define WHEN(name) \
	if (!strcmp(field, name)) \
	return
#define WHEN_SECURITY(name) \
	if (!strcmp(field, "pod.spec.securityContext." name) || \
		!strcmp(field, "container.securityContext." name)) \
	return
	WHEN("pod.metadata.name")
	pod->hostname ? text(NOTHING)
		      : text("sethostname(\"%s\", %zu)", pod->short_name, strlen(pod->short_name));
	WHEN("pod.spec.hostname") text("sethostname(\"%s\", %zu)", own, strlen(own));
	WHEN("pod.spec.hostUsers")
	text(pod->host_users.is ? "nothing: the user namespace stays the node's"
				: "clone3(...CLONE_NEWUSER...)");
	WHEN("pod.spec.shareProcessNamespace")
	text(pod->share_process_namespace.is ? "setns(...CLONE_NEWPID...)"
					     : "clone3(...CLONE_NEWPID...)");
	WHEN("pod.spec.resources.requests.cpu") weight_text(pod_values(pod));
	WHEN("pod.spec.resources.limits.cpu") max_text(pod_values(pod));
	WHEN("pod.spec.resources.limits.memory") memory_text(pod_values(pod));
	WHEN_SECURITY("runAsUser") text("setresuid(%s, %s, %s)", own, own, own);
	WHEN_SECURITY("runAsGroup") text("setresgid(%s, %s, %s)", own, own, own);
	WHEN_SECURITY("runAsNonRoot") text("nothing: the kubelet looks at the uid");
	WHEN_SECURITY("seccompProfile.type")
	text(strcmp(own, "Unconfined") ? "seccomp(SECCOMP_SET_MODE_FILTER...)"
				       : "nothing: no filter");
	WHEN("container.securityContext.privileged")
	text(c->security.privileged.is
			? "nothing is taken away or masked; /dev stays short, mknod() adds to it"
			: "nothing");
	WHEN("container.securityContext.allowPrivilegeEscalation")
	text(c->security.privilege_escalation.is ? "nothing" : "prctl(PR_SET_NO_NEW_PRIVS, 1...)");
	WHEN("container.securityContext.readOnlyRootFilesystem")
	text(c->security.read_only_root.is
			? "mount(NULL, \".\", NULL, MS_RDONLY|MS_REMOUNT|MS_BIND, NULL)"
			: "nothing");
	WHEN("container.securityContext.capabilities.add") text("capset(...)");
	WHEN("container.securityContext.capabilities.drop")
	text("prctl(PR_CAPBSET_DROP...)");
	WHEN("container.name") text("mkdir(\"...cri-containerd-...scope\"...)");
	WHEN("container.image")
	text("mount(...lowerdir=...%s...)%s", c->rootfs ? c->rootfs : "rootfs/tree",
		c->command || c->args ? "" : ", execve(\"sh\", [\"sh\"])");
	WHEN("container.command") execve_text(c);
	WHEN("container.args") c->command ? text("the execve() of its command") : execve_text(c);
	WHEN("container.workingDir") text("openat2(...\"%s\"...)", own);
	WHEN("container.resources.requests.cpu") weight_text(container_values(pod, c));
	WHEN("container.resources.requests.memory") score_text(pod, c);
	WHEN("container.resources.limits.cpu") max_text(container_values(pod, c));
	WHEN("container.resources.limits.memory") memory_text(container_values(pod, c));
	WHEN("env.name") text("execve(...\"%s=%s\"...)", env->name, env->value ? env->value : "");
	WHEN("env.value") text("the execve() of its name");
	WHEN("volume.emptyDir") volume_text(pod, v);
	WHEN("volume.emptyDir.medium") text(strcmp(own, "Memory") ? NOTHING : "tmpfs");
	WHEN("volume.emptyDir.sizeLimit")
	v->medium && !strcmp(v->medium, "Memory") ? text("size=%lld", volume_size(pod, v))
						  : text("nothing: the kubelet measures");
	WHEN("volume.hostPath.path") text("nothing yet: the source of its mounts");
	WHEN("volume.hostPath.type") text("nothing: what is not there is not made");
	WHEN("volume.configMap") text("mkdir(\"volumes/%s\", 0777)", v->name);
	WHEN("map.data") !*own ? NULL : text("openat(...volumes/.../%s...)", own);
	WHEN("mount.name") source_text(m);
	WHEN("mount.mountPath") text("openat2(...\"%s\"...)", m->path);
	WHEN("mount.readOnly")
	mount_read_only(m) ? text("mount_setattr(...MOUNT_ATTR_RDONLY...)") : text("nothing");
#undef WHEN
#undef WHEN_SECURITY
	if (!strcmp(field, NOT_HERE) || !strcmp(field, NOT_KNOWN))
		return text("nothing: %s", field);
	return *own ? text(NOTHING) : NULL;
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
		const struct container *c = container_at(pod, i);
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
	const struct place *one = a, *other = b; /* with which a struct said begins */
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
			char *one = effect(pod, said[i].field, said[i].text, said[i].of);
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

static void explain(struct manifest *m, const char *data, size_t size, long long pids)
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
