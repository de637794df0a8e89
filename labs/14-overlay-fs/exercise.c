/*
 * Exercise 14: exercise IMAGE CHANGES WORK PLACE COMMAND [ARG...]
 *
 * Run COMMAND with the files of IMAGE at PLACE, where it may write and remove as it
 * likes: what it changes lies in CHANGES, and IMAGE stays as it is. WORK is an empty
 * folder on the same file system. Nobody else sees the mount. overlayfs.rst, mount(2)
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

	/* YOUR TURN: the layers by their names in overlayfs.rst, and the mount */

	execvp(argv[5], argv + 5);
	err(127, "%s", argv[5]);
}
