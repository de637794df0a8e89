/*
 * More of 12-io-max: what io.max refuses, a parent's limit, and the page cache:
 * what it has read costs nobody anything, and what it writes back is counted,
 * and limited, for the group whose file it is. cgroups(7), sync(2),
 * Documentation/admin-guide/cgroup-v2.rst, "IO" and "Writeback"
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "disk.h"
#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "meter.h"
#include "story/lab.h"
#include "words.h"

enum { RATE = 4 << 20, PAGE = 4096, CACHED = 4 << 20 };

static long long seconds = 2000;

static const struct lab_option lab_options[] = {
	{"seconds", LAB_DECIMAL, &seconds, 100, 5000, "how long each window is"},
	{"device", LAB_PATH_IN, &device, 0, 0, "a disk to lose, with --scratch"},
	{"scratch", LAB_FLAG, &scratch, 0, 0, "all that is on it may be lost"},
	{0},
};

static const struct lab_part lab_parts[] = {
	{.name = "cache",
		.title = "What one has read another finds in the page cache: no disk, no account.",
		.needs = {.modules = "ext4"}},
	{.name = "writeback",
		.title = "A file, written without O_DIRECT: the group whose it is must pay.",
		.needs = {.modules = "ext4"}},
	{.name = "kernel",
		.title = "Nobody calls fsync(): the kernel writes, and the group must pay.",
		.needs = {.modules = "ext4"}},
	{0},
};

static struct lab lab = {
	.id = "12-io-max/more",
	.title = "The page cache, and who pays for it",
	.goal = "Most programs never wait for the disk: they read what is in the page cache, and "
		"leave what they write there. The limit meets it when it is written back.",
	.manual = "cgroups(7) fsync(2) pwrite(2) mount(2)",
	.teaches = "openat fsync pwrite64 mount file:io.max file:io.stat",
	.after = "12-io-max 02-mnt-ns 10-oom-demo",
	.needs = {.root = true,
		.block = true,
		.controllers = "io memory",
		.kernel = "5.14",
		.cpus = 2},
	.parts = lab_parts,
	.options = lab_options,
	.quick = "--seconds=1",
	.words = &more_words,
	.story_only = true,
	.hazard = true,
	.exclusive_cpu = true,
};

static void refusals(void)
{
	autofree char *group = group_create("refused"), *file = text("%s/io.max", group);
	autofree char *zero = text("%s rbps=0", numbers), *word = text("%s speed=1", numbers);
	expect_errno("a device that is not there", ENODEV,
		file_try_write(file, "511:1048575 rbps=1048576"));
	expect_errno("0 bytes a second", ERANGE, file_try_write(file, zero));
	expect_errno("a word that it does not know", EINVAL, file_try_write(file, word));
	autofree char *after = cg_read(group, "io.max");
	expect_str("io.max after that", "", after);
	lab_look("ls %s/io.max /sys/dev/block/%s", group, numbers);
	lab_wait(0);
}

/* The child's body: block after block past the page cache, as in main.c. */
static _Noreturn void reader(struct worker *w)
{
	static char block[65536] __attribute__((aligned(4096)));
	int fd = openat(AT_FDCWD, device, O_RDONLY | O_DIRECT | O_CLOEXEC);
	for (;;) {
		for (window_opens(w); window_is_open(w); window_count(w))
			if (pread64(fd, block, w->size, window_place(w, PLACE)) != (ssize_t)w->size)
				die("read %s", device);
		gate_open(&w->done);
	}
}

static void parents(void)
{
	autofree char *parent = group_create("parent"), *child = text("%s/child", parent);
	cg_enable(parent, "io");
	SYS(mkdir(child, 0755));
	struct worker w = {child, false, block_size(RATE), RATE / (long long)block_size(RATE)};
	limit(child, "rbps", 8 * RATE, "the child's own rbps");
	limit(parent, "rbps", RATE, "its parent's rbps");
	prepare(&w);
	w.pid = FORKED(cg_spawn(child));
	if (w.pid == 0)
		reader(&w);
	undo_kill(w.pid);
	bool quiet = measure(&w);
	judge(quiet, "the child: bytes read in a second", &w, (long long)w.size);
	expect_int(
		"counted for its parent too", io_stat(child, "rbytes"), io_stat(parent, "rbytes"));
	lab_look("grep . %s/io.max %s/io.max", parent, child);
	lab_wait(w.pid);
}

