/* The prose of 12-io-max, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"limit",
		"A process reads a disk as fast as it can. Now its group gets an rbps limit. What "
		"happens to its next read?",
		{{"error", "it fails with an error, or ends the process",
			 "The kernel can grant bandwidth later, so it makes the process wait, as "
			 "cpu.max does. Only memory that is needed now cannot wait."},
			{"waits", "it waits until the limit allows it, and then succeeds", NULL},
			{"runs", "it is as fast as before, because a disk belongs to no group",
				"The kernel knows for each request which group it comes from. It "
				"holds the request back before the disk gets it."}}},
	{"small",
		"wbps is 4 MiB and wiops is 100. A process writes blocks of 4 KiB. How much can it "
		"write?",
		{{"wbps", "4 MiB a second",
			 "4 MiB would be 1024 blocks a second, and wiops allows 100. All limits "
			 "of a line hold at the same time: 100 blocks are 400 KiB."},
			{"wiops", "400 KiB a second", NULL}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 12 --rbps 1M --seconds 1",
		"scripts/lab 12 --wiops 20 --wbps 16M --seconds 1", "scripts/lab 12/more"},
	.docker = "docker run --device-read-bps /dev/sda:4mb sets rbps, --device-write-bps sets "
		  "wbps, --device-write-iops sets wiops. docker stats shows io.stat as BLOCK I/O.",
	.kubernetes = "no field of a Pod sets io.max, only the runtime's own configuration. All "
		      "Pods on a node share its disks.",
	.next = "make more-12: what io.max refuses; then make lab-13",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"grep . /sys/fs/cgroup/io.stat", "cat /proc/partitions",
		"scripts/lab 12/more-writeback"},
	.docker =
		"docker run --cgroup-parent puts containers below a group of yours. An io.max there "
		"limits all of them together.",
	.kubernetes = "containerd and CRI-O have blockio classes: an annotation of the Pod chooses "
		      "the io.max of its containers.",
	.next = "make more-12-writeback: the page cache",
};

static const struct lab_words writeback_words = {
	.try_now = {"grep -E 'Dirty|Writeback:' /proc/meminfo", "grep . /sys/fs/cgroup/io.stat",
		"cat /proc/sys/vm/dirty_expire_centisecs"},
	.docker = "with cgroup v2 --device-write-bps also limits buffered writes, on filesystems "
		  "that support it (ext4, btrfs, xfs). With v1 it did not.",
	.kubernetes = "the kernel writes an emptyDir back long after the container's write() has "
		      "returned, and counts it for the container.",
	.next = "make lab-13: which devices may be opened",
};
