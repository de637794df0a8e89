/*
 * A fork bomb in a box. A group may have pids.max tasks and no more: the next
 * fork(2) in it fails with EAGAIN. cgroups(7), fork(2), clone(2),
 * Documentation/admin-guide/cgroup-v2.rst, "PID"
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"
#include "words.h"

enum { FORKS = 100, WATCH_MS = 10000 };

static long long pids = 16; /* N */

static const struct lab_option lab_options[] = {
	{"pids", LAB_NUMBER, &pids, 4, 256, "the limit, pids.max"},
	{0},
};

static const struct lab lab = {
	.id = "08-pids-max",
	.title = "A fork bomb in a box",
	.goal = "A container that forks without end must not take the machine's PIDs. Its group "
		"holds it: a fork beyond pids.max is refused, and nobody outside is.",
	.manual = "cgroups(7) fork(2) clone(2)",
	.teaches = "clone3:CLONE_INTO_CGROUP fork file:pids.max file:pids.current file:pids.events "
		   "file:cgroup.kill",
	.after = "07-cgroup-ns",
	.needs = {.controllers = "pids", .kernel = "5.14"},
	.options = lab_options,
	.words = &words,
	.hazard = true,
};

static struct gate ready, light;

/* fork(2), but the child is born in group: it has not run one instruction outside of it. */
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

/* True when the kernel says that the limit holds: before that nothing multiplies in it. */
static bool limited(const char *group, const char *what, long long max)
{
	autofree char *number = text("%lld", max);
	cg_write(group, "pids.max", number);
	return expect_int(what, max, cg_read_long(group, "pids.max"));
}

/* Done twice, with 4N and with N: a bounded loop, 2N forks; what of it was refused, and how. */
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

/* Milliseconds that FORKS forks out here take; *made of them were not refused. */
static long long forks_outside(int *made)
{
	struct timespec from, to;
	*made = 0;
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (int i = 0; i < FORKS; i++) {
		pid_t child = fork();
		if (child == 0)
			_exit(0);
		if (child > 0)
			*made += child_wait(child) == 0;
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	return (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
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

/* Outside of the box: ends all in it after ten seconds without a sign, at once without a lab. */
static pid_t watcher(const char *belt, const int lab_there[2])
{
	autofree char *button = text("%s/cgroup.kill", belt);
	pid_t pid = FORK();
	if (pid == 0) {
		struct pollfd gone = {.fd = lab_there[0]};
		close(lab_there[1]);
		gate_open(&ready);
		int told;
		do
			told = poll(&gone, 1, WATCH_MS);
		while (told > 0 && read(lab_there[0], &(char){0}, 1) == 1);
		file_try_write(button, "1");
		_exit(told == 0);
	}
	gate_wait(&ready);
	return pid;
}

/* The path of its group, from the belt on: /belt/box; all of it when it is elsewhere. */
static char *seat_of(pid_t pid)
{
	autofree char *path = text("/proc/%d/cgroup", pid), *lines = file_read(path);
	char *seat = strstr(lines, "/belt/");
	seat = seat ? seat : strstr(lines, "0::");
	return text("%.*s", (int)strcspn(seat, "\n"), seat);
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
	lab_note("N is %lld. The loop forks 2N times; whoever was forked stays.", pids);

	lab_step("Control: in a group with pids.max = 4N the whole loop must go through.", NULL);
	autofree char *control = group_create("control");
	if (!limited(control, "control: pids.max reads back", 4 * pids))
		return lab_end();
	loop_in(control, "control: forked", "control: the last fork", 0);
	lab_look("grep . %s/pids.max %s/pids.current", control, control);
	lab_wait(0);
	cg_kill(control);

	lab_predict("next");
	lab_step("The same with N: exactly N tasks must exist, and the next fork fail.", NULL);
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

	lab_step("The box: pids.max = N, below a belt of 4N, with a watcher outside.", NULL);
	int lab_there[2], made;
	if (pipe2(lab_there, O_CLOEXEC))
		die("pipe2");
	autofree char *belt = group_create("belt");
	bool safe = limited(belt, "belt: pids.max reads back", 4 * pids);
	cg_enable(belt, "pids");
	autofree char *box = group_create("belt/box");
	safe = limited(box, "box: pids.max reads back", pids) && safe;
	if (!safe)
		return lab_end();
	lab_note("%d forks out here took %lld ms.", FORKS, forks_outside(&made));
	expect_int("before: forks outside", FORKS, made);
	lab_look("grep . %s/pids.max %s/pids.max", belt, box);
	lab_wait(0);

	lab_predict("outside");
	lab_step("Light a real fork bomb in it. Outside, every fork must still work.", NULL);
	pid_t watch = watcher(belt, lab_there);
	pid_t spark = FORKED(clone_into(box));
	if (spark == 0) {
		close(lab_there[1]);
		gate_wait(&light);
		for (;;)
			fork();
	}
	undo_kill(spark);
	autofree char *seat = seat_of(spark);
	if (!expect_str("the bomb sits in", "/belt/box", seat))
		return lab_end();
	gate_open(&light);
	/* pids.events announces a refusal by POLLPRI. Who is refused is counted for a moment. */
	bool full = cg_wait_key(box, "pids.events", "max", 1, 5000);
	expect_range("tasks in its full box", pids, 2 * pids,
		full ? cg_read_long(box, "pids.current") : 0);
	int refused = refused_inside(box);
	long long ms = forks_outside(&made), events = cg_read_key(box, "pids.events", "max");
	bool in_time = !child_ended(watch, 0);
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
	if (write(lab_there[1], "", 1) != 1)
		die("write to the watcher");
	lab_wait(0); /* it goes on burning, until the watcher's time is over */

	lab_step("One write to cgroup.kill: the box must be empty, by poll.", NULL);
	MUST(kill(watch, SIGKILL)); /* relieved, so that it is our write that ends it */
	child_wait(watch);
	cg_write(belt, "cgroup.kill", "1");
	expect_int("populated 0 comes", true,
		cg_wait_key(belt, "cgroup.events", "populated", 0, 10000));
	bool gone = child_ended(spark, 10000);
	expect_int("the bomb's first process", 137, gone ? child_wait(spark) : 0);
	lab_look("cat %s/cgroup.events", box);

	lab_row("a loop of 2N forks", "4N: all are made", "N: N tasks exist", "pids.max");
	lab_row("the next fork", "works", "EAGAIN", "the kernel");
	lab_row("who asked for it", "lives", "lives", "nobody kills");
	if (in_time)
		lab_row("forks while it burns", "outside: 100 of 100", "inside: none of 100",
			"pids.max");
	lab_row("the end of it", "kill(2): one of N", "all at once", "cgroup.kill");
	return lab_end();
}
