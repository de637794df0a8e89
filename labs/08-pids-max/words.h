/* The words of 08-pids-max, apart from its code so that they can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"next", "A group holds as many tasks as pids.max allows. One of them calls fork(). It",
		{{"refused", "gets EAGAIN, and goes on", NULL},
			{"killed", "is killed",
				"Killing is what memory.max does, because touching memory is no call that "
				"could return an error. fork() is one, so it just fails."},
			{"slowed", "is slowed down, until another task ends",
				"Slowing down is what cpu.max does. Tasks are counted, so the kernel refuses "
				"fork() instead."}}},
	{"outside", "A fork bomb burns in the box. A process outside forks a hundred times:",
		{{"none", "none works: the machine has no PIDs left",
			 "Without a limit the machine really would run out of PIDs. Here the box can "
			 "hold only N; all the others are free. The CPU is shared all the same: "
			 "only cpu.max would limit that."},
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
	.next = "make more-08: which group counts a refusal, and the race when a process is "
		"attached late; then make lab-09",
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
	.next = "make lab-09: a limit that makes processes wait",
};
