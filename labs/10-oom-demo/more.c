/*
 * More of 10-oom-demo: what is not killed, who is killed, and what protects.
 * cgroups(7), Documentation/admin-guide/cgroup-v2.rst, "Memory"
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "machine/machine.h"
#include "story/lab.h"
#include "words.h"

static const struct lab_part parts[] = {
	{.name = "pid1",
		.title = "PID 1 is the one that is killed: its child must go with it.",
		.needs = {.namespaces = true}},
	{.name = "swap",
		.title = "With swap the same program must live: swap hides the limit.",
		.needs = {.swap = true}},
	{.name = "cache",
		.title = "Page cache over the limit must be given back, with nobody killed.",
		.needs = {.block = true}},
	{.name = "protection",
		.title =
			"memory.min and memory.low: under pressure the protected groups must keep theirs.",
		.needs = {.block = true}},
	{.name = "tmpfs",
		.title =
			"A full filesystem is another thing: ENOSPC for the writer, nobody killed.",
		.needs = {.namespaces = true}},
	{0},
};

static const struct lab lab = {
	.id = "10-oom-demo/more",
	.title = "What is killed, and what is not",
	.goal = "The kernel kills only for memory that it cannot get back: not for promises, not for "
		"cache, not above memory.high.",
	.manual = "cgroups(7) mmap(2) tmpfs(5) proc_pid_oom_score_adj(5)",
	.teaches =
		"mmap unshare:CLONE_NEWPID unshare:CLONE_NEWNS mount:tmpfs file:memory.max "
		"file:memory.high file:memory.min file:memory.low file:memory.oom.group file:memory.swap.max",
	.after = "10-oom-demo",
	.needs = {.controllers = "memory", .kernel = "5.14", .memory = 256 << 20},
	.parts = parts,
	.words = &more_words,
	.story_only = true,
};

static size_t limit; /* bytes */
static struct gate ready;

/* A group with memory.max, and swap or none; false when the kernel does not confirm it. */
static bool limited(const char *group, const char *what, size_t bytes, const char *swap)
{
	autofree char *value = text("%zu", bytes);
	cg_write(group, "memory.max", value);
	if (cg_has(group, "memory.swap.max"))
		cg_write(group, "memory.swap.max", swap);
	return expect_int(what, (long long)bytes, cg_read_long(group, "memory.max"));
}

static long long event(const char *group, const char *key)
{
	return cg_read_key(group, "memory.events", key);
}

