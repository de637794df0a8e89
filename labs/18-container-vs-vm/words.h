/* The prose of 18-container-vs-vm, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"ids",
		"A kernel draws a random boot_id when it boots. Many containers read it. How many "
		"different ids do they read?",
		{{"one", "one: the id of this machine", NULL},
			{"each", "one for each container",
				"Starting a container boots no kernel. A container is a process of the "
				"running kernel, and reads the same id as every other process."},
			{"two", "two: one for all containers, another for the machine",
				"Two ids is what you see with Docker Desktop, where all containers "
				"share one virtual machine. These containers run on your kernel."}}},
	{"memory",
		"A virtual machine with its own kernel runs the same small program. How much memory does "
		"it use?",
		{{"same", "about as much as a container with this program",
			 "A container has only its program. A virtual machine also has a kernel, "
			 "with its caches and drivers, and QEMU, which plays the hardware."},
			{"more", "more than ten times a container, less than a gigabyte", NULL},
			{"gigabytes", "gigabytes",
				"A whole distribution may need gigabytes. This machine has 128 MiB by "
				"default, and a kernel for few devices."}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 18 --containers 10 --vms 0",
		"scripts/lab 18 -- cat /proc/sys/kernel/random/boot_id",
		"scripts/vm cat /proc/sys/kernel/random/boot_id"},
	.docker =
		"docker run starts a container. On Windows and macOS one virtual machine runs all "
		"containers; --runtime io.containerd.kata.v2 or runsc gives each another kernel.",
	.kubernetes = "nodes are often virtual machines, and Pods are containers on them. "
		      "runtimeClassName: kata or gvisor gives a Pod its own kernel.",
	.next = "make guide-18: containers for whom, virtual machines for whom",
	.questions = questions,
};
