/*
 * More of 08-pids-max: what is counted where, what gets in beyond the limit, and
 * the race of a late attach. cgroups(7), clone(2),
 * Documentation/admin-guide/cgroup-v2.rst, "PID"
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"
#include "words.h"

static const struct lab lab = {
	.id = "08-pids-max/more",
	.title = "Who is counted, and who gets in",
	.goal = "pids.max refuses forks and nothing else: an attach passes it, and so does a child "
		"that was forked before its parent was attached.",
	.manual = "cgroups(7) clone(2) fork(2)",
	.teaches = "clone3:CLONE_INTO_CGROUP fork file:pids.max file:pids.current file:pids.events "
		   "file:cgroup.procs",
	.after = "08-pids-max",
	.needs = {.controllers = "pids", .kernel = "5.7"},
	.words = &more_words,
	.story_only = true,
};

enum { N = 8, REFUSED = 3, TIMES = 50 };

/* What became of the forks of a family; in a page that it shares with us. */
static struct tally {
	int held, refused;
	pid_t child[2 * N];
} * tally;

static struct gate ready, go;

static pid_t clone_into(const char *group)
{
	autoclose int folder = open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)folder,
	};
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
	if (pid == 0)
		child_born();
	return pid;
}

/* A process, born in group or else (NULL) here, that forks n children; all of them stay. */
static pid_t family(const char *group, int n)
{
	memset(tally, 0, sizeof *tally);
	pid_t first = group ? FORKED(clone_into(group)) : FORK();
	if (first == 0) {
		for (int i = 0; i < n; i++) {
			pid_t child = fork();
			if (child == 0)
				child_idle();
			if (child > 0)
				tally->child[tally->held++] = child;
			else
				tally->refused += errno == EAGAIN;
		}
		gate_open(&ready);
		child_idle();
	}
	undo_kill(first);
	gate_wait(&ready);
	return first;
}

static bool limited(const char *group, const char *what, int max)
{
	autofree char *number = text("%d", max);
	cg_write(group, "pids.max", number);
	return expect_int(what, max, cg_read_long(group, "pids.max"));
}

static void attach(const char *group, pid_t pid)
{
	autofree char *number = text("%d", pid);
	cg_write(group, "cgroup.procs", number);
}

static void own_limit(void)
{
	autofree char *group = group_create("own");
	if (!limited(group, "own: pids.max reads back", N))
		return;
	expect_int("own: pids.events max before", 0, cg_read_key(group, "pids.events", "max"));
	pid_t first = family(group, N - 1 + REFUSED);
	expect_int("own: forked", N - 1, tally->held);
	expect_int("own: refused with EAGAIN", REFUSED, tally->refused);
	expect_int("own: pids.current", N, cg_read_long(group, "pids.current"));
	expect_int("own: pids.events max", REFUSED, cg_read_key(group, "pids.events", "max"));
	lab_look("grep . %s/pids.current %s/pids.events", group, group);
	lab_wait(first);
	cg_kill(group);
	if (cg_has(group, "pids.peak"))
		expect_int("own: pids.peak, with all gone", N, cg_read_long(group, "pids.peak"));
}

static void limit_above(void)
{
	autofree char *above = group_create("above");
	cg_enable(above, "pids");
	autofree char *below = group_create("above/below"), *mounts = file_read("/proc/mounts");
	if (!limited(above, "above: pids.max reads back", N))
		return;
	autofree char *max = cg_read(below, "pids.max");
	expect_str("below: its own limit", "max", max);
	pid_t first = family(below, N - 1 + REFUSED);
	expect_int("below: refused with EAGAIN", REFUSED, tally->refused);
	expect_int("below: pids.current", N, cg_read_long(below, "pids.current"));
	/* From Linux 6.11 on, unless the mount asks for the old way: cgroups(7), pids_localevents
	 */
	bool by_holder = cg_has(below, "pids.events.local") && !strstr(mounts, "pids_localevents");
	lab_note(by_holder
			 ? "This kernel counts in the group with the limit (Linux 6.11 and later)."
			 : "This kernel counts in the group of the fork (Linux 6.10 and earlier).");
	expect_int("counted where the fork was", by_holder ? 0 : REFUSED,
		cg_read_key(below, "pids.events", "max"));
	expect_int("counted where the limit is", by_holder ? REFUSED : 0,
		cg_read_key(above, "pids.events", "max"));
	lab_look("grep . %s/pids.events %s/pids.events", above, below);
	lab_wait(first);
	cg_kill(above);
}

