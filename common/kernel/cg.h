/*
 * cg.h: cgroup v2 by its files, for the labs after 07, which does it by hand.
 * A group is named by the full path of its folder. The files' names, units and
 * formats are those of the kernel's Documentation/admin-guide/cgroup-v2.rst.
 * Each function succeeds or stops the lab as broken, unless it says otherwise.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/*
 * Makes the group NAME inside this run's own group labNN-PID, in which the
 * controllers of the lab's needs are enabled, and those of its parts' that are
 * to be had here; both are removed at the end,
 * with whatever runs in them. NULL: the run's own group, for processes of a run
 * that makes no other. Allocated.
 */
char *cg_create(const char *name);

/* Writes "+memory +pids" for controllers "memory pids" to cgroup.subtree_control. */
void cg_enable(const char *group, const char *controllers);

/*
 * fork(2) whose child begins its life in group: clone3(2) with
 * CLONE_INTO_CGROUP and no other flag. -1 with errno when the kernel refuses.
 */
pid_t cg_spawn(const char *group);

void cg_write(const char *group, const char *file, const char *value);
char *cg_read(const char *group, const char *file);          /* allocated */
long long cg_read_long(const char *group, const char *file); /* "max" is LLONG_MAX */

/* The value beside key in a flat-keyed file: cg_read_key(g, "memory.events", "oom_kill") */
long long cg_read_key(const char *group, const char *file, const char *key);

/* The file is there: not every kernel has each one. */
bool cg_has(const char *group, const char *file);

/*
 * Waits by poll(2) until key of an events file is value, or is past it (0 waits
 * for 0); false when it is not after ms milliseconds.
 */
bool cg_wait_key(const char *group, const char *file, const char *key, long long value, int ms);

void cg_kill(const char *group);    /* cgroup.kill, then waits until nothing is in it */
void cg_destroy(const char *group); /* cg_kill() and rmdir(2), it and all groups below */

/*
 * Removes the groups of runs that are over, in our group, as file_sweep() does the
 * folders; their mark is an extended attribute. Our group goes into the
 * environment, as LAB_GROUP, for lab_home() of a hands-on run.
 */
struct ended;
void cg_sweep(const struct ended *run);

/*
 * Holds the one lock of this machine for measuring time, until the descriptor
 * that it returns is closed: flock(2) on a folder that every user can open.
 */
int cpu_lock(void);
