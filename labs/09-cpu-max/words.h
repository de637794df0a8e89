/* The words of 09-cpu-max for the reader. They stand apart so that they can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"limit", "cpu.max limits a busy program to half a CPU. The program",
		{{"runs", "runs all the time, at half the speed",
			 "The kernel does not slow a CPU down for one group. The limit is a budget "
			 "for each period: the program spends it at full speed, then it stops."},
			{"stops", "runs at full speed, then stops for the rest of each period",
				NULL},
			{"killed", "is killed when it has used up its time",
				"A program can get CPU time later, so cpu.max makes it wait. It cannot "
				"wait for memory that it needs now, so memory.max kills."}}},
	{"weight",
		"Two busy groups have two CPUs. One has weight 100, the other more. The heavier gets",
		{{"more", "more, in proportion to the weights",
			 "A weight counts only while groups compete for a CPU. Here each group "
			 "has a CPU to itself, and the kernel leaves no CPU idle."},
			{"same", "as much as the other: one CPU each", NULL}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 09 --cpus 0.25", "scripts/lab 09 --cpus 0.5 -- spin 2",
		"scripts/lab 09/more"},
	.docker = "docker run --cpus=0.5 writes cpu.max. --cpu-quota and --cpu-period set its two "
		  "numbers. --cpu-shares becomes cpu.weight.",
	.kubernetes = "resources.limits.cpu: 500m becomes cpu.max. resources.requests.cpu becomes "
		      "cpu.weight; the kernel knows nothing else of it.",
	.next = "make more-09: threads, parents, nine against one; then make lab-10",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"scripts/lab 09 --cpus 1.5 -- spin 2 --threads 2",
		"scripts/lab 09 -- spin 2 --threads 2", "grep . /sys/fs/cgroup/cpu.stat"},
	.docker =
		"docker run --cpus=1.5 writes 150000 100000, and --cpuset-cpus=0 writes cpuset.cpus. "
		"docker stats shows percent of one CPU.",
	.kubernetes =
		"container_cpu_cfs_throttled_periods_total is nr_throttled. A limit of the Pod also "
		"stops its containers, but their own counters do not show that.",
	.next = "make guide-09: the chapter of this lab",
};
