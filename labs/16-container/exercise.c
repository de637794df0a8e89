/*
 * Exercise 16: exercise COMMAND [ARG...]
 *
 * Run COMMAND in a container whose process 1 is an init of yours, as docker run
 * --init does it. COMMAND is its child. What signal it is sent, it passes on to
 * COMMAND. Whatever ends in there it waits for, the children too that others have
 * left behind. With COMMAND it ends, and with COMMAND's status, which is 128 + N
 * after a signal N. pid_namespaces(7), sigwaitinfo(2), waitpid(2)
 */
#define _GNU_SOURCE
#include <err.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* Process 1. Returns the status that it is to end with. */
static int init(char **command)
{
	sigset_t all;
	int result = 125;

	sigfillset(&all);
	/* YOUR TURN: COMMAND, a child whose signals are not blocked; no signal to us may be lost */

	/* YOUR TURN: until COMMAND has ended: pass on what comes, and wait for each that ends */
	return result;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		errx(2, "expected COMMAND [ARG...]");

	if (unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET))
		err(125, "unshare");
	pid_t first = fork();
	if (first < 0)
		err(125, "fork");
	if (first == 0) {
		if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
			err(125, "mount /");
		if (mount("proc", "/proc", "proc", 0, NULL))
			err(125, "mount /proc");
		return init(argv + 1);
	}

	/* Outside, as Docker's shim does: it waits for process 1 and has its status. */
	int status;
	waitpid(first, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
