/*
 * explain.c: --explain, what each option becomes.
 *
 * "FILE <- VALUE" is a write to a file of the kernel's. Everything else is a call as strace(1)
 * shows it, in which "..." stands for what is left out.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "container.h"
#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/sys.h"

/* A line; the call goes to a line of its own where the words are long. */
void becomes(const char *option, const char *value, const char *fmt, ...)
{
	enum { COLUMN = 26 };
	autofree char *words = text("%s%s%s", option, *value ? " " : "", value), *call = NULL;
	va_list ap;
	va_start(ap, fmt);
	if (vasprintf(&call, fmt, ap) < 0)
		die("out of memory");
	va_end(ap);
	bool wide = strlen(words) > COLUMN;
	printf("%-*s %s%*s%s\n", COLUMN, words, wide ? "\n" : "", wide ? COLUMN + 1 : 0, "", call);
}

void explain_cgroups(const struct container *c)
{
	if (!c->grouped) {
		becomes("--cgroups", "disabled", "nothing: it stays in the group of its caller");
		return;
	}
	becomes("", "", "clone3(...CLONE_INTO_CGROUP...)");
	if (ns_real_root() && !asked.privileged)
		becomes("", "", "bpf(BPF_PROG_ATTACH...BPF_CGROUP_DEVICE...)");
}

void explain_name(const struct container *c)
{
	if (c->name)
		becomes("--name", c->name, "mount(\"lab16:%s:...\"overlay\"...)", c->name);
}

void explain_hostname(const struct container *c)
{
	if (c->hostname)
		becomes("--hostname", c->hostname, "sethostname(\"%s\", %zu)", c->hostname,
			strlen(c->hostname));
	else /* what it shares with the host is named after the host */
		becomes("", "",
			c->joined & (CLONE_NEWNET | CLONE_NEWUTS) ? "sethostname(...)"
								  : "sethostname(..., 12)");
}

void explain_bridge(const struct container *c)
{
	if (c->joined & CLONE_NEWNET) {
		becomes("--network", asked.network, "setns(...CLONE_NEWNET...)");
		return;
	}
	becomes("--network", asked.network, "clone3(...CLONE_NEWNET...)");
	if (!access(no_ipv6, F_OK) && c->bridge)
		becomes("", "", "net/ipv6/conf/all/disable_ipv6 <- 1");
	becomes("", "", "net/ipv4/ip_unprivileged_port_start <- 0");
	becomes("", "", "net/ipv4/ping_group_range <- 0 %d", ns_real_root() ? INT_MAX : 0);
	if (c->bridge)
		becomes("", "", "sendmsg(...RTM_NEWLINK...\"veth\"...\"eth0\"...)");
}

void explain_pid(const struct container *c)
{
	if (c->withheld & CLONE_NEWPID)
		becomes("--pid", asked.pid, "nothing: no CLONE_NEWPID among the flags of clone3()");
}

void explain_ipc(const struct container *c)
{
	if (asked.ipc && c->joined & CLONE_NEWIPC) {
		becomes("--ipc", asked.ipc, "setns(...CLONE_NEWIPC...)");
		becomes("", "", "openat2(...\"/dev/shm\"...RESOLVE_IN_ROOT...)");
	} else if (asked.ipc) {
		becomes("--ipc", asked.ipc, "clone3(...CLONE_NEWIPC...)");
	}
}

void explain_uts(const struct container *c)
{
	if (c->joined & CLONE_NEWUTS)
		becomes("--uts", asked.uts, "setns(...CLONE_NEWUTS...)");
}

void explain_ip(const struct container *c)
{
	(void)c;
	if (!asked.ip)
		return;
	becomes("--ip", asked.ip, "sendmsg(...RTM_NEWADDR...\"%s\"...)", asked.ip);
	becomes("", "", "nothing more; docker has --ip on networks of docker network create alone");
}

void explain_rootfs(const struct container *c)
{
	becomes(asked.rootfs ? "--rootfs" : "", asked.rootfs ? asked.rootfs : "",
		"mount(...\"overlay\"...lowerdir=%s...)", c->root.image);
}

void explain_keep(const struct container *c)
{
	if (asked.keep)
		becomes("--keep", asked.keep, "mount(...\"overlay\"...upperdir=%s/upper...)",
			c->root.keep);
}

static void explain_bind(const char *option, const char *typed, const struct bind_mount *v)
{
	becomes(option, typed, "open_tree(...\"%s\"...OPEN_TREE_CLONE...)", v->source);
	if (v->read_only)
		becomes("", "", "mount_setattr(...%s, {attr_set=MOUNT_ATTR_RDONLY...)",
			v->recursive ? "AT_RECURSIVE" : "AT_EMPTY_PATH");
	becomes("", "", "openat2(...\"%s\"...RESOLVE_IN_ROOT...)", v->target);
	becomes("", "", "move_mount(...)");
}

