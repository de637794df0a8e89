/*
 * The watcher: a process that cleans up when the client is killed with SIGKILL.
 *
 * It reads from a pipe that only the client can write to. The pipe ends when the client does,
 * however that happens. The watcher then gives the terminal back and removes the folders. It need
 * not end QEMU, because the kernel does (PR_SET_PDEATHSIG).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "end.h"
#include "signals.h"
#include "terminal.h"
#include "watcher.h"

static pid_t watcher;
static int pipe_end = -1;

static _Noreturn void watch(int pipe)
{
	sigset_t all;

	setsid();
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	/* If the caller waits for the end of a pipe, our copy of it must not keep it open. A
	 * terminal on fd 0 is needed to set its modes. */
	for (int fd = isatty(0); fd < 3; fd++)
		close(fd);
	while (terminal_learn(pipe))
		;
	end_clean_up();
	_exit(0);
}

static void stop(void)
{
	close(pipe_end);
	waitpid(watcher, NULL, 0);
}

void watcher_start(void)
{
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) != 0)
		die(STATUS_VM, "pipe: %m");
	watcher = fork();
	if (watcher < 0)
		die(STATUS_VM, "fork: %m");
	if (watcher == 0) {
		close(pair[1]);
		watch(pair[0]);
	}
	close(pair[0]);
	pipe_end = pair[1];
	terminal_report_to(pipe_end);
	end_also(stop);
}

void watcher_leave(void)
{
	signals_restore();
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(pipe_end);
}
