/*
 * Disk bandwidth by the byte. io.max limits how many bytes a group reads and writes in a
 * second on one disk, or how many requests it makes. Requests above the limit wait. io.stat
 * counts them all. cgroups(7), Documentation/admin-guide/cgroup-v2.rst, "IO"
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
	{"seconds", LAB_DECIMAL, &seconds, 100, 30000, "how long each measurement takes"},
	{"device", LAB_PATH_IN, &disk_path, 0, 0, "a disk to overwrite, with --scratch"},
	{"scratch", LAB_FLAG, &disk_scratch, 0, 0, "everything on that disk may be lost"},
	{0},
};

static struct lab lab = {
	.id = "12-io-max",
	.title = "Disk bandwidth by the byte",
	.goal = "One container that copies files can make all others wait for the disk. io.max gives "
		"a group so many bytes or requests a second on a disk; what is above waits.",
	.manual = "cgroups(7) open(2) pread(2)",
	.teaches = "openat:O_DIRECT pread64 pwrite64 file:io.max file:io.stat",
	.after = "08-pids-max 09-cpu-max",
	/* With a second CPU the lab watches the clock while the worker uses the other one. */
	.needs = {.root = true,
		.block = true,
		.controllers = "io",
		.kernel = "5.7",
		.cpus = 2,
		.fewer_cpus = true},
	.options = lab_options,
	.quick = "--seconds=1",
	.words = &words,
	.hazard = true,
	.exclusive_cpu = true,
};

static int disk; /* opened with O_DIRECT, so that no page cache stands before it */

/* The worker: transfers block after block as long as a window is open. */
static _Noreturn void transfer(struct worker *w)
{
	static char block[65536] __attribute__((aligned(4096)));
	for (;;) {
		window_open(w);
		while (window_is_open(w)) {
			off_t at = window_offset(w);
			ssize_t n = w->writes ? pwrite64(disk, block, w->size, at)
					      : pread64(disk, block, w->size, at);
			if (n != (ssize_t)w->size)
				die("pread, pwrite %s at %lld", disk_path, (long long)at);
			window_count(w);
		}
		gate_open(&w->done);
	}
}

/* Starts a worker in its group and measures it. */
static enum noise run(struct worker *w)
{
	worker_prepare(w);
	w->pid = FORKED(cg_spawn(w->group));
	if (w->pid == 0)
		transfer(w);
	undo_kill(w->pid);
	autoclose int lock = disk_lock();
	return worker_measure(w);
}

/* Runs the user's COMMAND in a limited group; used by "scripts/lab 12 -- COMMAND". */
static _Noreturn void hands_on(void)
{
	autofree char *group = group_create("command");
	autofree char *line =
		text("%s rbps=%lld wbps=%lld wiops=%lld", disk_numbers, rbps, wbps, wiops);
	cg_write(group, "io.max", line);
	pid_t child = FORKED(cg_spawn(group));
	if (child == 0)
		lab_exec_command();
	lab_exit_as(child);
}

