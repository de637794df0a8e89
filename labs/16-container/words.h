/* The prose of 16-container, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"namespaces",
		"A program has its own namespace of every kind and no group. How much memory can it "
		"use?",
		{{"all", "as much as the machine has", NULL},
			{"limit", "the default limit of a container",
				"A container has no default limit. Namespaces change what a program sees. "
				"Only a group with a limit bounds how much memory it uses."}}},
	{"group",
		"A program is in a group with a limit and has no namespace. Which processes does it see?",
		{{"all", "all processes of the machine", NULL},
			{"own", "only the processes of its group",
				"A group counts and limits. Namespaces decide what a process sees, and "
				"this program is in the machine's namespaces."}}},
	{"gone",
		"The kernel kills the only process of a container because of its memory limit. What "
		"happens to the container's namespaces?",
		{{"gone", "they disappear with the process", NULL},
			{"stay", "they stay until the container is removed",
				"A namespace exists as long as a process is in it, or a file descriptor or "
				"a mount refers to it. docker ps -a lists Docker's own record of the "
				"container; the kernel has kept nothing."}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 16 --memory 128m -- eat 64M",
		"scripts/lab 16 --rm -u student --cpus .5 busybox id",
		"scripts/lab 16 --memory 64m --cpus 0.5 --explain -- true"},
	.docker =
		"docker run involves four programs: dockerd takes the request, containerd manages "
		"the image's layers (before Docker 29 dockerd did), runc or crun makes the system "
		"calls, and a shim waits.",
	.kubernetes =
		"the kubelet asks containerd or CRI-O through the CRI, and these start the same runc "
		"or crun. The containers of a Pod join existing namespaces: lab 17.",
	.next = "make guide-16: a container by hand; then lab 17, a Pod",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"scripts/lab 16 -- sh -c '>/proc/sysrq-trigger || id'",
		"scripts/lab 16 -- sh -c 'mknod /x b 8 0; cat /x || id'",
		"scripts/lab 16 --cap-add SYS_ADMIN -- mount -t proc x /mnt"},
	.docker =
		"--privileged removes nearly all of these barriers; --cap-add, --security-opt and "
		"--device each remove one. A user who can talk to dockerd is root on the host.",
	.kubernetes =
		"securityContext.privileged, hostPID, hostNetwork and hostPath remove them. The Pod "
		"Security Standards \"baseline\" and \"restricted\" forbid these fields.",
	.next = "make guide-16: which part of the kernel refuses what",
};
