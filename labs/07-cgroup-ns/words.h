/* The prose of 07-cgroup-ns, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"attached",
		"A process was started, then a group got a limit, then the process' PID is written to "
		"cgroup.procs. It uses twice the limit:",
		{{"killed", "it is killed: it is in the group now", NULL},
			{"lives", "it lives: it was there before the group",
				"What counts is where a process is when it asks for memory, not where it "
				"was born."}}},
	{"stays", "The last process of the group has ended. The group",
		{{"gone", "is gone with it, as a namespace would be",
			 "A namespace lives as long as something refers to it. A group is a folder: "
			 "it lives until it is removed, which is why runtimes must clean up."},
			{"stays", "stays, empty, until somebody calls rmdir", NULL}}},
	{"view", "A process enters a cgroup namespace. Outside, /proc/PID/cgroup now shows for it:",
		{{"/", "/",
			 "The namespace changes what is seen from inside. The process has not moved, "
			 "and its limits are the same."},
			{"full", "the same path as before", NULL}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 07 -- cat /sys/fs/cgroup/memory.max",
		"scripts/lab 07 --memory 64M -- eat 32M", "scripts/lab 07/more"},
	.docker =
		"docker run makes the group, writes the limits and the PID; --cgroupns=private (the "
		"default on v2) is CLONE_NEWCGROUP, --cgroup-parent the folder above.",
	.kubernetes =
		"the kubelet makes kubepods.slice, a group for each QoS class, each Pod and each "
		"container below; the runtime writes their limits.",
	.next = "make more-07: freeze, kill, pressure; then make lab-08",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"cat /proc/self/cgroup", "find /sys/fs/cgroup -maxdepth 1 -name 'cgroup.*'",
		"grep . /proc/pressure/*"},
	.docker = "docker pause is cgroup.freeze; docker kill of a whole container can be "
		  "cgroup.kill.",
	.kubernetes =
		"the kubelet evicts Pods when memory, disk or PIDs get short, and reports pressure, "
		"no more; containerd ends a container's group as a whole.",
	.next = "scripts/lab 07/more --v1: the same limits in cgroup v1, in a VM of its own",
};
