/*
 * Exercise 09: exercise GROUP PERCENT COMMAND [ARG...]
 *
 * Make GROUP, which gets at most PERCENT of one processor in each tenth of a second,
 * and run COMMAND in it. cgroup-v2.rst, "CPU Interface Files"
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
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
		errx(2, "expected GROUP PERCENT COMMAND [ARG...]");
	const char *group = argv[1];
	int percent = atoi(argv[2]);
	char line[64] = "";

	if (mkdir(group, 0755))
		err(1, "mkdir %s", group);
	/* hole: write the quota and the period in microseconds, then join GROUP */
	snprintf(line, sizeof line, "%d 100000", percent * 1000);
	write_file(group, "cpu.max", line);
	write_file(group, "cgroup.procs", "0");
	/* end */

	execvp(argv[3], argv + 3);
	err(127, "%s", argv[3]);
}
