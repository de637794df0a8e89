/*
 * Throttled, not killed. cpu.max gives a group of processes a quota of CPU time in
 * each period. When the group has used it up, the kernel throttles the group until
 * the next period. cpu.weight says how groups divide a CPU that they all want; a
 * group that wants it alone may use all of it.
 * cgroups(7), Documentation/admin-guide/cgroup-v2.rst, "CPU"
 */
#define _GNU_SOURCE
#include <sched.h>

#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "spinner.h"
#include "story/lab.h"
#include "words.h"

static long long quota = 50000, period = 100000, cpus, seconds = 2000, weight = 300;

static const struct lab_option lab_options[] = {
	{"quota", LAB_NUMBER, &quota, 1000, 64000000, "usec of CPU in each period, cpu.max"},
	{"period", LAB_NUMBER, &period, 10000, 1000000, "length of a period in usec"},
	{"cpus", LAB_DECIMAL, &cpus, 100, 64000, "as docker: the quota is CPUS x period"},
	{"seconds", LAB_DECIMAL, &seconds, 200, 20000, "how long each measurement takes"},
	{"weight", LAB_NUMBER, &weight, 10, 1000, "cpu.weight of the heavy group"},
	{0},
};

static const struct lab lab = {
	.id = "09-cpu-max",
	.title = "Throttled, not killed",
	.goal = "When a container has used up its CPU quota, the kernel stops it for the rest of the "
		"period. A weight is different: it counts only while others want the CPU too.",
	.manual = "cgroups(7) sched(7) sched_setaffinity(2) clock_gettime(2) proc_pid_schedstat(5)",
	.teaches = "sched_setaffinity file:cpu.max file:cpu.weight file:cpu.stat",
	.after = "07-cgroup-ns 08-pids-max",
	.needs = {.controllers = "cpu", .kernel = "5.7", .cpus = 2, .fewer_cpus = true},
	.options = lab_options,
	.words = &words,
	.quick = "--seconds=1",
	.exclusive_cpu = true,
};

/* Starts a spinner, a process that only burns CPU. cg_spawn() creates it in its group. */
static void start(struct spinner *s, long long predicted)
{
	s->predicted = predicted;
	prepare(s);
	s->pid = FORKED(cg_spawn(s->group));
	if (s->pid == 0)
		spin(s);
	undo_kill(s->pid);
}

static bool limited_by(const char *group)
{
	autofree char *limit = text("%lld %lld", quota, period);
	cg_write(group, "cpu.max", limit);
	autofree char *read_back = cg_read(group, "cpu.max");
	return expect_str("cpu.max reads back", limit, read_back);
}

/* A spinner beside another one gets a whole CPU, where there is one for each. */
static void expect_two_cpus(bool have_two, bool quiet, const char *what, const struct spinner *s)
{
	if (have_two)
		expect_measured(quiet, what, 100, s->used * 100 / s->length);
	else
		skip_on_one_cpu(what);
}

static _Noreturn void hands_on(void)
{
	autofree char *group = group_create("command");
	limited_by(group);
	pid_t child = FORKED(cg_spawn(group));
	if (child == 0)
		lab_exec_command();
	lab_exit_as(child);
}

