/* The prose of 02-mnt-ns, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"leak",
		"A process in a new mount namespace, and no more than that, mounts on a shared /etc:",
		{{"inside", "only the process sees it",
			 "A new mount namespace is a copy, but a copy of a shared mount stays in "
			 "its peer group, and systemd shares them all. unshare(1) and every "
			 "runtime change that first."},
			{"both", "the host sees the mount too", NULL}}},
	{"root", "After pivot_root() and umount2() of the old root, the host's files are",
		{{"there", "still there for who knows the right path",
			 "That is chroot(2). After pivot_root() the old root is a mount like "
			 "any other, and this mount table has it no more."},
			{"gone", "nowhere: no path leads to them", NULL}}},
	{"volume", "A file is written to a volume inside. Outside it is",
		{{"yes", "there at once: it is the same folder", NULL},
			{"no", "there when the container ends",
				"Nothing is copied. A bind mount is a second place for one folder."}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 02 -- ls /",
		"scripts/lab 02 -- sh -c 'touch /bin/mine || echo refused'", "scripts/lab 02/more"},
	.docker =
		"docker run -v FOLDER:/var/lib is the bind mount, with :ro read-only; --read-only "
		"does that to the root; each image is another root.",
	.kubernetes =
		"volumes and volumeMounts are bind mounts; mountPropagation is the MS_PRIVATE, "
		"MS_SLAVE and MS_SHARED of this lab; readOnlyRootFilesystem the read-only root.",
	.next = "make more-02: who escapes from chroot, and what a leaked descriptor does",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"scripts/lab 02 -- sh -c 'cd /; cd ../../..; ls'",
		"scripts/lab 02 -- cat /proc/self/mountinfo",
		"grep shared: /proc/self/mountinfo || echo none"},
	.docker =
		"runc calls pivot_root(), detaches the old root and closes what it has "
		"opened; up to 1.1.11 it left one open: CVE-2024-21626. A volume is what rm -rf in "
		"a container can take from the host.",
	.kubernetes =
		"mountPropagation: HostToContainer is the slave, Bidirectional is shared, None "
		"is private; a hostPath is as exposed as any volume.",
	.next = "make lab-04: shared memory that is not shared",
};
