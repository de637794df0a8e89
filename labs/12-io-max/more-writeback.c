/*
 * More of 12-io-max: the page cache. A read from it reaches no disk and is not counted. When
 * the kernel writes dirty pages back, it counts and limits the group that wrote them.
 * cgroups(7), sync(2), Documentation/admin-guide/cgroup-v2.rst, "IO" and "Writeback"
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <sys/mount.h>
#include <unistd.h>

#include "disk.h"
#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/mounts.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "meter.h"
#include "story/lab.h"
#include "words.h"

enum { RATE = 4 << 20, PAGE = 4096, CACHED = 4 << 20 };

static long long seconds = 2000;

static const struct lab_option lab_options[] = {
	{"seconds", LAB_DECIMAL, &seconds, 100, 5000, "how long each measurement takes"},
	{"device", LAB_PATH_IN, &disk_path, 0, 0, "a disk to overwrite, with --scratch"},
	{"scratch", LAB_FLAG, &disk_scratch, 0, 0, "everything on that disk may be lost"},
	{0},
};

static struct lab lab = {
	.id = "12-io-max/more-writeback",
	.title = "The page cache, and which group pays for it",
	.goal = "Most programs never wait for the disk: they read from the page cache and write into "
		"it. The limit applies later, when the kernel writes the pages back.",
	.manual = "cgroups(7) fsync(2) pwrite(2) mount(2)",
	.teaches = "openat fsync pwrite64 mount file:io.max file:io.stat",
	.after = "12-io-max 02-mnt-ns 10-oom-demo",
	.needs = {.root = true,
		.block = true,
		.controllers = "io memory",
		.modules = "ext4",
		.kernel = "5.7",
		.cpus = 2,
		.fewer_cpus = true},
	.options = lab_options,
	.quick = "--seconds=1",
	.words = &writeback_words,
	.story_only = true,
	.hazard = true,
	.exclusive_cpu = true,
};

/* Makes an empty filesystem and mounts it on /mnt. Children inherit the lock of the disk. */
static int mount_disk(void)
{
	char *make[] = {"mke2fs", "-F", "-b", "4096", (char *)disk_path, NULL};
	posix_spawn_file_actions_t quiet;
	pid_t pid;
	int lock = disk_lock();
	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&quiet, STDOUT_FILENO, STDERR_FILENO);
	errno = posix_spawnp(&pid, make[0], &quiet, NULL, make, environ);
	if (errno)
		die("posix_spawn mke2fs");
	if (child_wait(pid))
		die("mke2fs %s failed", disk_path);
	SYS(mount(disk_path, "/mnt", "ext4", 0, NULL), disk_path);
	return lock;
}

static void unmount_disk(int lock)
{
	SYS(umount2("/mnt", MNT_DETACH));
	close(lock);
}