int main(int argc, char *argv[])
{
	if (lab_parse(&lab, argc, argv) && seconds * 1000 < 2 * period)
		option_usage("--period %lld: expected --seconds of two of them or more", period);
	lab_begin(&lab, argc, argv);
	if (cpus)
		quota = cpus * period / 1000;
	if (lab_command)
		hands_on();
	window = seconds * 1000;
	long long share = quota < period ? quota : period; /* one thread: one CPU at most */
	cpu_set_t all, one, two;
	SYS(sched_getaffinity(0, sizeof all, &all));
	CPU_ZERO(&one);
	CPU_ZERO(&two);
	CPU_SET(nth_cpu(&all, 0), &one);
	CPU_SET(nth_cpu(&all, 0), &two);
	bool have_two = CPU_COUNT(&all) > 1;
	if (have_two)
		CPU_SET(nth_cpu(&all, 1), &two);

	lab_step("Control: run a busy process, a spinner, in a group without a limit.",
		"it gets a whole CPU, and the kernel never throttles it");
	struct spinner control = {.group = group_create("control")};
	start(&control, window);
	/* quiet: no other program has used these CPUs; else the checks of time are skipped */
	bool quiet = measure((struct spinner *[]){&control}, 1, &all);
	expect_measured(quiet, "control: usec in each period", period,
		control.used * period / control.length);
	expect_int("control: nr_throttled", 0, control.throttles);

	lab_predict("limit");
	lab_step("Write a quota and a period to cpu.max of a group, and run a spinner in it.",
		"the kernel throttles the spinner at its quota, and does not kill it");
	struct spinner limited = {.group = group_create("limited")};
	if (!limited_by(limited.group))
		return lab_end();
	start(&limited, window * share / period);
	quiet = measure((struct spinner *[]){&limited}, 1, &all);
	bool must = share < period;
	expect_measured(quiet, "limited: usec in each period", share,
		limited.used * period / limited.length);
	expect_measured_range(
		quiet, "nr_throttled", must, must ? 2 * window / period : 0, limited.throttles);
	expect_measured_range(quiet, "throttled_usec", (window - limited.predicted) / 2,
		must ? window + period : 0, limited.throttled_for);
	expect_str("the spinner is", "alive", child_ended(limited.pid, 0) ? "killed" : "alive");
	lab_look("grep . %s/cpu.max %s/cpu.stat", limited.group, limited.group);
	lab_look("cat /proc/%d/cgroup", limited.pid);
	lab_wait(limited.pid);

	lab_step("Draw when the spinner ran.",
		"in each period it runs (dark) until its quota is used, then waits (light)");
	const long long *cell = limited.seen->cell, size = window / CELLS;
	int still = 0, first = 0; /* cells in which it stood still; where it first went on */
	for (int i = 0; i < CELLS; i++) {
		still += cell[i] < size / 4;
		if (!first && i && cell[i - 1] < size / 2 && cell[i] >= size / 2)
			first = i;
	}
	lab_answer("limit", child_ended(limited.pid, 0) ? "killed" : still > 10 ? "stops" : "runs");
	int running = lab_cells("running", cell, CELLS, size, "usec",
		period < 2 * size ? window / 10 : period, first * size);
	expect_measured(true, "running cells, % of usage_usec", 100,
		limited.used ? running * size * 100 / limited.used : 0);

	lab_step("Run a spinner in each of two groups with different weights, both on one CPU.",
		"they share the CPU in the proportion of their cpu.weight");
	struct spinner light = {.group = group_create("light")},
		       heavy = {.group = group_create("heavy")};
	struct spinner *const both[] = {&light, &heavy};
	autofree char *weight_text = text("%lld", weight);
	cg_write(heavy.group, "cpu.weight", weight_text);
	expect_int("light: cpu.weight", 100, cg_read_long(light.group, "cpu.weight"));
	expect_int("heavy: cpu.weight", weight, cg_read_long(heavy.group, "cpu.weight"));
	start(&light, window * 100 / (100 + weight));
	start(&heavy, window * weight / (100 + weight));
	SYS(sched_setaffinity(light.pid, sizeof one, &one), light.pid);
	SYS(sched_setaffinity(heavy.pid, sizeof one, &one), heavy.pid);
	quiet = measure(both, 2, &one);
	expect_measured(quiet, "one CPU: heavy in % of light", weight,
		light.used ? heavy.used * 100 / light.used : 0);
	lab_look("grep . %s/cpu.weight %s/cpu.weight", light.group, heavy.group);
	lab_look("grep Cpus_allowed_list /proc/%d/status /proc/%d/status", light.pid, heavy.pid);
	lab_wait(heavy.pid);

	if (have_two)
		lab_predict("weight");
	lab_step("Give the two spinners two CPUs.", "each gets a whole CPU, whatever its weight");
	SYS(sched_setaffinity(light.pid, sizeof two, &two), light.pid);
	SYS(sched_setaffinity(heavy.pid, sizeof two, &two), heavy.pid);
	light.predicted = heavy.predicted = window;
	quiet = measure(both, 2, &two);
	expect_two_cpus(have_two, quiet, "two CPUs: light, % of a CPU", &light);
	expect_two_cpus(have_two, quiet, "two CPUs: heavy, % of a CPU", &heavy);
	if (have_two)
		lab_answer("weight", heavy.used < light.used * 3 / 2 ? "same" : "more");

	autofree char *got = text("%lld of %lld usec", share, period);
	autofree char *shares = text("100 : %lld", weight);
	lab_row("CPU in each period", "all of it", got, "cpu.max");
	lab_row("quota used up", "-", "throttled, alive", "the kernel");
	lab_row("two groups, one CPU", "-", shares, "cpu.weight");
	if (have_two)
		lab_row("two groups, two CPUs", "a CPU each", "a CPU each", "none: two CPUs");
	return lab_end();
}