/* ---- A filesystem on the device, in a mount namespace of our own ---- */

/* Nothing is mounted before this was read back. */
static bool own_mounts(void)
{
	static bool tried, own;
	if (tried)
		return own;
	tried = true;
	long before = ns_inode(0, "mnt");
	SYS(unshare(CLONE_NEWNS)); /* lab 02: the mounts die with us */
	if (ns_inode(0, "mnt") != before)
		SYS(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	autofree char *table = ns_mount_table(before);
	own = expect_str("its mount table", "own, private", table);
	return own;
}

/* An empty filesystem on /mnt, and the lock of its device; who has inherited that keeps it. */
static int disk_mount(void)
{
	char *make[] = {"mke2fs", "-F", "-b", "4096", (char *)device, NULL};
	posix_spawn_file_actions_t quiet;
	pid_t pid;
	int lock = disk_lock(device);
	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&quiet, STDOUT_FILENO, STDERR_FILENO);
	errno = posix_spawnp(&pid, make[0], &quiet, NULL, make, environ);
	if (errno)
		die("posix_spawn mke2fs");
	if (child_wait(pid))
		die("mke2fs %s: it failed", device);
	SYS(mount(device, "/mnt", "ext4", 0, NULL));
	return lock;
}

static void disk_umount(int lock)
{
	SYS(umount2("/mnt", MNT_DETACH));
	close(lock);
}

/* Without O_DIRECT: write() copies into the page cache, and that is all. */
static void write_file(const char *path, long long size)
{
	static char block[65536];
	autoclose int fd = openat(AT_FDCWD, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	for (off_t at = 0; at < size; at += (off_t)sizeof block)
		if (pwrite64(fd, block, sizeof block, at) != sizeof block)
			die("write %s", path);
}

/* A child in group that reads the file, from the disk or from the page cache. */
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

static void cache(void)
{
	static const char file[] = "/mnt/cached";
	autofree char *first = group_create("first"), *second = group_create("second");
	int lock = disk_mount();
	write_file(file, CACHED);
	autoclose int fd = openat(AT_FDCWD, file, O_RDONLY | O_CLOEXEC);
	SYS(fsync(fd));
	errno = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED); /* out of the cache */
	if (errno)                                            /* which it returns, instead of -1 */
		die("posix_fadvise %s", file);
	read_in(first, file, CACHED);
	read_in(second, file, CACHED);
	close(fd);
	fd = -1;
	disk_umount(lock);
	expect_range("the first reader's rbytes", CACHED, 2 * CACHED, io_stat(first, "rbytes"));
	expect_int("the second reader's rbytes", 0, io_stat(second, "rbytes"));
	lab_look("ls %s/io.stat %s/io.stat", first, second);
	lab_wait(0);
	lab_row("a second reader", "rbytes grow", "nothing counted", "the page cache");
}

/* One who writes a file, and another, in a group without a limit, who calls fsync(). */
static struct worker writes, syncs;
static char *path;
static long long size, at_once, dirty;

static _Noreturn void writer(void)
{
	for (;;) {
		gate_wait(&writes.go);
		write_file(path, size);
		gate_open(&writes.done);
	}
}

static _Noreturn void syncer(void)
{
	for (;;) {
		gate_wait(&syncs.go);
		autoclose int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
		syncs.seen->begin = usec();
		if (fsync(fd))
			die("fsync %s", path);
		syncs.seen->end = usec();
		syncs.seen->count = size / PAGE;
		syncs.seen->total += syncs.seen->count;
		gate_open(&syncs.done);
	}
}

/* Before each window: the file is written, and nothing of it on the disk. */
static void dirties(void)
{
	at_once = -io_stat(writes.group, "wbytes");
	gate_open(&writes.go);
	gate_wait(&writes.done);
	at_once += io_stat(writes.group, "wbytes");
	dirty = cg_read_key(writes.group, "memory.stat", "file_dirty");
}

