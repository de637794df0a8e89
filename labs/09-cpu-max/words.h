/* The prose of 09-cpu-max, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"limit", "A program that only computes is limited to half a CPU by cpu.max. It",
		{{"runs", "runs all the time, at half the speed",
			 "A CPU has one speed for all. The limit is a budget for each "
			 "period: it is spent at full speed, and then there is none."},
			{"stops",
				"runs at full speed, and stands still for the rest of each period",
				NULL},
			{"killed", "is killed when it has used up its time",
				"CPU time can be given later, so cpu.max makes it wait. Memory that "
				"is needed now cannot, so memory.max kills."}}},
	{"weight", "Two groups of weight 100 and more compute on two CPUs. The heavier one gets",
		{{"more", "more, as their weights say",
			 "A weight is a share of what is contended. With a CPU for each there "
			 "is nothing to share out, and none is left idle for its sake."},
			{"same", "as much as the other: a CPU each", NULL}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 09 --cpus 0.25", "scripts/lab 09 --cpus 0.5 -- spin 2",
		"scripts/lab 09/more"},
	.docker = "docker run --cpus=0.5 writes cpu.max; --cpu-quota and --cpu-period are its two "
		  "numbers; --cpu-shares becomes cpu.weight.",
	.kubernetes = "resources.limits.cpu: 500m becomes cpu.max, resources.requests.cpu becomes "
		      "cpu.weight and nothing else in the kernel.",
	.next = "make more-09: threads, parents, nine against one; then make lab-10",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"scripts/lab 09 --cpus 1.5 -- spin 2 --threads 2",
		"scripts/lab 09 -- spin 2 --threads 2", "grep . /sys/fs/cgroup/cpu.stat"},
	.docker = "docker run --cpus=1.5 is 150000 100000; --cpuset-cpus=0 is cpuset.cpus; docker "
		  "stats shows CPU in percent of one CPU.",
	.kubernetes =
		"container_cpu_cfs_throttled_periods_total is nr_throttled. A limit on the Pod bounds "
		"its containers, whose own counters then show nothing.",
	.next = "make guide-09: the chapter of this lab",
};
