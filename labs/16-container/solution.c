/*
 * Exercise 16: exercise COMMAND [ARG...]
 *
 * Run COMMAND in a container whose process 1 is your own init, as docker run --init
 * does. COMMAND is a child of process 1. Process 1 passes every signal that it
 * receives on to COMMAND, and reaps every process that ends in the container, orphans
 * included. It ends when COMMAND ends, with COMMAND's status, which is 128 + N after
 * a signal N. pid_namespaces(7), sigwaitinfo(2), waitpid(2)
 */
#define _GNU_SOURCE
#include <err.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* Process 1. Returns its exit status. */
static int init(char **command)
{
	sigset_t all;
	int result = 125;

	sigfillset(&all);
	/* hole: block all signals, so that none is lost; start COMMAND with no signal blocked */
	if (sigprocmask(SIG_BLOCK, &all, NULL))
		err(125, "sigprocmask");
	pid_t child = fork();
	if (child < 0)
		err(125, "fork");
	if (child == 0) {
		sigprocmask(SIG_UNBLOCK, &all, NULL);
		execvp(command[0], command);
		err(127, "%s", command[0]);
	}
	/* end */

	/* hole: until COMMAND has ended, pass signals on and reap every child that ends */
	pid_t ended;
	int status;
	do {
		int signal = sigwaitinfo(&all, NULL);
		if (signal > 0 && signal != SIGCHLD)
			kill(child, signal);
		do {
			ended = waitpid(-1, &status, WNOHANG);
		} while (ended > 0 && ended != child);
	} while (ended != child);
	result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	/* end */
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

	/* The process outside waits for process 1 and takes its status, as Docker's shim does. */
	int status;
	waitpid(first, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
