/*
 * explain.h: each option beside what it becomes: "FILE <- VALUE" is a write to a
 * file of the container's group, all else a call as strace(1) shows it, in which
 * "..." stands for the rest. What stands there is what a run does: a test holds the
 * two together.
 */
#pragma once

#include <stdarg.h>

#include "limits.h"
#include "options.h"

/* A line; the call goes to a line of its own where the words are long. */
__attribute__((format(printf, 3, 4))) static inline void becomes(
	const char *option, const char *value, const char *fmt, ...)
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

static inline void explain_group(const struct container *c)
{
	struct limit limit[LIMITS];
	if (!c->grouped) {
		becomes("--cgroups", "disabled", "nothing: it stays in our group");
		return;
	}
	limits_of(c, limit);
	for (int i = 0; i < LIMITS; i++)
		if (limit[i].value)
			becomes(limit[i].option, limit[i].asked, "%s <- %s", limit[i].file,
				limit[i].value);
	becomes("", "", "clone3(...CLONE_INTO_CGROUP...)");
	if (geteuid() == 0)
		becomes("", "", "bpf(BPF_PROG_ATTACH...BPF_CGROUP_DEVICE...)");
}

static inline void explain_network(const struct container *c)
{
	becomes("--network", asked.network, "clone3(...CLONE_NEWNET...)");
	if (!c->bridge)
		return;
	if (!access(no_ipv6, F_OK))
		becomes("", "", "net/ipv6/conf/all/disable_ipv6 <- 1");
	becomes("", "", "sendmsg(...RTM_NEWLINK...\"veth\"...\"eth0\"...)");
	if (asked.ip)
		becomes("--ip", asked.ip, "sendmsg(...RTM_NEWADDR...\"%s\"...)", asked.ip);
}

static inline void explain_root(const struct container *c)
{
	const struct root *r = &c->root;
	becomes(asked.rootfs ? "--rootfs" : "", asked.rootfs ? asked.rootfs : "",
		"mount(...\"overlay\"...lowerdir=%s...)", r->image);
	if (asked.keep)
		becomes("--keep", asked.keep, "mount(...\"overlay\"...upperdir=%s/upper...)",
			r->keep);
	for (int i = 0; i < r->volume_count; i++) {
		const struct bind_mount *v = &r->volumes[i];
		becomes(i < asked.volumes.count ? "--volume" : "--init",
			i < asked.volumes.count ? asked.volumes.value[i] : "",
			"open_tree(...\"%s\"...OPEN_TREE_CLONE...)", v->source);
		if (v->read_only)
			becomes("", "", "mount_setattr(...%s, {attr_set=MOUNT_ATTR_RDONLY...)",
				v->recursive ? "AT_RECURSIVE" : "AT_EMPTY_PATH");
		becomes("", "", "openat2(...\"%s\"...RESOLVE_IN_ROOT...)", v->target);
		becomes("", "", "move_mount(...)");
	}
	for (int i = 0; i < asked.tmpfs.count; i++) {
		const char *path = asked.tmpfs.value[i], *options = strchr(path, ':');
		int length = (int)strcspn(path, ":");
		becomes("--tmpfs", path,
			"mount(\"tmpfs\", \"memory\", \"tmpfs\", MS_NOSUID|MS_NODEV|MS_NOEXEC, %s%s%s)",
			options ? "\"" : "", options ? options + 1 : "NULL", options ? "\"" : "");
		becomes("", "", "openat2(...\"%.*s\"...RESOLVE_IN_ROOT...)", length, path);
		becomes("", "", "move_mount(...)");
	}
	if (r->read_only)
		becomes("--read-only", "",
			"mount(NULL, \".\", NULL, MS_RDONLY|MS_REMOUNT|MS_BIND, NULL)");
	becomes("", "", "pivot_root(\".\", \".\")");
}

static inline void explain_powers(const struct container *c)
{
	uint64_t set;
	for (int i = 0; i < asked.cap_drop.count; i++)
		for (int cap = 0;
			capability_parse(asked.cap_drop.value[i], &set) && cap <= CAP_LAST_CAP;
			cap++)
			if (set & default_capabilities & ~c->powers.capabilities & 1ULL << cap) {
				autofree char *name = capability_name(cap);
				becomes("--cap-drop", asked.cap_drop.value[i],
					"prctl(PR_CAPBSET_DROP, %s)", name);
			}
	if (asked.user) {
		becomes("--user", asked.user, "setresgid(%u, %u, %u)", c->powers.group,
			c->powers.group, c->powers.group);
		becomes("", "", "setresuid(%u, %u, %u)", c->powers.user, c->powers.user,
			c->powers.user);
	}
	for (int i = 0; i < asked.cap_add.count; i++)
		for (int cap = 0;
			capability_parse(asked.cap_add.value[i], &set) && cap <= CAP_LAST_CAP;
			cap++)
			if (set & c->powers.capabilities & 1ULL << cap && set != UINT64_MAX) {
				autofree char *name = capability_name(cap);
				becomes("--cap-add", asked.cap_add.value[i],
					c->powers.user
						? "nothing: a user other than root has none, %s or not"
						: "capset(...1<<%s...)",
					name);
			} else if (set == UINT64_MAX && cap == CAP_LAST_CAP) {
				becomes("--cap-add", asked.cap_add.value[i], "nothing is dropped");
			}
	becomes("", "", "prctl(PR_SET_NO_NEW_PRIVS, 1...)");
	becomes("", "", "seccomp(SECCOMP_SET_MODE_FILTER...)");
}

static inline int explain(const struct container *c)
{
	explain_group(c);
	if (asked.name)
		becomes("--name", asked.name, "mount(\"lab16:%s:...\"overlay\"...)", asked.name);
	if (asked.hostname)
		becomes("--hostname", asked.hostname, "sethostname(\"%s\", %zu)", asked.hostname,
			strlen(asked.hostname));
	else
		becomes("", "", "sethostname(..., 12)");
	explain_network(c);
	explain_root(c);
	if (strcmp(c->workdir, "/")) {
		becomes("--workdir", c->workdir, "openat2(...\"%s\"...RESOLVE_IN_ROOT...)",
			c->workdir);
		becomes("", "", "fchdir(...)");
	}
	if (asked.tty)
		becomes("--tty", "", "ioctl(...TIOCSCTTY...)");
	if (asked.interactive)
		becomes("--interactive", "", "nothing: standard input is its own in any case");
	explain_powers(c);
	if (asked.init)
		becomes("", "", "rt_sigtimedwait(...)");
	for (int i = 0; i < asked.env.count; i++)
		if (strchr(asked.env.value[i], '='))
			becomes("--env", asked.env.value[i], "execve(...\"%s\"...)",
				asked.env.value[i]);
		else if (getenv(asked.env.value[i]))
			becomes("--env", asked.env.value[i], "execve(...\"%s=%s\"...)",
				asked.env.value[i], getenv(asked.env.value[i]));
		else
			becomes("--env", asked.env.value[i], "nothing: it is not set here");
	if (c->command)
		becomes("--", c->command[0], "execve(...\"%s\"...)", c->command[0]);
	return fflush(stdout) ? 3 : 0;
}
