/*
 * Which devices may be opened. cgroup v2 has no devices file: a small program is
 * attached to the group, and the kernel asks it at each open(2) and mknod(2) of a
 * device in there. bpf(2), mknod(2), Documentation/admin-guide/cgroup-v2.rst,
 * "Device controller"
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"
#include "words.h"

enum { MEM = 1, TTY = 4, NULL_DEVICE = 3, ZERO = 5 }; /* Documentation/admin-guide/devices.txt */

static long long minor_allowed = NULL_DEVICE;

static const struct lab_option lab_options[] = {
	{"minor", LAB_NUMBER, &minor_allowed, 3, 9, "the 1:N allowed: 3 null, 5 zero, 7 full"},
	{0},
};

static const struct lab lab = {
	.id = "13-devices",
	.title = "Which devices may be opened",
	.goal = "Root can make a node for any device and open it: then a container is no wall. A "
		"program on its group decides, by the device's numbers.",
	.manual = "bpf(2) mknod(2) open(2) cgroups(7)",
	.teaches = "bpf:BPF_PROG_LOAD bpf:BPF_PROG_TYPE_CGROUP_DEVICE bpf:BPF_PROG_ATTACH "
		   "bpf:BPF_PROG_QUERY bpf:BPF_PROG_DETACH bpf:BPF_CGROUP_DEVICE mknodat openat",
	.after = "08-pids-max",
	/* No controller is used; that one is to be had says that the groups are v2's, and ours. */
	.needs = {.root = true, .controllers = "pids", .kernel = "4.15"},
	.options = lab_options,
	.words = &words,
	.hazard = true,
};

static char *node; /* where the children make theirs */

static int bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof *attr);
}

/*
 * r1 points to what is asked for, struct bpf_cgroup_dev_ctx; r0 is the answer at
 * the end: 1 yes, 0 no. A jump counts from the instruction behind it.
 */
