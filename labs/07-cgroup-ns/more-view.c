/*
 * The cgroup namespace. It limits nothing. It hides the groups above the one in which its first
 * process was, both in /proc/PID/cgroup and in a cgroup2 filesystem that is mounted inside.
 * cgroup_namespaces(7)
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "cgroupfs.h"
#include "kernel/file.h"
#include "kernel/mounts.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "machine/machine.h"
#include "story/lab.h"
#include "words.h"

static long long limit = 32 << 20; /* bytes */
static const char *cgroup_mount;
static struct gate go, ready;

static const struct lab_option lab_options[] = {
	{"memory", LAB_SIZE, &limit, 8 << 20, 1 << 30, "the limit, memory.max"},
	{0},
};

static const struct lab lab = {
	.id = "07-cgroup-ns/more-view",
	.title = "What a container sees of the tree",
	.goal = "A cgroup namespace changes no limit and moves no process. It only changes where the "
		"tree of groups seems to begin.",
	.manual = "cgroup_namespaces(7) unshare(2) mount(2) cgroups(7)",
	.teaches = "unshare:CLONE_NEWCGROUP mount:cgroup2 file:cgroup.procs file:memory.max",
	.after = "07-cgroup-ns 02-mnt-ns",
	.needs = {.controllers = "memory pids", .namespaces = true, .kernel = "5.2"},
	.options = lab_options,
	.words = &view_words,
};

static int write_file(const char *group, const char *file, const char *value)
{
	autofree char *path = text("%s/%s", group, file);
	autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, value, strlen(value)) < 0 ? -1 : 0;
}

static char *make_group(const char *top, const char *name)
{
	char *group = text("%s/%s", top, name);
	SYS(mkdir(group, 0755), group);
	return group;
}

/* False when the namespace is the old one: a cgroup2 mount there would change the machine's. */
static bool unshare_cgroups(void)
{
	ino_t before = ns_inode(0, "cgroup");
	if (geteuid() != 0) {
		SYS(unshare(CLONE_NEWUSER)); /* lab 05 shows what this does */
		ns_map_root();
	}
	SYS(unshare(CLONE_NEWCGROUP));
	return expect_differ("inside: its cgroup namespace", before, ns_inode(0, "cgroup"));
}

/* A runtime does the same for a container: it covers the machine's cgroup2 mount with a new one. */
static void mount_cgroups(void)
{
	mounts_unshare();
	/* The kernel refuses to mount a filesystem on itself, so a tmpfs lies between the two. */
	SYS(mount("tmpfs", cgroup_mount, "tmpfs", 0, NULL), cgroup_mount);
	SYS(mount("cgroup2", cgroup_mount, "cgroup2", 0, NULL), cgroup_mount);
}

/* The process in the container. It works in two parts, and the lab opens the gate before each. */
static _Noreturn void container(const char *group, pid_t beside)
{
	struct stat folder, root;
	gate_wait(&go);
	bool inside = unshare_cgroups();
	autofree char *path = cgroupfs_path_of(0), *other = cgroupfs_path_of(beside);
	expect_str("inside: its group", "/", path);
	expect_str("inside: the one beside", "/../beside", other);
	gate_open(&ready);

	gate_wait(&go);
	if (stat(group, &folder)) /* before the new mount covers the folder */
		die("stat");
	if (inside) {
		mount_cgroups();
		bool same = !stat(cgroup_mount, &root) && folder.st_ino == root.st_ino;
		expect_str("the new mount begins at", "its group", same ? "its group" : "the root");
		autofree char *bytes = text("%lld", limit);
		autofree char *top =
			same ? cgroupfs_read(cgroup_mount, "memory.max") : text("none");
		expect_str("memory.max at its top", bytes, top);
	}
	gate_open(&ready);
	child_idle();
}

static _Noreturn void hands_on(const char *group)
{
	pid_t child = FORK();
	if (child == 0) {
		SYS(write_file(group, "cgroup.procs", "0"), group);
		if (unshare_cgroups()) {
			mount_cgroups();
			lab_exec_command();
		}
	}
	lab_exit_as(child);
}

int main(int argc, char *argv[])
{
	static struct machine machine;
	lab_begin(&lab, argc, argv);
	limit -= limit % sysconf(_SC_PAGESIZE);
	gate_init(&go), gate_init(&ready);
	machine_here(&machine);
	cgroup_mount = machine.cgroup_mount;
	autofree char *our_path = cgroupfs_path_of(0),
		      *top = text("%s/lab07-%d", group_home(), getpid());
	autofree char *path = text("%s/lab07-%d/web", our_path[1] ? our_path : "", getpid());

	lab_step("Make two groups side by side, limit one, and put a process into each.",
		"/proc/PID/cgroup says the whole path, from the top of the tree");
	SYS(mkdir(top, 0755), top);
	group_undo(top);
	SYS(write_file(top, "cgroup.subtree_control", "+memory +pids"), top);
	autofree char *beside = make_group(top, "beside"), *web = make_group(top, "web");
	autofree char *bytes = text("%lld", limit);
	SYS(write_file(web, "memory.max", bytes), web, bytes);
	if (lab_command)
		hands_on(web);
	pid_t idle = FORK();
	if (idle == 0)
		child_idle();
	undo_kill(idle);
	pid_t child = FORK();
	if (child == 0)
		container(web, idle);
	undo_kill(child);
	autofree char *idle_pid = text("%d", idle), *child_pid = text("%d", child);
	SYS(write_file(beside, "cgroup.procs", idle_pid), beside, idle_pid);
	SYS(write_file(web, "cgroup.procs", child_pid), web, child_pid);
	autofree char *before = cgroupfs_path_of(child);
	expect_str("before: its group", path, before);
	lab_look("cat /proc/%d/cgroup", child);
	lab_wait(child);

	lab_predict("view");
	lab_step("Give the process in web a cgroup namespace.",
		"inside, the path of its group is /; outside, the path is the same as before");
	gate_open(&go);
	gate_wait(&ready);
	autofree char *outside = cgroupfs_path_of(child);
	lab_answer("view", "%s", strcmp(outside, path) ? "/" : "full");
	expect_str("outside: its group", path, outside);
	const char *join = geteuid() ? "--user --preserve-credentials " : "";
	lab_look("cat /proc/%d/cgroup", child);
	lab_look("nsenter --target=%d %s--cgroup cat /proc/%d/cgroup", child, join, child);
	lab_wait(child);

	lab_step("Mount a cgroup2 filesystem inside the namespace, as a runtime does.",
		"the mount begins at web, so memory.max of web is a file at its top");
	gate_open(&go);
	gate_wait(&ready);
	lab_look("nsenter --target=%d %s--cgroup --mount cat %s/memory.max", child, join,
		cgroup_mount);
	lab_wait(child);

	lab_row("/proc/self/cgroup", "the whole path", "/", "CLONE_NEWCGROUP");
	lab_row("a group beside it", "the whole path", "/../beside", "CLONE_NEWCGROUP");
	lab_row("the path from outside", "the whole path", "the whole path", "nobody");
	lab_row("a mount begins at", "the root", "the group", "CLONE_NEWCGROUP");
	return lab_end();
}
