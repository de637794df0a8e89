/* The prose of 14-overlay-fs, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"write", "A container writes to a file of its image. What is changed is",
		{{"image", "the file in the image, for all that start from it",
			 "The kernel never writes to a lower layer. It copies the whole file to "
			 "upper first, and from then on that copy is the file."},
			{"copy", "a copy of its own", NULL}}},
	{"delete", "It deletes a file of its image. Its upper folder then has",
		{{"mark", "a mark in that place: not here", NULL},
			{"gone", "nothing there: the file is gone",
				"With nothing in upper the file below would be seen again. A "
				"whiteout hides it. The image still has it, and is no smaller."}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 14 -- sh -c 'rm -rf /etc /usr; ls /'",
		"scripts/lab 14 -- sh -c 'echo me >/etc/motd; ls /etc'", "scripts/lab 14/more"},
	.docker =
		"each line of a Dockerfile that writes is a layer; docker diff lists upper (C, A, "
		"and D for a whiteout), docker commit makes a layer of it, docker rm deletes it.",
	.kubernetes =
		"what a container writes to its root counts as ephemeral-storage and is gone when "
		"the container is made anew; what must stay is written to a volume.",
	.next = "make more-14: one page cache for all, and what a hundred containers cost",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"scripts/lab 14 -- grep ' / / ' /proc/self/mountinfo",
		"scripts/lab 14 -- stat -c '%d %i' /bin/busybox",
		"stat -c '%d %i' build/rootfs/tree/bin/busybox"},
	.docker =
		"docker ps -s: SIZE is upper, virtual size is with the image. To delete in a later "
		"line of a Dockerfile makes no image smaller, and hides no secret.",
	.kubernetes =
		"the image is on a node once, and in its page cache once, however many Pods are "
		"started from it; a database file in the image would be copied up: use a volume.",
	.next = "make guide-14: the same by hand",
};
