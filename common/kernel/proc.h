/*
 * proc.h: children, gates between them, and /proc. Each function succeeds or
 * stops the lab as broken.
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
int command_wait(pid_t pid);

/*
 * Waits up to ms milliseconds for the child's end without reaping it: true
 * when it has ended. pidfd_open(2), poll(2)
 */
bool child_ended(pid_t pid, int ms);

/* For a child that only has to be there: waits until the lab's first process is gone. */
_Noreturn void child_idle(void);

/* First thing in a child that a bare clone3(2) made; fork(3) and cg_spawn() do it by themselves. */
void proc_child(void);

/*
 * A gate holds one process until another opens it; made before fork(2). Each
 * gate_wait() takes one gate_open(). Nobody waits for ever: a wait ends its
 * process when the lab is broken or gone, and the lab's own wait is bounded.
 * eventfd(2) as a semaphore
 */
struct gate {
	int fd;
};

void gate_init(struct gate *gate);
void gate_wait(struct gate *gate);
void gate_open(struct gate *gate);

/*
 * The value of a line of /proc/PID/status, "NSpid" gives "4711 1" (one space
 * where the kernel has a tab); pid 0 is the caller. Allocated. proc_pid_status(5)
 */
char *proc_status(pid_t pid, const char *key);

/* The PIDs that /proc lists, "1 2 3"; allocated. */
char *proc_pids(void);

/* A line of /proc/meminfo, "MemTotal", in bytes; proc_meminfo(5) */
long long proc_meminfo(const char *key);

/* The number in /proc/PID/ns/NAME, which tells namespaces apart; namespaces(7) */
long ns_inode(pid_t pid, const char *name);
