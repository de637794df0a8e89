/*
 * Exercise 12: exercise GROUP SOURCE RBPS TARGET WIOPS COMMAND [ARG...]
 *
 * A backup reads one disk, writes another, and has to leave both to others. Make GROUP,
 * which reads at most RBPS bytes a second from SOURCE, makes at most WIOPS writes a second
 * to TARGET, and is held in nothing else; run COMMAND in it. cgroup-v2.rst, "io.max"
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Writes text to a file, in one write(2), as the kernel's files want it. */
static void put(const char *folder, const char *file, const char *text)
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
	if (argc < 7)
		errx(2, "expected GROUP SOURCE RBPS TARGET WIOPS COMMAND [ARG...]");
	const char *group = argv[1], *rbps = argv[3], *wiops = argv[5];
	struct stat source, target;
	char line[256] = "";

	if (mkdir(group, 0755))
		err(1, "mkdir %s", group);
	if (stat(argv[2], &source) || stat(argv[4], &target))
		err(1, "%s or %s", argv[2], argv[4]);
	/* YOUR TURN: a line for each disk, by its two numbers, then a member */

	execvp(argv[6], argv + 6);
	err(127, "%s", argv[6]);
}