int main(int argc, char *argv[])
{
	lab_parse(&lab, argc, argv);
	disk_check_option(&lab);
	lab_begin(&lab, argc, argv);
	disk_find();
	if (lab_command)
		hands_on();
	window = seconds * 1000;
	/* How large the blocks are, and how many of them each limit allows in a second. */
	size_t rsize = block_size(rbps), wsize = block_size(wbps);
	long long reads = rbps / (long long)rsize, writes = wbps / (long long)wsize;
	long long smalls = wiops < wbps / SMALL ? wiops : wbps / SMALL;

	lab_step("Control: read and write in a group without a limit.",
		"at least twice as fast as each limit of the next steps");
	lab_note("The disk is %s, which io.max and io.stat call %s.", disk_path, disk_numbers);
	if (!expect_str("the device is", DISK, disk_kind(disk_path)))
		return lab_end(); /* The lab would overwrite what is on it. */
	disk = SYS(openat(AT_FDCWD, disk_path, O_RDWR | O_DIRECT | O_CLOEXEC), disk_path);
	autofree char *control = group_create("control");
	if (!expect_str("its group's io.max", "there", cg_has(control, "io.max") ? "there" : "not"))
		return lab_end();
	struct worker free_reads = {.group = control, .size = rsize, .limit = reads, .free = true};
	struct worker free_writes = {
		.group = control, .writes = true, .size = wsize, .limit = writes, .free = true};
	struct worker free_smalls = {
		.group = control, .writes = true, .size = SMALL, .limit = smalls, .free = true};
	expect_rate(run(&free_reads), "control: reads, times rbps", &free_reads, 1);
	expect_rate(run(&free_writes), "control: writes, times wbps", &free_writes, 1);
	expect_rate(run(&free_smalls), "control: small, times wiops", &free_smalls, 1);
	expect_int("control: io.stat, wios", free_writes.seen->total + free_smalls.seen->total,
		io_stat(control, "wios"));
	lab_look("cat %s/io.stat", control);
	lab_wait(free_smalls.pid);

	lab_predict("limit");
	lab_step("Write rbps to a group's io.max. Read and write in that group.",
		"reads wait until they fit the limit; writes are as fast as before");
	autofree char *read_group = group_create("reads");
	autofree char *rbps_line = text("%s rbps=%lld", disk_numbers, rbps);
	cg_write(read_group, "io.max", rbps_line);
	expect_int("io.max: rbps", rbps, io_max(read_group, "rbps"));
	struct worker slow_reads = {.group = read_group, .size = rsize, .limit = reads};
	struct worker beside = {
		.group = read_group, .writes = true, .size = wsize, .limit = writes, .free = true};
	expect_rate(run(&slow_reads), "rbps: bytes read in a second", &slow_reads, rsize);
	expect_rate(run(&beside), "rbps: writes, times wbps", &beside, 1);
	expect_int("rbps: io.stat, rbytes", slow_reads.seen->total * (long long)rsize,
		io_stat(read_group, "rbytes"));
	bool alive = !child_ended(slow_reads.pid, 0);
	lab_answer("limit", !alive ? "error" : slow_reads.rate < 2 * reads ? "waits" : "runs");
	lab_look("grep . %s/io.max %s/io.stat", read_group, read_group);
	lab_wait(slow_reads.pid);

	lab_step("Write wbps to another group's io.max. Write in that group.",
		"writes wait until they fit the limit");
	autofree char *write_group = group_create("writes");
	autofree char *wbps_line = text("%s wbps=%lld", disk_numbers, wbps);
	cg_write(write_group, "io.max", wbps_line);
	expect_int("io.max: wbps", wbps, io_max(write_group, "wbps"));
	struct worker slow_writes = {
		.group = write_group, .writes = true, .size = wsize, .limit = writes};
	expect_rate(run(&slow_writes), "wbps: bytes written in a second", &slow_writes, wsize);
	expect_int("wbps: io.stat, wbytes", slow_writes.seen->total * (long long)wsize,
		io_stat(write_group, "wbytes"));
	lab_look("grep . %s/io.max %s/io.stat", write_group, write_group);
	lab_wait(slow_writes.pid);

	lab_predict("small");
	lab_step("Limit a group by wbps and by wiops. Write small blocks in it.",
		"both limits hold, so the one that is reached first decides");
	autofree char *small_group = group_create("small");
	autofree char *wiops_line = text("%s wiops=%lld", disk_numbers, wiops);
	cg_write(small_group, "io.max", wbps_line);
	cg_write(small_group, "io.max", wiops_line); /* The kernel keeps wbps in the line. */
	expect_int("both: io.max: wbps", wbps, io_max(small_group, "wbps"));
	expect_int("both: io.max: wiops", wiops, io_max(small_group, "wiops"));
	struct worker slow_smalls = {
		.group = small_group, .writes = true, .size = SMALL, .limit = smalls};
	expect_rate(run(&slow_smalls), "both: writes of 4 KiB in a second", &slow_smalls, 1);
	expect_int("both: io.stat, wios", slow_smalls.seen->total, io_stat(small_group, "wios"));
	lab_answer("small", slow_smalls.rate * SMALL < wbps / 2 ? "wiops" : "wbps");
	lab_look("grep . %s/io.max %s/io.stat", small_group, small_group);
	lab_wait(slow_smalls.pid);

	lab_row("direct reads", "the disk's speed", "bytes a second", "io.max: rbps");
	lab_row("direct writes", "the disk's speed", "bytes a second", "io.max: wbps");
	lab_row("small direct writes", "the disk's speed", "writes a second", "io.max: wiops");
	lab_row("a request too many", "-", "waits", "the kernel");
	return lab_end();
}
