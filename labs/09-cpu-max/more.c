/*
 * More of 09-cpu-max: smaller shares, many threads against one, threads that
 * spend one quota together, parents, and which CPUs. cgroups(7),
 * Documentation/admin-guide/cgroup-v2.rst, "CPU" and "Cpuset"
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>

#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "spinner.h"
#include "story/lab.h"
#include "words.h"

static const struct lab_part parts[] = {
	{.name = "cpuset",
		.title = "cpuset.cpus must pin a group to a CPU, and refuse one that is not there.",
		.needs = {.controllers = "cpuset", .cpus = 2}},
	{0},
};

static long long seconds = 2000;

static const struct lab_option lab_options[] = {
	{"seconds", LAB_DECIMAL, &seconds, 200, 20000, "how long each window is"},
	{0},
};

static const struct lab lab = {
	.id = "09-cpu-max/more",
	.title = "Who spends the quota",
	.goal = "A quota belongs to the group: all its threads spend it together, and all its "
		"children too. Shares are for groups, not for threads.",
	.manual = "cgroups(7) cpuset(7) sched_setaffinity(2) sched_getaffinity(2)",
	.teaches = "sched_setaffinity sched_getaffinity file:cpu.max file:cpu.stat "
		   "file:cpuset.cpus file:cpuset.cpus.effective",
	.after = "09-cpu-max",
	.needs = {.controllers = "cpu", .kernel = "5.7", .cpus = 2, .fewer_cpus = true},
	.parts = parts,
	.options = lab_options,
	.words = &more_words,
	.story_only = true,
	.quick = "--seconds=1",
	.exclusive_cpu = true,
};

static cpu_set_t all, one, two; /* the CPUs we may use; the first of them; the first two */

static void start(struct spinner *s)
{
	prepare(s);
	s->pid = FORKED(cg_spawn(s->group));
	if (s->pid == 0)
		spin(s);
	undo_kill(s->pid);
}

/* A spinner that has been measured must not take the next one's CPU. */
static void stop(struct spinner *s)
{
	MUST(kill(s->pid, SIGKILL));
	child_wait(s->pid);
}

/* Writes a limit and reads it back, because the checks that follow rely on it. */
static bool limited_by(const char *group, const char *what, const char *limit)
{
	cg_write(group, "cpu.max", limit);
	autofree char *read_back = cg_read(group, "cpu.max");
	return expect_str(what, limit, read_back);
}

/* Milliseconds of CPU that the group had of each second. */
static long long had(const struct spinner *s)
{
	return s->used * 1000 / s->length;
}

static void share(const char *name, const char *max_what, const char *limit, const char *what,
	long long percent)
{
	struct spinner s = {.group = group_create(name), .predicted = window * percent / 100};
	if (!limited_by(s.group, max_what, limit))
		return;
	start(&s);
	bool quiet = measure((struct spinner *[]){&s}, 1, &all);
	expect_measured(quiet, what, percent * 10, had(&s));
	stop(&s);
}

/* Nine threads and one, all on one CPU: in one group, or in a group each. */
static void nine_and_one(const char *one_group, const char *nine_group, const char *what, int part)
{
	struct spinner single = {.group = one_group, .predicted = window / part};
	struct spinner nine = {
		.group = nine_group, .threads = 9, .predicted = window - window / part};
	start(&single), start(&nine);
	SYS(sched_setaffinity(single.pid, sizeof one, &one), single.pid);
	SYS(sched_setaffinity(nine.pid, sizeof one, &one),
		nine.pid); /* before it makes its threads */
	bool quiet = measure((struct spinner *[]){&single, &nine}, 2, &one);
	expect_measured(quiet, what, 1000 / part, single.seen->ran * 1000 / single.seen->length);
	stop(&single), stop(&nine);
}

/* The same quota for one thread, and for two that have a CPU each. */
static void together(const char *name, int threads, const char *max_what, const char *ran_what,
	const char *still_what, const char *events_what)
{
	struct spinner s = {.group = group_create(name),
		.threads = threads,
		.each = &two,
		.predicted = window / 2,
		.stands = window - window / 2 / threads};
	if (!limited_by(s.group, max_what, "50000 100000"))
		return;
	if (threads > CPU_COUNT(&two)) {
		skip_on_one_cpu(ran_what);
		skip_on_one_cpu(still_what);
		skip_on_one_cpu(events_what);
		return;
	}
	start(&s);
	bool quiet = measure((struct spinner *[]){&s}, 1, &two);
	expect_measured(quiet, ran_what, 500, had(&s));
	expect_measured(
		quiet, still_what, 1000 - 500 / threads, s.seen->still * 1000 / window / threads);
	expect_measured_range(quiet, events_what, 1, 2 * window / 100000, s.throttles);
	stop(&s);
}

static void one_and_a_half(void)
{
	long long thousandths = 1500, period = 100000; /* --cpus 1.5 */
	struct spinner s = {.group = group_create("cpus"),
		.threads = 2,
		.each = &two,
		.predicted = window * thousandths / 1000};
	autofree char *limit = text("%lld %lld", thousandths * period / 1000, period);
	expect_str("--cpus 1.5 in numbers", "150000 100000", limit);
	if (!limited_by(s.group, "1.5 CPUs: cpu.max", limit))
		return;
	if (CPU_COUNT(&two) < 2) {
		skip_on_one_cpu("1.5 CPUs: ms a second");
		return;
	}
	start(&s);
	bool quiet = measure((struct spinner *[]){&s}, 1, &two);
	expect_measured(quiet, "1.5 CPUs: ms a second", thousandths, had(&s));
	stop(&s);
}

