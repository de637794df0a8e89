/* The prose of 10-oom-demo, apart from its code so that it can be translated. */
#include "lab.h"

static const struct lab_question questions[] = {
	{"status", "A process touches twice as much memory as memory.max allows. Its exit status:",
		{{"137", "137: it is killed", NULL},
			{"1", "1: malloc() returns NULL and it gives up",
				"Linux promises memory before it has it. The promise is called in when "
				"the page is touched, and then there is nobody to return NULL to."},
			{"0", "0: it is slowed down, and ends",
				"CPU time can be given later, so cpu.max throttles. Memory that is "
				"needed now cannot, so memory.max kills."}}},
	{"view", "Inside the limited group, /proc/meminfo reports as MemTotal:",
		{{"machine", "the memory of the whole machine", NULL},
			{"limit", "the limit",
				"A limit is not a view. Nothing tells a program its limit but "
				"memory.max itself, which is why free and old runtimes are wrong in "
				"a container."}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 10 --memory 64M",
		"scripts/lab 10 --memory 32M -- eat 64M; echo $?", "scripts/lab 10/more"},
	.docker = "docker run --memory=32m --memory-swap=32m; docker inspect shows OOMKilled: true "
		  "and ExitCode: 137.",
	.kubernetes = "resources.limits.memory; the container's last state is OOMKilled, exit code "
		      "137, and only that container starts again.",
	.next = "make more-10: the cache, memory.high, whole groups, protection",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"scripts/lab 10 -- eat 128M --no-touch", "scripts/lab 10 -- eat 16M",
		"grep -E 'MemTotal|SwapTotal' /proc/meminfo"},
	.docker =
		"--memory-swap allows swap, --memory-reservation is memory.low, --oom-kill-disable is "
		"gone with cgroup v2.",
	.kubernetes =
		"the runtime sets memory.oom.group for a container, so all its processes go; a "
		"memory request becomes nothing in the kernel, unless MemoryQoS sets memory.min.",
	.next = "make guide: the chapter of this lab",
};
