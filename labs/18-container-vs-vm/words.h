/* The prose of 18-container-vs-vm, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"ids",
		"The kernel draws a random boot_id each time it starts. Many containers read it. "
		"How many different ones are read?",
		{{"one", "one, which is this machine's", NULL},
			{"each", "one for each container",
				"No kernel starts when a container does. It is a process of the "
				"kernel that runs already, and reads what every process reads."},
			{"two", "two: the containers have one together, and the machine another",
				"That is Docker Desktop: one virtual machine, and all containers "
				"in it. Here the containers run on the machine's own kernel."}}},
	{"memory",
		"A virtual machine with a kernel of its own runs the same small program. It costs",
		{{"same", "about as much memory as a container with it",
			 "A container has only its program. A virtual machine has a kernel "
			 "besides, with its own caches and drivers, and the program that plays "
			 "the hardware."},
			{"more", "more than ten times a container's, and less than a gigabyte",
				NULL},
			{"gigabytes", "gigabytes",
				"A whole distribution in it may. It costs what is put into it: this "
				"one has 128 MiB by default, and a kernel that is made for few."}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 18 --containers 10 --vms 0",
		"scripts/lab 18 -- cat /proc/sys/kernel/random/boot_id",
		"scripts/vm cat /proc/sys/kernel/random/boot_id"},
	.docker = "docker run is the container. On Windows and macOS there is one virtual machine "
		  "below all of them; --runtime io.containerd.kata.v2 or runsc gives each another "
		  "kernel.",
	.kubernetes =
		"nodes are often virtual machines, Pods are containers on them. runtimeClassName: "
		"kata or gvisor gives a Pod a kernel of its own.",
	.next = "make guide-18: which of the two for whom",
	.questions = questions,
};