static void parents(void)
{
	autofree char *parent = group_create("parent"), *child = text("%s/child", parent);
	cg_enable(parent, "cpu");
	SYS(mkdir(child, 0755), child);
	struct spinner s = {.group = child, .limiter = parent, .predicted = window * 80 / 100};
	if (!limited_by(child, "the child's own cpu.max", "80000 100000"))
		return;
	start(&s);
	bool quiet = measure((struct spinner *[]){&s}, 1, &all);
	expect_measured(quiet, "its parent unlimited: ms a second", 800, had(&s));
	if (!limited_by(parent, "the parent's cpu.max", "50000 100000"))
		return;
	long long own = cg_read_key(child, "cpu.stat", "nr_throttled");
	s.predicted = window / 2;
	quiet = measure((struct spinner *[]){&s}, 1, &all);
	expect_measured(quiet, "its parent limited: ms a second", 500, had(&s));
	expect_measured_range(
		quiet, "the parent's nr_throttled", 1, 2 * window / 100000, s.throttles);
	/* Time that a host takes is charged all at once: then its own quota too is spent. */
	quiet &= s.seen->stolen * 5 <= s.predicted;
	expect_measured_range(quiet, "the child's, more than before", 0, s.throttles / 2,
		cg_read_key(child, "cpu.stat", "nr_throttled") - own);
	stop(&s);
}

/* A child in group that tells how many CPUs it may use, and whether the nth is one of them. */
static int cpus_in(const char *group, int cpu)
{
	pid_t child = FORKED(cg_spawn(group));
	if (child == 0) {
		cpu_set_t mine;
		SYS(sched_getaffinity(0, sizeof mine, &mine));
		_exit(CPU_COUNT(&mine) == 1 && CPU_ISSET(cpu, &mine) ? 1 : 2);
	}
	return child_wait(child);
}

static void pinned(void)
{
	/* Before Linux 6.2 who comes under a cpuset may use all CPUs, in spite of taskset(1). */
	MUST(sched_getaffinity(0, sizeof all, &all));
	int second = nth_cpu(&all, 1);
	autofree char *group = group_create("pinned"), *free_group = group_create("free");
	autofree char *number = text("%d", second), *file = text("%s/cpuset.cpus", group);
	expect_int("control: may use more than that CPU", 2, cpus_in(free_group, second));
	cg_write(group, "cpuset.cpus", number);
	autofree char *effective = cg_read(group, "cpuset.cpus.effective");
	expect_str("cpuset.cpus.effective", number, effective);
	expect_int("pinned: may use that CPU only", 1, cpus_in(group, second));

	/* Two that want a CPU each have one for both: the limit is where, not how much. */
	struct spinner s = {.group = group, .threads = 2, .predicted = window};
	start(&s);
	bool quiet = measure((struct spinner *[]){&s}, 1, &all);
	expect_measured(quiet, "two threads, pinned: ms a second", 1000, had(&s));
	stop(&s);

	autofree char *present = file_read("/sys/devices/system/cpu/possible");
	char *last = strrchr(present, '-') ? strrchr(present, '-') + 1 : present;
	autofree char *absent = text("%d", atoi(last) + 1);
	errno = 0;
	int rc = file_try_write(file, absent), refused = errno == EINVAL ? EINVAL : ERANGE;
	expect_errno("a CPU that is not there", refused, rc);
	autofree char *after = cg_read(group, "cpuset.cpus");
	expect_str("cpuset.cpus after that", number, after);
	lab_row("CPUs to run on", "all", "one", "cpuset.cpus");
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	window = seconds * 1000;
	SYS(sched_getaffinity(0, sizeof all, &all));
	CPU_ZERO(&one);
	CPU_ZERO(&two);
	CPU_SET(nth_cpu(&all, 0), &one);
	CPU_SET(nth_cpu(&all, 0), &two);
	if (CPU_COUNT(&all) > 1)
		CPU_SET(nth_cpu(&all, 1), &two);

	lab_step("Limit a spinner to 25 % of a CPU, then to 10 %.", "it gets just that much");
	share("quarter", "25 %: cpu.max", "25000 100000", "25 %: ms a second", 25);
	share("tenth", "10 %: cpu.max", "10000 100000", "10 %: ms a second", 10);

	lab_step("Run nine threads against one on one CPU, first without and then with groups.",
		"the one gets a tenth, and half when each side has a group");
	autofree char *together_group = group_create("all-ten");
	autofree char *one_group = group_create("one"), *nine_group = group_create("nine");
	nine_and_one(together_group, together_group, "no groups: the one, ms a second", 10);
	nine_and_one(one_group, nine_group, "a group each: the one, ms a second", 2);

	lab_step("Give one thread, then two, a quota of half a CPU.",
		"two threads spend it twice as fast, and both wait longer");
	together("alone", 1, "one thread: cpu.max", "one thread: ran, ms a second",
		"one thread: stood still", "one thread: nr_throttled");
	together("pair", 2, "two threads: cpu.max", "two threads: ran, ms a second",
		"two threads: each stood still", "two threads: nr_throttled");
	lab_note("Two threads do the same work and give no answer in three quarters of a period.");

	lab_step("Write what docker run --cpus 1.5 writes, and run two threads.",
		"together they get one and a half CPUs");
	one_and_a_half();

	lab_step("Limit the group above to less than its child.",
		"the lower limit holds, and the counters of the group above grow");
	parents();

	lab_row("one thread against nine", "a tenth", "half", "a group each");
	if (CPU_COUNT(&two) > 1)
		lab_row("stands still, quota 1/2", "1 thread: 1/2", "2 threads: 3/4", "cpu.max");
	lab_row("a child's 80 %", "80 %", "50 %", "its parent's cpu.max");
	lab_row("a child's nr_throttled", "grows", "0: its parent's", "who has the limit");

	if (lab_part("cpuset"))
		pinned();
	return lab_end();
}
