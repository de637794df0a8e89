/*
 * An uptime of its own. A time namespace has an offset for each of the two clocks
 * that count since the machine was booted. The clock on the wall is not among
 * them. time_namespaces(7)
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"
#include "words.h"

#define DAY (24 * 60 * 60LL)
#define SECOND 1000000000LL

static long long days = 1000;

static const struct lab_option lab_options[] = {
	{"days", LAB_NUMBER, &days, 1, 10000, "days added to the uptime in there"},
	{0},
};

static const struct lab lab = {
	.id = "11-time-ns",
	.title = "An uptime of its own",
	.goal = "A container can have been up for longer than its machine: an offset is added to the "
		"clocks that count since boot. Date and time are the same for everybody.",
	.manual = "time_namespaces(7) unshare(2) clock_gettime(2) proc_uptime(5)",
	.teaches = "unshare:CLONE_NEWTIME file:timens_offsets",
	.after = "03-uts-ns 01-pid-ns",
	.needs = {.namespaces = true, .time = true, .kernel = "5.6"},
	.options = lab_options,
	.words = &words,
};

/* The four that are looked at, in nanoseconds. */
enum { MONOTONIC, BOOTTIME, REALTIME, UPTIME, CLOCKS };

static struct gate ready;
static long long *inside; /* CLOCKS of them, which a child has read; shared with it */

static void read_clocks(long long clock[CLOCKS])
{
	static const clockid_t id[] = {CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME};
	for (int i = 0; i < UPTIME; i++) {
		struct timespec now;
		if (clock_gettime(id[i], &now))
			die("clock_gettime");
		clock[i] = now.tv_sec * SECOND + now.tv_nsec;
	}
	autofree char *uptime = file_read("/proc/uptime"); /* "13942.37 27120.80" */
	long long seconds, hundredths;
	if (sscanf(uptime, "%lld.%2lld", &seconds, &hundredths) != 2)
		die("/proc/uptime: %s", uptime);
	clock[UPTIME] = seconds * SECOND + hundredths * (SECOND / 100);
}

/* One write(2) for each clock: its name, seconds, nanoseconds. */
static int put(const char *clock, long long seconds)
{
	autofree char *line = text("%s %lld 0", clock, seconds);
	return file_try_write("/proc/self/timens_offsets", line);
}

/* Not for this machine's own clocks; the kernel would refuse that too. */
static bool set_offsets(const char *whose, long machine_ns, long long seconds)
{
	autofree char *place = text("%s: the namespace", whose);
	autofree char *what = text("%s: monotonic, boottime", whose);
	if (!expect_differ(place, machine_ns, ns_inode(0, "time_for_children")))
		return false;
	lab_note("timens_offsets: monotonic %lld 0, boottime %lld 0", seconds, seconds);
	int rc = put("monotonic", seconds);
	return expect_errno(what, 0, rc ? rc : put("boottime", seconds));
}

/* Three times: a child that reads its clocks, while we read ours before and after. */
static pid_t child_reads(long long before[CLOCKS], long long after[CLOCKS])
{
	read_clocks(before);
	pid_t child = FORK();
	if (child == 0) {
		read_clocks(inside);
		gate_open(&ready);
		child_idle();
	}
	undo_kill(child);
	gate_wait(&ready);
	read_clocks(after);
	return child;
}

/*
 * By how many seconds the child's clock is ahead of ours. It read while ours went from before to
 * after, so that there are two bounds. If what is expected lies between them, it is that.
 */
static void expect_ahead(const char *what, int clock, long long expected, const long long before[],
	const long long after[])
{
	long long least = inside[clock] - after[clock], most = inside[clock] - before[clock];
	bool between = least <= expected * SECOND && expected * SECOND <= most;
	expect_int(what, expected, between ? expected : most / SECOND);
}