static int load_program(void)
{
	struct bpf_insn code[] = {
		{BPF_LDX | BPF_MEM | BPF_W, 2, 1, offsetof(struct bpf_cgroup_dev_ctx, access_type),
			0},
		{BPF_ALU64 | BPF_AND | BPF_K, 2, 0, 0, 0xffff}, /* above: read, write or mknod */
		{BPF_JMP | BPF_JNE | BPF_K, 2, 0, 6, BPF_DEVCG_DEV_CHAR},
		{BPF_LDX | BPF_MEM | BPF_W, 2, 1, offsetof(struct bpf_cgroup_dev_ctx, major), 0},
		{BPF_JMP | BPF_JNE | BPF_K, 2, 0, 4, MEM},
		{BPF_LDX | BPF_MEM | BPF_W, 2, 1, offsetof(struct bpf_cgroup_dev_ctx, minor), 0},
		{BPF_JMP | BPF_JNE | BPF_K, 2, 0, 2, (int)minor_allowed},
		{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1},
		{BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
		{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0}, /* whoever jumped: no */
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

static void attach(int group, int program)
{
	union bpf_attr attach = {
		.target_fd = (uint32_t)group,
		.attach_bpf_fd = (uint32_t)program,
		.attach_type = BPF_CGROUP_DEVICE,
		.attach_flags = BPF_F_ALLOW_MULTI, /* the groups below may have theirs as well */
	};
	SYS(bpf(BPF_PROG_ATTACH, &attach));
}

static int programs_on(int group)
{
	union bpf_attr query = {0};
	query.query.target_fd = (uint32_t)group;
	query.query.attach_type = BPF_CGROUP_DEVICE;
	if (bpf(BPF_PROG_QUERY, &query))
		die("bpf(BPF_PROG_QUERY)");
	return (int)query.query.prog_cnt;
}

static void detach(int group, int program)
{
	union bpf_attr detach = {
		.target_fd = (uint32_t)group,
		.attach_bpf_fd = (uint32_t)program,
		.attach_type = BPF_CGROUP_DEVICE,
	};
	SYS(bpf(BPF_PROG_DETACH, &detach));
}

/* A node is only a name: its type and the numbers are what is asked for. */
static int make_node(mode_t type, unsigned int major, unsigned int minor)
{
	int rc = mknodat(AT_FDCWD, node, type | 0600, makedev(major, minor));
	int error = errno;
	unlink(node);
	errno = error;
	return rc;
}

/* What is predicted: asked is whether the group has the program. */
static int predicted(bool asked, unsigned int minor)
{
	return asked && minor_allowed != minor ? EPERM : 0;
}

static void open_both(const char *when, bool asked)
{
	autofree char *null = text("%s: open() of /dev/null", when);
	autofree char *zero = text("%s: open() of /dev/zero", when);
	int fd = openat(AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC);
	expect_errno(null, predicted(asked, NULL_DEVICE), fd);
	fd = openat(AT_FDCWD, "/dev/zero", O_RDONLY | O_CLOEXEC);
	lab_answer("root", fd < 0 ? "refused" : "opens");
	expect_errno(zero, predicted(asked, ZERO), fd);
}

static void make_all(const char *when, bool asked)
{
	autofree char *null = text("%s: mknod() of 1:3", when);
	autofree char *zero = text("%s: mknod() of 1:5", when);
	expect_errno(null, predicted(asked, NULL_DEVICE), make_node(S_IFCHR, MEM, NULL_DEVICE));
	int rc = make_node(S_IFCHR, MEM, ZERO);
	lab_answer("node", rc ? "refused" : "makes");
	expect_errno(zero, predicted(asked, ZERO), rc);

	/* N alone is not enough: a terminal (c 4:N) and a RAM disk (b 1:N) have it too. */
	autofree char *tty = text("%s: mknod() of c 4:N", when);
	autofree char *block = text("%s: mknod() of b 1:N", when);
	unsigned int n = (unsigned int)minor_allowed;
	expect_errno(tty, asked ? EPERM : 0, make_node(S_IFCHR, TTY, n));
	expect_errno(block, asked ? EPERM : 0, make_node(S_IFBLK, MEM, n));
}

/* The first child, and the last: without a program. */
static void without(const char *group, const char *when)
{
	pid_t child = FORKED(cg_spawn(group));
	if (child == 0) {
		open_both(when, false);
		make_all(when, false);
		_exit(0);
	}
	child_done(child);
}

static _Noreturn void hands_on(const char *group, int fd)
{
	attach(fd, load_program());
	pid_t child = FORKED(cg_spawn(group));
	if (child == 0)
		lab_exec_command();
	lab_exit_as(child);
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	struct gate go, done;
	gate_init(&go), gate_init(&done);
	autofree char *group = group_create("box");
	autoclose int fd = open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lab_command)
		hands_on(group, fd);
	node = text("%s/node", tmp_folder());

	lab_step("Control: root in a group opens two devices, and makes nodes.", NULL);
	expect_int("before: programs on the group", 0, programs_on(fd));
	without(group, "before");
	lab_look("ls -l /dev/null /dev/zero");
	lab_wait(0);

	lab_step("Eleven instructions that allow 1:N, character, and no other. Attached.", NULL);
	lab_note("N is %lld. The kernel checks, loads and keeps them.", minor_allowed);
	int program = load_program();
	attach(fd, program);
	if (!expect_int("programs on the group", 1, programs_on(fd)))
		return lab_end(); /* there is nothing to ask */
	lab_look("cat /proc/%d/fdinfo/%d", getpid(), program);
	lab_wait(0);

	lab_predict("root");
	lab_step("The same root opens the two. Only 1:N may be opened, all else is EPERM.", NULL);
	pid_t child = FORKED(cg_spawn(group));
	if (child == 0) {
		open_both("asked", true);
		gate_open(&done);
		gate_wait(&go);
		make_all("asked", true);
		gate_open(&done);
		child_idle();
	}
	undo_kill(child);
	gate_wait(&done);
	expect_errno("outside: open() of /dev/zero", 0, open("/dev/zero", O_RDONLY | O_CLOEXEC));
	lab_look("cat /proc/%d/cgroup", child);
	lab_wait(child);

	lab_predict("node");
	lab_step("A node of its own: mknod() must be refused by type and both numbers.", NULL);
	gate_open(&go);
	gate_wait(&done);
	lab_look("grep CapEff /proc/%d/status", child);
	lab_wait(child);

	lab_step("Detached: nobody is asked any more, and all must work again.", NULL);
	detach(fd, program);
	expect_int("after: programs on the group", 0, programs_on(fd));
	without(group, "after");

	lab_row("open() of a device", "success", "1:N only, else EPERM", "the program");
	lab_row("mknod() of a device", "success", "1:N only, else EPERM", "the program");
	lab_row("outside of the group", "success", "success", "BPF_PROG_ATTACH");
	lab_row("detached", "-", "success", "BPF_PROG_DETACH");
	return lab_end();
}
