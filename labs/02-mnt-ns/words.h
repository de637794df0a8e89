/* The prose of 02-mnt-ns, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"mount", "A process has its own mount table, made private, and mounts something on /etc:",
		{{"inside", "only that process sees the mount", NULL},
			{"both", "the host sees it too",
				"Only a copy that is still shared passes a mount on to the host. "
				"This copy was made private first, as every runtime does."}}},
	{"root", "After pivot_root() and umount2() of the old root, the host's files are",
		{{"there", "still there for anyone who knows the right path",
			 "With chroot(2) they would still be reachable. After pivot_root() and "
			 "umount2() this mount table no longer contains the old root."},
			{"gone", "nowhere: no path leads to them", NULL}}},
	{"volume", "Your program writes a file to a volume inside. On the host the file is",
		{{"yes", "there at once: the volume is the same folder", NULL},
			{"no", "there when the container ends",
				"Nothing is copied at the end. A bind mount shows the same folder "
				"under a second path."}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 02 -- ls /",
		"scripts/lab 02 -- sh -c 'touch /bin/mine || echo refused'", "scripts/lab 02/more"},
	.docker =
		"docker run -v FOLDER:/var/lib makes this bind mount, and :ro makes it read-only; "
		"--read-only does that to the root. Each image is another root.",
	.kubernetes =
		"volumes and volumeMounts are bind mounts; readOnlyRootFilesystem: true makes the "
		"root read-only.",
	.next = "make more-02-propagation: why a mount leaks; make more-02: ways out of a "
		"root; then make lab-05",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"scripts/lab 02 -- sh -c 'cd /; cd ../../..; ls'",
		"scripts/lab 02 -- ls -l /proc/1/root", "ls -l /proc/self/root"},
	.docker =
		"runc calls pivot_root(), detaches the old root and closes the descriptors that it "
		"has opened; up to 1.1.11 it left one open (CVE-2024-21626). rm -rf in a container "
		"deletes what is in its volumes.",
	.kubernetes = "a hostPath volume is as exposed as any other volume.",
	.next = "make lab-05: root inside, nobody outside",
};

static const struct lab_question propagation_questions[] = {
	{"leak",
		"The host's /etc is a shared mount. A process copies the mount table and mounts on "
		"/etc:",
		{{"inside", "only the process sees the mount",
			 "A new mount namespace is a copy, but the copy of a shared mount stays in "
			 "the same peer group, and systemd shares all mounts. unshare(1) and every "
			 "runtime make the copy private first."},
			{"both", "the host sees the mount too", NULL}}},
	{0},
};

static const struct lab_words propagation_words = {
	.try_now = {"grep shared: /proc/self/mountinfo || echo none",
		"grep master: /proc/self/mountinfo || echo none",
		"scripts/lab 02 -- cat /proc/self/mountinfo"},
	.docker = "docker run -v FOLDER:/data:rslave makes a volume a slave, :rshared keeps it "
		  "shared; without a word it is private.",
	.kubernetes = "mountPropagation: None is private, HostToContainer is a slave, "
		      "Bidirectional is shared.",
	.next = "make more-02: ways out of a root, and why pivot_root() closes them",
	.questions = propagation_questions,
};
