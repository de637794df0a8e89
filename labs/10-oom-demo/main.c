/*
 * Exit 137. All processes of a group together may use memory.max bytes. The kernel first
 * reclaims what it can. If that is not enough, its OOM killer sends SIGKILL to a process of
 * the group, counts the kill in memory.events and writes a line to the kernel's log.
 * cgroups(7), Documentation/admin-guide/cgroup-v2.rst
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "memory.h"
#include "story/lab.h"
#include "words.h"

enum { CHUNKS = 40 }; /* The program touches a fortieth of the limit at a time. */

static long long limit;    /* memory.max, in bytes */
static int touched_chunks; /* by the program that ran last */

static struct lab_option lab_options[] = {
	{"memory", LAB_SIZE, &limit, 0, 0, "the limit, memory.max"},
	{0},
};

static struct lab lab = {
	.id = "10-oom-demo",
	.title = "Exit 137",
	.goal = "The kernel's OOM killer kills a process whose group needs more memory than its limit. "
		"The kernel reports signal 9; shells and runtimes add 128, so they say 137.",
	.manual = "cgroups(7) clone(2) signal(7) proc_meminfo(5)",
	.teaches = "mmap kill file:memory.max file:memory.swap.max file:memory.events",
	.after = "07-cgroup-ns 08-pids-max",
	.needs = {.controllers = "memory", .kernel = "5.7", .memory = 256 << 20},
	.options = lab_options,
	.words = &words,
};

/* The program: writes to its memory, a chunk at a time, and sends its parent a byte for each. */
static _Noreturn void touch(size_t bytes, int report, struct gate *next)
{
	size_t chunk = (size_t)limit / CHUNKS;
	char *memory =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		die("mmap");
	for (size_t done = 0; done + chunk <= bytes; done += chunk) {
		memset(memory + done, 1, chunk);
		if (write(report, "", 1) != 1)
			break;
		gate_wait(next);
	}
	_exit(0);
}

/* Runs the program in the group and returns its exit status; first without a limit, then with. */
static int run_in(const char *group, size_t bytes, bool sample)
{
	int report[2];
	char byte;
	struct gate next;
	gate_init(&next);
	if (pipe2(report, O_CLOEXEC))
		die("pipe2");
	pid_t child = FORKED(cg_spawn(group));
	if (child == 0)
		touch(bytes, report[1], &next);
	undo_kill(child);
	close(report[1]); /* When the child ends, however it ends, read() returns 0. */
	for (touched_chunks = 0; read(report[0], &byte, 1) == 1; touched_chunks++) {
		if (sample)
			lab_sample("memory.current", cg_read_long(group, "memory.current"), limit,
				"bytes");
		if (sample && lab_watched())
			child_ended(child, 50); /* A pause, so that you can watch the curve grow. */
		gate_open(&next);
	}
	close(report[0]);
	return child_wait(child);
}

/* Returns false when memory.max does not read back: then no program is started in the group. */
static bool limit_memory(const char *group, const char *what)
{
	autofree char *bytes = text("%lld", limit);
	cg_write(group, "memory.max", bytes);
	/* Or else the kernel could swap, and not kill. Without swap there is no such file. */
	if (cg_has(group, "memory.swap.max"))
		cg_write(group, "memory.swap.max", "0");
	return expect_int(what, limit, cg_read_long(group, "memory.max"));
}

/* Runs the user's COMMAND in a limited group; used by "scripts/lab 10 -- COMMAND". */
static _Noreturn void hands_on(void)
{
	autofree char *group = group_create("command");
	limit_memory(group, "memory.max reads back");
	pid_t child = FORKED(cg_spawn(group));
	if (child == 0)
		lab_exec_command();
	lab_exit_as(child);
}

