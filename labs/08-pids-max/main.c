/*
 * A fork bomb in a box. A group may have at most pids.max tasks; the next fork(2) in it fails with
 * EAGAIN. What protects the machine while the bomb burns is in outside.c. cgroups(7), fork(2),
 * clone(2), Documentation/admin-guide/cgroup-v2.rst, "PID"
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "outside.h"
#include "story/lab.h"
#include "words.h"

static long long pids = 16; /* N */

static const struct lab_option lab_options[] = {
	{"pids", LAB_NUMBER, &pids, 4, 256, "the limit, pids.max"},
	{0},
};

static const struct lab lab = {
	.id = "08-pids-max",
	.title = "A fork bomb in a box",
	.goal = "A container that forks without end could use up the PIDs of the whole machine. With "
		"pids.max the kernel refuses its forks beyond the limit, and no forks outside.",
	.manual = "cgroups(7) fork(2) clone(2)",
	.teaches = "clone3:CLONE_INTO_CGROUP fork file:pids.max file:pids.current file:pids.events "
		   "file:cgroup.kill",
	.after = "07-cgroup-ns",
	.needs = {.controllers = "pids", .kernel = "5.7"},
	.options = lab_options,
	.words = &words,
	.hazard = true,
};

static struct gate ready, light;

/* As fork(2), but the child starts in group: it never runs an instruction outside of it. */
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

/* Sets the limit and reads it back. Without it, nothing may fork in the group. */
static bool limited(const char *group, const char *what, long long max)
{
	autofree char *number = text("%lld", max);
	cg_write(group, "pids.max", number);
	return expect_int(what, max, cg_read_long(group, "pids.max"));
}

/* Starts a process in group that forks 2N times, and checks how many forks the kernel refuses. */
static pid_t loop_in(const char *group, const char *forked, const char *refused, int error)
{
	pid_t first = FORKED(clone_into(group));
	if (first == 0) {
		int held = 0;
		pid_t child = 0;
		while (held < 2 * pids && (child = fork()) > 0)
			held++;
		if (child == 0)
			child_idle();
		expect_errno(refused, error, child < 0 ? -1 : 0);
		expect_int(forked, error ? pids - 1 : 2 * pids, held);
		gate_open(&ready);
		child_idle();
	}
	undo_kill(first);
	gate_wait(&ready);
	return first;
}

static int refused_inside(const char *box)
{
	int refused = 0;
	for (int i = 0; i < FORKS; i++) {
		pid_t child = clone_into(box);
		if (child == 0)
			_exit(0);
		if (child > 0)
			child_wait(child);
		else
			refused += errno == EAGAIN;
	}
	return refused;
}

/* The group of the process: "/safety/box", or the whole path when it is elsewhere. */
static char *box_of(pid_t pid)
{
	autofree char *file = text("/proc/%d/cgroup", pid), *lines = file_read(file);
	char *path = strstr(lines, "/safety/");
	path = path ? path : strstr(lines, "0::");
	return text("%.*s", (int)strcspn(path, "\n"), path);
}

