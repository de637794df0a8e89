/* The prose of 14-overlay-fs, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"write", "A container writes to a file of its image. What changes?",
		{{"image", "the file in the image, for every container that uses it",
			 "The kernel never writes to a lower layer. It first copies the whole file "
			 "to upper, and from then on the container sees that copy."},
			{"copy", "a copy, which only this container sees", NULL}}},
	{"delete", "A container deletes a file of its image. What is then in its upper folder?",
		{{"mark", "a mark under that name that says: deleted", NULL},
			{"gone", "nothing: the file is gone",
				"With nothing in upper, the file of the image would be visible. A "
				"whiteout hides it; the image keeps the file and its size."}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 14 -- sh -c 'rm -rf /etc /usr; ls /'",
		"scripts/lab 14 -- sh -c 'echo me >/etc/motd; ls /etc'", "scripts/lab 14/more"},
	.docker =
		"each line of a Dockerfile that writes makes a layer. docker diff lists upper (C, A, "
		"and D for a whiteout), docker commit turns it into a layer, docker rm deletes it.",
	.kubernetes =
		"what a container writes to its root counts as ephemeral-storage and is lost when "
		"the container is replaced. Data that is to stay belongs in a volume.",
	.next = "make more-14: one page cache for all, what 100 containers cost; then make lab-15",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"scripts/lab 14 -- grep ' / / ' /proc/self/mountinfo",
		"scripts/lab 14 -- stat -c '%d %i' /bin/busybox",
		"stat -c '%d %i' build/rootfs/tree/bin/busybox"},
	.docker =
		"docker ps -s: SIZE is upper, the virtual size includes the image. Deleting a file in "
		"a later line of a Dockerfile makes no image smaller, and hides no secret.",
	.kubernetes =
		"the image is on a node once, and in its page cache once, however many Pods use it. "
		"The first write to a database file in the image would copy it: use a volume.",
	.next = "make guide-14: the same by hand",
};
