/*
 * floor [plain|no-net] ROOT COMMAND [ARG...]: the bare floor, for the record: new namespaces, three
 * mounts, another root, exec. No image, no group and all privileges stay: floor-container.c makes
 * what lab 16 makes.
 *   plain    fork and exec alone, and no container
 *   no-net   without a network namespace
 */
#define _GNU_SOURCE
#include "floor.h"

int main(int argc, char *argv[])
{
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	bool plain = argc > 1 && !strcmp(argv[1], "plain"),
	     net = argc > 1 && strcmp(argv[1], "no-net") != 0;
	argv += plain || !net;
	if (argc < 3 || !argv[1] || !argv[2])
		errx(2, "expected [plain|no-net] ROOT COMMAND [ARG...]");
	const char *root = argv[1];
	char **command = argv + 2;
	uint64_t namespaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
			      CLONE_NEWCGROUP | (net ? CLONE_NEWNET : 0);

	pid_t child = clone3(
		(struct clone_args){.flags = plain ? 0 : namespaces, .exit_signal = SIGCHLD});
	if (child == 0 && plain) {
		DO(chdir(root));
		execv(command[0] + 1, command);
		err(127, "%s", command[0]);
	}
	if (child == 0) {
		DO(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
		DO(mount(root, root, NULL, MS_BIND, NULL));
		DO(chdir(root));
		DO(mount("proc", "proc", "proc", flags, NULL));
		DO(mount("sysfs", "sys", "sysfs", MS_RDONLY | flags, NULL));
		DO(mount("tmpfs", "dev", "tmpfs", MS_NOSUID, "mode=755"));
		pivot_to_cwd();
		execv(command[0], command);
		err(127, "%s", command[0]);
	}
	return child_wait(child);
}
