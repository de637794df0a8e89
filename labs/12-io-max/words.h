/* The prose of 12-io-max, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"limit", "A process reads a fast disk with all it has. Its group gets rbps. Its next read",
		{{"error", "fails with an error, or ends it",
			 "Bandwidth can be given later, so the kernel makes the process wait for "
			 "it, as cpu.max does. Memory that is needed now cannot."},
			{"waits", "is held back until it is its turn, and then succeeds", NULL},
			{"runs", "is as fast as before: the disk has no owner",
				"The kernel knows for each request which group it comes from, and "
				"holds it back before the disk sees it."}}},
	{"small", "wbps is 4 MiB and wiops is 100. A process writes blocks of 4 KiB. It gets",
		{{"wbps", "4 MiB a second",
			 "All limits of a line hold at the same time. A hundred writes of 4 KiB "
			 "are 400 KiB, and there are no more than a hundred."},
			{"wiops", "400 KiB a second", NULL}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 12 --rbps 1M --seconds 1",
		"scripts/lab 12 --wiops 20 --wbps 16M --seconds 1", "scripts/lab 12/more"},
	.docker = "docker run --device-read-bps /dev/sda:4mb is rbps, --device-write-bps wbps, "
		  "--device-write-iops wiops. docker stats shows io.stat as BLOCK I/O.",
	.kubernetes = "no field of a Pod: only a runtime's own configuration sets io.max. The disk "
		      "is shared by all who are on the node.",
	.next = "make more-12: the page cache, and who pays for it; then make lab-13",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"grep -E 'Dirty|Writeback:' /proc/meminfo", "grep . /sys/fs/cgroup/io.stat",
		"cat /proc/sys/vm/dirty_expire_centisecs"},
	.docker =
		"--device-write-bps holds for buffered writes too with cgroup v2 and a filesystem "
		"that takes part in it (ext4, btrfs, xfs); with v1 it did not.",
	.kubernetes = "an emptyDir on the node's disk is written back by the kernel long after the "
		      "container's write() has returned, for the container's account.",
	.next = "make lab-13: which devices may be opened",
};
