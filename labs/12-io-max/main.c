/*
 * Disk bandwidth by the byte. A group may read and write so many bytes, or make
 * so many requests, in a second, on one device: io.max. What is over it waits.
 * io.stat counts. cgroups(7), Documentation/admin-guide/cgroup-v2.rst, "IO"
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/stat.h>

#include "disk.h"
#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "meter.h"
#include "story/lab.h"
#include "words.h"

enum { SMALL = 4096 };

static long long rbps = 4 << 20, wbps = 4 << 20, wiops = 100, seconds = 2000;

static const struct lab_option lab_options[] = {
	{"rbps", LAB_SIZE, &rbps, 256 << 10, 16 << 20, "bytes read in a second, io.max"},
	{"wbps", LAB_SIZE, &wbps, 256 << 10, 16 << 20, "bytes written in a second"},
	{"wiops", LAB_NUMBER, &wiops, 20, 500, "writes in a second"},
	{"seconds", LAB_DECIMAL, &seconds, 100, 30000, "how long each window is"},
	{"device", LAB_PATH_IN, &device, 0, 0, "a disk to lose, with --scratch"},
	{"scratch", LAB_FLAG, &scratch, 0, 0, "all that is on it may be lost"},
	{0},
};

static struct lab lab = {
	.id = "12-io-max",
	.title = "Disk bandwidth by the byte",
	.goal = "One container that copies files can make all others wait for the disk. io.max gives "
		"a group so many bytes or requests a second on a device; the rest waits.",
	.manual = "cgroups(7) open(2) pread(2)",
	.teaches = "openat:O_DIRECT pread64 pwrite64 file:io.max file:io.stat",
	.after = "08-pids-max 09-cpu-max",
	/* The second CPU is for the lab's own clock, beside the one that it measures. */
	.needs = {.root = true, .block = true, .controllers = "io", .kernel = "5.14", .cpus = 2},
	.options = lab_options,
	.quick = "--seconds=1",
	.words = &words,
	.hazard = true,
	.exclusive_cpu = true,
};

static int disk; /* the device, open past the page cache */

/* The child's body: block after block, as long as a window is open. */
static _Noreturn void transfer(struct worker *w)
{
	static char block[65536] __attribute__((aligned(4096)));
	for (;;) {
		for (window_opens(w); window_is_open(w); window_count(w)) {
			off_t at = window_place(w, PLACE);
			ssize_t n = w->writes ? pwrite64(disk, block, w->size, at)
					      : pread64(disk, block, w->size, at);
			if (n != (ssize_t)w->size)
				die("pread, pwrite %s at %lld", device, (long long)at);
		}
		gate_open(&w->done);
	}
}

/* Done six times: a process that is born in its group, and one window of it. */
static bool run(struct worker *w)
{
	prepare(w);
	w->pid = FORKED(cg_spawn(w->group));
	if (w->pid == 0)
		transfer(w);
	undo_kill(w->pid);
	autoclose int lock = disk_lock(device);
	return measure(w);
}

static _Noreturn void hands_on(void)
{
	autofree char *group = group_create("command");
	autofree char *line = text("%s rbps=%lld wbps=%lld wiops=%lld", numbers, rbps, wbps, wiops);
	cg_write(group, "io.max", line);
	pid_t child = FORKED(cg_spawn(group));
	if (child == 0)
		lab_exec_command();
	lab_exit_as(child);
}

