/* The logs of a VM in its run folder: console.log, the guest's console, and qemu.log. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "end.h"
#include "logs.h"
#include "run_folder.h"

#define TAIL_LINES 12

static void print_tail(const char *name)
{
	char path[128], text[2400];
	int fd, lines = 0;

	snprintf(path, sizeof(path), "%s/%s", run_folder_path(), name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	off_t size = lseek(fd, 0, SEEK_END);
	ssize_t n = pread(fd, text, sizeof(text) - 1,
		size > (off_t)sizeof(text) ? size - (off_t)sizeof(text) + 1 : 0);

	close(fd);
	if (n <= 0)
		return;
	text[n] = '\0';
	char *from = text + n;

	while (from > text && lines <= TAIL_LINES)
		lines += *--from == '\n';
	if (*from == '\n')
		from++;
	fprintf(stderr, "vm: the end of %s%s:\n%s%s", size < LOGS_MAX ? "" : "the first MiB of ",
		name, from, text[n - 1] == '\n' ? "" : "\n");
}

_Noreturn void logs_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	end_say(format, args);
	va_end(args);
	print_tail("qemu.log");
	print_tail("console.log");
	end_with(STATUS_VM);
}