void explain_volumes(const struct container *c)
{
	for (int i = 0; i < asked.volumes.count; i++)
		explain_bind("--volume", asked.volumes.value[i], &c->root.volumes[i]);
}

/* Its program is one more bind mount, behind the volumes. */
void explain_init(const struct container *c)
{
	if (!c->init)
		return;
	explain_bind("--init", "", &c->root.volumes[c->root.volume_count - 1]);
	becomes("", "", "rt_sigtimedwait(...)");
}

void explain_tmpfs(const struct container *c)
{
	for (int i = 0; i < c->root.tmpfs->count; i++) {
		struct tmpfs t;
		tmpfs_parse(c->root.tmpfs->value[i], &t);
		autofree char *flags = mount_flags_text(t.flags),
			      *propagation = mount_flags_text(t.propagation);
		const char *quote = t.data ? "\"" : "";
		becomes("--tmpfs", c->root.tmpfs->value[i],
			"mount(\"tmpfs\", \"memory\", \"tmpfs\", %s, %s%s%s)", flags, quote,
			t.data ? t.data : "NULL", quote);
		if (t.propagation)
			becomes("", "", "mount(NULL, \"memory\", NULL, %s, NULL)", propagation);
		becomes("", "", "openat2(...\"%s\"...RESOLVE_IN_ROOT...)", t.target);
		becomes("", "", "move_mount(...)");
	}
}

/* The last thing that is done to the root, before it is entered. */
void explain_read_only(const struct container *c)
{
	if (c->root.read_only)
		becomes("--read-only", "",
			"mount(NULL, \".\", NULL, MS_RDONLY|MS_REMOUNT|MS_BIND, NULL)");
	becomes("", "", "pivot_root(\".\", \".\")");
}

void explain_workdir(const struct container *c)
{
	if (!strcmp(c->workdir, "/"))
		return;
	becomes("--workdir", c->workdir, "openat2(...\"%s\"...RESOLVE_IN_ROOT...)", c->workdir);
	becomes("", "", "fchdir(...)");
}

void explain_tty(const struct container *c)
{
	if (c->tty)
		becomes("--tty", "", "ioctl(...TIOCSCTTY...)");
}

void explain_interactive(const struct container *c)
{
	(void)c;
	if (asked.interactive)
		becomes("--interactive", "", "nothing: standard input is its own in any case");
}

void explain_detach(const struct container *c)
{
	(void)c;
	if (asked.detach)
		becomes("--detach", "", "nothing: a second process waits for it, after setsid()");
}

void explain_rm(const struct container *c)
{
	(void)c;
	if (asked.rm)
		becomes("--rm", "", "nothing: without --keep its files are memory, and go with it");
}

void explain_privileged(const struct container *c)
{
	if (!asked.privileged)
		return;
	becomes("--privileged", "", "nothing: none is dropped, hidden or filtered");
	if (c->grouped)
		becomes("", "", "nothing: no device program; /dev stays short, mknod() adds to it");
	becomes("", "",
		"mount(NULL, \"sys\", NULL, MS_NOSUID|MS_NODEV|MS_NOEXEC|MS_REMOUNT, NULL)");
}

void explain_ulimit(const struct container *c)
{
	struct ulimit limit;
	for (int i = 0; i < c->ulimits->count; i++) {
		ulimit_parse(c->ulimits->value[i], &limit);
		becomes("--ulimit", c->ulimits->value[i], "prlimit64(0, %s, ...)", limit.name);
	}
}

void explain_oom_score_adj(const struct container *c)
{
	if (c->oom_score_adj)
		becomes("--oom-score-adj", c->oom_score_adj, "oom_score_adj <- %s",
			c->oom_score_adj);
}

/* As drop_privileges(): before all that it gives up, or with no_new_privs after it. */
static void explain_filter(const struct container *c, bool new_privs)
{
	if (!c->privileges.unconfined && c->privileges.new_privs == new_privs)
		becomes("", "", "seccomp(SECCOMP_SET_MODE_FILTER...)");
}

void explain_security(const struct container *c)
{
	for (int i = 0; i < asked.security.count; i++) {
		const char *word = asked.security.value[i];
		bool ours = !strncmp(word, "no-new-privileges", 17) || !strncmp(word, "seccomp", 7);
		becomes("--security-opt", word, "%s",
			!ours ? "nothing: this lab loads no such profile"
			: strncmp(word, "seccomp", 7) == 0 ? "nothing: no seccomp()"
			: c->privileges.new_privs          ? "nothing: no_new_privs stays 0"
							   : "prctl(PR_SET_NO_NEW_PRIVS, 1...)");
	}
	explain_filter(c, false);
}

static const char leaves_all[] = "nothing: --privileged leaves them all";

/* Whether a list of names has ALL in it. */
static bool has_all(const struct lab_texts *names)
{
	return capabilities_named(names->value, (size_t)names->count) == UINT64_MAX;
}