static void beyond(void)
{
	autofree char *group = group_create("beyond");
	if (!limited(group, "beyond: pids.max reads back", 2))
		return;
	pid_t first = family(NULL, 3);
	attach(group, first);
	for (int i = 0; i < tally->held; i++)
		attach(group, tally->child[i]);
	expect_int("attached, with room for 2", 4, cg_read_long(group, "pids.current"));
	pid_t one_more = clone_into(group);
	if (one_more == 0)
		_exit(0);
	expect_errno("a child that would be born there", EAGAIN, one_more);
	cg_write(group, "pids.max", "1");
	expect_int("lowered: pids.max", 1, cg_read_long(group, "pids.max"));
	expect_int("lowered: pids.current", 4, cg_read_long(group, "pids.current"));
	lab_look("grep . %s/pids.max %s/pids.current", group, group);
	lab_wait(first);
	cg_kill(group);
}

/* How many of the family's children are not in the group. */
static int escaped(const char *group)
{
	autofree char *name = text("/%s", strrchr(group, '/') + 1);
	int out = 0;
	for (int i = 0; i < tally->held; i++) {
		autofree char *path = text("/proc/%d/cgroup", tally->child[i]);
		autofree char *lines = file_read(path);
		char *own = strstr(lines, "0::");
		own[strcspn(own, "\n")] = '\0';
		out += strcmp(strrchr(own, '/'), name) != 0;
	}
	return out;
}

/* Microseconds for a child in group that ends at once: forked and attached, or born there. */
static long long cost(const char *group, bool late)
{
	struct timespec from, to;
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (int i = 0; i < TIMES; i++) {
		pid_t child = MUST(late ? fork() : clone_into(group));
		if (child == 0) {
			if (late)
				gate_wait(&go);
			_exit(0);
		}
		if (late) {
			attach(group, child);
			gate_open(&go);
		}
		child_done(child);
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	return ((to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000) / TIMES;
}

static void race(void)
{
	autofree char *late = group_create("late"), *born = group_create("born");
	pid_t first = family(NULL, 3);
	attach(late, first); /* too late: it has forked already */
	expect_int("late: tasks in the group", 1, cg_read_long(late, "pids.current"));
	expect_int("late: children that escaped", 3, escaped(late));
	lab_look("cat /proc/%d/cgroup", tally->child[0]);
	lab_wait(first);
	for (int i = 0; i < tally->held; i++)
		MUST(kill(tally->child[i], SIGKILL));
	cg_kill(late);
	family(born, 3);
	expect_int("born in it: tasks in the group", 4, cg_read_long(born, "pids.current"));
	expect_int("born in it: children that escaped", 0, escaped(born));
	cg_kill(born);
	/* Some kernels of 2026 kill whoever is born where cgroup.kill was ever written. */
	autofree char *timed = group_create("timed");
	lab_note("A child by fork() and a write took %lld us.", cost(timed, true));
	lab_note("A child by clone3() took %lld us.", cost(timed, false));
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	gate_init(&ready), gate_init(&go);
	tally = mmap(
		NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tally == MAP_FAILED)
		die("mmap");

	lab_step("Fork beyond the limit of a group.", "pids.events counts each refusal");
	own_limit();
	lab_step("Fork in a group whose parent has the limit.",
		"the parent's limit holds; the kernel version decides which group counts");
	limit_above();
	lab_step("Move more processes into a group than its limit allows.",
		"cgroup.procs accepts them: the kernel refuses only forks");
	beyond();
	lab_step("Attach a process after its fork, then create one with CLONE_INTO_CGROUP.",
		"the late write misses its children, clone3() misses none");
	race();

	lab_row("a refusal by the own limit", "0", "counted", "pids.events");
	lab_row("no limit, one above", "-", "N tasks", "the parent's pids.max");
	lab_row("more than pids.max", "fork: EAGAIN", "attach: allowed", "the kernel");
	lab_row("pids.max below pids.current", "-", "all live on", "the kernel");
	lab_row("children that escape", "late write: all", "born there: none", "CLONE_INTO_CGROUP");
	return lab_end();
}
