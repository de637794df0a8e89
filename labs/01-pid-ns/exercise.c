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

	/* YOUR TURN: a PID namespace, and a mount table of its own for the new /proc */

	/* Who is in the new PID namespace? Not the one who asked for it. */
	pid_t child = fork();
	if (child < 0)
		err(1, "fork");
	if (child == 0) {
		/* YOUR TURN: what keeps a mount from the machine; then the /proc */
		execvp(argv[1], argv + 1);
		err(127, "%s", argv[1]);
	}

	int status;
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
