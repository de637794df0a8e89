/*
 * More of 10-oom-demo: what the kernel takes back before it kills, and which memory it
 * leaves alone. cgroups(7), Documentation/admin-guide/cgroup-v2.rst, "Memory"
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "machine/machine.h"
#include "memory.h"
#include "story/lab.h"
#include "words.h"

static const struct lab_part parts[] = {
	{.name = "swap",
		.title = "Touch 1.5 times memory.max in a group that may use swap.",
		.expect = "the program lives, until memory.swap.max is 0",
		.needs = {.swap = true}},
	{.name = "cache",
		.title = "Read twice memory.max from a disk into the page cache.",
		.expect = "the kernel drops the older pages and kills nobody",
		.needs = {.block = true}},
	{.name = "protection",
		.title = "Give one group memory.min, one memory.low, one nothing. Then press.",
		.expect = "the first two keep their page cache, the third loses its own",
		.needs = {.block = true}},
	{0},
};

static const struct lab lab = {
	.id = "10-oom-demo/more-reclaim",
	.title = "What the kernel takes back first",
	.goal = "The kernel kills only for memory that it cannot reclaim. It drops page cache, uses "
		"swap, slows a group above memory.high, and spares what memory.min protects.",
	.manual = "cgroups(7) posix_fadvise(2)",
	.teaches = "file:memory.max file:memory.high file:memory.min file:memory.low "
		   "file:memory.swap.max",
	.after = "10-oom-demo 10-oom-demo/more",
	.needs = {.controllers = "memory", .kernel = "5.7", .memory = 256 << 20},
	.parts = parts,
	.words = &reclaim_words,
	.story_only = true,
};

static size_t limit; /* memory.max, in bytes */

/* A child in group that reads size bytes of the disk into the page cache. */
static int read_in(const char *group, const char *disk, size_t from, size_t size)
{
	static char buffer[1 << 16];
	pid_t child = FORKED(cg_spawn(group));
	if (child == 0) {
		autoclose int fd = MUST(open(disk, O_RDONLY | O_CLOEXEC));
		for (size_t at = 0; at < size; at += sizeof buffer)
			if (pread(fd, buffer, sizeof buffer, (off_t)(from + at)) != sizeof buffer)
				_exit(1);
		_exit(0);
	}
	undo_kill(child);
	return child_wait(child);
}

/*
 * Opens the disk and drops its page cache. The cache of a disk lives only while a process has it
 * open, and all processes share it: so the caller keeps it open, and locked against another run.
 */
static int open_without_cache(const char *disk)
{
	int fd = MUST(open(disk, O_RDONLY | O_CLOEXEC));
	MUST(flock(fd, LOCK_EX));
	errno = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	if (errno)
		die("posix_fadvise %s", disk);
	return fd;
}

/* memory.current as a percentage of half the limit. */
static long long percent_of_half(const char *group)
{
	return cg_read_long(group, "memory.current") * 100 / (long long)(limit / 2);
}

int main(int argc, char *argv[])
{
	static struct machine machine;
	lab_begin(&lab, argc, argv);
	limit = default_limit();
	machine_here(&machine);
	autofree char *half = text("%zu", limit / 2);

	lab_step("Touch twice memory.high in a group whose memory.max is far above.",
		"the kernel reclaims and slows the program, and does not kill it");
	autofree char *high = group_create("high");
	cg_write(high, "memory.high", half);
	if (!limit_memory_and_swap(high, "high: memory.max, the safety limit", 4 * limit, "0") ||
		!expect_int("memory.high", (long long)limit / 2, cg_read_long(high, "memory.high")))
		return lab_end();
	pid_t child = FORKED(cg_spawn(high));
	if (child == 0) {
		memset(map_anonymous(limit), 1, limit);
		_exit(0);
	}
	undo_kill(child);
	/* The program would go on slowly for ever. Ten crossings of memory.high are enough. */
	cg_wait_key(high, "memory.events", "high", 10, 20000);
	expect_range("memory.events: high", 10, INT_MAX, memory_event(high, "high"));
	expect_int("high: still alive", false, child_ended(child, 0));
	expect_int("high: oom_kill", 0, memory_event(high, "oom_kill"));
	cg_kill(high);
	child_wait(child);
	lab_row("over memory.high", "-", "slow, alive", "memory.high");

	if (lab_part("swap")) {
		autofree char *group = group_create("swap");
		if (!limit_memory_and_swap(group, "swap: memory.max", limit, "max"))
			return lab_end();
		expect_int("with swap: status", 0, touch_in(group, limit + limit / 2));
		expect_int("with swap: oom_kill", 0, memory_event(group, "oom_kill"));
		cg_write(group, "memory.swap.max", "0");
		expect_int("memory.swap.max 0: status", 137, touch_in(group, limit + limit / 2));
		lab_row("1.5 x the limit", "no swap: 137", "swap: 0", "memory.swap.max");
	}

	if (lab_part("cache")) {
		autofree char *group = group_create("cache");
		autoclose int disk = open_without_cache(machine.block);
		if (!limit_memory_and_swap(group, "cache: memory.max", limit, "0"))
			return lab_end();
		expect_int("2 x the limit read: status", 0,
			read_in(group, machine.block, 0, 2 * limit));
		expect_int("cache: oom_kill", 0, memory_event(group, "oom_kill"));
		expect_range("cache: memory.current", (long long)limit / 2, (long long)limit,
			cg_read_long(group, "memory.current"));
		expect_range("cache: met the limit", 1, INT_MAX, memory_event(group, "max"));
		lab_row("2 x the limit", "anonymous: 137", "page cache: 0", "reclaim");
	}

	/*
	 * protection     memory.max: twice the limit
	 *   keeps        memory.min 1/2, page cache 1/2: the kernel may not take it
	 *   prefers      memory.low 1/2, page cache 1/2: the kernel takes from others first
	 *   loses        unprotected,    page cache 1/2: the kernel takes from here
	 *   presses      touches 3/4 of the limit, 1/4 more than is free
	 */
	if (lab_part("protection")) {
		autofree char *parent = group_create("protection");
		autofree char *keeps = text("%s/keeps", parent);
		autofree char *prefers = text("%s/prefers", parent);
		autofree char *loses = text("%s/loses", parent);
		autofree char *presses = text("%s/presses", parent);
		const char *const groups[] = {keeps, prefers, loses, presses};
		cg_enable(parent, "memory");
		for (int i = 0; i < 4; i++)
			MUST(mkdir(groups[i], 0755));
		autoclose int disk = open_without_cache(machine.block);
		if (!limit_memory_and_swap(parent, "protection: memory.max", 2 * limit, "0"))
			return lab_end();
		cg_write(keeps, "memory.min", half);
		cg_write(prefers, "memory.low", half);
		for (size_t i = 0; i < 3; i++)
			read_in(groups[i], machine.block, i * limit, limit / 2);
		expect_range("before: keeps, percent", 80, 120, percent_of_half(keeps));
		expect_range("before: loses, percent", 80, 120, percent_of_half(loses));
		expect_int("under pressure: status", 0, touch_in(presses, limit / 2 + limit / 4));
		expect_range("memory.min: keeps, percent", 80, 120, percent_of_half(keeps));
		expect_range("memory.low: prefers, percent", 80, 120, percent_of_half(prefers));
		expect_range("unprotected: loses, percent", 0, 60, percent_of_half(loses));
		expect_int("protection: oom_kill", 0, memory_event(parent, "oom_kill"));
		lab_row("cache under pressure", "is lost", "stays", "memory.min");
	}
	return lab_end();
}
