/*
 * Which devices may be opened. cgroup v2 has no file for devices. Instead a small program is
 * attached to a group, and the kernel runs it whenever a process in the group opens a device or
 * makes a device node. bpf(2), mknod(2), Documentation/admin-guide/cgroup-v2.rst, "Device
 * controller"
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
	{"minor", LAB_NUMBER, &minor_allowed, 3, 9, "N of the device 1:N: 3 null, 5 zero, 7 full"},
	{0},
};

static const struct lab lab = {
	.id = "13-devices",
	.title = "Which devices may be opened",
	.goal = "Root can make a node for any device, a disk included, and open it. In a container a "
		"program on its group refuses that, by the device's type and numbers.",
	.manual = "bpf(2) mknod(2) open(2) cgroups(7)",
	.teaches = "bpf:BPF_PROG_LOAD bpf:BPF_PROG_TYPE_CGROUP_DEVICE bpf:BPF_PROG_ATTACH "
		   "bpf:BPF_PROG_QUERY bpf:BPF_PROG_DETACH bpf:BPF_CGROUP_DEVICE mknodat openat",
	.after = "08-pids-max",
	/* The lab uses no controller. Asking for one makes sure that this is v2, and the group
	   ours. */
	.needs = {.root = true, .controllers = "pids", .kernel = "4.15"},
	.options = lab_options,
	.words = &words,
	.hazard = true,
};

static char *node; /* the path at which the children make nodes */

static int bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof *attr);
}

/*
 * At the start r1 points to a struct bpf_cgroup_dev_ctx, which describes the access. At the end r0
 * is the answer: 1 allows it, 0 refuses it. A jump counts from the next instruction.
 */
static int load_program(void)
{
	struct bpf_insn code[] = {
		{BPF_LDX | BPF_MEM | BPF_W, 2, 1, offsetof(struct bpf_cgroup_dev_ctx, access_type),
			0},
		{BPF_ALU64 | BPF_AND | BPF_K, 2, 0, 0, 0xffff}, /* above: read, write, mknod */
		{BPF_JMP | BPF_JNE | BPF_K, 2, 0, 6, BPF_DEVCG_DEV_CHAR},
		{BPF_LDX | BPF_MEM | BPF_W, 2, 1, offsetof(struct bpf_cgroup_dev_ctx, major), 0},
		{BPF_JMP | BPF_JNE | BPF_K, 2, 0, 4, MEM},
		{BPF_LDX | BPF_MEM | BPF_W, 2, 1, offsetof(struct bpf_cgroup_dev_ctx, minor), 0},
		{BPF_JMP | BPF_JNE | BPF_K, 2, 0, 2, (int)minor_allowed},
		{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1},
		{BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
		{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0}, /* all jumps end here: no */
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
		.attach_flags = BPF_F_ALLOW_MULTI, /* groups below may have programs, too */
	};
	SYS(bpf(BPF_PROG_ATTACH, &attach));
}

static int programs_on(int group)
{
	union bpf_attr attr = {.query = {.target_fd = (uint32_t)group}};
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	MUST(bpf(BPF_PROG_QUERY, &attr));
	return (int)attr.query.prog_cnt;
}

/* A node is a name for a type and two numbers. The program is asked about these, not the name. */
static int make_node(mode_t type, unsigned int major, unsigned int minor)
{
	int rc = mknodat(AT_FDCWD, node, type | 0600, makedev(major, minor));
	int error = errno;
	unlink(node);
	errno = error;
	return rc;
}

/* The predicted error; asked: the group has the program. */
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

	/* A terminal (c 4:N) and a RAM disk (b 1:N) have the same N. */
	autofree char *tty = text("%s: mknod() of c 4:N", when);
	autofree char *block = text("%s: mknod() of b 1:N", when);
	unsigned int n = (unsigned int)minor_allowed;
	expect_errno(tty, asked ? EPERM : 0, make_node(S_IFCHR, TTY, n));
	expect_errno(block, asked ? EPERM : 0, make_node(S_IFBLK, MEM, n));
}

/* In a child: every call while the group has no program. */
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

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	struct gate go, done;
	gate_init(&go), gate_init(&done);
	autofree char *group = group_create("box");
	autoclose int fd = open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lab_command) {
		attach(fd, load_program());
		pid_t command = FORKED(cg_spawn(group));
		if (command == 0)
			lab_exec_command();
		lab_exit_as(command);
	}
	node = text("%s/node", tmp_folder());

	lab_step("Control: root opens two devices and makes nodes, in a group without a program.",
		"every call succeeds");
	expect_int("before: programs on the group", 0, programs_on(fd));
	without(group, "before");
	lab_look("ls -l /dev/null /dev/zero");
	lab_wait(0);

	lab_step("Load a program that allows the character device 1:N, and attach it to the group.",
		"the group has one program");
	lab_note("N is %lld. The kernel verifies the eleven instructions before it loads them.",
		minor_allowed);
	int program = load_program();
	attach(fd, program);
	if (!expect_int("programs on the group", 1, programs_on(fd)))
		return lab_end_early();
	lab_look("cat /proc/%d/fdinfo/%d", getpid(), program);
	lab_wait(0);

	lab_predict("root");
	lab_step("Root opens the two devices in the group.",
		"1:N can be opened; the other open() fails with EPERM");
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
	lab_step("Root makes nodes of its own for these devices.",
		"mknod() succeeds for character 1:N; another type or number is EPERM");
	gate_open(&go);
	gate_wait(&done);
	lab_look("grep CapEff /proc/%d/status", child);
	lab_wait(child);

	lab_step("Detach the program.", "every call succeeds again");
	union bpf_attr detach = {
		.target_fd = (uint32_t)fd,
		.attach_bpf_fd = (uint32_t)program,
		.attach_type = BPF_CGROUP_DEVICE,
	};
	SYS(bpf(BPF_PROG_DETACH, &detach));
	expect_int("after: programs on the group", 0, programs_on(fd));
	without(group, "after");

	lab_row("open() of a device", "success", "1:N only, else EPERM", "the program");
	lab_row("mknod() of a device", "success", "1:N only, else EPERM", "the program");
	lab_row("outside of the group", "success", "success", "BPF_PROG_ATTACH");
	lab_row("after detaching", "-", "success", "BPF_PROG_DETACH");
	return lab_end();
}
