/*
 * Exercise 07: exercise GROUP COMMAND [ARG...]
 *
 * GROUP is the folder of a group that exists. Run COMMAND in that group, so that it sees GROUP as
 * the top of the tree: its own /proc/self/cgroup says only 0::/
 * cgroups(7), cgroup_namespaces(7)
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
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
	if (argc < 3)
		errx(2, "expected GROUP COMMAND [ARG...]");
	const char *group = argv[1];

	/* hole: enter GROUP first, because the new namespace begins at the group that you are in */
	write_file(group, "cgroup.procs", "0");
	if (unshare(CLONE_NEWCGROUP))
		err(1, "unshare");
	/* end */

	execvp(argv[2], argv + 2);
	err(127, "%s", argv[2]);
}
