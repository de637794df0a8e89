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
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "16-container/filter.h"
#include "kernel/file.h"
#include "kernel/sys.h"
#include "story/lab.h"

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

/*
 * The filter with a few lines before it: a call that is newer than the list is not there, and one
 * that a capability guards gets through where that is kept. A jump counts from the line behind it.
 */
static inline void filter_load(const struct powers *p)
{
	enum {
		DEFAULT = sizeof filter_default / sizeof *filter_default,
		GUARDED = sizeof filter_guarded / sizeof *filter_guarded
	};
	struct sock_filter code[6 + 2 * GUARDED + DEFAULT], *next = code;
	unsigned char skip = 0;
	*next++ = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	struct sock_filter *other_machine = next++; /* whose numbers are others: to the filter */
	*next++ = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	*next++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, filter_newest, 0, 1);
	*next++ = (struct sock_filter)BPF_STMT(
		BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (ENOSYS & SECCOMP_RET_DATA));
	for (int i = 0; i < GUARDED; i++) {
		if (!(p->capabilities & 1ULL << filter_guarded[i].capability))
			continue;
		*next++ = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, filter_guarded[i].call, 0, 1);
		*next++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	skip = (unsigned char)(next - other_machine - 1);
	*other_machine =
		(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, filter_machine, 0, skip);
	memcpy(next, filter_default, sizeof filter_default);
	next += DEFAULT;
	struct sock_fprog filter = {(unsigned short)(next - code), code};
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
