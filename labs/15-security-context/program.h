/*
 * program.h: the program that a child executes, so that its /proc/PID/status can be read after
 * exec(). It is the rootfs's eat, which stays. Each function succeeds or stops the lab as broken.
 */
#pragma once

#include <sys/types.h>

/* Before anything is mounted, because a mount may cover the folder that the program is in. */
void program_open(void);

void program_copy(const char *path);

/* In a child: executes the copy at path, or the rootfs's own program where path is NULL. */
_Noreturn void program_exec(const char *path);

/* In the parent: waits until the child's exec() is over. The child is killed at the lab's end. */
void program_wait(pid_t child);
