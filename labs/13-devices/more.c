/*
 * More of 13-devices: a program can tell read, write and mknod apart; groups below groups; open
 * descriptors; how long a program lives; and the lists of cgroup v1. bpf(2),
 * Documentation/admin-guide/cgroup-v2.rst, "Device controller",
 * Documentation/admin-guide/cgroup-v1/devices.rst
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/bpf.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "hierarchy.h"
#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/mounts.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"
#include "words.h"

enum { MEM = 1, NULL_DEVICE = 3, ZERO = 5 };
enum { MKNOD = BPF_DEVCG_ACC_MKNOD, READ = BPF_DEVCG_ACC_READ, WRITE = BPF_DEVCG_ACC_WRITE };

static const struct lab_part lab_parts[] = {
	{.name = "v1",
		.title = "Write the same rule to devices.deny and devices.allow of cgroup v1.",
		.expect = "the kernel refuses the same calls",
		.needs = {.root = true}},
	{0},
};

static const struct lab lab = {
	.id = "13-devices/more",
	.title = "When the program is asked, and how long it lives",
	.goal = "A program can allow reading and refuse writing. The programs of the groups above are "
		"asked too, and one no is enough. A group keeps its programs.",
	.manual = "bpf(2) mknod(2) open(2) cgroups(7)",
	.teaches = "bpf:BPF_PROG_LOAD bpf:BPF_PROG_ATTACH bpf:BPF_PROG_DETACH bpf:BPF_PROG_QUERY "
		   "bpf:BPF_PROG_GET_FD_BY_ID mknodat openat",
	.after = "13-devices",
	.needs = {.root = true, .controllers = "pids", .kernel = "4.15"},
	.parts = lab_parts,
	.words = &more_words,
	.story_only = true,
	.hazard = true,
};

static struct gate done, go;
static char *node;

static int bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof *attr);
}

/* The program allows only this access to 1:5, and every access to other devices. */
static int load_for_zero(uint32_t access)
{
	const int32_t denied = (MKNOD | READ | WRITE) & ~access;
	struct bpf_insn code[] = {
		{BPF_LDX | BPF_MEM | BPF_W, 2, 1, offsetof(struct bpf_cgroup_dev_ctx, major), 0},
		{BPF_JMP | BPF_JNE | BPF_K, 2, 0, 6, MEM},
		{BPF_LDX | BPF_MEM | BPF_W, 2, 1, offsetof(struct bpf_cgroup_dev_ctx, minor), 0},
		{BPF_JMP | BPF_JNE | BPF_K, 2, 0, 4, ZERO},
		{BPF_LDX | BPF_MEM | BPF_W, 2, 1, offsetof(struct bpf_cgroup_dev_ctx, access_type),
			0},
		{BPF_ALU64 | BPF_RSH | BPF_K, 2, 0, 0, 16}, /* below: char or block */
		{BPF_ALU64 | BPF_AND | BPF_K, 2, 0, 0, denied},
		{BPF_JMP | BPF_JNE | BPF_K, 2, 0, 2, 0},
		{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1},
		{BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
		{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0},
		{BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
	};
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insns = (uint64_t)(uintptr_t)code,
		.insn_cnt = sizeof code / sizeof *code,
		.license = (uint64_t)(uintptr_t) "MIT",
	};
	return SYS(bpf(BPF_PROG_LOAD, &load));
}

static union bpf_attr target(const char *group, int program)
{
	int fd = MUST(open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	return (union bpf_attr){
		.target_fd = (uint32_t)fd,
		.attach_bpf_fd = (uint32_t)program,
		.attach_type = BPF_CGROUP_DEVICE,
	};
}

static void attach(const char *group, int program)
{
	union bpf_attr attach = target(group, program);
	attach.attach_flags = BPF_F_ALLOW_MULTI;
	SYS(bpf(BPF_PROG_ATTACH, &attach));
	close((int)attach.target_fd);
}

static void detach(const char *group, int program)
{
	union bpf_attr detach = target(group, program);
	SYS(bpf(BPF_PROG_DETACH, &detach));
	close((int)detach.target_fd);
}

/* The id of the only program on the group, or 0. */
static uint32_t program_on(const char *group)
{
	uint32_t ids[4] = {0};
	union bpf_attr on = target(group, 0), query = {0};
	query.query.target_fd = on.target_fd;
	query.query.attach_type = BPF_CGROUP_DEVICE;
	query.query.prog_ids = (uint64_t)(uintptr_t)ids;
	query.query.prog_cnt = sizeof ids / sizeof *ids;
	SYS(bpf(BPF_PROG_QUERY, &query));
	close((int)on.target_fd);
	return query.query.prog_cnt == 1 ? ids[0] : 0;
}

/* Opens the program with this id and closes it again: 0, or -1 with errno. */
static int find_program(uint32_t id)
{
	union bpf_attr attr = {.prog_id = id};
	int fd = bpf(BPF_PROG_GET_FD_BY_ID, &attr);
	return fd < 0 ? -1 : close(fd);
}

/* 0, or -1 with errno. */
static int try_open(const char *device, int flags)
{
	int fd = openat(AT_FDCWD, device, flags | O_CLOEXEC);
	return fd < 0 ? -1 : close(fd);
}

static int try_node(void)
{
	int rc = mknodat(AT_FDCWD, node, S_IFCHR | 0600, makedev(MEM, ZERO));
	int error = errno;
	unlink(node);
	errno = error;
	return rc;
}

/* Calls does() in a child that is born in the group. */
static void in_group(const char *group, void (*does)(void))
{
	pid_t child = MUST(cg_spawn(group));
	if (child == 0) {
		does();
		_exit(0);
	}
	child_done(child);
}

/* The same for one act: opens /dev/zero for reading. */
static void expect_open(const char *group, const char *what, int error)
{
	pid_t child = MUST(cg_spawn(group));
	if (child == 0) {
		expect_errno(what, error, try_open("/dev/zero", O_RDONLY));
		_exit(0);
	}
	child_done(child);
}

static void all_allowed(void)
{
	expect_errno("before: to read", 0, try_open("/dev/zero", O_RDONLY));
	expect_errno("before: to write", 0, try_open("/dev/zero", O_WRONLY));
	expect_errno("before: mknod()", 0, try_node());
}

static void read_only(void)
{
	expect_errno("read allowed: to read", 0, try_open("/dev/zero", O_RDONLY));
	expect_errno("read allowed: to write", EPERM, try_open("/dev/zero", O_WRONLY));
	expect_errno("read allowed: both at once", EPERM, try_open("/dev/zero", O_RDWR));
	expect_errno("read allowed: mknod()", EPERM, try_node());
}

static void accesses(void)
{
	autofree char *group = group_create("accesses");
	in_group(group, all_allowed);
	autoclose int program = load_for_zero(READ);
	attach(group, program);
	in_group(group, read_only);
	lab_look("cat /proc/%d/fdinfo/%d", getpid(), program);
	lab_wait(0);
}

static void groups_below(void)
{
	autofree char *above = group_create("above"), *below = group_create("above/below");
	autoclose int no = load_for_zero(0), yes = load_for_zero(MKNOD | READ | WRITE);
	attach(above, no);
	attach(below, yes);
	expect_open(above, "in the group above: to read", EPERM);
	expect_open(below, "above no, below yes: to read", EPERM);
	lab_look("ls -d %s", below);
	lab_wait(0);
	if (!expect_int("above: programs on the group", 1, program_on(above) != 0))
		return;
	detach(above, no);
	expect_open(below, "above nobody, below yes: to read", 0);
}

static void open_before(void)
{
	autofree char *group = group_create("held");
	pid_t child = FORKED(cg_spawn(group));
	if (child == 0) {
		char byte = 1;
		int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
		autofree char *by_fd = text("/proc/self/fd/%d", fd);
		gate_open(&done);
		gate_wait(&go);
		expect_errno("asked now: open()", EPERM, try_open("/dev/zero", O_RDONLY));
		expect_int("asked now: read() of the old descriptor", 1, read(fd, &byte, 1));
		expect_int("the byte that it read", 0, byte);
		expect_errno(
			"asked now: open() by /proc/self/fd", EPERM, try_open(by_fd, O_RDONLY));
		gate_open(&done);
		child_idle();
	}
	undo_kill(child);
	gate_wait(&done);
	autoclose int program = load_for_zero(0);
	attach(group, program);
	gate_open(&go);
	gate_wait(&done);
	lab_look("ls -l /proc/%d/fd", child);
	lab_wait(child);
}

static void who_keeps_it(void)
{
	autofree char *group = group_create("keeper");
	int program = load_for_zero(0);
	attach(group, program);
	close(program);
	expect_open(group, "no descriptor left: open()", EPERM);
	uint32_t id = program_on(group);
	expect_errno("by its id, with the group", 0, find_program(id));
	lab_look("ls -d %s", group);
	lab_wait(0);
	cg_destroy(group);
	/* The kernel frees the program a moment later, without an event to wait for. */
	int rc = find_program(id);
	for (int tries = 100; rc == 0 && tries; tries--) {
		poll(NULL, 0, 50);
		rc = find_program(id);
	}
	expect_errno("by its id, with the group gone", ENOENT, rc);
}

/* ---- cgroup v1 ---- */

static void v1_write(const char *group, const char *name, const char *rule)
{
	autofree char *path = text("%s/%s", group, name);
	SYS(file_try_write(path, rule), path, rule);
}

static void v1(void)
{
	mounts_unshare();
	int before = hierarchy_number();
	if (mount("cgroup", "/mnt", "cgroup", 0, "devices")) {
		if (errno != EINVAL && errno != EBUSY && errno != ENODEV)
			die("mount of cgroup v1's devices");
		check_skip("v1", "no devices controller of cgroup v1, or in use",
			"KERNEL=FILE scripts/lab 13/more");
		return;
	}
	hierarchy_ours = before == 0;
	autofree char *group = text("/mnt/lab13-%d", getpid());
	undo(hierarchy_end, group);
	SYS(mkdir(group, 0755), group);
	autofree char *all = hierarchy_list(group);
	expect_str("v1: devices.list, new", "a *:* rwm", all);
	v1_write(group, "devices.deny", "a");
	v1_write(group, "devices.allow", "c 1:3 rwm");
	autofree char *list = hierarchy_list(group);
	expect_str("v1: devices.list", "c 1:3 rwm", list);
	pid_t child = FORK();
	if (child == 0) {
		v1_write(group, "cgroup.procs", "0");
		expect_errno("v1: open() of /dev/null", 0, try_open("/dev/null", O_RDONLY));
		expect_errno("v1: open() of /dev/zero", EPERM, try_open("/dev/zero", O_RDONLY));
		expect_errno("v1: mknod() of 1:5", EPERM, try_node());
		_exit(0);
	}
	child_done(child);
	SYS(rmdir(group), group);
	hierarchy_end(group);
	expect_int("v1: its hierarchy in /proc/cgroups, then", before, hierarchy_number());
	lab_row("the rule", "v1: devices.allow", "v2: a program", "bpf(2)");
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	gate_init(&done), gate_init(&go);
	node = text("%s/node", tmp_folder());

	lab_step("Attach a program that allows only reading of /dev/zero.",
		"reading succeeds; writing and mknod() fail with EPERM");
	accesses();
	lab_step("Attach a program that refuses to a group, and one that allows below it.",
		"both are asked, and the refusal wins");
	groups_below();
	lab_step("Open /dev/zero first, and then attach a program that refuses it.",
		"a new open() fails; the open descriptor can still be read");
	open_before();
	lab_step("Close the last descriptor of an attached program, and then remove the group.",
		"the group keeps the program; without the group the kernel frees it");
	who_keeps_it();
	lab_row("read allowed", "to read: success", "to write: EPERM", "the access bits");
	lab_row("a yes below a no", "alone: success", "EPERM", "both are asked");
	lab_row("a descriptor of before", "open(): EPERM", "read(): works", "the kernel");
	lab_row("its last descriptor closed", "with the group: asked", "group gone: freed",
		"the group");

	if (lab_part("v1"))
		v1();
	return lab_end();
}
