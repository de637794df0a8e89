/* The prose of 10-oom-demo, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"asks", "A program calls mmap() for twice its memory.max. What does it get?",
		{{"error", "ENOMEM: that is more than the limit",
			 "mmap() hands out addresses only. The kernel charges a page when the "
			 "program first touches it, and by then there is no call that could "
			 "return ENOMEM."},
			{"address", "an address, as without a limit", NULL}}},
	{"view", "Inside the limited group, what does /proc/meminfo report as MemTotal?",
		{{"limit", "the limit",
			 "memory.max limits what the group may use; /proc/meminfo still shows "
			 "the whole machine. A program learns its limit only from memory.max, "
			 "so free and old language runtimes are wrong in a container."},
			{"machine", "the memory of the whole machine", NULL}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 10 --memory 64M",
		"scripts/lab 10 --memory 32M -- eat 64M; echo $?", "scripts/lab 10/more"},
	.docker = "docker run --memory=32m --memory-swap=32m; docker inspect then shows "
		  "OOMKilled: true and ExitCode: 137.",
	.kubernetes = "resources.limits.memory; the container's last state is OOMKilled with exit "
		      "code 137, and only that container is restarted.",
	.next = "make more-10: which process is killed; then make lab-11",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"scripts/lab 10 -- eat 128M --no-touch", "scripts/lab 10 -- eat 16M",
		"scripts/lab 10/more-reclaim"},
	.docker = "docker run --oom-score-adj changes which process is chosen. "
		  "--oom-kill-disable has no effect with cgroup v2.",
	.kubernetes = "the kubelet sets memory.oom.group for each container on cgroup v2 (since "
		      "1.28), so all processes of the container are killed together.",
	.next = "make more-10-reclaim: what the kernel takes back first",
};

static const struct lab_words reclaim_words = {
	.try_now = {"grep -E 'MemTotal|SwapTotal' /proc/meminfo", "cat /proc/pressure/memory",
		"scripts/lab 10 -- cat /proc/self/cgroup"},
	.docker = "--memory-reservation is memory.low. --memory-swap minus --memory is "
		  "memory.swap.max.",
	.kubernetes = "a memory request protects nothing by itself: it only lowers oom_score_adj. "
		      "Only a kubelet that is told to reserve memory also writes memory.min or "
		      "memory.low (memoryReservationPolicy).",
	.next = "make lab-11: an uptime of its own",
};
