/*
 * cg.h: cgroup v2 by its files, for the labs after 07, which does it by hand.
 * A group is named by the full path of its folder. The files' names, units and
 * formats are those of the kernel's Documentation/admin-guide/cgroup-v2.rst.
 * Each function succeeds or stops the lab as broken, unless it says otherwise.
 */
#pragma once

#include <stdbool.h>

#include "kernel/spawn.h"

/* Writes value to a file of the group; the story shows it, as it does with the two that follow. */
#define cg_write(group, file, value) cg_write_at(__FILE__, __LINE__, group, file, value)

/* Writes "+memory +pids" for controllers "memory pids" to cgroup.subtree_control. */
#define cg_enable(group, controllers) cg_enable_at(__FILE__, __LINE__, group, controllers)

/*
 * Writes to cgroup.kill, which Linux 5.14 brought, then waits until nothing is in it. An older
 * kernel's way is to freeze the group, so that nothing is born in it, to kill each process, and to
 * thaw it.
 */
#define cg_kill(group) cg_kill_at(__FILE__, __LINE__, group)

void cg_write_at(const char *at, int line, const char *group, const char *file, const char *value);
void cg_enable_at(const char *at, int line, const char *group, const char *controllers);
void cg_kill_at(const char *at, int line, const char *group);

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

void cg_destroy(
	const char *group); /* kills what is in it; rmdir(2) of it and of all groups below */

/* As cg_kill(), by system calls only; the story does not show it, and it does not wait. */
void cg_kill_all(const char *group);

/* ---- For the library ---- */

void cg_remove(const char *group); /* as well as it can be done, by system calls only */

/* "+memory +pids" of "memory pids", allocated. */
char *cg_signed(const char *controllers, char sign);

/* Moves its processes up again, after switch_off has been written to the upper subtree_control. */
void cg_leave_leaf(const char *path, const char *switch_off);
