/*
 * An uptime of its own. A time namespace adds an offset to each of the two clocks that
 * count since the machine was booted. The time of day has no offset. time_namespaces(7)
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
	{"days", LAB_NUMBER, &days, 1, 10000, "days to add to the uptime"},
	{0},
};

static const struct lab lab = {
	.id = "11-time-ns",
	.title = "An uptime of its own",
	.goal = "A time namespace adds an offset to the clocks that count since boot, so a container "
		"can show a longer uptime than its machine. Date and time of day stay the same.",
	.manual = "time_namespaces(7) unshare(2) clock_gettime(2) proc_uptime(5)",
	.teaches = "unshare:CLONE_NEWTIME file:timens_offsets",
	.after = "03-uts-ns 01-pid-ns",
	.needs = {.namespaces = true, .time = true, .kernel = "5.6"},
	.options = lab_options,
	.words = &words,
};

/* The three clocks, and /proc/uptime, in nanoseconds. */
enum { MONOTONIC, BOOTTIME, REALTIME, UPTIME, CLOCKS };

static struct gate ready;
static long long *inside; /* the CLOCKS that a child has read, in memory shared with it */

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

/* The file takes a line "CLOCK SECONDS NANOSECONDS". Returns 0, or -1 with errno. */
static int write_offset(const char *clock, long long seconds)
{
	autofree char *line = text("%s %lld 0", clock, seconds);
	return file_try_write("/proc/self/timens_offsets", line);
}

/* Writes both offsets of the namespace that our next children will be in. */
static bool write_offsets(const char *whose, ino_t other_ns, long long seconds)
{
	autofree char *differs = text("%s: the namespace", whose);
	autofree char *what = text("%s: monotonic, boottime", whose);
	if (!expect_differ(differs, other_ns, ns_inode(0, "time_for_children")))
		return false;
	lab_note("timens_offsets: monotonic %lld 0, boottime %lld 0", seconds, seconds);
	int rc = write_offset("monotonic", seconds);
	return expect_errno(what, 0, rc ? rc : write_offset("boottime", seconds));
}

/* Forks a child that reads the clocks. We read ours before and after. */
static pid_t fork_reader(long long before[CLOCKS], long long after[CLOCKS])
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
 * Checks by how many seconds the child's clock is ahead of ours. The child read its clock while
 * ours went from before to after. If the expected number lies between these bounds, it is exact.
 */
static void expect_ahead(const char *what, int clock, long long expected, const long long before[],
	const long long after[])
{
	long long least = inside[clock] - after[clock], most = inside[clock] - before[clock];
	bool between = least <= expected * SECOND && expected * SECOND <= most;
	expect_int(what, expected, between ? expected : most / SECOND);
}

/* Runs the user's COMMAND in a time namespace; used by "scripts/lab 11 -- COMMAND". */
static _Noreturn void hands_on(ino_t machine_ns)
{
	SYS(unshare(CLONE_NEWTIME));
	if (!write_offsets("ours", machine_ns, days * DAY))
		die("the offsets could not be written");
	pid_t child = FORK();
	if (child == 0)
		lab_exec_command();
	lab_exit_as(child);
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	ino_t machine_ns = ns_inode(0, "time");
	if (geteuid() != 0) {
		SYS(unshare(CLONE_NEWUSER)); /* lab 05 shows what this does */
		ns_map_root();
		lab_note("You are an ordinary user, so this runs in a user namespace (lab 05), "
			 "where you are root.");
	}
	if (lab_command)
		hands_on(machine_ns);
	gate_init(&ready);
	long long before[CLOCKS], after[CLOCKS], offset = days * DAY;
	inside = mmap(NULL, CLOCKS * sizeof *inside, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (inside == MAP_FAILED)
		die("mmap");

	lab_step("Control: fork a plain child and compare its clocks with ours.",
		"the child's clocks are 0 seconds ahead");
	pid_t plain = fork_reader(before, after);
	expect_ahead("control: CLOCK_MONOTONIC, s", MONOTONIC, 0, before, after);
	expect_ahead("control: /proc/uptime, s", UPTIME, 0, before, after);
	lab_look("cat /proc/%d/timens_offsets", plain);
	lab_wait(plain);

	lab_predict("caller");
	lab_step("Ask for a time namespace.", "we stay outside; our next children will be inside");
	SYS(unshare(CLONE_NEWTIME));
	ino_t ours = ns_inode(0, "time");
	expect_int("our /proc/self/ns/time", machine_ns, ours);
	lab_answer("caller", ours == machine_ns ? "children" : "caller");
	lab_look("ls -l /proc/%d/ns/time /proc/%d/ns/time_for_children", getpid(), getpid());

	lab_predict("wall");
	lab_step("Write the offsets of the new namespace.",
		"the kernel refuses one for the time of day, and one that puts a clock below 0");
	if (!write_offsets("offsets", machine_ns, offset))
		return lab_end();
	int refused = write_offset("realtime", offset);
	lab_answer("wall", refused ? "same" : "moved");
	expect_errno("offsets: realtime", EINVAL, refused);
	expect_errno("a clock below 0", ERANGE,
		write_offset("boottime", -before[BOOTTIME] / SECOND - DAY));
	lab_look("cat /proc/%d/timens_offsets", getpid());

	lab_step("Fork the first process in the namespace. It reads its clocks.",
		"the clocks since boot are ahead by the offset, the time of day is not");
	pid_t first = fork_reader(before, after);
	expect_ahead("inside: CLOCK_MONOTONIC, s", MONOTONIC, offset, before, after);
	expect_ahead("inside: CLOCK_BOOTTIME, s", BOOTTIME, offset, before, after);
	expect_ahead("inside: /proc/uptime, s", UPTIME, offset, before, after);
	expect_ahead("inside: CLOCK_REALTIME, s", REALTIME, 0, before, after);
	lab_look("uptime; date");
	lab_look("nsenter --target=%d %s--time sh -c 'uptime; date'", first, ns_join);
	lab_wait(first);

	lab_predict("late");
	lab_step("Change an offset while that process is inside.",
		"EACCES: the process may have set a timer by the old clock");
	int late = write_offset("boottime", 2 * offset);
	lab_answer("late", late ? "closed" : "open");
	expect_errno("once a process is inside", EACCES, late);
	lab_wait(first);

	lab_step("Make a second time namespace, with half the offset.",
		"the machine has three uptimes at once: its own and two others");
	SYS(unshare(CLONE_NEWTIME));
	if (!write_offsets("second", ns_inode(first, "time"), offset / 2))
		return lab_end();
	pid_t second = fork_reader(before, after);
	expect_ahead("second: /proc/uptime, s", UPTIME, offset / 2, before, after);
	lab_look("nsenter --target=%d %s--time uptime", first, ns_join);
	lab_look("nsenter --target=%d %s--time uptime", second, ns_join);
	lab_wait(second);

	lab_row("clocks since boot", "the machine's", "plus an offset", "timens_offsets");
	lab_row("date, time of day", "the machine's", "the machine's", "the kernel: EINVAL");
	lab_row("caller of unshare()", "-", "stays outside", "CLONE_NEWTIME");
	lab_row("another offset", "none inside: yes", "one inside: no", "the kernel: EACCES");
	return lab_end();
}
