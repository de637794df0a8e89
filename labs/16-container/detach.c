/*
 * detach.c: --detach. A second process waits for the container in the background, as Docker's shim
 * does. The first one ends when COMMAND runs, after it has printed the container's id.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "container.h"
#include "kernel/file.h"
#include "kernel/sys.h"

static int foreground = -1; /* where its process listens */

/* Returns in the second process. The first one is started by hand or by scripts/run/supervise.c,
 * which knows the second one by its name and its program, and lets it live. */
void detach(void)
{
	int said[2], status;
	char id[sizeof((struct container *)0)->id] = "";
	fflush(stdout);
	MUST(pipe2(said, O_CLOEXEC));
	pid_t child = MUST(fork());
	if (child == 0) {
		close(said[0]);
		foreground = said[1];
		setsid();
		prctl(PR_SET_NAME, "lab16-detached");
		return;
	}
	close(said[1]);
	ssize_t n = read(said[0], id, sizeof id - 1);
	if (n == sizeof id - 1)
		_exit(puts(id) < 0 || fflush(stdout) ? 125 : 0);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* Whether the process has called exec(): the ninth field of its stat; PF_FORKNOEXEC in
 * linux/sched.h */
static bool has_executed(pid_t pid)
{
	enum { FORKED_ONLY = 0x40 };
	unsigned flags = FORKED_ONLY;
	autofree char *path = text("/proc/%d/stat", pid), *stat = file_try_read(path);
	const char *name_end = stat ? strrchr(stat, ')') : NULL;
	if (name_end)
		sscanf(name_end + 1, " %*c %*d %*d %*d %*d %*d %u", &flags);
	return !(flags & FORKED_ONLY);
}

bool is_detached(void)
{
	return foreground >= 0;
}

void detach_report(const struct container *c)
{
	siginfo_t info = {0};
	if (!has_executed(c->pid)) {
		/* It has ended, but stays a zombie until lab_exit_as() has its status. */
		waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOWAIT);
		dprintf(STDERR_FILENO, "16-container: %s: %s\n", c->command[0],
			info.si_status == 127   ? "there is no such program in the image"
			: info.si_status == 126 ? "it cannot be executed"
						: "it was not started");
		return;
	}
	int nowhere = MUST(open("/dev/null", O_RDWR | O_CLOEXEC));
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		MUST(dup2(nowhere, fd));
	close(nowhere);
	if (write(foreground, c->id, sizeof c->id - 1) < 0)
		dprintf(STDERR_FILENO, "nobody waits for the id\n");
	close(foreground);
	foreground = -1;
}