static _Noreturn void hands_on(void)
{
	autofree char *group = group_create("command");
	limited(group, "pids.max reads back", pids);
	pid_t child = FORKED(clone_into(group));
	if (child == 0)
		lab_exec_command();
	lab_exit_as(child);
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	if (lab_command)
		hands_on();
	gate_init(&ready), gate_init(&light);
	lab_note("N is %lld. The loop forks 2N times, and the children stay.", pids);

	lab_step("Control: run the loop in a group with pids.max = 4N.", "all 2N forks succeed");
	autofree char *control = group_create("control");
	if (!limited(control, "control: pids.max reads back", 4 * pids))
		return lab_end();
	loop_in(control, "control: forked", "control: the last fork", 0);
	lab_look("grep . %s/pids.max %s/pids.current", control, control);
	lab_wait(0);
	cg_kill(control);

	lab_predict("next");
	lab_step("Run the same loop in a group with pids.max = N.",
		"N tasks exist, the next fork fails with EAGAIN, and nobody is killed");
	autofree char *group = group_create("limited");
	if (!limited(group, "pids.max reads back", pids))
		return lab_end();
	pid_t first = loop_in(group, "forked, beside the first", "the next fork", EAGAIN);
	expect_int("pids.current", pids, cg_read_long(group, "pids.current"));
	bool ended = child_ended(first, 0);
	expect_int("who was refused has ended", false, ended);
	lab_answer("next", ended ? "killed" : "refused");
	lab_look("grep . %s/pids.max %s/pids.current", group, group);
	lab_look("cat %s/pids.events", group);
	lab_wait(0);
	cg_kill(group);

	lab_step(
		"Make a box for a fork bomb: a group with pids.max = N, inside a safety group with 4N.",
		"both limits read back, and forks outside succeed");
	int made;
	autofree char *safety = group_create("safety");
	bool safe = limited(safety, "safety limit: pids.max reads back", 4 * pids);
	cg_enable(safety, "pids");
	autofree char *box = group_create("safety/box");
	if (!limited(box, "box: pids.max reads back", pids) || !safe)
		return lab_end();
	lab_note("%d forks out here took %lld ms.", FORKS, forks_outside(&made));
	expect_int("before: forks outside", FORKS, made);
	lab_look("grep . %s/pids.max %s/pids.max", safety, box);
	lab_wait(0);

	lab_predict("outside");
	lab_step("Start a real fork bomb in the box, with a watcher outside that ends it in time.",
		"in the box the kernel refuses every fork; outside all forks succeed");
	struct watcher watcher = watcher_start(safety);
	pid_t spark = FORKED(clone_into(box));
	if (spark == 0) {
		close(watcher.tell); /* or the watcher could not see the end of the lab */
		gate_wait(&light);
		for (;;)
			fork();
	}
	undo_kill(spark);
	autofree char *path = box_of(spark);
	if (!expect_str("the bomb is in", "/safety/box", path))
		return lab_end();
	gate_open(&light);
	/* For a moment, pids.current also counts a process that the kernel is about to refuse. */
	bool full = cg_wait_key(box, "pids.events", "max", 1, 5000);
	expect_range("tasks in its full box", pids, 2 * pids,
		full ? cg_read_long(box, "pids.current") : 0);
	int refused = refused_inside(box);
	long long ms = forks_outside(&made), events = cg_read_key(box, "pids.events", "max");
	bool in_time = !watcher_has_acted(&watcher);
	if (in_time) {
		lab_note("%d forks out here took %lld ms while it burned.", FORKS, ms);
		expect_int("while it burns: forks outside", FORKS, made);
		expect_int("while it burns: EAGAIN inside", FORKS, refused);
		expect_int("pids.events has counted them", true, events > FORKS);
	} else {
		check_skip("while it burns", "machine too busy: ten seconds were not enough",
			"run it again");
	}
	lab_answer("outside", "%s", made == FORKS ? "all" : "none");
	lab_look("grep . %s/pids.current %s/pids.events", box, box);
	lab_look("cat /proc/%d/cgroup", getpid());
	watcher_tell(&watcher);
	lab_wait(0); /* The bomb burns on, until the watcher ends it. */

	lab_step("Write 1 to cgroup.kill of the safety group.",
		"all processes of the bomb are gone");
	watcher_stop(&watcher); /* so that it is our write that ends the bomb */
	cg_kill(safety);
	expect_int("populated 0 comes", true,
		cg_wait_key(safety, "cgroup.events", "populated", 0, 10000));
	bool gone = child_ended(spark, 10000);
	expect_int("the bomb's first process", 137, gone ? child_wait(spark) : 0);
	lab_look("cat %s/cgroup.events", box);

	lab_row("a loop of 2N forks", "4N: all are made", "N: N tasks exist", "pids.max");
	lab_row("the next fork", "works", "EAGAIN", "the kernel");
	lab_row("the process that forks", "lives", "lives", "the kernel");
	if (in_time)
		lab_row("forks while it burns", "outside: 100 of 100", "inside: none of 100",
			"pids.max");
	lab_row("the end of the bomb", "kill(2): one of N", "all at once", "cgroup.kill");
	return lab_end();
}
