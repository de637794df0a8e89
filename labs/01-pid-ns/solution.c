/*
 * Exercise 01: exercise COMMAND [ARG...]
 *
 * Run COMMAND so that ps shows it nothing but its own: in a PID namespace in which
 * it is process 1, and with a /proc of that namespace. The machine's own /proc
 * stays as it is. pid_namespaces(7), mount_namespaces(7)
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

	/* hole: a PID namespace, and a mount table of its own for the new /proc */
	if (unshare(CLONE_NEWPID | CLONE_NEWNS))
		err(1, "unshare");
	/* end */

	/* Who is in the new PID namespace? Not the one who asked for it. */
	pid_t child = fork();
	if (child < 0)
		err(1, "fork");
	if (child == 0) {
		/* hole: what keeps a mount from the machine; then the /proc */
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
