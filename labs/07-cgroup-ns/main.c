/*
 * A cgroup is a folder of files. mkdir(2) makes a group, a PID that is written to cgroup.procs
 * moves a process into it, and a number that is written to memory.max limits it. A group has the
 * files of a controller, such as memory, only after the group above has enabled that controller.
 * This file makes no namespace: the cgroup namespace is the lesson of more-view.c.
 * cgroups(7), Documentation/admin-guide/cgroup-v2.rst
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "cgroupfs.h"
#include "kernel/file.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "machine/machine.h"
#include "story/lab.h"
#include "words.h"

static long long limit; /* bytes */
static struct gate go;

static struct lab_option lab_options[] = {
	{"memory", LAB_SIZE, &limit, 0, 0, "the limit, memory.max"},
	{0},
};

static struct lab lab = {
	.id = "07-cgroup-ns",
	.title = "The cgroup tree, and a view of it",
	.goal = "A group of processes is a folder of files. You limit the group by writing a number "
		"to one file, and you move a process into it by writing its PID to another.",
	.manual = "cgroups(7) mkdir(2) write(2) rmdir(2)",
	.teaches = "mkdir rmdir write file:cgroup.controllers file:cgroup.subtree_control "
		   "file:cgroup.procs file:memory.max file:cgroup.events file:cgroup.type",
	.after = "02-mnt-ns",
	.needs = {.controllers = "memory pids", .kernel = "5.2", .memory = 256 << 20},
	.options = lab_options,
	.words = &words,
};

/* A group's settings change by a write(2) to a file in its folder. Returns 0, or -1 with errno. */
static int write_file(const char *group, const char *file, const char *value)
{
	autofree char *path = text("%s/%s", group, file);
	autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, value, strlen(value)) < 0 ? -1 : 0;
}

/* Writes the limit and reads it back: no eater of memory starts before the limit is in force. */
static bool limit_memory(const char *group)
{
	autofree char *bytes = text("%lld", limit);
	SYS(write_file(group, "memory.max", bytes), group, bytes);
	write_file(group, "memory.swap.max", "0"); /* Without swap there is no such file: lab 10. */
	autofree char *observed = cgroupfs_read(group, "memory.max");
	return expect_str("memory.max reads back", bytes, observed);
}

/* Forks a child that waits for the gate go, and then touches twice as much memory as the limit. */
static pid_t fork_eater(void)
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

static _Noreturn void hands_on(const char *top)
{
	SYS(write_file(top, "cgroup.subtree_control", "+memory +pids"), top);
	autofree char *group = text("%s/command", top);
	SYS(mkdir(group, 0755), group);
	limit_memory(group);
	pid_t child = FORK();
	if (child == 0) {
		/* 0 stands for the process that writes. */
		SYS(write_file(group, "cgroup.procs", "0"), group);
		lab_exec_command();
	}
	lab_exit_as(child);
}

