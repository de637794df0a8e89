/* The words of 07-cgroup-ns, apart from its code so that they can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"attached",
		"A process is running. You make a group, limit its memory, and write the PID of the "
		"process to cgroup.procs. Then the process uses twice the limit:",
		{{"killed", "the kernel kills it, because it is in the group now", NULL},
			{"lives", "it lives, because it is older than the group",
				"A process that is older than its group does not keep its freedom. "
				"The kernel charges memory to the group that the process is in when "
				"it touches the memory."}}},
	{"stays", "The last process of a group has ended. The group",
		{{"gone", "is gone too, as a namespace would be",
			 "A namespace ends when nothing refers to it. A group is a folder, which "
			 "exists until somebody removes it. So a runtime has to clean up."},
			{"stays", "stays, empty, until somebody calls rmdir()", NULL}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 07 -- cat /proc/self/cgroup",
		"scripts/lab 07 --memory 64M -- eat 32M", "scripts/lab 07/more"},
	.docker = "docker run makes a group, writes the limits to its files and the PID to "
		  "cgroup.procs. --cgroup-parent chooses the group above.",
	.kubernetes =
		"the kubelet makes kubepods.slice, and in it a group for each QoS class, each Pod "
		"and each container. The runtime writes the limits.",
	.next = "make more-07-view: the cgroup namespace; then make more-07",
	.questions = questions,
};

static const struct lab_question view_questions[] = {
	{"view", "A process enters a new cgroup namespace. Outside, its /proc/PID/cgroup now shows",
		{{"/", "/",
			 "/ is what the process itself reads. The reader's namespace decides where the "
			 "path begins, and the reader outside is in another one."},
			{"full", "the same path as before", NULL}}},
	{0},
};

static const struct lab_words view_words = {
	.try_now = {"cat /proc/self/cgroup", "scripts/lab 07/more-view -- cat /proc/self/cgroup",
		"scripts/lab 07/more-view -- cat /sys/fs/cgroup/memory.max"},
	.docker = "--cgroupns=private, the default on cgroup v2, is CLONE_NEWCGROUP. With "
		  "--cgroupns=host the container sees the whole tree.",
	.kubernetes = "there is no field for it: on cgroup v2 the runtime gives each container a "
		      "cgroup namespace.",
	.next = "make more-07: freeze, kill, pressure; then make lab-08",
	.questions = view_questions,
};

static const struct lab_words more_words = {
	.try_now = {"cat /proc/self/cgroup", "find /sys/fs/cgroup -maxdepth 1 -name 'cgroup.*'",
		"grep . /proc/pressure/*"},
	.docker = "docker pause writes 1 to cgroup.freeze. To kill all processes of a container "
		  "at once, a runtime writes 1 to cgroup.kill.",
	.kubernetes =
		"the kubelet evicts Pods when memory, disk or PIDs run short, but not for "
		"pressure, which it only reports. containerd kills a container's group at once.",
	.next = "scripts/lab 07/more --v1: the same limits in cgroup v1, in a VM of its own",
};