/* Reads the command line. How large --memory may be depends on this machine. */
static void begin(int argc, char *argv[])
{
	limit = (long long)default_limit();
	lab_options[0].min = limit / 4;
	lab_options[0].max = largest_limit();
	lab_parse(&lab, argc, argv);
	/* The story touches twice the limit; a COMMAND touches what it likes. */
	if (!lab_command && 3 * limit > lab.needs.memory)
		lab.needs.memory = 3 * limit;
	lab_begin(&lab, argc, argv);
	limit -= limit % sysconf(_SC_PAGESIZE); /* The kernel rounds down to whole pages. */
}

int main(int argc, char *argv[])
{
	begin(argc, argv);
	if (lab_command)
		hands_on();
	size_t twice = 2 * (size_t)limit;
	lab_note("The limit is %lld MiB, %lld bytes. The program touches twice as much.",
		limit >> 20, limit);

	lab_step("Control: run the program in a group without a limit.", "it ends with 0");
	autofree char *control = group_create("control");
	expect_int("control: exit status", 0, run_in(control, twice, false));
	expect_int("control: oom_kill", 0, cg_read_key(control, "memory.events", "oom_kill"));

	lab_predict("asks");
	lab_step("Write memory.max of a group, and forbid swap. Run the same program in it.",
		"the kernel kills it at the limit and counts that in memory.events");
	autofree char *group = group_create("limited");
	if (!limit_memory(group, "memory.max reads back"))
		return lab_end();
	int status = run_in(group, twice, true);
	/* A chunk was touched: so mmap() had returned an address beyond the limit. */
	lab_answer("asks", touched_chunks ? "address" : "error");
	expect_int("exit status: 128 + SIGKILL", 137, status);
	expect_int("memory.events: oom_kill", 1, cg_read_key(group, "memory.events", "oom_kill"));
	if (cg_has(group, "memory.peak")) /* from Linux 5.19 */
		expect_range("memory.peak", limit - limit / 10, limit,
			cg_read_long(group, "memory.peak"));
	lab_look("cat %s/memory.max", group);
	lab_look("cat %s/memory.events", group);
	if (klogctl(10, NULL, 0) >= 0) /* SYSLOG_ACTION_SIZE_BUFFER: we may read the log */
		lab_look("dmesg | grep 'Killed process' | tail -n 1");
	lab_wait(0);

	lab_step("Send SIGKILL to a small process in a group with the same limit.",
		"the status is 137 again, but oom_kill stays 0");
	autofree char *by_hand = group_create("by-hand");
	limit_memory(by_hand, "by hand: memory.max reads back");
	struct gate ready;
	gate_init(&ready);
	pid_t child = FORKED(cg_spawn(by_hand));
	if (child == 0) {
		gate_open(&ready);
		child_idle();
	}
	undo_kill(child);
	gate_wait(&ready);
	lab_look("cat %s/memory.current", by_hand);
	lab_look("cat /proc/%d/cgroup", child);
	lab_wait(child);
	SYS(kill(child, SIGKILL), child);
	expect_int("by hand: 128 + SIGKILL", 137, child_wait(child));
	expect_int("by hand: oom_kill", 0, cg_read_key(by_hand, "memory.events", "oom_kill"));

	lab_predict("view");
	lab_step("A process in the limited group reads MemTotal and the number of CPUs.",
		"both are the machine's: memory.max limits, but hides nothing");
	long long total = proc_meminfo("MemTotal");
	int cpus = get_nprocs();
	child = FORKED(cg_spawn(group));
	if (child == 0) {
		bool same =
			expect_int("inside: MemTotal in bytes", total, proc_meminfo("MemTotal"));
		expect_int("inside: CPUs", cpus, get_nprocs());
		_exit(!same);
	}
	lab_answer("view", child_done(child) ? "limit" : "machine");

	lab_row("a program of 2 x the limit", "ends with 0", "137", "memory.max");
	lab_row("oom_kill in memory.events", "0", "1", "the OOM killer");
	lab_row("SIGKILL by hand", "-", "137, oom_kill 0", "kill(2)");
	lab_row("MemTotal, CPUs", "the machine's", "the machine's", "no namespace");
	return lab_end();
}
