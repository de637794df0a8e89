/*
 * More of 10-oom-demo: for which memory the kernel kills, and which processes.
 * cgroups(7), Documentation/admin-guide/cgroup-v2.rst, "Memory"
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>

#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/mounts.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "memory.h"
#include "story/lab.h"
#include "words.h"

static const struct lab_part parts[] = {
	{.name = "pid1",
		.title = "Let PID 1 of a PID namespace exceed the limit.",
		.expect = "the kernel kills PID 1, and its child goes with it",
		.needs = {.namespaces = true}},
	{.name = "tmpfs",
		.title = "Fill a tmpfs of 1 MiB, which is smaller than memory.max.",
		.expect = "write() fails with ENOSPC, and nobody is killed",
		.needs = {.namespaces = true}},
	{0},
};

static const struct lab lab = {
	.id = "10-oom-demo/more",
	.title = "Which process is killed",
	.goal = "Untouched memory costs nothing. Over the limit, the kernel kills one process of the "
		"group, or with memory.oom.group all of them.",
	.manual = "cgroups(7) mmap(2) pid_namespaces(7) tmpfs(5) proc_pid_oom_score_adj(5)",
	.teaches = "mmap unshare:CLONE_NEWPID mount:tmpfs file:memory.max file:memory.oom.group",
	.after = "10-oom-demo 01-pid-ns 02-mnt-ns",
	.needs = {.controllers = "memory", .kernel = "5.7", .memory = 256 << 20},
	.parts = parts,
	.words = &more_words,
	.story_only = true,
};

static size_t limit; /* memory.max, in bytes */
static struct gate ready;

static bool limit_memory(const char *group, const char *what)
{
	return limit_memory_and_swap(group, what, limit, "0");
}

/*
 * Two processes in one group: a small one, and a second one that exceeds memory.max. Returns the
 * exit status of the small one: 0 when it was still alive and this function ended it.
 */
static int exceed_beside_small(const char *group)
{
	pid_t small = FORKED(cg_spawn(group));
	if (small == 0) {
		memset(map_anonymous(limit / 16), 1, limit / 16);
		gate_open(&ready);
		child_idle();
	}
	undo_kill(small);
	gate_wait(&ready);
	touch_in(group, 2 * limit);
	if (memory_event(group, "oom_kill") < 2 && !child_ended(small, 0)) {
		MUST(kill(small, SIGTERM));
		child_wait(small);
		return 0;
	}
	return child_wait(small);
}

/* PID 1 exceeds the limit. Its child holds the pipe open for as long as it lives. */
static _Noreturn void exceed_as_pid1(int held)
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
	memset(map_anonymous(2 * limit), 1, 2 * limit);
	_exit(0);
}

static _Noreturn void fill_tmpfs(const char *folder)
{
	char block[4096] = {0};
	if (geteuid() != 0) {
		SYS(unshare(CLONE_NEWUSER));
		ns_map_root();
	}
	mounts_unshare();
	SYS(mount("tmpfs", folder, "tmpfs", 0, "size=1m"), folder);
	autofree char *file = text("%s/full", folder);
	int fd = SYS(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600), file);
	ssize_t n;
	do {
		n = write(fd, block, sizeof block);
	} while (n > 0);
	expect_errno("write() to the full tmpfs", ENOSPC, n);
	_exit(0);
}

/* A service that caches each of its 64 answers. All of them together are twice the limit. */
static int serve_in(const char *group, bool evicts)
{
	enum { ENTRIES = 64 };
	pid_t child = FORKED(cg_spawn(group));
	if (child == 0) {
		size_t size = 2 * limit / ENTRIES;
		char *cached[ENTRIES] = {0};
		for (int request = 0; request < ENTRIES; request++) {
			cached[request] = malloc(size);
			if (!cached[request])
				_exit(1);
			memset(cached[request], 1, size);
			if (evicts && request >= ENTRIES / 4)
				free(cached[request - ENTRIES / 4]);
		}
		_exit(0);
	}
	undo_kill(child);
	return child_wait(child);
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	limit = default_limit();
	gate_init(&ready);
	pid_t child;

	lab_step("Allocate four times the limit and touch none of it.",
		"the kernel allows it: only touched pages are charged");
	autofree char *promise = group_create("promise");
	if (!limit_memory(promise, "promise: memory.max"))
		return lab_end();
	child = FORKED(cg_spawn(promise));
	if (child == 0) {
		SYS(mmap(NULL, 4 * limit, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		_exit(0);
	}
	expect_int("4 x the limit, untouched: status", 0, child_wait(child));
	expect_int("untouched: oom_kill", 0, memory_event(promise, "oom_kill"));

	lab_step("Let one of two processes in a group exceed the limit.",
		"the kernel kills that one, and the other lives");
	autofree char *one = group_create("one"), *all = group_create("all");
	if (!limit_memory(one, "one: memory.max") || !limit_memory(all, "all: memory.max"))
		return lab_end();
	expect_int("one: the bystander lives", 0, exceed_beside_small(one));
	expect_int("one: oom_kill", 1, memory_event(one, "oom_kill"));

	lab_step("The same in a group with memory.oom.group.", "the kernel kills both");
	cg_write(all, "memory.oom.group", "1");
	expect_int("memory.oom.group", 1, cg_read_long(all, "memory.oom.group"));
	expect_int("all: the bystander, 128 + SIGKILL", 137, exceed_beside_small(all));
	/* The kernel counts the process that it chose, and may count it again with the group. */
	expect_range("all: oom_kill", 2, 3, memory_event(all, "oom_kill"));

	if (lab_part("pid1")) {
		int held[2];
		char byte;
		autofree char *group = group_create("pid1");
		if (!limit_memory(group, "pid1: memory.max"))
			return lab_end();
		if (pipe2(held, O_CLOEXEC))
			die("pipe2");
		child = FORKED(cg_spawn(group));
		if (child == 0)
			exceed_as_pid1(held[1]);
		close(held[1]);
		undo_kill(child);
		expect_int("PID 1: 128 + SIGKILL", 137, child_wait(child));
		expect_int("pid1: oom_kill, PID 1 only", 1, memory_event(group, "oom_kill"));
		/* End of file: the last process that had the pipe open, the child, is gone. */
		expect_int("its child is gone: bytes to read", 0, read(held[0], &byte, 1));
		close(held[0]);
	}

	if (lab_part("tmpfs")) {
		autofree char *group = group_create("tmpfs");
		const char *folder = tmp_folder(); /* made here, so that this process removes it */
		if (!limit_memory(group, "tmpfs: memory.max"))
			return lab_end();
		child = FORKED(cg_spawn(group));
		if (child == 0)
			fill_tmpfs(folder);
		expect_int("the writer's status", 0, child_wait(child));
		expect_int("tmpfs: oom_kill", 0, memory_event(group, "oom_kill"));
		lab_row("a full tmpfs", "-", "ENOSPC", "size=");
	}

	lab_step("Run a service that caches all its answers, then one that evicts old ones.",
		"under the same limit the first is killed and the second ends with 0");
	autofree char *service = group_create("service");
	if (!limit_memory(service, "service: memory.max"))
		return lab_end();
	expect_int("a cache that never evicts", 137, serve_in(service, false));
	expect_int("one that evicts", 0, serve_in(service, true));
	expect_int("service: oom_kill", 1, memory_event(service, "oom_kill"));

	lab_row("4 x the limit", "touched: 137", "untouched: 0", "demand paging");
	lab_row("the other process", "lives", "is killed too", "memory.oom.group");
	lab_row("a service with a cache", "never evicts: 137", "evicts: 0", "the program");
	return lab_end();
}
