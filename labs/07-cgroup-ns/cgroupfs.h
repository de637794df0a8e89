/*
 * cgroupfs.h: reads the files of a cgroup, for the three programs of this lab. A group is named by
 * the full path of its folder.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* The content of a file of the group. Allocated. */
char *cgroupfs_read(const char *group, const char *file);

/* The number that follows key in a file of the group, -1 without key; key "" reads all of it. */
long long cgroupfs_number(const char *group, const char *file, const char *key);

/* The cgroup v2 path of a process, as our cgroup namespace shows it; 0 is the caller. Allocated. */
char *cgroupfs_path_of(pid_t pid);

/*
 * Waits until cgroup.events says event, such as "populated 0"; false after ten seconds. The kernel
 * announces each change of the file, and poll(2) waits for that: cgroups(7)
 */
bool cgroupfs_event(const char *group, const char *event);

/*
 * SIGKILL for both processes of group where the kernel has no cgroup.kill; else false, and nothing
 * is done. It freezes the group, so that nothing is born in it, kills each, and thaws it.
 */
bool cgroupfs_kill_each(const char *group, pid_t one, pid_t other);