int main(int argc, char *argv[])
{
	lab_parse(&lab, argc, argv);
	disk_option(&lab);
	lab_begin(&lab, argc, argv);
	disk_begin();
	if (lab_command)
		hands_on();
	window = seconds * 1000;
	size_t read_size = block_size(rbps), write_size = block_size(wbps);
	long long reads = rbps / (long long)read_size, writes = wbps / (long long)write_size;
	long long small = wiops < wbps / SMALL ? wiops : wbps / SMALL; /* whichever is less */

	lab_step("Control: a group without a limit must be far faster than each limit.", NULL);
	lab_note("%s is %s here.", numbers, device);
	if (!expect_str("the device is", DISK, disk_is(device)))
		return lab_end(); /* what is on it would be lost */
	disk = SYS(openat(AT_FDCWD, device, O_RDWR | O_DIRECT | O_CLOEXEC));
	autofree char *control = group_create("control");
	if (!expect_str("its group's io.max", "there", cg_has(control, "io.max") ? "there" : "not"))
		return lab_end();
	struct worker free_reads = {control, false, read_size, reads, true};
	struct worker free_writes = {control, true, write_size, writes, true};
	struct worker free_small = {control, true, SMALL, small, true};
	judge(run(&free_reads), "control: reads, times rbps", &free_reads, 1);
	judge(run(&free_writes), "control: writes, times wbps", &free_writes, 1);
	judge(run(&free_small), "control: small, times wiops", &free_small, 1);
	expect_int("control: io.stat, wios", free_writes.seen->total + free_small.seen->total,
		io_stat(control, "wios"));
	lab_look("cat %s/io.stat", control);
	lab_wait(free_small.pid);

	lab_predict("limit");
	lab_step("With rbps it must read that many bytes a second, and write as before.", NULL);
	struct worker slow_reads = {group_create("reads"), false, read_size, reads};
	struct worker beside = {slow_reads.group, true, write_size, writes, true};
	limit(slow_reads.group, "rbps", rbps, "io.max: rbps");
	judge(run(&slow_reads), "rbps: bytes read in a second", &slow_reads, (long long)read_size);
	judge(run(&beside), "rbps: writes, times wbps", &beside, 1);
	expect_int("rbps: io.stat, rbytes", slow_reads.seen->total * (long long)read_size,
		io_stat(slow_reads.group, "rbytes"));
	bool alive = !child_ended(slow_reads.pid, 0);
	lab_answer("limit", !alive ? "error" : slow_reads.rate < 2 * reads ? "waits" : "runs");
	lab_look("grep . %s/io.max %s/io.stat", slow_reads.group, slow_reads.group);
	lab_wait(slow_reads.pid);

	lab_step("With wbps the same for writes.", NULL);
	struct worker slow_writes = {group_create("writes"), true, write_size, writes};
	limit(slow_writes.group, "wbps", wbps, "io.max: wbps");
	judge(run(&slow_writes), "wbps: bytes written in a second", &slow_writes,
		(long long)write_size);
	expect_int("wbps: io.stat, wbytes", slow_writes.seen->total * (long long)write_size,
		io_stat(slow_writes.group, "wbytes"));
	lab_look("grep . %s/io.max %s/io.stat", slow_writes.group, slow_writes.group);
	lab_wait(slow_writes.pid);

	lab_predict("small");
	lab_step("With wbps and wiops: what is reached first must hold.", NULL);
	struct worker slow_small = {group_create("small"), true, SMALL, small};
	limit(slow_small.group, "wbps", wbps, "both: io.max: wbps");
	limit(slow_small.group, "wiops", wiops, "both: io.max: wiops");
	judge(run(&slow_small), "both: writes of 4 KiB in a second", &slow_small, 1);
	expect_int(
		"both: io.stat, wios", slow_small.seen->total, io_stat(slow_small.group, "wios"));
	lab_answer("small", slow_small.rate * SMALL < wbps / 2 ? "wiops" : "wbps");
	lab_look("grep . %s/io.max %s/io.stat", slow_small.group, slow_small.group);
	lab_wait(slow_small.pid);

	lab_row("direct reads", "the device's speed", "bytes a second", "io.max: rbps");
	lab_row("direct writes", "the device's speed", "bytes a second", "io.max: wbps");
	lab_row("small direct writes", "the device's speed", "writes a second", "io.max: wiops");
	lab_row("over the limit", "-", "waits", "the kernel");
	return lab_end();
}
