/*
 * More of 07-cgroup-ns: how a whole tree of groups is watched, stopped and killed, and how the
 * kernel counts the time that its processes wait. With --v1: the same limits in cgroup v1.
 * cgroups(7), Documentation/admin-guide/cgroup-v2.rst, Documentation/accounting/psi.rst,
 * Documentation/admin-guide/cgroup-v1/
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

#include "cgroupfs.h"
#include "kernel/file.h"
#include "kernel/mounts.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "machine/machine.h"
#include "story/lab.h"
#include "words.h"

static const struct lab_part parts[] = {
	{.name = "v1",
		.title = "Set the same two limits in v2 and then in v1.",
		.expect = "each version has a file for each limit, and the kernel enforces both",
		.needs = {.root = true, .controllers = "cpu memory"},
		.boot_alone = true},
	{0},
};

static const struct lab lab = {
	.id = "07-cgroup-ns/more",
	.title = "What the files of a group tell and do",
	.goal = "You can treat a tree of groups as one thing: learn when its last process has ended, "
		"stop all of it, kill all of it, and see how long its processes have to wait.",
	.manual = "cgroups(7) poll(2) rmdir(2) mount(2)",
	.teaches = "rmdir poll kill file:cgroup.events file:cgroup.freeze file:cgroup.kill "
		   "file:memory.pressure file:cpu.pressure",
	.after = "07-cgroup-ns 02-mnt-ns",
	.needs = {.controllers = "memory pids", .kernel = "5.2", .memory = 256 << 20},
	.parts = parts,
	.words = &more_words,
	.story_only = true,
};

static size_t limit; /* bytes */
static char *top;    /* this run's group */
static pid_t lab_pid;
static struct gate ready;

static int write_file(const char *group, const char *file, const char *value)
{
	autofree char *path = text("%s/%s", group, file);
	autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, value, strlen(value)) < 0 ? -1 : 0;
}

static char *make_group(const char *parent, const char *name)
{
	char *group = text("%s/%s", parent, name);
	SYS(mkdir(group, 0755), group);
	return group;
}

