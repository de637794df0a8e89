/*
 * More of 12-io-max: what io.max refuses, and the limit of a parent.
 * cgroups(7), Documentation/admin-guide/cgroup-v2.rst, "IO"
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

enum { RATE = 4 << 20 };

static long long seconds = 2000;

static const struct lab_option lab_options[] = {
	{"seconds", LAB_DECIMAL, &seconds, 100, 5000, "how long each measurement takes"},
	{"device", LAB_PATH_IN, &disk_path, 0, 0, "a disk to overwrite, with --scratch"},
	{"scratch", LAB_FLAG, &disk_scratch, 0, 0, "everything on that disk may be lost"},
	{0},
};

static struct lab lab = {
	.id = "12-io-max/more",
	.title = "What io.max refuses, and a parent's limit",
	.goal = "io.max takes limits for whole disks only, and never 0. A group may use no more than "
		"its parent's limit, whatever its own limit is.",
	.manual = "cgroups(7) open(2) pread(2)",
	.teaches = "openat:O_DIRECT pread64 file:io.max file:io.stat",
	.after = "12-io-max",
	.needs = {.root = true,
		.block = true,
		.controllers = "io",
		.kernel = "5.7",
		.cpus = 2,
		.fewer_cpus = true},
	.options = lab_options,
	.quick = "--seconds=1",
	.words = &more_words,
	.story_only = true,
	.hazard = true,
	.exclusive_cpu = true,
};

/* The worker: reads block after block past the page cache, as in main.c. */
static _Noreturn void read_blocks(struct worker *w)
{
	static char block[65536] __attribute__((aligned(4096)));
	int disk = openat(AT_FDCWD, disk_path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	for (;;) {
		window_open(w);
		while (window_is_open(w)) {
			if (pread64(disk, block, w->size, window_offset(w)) != (ssize_t)w->size)
				die("read %s", disk_path);
			window_count(w);
		}
		gate_open(&w->done);
	}
}

int main(int argc, char *argv[])
{
	lab_parse(&lab, argc, argv);
	disk_check_option(&lab);
	lab_begin(&lab, argc, argv);
	disk_find();
	window = seconds * 1000;

	lab_step("Write three wrong lines to a group's io.max.",
		"an error for each, and io.max stays empty");
	if (!expect_str("the device is", DISK, disk_kind(disk_path)))
		return lab_end();
	autofree char *group = group_create("refused"), *file = text("%s/io.max", group);
	autofree char *zero = text("%s rbps=0", disk_numbers);
	autofree char *word = text("%s speed=1", disk_numbers);
	expect_errno("a device that is not there", ENODEV,
		file_try_write(file, "511:1048575 rbps=1048576"));
	expect_errno("0 bytes a second", ERANGE, file_try_write(file, zero));
	expect_errno("a word that it does not know", EINVAL, file_try_write(file, word));
	autofree char *after = cg_read(group, "io.max");
	expect_str("io.max after that", "", after);
	lab_look("ls %s/io.max /sys/dev/block/%s", group, disk_numbers);
	lab_wait(0);

	lab_step("Limit a parent, and its child to eight times as much. Read in the child.",
		"the child reads as much as its parent's limit allows");
	autofree char *parent = group_create("parent"), *child = text("%s/child", parent);
	autofree char *large = text("%s rbps=%d", disk_numbers, 8 * RATE);
	autofree char *small = text("%s rbps=%d", disk_numbers, RATE);
	cg_enable(parent, "io");
	SYS(mkdir(child, 0755), child);
	cg_write(child, "io.max", large);
	cg_write(parent, "io.max", small);
	expect_int("the child's own rbps", 8 * RATE, io_max(child, "rbps"));
	expect_int("its parent's rbps", RATE, io_max(parent, "rbps"));
	size_t size = block_size(RATE);
	struct worker w = {.group = child, .size = size, .limit = RATE / (long long)size};
	worker_prepare(&w);
	w.pid = FORKED(cg_spawn(child));
	if (w.pid == 0)
		read_blocks(&w);
	undo_kill(w.pid);
	enum noise noise = worker_measure(&w);
	expect_rate(noise, "the child: bytes read in a second", &w, (long long)size);
	expect_int(
		"counted for its parent too", io_stat(child, "rbytes"), io_stat(parent, "rbytes"));
	lab_look("grep . %s/io.max %s/io.max", parent, child);
	lab_wait(w.pid);

	lab_row("rbps=0", "-", "ERANGE", "the kernel");
	lab_row("a child's rbps", "its own limit", "its parent's", "io.max above it");
	return lab_end();
}
