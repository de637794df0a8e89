/*
 * Exercise 14: exercise IMAGE CHANGES WORK PLACE COMMAND [ARG...]
 *
 * Run COMMAND with the files of IMAGE at PLACE. COMMAND may change and remove all of
 * them: its changes go to CHANGES, and IMAGE stays as it is. WORK is an empty folder on
 * the filesystem of CHANGES. Nobody else sees the mount. overlayfs.rst, mount(2)
 */
#define _GNU_SOURCE
#include <err.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 6)
		errx(2, "expected IMAGE CHANGES WORK PLACE COMMAND [ARG...]");
	const char *image = argv[1], *changes = argv[2], *work = argv[3], *place = argv[4];
	char options[16384];

	/* A mount table of its own, as in exercise 02. */
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		err(1, "a mount table");

	/* hole: write the options that name the three folders, then mount the overlay */
	snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s,workdir=%s", image, changes,
		work);
	if (mount("layers", place, "overlay", 0, options))
		err(1, "mount %s", place);
	/* end */

	execvp(argv[5], argv + 5);
	err(127, "%s", argv[5]);
}
