/*
 * Exercise 13: exercise GROUP MAJOR MINOR COMMAND [ARG...]
 *
 * A process that can open a disk can read every file on it. Make GROUP and run COMMAND in
 * it. The only block device that COMMAND may open or make is MAJOR:MINOR; for any other the
 * kernel answers EPERM. Character devices are as free as before.
 * bpf(2), cgroup-v2.rst, "Device controller"
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof *attr);
}

/* r1 points to what is asked for; r0 is the answer at the end: 1 yes, 0 no. */
static int load_program(int major, int minor)
{
	struct bpf_insn code[] = {
		{BPF_LDX | BPF_MEM | BPF_W, 2, 1, offsetof(struct bpf_cgroup_dev_ctx, access_type),
			0},
		/* hole: jump to the yes below for what is allowed; answer no to all else here */
		{BPF_ALU64 | BPF_AND | BPF_K, 2, 0, 0, 0xffff}, /* above: read, write or mknod */
		{BPF_JMP | BPF_JNE | BPF_K, 2, 0, 6, BPF_DEVCG_DEV_BLOCK},
		{BPF_LDX | BPF_MEM | BPF_W, 2, 1, offsetof(struct bpf_cgroup_dev_ctx, major), 0},
		{BPF_JMP | BPF_JNE | BPF_K, 2, 0, 2, major},
		{BPF_LDX | BPF_MEM | BPF_W, 2, 1, offsetof(struct bpf_cgroup_dev_ctx, minor), 0},
		{BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 2, minor},
		{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0}, /* no */
		{BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
		/* end */
		{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1}, /* yes */
		{BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
	};
	char log[65536] = "", *why = log;
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insns = (uint64_t)(uintptr_t)code,
		.insn_cnt = sizeof code / sizeof *code,
		.license = (uint64_t)(uintptr_t) "MIT",
		.log_buf = (uint64_t)(uintptr_t)log,
		.log_size = sizeof log,
		.log_level = 1,
	};
	int program = bpf(BPF_PROG_LOAD, &load);
	if (program >= 0)
		return program;
	/* What the verifier says last, before its figures, is why it refuses. */
	for (char *line = strtok(log, "\n"); line; line = strtok(NULL, "\n"))
		if (strncmp(line, "processed ", 10))
			why = line;
	err(1, "BPF_PROG_LOAD: %s", why);
}

int main(int argc, char **argv)
{
	if (argc < 5)
		errx(2, "expected GROUP MAJOR MINOR COMMAND [ARG...]");
	char procs[4096];
	int program = load_program(atoi(argv[2]), atoi(argv[3]));
	if (mkdir(argv[1], 0755))
		err(1, "mkdir %s", argv[1]);
	int group = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* hole: attach the program to the group with bpf(2) */
	union bpf_attr attach = {
		.target_fd = (uint32_t)group,
		.attach_bpf_fd = (uint32_t)program,
		.attach_type = BPF_CGROUP_DEVICE,
	};
	if (bpf(BPF_PROG_ATTACH, &attach))
		err(1, "BPF_PROG_ATTACH");
	/* end */

	snprintf(procs, sizeof procs, "%s/cgroup.procs", argv[1]);
	int fd = open(procs, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		err(1, "%s", procs);
	execvp(argv[4], argv + 4);
	err(127, "%s", argv[4]);
}