static char *anonymous(size_t size)
{
	return SYS(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

/* A child in group that touches size bytes; its status. */
static int touch_in(const char *group, size_t size)
{
	pid_t child = FORKED(cg_spawn(group));
	if (child == 0) {
		memset(anonymous(size), 1, size);
		_exit(0);
	}
	undo_kill(child);
	return child_wait(child);
}

/* A child in group that is merely there, after it has touched a little. */
static pid_t bystander_in(const char *group)
{
	pid_t child = FORKED(cg_spawn(group));
	if (child == 0) {
		memset(anonymous(limit / 16), 1, limit / 16);
		gate_open(&ready);
		child_idle();
	}
	undo_kill(child);
	gate_wait(&ready);
	return child;
}

static void promises(void)
{
	autofree char *group = group_create("promise");
	if (!limited(group, "promise: memory.max", limit, "0"))
		return;
	pid_t child = FORKED(cg_spawn(group));
	if (child == 0) {
		anonymous(4 * limit);
		_exit(0);
	}
	expect_int("4 x the limit, untouched: status", 0, child_wait(child));
	expect_int("untouched: oom_kill", 0, event(group, "oom_kill"));
}

static void slowed(void)
{
	autofree char *group = group_create("high");
	autofree char *half = text("%zu", limit / 2);
	cg_write(group, "memory.high", half);
	if (!limited(group, "high: memory.max, the belt", 4 * limit, "0") ||
		!expect_int(
			"memory.high", (long long)limit / 2, cg_read_long(group, "memory.high")))
		return;
	pid_t child = FORKED(cg_spawn(group));
	if (child == 0) {
		memset(anonymous(limit), 1, limit);
		_exit(0);
	}
	undo_kill(child);
	/* It would be slowed for ever; ten times over the line tell enough. */
	cg_wait_key(group, "memory.events", "high", 10, 20000);
	expect_range("memory.events: high", 10, INT_MAX, event(group, "high"));
	expect_int("high: still alive", false, child_ended(child, 0));
	expect_int("high: oom_kill", 0, event(group, "oom_kill"));
	cg_kill(group);
	child_wait(child);
}

/* Done twice: one of two processes is too large. The status of the other one. */
static int victim_and_bystander(const char *group)
{
	pid_t other = bystander_in(group);
	touch_in(group, 2 * limit);
	if (event(group, "oom_kill") < 2 && !child_ended(other, 0)) {
		MUST(kill(other, SIGTERM));
		child_wait(other);
		return 0; /* it was alive to be ended by us */
	}
	return child_wait(other);
}

static void who_goes(void)
{
	autofree char *one = group_create("one"), *all = group_create("all");
	if (!limited(one, "one: memory.max", limit, "0") ||
		!limited(all, "all: memory.max", limit, "0"))
		return;
	expect_int("one: the bystander lives", 0, victim_and_bystander(one));
	expect_int("one: oom_kill", 1, event(one, "oom_kill"));
	cg_write(all, "memory.oom.group", "1");
	expect_int("memory.oom.group", 1, cg_read_long(all, "memory.oom.group"));
	expect_int("all: the bystander, 128 + SIGKILL", 137, victim_and_bystander(all));
	/* The chosen one is counted again among all of its group. */
	expect_range("all: oom_kill", 2, 3, event(all, "oom_kill"));
}

/* The first process of a PID namespace grows; its child holds a pipe open. */
static _Noreturn void container(int held)
{
	if (geteuid() != 0) {
		SYS(unshare(CLONE_NEWUSER)); /* lab 05 shows what this does */
		ns_map_root();
	}
	SYS(unshare(CLONE_NEWPID));
	pid_t first = FORK();
	if (first > 0) {
		close(held);
		_exit(child_wait(first));
	}
	if (!expect_int("in a PID namespace of its own it is", 1, getpid()))
		_exit(1);
	pid_t child = FORK();
	if (child == 0)
		child_idle();
	close(held);
	memset(anonymous(2 * limit), 1, 2 * limit);
	_exit(0);
}

static void pid1(void)
{
	int held[2];
	char byte;
	autofree char *group = group_create("pid1");
	if (!limited(group, "pid1: memory.max", limit, "0"))
		return;
	if (pipe2(held, O_CLOEXEC))
		die("pipe2");
	pid_t child = FORKED(cg_spawn(group));
	if (child == 0)
		container(held[1]);
	close(held[1]);
	undo_kill(child);
	expect_int("PID 1: 128 + SIGKILL", 137, child_wait(child));
	expect_int("pid1: oom_kill, PID 1 only", 1, event(group, "oom_kill"));
	/* End of file: the last process that had it open, its child, is gone too. */
	expect_int("its child is gone: bytes to read", 0, read(held[0], &byte, 1));
	close(held[0]);
}

static void swap(void)
{
	autofree char *group = group_create("swap");
	if (!limited(group, "swap: memory.max", limit, "max"))
		return;
	expect_int("with swap: status", 0, touch_in(group, limit + limit / 2));
	expect_int("with swap: oom_kill", 0, event(group, "oom_kill"));
	cg_write(group, "memory.swap.max", "0");
	expect_int("memory.swap.max 0: status", 137, touch_in(group, limit + limit / 2));
	lab_row("1.5 x the limit", "no swap: 137", "swap: 0", "memory.swap.max");
}

/* A child in group that reads size bytes of the scratch device into the page cache. */
static int read_in(const char *group, const char *device, size_t from, size_t size)
{
	static char buffer[1 << 16];
	pid_t child = FORKED(cg_spawn(group));
	if (child == 0) {
		autoclose int fd = SYS(open(device, O_RDONLY | O_CLOEXEC));
		for (size_t at = 0; at < size; at += sizeof buffer)
			if (pread(fd, buffer, sizeof buffer, (off_t)(from + at)) != sizeof buffer)
				_exit(1);
		_exit(0);
	}
	undo_kill(child);
	return child_wait(child);
}

/*
 * A device's cache lives as long as somebody has it open, and it is everybody's:
 * so the caller has it open, and locked against another run, until it closes this.
 */
static int without_cache(const char *device)
{
	int fd = SYS(open(device, O_RDONLY | O_CLOEXEC));
	SYS(flock(fd, LOCK_EX));
	errno = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	if (errno)
		die("posix_fadvise %s", device);
	return fd;
}

static void cache(const char *device)
{
	autofree char *group = group_create("cache");
	autoclose int open_device = without_cache(device);
	if (!limited(group, "cache: memory.max", limit, "0"))
		return;
	expect_int("2 x the limit read: status", 0, read_in(group, device, 0, 2 * limit));
	expect_int("cache: oom_kill", 0, event(group, "oom_kill"));
	expect_range("cache: memory.current", (long long)limit / 2, (long long)limit,
		cg_read_long(group, "memory.current"));
	expect_range("cache: met the limit", 1, INT_MAX, event(group, "max"));
	lab_row("2 x the limit", "anonymous: 137", "page cache: 0", "reclaim");
}

static long long percent_of(const char *group, long long full)
{
	return cg_read_long(group, "memory.current") * 100 / full;
}

/*
 * protection   memory.max 2 x limit
 *   keeps      memory.min 1/2: cache 1/2, must stay
 *   prefers    memory.low 1/2: cache 1/2, must stay while others have some to give
 *   loses      unprotected:    cache 1/2, must shrink
 *   presses    touches 3/4, which is 1/4 more than there is room for
 */
static void protection(const char *device)
{
	autofree char *parent = group_create("protection");
	autofree char *keeps = text("%s/keeps", parent), *loses = text("%s/loses", parent);
	autofree char *presses = text("%s/presses", parent), *prefers = text("%s/prefers", parent);
	autofree char *half = text("%zu", limit / 2);
	cg_enable(parent, "memory");
	const char *const groups[] = {keeps, prefers, loses, presses};
	for (int i = 0; i < 4; i++)
		SYS(mkdir(groups[i], 0755));
	autoclose int open_device = without_cache(device);
	if (!limited(parent, "protection: memory.max", 2 * limit, "0"))
		return;
	cg_write(keeps, "memory.min", half);
	cg_write(prefers, "memory.low", half);
	for (size_t i = 0; i < 3; i++)
		read_in(groups[i], device, i * limit, limit / 2);
	long long full = (long long)limit / 2;
	expect_range("before: keeps, percent", 80, 120, percent_of(keeps, full));
	expect_range("before: loses, percent", 80, 120, percent_of(loses, full));
	expect_int("under pressure: status", 0, touch_in(presses, limit / 2 + limit / 4));
	expect_range("memory.min: keeps, percent", 80, 120, percent_of(keeps, full));
	expect_range("memory.low: prefers, percent", 80, 120, percent_of(prefers, full));
	expect_range("unprotected: loses, percent", 0, 60, percent_of(loses, full));
	expect_int("protection: oom_kill", 0, event(parent, "oom_kill"));
	lab_row("cache under pressure", "is lost", "stays", "memory.min");
}

static _Noreturn void full_tmpfs(void)
{
	char block[4096] = {0};
	long before = ns_inode(0, "mnt");
	const char *folder = tmp_folder();
	if (geteuid() != 0) {
		SYS(unshare(CLONE_NEWUSER));
		ns_map_root();
	}
	SYS(unshare(CLONE_NEWNS));
	if (!expect_differ("own mount table", before, ns_inode(0, "mnt")))
		_exit(1);
	SYS(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	SYS(mount("tmpfs", folder, "tmpfs", 0, "size=1m"));
	autofree char *file = text("%s/full", folder);
	int fd = SYS(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	ssize_t n;
	do {
		n = write(fd, block, sizeof block);
	} while (n > 0);
	expect_errno("write() to the full tmpfs", ENOSPC, n);
	_exit(0);
}

static void tmpfs(void)
{
	autofree char *group = group_create("tmpfs");
	tmp_folder(); /* ours to undo, not the child's */
	if (!limited(group, "tmpfs: memory.max", limit, "0"))
		return;
	pid_t child = FORKED(cg_spawn(group));
	if (child == 0)
		full_tmpfs();
	expect_int("the writer's status", 0, child_wait(child));
	expect_int("tmpfs: oom_kill", 0, event(group, "oom_kill"));
	lab_row("a full tmpfs", "-", "ENOSPC", "size=");
}

/* Done twice: a service that caches every answer, in a group whose limit is a quarter of them all.
 */
static int service_in(const char *group, bool evicts)
{
	enum { ENTRIES = 64 };
	pid_t child = FORKED(cg_spawn(group));
	if (child == 0) {
		size_t size = 2 * limit / ENTRIES;
		char *kept[ENTRIES] = {0};
		for (int request = 0; request < ENTRIES; request++) {
			kept[request] = malloc(size);
			if (!kept[request])
				_exit(1);
			memset(kept[request], 1, size);
			if (evicts && request >= ENTRIES / 4)
				free(kept[request - ENTRIES / 4]);
		}
		_exit(0);
	}
	undo_kill(child);
	return child_wait(child);
}

static void war_story(void)
{
	autofree char *group = group_create("service");
	if (!limited(group, "service: memory.max", limit, "0"))
		return;
	expect_int("a cache that never evicts", 137, service_in(group, false));
	expect_int("one that evicts", 0, service_in(group, true));
	expect_int("service: oom_kill", 1, event(group, "oom_kill"));
}

int main(int argc, char *argv[])
{
	static struct machine machine;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	lab_begin(&lab, argc, argv);
	limit = page * 1024 > 32 << 20 ? page * 1024 : 32 << 20;
	gate_init(&ready);
	machine_here(&machine);

	lab_step(
		"Allocating is not using: four times the limit, untouched, must be allowed.", NULL);
	promises();
	lab_step("memory.high must slow and reclaim, and not kill.", NULL);
	slowed();
	lab_step("One process is chosen; with memory.oom.group all must go together.", NULL);
	who_goes();
	lab_row("4 x the limit", "touched: 137", "untouched: 0", "demand paging");
	lab_row("over memory.high", "-", "slow, alive", "memory.high");
	lab_row("the other process", "lives", "is killed too", "memory.oom.group");

	if (lab_part("pid1"))
		pid1();
	if (lab_part("swap"))
		swap();
	if (lab_part("cache"))
		cache(machine.block);
	if (lab_part("protection"))
		protection(machine.block);
	if (lab_part("tmpfs"))
		tmpfs();
	lab_step("A war story: a cache that never evicts, under a limit.", NULL);
	war_story();
	return lab_end();
}
