/*
 * command_line.h: a command line in a process of its own, which prints what it understood.
 */
#pragma once

#include "run.h"
#include "story/out.h"

static long long memory, count, cpus;
static const char *host, *file;

static const struct lab_option own[] = {
	{"memory", LAB_SIZE, &memory, 4096, 1 << 30, "the limit"},
	{"count", LAB_NUMBER, &count, 1, 100, "how many"},
	{"cpus", LAB_DECIMAL, &cpus, 100, 2000, "how many CPUs"},
	{"host", LAB_NAME, &host, 2, 8, "the name"},
	{"file", LAB_PATH_IN, &file, 0, 0, "what is \"read\""},
	{"out", LAB_PATH_IN_OUT, &file, 0, 0, "what is changed"},
	{0},
};

static const struct lab_part parts[] = {
	{.name = "plain", .title = "Needs nothing"},
	{.name = "future",
		.title = "Needs more",
		.needs = {.kernel = "99.0", .controllers = "memory pids"},
		.boot_alone = true,
		.hazard = true},
	{0},
};

static const struct lab easy = {
	.id = "01-test",
	.title = "A \"quoted\" title with a \\",
	.goal = "It's a goal.",
	.manual = "one(1) two(2)",
	.teaches = "unshare:CLONE_NEWPID fork",
	.after = "",
	.options = own,
	.parts = parts,
	.place_host = true,
	.quick = "--number=1 --plain=2",
	.exclusive_cpu = true,
};

static const struct lab *the_lab;
static const char *args[12];

static inline void understand(void)
{
	const char *can_run = NULL;
	static char *argv[14];
	int argc = 1;
	argv[0] = (char *)(uintptr_t) "lab";
	for (; args[argc - 1]; argc++)
		argv[argc] = (char *)(uintptr_t)args[argc - 1];
	lab = the_lab;
	memory = 32 << 20;
	count = 5;
	cpus = 0;
	option_read(argc, argv, &can_run);
	dprintf(1,
		"step=%d predict=%d jsonl=%d plain=%d color=%d memory=%lld count=%lld cpus=%lld host=%s ",
		option_given.step, option_given.predict, option_given.jsonl, option_given.plain,
		option_given.color, memory, count, cpus, host ? host : "-");
	dprintf(1, "file=%s can_run=%s command=", file ? file : "-", can_run ? can_run : "-");
	for (char **word = lab_command; word && *word; word++)
		dprintf(1, "[%s]", *word);
}

#define ARGS(...) memcpy(args, ((const char *[12]){__VA_ARGS__}), sizeof args)
#define UNDERSTAND(...) (ARGS(__VA_ARGS__), the_lab = &easy, run(understand))
