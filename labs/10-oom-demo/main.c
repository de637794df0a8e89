/*
 * Exit 137. A group of processes may use memory.max bytes and no more. What
 * the kernel cannot reclaim it takes by SIGKILL, and leaves a record in
 * memory.events. cgroups(7), Documentation/admin-guide/cgroup-v2.rst
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"
#include "words.h"

enum { CHUNKS = 40 }; /* that many steps to the limit, each of them a sample */

static long long limit; /* bytes */
static int chunks;      /* that the last child was seen to touch */

static struct lab_option lab_options[] = {
	{"memory", LAB_SIZE, &limit, 0, 0, "the limit, memory.max"},
	{0},
};

static struct lab lab = {
	.id = "10-oom-demo",
	.title = "Exit 137",
	.goal = "A container that needs more memory than its limit is killed by the kernel. "
		"137 is 128 + 9, and memory.events is the witness.",
	.manual = "cgroups(7) clone(2) signal(7) proc_meminfo(5)",
	.teaches = "mmap kill file:memory.max file:memory.swap.max file:memory.events",
	.after = "07-cgroup-ns 08-pids-max",
	.needs = {.controllers = "memory", .kernel = "5.14", .memory = 256 << 20},
	.options = lab_options,
	.words = &words,
};

/* The child's body: touches total bytes, a chunk at a time, and lets the lab look at each. */
static _Noreturn void grow(size_t total, int grown, struct gate *more)
{
	size_t chunk = (size_t)limit / CHUNKS;
	char *memory =
		mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		die("mmap");
	for (size_t done = 0; done + chunk <= total; done += chunk) {
		memset(memory + done, 1, chunk);
		if (write(grown, "", 1) != 1)
			break;
		gate_wait(more);
	}
	_exit(0);
}

/* Done twice: without a limit and with it. */
static int grow_in(const char *group, size_t total, bool watch)
{
	int grown[2];
	char byte;
	struct gate more;
	gate_init(&more);
	if (pipe2(grown, O_CLOEXEC))
		die("pipe2");
	pid_t child = FORKED(cg_spawn(group));
	if (child == 0)
		grow(total, grown[1], &more);
	undo_kill(child);
	close(grown[1]);
	for (chunks = 0; read(grown[0], &byte, 1) == 1; chunks++) {
		if (watch)
			lab_sample("memory.current", cg_read_long(group, "memory.current"), limit,
				"bytes");
		if (watch && lab_watched())
			child_ended(child, 50); /* slow enough to be seen */
		gate_open(&more);
	}
	close(grown[0]);
	return child_wait(child);
}

/* True when the kernel says that the limit holds: before that nothing grows in it. */
static bool limited(const char *group, const char *what)
{
	autofree char *bytes = text("%lld", limit);
	cg_write(group, "memory.max", bytes);
	/* Else the kernel would move pages to swap, and nothing would be killed. */
	if (cg_has(group, "memory.swap.max"))
		cg_write(group, "memory.swap.max", "0");
	return expect_int(what, limit, cg_read_long(group, "memory.max"));
}

static _Noreturn void hands_on(void)
{
	autofree char *group = group_create("command");
	limited(group, "memory.max reads back");
	pid_t child = FORKED(cg_spawn(group));
	if (child == 0)
		lab_exec_command();
	lab_exit_as(child);
}

int main(int argc, char *argv[])
{
	/* Kernels with large pages charge in larger batches: at least 1024 pages. */
	long long page = sysconf(_SC_PAGESIZE), total = proc_meminfo("MemTotal");
	limit = page * 1024 > 32 << 20 ? page * 1024 : 32 << 20;
	lab_options[0].min = limit / 4;
	lab_options[0].max = total / 3 >> 20 << 20; /* the story touches twice as much */
	lab_parse(&lab, argc, argv);
	if (!lab_command && 3 * limit > lab.needs.memory)
		lab.needs.memory = 3 * limit;
	lab_begin(&lab, argc, argv);
	limit -= limit % page; /* as the kernel rounds it */
	if (lab_command)
		hands_on();
	int cpus = get_nprocs();
	struct gate ready;
	gate_init(&ready);
	lab_note("The limit is %lld MiB, %lld bytes; the program touches twice as much.",
		limit >> 20, limit);

	lab_step("Control: a group without a limit. The program must end with 0.", NULL);
	autofree char *control = group_create("control");
	int status = grow_in(control, 2 * (size_t)limit, false);
	expect_int("control: exit status", 0, status);
	expect_int("control: oom_kill", 0, cg_read_key(control, "memory.events", "oom_kill"));

	lab_predict("asks");
	lab_step("The same with memory.max and no swap: it must be killed at the limit.", NULL);
	autofree char *group = group_create("limited");
	if (!limited(group, "memory.max reads back"))
		return lab_end();
	status = grow_in(group, 2 * (size_t)limit, true);
	lab_answer("asks", chunks ? "address" : "error");
	expect_int("exit status: 128 + SIGKILL", 137, status);
	expect_int("memory.events: oom_kill", 1, cg_read_key(group, "memory.events", "oom_kill"));
	if (cg_has(group, "memory.peak")) /* from Linux 5.19 */
		expect_range("memory.peak", limit - limit / 10, limit,
			cg_read_long(group, "memory.peak"));
	lab_look("cat %s/memory.max", group);
	lab_look("cat %s/memory.events", group);
	lab_wait(0);

	lab_step("SIGKILL by hand: 137 again, and only oom_kill must tell the two apart.", NULL);
	autofree char *by_hand = group_create("by-hand");
	limited(by_hand, "by hand: memory.max reads back");
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
	SYS(kill(child, SIGKILL));
	expect_int("by hand: 128 + SIGKILL", 137, child_wait(child));
	expect_int("by hand: oom_kill", 0, cg_read_key(by_hand, "memory.events", "oom_kill"));

	lab_predict("view");
	lab_step("A limit is not a view: inside, the machine must look as large as outside.", NULL);
	child = FORKED(cg_spawn(group));
	if (child == 0) {
		bool same =
			expect_int("inside: MemTotal in bytes", total, proc_meminfo("MemTotal"));
		expect_int("inside: CPUs", cpus, get_nprocs());
		_exit(!same);
	}
	lab_answer("view", child_done(child) ? "limit" : "machine");

	lab_row("a program of 2 x the limit", "ends with 0", "137", "memory.max");
	lab_row("oom_kill in memory.events", "0", "1", "the kernel");
	lab_row("SIGKILL by hand", "-", "137, oom_kill 0", "kill(2)");
	lab_row("MemTotal, CPUs", "the machine's", "the machine's", "nobody: no view");
	return lab_end();
}
