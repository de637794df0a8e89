/*
 * The cgroup tree, and a view of it. A group is a folder: mkdir(2) makes it,
 * a write of a PID fills it, a write of a number limits it. A cgroup namespace
 * only hides what is above. cgroups(7), cgroup_namespaces(7),
 * Documentation/admin-guide/cgroup-v2.rst
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "machine/machine.h"
#include "story/lab.h"
#include "words.h"

static long long limit; /* bytes */

static struct lab_option lab_options[] = {
	{"memory", LAB_SIZE, &limit, 0, 0, "the limit, memory.max"},
	{0},
};

static struct lab lab = {
	.id = "07-cgroup-ns",
	.title = "The cgroup tree, and a view of it",
	.goal = "A group of processes is a folder of files. Limits are writes, and so is getting in; "
		"a cgroup namespace changes no limit, only where the tree seems to begin.",
	.manual = "cgroups(7) cgroup_namespaces(7) mkdir(2) unshare(2) mount(2)",
	.teaches = "mkdir rmdir write unshare:CLONE_NEWCGROUP mount:cgroup2 "
		   "file:cgroup.controllers file:cgroup.subtree_control file:cgroup.procs "
		   "file:memory.max file:cgroup.events file:cgroup.type",
	.after = "02-mnt-ns",
	.needs = {.controllers = "memory pids",
		.namespaces = true,
		.kernel = "5.14",
		.memory = 256 << 20},
	.options = lab_options,
	.words = &words,
};

static struct machine machine;
static const char *cgroup_mount;
static struct gate go, ready;

/* All that is ever done to a group: a write to a file in its folder. 0, or -1 with errno. */
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

/* Line "0::PATH" of /proc/PID/cgroup is cgroup v2's; PATH as the reader's namespace has it. */
static char *group_of(pid_t pid)
{
	autofree char *path = pid ? text("/proc/%d/cgroup", pid) : text("/proc/self/cgroup");
	autofree char *lines = file_read(path);
	char *v2 = strstr(lines, "0::");
	return text("%.*s", v2 ? (int)strcspn(v2 + 3, "\n") : 0, v2 ? v2 + 3 : "");
}

/* cgroup.events announces each change by POLLPRI; the number behind "populated", after 5 s anyway.
 */
static int populated_at_last(const char *group)
{
	autofree char *path = text("%s/cgroup.events", group);
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	for (;;) {
		char events[256] = "";
		struct pollfd changed = {.fd = fd, .events = POLLPRI};
		bool empty = pread(fd, events, sizeof events - 1, 0) > 0 &&
			     strstr(events, "populated 0");
		if (empty || poll(&changed, 1, 5000) == 0)
			return !empty;
	}
}

static char *new_group(const char *top, const char *name)
{
	char *group = text("%s/%s", top, name);
	SYS(mkdir(group, 0755));
	return group;
}

/* The limit, read back: before that, nothing grows under it. */
static bool limited(const char *group, const char *what)
{
	autofree char *bytes = text("%lld", limit);
	SYS(put(group, "memory.max", bytes));
	put(group, "memory.swap.max", "0"); /* where there is swap: lab 10 */
	autofree char *now = get(group, "memory.max");
	return expect_str(what, bytes, now);
}

/* Done twice, attached and not: a child that touches twice the limit when it is let go. */
static pid_t program(void)
{
	pid_t child = FORK();
	if (child == 0) {
		size_t size = 2 * (size_t)limit;
		gate_wait(&go);
		char *memory = mmap(NULL, size, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED)
			die("mmap");
		memset(memory, 1, size);
		_exit(0);
	}
	undo_kill(child);
	return child;
}

/* True when it is our own: in the machine's, a cgroup2 mount would change that of the machine. */
static bool enter_cgroup_namespace(void)
{
	long before = ns_inode(0, "cgroup");
	if (geteuid() != 0) {
		SYS(unshare(CLONE_NEWUSER)); /* lab 05 shows what this does */
		ns_map_root();
	}
	SYS(unshare(CLONE_NEWCGROUP));
	return expect_differ("inside: its cgroup namespace", before, ns_inode(0, "cgroup"));
}

