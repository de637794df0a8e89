/*
 * init.c: --init, a PID 1 that forwards signals to COMMAND and reaps every child, as tini and
 * catatonit do. It is this same program, bind-mounted into the container at init_path.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/wait.h>

#include "container.h"
#include "kernel/file.h"
#include "kernel/sys.h"

/* Where our program is in a container with --init, and can only be read: by /proc/1/exe
 * a container's root would else reach the host's file. CVE-2019-5736 */
const char init_path[] = "/dev/init";

/* PID 1 that forwards what it is told and reaps whatever ends, as tini and catatonit do: this
 * program once more. */
_Noreturn void init_main(char **words)
{
	sigset_t all;
	int status;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	pid_t command = MUST(fork());
	if (command == 0) {
		sigprocmask(SIG_UNBLOCK, &all, NULL);
		lab_exec(words);
	}
	for (;;) {
		int got = sigwaitinfo(&all, NULL); /* -1, EINTR: it was stopped, and goes on */
		if (got > 0 && got != SIGCHLD)
			kill(command, got);
		for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
			if (pid == command)
				_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status)
							  : WEXITSTATUS(status));
	}
}

/* init_path -- COMMAND; allocated. */
char **init_command(char **command)
{
	int words = 0;
	while (command[words])
		words++;
	char **longer = calloc((size_t)words + 3, sizeof *longer);
	if (!longer)
		die("out of memory");
	longer[0] = text("%s", init_path);
	longer[1] = text("--");
	for (int i = 0; i < words; i++)
		longer[i + 2] = command[i];
	return longer;
}
