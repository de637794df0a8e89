/*
 * rules.h: from what failed to what to do about it. Nothing is tried out or touched here.
 */
#pragma once

#include "machine/machine.h"

/* Each is one line without ';', so that "WHAT; REMEDY; undo: UNDO" can be taken apart. */
struct probe_missing {
	char what[256];   /* what is missing, and the kernel's answer where it was asked */
	char remedy[512]; /* what to do about it: a command to paste where there is one */
	char undo[256];   /* how to take that back; "" when there is nothing to take back */
};

#define PROBE_SECONDS 10 /* for each thing that is tried */

enum probe_need {
	PROBE_ROOT,       /* CAP_SYS_ADMIN in the first user namespace */
	PROBE_USER_NS,    /* unshare(CLONE_NEWUSER) */
	PROBE_MAP,        /* writing setgroups, uid_map and gid_map */
	PROBE_LIMITS,     /* the limits of a user namespace, in /proc/sys/user */
	PROBE_NAMESPACE,  /* unshare(2) of the namespace arg: "mnt" "pid" "net" ... */
	PROBE_HOSTNAME,   /* one for a UTS namespace of our own */
	PROBE_TMPFS,      /* a tmpfs in a mount namespace of our own */
	PROBE_PROC,       /* a fresh proc in namespaces of our own */
	PROBE_OVERLAY,    /* an overlay on that tmpfs */
	PROBE_CONTROLLER, /* the cgroup v2 controller arg: "memory" */
	PROBE_MODULE,     /* the kernel module arg: "veth" */
	PROBE_KERNEL,     /* Linux arg or later: "5.6" */
	PROBE_CPUS,       /* arg CPUs: "2" */
	PROBE_MEMORY,     /* arg bytes of memory */
	PROBE_SWAP,
	PROBE_UPTIME, /* arg seconds more since the boot: "12" */
	PROBE_BLOCK,  /* a scratch block device */
};

/*
 * Fills out for a need that failed with errno err (0: nothing was tried, the
 * machine's facts were enough to tell) on the machine m. ETIMEDOUT stands for
 * a trial that did not come to an end, ECHILD for one that was killed.
 */
void rules_explain(enum probe_need need, const char *arg, int err, const struct machine *m,
	struct probe_missing *out);

/* The file that shows that a controller is in a group: "memory.max". NULL when unknown. */
const char *rules_controller_file(const char *controller);
