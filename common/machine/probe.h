/*
 * probe.h: can this machine do what a lab needs? Tried out, not guessed: each
 * needed thing is done for real in a throw-away child, in namespaces of its own
 * and in a group below ours. --can-run, parts, doctor and the tests' skips all
 * stand on this one probe.
 */
#pragma once

#include <stdbool.h>

#include "machine/rules.h"

/* What the kernel and the machine must offer; an empty field asks for nothing. */
struct probe_needs {
	bool root;       /* real root: CAP_SYS_ADMIN in the first user namespace */
	bool namespaces; /* root, or else a user namespace of one's own, user_namespaces(7) */
	bool ordinary;   /* the namespaces, made by an ordinary user, which root becomes for it */
	bool proc_mount; /* a fresh proc(5) may be mounted in namespaces of one's own */
	bool limits;     /* a user namespace, root's too, with limits to write: namespaces(7) */
	bool hostname;   /* the hostname of a UTS namespace of one's own may be set */
	bool time;       /* a time namespace among the namespaces, time_namespaces(7) */
	bool overlay;    /* an overlay of folders on a tmpfs of one's own, mounted in there */
	bool swap;       /* swap is on */
	bool block;      /* a scratch block device */
	const char *controllers; /* cgroup v2 controllers in a group that is ours: "memory pids" */
	const char *modules;     /* kernel modules, loaded or built in: "veth bridge" */
	const char *kernel;      /* the oldest kernel: "5.6" */
	int cpus;                /* CPUs that this process may run on */
	bool fewer_cpus;         /* with one it runs, too: checks that want more are skipped */
	long long memory;        /* bytes of MemAvailable */
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
int probe_needs(const struct probe_needs *needs, struct probe_missing *missing, int max);

/*
 * Prints to fd a line for each thing that is missing here; their number, or -1 as
 * probe_needs().
 */
int probe_print(const struct probe_needs *needs, int fd);
