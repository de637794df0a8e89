/* The prose of 10-oom-demo, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"asks", "A program asks mmap() for twice its memory.max. It gets:",
		{{"error", "ENOMEM: it is more than it may have",
			 "Linux promises memory before it has it. The promise is called in when a page "
			 "is touched, and then there is nobody to return an error to."},
			{"address", "memory, like anybody else", NULL}}},
	{"view", "Inside the limited group, /proc/meminfo reports as MemTotal:",
		{{"limit", "the limit",
			 "A limit is not a view. Nothing tells a program its limit but "
			 "memory.max itself, which is why free and old runtimes are wrong in "
			 "a container."},
			{"machine", "the memory of the whole machine", NULL}}},
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
		"memory request is no guarantee, only a part of oom_score_adj, unless MemoryQoS sets "
		"memory.min.",
	.next = "make guide: the chapter of this lab",
};
