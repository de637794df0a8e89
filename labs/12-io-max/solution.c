/*
 * Exercise 12: exercise GROUP SOURCE RBPS TARGET WIOPS COMMAND [ARG...]
 *
 * A backup reads one disk and writes another. It has to leave bandwidth of both to other
 * programs. Make GROUP, which reads at most RBPS bytes a second from SOURCE and makes at
 * most WIOPS writes a second to TARGET. Set no other limit. Run COMMAND in the group.
 * cgroup-v2.rst, "io.max"
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
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
	if (argc < 7)
		errx(2, "expected GROUP SOURCE RBPS TARGET WIOPS COMMAND [ARG...]");
	const char *group = argv[1], *rbps = argv[3], *wiops = argv[5];
	struct stat source, target;
	char line[256] = "";

	if (mkdir(group, 0755))
		err(1, "mkdir %s", group);
	if (stat(argv[2], &source) || stat(argv[4], &target))
		err(1, "%s or %s", argv[2], argv[4]);
	/* hole: write a line for each disk, named by its two numbers; then join the group */
	unsigned int major = major(source.st_rdev), minor = minor(source.st_rdev);
	snprintf(line, sizeof line, "%u:%u rbps=%s", major, minor, rbps);
	write_file(group, "io.max", line);
	major = major(target.st_rdev), minor = minor(target.st_rdev);
	snprintf(line, sizeof line, "%u:%u wiops=%s", major, minor, wiops);
	write_file(group, "io.max", line);
	write_file(group, "cgroup.procs", "0");
	/* end */

	execvp(argv[6], argv + 6);
	err(127, "%s", argv[6]);
}
