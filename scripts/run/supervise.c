/*
 * supervise PROGRAM [ARG...]: runs one lab and ends with its status. What the
 * lab left behind, because it was killed or is wrong, is gone before that:
 * processes, groups, folders. scripts/lab starts every lab through it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/file.h"
#include "kernel/sys.h"
#include "story/group.h"
#include "story/tmp.h"

static void sweep(const struct ended *run)
{
	group_sweep(run);
	tmp_sweep(run);
}

/* Who waits for a container with --detach outlives its lab: 16. It has a name that says so. A name
 * proves nothing, so it must also be the lab's own program, by its inode. */
static bool is_detached(const char *pid, const struct stat *program)
{
	struct stat theirs;
	autofree char *path = text("/proc/%s/comm", pid), *exe = text("/proc/%s/exe", pid);
	autofree char *name = file_try_read(path);
	const char *end = name ? strstr(name, "-detached") : NULL;
	return end && !end[strlen("-detached")] && !strncmp(name, "lab", 3) &&
	       !stat(exe, &theirs) && theirs.st_dev == program->st_dev &&
	       theirs.st_ino == program->st_ino;
}

/* All our children, which after the lab's end are its orphans; prctl(2), subreaper. */
static void kill_children(const struct stat *program)
{
	for (;;) {
		autofree char *path = text("/proc/self/task/%d/children", getpid());
		autofree char *list = file_try_read(path);
		bool killed = false;
		for (char *pid = strtok(list ? list : (char[]){""}, " "); pid;
			pid = strtok(NULL, " "))
			killed |= !is_detached(pid, program) && !kill(atoi(pid), SIGKILL);
		/* Each that ends hands its own children to us: until there is none. */
		pid_t ended = waitpid(-1, NULL, killed ? 0 : WNOHANG);
		if (ended == 0 || (ended < 0 && errno != EINTR))
			return;
	}
}

/* Where memory is scarce the kernel is to kill the lab and not its runner, which could sweep no
 * more. To ask for less than it has needs CAP_SYS_RESOURCE. proc_pid_oom_score_adj(5) */
static const char oom_score_adj[] = "/proc/self/oom_score_adj";

static _Noreturn void become(
	pid_t runner, const char *score, char *command[], const sigset_t *signals)
{
	/* Killed ourselves, we can sweep no more; the lab can still undo. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != runner)
		_exit(130);
	file_try_write(oom_score_adj, score);
	sigprocmask(SIG_UNBLOCK, signals, NULL);
	execvp(command[0], command);
	fprintf(stderr, "supervise: %s: %s%s\n", command[0], strerror(errno),
		errno == ENOEXEC ? "; the file is damaged: type make all" : "");
	_exit(3);
}

int main(int argc, char *argv[])
{
	sigset_t signals;
	signal(SIGCHLD,
		SIG_DFL); /* whoever started us may ignore it: then no child would be waited for */
	if (argc < 2) {
		fputs("supervise: expected a PROGRAM\n", stderr);
		return 2;
	}
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGQUIT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	struct ended run = {0};
	struct stat program = {0}; /* none, when it is found by PATH */
	stat(argv[1], &program);
	sweep(&run);
	clock_gettime(CLOCK_REALTIME_COARSE, &run.since);

	autofree char *score = file_try_read(oom_score_adj);
	file_try_write(oom_score_adj, "-999");
	pid_t self = getpid(), lab = fork();
	if (lab < 0) {
		perror("supervise: fork");
		return 3;
	}
	if (lab == 0)
		become(self, score ? score : "0", argv + 1, &signals);

	int status = 0;
	bool ended = false;
	while (!ended) {
		siginfo_t info;
		int signal = sigwaitinfo(&signals, &info), one;
		/* The terminal's Ctrl-C has reached the lab as well; a kill(1) of us has not. */
		if (signal > 0 && signal != SIGCHLD && info.si_code <= 0)
			kill(lab, signal);
		for (pid_t pid; !ended && (pid = waitpid(-1, &one, WNOHANG)) > 0;) {
			ended = pid == lab;
			status = one;
		}
	}
	kill_children(&program);
	run.pid = lab;
	sweep(&run);
	/* A lab has handlers for what may end it; these say that its instructions or data are
	 * wrong. */
	if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS ||
					   WTERMSIG(status) == SIGILL))
		fprintf(stderr,
			"supervise: %s ended by signal %d (%s); if the file is damaged, make builds it again\n",
			argv[1], WTERMSIG(status), strsignal(WTERMSIG(status)));
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
