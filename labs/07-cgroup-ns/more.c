/*
 * More of 07-cgroup-ns: what the files of a group tell and do. cgroups(7),
 * Documentation/admin-guide/cgroup-v2.rst, Documentation/accounting/psi.rst,
 * and for --v1 Documentation/admin-guide/cgroup-v1/.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "kernel/file.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "machine/machine.h"
#include "story/lab.h"
#include "words.h"

static const struct lab_part parts[] = {
	{.name = "v1",
		.title = "The same two limits in v2 and then in v1: each must have its file.",
		.needs = {.root = true, .controllers = "cpu memory"},
		.boot_alone = true},
	{0},
};

static const struct lab lab = {
	.id = "07-cgroup-ns/more",
	.title = "What the files of a group tell and do",
	.goal = "A tree of groups is told of its last process, stopped, ended and watched as a whole.",
	.manual = "cgroups(7) poll(2) rmdir(2) mount(2)",
	.teaches = "rmdir poll kill file:cgroup.events file:cgroup.freeze file:cgroup.kill "
		   "file:memory.pressure file:cpu.pressure",
	.after = "07-cgroup-ns",
	.needs = {.controllers = "memory pids", .kernel = "5.14", .memory = 256 << 20},
	.parts = parts,
	.words = &more_words,
	.story_only = true,
};

static size_t limit; /* bytes */
static char *top;    /* this run's group */
static pid_t lab_pid;
static struct gate ready;

static int put(const char *group, const char *file, const char *value)
{
	autofree char *path = text("%s/%s", group, file);
	autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, value, strlen(value)) < 0 ? -1 : 0;
}

static char *get(const char *group, const char *file)
{
	autofree char *path = text("%s/%s", group, file);
	return file_read(path);
}

/* The number behind "KEY " or "KEY=" in a file, -1 when there is none; "" is the whole file. */
static long long number(const char *group, const char *file, const char *key)
{
	autofree char *content = get(group, file);
	size_t length = strlen(key);
	for (char *at = content; *key && (at = strstr(at, key)); at += length)
		if (at[length] == ' ' || at[length] == '=')
			return strtoll(at + length + 1, NULL, 10);
	return *key ? -1 : strtoll(content, NULL, 10);
}

/* Waits until the file says so: kernfs announces a change of cgroup.events by POLLPRI. */
static bool event_comes(const char *group, const char *event)
{
	autofree char *path = text("%s/cgroup.events", group);
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	for (;;) {
		char events[256] = "";
		struct pollfd changed = {.fd = fd, .events = POLLPRI};
		if (pread(fd, events, sizeof events - 1, 0) > 0 && strstr(events, event))
			return true;
		if (poll(&changed, 1, 10000) == 0)
			return false;
	}
}

static char *new_group(const char *parent, const char *name)
{
	char *group = text("%s/%s", parent, name);
	SYS(mkdir(group, 0755));
	return group;
}

