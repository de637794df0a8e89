/*
 * Exercise 01: exercise COMMAND [ARG...]
 *
 * Run COMMAND as process 1 of a new PID namespace, with a /proc in which ps sees
 * only the processes of that namespace. The machine's own /proc does not change. pid_namespaces(7),
 * mount_namespaces(7)
 */
#define _GNU_SOURCE
#include <err.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 2)
		errx(2, "expected COMMAND [ARG...]");

	/* hole: ask for a PID namespace, and for a mount table for the new /proc */
	if (unshare(CLONE_NEWPID | CLONE_NEWNS))
		err(1, "unshare");
	/* end */

	/* The process that asked is not in the new PID namespace, but its first child is. */
	pid_t child = fork();
	if (child < 0)
		err(1, "fork");
	if (child == 0) {
		/* hole: keep mounts from reaching the machine; then mount the new /proc */
		if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
			err(1, "mount /");
		if (mount("proc", "/proc", "proc", 0, NULL))
			err(1, "mount /proc");
		/* end */
		execvp(argv[1], argv + 1);
		err(127, "%s", argv[1]);
	}

	int status;
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
