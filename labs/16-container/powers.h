/*
 * powers.h: what a container's process may do, given up in the order in which a
 * runtime does it: the bounding set while CAP_SETPCAP is there, then the user,
 * the own sets, no_new_privs, and the filter last, because it would forbid the
 * rest. Lab 15; capabilities(7), seccomp(2), prctl(2)
 */
#pragma once

#include <ctype.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <strings.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "16-container/filter.h"
#include "file.h"
#include "lab.h"
#include "sys.h"

#define CAP(name) (1ULL << CAP_##name)

/* What Docker and Podman's predecessors leave to root: enough to install packages, and not more. */
static const uint64_t default_capabilities =
	CAP(CHOWN) | CAP(DAC_OVERRIDE) | CAP(FOWNER) | CAP(FSETID) | CAP(KILL) | CAP(SETGID) |
	CAP(SETUID) | CAP(SETPCAP) | CAP(NET_BIND_SERVICE) | CAP(NET_RAW) | CAP(SYS_CHROOT) |
	CAP(MKNOD) | CAP(AUDIT_WRITE) | CAP(SETFCAP);

struct powers {
	uid_t user;
	gid_t group;
	uint64_t capabilities; /* of root; whoever else it is has none, but may not gain others */
	bool new_privs;        /* leave no_new_privs alone: allowPrivilegeEscalation */
	bool unconfined;       /* no filter */
};

/* "NET_ADMIN", "cap_net_admin", "ALL": a set; false when there is no such capability. */
static inline bool capability_parse(const char *name, uint64_t *set)
{
	cap_value_t value;
	autofree char *whole = text("%s%s", strncasecmp(name, "cap_", 4) ? "cap_" : "", name);
	if (!strcasecmp(name, "all")) {
		*set = UINT64_MAX;
		return true;
	}
	if (cap_from_name(whole, &value))
		return false;
	*set = 1ULL << value;
	return true;
}

static inline int seccomp(unsigned int operation, unsigned int flags, void *args)
{
	return (int)syscall(SYS_seccomp, operation, flags, args);
}

/* "CAP_CHOWN"; allocated. */
static inline char *capability_name(int capability)
{
	char *name = cap_to_name(capability), *upper = text("%s", name ? name : "?");
	cap_free(name);
	for (char *c = upper; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return upper;
}

static inline void filter_load(const struct powers *p)
{
	const struct sock_filter *code = filter_default;
	unsigned short size = sizeof filter_default / sizeof *filter_default;
	if (p->capabilities & ~default_capabilities) { /* their calls must get through */
		code = filter_with_capabilities;
		size = sizeof filter_with_capabilities / sizeof *filter_with_capabilities;
	}
	struct sock_fprog filter = {size, (struct sock_filter *)(uintptr_t)code};
	SYS(seccomp(SECCOMP_SET_MODE_FILTER, 0, &filter));
}

static inline void powers_drop(const struct powers *p)
{
	struct __user_cap_header_struct version = {.version = _LINUX_CAPABILITY_VERSION_3};

	if (!p->unconfined && p->new_privs)
		filter_load(p); /* while we may: without no_new_privs it takes CAP_SYS_ADMIN */
	for (int cap = 0; cap < 64; cap++)
		if (!(p->capabilities & 1ULL << cap) && prctl(PR_CAPBSET_DROP, cap))
			break; /* EINVAL: the kernel has no more */

	prctl(PR_SET_KEEPCAPS, 0);
	if (setgroups(0, NULL) && errno != EPERM) /* EPERM: denied in a user namespace, lab 05 */
		die("setgroups");
	MUST(setresgid(p->group, p->group, p->group));
	MUST(setresuid(p->user, p->user, p->user));
	/* Until it has become COMMAND it is the host's program: nobody inside may look into it.
	 * CVE-2016-9962 */
	MUST(prctl(PR_SET_DUMPABLE, 0));
	struct __user_cap_data_struct sets[2];
	MUST(capget(&version, sets)); /* root itself may lack some */
	for (int i = 0; i < 2; i++) {
		sets[i].permitted &= p->user ? 0 : (uint32_t)(p->capabilities >> 32 * i);
		sets[i].effective = sets[i].permitted;
		sets[i].inheritable = 0;
	}
	MUST(capset(&version, sets));

	if (!p->new_privs)
		MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	if (!p->unconfined && !p->new_privs)
		filter_load(p);
}