void explain_cap_drop(const struct container *c)
{
	/* What there would be without the option. */
	uint64_t before = has_all(&asked.cap_add) ? UINT64_MAX : default_capabilities;
	explain_filter(c, true);
	for (int i = 0; i < asked.cap_drop.count; i++) {
		const char *typed = asked.cap_drop.value[i];
		uint64_t set = 0;
		capability_parse(typed, &set);
		uint64_t taken = set & before & ~c->privileges.capabilities;
		if (set == UINT64_MAX && before == set)
			taken = 0; /* --cap-add ALL gives back what this takes */
		for (int cap = 0; cap <= CAP_LAST_CAP; cap++) {
			autofree char *name = taken & 1ULL << cap ? capability_name(cap) : NULL;
			if (name)
				becomes("--cap-drop", typed, "prctl(PR_CAPBSET_DROP, %s)", name);
		}
		if (!taken)
			becomes("--cap-drop", typed, "%s",
				asked.privileged ? leaves_all
				: set & c->privileges.capabilities
					? "nothing: --cap-add counts after it"
					: "nothing: no container has it by default");
	}
}

void explain_user(const struct container *c)
{
	const struct privileges *p = &c->privileges;
	if (!asked.user)
		return;
	becomes("--user", asked.user, "setresgid(%u, %u, %u)", p->group, p->group, p->group);
	becomes("", "", "setresuid(%u, %u, %u)", p->user, p->user, p->user);
}

void explain_cap_add(const struct container *c)
{
	for (int i = 0; i < asked.cap_add.count; i++) {
		uint64_t set = 0;
		capability_parse(asked.cap_add.value[i], &set);
		if (asked.privileged || set == UINT64_MAX) {
			becomes("--cap-add", asked.cap_add.value[i], "%s",
				asked.privileged ? leaves_all
				: ~c->privileges.capabilities
					? "nothing: only those that --cap-drop names are dropped"
					: "nothing: no capability is dropped");
			continue;
		}
		for (int cap = 0; cap <= CAP_LAST_CAP; cap++) {
			autofree char *name = set & 1ULL << cap ? capability_name(cap) : NULL;
			if (name)
				becomes("--cap-add", asked.cap_add.value[i],
					c->privileges.user
						? "nothing: a user other than root has none, %s or not"
						: "capset(...1<<%s...)",
					name);
		}
	}
}

void explain_env(const struct container *c)
{
	(void)c;
	for (int i = 0; i < asked.env.count; i++) {
		const char *one = asked.env.value[i], *value = getenv(one);
		if (strchr(one, '='))
			becomes("--env", one, "execve(...\"%s\"...)", one);
		else if (value)
			becomes("--env", one, "execve(...\"%s=%s\"...)", one, value);
		else
			becomes("--env", one, "nothing: it is not set here");
	}
}

/* What was typed for an option with one value, allocated; NULL: nothing. */
static char *typed(const struct lab_option *o)
{
	const char *word = typed_for(o->name);
	bool is_number = o->type <= LAB_DECIMAL;
	if (!word)
		return NULL;
	return is_number ? text("%lld", *(long long *)o->value) : text("%s", word);
}

/* "0", "0.00", "0m" */
static bool is_zero(const char *typed)
{
	return strspn(typed, "0.") >= strcspn(typed, "bkmgBKMG");
}

/* An option that is a file of the group, or two. */
static void explain_limit(const struct lab_option *o, const struct container *c)
{
	int files = 0;
	autofree char *dashed = text("--%s", o->name), *is = typed(o);
	for (int i = 0; i < LIMITS && is; i++) {
		autofree char *value = strcmp(container_limits[i].option, o->name)
					       ? NULL
					       : container_limits[i].value(c);
		bool newer = value && container_limits[i].newer;
		autofree char *other = newer ? container_limits[i].newer(c) : text("%s", "");
		if (value)
			becomes(dashed, is, "%s <- %s%s%s%s", container_limits[i].file, value,
				newer ? " (newer runtimes: " : "", other, newer ? ")" : "");
		files += value != NULL;
	}
	if (is && !files)
		becomes(dashed, is,
			is_zero(is)                     ? "nothing: 0 is as without it"
			: strcmp(o->name, "cpu-period") ? "nothing: no limit"
							: "the second number of cpu.max");
}

static bool is_limit(const char *option)
{
	for (int i = 0; i < LIMITS; i++)
		if (!strcmp(container_limits[i].option, option))
			return true;
	return false;
}

void explain_container(const struct container *c, const struct row *row)
{
	for (; row->option.name; row++)
		if (row->explain)
			row->explain(c);
		else if (is_limit(row->option.name))
			explain_limit(&row->option, c);
	if (c->command)
		becomes("--", c->command[0], "execve(...\"%s\"...)", c->command[0]);
}