/* A child that enters the group and then idles, spins, or touches size bytes and idles. */
enum deed { IDLE, SPIN, TOUCH };
static pid_t process_in(const char *group, enum deed deed, size_t size)
{
	pid_t child = FORK();
	if (child == 0) {
		if (put(group, "cgroup.procs", "0"))
			die("write 0 to %s/cgroup.procs", group);
		gate_open(&ready);
		while (deed == SPIN && getppid() == lab_pid)
			;
		if (deed == TOUCH) {
			char *memory = mmap(NULL, size, PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
			if (memory == MAP_FAILED)
				die("mmap");
			memset(memory, 1, size);
		}
		child_idle();
	}
	undo_kill(child);
	gate_wait(&ready);
	return child;
}

static void end(pid_t child)
{
	MUST(kill(child, SIGKILL));
	child_wait(child);
}

/* True when the number is that much within ten seconds; looked at every 20 ms. */
static bool reaches(
	pid_t child, const char *group, const char *file, const char *key, long long least)
{
	for (int tries = 0; tries < 500 && !child_ended(child, 20); tries++)
		if (number(group, file, key) >= least)
			return true;
	return false;
}

static bool grows(pid_t child, const char *group, const char *file, const char *key, int enough)
{
	return reaches(child, group, file, key, number(group, file, key) + enough);
}

static void tree(void)
{
	autofree char *above = new_group(top, "above"), *below = new_group(above, "below");
	autofree char *empty = new_group(above, "empty");
	expect_int("before: above is populated", 0, number(above, "cgroup.events", "populated"));
	pid_t child = process_in(below, IDLE, 0);
	expect_int("below is populated", 1, number(below, "cgroup.events", "populated"));
	expect_int("above is populated", 1, number(above, "cgroup.events", "populated"));
	expect_int("empty is populated", 0, number(empty, "cgroup.events", "populated"));
	expect_errno("rmdir of the populated one", EBUSY, rmdir(below));
	expect_errno("control: rmdir of the empty one", 0, rmdir(empty));
	lab_look("grep . %s/cgroup.events %s/cgroup.events", above, below);
	lab_wait(child);
	end(child);
	expect_int("its end is told above, by poll()", true, event_comes(above, "populated 0"));
	expect_errno("rmdir of it then", 0, rmdir(below));
}

static void freeze(void)
{
	autofree char *group = new_group(top, "paused");
	pid_t child = process_in(group, SPIN, 0);
	expect_int("control: CPU time grows", true,
		grows(child, group, "cpu.stat", "usage_usec", 10000));
	SYS(put(group, "cgroup.freeze", "1"));
	expect_int("cgroup.events: frozen 1 comes", true, event_comes(group, "frozen 1"));
	long long used = number(group, "cpu.stat", "usage_usec");
	bool ended = child_ended(child, 300); /* no wait for anything: the time it could use */
	expect_int("frozen: microseconds used", 0, number(group, "cpu.stat", "usage_usec") - used);
	expect_int("frozen: it has ended", false, ended);
	lab_look("grep . %s/cgroup.events %s/cgroup.freeze", group, group);
	lab_wait(0);
	SYS(put(group, "cgroup.freeze", "0"));
	expect_int("thawed: CPU time grows", true,
		grows(child, group, "cpu.stat", "usage_usec", 10000));
	end(child);
}

/* How it has ended; -1 when it has not after ten seconds. */
static int status_of(pid_t child)
{
	return child_ended(child, 10000) ? child_wait(child) : -1;
}

static void kill_all(void)
{
	autofree char *group = new_group(top, "ended");
	autofree char *a = new_group(group, "a"), *b = new_group(group, "b");
	pid_t one = process_in(a, IDLE, 0), other = process_in(b, IDLE, 0);
	SYS(kill(one, SIGKILL));
	expect_int("control: the one that kill() names", 137, child_wait(one));
	expect_int("control: the other has ended", false, child_ended(other, 0));
	one = process_in(a, IDLE, 0);
	SYS(put(group, "cgroup.kill", "1"));
	expect_int("cgroup.kill: the one", 137, status_of(one));
	expect_int("cgroup.kill: the other", 137, status_of(other));
	expect_int("populated 0 comes", true, event_comes(group, "populated 0"));
}

static void pressure(void)
{
	autofree char *roomy = new_group(top, "roomy"), *tight = new_group(top, "tight");
	autofree char *file = text("%s/memory.pressure", tight), *psi = file_try_read(file);
	autofree char *belt = text("%zu", 2 * limit), *high = text("%zu", limit / 2);
	if (!psi && errno != ENOENT && errno != EOPNOTSUPP)
		die("read %s", file);
	if (!psi) {
		check_skip("pressure", "this kernel keeps no memory.pressure",
			"boot with psi=1; a kernel with CONFIG_PSI");
		return;
	}
	SYS(put(roomy, "memory.max", belt));
	SYS(put(tight, "memory.max", belt));
	SYS(put(tight, "memory.high", high)); /* above it, the kernel makes the process wait */
	autofree char *belt_now = get(tight, "memory.max"), *high_now = get(tight, "memory.high");
	if (!expect_str("memory.max, the belt", belt, belt_now) ||
		!expect_str("memory.high", high, high_now))
		return;
	expect_int("memory: us waited before", 0, number(tight, "memory.pressure", "total"));
	pid_t child = process_in(tight, TOUCH, limit), at_ease = process_in(roomy, TOUCH, limit);
	bool waited = reaches(child, tight, "memory.pressure", "total", 1000);
	expect_int("tight: 1000 us and more are waited", true, waited);
	expect_int("control: with room, us waited", 0, number(roomy, "memory.pressure", "total"));
	end(at_ease);
	end(child);

	autofree char *busy = new_group(top, "busy");
	expect_int("cpu: us waited before", 0, number(busy, "cpu.pressure", "total"));
	cpu_set_t before, one_cpu;
	sched_getaffinity(0, sizeof before, &before);
	CPU_ZERO(&one_cpu);
	CPU_SET(sched_getcpu(), &one_cpu);
	sched_setaffinity(0, sizeof one_cpu, &one_cpu); /* the children inherit it */
	pid_t first = process_in(busy, SPIN, 0), second = process_in(busy, SPIN, 0);
	sched_setaffinity(0, sizeof before, &before);
	expect_int("two on one CPU: 10000 us and more", true,
		reaches(first, busy, "cpu.pressure", "total", 10000));
	lab_look("cat %s/cpu.pressure", busy);
	lab_wait(0);
	end(first);
	end(second);
	lab_row("us waited for memory", "with room: 0", "above high: grow", "memory.pressure");
	lab_row("us waited for CPU", "nobody in it: 0", "two on one: grow", "cpu.pressure");
}

/* ---- --v1 ---- */

/* Done for each version: 2 x the memory limit is touched, and the CPU quota is used up. */
static void use_up(const char *v, const char *memory, const char *cpu, const char *witness)
{
	autofree char *status = text("%s: 2 x the limit, status", v);
	autofree char *kills = text("%s: %s oom_kill", v, witness);
	autofree char *throttled = text("%s: cpu.stat nr_throttled grows", v);
	pid_t child = process_in(memory, TOUCH, 2 * limit);
	expect_int(status, 137, status_of(child));
	expect_int(kills, 1, number(memory, witness, "oom_kill"));
	child = process_in(cpu, SPIN, 0);
	expect_int(throttled, true, grows(child, cpu, "cpu.stat", "nr_throttled", 1));
	end(child);
}

/* A v1 hierarchy has its controllers as mount options; they must be in use nowhere else. */
static char *mount_v1(const char *controller)
{
	char *folder = text("%s/%s", tmp_folder(), controller);
	SYS(mkdir(folder, 0755));
	struct pollfd none = {.fd = -1};
	int rc, tries = 100;
	/* EBUSY until the kernel has given back what the group in v2 had: that takes a moment. */
	while ((rc = mount("cgroup", folder, "cgroup", 0, controller)) && errno == EBUSY && tries--)
		poll(&none, 1, 100);
	if (rc && errno == EINVAL)
		return NULL;
	autofree char *what = text("v1: mount of %s", controller);
	return expect_errno(what, 0, rc) ? folder : NULL;
}

/* The same in v1, in a folder that goes away at the end, whatever the end. */
static void in_v1(const char *bytes)
{
	static struct machine machine;
	autofree char *memory = mount_v1("memory"), *cpu = mount_v1("cpu");
	if (!memory || !cpu) {
		check_skip("v1", "this kernel has no v1 memory (CONFIG_MEMCG_V1)",
			"KERNEL=FILE scripts/lab 07/more --v1, with one that has");
		return;
	}
	machine_here(&machine);
	expect_int("v2 has the memory controller still", false, machine_has(machine.all, "memory"));
	autofree char *in_memory = text("%s/lab07-%d", memory, lab_pid);
	autofree char *in_cpu = text("%s/lab07-%d", cpu, lab_pid);
	SYS(mkdir(in_memory, 0755));
	SYS(mkdir(in_cpu, 0755));
	SYS(put(in_memory, "memory.limit_in_bytes", bytes));
	SYS(put(in_cpu, "cpu.cfs_period_us", "100000"));
	SYS(put(in_cpu, "cpu.cfs_quota_us", "50000"));
	autofree char *limit_now = get(in_memory, "memory.limit_in_bytes");
	autofree char *quota_now = get(in_cpu, "cpu.cfs_quota_us");
	if (!expect_str("v1: memory.limit_in_bytes", bytes, limit_now))
		return;
	expect_str("v1: cpu.cfs_quota_us", "50000", quota_now);
	use_up("v1", in_memory, in_cpu, "memory.oom_control");
	expect_range("v1: memory.failcnt", 1, LLONG_MAX, number(in_memory, "memory.failcnt", ""));
	SYS(rmdir(in_memory));
	SYS(rmdir(in_cpu));
	lab_row("the memory limit", "v1: memory.limit_in_bytes", "v2: memory.max", "a file");
	lab_row("was anybody killed?", "memory.oom_control", "memory.events", "a file");
	lab_row("the CPU limit", "two: cfs_quota_us, cfs_period_us", "one: cpu.max", "a file");
	lab_row("a process enters", "once for each controller", "once", "cgroup.procs");
	lab_row("hierarchies", "one for each mount", "one", "mount(2)");
}

static void v1(void)
{
	autofree char *bytes = text("%zu", limit), *group = new_group(top, "v2");
	SYS(put(group, "memory.max", bytes));
	SYS(put(group, "cpu.max", "50000 100000"));
	autofree char *max = get(group, "memory.max"), *quota = get(group, "cpu.max");
	if (!expect_str("v2: memory.max", bytes, max))
		return;
	expect_str("v2: cpu.max", "50000 100000", quota);
	use_up("v2", group, group, "memory.events");
	event_comes(group, "populated 0");
	SYS(rmdir(group));
	SYS(rmdir(top));

	long before = ns_inode(0, "mnt");
	SYS(unshare(CLONE_NEWNS)); /* lab 02: the mounts die with us */
	if (!expect_differ("own mount table", before, ns_inode(0, "mnt")))
		return;
	SYS(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	SYS(mount("tmpfs", tmp_folder(), "tmpfs", 0, NULL));
	in_v1(bytes);
	SYS(umount2(tmp_folder(), MNT_DETACH));
}

int main(int argc, char *argv[])
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	lab_begin(&lab, argc, argv);
	limit = page * 1024 > 32 << 20 ? page * 1024 : 32 << 20;
	lab_pid = getpid();
	gate_init(&ready);
	top = text("%s/lab07-%d", group_home(), lab_pid);
	if (lab_asked("v1") && !lab_part("v1"))
		return lab_end();
	if (!lab_asked("v1"))
		lab_step("populated must flip up the tree; rmdir of a populated group be refused.",
			NULL);
	SYS(mkdir(top, 0755));
	group_undo(top);
	if (lab_asked("v1")) {
		SYS(put(top, "cgroup.subtree_control", "+memory +cpu"));
		v1();
		return lab_end();
	}
	SYS(put(top, "cgroup.subtree_control", "+memory"));
	tree();
	lab_step(
		"cgroup.freeze must stop what runs, and nothing else: what docker pause is.", NULL);
	freeze();
	lab_step("cgroup.kill must end all below; kill(2) ends the one that it names.", NULL);
	kill_all();
	lab_row("a process two levels below", "populated 0", "populated 1", "the kernel");
	lab_row("rmdir", "empty: done", "populated: EBUSY", "the kernel");
	lab_row("a spinner's CPU time", "grows", "stands still", "cgroup.freeze");
	lab_row("SIGKILL for", "one process", "the whole tree", "cgroup.kill");

	lab_step("Pressure: the time that was waited for memory or CPU must grow.", NULL);
	pressure();
	return lab_end();
}