static void written_back(const char *name, bool free)
{
	autofree char *writes_name = text("%s-writes", name), *syncs_name = text("%s-syncs", name);
	autofree char *at_once_what = text("%s: after write(), wbytes", name);
	autofree char *dirty_what = text("%s: after write(), dirty", name);
	autofree char *rate_what =
		text("%s: %s", name, free ? "fsync(), times wbps" : "bytes a second of fsync()");
	autofree char *pays_what = text("%s: who wrote, wbytes", name);
	autofree char *other_what = text("%s: who synced, wbytes", name);
	size = seconds * RATE / 1000 / PAGE * PAGE;
	path = text("/mnt/%s", name);
	writes = (struct worker){.group = group_create(writes_name)};
	syncs = (struct worker){group_create(syncs_name), true, PAGE, RATE / PAGE, free, dirties};
	if (!free)
		limit(writes.group, "wbps", RATE, "limited: io.max of who writes");
	prepare(&writes), prepare(&syncs);
	int lock = disk_mount();
	writes.pid = FORKED(cg_spawn(writes.group));
	if (writes.pid == 0)
		writer();
	undo_kill(writes.pid);
	syncs.pid = FORKED(cg_spawn(syncs.group));
	if (syncs.pid == 0)
		syncer();
	undo_kill(syncs.pid);
	bool quiet = measure(&syncs);
	cg_kill(writes.group), cg_kill(syncs.group);
	disk_umount(lock);
	long long written = syncs.seen->total * PAGE;
	expect_int(at_once_what, 0, at_once);
	expect_range(dirty_what, size, size + size / 4, dirty);
	judge(quiet, rate_what, &syncs, free ? 1 : PAGE);
	expect_range(pays_what, written, written + written / 4, io_stat(writes.group, "wbytes"));
	expect_range(other_what, 0, written / 4, io_stat(syncs.group, "wbytes"));
	lab_look("grep . %s/io.max %s/io.stat", writes.group, writes.group);
	lab_wait(0);
}

static void writeback(void)
{
	written_back("free", true);
	lab_step("With wbps for who wrote it, the other's fsync() must take that long.", NULL);
	written_back("limited", false);
	lab_row("write(), no O_DIRECT", "waits: O_DIRECT", "at once", "the page cache");
	lab_row("a file written back", "as fast as it can", "its group's wbps", "who wrote it");
}

static int write_in(const char *group, const char *file, long long bytes)
{
	pid_t child = FORKED(cg_spawn(group));
	if (child == 0) {
		write_file(file, bytes);
		_exit(0);
	}
	undo_kill(child);
	return child_wait(child);
}

static void kernel_writes(void)
{
	autofree char *free_group = group_create("roomy"), *group = group_create("narrow");
	long long room = 2048 * sysconf(_SC_PAGESIZE);
	autofree char *limit = text("%lld", room);
	cg_write(group, "memory.max", limit);
	autofree char *read_back = cg_read(group, "memory.max");
	if (!expect_str("narrow: memory.max", limit, read_back))
		return;
	int lock = disk_mount();
	expect_int("roomy: its status", 0, write_in(free_group, "/mnt/roomy", 2 * room));
	expect_int("roomy: wbytes", 0, io_stat(free_group, "wbytes"));
	expect_int("narrow: its status", 0, write_in(group, "/mnt/narrow", 2 * room));
	expect_range("narrow: wbytes", room, 3 * room, io_stat(group, "wbytes"));
	disk_umount(lock);
	expect_int("narrow: oom_kill", 0, cg_read_key(group, "memory.events", "oom_kill"));
	lab_look("grep . %s/io.stat %s/memory.events", group, group);
	lab_wait(0);
	lab_row("more than memory.max", "-", "written back", "a kernel thread");
}

int main(int argc, char *argv[])
{
	lab_parse(&lab, argc, argv);
	disk_option(&lab);
	lab_begin(&lab, argc, argv);
	disk_begin();
	window = seconds * 1000;

	lab_step("What io.max cannot hold to must be refused, and change nothing.", NULL);
	if (!expect_str("the device is", DISK, disk_is(device)))
		return lab_end();
	refusals();
	lab_step("A parent's limit must bound its child, whose own is larger.", NULL);
	parents();
	lab_row("a child's rbps", "its own limit", "its parent's", "io.max above it");

	if (lab_part("cache") && own_mounts())
		cache();
	if (lab_part("writeback") && own_mounts())
		writeback();
	if (lab_part("kernel") && own_mounts())
		kernel_writes();
	return lab_end();
}