/* Without O_DIRECT, write() only copies into the page cache. */
static void write_cached(const char *path, long long size)
{
	static char block[65536];
	autoclose int fd = openat(AT_FDCWD, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	for (off_t at = 0; at < size; at += (off_t)sizeof block)
		if (pwrite64(fd, block, sizeof block, at) != sizeof block)
			die("write %s", path);
}

/* A child in group writes the file. Returns its exit status. */
static int write_in(const char *group, const char *file, long long bytes)
{
	pid_t child = FORKED(cg_spawn(group));
	if (child == 0) {
		write_cached(file, bytes);
		_exit(0);
	}
	undo_kill(child);
	return child_wait(child);
}

/* A child in group reads the file, from the disk or from the page cache. */
static void read_in(const char *group, const char *file, long long bytes)
{
	static char buffer[65536];
	pid_t child = FORKED(cg_spawn(group));
	if (child == 0) {
		autoclose int fd = openat(AT_FDCWD, file, O_RDONLY | O_CLOEXEC);
		for (off_t at = 0; at < bytes; at += (off_t)sizeof buffer)
			if (pread64(fd, buffer, sizeof buffer, at) != sizeof buffer)
				die("read %s", file);
		_exit(0);
	}
	undo_kill(child);
	child_done(child);
}

/* One process writes a file. Another one, in a group without a limit, calls fsync() on it. */
static struct worker writes, syncs;
static char *path;
static long long size, at_once, dirty;

static _Noreturn void writer(void)
{
	for (;;) {
		gate_wait(&writes.go);
		write_cached(path, size);
		gate_open(&writes.done);
	}
}

static _Noreturn void syncer(void)
{
	for (;;) {
		gate_wait(&syncs.go);
		autoclose int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
		syncs.seen->begin = now_usec();
		if (fsync(fd))
			die("fsync %s", path);
		syncs.seen->end = now_usec();
		syncs.seen->count = size / PAGE;
		syncs.seen->total += syncs.seen->count;
		gate_open(&syncs.done);
	}
}

/* Before each measurement: the whole file is in the page cache, and nothing of it on the disk. */
static void make_dirty(void)
{
	at_once = -io_stat(writes.group, "wbytes");
	gate_open(&writes.go);
	gate_wait(&writes.done);
	at_once += io_stat(writes.group, "wbytes");
	dirty = cg_read_key(writes.group, "memory.stat", "file_dirty");
}

/* Done twice: the writer's group has no limit, and then wbps. */
static void measure_fsync(const char *name, bool free)
{
	autofree char *writes_name = text("%s-writes", name), *syncs_name = text("%s-syncs", name);
	autofree char *at_once_what = text("%s: after write(), wbytes", name);
	autofree char *dirty_what = text("%s: after write(), dirty", name);
	autofree char *rate_what =
		text("%s: %s", name, free ? "fsync(), times wbps" : "bytes a second of fsync()");
	autofree char *writer_what = text("%s: who wrote, wbytes", name);
	autofree char *syncer_what = text("%s: who synced, wbytes", name);
	size = seconds * RATE / 1000 / PAGE * PAGE;
	path = text("/mnt/%s", name);
	writes = (struct worker){.group = group_create(writes_name)};
	syncs = (struct worker){.group = group_create(syncs_name),
		.writes = true,
		.size = PAGE,
		.limit = RATE / PAGE,
		.free = free,
		.before = make_dirty};
	if (!free) {
		autofree char *line = text("%s wbps=%d", disk_numbers, RATE);
		cg_write(writes.group, "io.max", line);
		expect_int("limited: io.max of who writes", RATE, io_max(writes.group, "wbps"));
	}
	worker_prepare(&writes), worker_prepare(&syncs);
	int lock = mount_disk();
	writes.pid = FORKED(cg_spawn(writes.group));
	if (writes.pid == 0)
		writer();
	undo_kill(writes.pid);
	syncs.pid = FORKED(cg_spawn(syncs.group));
	if (syncs.pid == 0)
		syncer();
	undo_kill(syncs.pid);
	enum noise noise = worker_measure(&syncs);
	cg_kill(writes.group), cg_kill(syncs.group);
	unmount_disk(lock);
	long long written = syncs.seen->total * PAGE;
	expect_int(at_once_what, 0, at_once);
	/* Linux 5.10 brings memory.stat up to date in batches of 32 pages for each CPU. */
	expect_range(dirty_what, size - 64 * PAGE, size + size / 4, dirty);
	expect_rate(noise, rate_what, &syncs, free ? 1 : PAGE);
	expect_range(writer_what, written, written + written / 4, io_stat(writes.group, "wbytes"));
	expect_range(syncer_what, 0, written / 4, io_stat(syncs.group, "wbytes"));
	lab_look("grep . %s/io.max %s/io.stat", writes.group, writes.group);
	lab_wait(0);
}

int main(int argc, char *argv[])
{
	static const char file[] = "/mnt/cached";
	lab_parse(&lab, argc, argv);
	disk_check_option(&lab);
	lab_begin(&lab, argc, argv);
	disk_find();
	window = seconds * 1000;

	lab_step("Read a file in one group, then in a second group.",
		"the second finds it in the page cache: no disk, nothing counted");
	if (!expect_str("the device is", DISK, disk_kind(disk_path)))
		return lab_end();
	mounts_unshare();
	autofree char *first = group_create("first"), *second = group_create("second");
	int lock = mount_disk();
	write_cached(file, CACHED);
	int fd = openat(AT_FDCWD, file, O_RDONLY | O_CLOEXEC);
	SYS(fsync(fd), fd);
	errno = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED); /* drops it from the page cache */
	if (errno)
		die("posix_fadvise %s", file);
	read_in(first, file, CACHED);
	read_in(second, file, CACHED);
	close(fd);
	unmount_disk(lock);
	expect_range("the first reader's rbytes", CACHED, 2 * CACHED, io_stat(first, "rbytes"));
	expect_int("the second reader's rbytes", 0, io_stat(second, "rbytes"));
	lab_look("ls %s/io.stat %s/io.stat", first, second);
	lab_wait(0);

	lab_step("Write a file without O_DIRECT. A process in another group calls fsync().",
		"write() moves no byte to the disk; fsync() does, and the writer's group pays");
	measure_fsync("free", true);

	lab_step("The same with wbps for the writer's group.",
		"the other's fsync() takes as long as that limit says");
	measure_fsync("limited", false);

	lab_step("Write more than memory.max, and call no fsync().",
		"the kernel writes pages back to make room, and the writer's group pays");
	autofree char *roomy = group_create("roomy"), *narrow = group_create("narrow");
	long long room = 2048 * sysconf(_SC_PAGESIZE);
	autofree char *limit = text("%lld", room);
	cg_write(narrow, "memory.max", limit);
	autofree char *read_back = cg_read(narrow, "memory.max");
	if (!expect_str("narrow: memory.max", limit, read_back))
		return lab_end();
	lock = mount_disk();
	expect_int("roomy: its status", 0, write_in(roomy, "/mnt/roomy", 2 * room));
	expect_int("roomy: wbytes", 0, io_stat(roomy, "wbytes"));
	expect_int("narrow: its status", 0, write_in(narrow, "/mnt/narrow", 2 * room));
	expect_range("narrow: wbytes", room, 3 * room, io_stat(narrow, "wbytes"));
	unmount_disk(lock);
	expect_int("narrow: oom_kill", 0, cg_read_key(narrow, "memory.events", "oom_kill"));
	lab_look("grep . %s/io.stat %s/memory.events", narrow, narrow);
	lab_wait(0);

	lab_row("a second reader", "rbytes grow", "nothing counted", "the page cache");
	lab_row("write()", "O_DIRECT: waits", "returns at once", "the page cache");
	lab_row("a file written back", "as fast as it can", "its group's wbps", "the writer");
	lab_row("more than memory.max", "-", "written back", "a kernel thread");
	return lab_end();
}
