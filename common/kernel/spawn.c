/*
 * spawn.c: a child that is born in its group. The only flag is
 * CLONE_INTO_CGROUP; clone(2), "The clone3() system call".
 */
#define _GNU_SOURCE
#include "kernel/spawn.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/child.h"
#include "kernel/sys.h"

pid_t cg_spawn(const char *group)
{
	autoclose int fd = open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)fd,
	};
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
	if (pid == 0)
		child_born();
	return pid;
}
