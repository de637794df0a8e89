/*
 * Exercise 17: exercise PID COMMAND [ARG...]
 *
 * Run COMMAND as one more container in the Pod whose pause is process PID. It joins the
 * three namespaces that a Pod shares. It is process 1 of its own PID namespace, with
 * its own mount table and a /proc that shows only its own processes. It changes neither
 * pause nor the machine. setns(2), pidfd_open(2), namespaces(7)
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

	/* A pidfd refers to this process and no later one with its number. setns() takes it. */
	int pidfd = (int)syscall(SYS_pidfd_open, atoi(argv[1]), 0);
	if (pidfd < 0)
		err(1, "pidfd_open %s", argv[1]);

	/* hole: join the namespaces that a Pod shares, in one call */
	if (setns(pidfd, CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS))
		err(1, "setns");
	/* end */

	pid_t child = 0; /* stays 0 in the process that becomes COMMAND */
	/* hole: make the namespaces of a container, and create its first process in them */
	if (unshare(CLONE_NEWPID | CLONE_NEWNS))
		err(1, "unshare");
	child = fork();
	if (child < 0)
		err(1, "fork");
	/* end */

	if (child == 0) {
		/* hole: keep its mounts from reaching the machine, then mount its /proc */
		if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
			err(1, "mount /");
		if (mount("proc", "/proc", "proc", 0, NULL))
			err(1, "mount /proc");
		/* end */
		execvp(argv[2], argv + 2);
		err(127, "%s", argv[2]);
	}

	int status;
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
