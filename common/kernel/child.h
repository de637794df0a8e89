/*
 * child.h: children of the lab. Each function succeeds or stops the lab as broken.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/*
 * Waits for the child's end: its exit status, or 128 + signal. It is one that ends by
 * itself or was killed; after 25 s the lab is broken. pidfd_open(2), waitpid(2)
 */
int child_wait(pid_t pid);

/*
 * The same for one that was to end by itself, whose checks would be missed: the
 * lab is broken when it was killed.
 */
int child_done(pid_t pid);

/* The same for a COMMAND, which takes as long as it likes. */
int child_wait_command(pid_t pid);

/*
 * Waits up to ms milliseconds for the child's end without reaping it: true
 * when it has ended. pidfd_open(2), poll(2)
 */
bool child_ended(pid_t pid, int ms);

/* For a child that only has to be there: waits until the lab's first process is gone. */
_Noreturn void child_idle(void);

/* First thing in a child that a bare clone3(2) made; fork(3) and cg_spawn() do it by themselves. */
void child_born(void);

/* For gates. The descriptor hangs up when the lab's first process has ended; are we that one? */
int child_lab_alive(void);
bool child_is_lab(void);

void child_init(void); /* once, in the lab's first process */
