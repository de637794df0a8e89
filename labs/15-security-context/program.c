/*
 * program.c: copies, executes and awaits the program of program.h.
 */
#define _GNU_SOURCE
#include "program.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "kernel/file.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"

static int program;
static int output[2]; /* The program writes a line when it runs: only then is exec() over. */

void program_open(void)
{
	autofree char *tree = file_rootfs(), *path = text("%s/usr/local/bin/eat", tree);
	program = MUST(open(path, O_RDONLY | O_CLOEXEC));
	MUST(pipe2(output, O_CLOEXEC));
}

void program_copy(const char *path)
{
	autoclose int copy = MUST(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700));
	MUST(lseek(program, 0, SEEK_SET));
	while (MUST(sendfile(copy, program, NULL, 1 << 20)) > 0)
		;
}

void program_exec(const char *path)
{
	char *argv[] = {"eat", "1k", "--hold", NULL}, *none[] = {NULL};
	MUST(dup2(output[1], STDOUT_FILENO));
	execveat(path ? AT_FDCWD : program, path ? path : "", argv, none, path ? 0 : AT_EMPTY_PATH);
	die("exec of %s", path ? path : "eat");
}

void program_wait(pid_t child)
{
	struct pollfd line = {.fd = output[0], .events = POLLIN};
	char letters[256];
	undo_kill(child);
	while (MUST(poll(&line, 1, 100)) == 0)
		if (child_ended(child, 0))
			die("the program has ended before it wrote a line");
	MUST(read(output[0], letters, sizeof letters));
}
