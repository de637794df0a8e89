/*
 * child.c: children, and how each knows that the lab is still there.
 */
#define _GNU_SOURCE
#include "kernel/child.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/wait.h>

#include "kernel/proc.h"
#include "kernel/sys.h"
#include "kernel/undo.h"

enum { SLICE_MS = 200, PATIENCE_MS = 25000 };

int child_wait_command(pid_t pid)
{
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid(%d)", pid);
	undo_forget(pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool child_ended(pid_t pid, int ms)
{
	autoclose int fd = proc_pidfd(pid);
	struct pollfd end = {.fd = fd, .events = POLLIN};
	int ready;
	while ((ready = poll(&end, 1, ms)) < 0)
		if (errno != EINTR)
			die("poll the pidfd of %d", pid);
	return ready > 0;
}

int child_wait(pid_t pid)
{
	if (pid <= 0) /* a fork() that failed: to wait for any child could be for ever */
		die("no child to wait for");
	siginfo_t unused;
	if (waitid(P_PID, (id_t)pid, &unused, WEXITED | WNOHANG | WNOWAIT))
		die("waitid(%d)", pid);
	/*
	 * In slices, so that a lab that is stopped for long, with its children, is not late;
	 * nor is one of whose children --step has made a wait.
	 */
	for (int waited = 0; !child_ended(pid, SLICE_MS);
		waited += sys_shared->held ? 0 : SLICE_MS) {
		errno = 0;
		if (waited >= PATIENCE_MS)
			die("process %d was to end, and has not after %d s", pid,
				PATIENCE_MS / 1000);
	}
	int status = child_wait_command(pid);
	undo_if_over();
	return status;
}

int child_done(pid_t pid)
{
	int status = child_wait(pid);
	errno = 0;
	if (status > 128)
		die("process %d was to end by itself, and was killed by signal %d", pid,
			status - 128);
	return status;
}

/*
 * Nothing is ever written to it, and no child keeps the end for writing: its
 * hang-up is the end of the lab's first process, however that came.
 */
static int lab_alive[2] = {-1, -1};
static bool first = true;

void child_born(void)
{
	if (lab_alive[1] >= 0)
		close(lab_alive[1]);
	lab_alive[1] = -1; /* the number will be another file's, in us and in our children */
	first = false;
}

void child_init(void)
{
	if (pipe2(lab_alive, O_CLOEXEC))
		die("pipe2");
	pthread_atfork(NULL, NULL, child_born);
}

int child_lab_alive(void)
{
	return lab_alive[0];
}

bool child_is_lab(void)
{
	return first;
}

void child_idle(void)
{
	struct pollfd lab_gone = {.fd = lab_alive[0]};
	while (poll(&lab_gone, 1, -1) < 0)
		;
	_exit(0);
}
