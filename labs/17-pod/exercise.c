/*
 * Exercise 17: exercise PID COMMAND [ARG...]
 *
 * Run COMMAND as one container more of the Pod whose pause is process PID: in the
 * three namespaces that a Pod shares, and as process 1 of a PID namespace of its own,
 * with its own mount table and a /proc that shows nothing but its own. Neither pause
 * nor the machine is changed by it. setns(2), pidfd_open(2), namespaces(7)
 */
#define _GNU_SOURCE
#include <err.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 3)
		errx(2, "expected PID COMMAND [ARG...]");

	/* It is that process, whatever its number is called elsewhere: setns() takes it. */
	int pidfd = (int)syscall(SYS_pidfd_open, atoi(argv[1]), 0);
	if (pidfd < 0)
		err(1, "pidfd_open %s", argv[1]);

	/* YOUR TURN: what a Pod shares, by one call */

	pid_t child = 0; /* 0 in the process that becomes COMMAND */
	/* YOUR TURN: what a container has of its own, and its first process */

	if (child == 0) {
		/* YOUR TURN: its mounts stay in there; then its /proc */
		execvp(argv[2], argv + 2);
		err(127, "%s", argv[2]);
	}

	int status;
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