/* What a runtime does for a container: a cgroup2 mount of its own over the machine's. */
static bool mount_own_cgroups(void)
{
	long before = ns_inode(0, "mnt");
	SYS(unshare(CLONE_NEWNS)); /* lab 02 */
	if (ns_inode(0, "mnt") != before)
		SYS(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	/* Read back first: else the mounts below would be the host's. */
	autofree char *table = ns_mount_table(before);
	if (!expect_str("its mount table", "own, private", table))
		return false;
	/* One filesystem twice in one place is refused: a tmpfs between. */
	SYS(mount("tmpfs", cgroup_mount, "tmpfs", 0, NULL));
	SYS(mount("cgroup2", cgroup_mount, "cgroup2", 0, NULL));
	return true;
}

/* The container of this lab: group is its folder, path what /proc calls it. */
static _Noreturn void container(const char *group, const char *path, pid_t beside)
{
	SYS(put(group, "cgroup.procs", "0")); /* 0 stands for the writer */
	autofree char *before = group_of(0);
	expect_str("before: its group", path, before);
	bool inside = enter_cgroup_namespace();
	autofree char *own = group_of(0), *other = group_of(beside);
	expect_str("inside: its group", "/", own);
	expect_str("inside: the one beside", "/../beside", other);
	gate_open(&ready);

	gate_wait(&go);
	struct stat folder, root;
	autofree char *bytes = text("%lld", limit);
	if (stat(group, &folder))
		die("stat");
	if (inside && mount_own_cgroups() && !stat(cgroup_mount, &root)) {
		bool same = folder.st_ino == root.st_ino;
		expect_str("the new mount begins at", "its group", same ? "its group" : "the root");
		autofree char *top = same ? get(cgroup_mount, "memory.max") : text("none");
		expect_str("memory.max at its top", bytes, top);
	}
	gate_open(&ready);
	child_idle();
}

static _Noreturn void hands_on(const char *top)
{
	SYS(put(top, "cgroup.subtree_control", "+memory +pids"));
	autofree char *group = new_group(top, "command");
	limited(group, "memory.max reads back");
	pid_t child = FORK();
	if (child == 0) {
		SYS(put(group, "cgroup.procs", "0"));
		if (enter_cgroup_namespace() && mount_own_cgroups())
			lab_exec_command();
	}
	lab_exit_as(child);
}

int main(int argc, char *argv[])
{
	static const char *const version[] = {"none", "v1", "hybrid", "v2"};
	long long page = sysconf(_SC_PAGESIZE), total = proc_meminfo("MemTotal");
	limit = page * 1024 > 32 << 20 ? page * 1024 : 32 << 20; /* large pages: larger batches */
	lab_options[0].min = limit / 4;
	lab_options[0].max = total / 3; /* the story touches twice as much */
	lab_parse(&lab, argc, argv);
	if (!lab_command && 3 * limit > lab.needs.memory)
		lab.needs.memory = 3 * limit;
	lab_begin(&lab, argc, argv);
	limit -= limit % page;
	gate_init(&go), gate_init(&ready);
	machine_here(&machine);
	cgroup_mount = machine.cgroup_mount;
	autofree char *own = group_of(0);
	const char *home = group_home();
	autofree char *top = text("%s/lab07-%d", home, getpid());
	autofree char *path = text("%s/lab07-%d", own[1] ? own : "", getpid());

	lab_step("Which version is this? A cgroup2 mount alone must not convince us.", NULL);
	lab_note("cgroups: %s, v2 at %s, our group there: %s", version[machine.cgroup],
		cgroup_mount, own);
	struct statfs fs;
	SYS(statfs(cgroup_mount, &fs));
	expect_str("statfs() of the mount", "cgroup2",
		fs.f_type == CGROUP2_SUPER_MAGIC ? "cgroup2" : "another");
	autofree char *ours = get(home, "cgroup.controllers");
	autofree char *has = text("%s%s", machine_has(ours, "memory") ? "memory" : "",
		machine_has(ours, "pids") ? " pids" : "");
	expect_str("cgroup.controllers has", "memory pids", has);
	lab_look("grep cgroup /proc/mounts");
	lab_look("cat %s/cgroup.controllers", home);

	lab_step("mkdir must make files, but no memory.max: the parent has not enabled it.", NULL);
	SYS(mkdir(top, 0755));
	group_undo(top); /* whatever is in it */
	if (lab_command)
		hands_on(top);
	autofree char *group = new_group(top, "limited");
	autofree char *none = get(group, "cgroup.controllers"), *max = text("%s/memory.max", group);
	expect_str("its cgroup.controllers", "none", *none ? none : "none");
	expect_errno("its memory.max", ENOENT, access(max, F_OK));
	lab_look("ls %s", group);
	lab_wait(0);
	SYS(put(top, "cgroup.subtree_control", "+memory +pids"));
	if (!expect_errno("its memory.max, enabled above", 0, access(max, F_OK)))
		return lab_end();

	lab_step("Control: a process that is never attached. The limit must not touch it.", NULL);
	if (!limited(group, "memory.max reads back"))
		return lab_end();
	pid_t child = program();
	lab_look("cat /proc/%d/cgroup", child);
	lab_wait(child);
	gate_open(&go);
	expect_int("never attached: exit status", 0, child_wait(child));

	lab_predict("attached");
	lab_step("The same, attached: its PID is written. It must be killed at the limit.", NULL);
	child = program();
	autofree char *pid = text("%d", child), *in = text("%s/limited", path);
	SYS(put(group, "cgroup.procs", pid));
	autofree char *where = group_of(child);
	expect_str("its group", in, where);
	lab_look("cat %s/cgroup.procs", group);
	lab_look("cat /proc/%d/cgroup", child);
	lab_wait(child);
	gate_open(&go);
	int status = child_wait(child);
	lab_answer("attached", "%s", status ? "killed" : "lives");
	expect_int("attached: 128 + SIGKILL", 137, status);

	lab_predict("stays");
	lab_step("Its last process is gone. The group must stay, empty, until rmdir.", NULL);
	expect_int("populated", 0, populated_at_last(group));
	lab_answer("stays", "%s", access(group, F_OK) ? "gone" : "stays");
	lab_look("cat %s/cgroup.events", group);
	lab_wait(0);
	SYS(rmdir(group));
	expect_errno("after rmdir", ENOENT, access(group, F_OK));

	lab_step("With a process in it, +memory must be refused, and +pids be allowed.", NULL);
	autofree char *beside = new_group(top, "beside");
	pid_t idle = FORK();
	if (idle == 0)
		child_idle();
	undo_kill(idle);
	autofree char *other = text("%d", idle);
	SYS(put(beside, "cgroup.procs", other));
	expect_errno("+memory: a domain controller", EBUSY,
		put(beside, "cgroup.subtree_control", "+memory"));
	expect_errno("entering where +memory is", EBUSY, put(top, "cgroup.procs", other));
	expect_errno("+pids: a threaded one", 0, put(beside, "cgroup.subtree_control", "+pids"));
	autofree char *type = get(beside, "cgroup.type");
	expect_str("cgroup.type then", "domain threaded", type);
	lab_look("grep . %s/cgroup.type %s/cgroup.subtree_control", beside, beside);
	lab_wait(idle);

	lab_step("In a cgroup namespace its path must be /; outside, all must be as before.", NULL);
	lab_predict("view");
	autofree char *web = new_group(top, "web"), *web_path = text("%s/web", path);
	child = FORK();
	if (child == 0)
		container(web, web_path, idle);
	undo_kill(child);
	gate_wait(&ready);
	autofree char *outside = group_of(child);
	lab_answer("view", "%s", strcmp(outside, web_path) ? "/" : "full");
	expect_str("outside: its group", web_path, outside);
	const char *join = geteuid() ? "--user --preserve-credentials " : "";
	lab_look("cat /proc/%d/cgroup", child);
	lab_look("nsenter --target=%d %s--cgroup cat /proc/%d/cgroup", child, join, child);
	lab_wait(child);

	lab_step(
		"A cgroup2 mount made inside must begin at the group: what a container has.", NULL);
	autofree char *bytes = text("%lld", limit);
	SYS(put(web, "memory.max", bytes));
	gate_open(&go);
	gate_wait(&ready);
	lab_look("nsenter --target=%d %s--cgroup --mount cat %s/memory.max", child, join,
		cgroup_mount);
	lab_wait(child);

	lab_row("memory.max in a group", "not there", "there", "its parent");
	lab_row("2 x the limit", "not attached: 0", "attached: 137", "cgroup.procs");
	lab_row("its last process ends", "-", "the group stays", "rmdir(2)");
	lab_row("processes in the group", "+memory: EBUSY", "+pids: allowed", "the kernel");
	lab_row("/proc/self/cgroup", "the whole path", "/", "CLONE_NEWCGROUP");
	lab_row("a mount begins at", "the root", "the group", "CLONE_NEWCGROUP");
	return lab_end();
}
