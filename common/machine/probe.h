/*
 * probe.h: can this machine do what a lab needs? Tried out, not guessed: each
 * needed thing is done for real in a throw-away child, in namespaces of its own
 * and in a group below ours. --can-run, parts, doctor and the tests' skips all
 * stand on this one probe.
 */
#pragma once

#include "machine/machine.h"
#include "story/lab.h"

/* Each is one line without ';', so that "WHAT; REMEDY; undo: UNDO" can be taken apart. */
struct probe_missing {
	char what[256];   /* what is missing, and the kernel's answer where it was asked */
	char remedy[512]; /* what to do about it: a command to paste where there is one */
	char undo[256];   /* how to take that back; "" when there is nothing to take back */
};

/*
 * Tries out all of needs on this machine. Fills at most max entries of missing
 * and returns how many things are missing, which may be more than max; 0 when
 * the lab can run; -1 with errno when a trial could not begin, for want of a
 * descriptor or a process, or a file that tells what this machine is could not
 * be read. It may be called by many processes at once, leaves nothing
 * behind, and ends within PROBE_SECONDS for each thing that it tries. A group
 * that is not ours is not touched, nor is a process other than its own moved.
 * The caller must not reap children that it did not make meanwhile.
 */
int probe_needs(const struct lab_needs *needs, struct probe_missing *missing, int max);

#define PROBE_SECONDS 10

/* ---- The rules: from what failed to what to do; they touch nothing -------- */

enum probe_need {
	PROBE_ROOT,       /* CAP_SYS_ADMIN in the first user namespace */
	PROBE_USER_NS,    /* unshare(CLONE_NEWUSER) */
	PROBE_MAP,        /* writing setgroups, uid_map and gid_map */
	PROBE_LIMITS,     /* the limits of a user namespace, in /proc/sys/user */
	PROBE_NAMESPACE,  /* unshare(2) of the namespace arg: "mnt" "pid" "net" ... */
	PROBE_TMPFS,      /* a tmpfs in a mount namespace of our own */
	PROBE_PROC,       /* a fresh proc in namespaces of our own */
	PROBE_OVERLAY,    /* an overlay on that tmpfs */
	PROBE_CONTROLLER, /* the cgroup v2 controller arg: "memory" */
	PROBE_MODULE,     /* the kernel module arg: "veth" */
	PROBE_KERNEL,     /* Linux arg or later: "5.6" */
	PROBE_CPUS,       /* arg CPUs: "2" */
	PROBE_MEMORY,     /* arg bytes of memory */
	PROBE_SWAP,
	PROBE_BLOCK, /* a scratch block device */
};

/*
 * Fills out for a need that failed with errno err (0: nothing was tried, the
 * machine's facts were enough to tell) on the machine m. ETIMEDOUT stands for
 * a trial that did not come to an end, ECHILD for one that was killed.
 */
void probe_rule(enum probe_need need, const char *arg, int err, const struct machine *m,
	struct probe_missing *out);

/* The file that shows that a controller is in a group: "memory.max". NULL when unknown. */
const char *probe_controller_file(const char *controller);
