/* The prose of 16-container, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"namespaces",
		"A program has every namespace of its own, and no group. How much memory can it take?",
		{{"all", "all that the machine has", NULL},
			{"limit", "what a container gets by default",
				"There is no such default. A namespace changes what is seen; how much "
				"is used nobody asks, as long as there is no group with a limit."}}},
	{"group",
		"It is in a group with a limit, and has no namespace. Which processes does it see?",
		{{"all", "all of the machine's", NULL},
			{"own", "those in its group",
				"A group counts and limits. What a process sees is decided by its "
				"namespaces, and it has the machine's."}}},
	{"gone", "The kernel has killed the only process of a container for memory. Its namespaces",
		{{"gone", "are gone with it", NULL},
			{"stay", "wait until somebody removes the container",
				"Nothing holds them: a namespace lives as long as a process is in it, or a "
				"descriptor or a mount refers to it. What docker ps -a shows is Docker's own "
				"record, and the upper folder."}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 16 --memory 128m -- eat 64M",
		"scripts/lab 16 --hostname web -- hostname",
		"scripts/lab 16 --memory 64m --cpus 0.5 --explain -- true"},
	.docker =
		"docker run does this, in four programs: dockerd takes the words, containerd keeps "
		"the image's layers, runc or crun makes the calls, a shim waits.",
	.kubernetes =
		"the kubelet tells containerd or CRI-O by the CRI; these start the same runc or "
		"crun. A Pod's containers join namespaces that are there: lab 17.",
	.next = "make guide-16: a container by hand; then lab 17, a Pod",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"scripts/lab 16 -- sh -c '>/proc/sysrq-trigger || id'",
		"scripts/lab 16 -- sh -c 'mknod /x b 8 0; cat /x || id'",
		"scripts/lab 16 --cap-add SYS_ADMIN -- mount -t proc x /mnt"},
	.docker =
		"--privileged takes nearly all of these away at once; --cap-add, --security-opt and "
		"--device one at a time. Who may talk to dockerd is root on the host.",
	.kubernetes =
		"securityContext.privileged, hostPID, hostNetwork, hostPath. The Pod Security "
		"Standards baseline and restricted refuse them.",
	.next = "make guide-16: who refuses what",
};