static _Noreturn void hands_on(long machine_ns)
{
	SYS(unshare(CLONE_NEWTIME));
	if (!set_offsets("ours", machine_ns, days * DAY))
		die("no offsets could be set");
	pid_t child = FORK();
	if (child == 0)
		lab_exec_command();
	lab_exit_as(child);
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	long machine_ns = ns_inode(0, "time");
	if (geteuid() != 0) {
		SYS(unshare(CLONE_NEWUSER)); /* lab 05 shows what this does */
		ns_map_root();
		lab_note("As an ordinary user: in a user namespace (lab 05), where one is root.");
	}
	if (lab_command)
		hands_on(machine_ns);
	gate_init(&ready);
	long long before[CLOCKS], after[CLOCKS], offset = days * DAY;
	inside = mmap(NULL, CLOCKS * sizeof *inside, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (inside == MAP_FAILED)
		die("mmap");

	lab_step("Control: a plain child. Its clocks must be no second ahead of ours.", NULL);
	pid_t plain = child_reads(before, after);
	expect_ahead("control: CLOCK_MONOTONIC, s", MONOTONIC, 0, before, after);
	expect_ahead("control: /proc/uptime, s", UPTIME, 0, before, after);
	lab_look("cat /proc/%d/timens_offsets", plain);
	lab_wait(plain);

	lab_predict("caller");
	lab_step("Ask for a time namespace. Only our next children must be in it.", NULL);
	SYS(unshare(CLONE_NEWTIME));
	long ours = ns_inode(0, "time");
	expect_int("our /proc/self/ns/time", machine_ns, ours);
	lab_answer("caller", ours == machine_ns ? "children" : "caller");
	lab_look("ls -l /proc/%d/ns/time /proc/%d/ns/time_for_children", getpid(), getpid());

	lab_predict("wall");
	lab_step("Write its offsets. Time of day has none, and no clock may go below 0.", NULL);
	if (!set_offsets("offsets", machine_ns, offset))
		return lab_end();
	int refused = put("realtime", offset);
	lab_answer("wall", refused ? "same" : "moved");
	expect_errno("offsets: realtime", EINVAL, refused);
	expect_errno("a clock below 0", ERANGE, put("boottime", -before[BOOTTIME] / SECOND - DAY));
	lab_look("cat /proc/%d/timens_offsets", getpid());

	lab_step("The first process in there. Three clocks must be ahead, the fourth not.", NULL);
	pid_t first = child_reads(before, after);
	expect_ahead("inside: CLOCK_MONOTONIC, s", MONOTONIC, offset, before, after);
	expect_ahead("inside: CLOCK_BOOTTIME, s", BOOTTIME, offset, before, after);
	expect_ahead("inside: /proc/uptime, s", UPTIME, offset, before, after);
	expect_ahead("inside: CLOCK_REALTIME, s", REALTIME, 0, before, after);
	lab_look("uptime; date");
	lab_look("nsenter --target=%d %s--time sh -c 'uptime; date'", first, ns_join);
	lab_wait(first);

	lab_predict("late");
	lab_step("A process is inside, and may have set a timer: no offset must be changed.", NULL);
	int late = put("boottime", 2 * offset);
	lab_answer("late", late ? "closed" : "open");
	expect_errno("once a process is inside", EACCES, late);
	lab_wait(first);

	lab_step("A second namespace, half as far. Two uptimes must be there at once.", NULL);
	SYS(unshare(CLONE_NEWTIME));
	if (!set_offsets("second", ns_inode(first, "time"), offset / 2))
		return lab_end();
	pid_t second = child_reads(before, after);
	expect_ahead("second: /proc/uptime, s", UPTIME, offset / 2, before, after);
	lab_look("nsenter --target=%d %s--time uptime", first, ns_join);
	lab_look("nsenter --target=%d %s--time uptime", second, ns_join);
	lab_wait(second);

	lab_row("CLOCK_MONOTONIC, uptime", "since the boot", "an offset more", "timens_offsets");
	lab_row("CLOCK_REALTIME", "the machine's", "the machine's: EINVAL", "the kernel");
	lab_row("the caller of unshare()", "-", "stays; its children go", "CLONE_NEWTIME");
	lab_row("another offset", "none inside: success", "one inside: EACCES", "the first fork()");
	return lab_end();
}