int main(int argc, char *argv[])
{
	static const char *const version[] = {"none", "v1", "hybrid", "v2"};
	static struct machine machine;
	long long page = sysconf(_SC_PAGESIZE);
	/* A kernel with large pages counts memory in larger portions, so the limit is larger there.
	 */
	limit = page * 1024 > 32 << 20 ? page * 1024 : 32 << 20;
	lab_options[0].min = limit / 4;
	/* The story touches twice as much, for which there have to be addresses. */
	long long third = proc_meminfo("MemTotal") / 3;
	lab_options[0].max = third < LONG_MAX / 2 ? third : LONG_MAX / 2;
	lab_parse(&lab, argc, argv);
	if (!lab_command && 3 * limit > lab.needs.memory)
		lab.needs.memory = 3 * limit;
	lab_begin(&lab, argc, argv);
	limit -= limit % page;
	gate_init(&go);
	machine_here(&machine);
	autofree char *our_path = cgroupfs_path_of(0);
	const char *home = group_home();
	autofree char *top = text("%s/lab07-%d", home, getpid());

	lab_step("Ask which version of cgroups this machine has.",
		"a cgroup2 filesystem, with the controllers memory and pids for us");
	lab_note("This machine has cgroups %s. The v2 tree is at %s, and our group in it is %s.",
		version[machine.cgroup], machine.cgroup_mount, our_path);
	struct statfs fs;
	SYS(statfs(machine.cgroup_mount, &fs), machine.cgroup_mount);
	expect_str("statfs() of the mount", "cgroup2",
		fs.f_type == CGROUP2_SUPER_MAGIC ? "cgroup2" : "another");
	/* The mount alone proves little: on a hybrid machine v1 holds the controllers. */
	autofree char *ours = cgroupfs_read(home, "cgroup.controllers");
	autofree char *found = text("%s%s", machine_has(ours, "memory") ? "memory" : "",
		machine_has(ours, "pids") ? " pids" : "");
	expect_str("cgroup.controllers has", "memory pids", found);
	lab_look("grep cgroup /proc/mounts");
	lab_look("cat %s/cgroup.controllers", home);

	lab_step("Make a group with mkdir(), and a second group inside it.",
		"the kernel fills both with files, but the inner one has no memory.max yet");
	SYS(mkdir(top, 0755), top);
	group_undo(top);
	if (lab_command)
		hands_on(top);
	autofree char *group = text("%s/limited", top), *max = text("%s/memory.max", group);
	SYS(mkdir(group, 0755), group);
	autofree char *enabled = cgroupfs_read(group, "cgroup.controllers");
	expect_str("its cgroup.controllers", "none", *enabled ? enabled : "none");
	expect_errno("its memory.max", ENOENT, access(max, F_OK));
	lab_look("ls %s", group);
	lab_wait(0);

	lab_step("Write +memory +pids to cgroup.subtree_control of the upper group.",
		"memory.max appears in the lower group");
	SYS(write_file(top, "cgroup.subtree_control", "+memory +pids"), top);
	if (!expect_errno("its memory.max, enabled above", 0, access(max, F_OK)))
		return lab_end();
	lab_look("ls %s", group);
	lab_wait(0);

	lab_step("Control: limit the group. A process outside of it uses twice the limit.",
		"the limit does not apply to that process: it exits with 0");
	if (!limit_memory(group))
		return lab_end();
	pid_t child = fork_eater();
	lab_look("cat /proc/%d/cgroup", child);
	lab_wait(child);
	gate_open(&go);
	expect_int("never attached: exit status", 0, child_wait(child));

	lab_predict("attached");
	lab_step("Start the same program, and write its PID to cgroup.procs of the group.",
		"the process is in the group, and the kernel kills it at the limit");
	child = fork_eater();
	autofree char *pid = text("%d", child), *observed_path = NULL;
	autofree char *path = text("%s/lab07-%d/limited", our_path[1] ? our_path : "", getpid());
	SYS(write_file(group, "cgroup.procs", pid), group, pid);
	observed_path = cgroupfs_path_of(child);
	expect_str("its group", path, observed_path);
	lab_look("cat %s/cgroup.procs", group);
	lab_look("cat /proc/%d/cgroup", child);
	lab_wait(child);
	gate_open(&go);
	int status = child_wait(child);
	lab_answer("attached", "%s", status ? "killed" : "lives");
	expect_int("attached: 128 + SIGKILL", 137, status);

	lab_predict("stays");
	lab_step("Look at the group after its last process has ended; then call rmdir().",
		"the group stays, without a process, until rmdir() removes it");
	cgroupfs_event(group, "populated 0"); /* The kernel takes a moment to empty the group. */
	expect_int("populated", 0, cgroupfs_number(group, "cgroup.events", "populated"));
	lab_answer("stays", "%s", access(group, F_OK) ? "gone" : "stays");
	lab_look("cat %s/cgroup.events", group);
	lab_wait(0);
	SYS(rmdir(group), group);
	expect_errno("after rmdir", ENOENT, access(group, F_OK));

	lab_step("Put a process into a group, then enable controllers in that group.",
		"memory is refused with EBUSY; pids is allowed, and the group becomes threaded");
	autofree char *beside = text("%s/beside", top);
	SYS(mkdir(beside, 0755), beside);
	child = FORK();
	if (child == 0)
		child_idle();
	undo_kill(child);
	autofree char *idle = text("%d", child);
	SYS(write_file(beside, "cgroup.procs", idle), beside, idle);
	/* memory works on whole processes: such a controller needs a group without processes. */
	expect_errno("+memory: a domain controller", EBUSY,
		write_file(beside, "cgroup.subtree_control", "+memory"));
	/* and a group that has enabled it for its children lets no process in */
	expect_errno("entering where +memory is", EBUSY, write_file(top, "cgroup.procs", idle));
	expect_errno(
		"+pids: a threaded one", 0, write_file(beside, "cgroup.subtree_control", "+pids"));
	autofree char *type = cgroupfs_read(beside, "cgroup.type");
	expect_str("cgroup.type then", "domain threaded", type);
	lab_look("grep . %s/cgroup.type %s/cgroup.subtree_control", beside, beside);
	lab_wait(child);

	lab_row("memory.max in a group", "not there", "there", "the group above");
	lab_row("2 x the limit", "not attached: 0", "attached: 137", "cgroup.procs");
	lab_row("its last process ends", "-", "the group stays", "the kernel");
	lab_row("processes in the group", "+memory: EBUSY", "+pids: allowed", "the kernel");
	return lab_end();
}
