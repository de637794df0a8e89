/*
 * Exercise 02: exercise FOLDER KIB COMMAND [ARG...]
 *
 * Run COMMAND with a tmpfs of at most KIB kibibytes mounted at FOLDER. Nobody else
 * on the machine sees the mount. Set-uid bits and device files in there have no
 * effect. mount_namespaces(7), tmpfs(5), mount(2)
 */
#define _GNU_SOURCE
#include <err.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 4)
		errx(2, "expected FOLDER KIB COMMAND [ARG...]");
	const char *folder = argv[1], *kib = argv[2];
	char options[64];

	snprintf(options, sizeof options, "size=%sk,mode=755", kib);
	/* hole: make a mount table whose mounts do not reach the machine */
	if (unshare(CLONE_NEWNS))
		err(1, "unshare");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		err(1, "mount /");
	/* end */

	/* hole: mount the tmpfs, with these options and the two flags */
	if (mount("scratch", folder, "tmpfs", MS_NOSUID | MS_NODEV, options))
		err(1, "mount %s", folder);
	/* end */

	execvp(argv[3], argv + 3);
	err(127, "%s", argv[3]);
}