/* Forks a child that enters the group and then idles, spins, or touches size bytes and idles. */
enum work { IDLE, SPIN, TOUCH };
static pid_t fork_into(const char *group, enum work work, size_t size)
{
	pid_t child = FORK();
	if (child == 0) {
		if (write_file(group, "cgroup.procs", "0"))
			die("write 0 to %s/cgroup.procs", group);
		gate_open(&ready);
		while (work == SPIN && getppid() == lab_pid)
			;
		if (work == TOUCH) {
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

static void kill_child(pid_t child)
{
	MUST(kill(child, SIGKILL));
	child_wait(child);
}

/* Reads the number every 20 ms; false when it is below least after ten seconds. */
static bool reaches(pid_t child, const char *group, const char *file, const char *key, long least)
{
	int tries = 0;
	while (cgroupfs_number(group, file, key) < least && !child_ended(child, 20) && tries < 500)
		tries++;
	return cgroupfs_number(group, file, key) >= least;
}

static bool grows(pid_t child, const char *group, const char *file, const char *key, int enough)
{
	return reaches(child, group, file, key, cgroupfs_number(group, file, key) + enough);
}

/* The exit status of the child; -1 when it has not ended after ten seconds. */
static int end_of(pid_t child)
{
	return child_ended(child, 10000) ? child_wait(child) : -1;
}

/* The last step. It ends early on a kernel that keeps no pressure files. */
static void pressure(void)
{
	autofree char *roomy = make_group(top, "roomy"), *tight = make_group(top, "tight");
	autofree char *file = text("%s/memory.pressure", tight), *psi = file_try_read(file);
	autofree char *most = text("%zu", 2 * limit), *high = text("%zu", limit / 2);
	if (!psi && errno != ENOENT && errno != EOPNOTSUPP)
		die("read %s", file);
	if (!psi) {
		check_skip("pressure", "this kernel keeps no memory.pressure",
			"boot with psi=1; a kernel with CONFIG_PSI");
		return;
	}
	SYS(write_file(roomy, "memory.max", most), roomy, most);
	SYS(write_file(tight, "memory.max", most), tight, most);
	/* Above it, the kernel slows the process. */
	SYS(write_file(tight, "memory.high", high), tight, high);
	autofree char *most_now = cgroupfs_read(tight, "memory.max"),
		      *high_now = cgroupfs_read(tight, "memory.high");
	if (!expect_str("memory.max, the safety limit", most, most_now) ||
		!expect_str("memory.high", high, high_now))
		return;
	expect_int("memory: us before", 0, cgroupfs_number(tight, "memory.pressure", "total"));
	pid_t child = fork_into(tight, TOUCH, limit), at_ease = fork_into(roomy, TOUCH, limit);
	expect_int("tight: 1000 us and more are waited", true,
		reaches(child, tight, "memory.pressure", "total", 1000));
	expect_int("control: with room, us waited", 0,
		cgroupfs_number(roomy, "memory.pressure", "total"));
	kill_child(at_ease);
	kill_child(child);

	autofree char *busy = make_group(top, "busy");
	expect_int("cpu: us before", 0, cgroupfs_number(busy, "cpu.pressure", "total"));
	cpu_set_t before, one_cpu;
	sched_getaffinity(0, sizeof before, &before);
	CPU_ZERO(&one_cpu);
	CPU_SET(sched_getcpu(), &one_cpu);
	sched_setaffinity(0, sizeof one_cpu, &one_cpu); /* the children inherit it */
	pid_t first = fork_into(busy, SPIN, 0), second = fork_into(busy, SPIN, 0);
	sched_setaffinity(0, sizeof before, &before);
	expect_int("two on one CPU: 10000 us and more", true,
		reaches(first, busy, "cpu.pressure", "total", 10000));
	lab_look("cat %s/cpu.pressure", busy);
	lab_wait(0);
	kill_child(first), kill_child(second);
	lab_row("us waited for memory", "with room: 0", "above high: grow", "memory.pressure");
	lab_row("us waited for CPU", "nobody in it: 0", "two on one: grow", "cpu.pressure");
}

/* ---- --v1 ---- */

/* Done once for each version: touches twice the memory limit, and uses up the CPU quota. */
static void use_up(const char *v, const char *memory, const char *cpu, const char *witness)
{
	autofree char *status = text("%s: 2 x the limit, status", v);
	autofree char *kills = text("%s: %s oom_kill", v, witness);
	autofree char *throttled = text("%s: cpu.stat nr_throttled grows", v);
	pid_t child = fork_into(memory, TOUCH, 2 * limit);
	expect_int(status, 137, end_of(child));
	expect_int(kills, 1, cgroupfs_number(memory, witness, "oom_kill"));
	child = fork_into(cpu, SPIN, 0);
	expect_int(throttled, true, grows(child, cpu, "cpu.stat", "nr_throttled", 1));
	kill_child(child);
}

/*
 * Mounts a v1 hierarchy. Its controller is a mount option, and no other hierarchy may use it. NULL
 * when the kernel has no such controller.
 */
static char *mount_v1(const char *controller)
{
	char *folder = text("%s/%s", tmp_folder(), controller);
	SYS(mkdir(folder, 0755), folder);
	struct pollfd none = {.fd = -1};
	int rc, tries = 100;
	/* EBUSY for a moment, until the kernel has freed the group that was in v2. */
	while ((rc = mount("cgroup", folder, "cgroup", 0, controller)) && errno == EBUSY && tries--)
		poll(&none, 1, 100);
	if (rc && errno == EINVAL)
		return NULL;
	autofree char *what = text("v1: mount of %s", controller);
	return expect_errno(what, 0, rc) ? folder : NULL;
}

/* The same limits in v1, mounted below a folder that disappears with the mount namespace. */
static void in_v1(const char *bytes)
{
	static struct machine machine;
	autofree char *memory = mount_v1("memory"), *cpu = mount_v1("cpu");
	if (!memory || !cpu) {
		check_skip("v1", "this kernel has no v1 memory (CONFIG_MEMCG_V1)",
			"KERNEL=FILE scripts/lab 07/more --v1, with a kernel that has it");
		return;
	}
	machine_here(&machine);
	expect_int("v2 has the memory controller still", false, machine_has(machine.all, "memory"));
	autofree char *in_memory = text("%s/lab07-%d", memory, lab_pid);
	autofree char *in_cpu = text("%s/lab07-%d", cpu, lab_pid);
	SYS(mkdir(in_memory, 0755), in_memory);
	SYS(mkdir(in_cpu, 0755), in_cpu);
	SYS(write_file(in_memory, "memory.limit_in_bytes", bytes), in_memory, bytes);
	SYS(write_file(in_cpu, "cpu.cfs_period_us", "100000"), in_cpu);
	SYS(write_file(in_cpu, "cpu.cfs_quota_us", "50000"), in_cpu);
	autofree char *limit_now = cgroupfs_read(in_memory, "memory.limit_in_bytes");
	autofree char *quota_now = cgroupfs_read(in_cpu, "cpu.cfs_quota_us");
	if (!expect_str("v1: memory.limit_in_bytes", bytes, limit_now))
		return;
	expect_str("v1: cpu.cfs_quota_us", "50000", quota_now);
	use_up("v1", in_memory, in_cpu, "memory.oom_control");
	expect_range("v1: memory.failcnt", 1, LLONG_MAX,
		cgroupfs_number(in_memory, "memory.failcnt", ""));
	SYS(rmdir(in_memory), in_memory);
	SYS(rmdir(in_cpu), in_cpu);
	lab_row("the memory limit", "v1: memory.limit_in_bytes", "v2: memory.max", "a file");
	lab_row("who was killed", "memory.oom_control", "memory.events", "a file");
	lab_row("the CPU limit", "two: cfs_quota_us, cfs_period_us", "one: cpu.max", "a file");
	lab_row("a process enters", "once for each controller", "once", "cgroup.procs");
	lab_row("hierarchies", "one for each mount", "one", "mount(2)");
}

static void v1(void)
{
	SYS(mkdir(top, 0755), top);
	group_undo(top);
	SYS(write_file(top, "cgroup.subtree_control", "+memory +cpu"), top);
	autofree char *bytes = text("%zu", limit), *group = make_group(top, "v2");
	SYS(write_file(group, "memory.max", bytes), group, bytes);
	SYS(write_file(group, "cpu.max", "50000 100000"), group);
	autofree char *max = cgroupfs_read(group, "memory.max"),
		      *quota = cgroupfs_read(group, "cpu.max");
	if (!expect_str("v2: memory.max", bytes, max))
		return;
	expect_str("v2: cpu.max", "50000 100000", quota);
	use_up("v2", group, group, "memory.events");
	cgroupfs_event(group, "populated 0");
	SYS(rmdir(group), group);
	SYS(rmdir(top), top);

	mounts_unshare();
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
	if (lab_asked("v1")) {
		if (lab_part("v1"))
			v1();
		return lab_end();
	}

	lab_step("Put a process into a group two levels below; then kill it.",
		"populated is 1 in each group above, as long as the process is there");
	SYS(mkdir(top, 0755), top);
	group_undo(top);
	SYS(write_file(top, "cgroup.subtree_control", "+memory"), top);
	autofree char *above = make_group(top, "above"), *below = make_group(above, "below");
	autofree char *empty = make_group(above, "empty");
	expect_int("before: above is populated", 0,
		cgroupfs_number(above, "cgroup.events", "populated"));
	pid_t child = fork_into(below, IDLE, 0);
	expect_int("below is populated", 1, cgroupfs_number(below, "cgroup.events", "populated"));
	expect_int("above is populated", 1, cgroupfs_number(above, "cgroup.events", "populated"));
	expect_int("empty is populated", 0, cgroupfs_number(empty, "cgroup.events", "populated"));
	expect_errno("rmdir of the populated one", EBUSY, rmdir(below));
	expect_errno("control: rmdir of the empty one", 0, rmdir(empty));
	lab_look("grep . %s/cgroup.events %s/cgroup.events", above, below);
	lab_wait(child);
	kill_child(child);
	expect_int("its end is told above, by poll()", true, cgroupfs_event(above, "populated 0"));
	expect_errno("rmdir of it then", 0, rmdir(below));

	lab_step("Write 1 to cgroup.freeze of a group with a busy process, as docker pause does.",
		"the process uses no more CPU time, but lives; after a 0 it goes on");
	autofree char *paused = make_group(top, "paused");
	child = fork_into(paused, SPIN, 0);
	expect_int("control: CPU time grows", true,
		grows(child, paused, "cpu.stat", "usage_usec", 10000));
	SYS(write_file(paused, "cgroup.freeze", "1"), paused);
	expect_int("cgroup.events: frozen 1 comes", true, cgroupfs_event(paused, "frozen 1"));
	long long used = cgroupfs_number(paused, "cpu.stat", "usage_usec");
	bool ended = child_ended(child, 300); /* Not frozen, it would run for these 300 ms. */
	expect_int("frozen: microseconds used", 0,
		cgroupfs_number(paused, "cpu.stat", "usage_usec") - used);
	expect_int("frozen: it has ended", false, ended);
	lab_look("grep . %s/cgroup.events %s/cgroup.freeze", paused, paused);
	lab_wait(0);
	SYS(write_file(paused, "cgroup.freeze", "0"), paused);
	expect_int("thawed: CPU time grows", true,
		grows(child, paused, "cpu.stat", "usage_usec", 10000));
	kill_child(child);

	lab_step("Kill one process with kill(); then a whole tree by a 1 in cgroup.kill.",
		"kill() ends the process that it names, cgroup.kill all in the tree");
	autofree char *group = make_group(top, "ended");
	autofree char *a = make_group(group, "a"), *b = make_group(group, "b");
	pid_t one = fork_into(a, IDLE, 0), other = fork_into(b, IDLE, 0);
	SYS(kill(one, SIGKILL));
	expect_int("control: the one that kill() names", 137, child_wait(one));
	expect_int("control: the other has ended", false, child_ended(other, 0));
	one = fork_into(a, IDLE, 0);
	if (!cgroupfs_kill_each(group, one, other)) /* as before Linux 5.14 */
		SYS(write_file(group, "cgroup.kill", "1"), group);
	expect_int("cgroup.kill: the one", 137, end_of(one));
	expect_int("cgroup.kill: the other", 137, end_of(other));
	expect_int("populated 0 comes", true, cgroupfs_event(group, "populated 0"));
	lab_row("a process two levels below", "populated 0", "populated 1", "the kernel");
	lab_row("rmdir", "empty: done", "populated: EBUSY", "the kernel");
	lab_row("a spinner's CPU time", "grows", "stands still", "cgroup.freeze");
	lab_row("SIGKILL for", "one process", "the whole tree", "cgroup.kill");

	lab_step("Give a process less memory than it uses, and two processes one CPU.",
		"memory.pressure and cpu.pressure count the time that they wait");
	pressure();
	return lab_end();
}
