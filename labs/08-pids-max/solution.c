/*
 * Exercise 08: exercise GROUP MAX COMMAND [ARG...]
 *
 * Make GROUP, allow it at most MAX tasks, and run COMMAND in it. COMMAND and its
 * children may use all of the MAX. cgroup-v2.rst, "PID"
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Writes text in one write(2), as the kernel's files need it. */
static void write_file(const char *folder, const char *file, const char *text)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", folder, file);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", path);
	if (write(fd, text, strlen(text)) < 0)
		err(1, "%s <- %s", path, text);
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc < 4)
		errx(2, "expected GROUP MAX COMMAND [ARG...]");
	const char *group = argv[1], *max = argv[2];

	/* hole: make GROUP, write its limit, then join it */
	if (mkdir(group, 0755))
		err(1, "mkdir %s", group);
	write_file(group, "pids.max", max);
	write_file(group, "cgroup.procs", "0");
	/* end */

	execvp(argv[3], argv + 3);
	err(127, "%s", argv[3]);
}
