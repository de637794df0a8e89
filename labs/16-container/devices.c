/*
 * devices.c: the program on a container's group that is asked for each device, as
 * cgroup v2 has no file for that. Lab 13; bpf(2), cgroup-v2.rst, "Device controller"
 */
#define _GNU_SOURCE
#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "container.h"
#include "kernel/sys.h"

static int bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof *attr);
}

/*
 * Any node may be made, for a name is nothing; these may be opened. A jump counts
 * from the instruction behind it: "no" lies behind the list, "yes" one further.
 */
void allow_devices(int group)
{
	static const struct {
		int major, minor; /* -1: any */
	} devices[] = {{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 2}, {136, -1}};
	enum { DEVICES = sizeof devices / sizeof *devices };
	struct bpf_insn code[11 + 2 * DEVICES] = {
		{BPF_LDX | BPF_MEM | BPF_W, 2, 1, offsetof(struct bpf_cgroup_dev_ctx, access_type),
			0},
		{BPF_LDX | BPF_MEM | BPF_W, 3, 1, offsetof(struct bpf_cgroup_dev_ctx, major), 0},
		{BPF_LDX | BPF_MEM | BPF_W, 4, 1, offsetof(struct bpf_cgroup_dev_ctx, minor), 0},
		{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1}, /* yes, until the end of the list */
		{BPF_ALU64 | BPF_MOV | BPF_X, 5, 2, 0, 0},
		{BPF_ALU64 | BPF_RSH | BPF_K, 5, 0, 0, 16}, /* read, write, mknod */
		{BPF_JMP | BPF_JEQ | BPF_K, 5, 0, 2 * DEVICES + 3, BPF_DEVCG_ACC_MKNOD},
		{BPF_ALU64 | BPF_AND | BPF_K, 2, 0, 0, 0xffff}, /* block or character */
		{BPF_JMP | BPF_JNE | BPF_K, 2, 0, 2 * DEVICES, BPF_DEVCG_DEV_CHAR},
	};
	struct bpf_insn *next = code + 9;
	for (int i = 0; i < DEVICES; i++) {
		short yes = (short)(2 * (DEVICES - i) - 1);
		bool any = devices[i].minor < 0;
		*next++ = (struct bpf_insn){BPF_JMP | BPF_JNE | BPF_K, 3, 0, 1, devices[i].major};
		*next++ = any ? (struct bpf_insn){BPF_JMP | BPF_JA, 0, 0, yes, 0}
			      : (struct bpf_insn){
					BPF_JMP | BPF_JEQ | BPF_K, 4, 0, yes, devices[i].minor};
	}
	*next++ = (struct bpf_insn){BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0};
	*next++ = (struct bpf_insn){BPF_JMP | BPF_EXIT, 0, 0, 0, 0};
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insns = (uint64_t)(uintptr_t)code,
		.insn_cnt = (uint32_t)(next - code),
		.license = (uint64_t)(uintptr_t) "MIT",
	};
	autoclose int program = MUST(bpf(BPF_PROG_LOAD, &load));
	union bpf_attr attach = {
		.target_fd = (uint32_t)group,
		.attach_bpf_fd = (uint32_t)program,
		.attach_type = BPF_CGROUP_DEVICE,
		.attach_flags = BPF_F_ALLOW_MULTI,
	};
	MUST(bpf(BPF_PROG_ATTACH, &attach));
}
