/* The prose of 08-pids-max, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"next", "A group holds as many tasks as pids.max allows. One of them calls fork(). It",
		{{"refused", "gets EAGAIN, and goes on", NULL},
			{"killed", "is killed",
				"Memory that is needed now cannot be refused politely, so memory.max kills. "
				"A process that is not there yet can: fork() just fails."},
			{"slowed", "is slowed down, until another task ends",
				"That is what cpu.max does. Tasks are counted, not rationed by time."}}},
	{"outside", "A fork bomb burns in the box. A process outside forks a hundred times:",
		{{"none", "none works: the machine has no PIDs left",
			 "Without a limit that is what happens. The box has N of them, and the "
			 "machine has the rest. The CPU is shared, though: that takes cpu.max."},
			{"all", "all hundred work, perhaps more slowly", NULL}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 08 --pids 8", "scripts/lab 08 --pids 16 -- forks 12",
		"scripts/lab 08/more"},
	.docker = "docker run --pids-limit 16; docker stats shows PIDS, which is pids.current.",
	.kubernetes =
		"podPidsLimit in the kubelet's configuration, one number for each Pod; there is "
		"no field for it in a Pod's manifest.",
	.next = "make more-08: who counts a refusal, and the race of a late attach; then make lab-10",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"cat /proc/sys/kernel/pid_max", "scripts/lab 08 --pids 8 -- forks 7",
		"find /sys/fs/cgroup -maxdepth 2 -name 'pids.*'"},
	.docker =
		"runc's first process waits at a pipe until it has been attached, so that nothing "
		"escapes. docker exec is attached even beyond the limit, but may not fork there.",
	.kubernetes =
		"the Pod's group holds the limit, its containers' groups below are bounded by "
		"it.",
	.next = "make lab-10: the limit that does kill",
};
