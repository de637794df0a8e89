/*
 * floor.h: what the floors of a container and of a Pod have in common, as labs 16 and 17 have: the
 * calls behind a container's network, its groups, its root and its privileges, without a word to
 * anybody. A call that fails ends the floor. Each part has the file of lab 16 that it stands
 * beside.
 */
#pragma once

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/veth.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "16-container/filter.h"

#define DO(call) \
	do { \
		if ((call) < 0) \
			err(125, "%s", #call); \
	} while (0)

static inline void write_to(int folder, const char *name, const char *value)
{
	int fd = openat(folder, name, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		err(125, "%s", name);
	close(fd);
}

static inline pid_t clone3(struct clone_args args)
{
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
	DO(pid);
	return pid;
}

static inline int child_wait(pid_t child)
{
	int status;
	DO(waitpid(child, &status, 0));
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* ---- program.c: the second exec, from a mount that can only be read ---- */

/* The C library has these calls, their flags and struct since glibc 2.36. */
#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#define OPEN_TREE_CLOEXEC O_CLOEXEC
#endif
#ifndef MOUNT_ATTR_RDONLY
#define MOUNT_ATTR_RDONLY 1
#endif

static inline void make_read_only(int folder, const char *path, int flags)
{
	struct {
		uint64_t set, clear, propagation, userns;
	} read_only = {.set = MOUNT_ATTR_RDONLY};
	DO(syscall(SYS_mount_setattr, folder, path, flags, &read_only, sizeof read_only));
}

/* Returns a descriptor of the program on a mount of its own. */
static inline int copy_read_only(const char *path)
{
	int fd = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	DO(fd);
	make_read_only(fd, "", AT_EMPTY_PATH);
	return fd;
}

static inline void execute_read_only(char *argv[])
{
	struct statvfs mount;
	DO(statvfs("/proc/self/exe", &mount));
	if (mount.f_flag & ST_RDONLY)
		return;
	int fd = copy_read_only("/proc/self/exe");
	DO(syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH));
}

/* ---- limits.c, devices.c: a group, and which devices may be opened in it ---- */

struct value {
	const char *file, *value;
};

/* Returns a descriptor of the new group's folder. */
static inline int group_make(const char *path, const struct value *values)
{
	DO(mkdir(path, 0755));
	int group = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (; values->file; values++)
		write_to(group, values->file, values->value);
	return group;
}

static inline void allow_devices(int group)
{
	static const int devices[][2] = {
		{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 2}, {136, -1}};
	enum { DEVICES = sizeof devices / sizeof *devices };
	struct bpf_insn code[11 + 2 * DEVICES] = {
		{BPF_LDX | BPF_MEM | BPF_W, 2, 1, offsetof(struct bpf_cgroup_dev_ctx, access_type),
			0},
		{BPF_LDX | BPF_MEM | BPF_W, 3, 1, offsetof(struct bpf_cgroup_dev_ctx, major), 0},
		{BPF_LDX | BPF_MEM | BPF_W, 4, 1, offsetof(struct bpf_cgroup_dev_ctx, minor), 0},
		{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1},
		{BPF_ALU64 | BPF_MOV | BPF_X, 5, 2, 0, 0},
		{BPF_ALU64 | BPF_RSH | BPF_K, 5, 0, 0, 16},
		{BPF_JMP | BPF_JEQ | BPF_K, 5, 0, 2 * DEVICES + 3, BPF_DEVCG_ACC_MKNOD},
		{BPF_ALU64 | BPF_AND | BPF_K, 2, 0, 0, 0xffff},
		{BPF_JMP | BPF_JNE | BPF_K, 2, 0, 2 * DEVICES, BPF_DEVCG_DEV_CHAR},
	};
	struct bpf_insn *next = code + 9;
	for (int i = 0; i < DEVICES; i++) {
		short yes = (short)(2 * (DEVICES - i) - 1);
		unsigned char test = devices[i][1] < 0 ? BPF_JA : BPF_JEQ | BPF_K;
		*next++ = (struct bpf_insn){BPF_JMP | BPF_JNE | BPF_K, 3, 0, 1, devices[i][0]};
		*next++ = (struct bpf_insn){BPF_JMP | test, test == BPF_JA ? 0 : 4, 0, yes,
			test == BPF_JA ? 0 : devices[i][1]};
	}
	*next++ = (struct bpf_insn){BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0};
	*next++ = (struct bpf_insn){BPF_JMP | BPF_EXIT, 0, 0, 0, 0};
	union bpf_attr load = {.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insns = (uint64_t)(uintptr_t)code,
		.insn_cnt = (uint32_t)(next - code),
		.license = (uint64_t)(uintptr_t) "MIT"};
	int program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load);
	DO(program);
	union bpf_attr attach = {.target_fd = (uint32_t)group,
		.attach_bpf_fd = (uint32_t)program,
		.attach_type = BPF_CGROUP_DEVICE,
		.attach_flags = BPF_F_ALLOW_MULTI};
	DO(syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof attach));
	close(program);
}

/* ---- network.c: each message is answered with an errno, rtnetlink(7) ---- */

static struct {
	struct nlmsghdr head;
	char room[512];
} message;

static inline int netlink_open(void)
{
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	DO(sock);
	return sock;
}

static inline void begin(int type, int flags, const void *body, size_t size)
{
	memset(&message, 0, sizeof message);
	message.head.nlmsg_type = (uint16_t)type;
	message.head.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	message.head.nlmsg_len = (uint32_t)NLMSG_LENGTH(size);
	memcpy(NLMSG_DATA(&message.head), body, size);
}

static inline void *grow(size_t size)
{
	void *end = (char *)&message + message.head.nlmsg_len;
	message.head.nlmsg_len += (uint32_t)NLMSG_ALIGN(size);
	return end;
}

static inline struct rtattr *attribute(int type, const void *value, size_t size)
{
	struct rtattr *attr = grow(RTA_LENGTH(size));
	attr->rta_type = (uint16_t)type;
	attr->rta_len = (uint16_t)RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(attr), value, size);
	return attr;
}

/* All since attr lies in it. */
static inline void nested(struct rtattr *attr)
{
	attr->rta_len = (uint16_t)((char *)&message + message.head.nlmsg_len - (char *)attr);
}

static inline void ask(int sock)
{
	struct {
		struct nlmsghdr head;
		struct nlmsgerr answer;
		char room[512];
	} reply;
	DO(send(sock, &message, message.head.nlmsg_len, 0));
	DO(recv(sock, &reply, sizeof reply, 0));
	errno = -reply.answer.error;
	if (errno)
		err(125, "netlink message of type %d", message.head.nlmsg_type);
}

/* A new namespace's first link, lo, is 1. What is made there is 2, and comes up at once. */
static inline struct ifinfomsg up(int index)
{
	return (struct ifinfomsg){.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
}

static inline void link_up(int sock, int index)
{
	struct ifinfomsg link = up(index);
	begin(RTM_NEWLINK, 0, &link, sizeof link);
	ask(sock);
}

static inline void address_add(int sock, const char *address)
{
	struct ifaddrmsg body = {.ifa_family = AF_INET, .ifa_prefixlen = 16, .ifa_index = 2};
	struct in_addr in = {inet_addr(address)};
	begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof body);
	attribute(IFA_LOCAL, &in, sizeof in);
	ask(sock);
}

static inline struct rtattr *name_and_kind(const char *name, const char *kind)
{
	attribute(IFLA_IFNAME, name, strlen(name) + 1);
	struct rtattr *info = attribute(IFLA_LINKINFO, NULL, 0);
	attribute(IFLA_INFO_KIND, kind, strlen(kind));
	return info;
}

static inline void network_ipv4_only(void)
{
	write_to(AT_FDCWD, "/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
}

/* A namespace that plays the host, with a bridge; returns a socket in it. */
static inline int network_host(void)
{
	struct ifinfomsg bridge = up(2);
	DO(unshare(CLONE_NEWNET));
	network_ipv4_only();
	int sock = netlink_open();
	begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &bridge, sizeof bridge);
	nested(name_and_kind("br0", "bridge"));
	ask(sock);
	address_add(sock, "172.17.0.1");
	return sock;
}

/* A cable from the bridge to eth0 in the namespace of pid. */
static inline void network_plug(int sock, pid_t pid)
{
	struct ifinfomsg ours = up(3), peer = {.ifi_index = 2};
	uint32_t bridge = 2, number = (uint32_t)pid;
	begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ours, sizeof ours);
	attribute(IFLA_MASTER, &bridge, sizeof bridge);
	struct rtattr *info = name_and_kind("veth2", "veth"),
		      *data = attribute(IFLA_INFO_DATA, NULL, 0),
		      *other = attribute(VETH_INFO_PEER, NULL, 0);
	memcpy(grow(sizeof peer), &peer, sizeof peer);
	attribute(IFLA_IFNAME, "eth0", 5);
	attribute(IFLA_NET_NS_PID, &number, sizeof number);
	nested(other);
	nested(data);
	nested(info);
	ask(sock);
}

/* In the container; without an address only lo comes up. */
static inline void network_up(const char *address)
{
	struct rtmsg route = {.rtm_family = AF_INET,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_BOOT,
		.rtm_type = RTN_UNICAST};
	struct in_addr gateway = {inet_addr("172.17.0.1")};
	int sock = netlink_open();
	link_up(sock, 1);
	if (*address) {
		address_add(sock, address);
		link_up(sock, 2);
		begin(RTM_NEWROUTE, NLM_F_CREATE, &route, sizeof route);
		attribute(RTA_GATEWAY, &gateway, sizeof gateway);
		ask(sock);
	}
	close(sock);
}

/* ---- root.c: an overlay, /proc, /sys, /dev, masks ---- */

static inline void root_masks(void)
{
	static const char *const hidden[] = {"proc/acpi", "proc/asound", "proc/interrupts",
		"proc/kcore", "proc/keys", "proc/latency_stats", "proc/sched_debug", "proc/scsi",
		"proc/timer_list", "proc/timer_stats", "sys/firmware",
		"sys/devices/virtual/powercap"};
	static const char *const read_only[] = {
		"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"};
	enum { HIDDEN = sizeof hidden / sizeof *hidden, READ_ONLY = 5 };
	DO(mknod("../null", S_IFCHR | 0666, makedev(1, 3)));
	DO(mount("../null", "../null", NULL, MS_BIND, NULL));
	make_read_only(AT_FDCWD, "../null", 0);
	for (int i = 0; i < HIDDEN; i++)
		if (mount("../null", hidden[i], NULL, MS_BIND, NULL) && errno == ENOTDIR)
			DO(mount("tmpfs", hidden[i], "tmpfs", MS_RDONLY, "size=0"));
	for (int i = 0; i < READ_ONLY; i++)
		if (!mount(read_only[i], read_only[i], NULL, MS_BIND | MS_REC, NULL))
			make_read_only(AT_FDCWD, read_only[i], 0);
}

static inline void root_dev(void)
{
	static const struct {
		const char *path;
		unsigned major, minor;
	} nodes[] = {{"dev/null", 1, 3}, {"dev/zero", 1, 5}, {"dev/full", 1, 7},
		{"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0}};
	static const char *const links[][2] = {{"/proc/self/fd", "dev/fd"},
		{"/proc/self/fd/0", "dev/stdin"}, {"/proc/self/fd/1", "dev/stdout"},
		{"/proc/self/fd/2", "dev/stderr"}, {"pts/ptmx", "dev/ptmx"}};
	const unsigned long flags = MS_NOSUID | MS_NOEXEC;
	DO(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"));
	for (int i = 0; i < 6; i++)
		DO(mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)));
	for (int i = 0; i < 5; i++)
		DO(symlink(links[i][0], links[i][1]));
	DO(mkdir("dev/pts", 0755));
	DO(mkdir("dev/shm", 0755));
	DO(mkdir("dev/mqueue", 0755));
	DO(mount(
		"devpts", "dev/pts", "devpts", flags, "newinstance,ptmxmode=0666,mode=0620,gid=5"));
	DO(mount("shm", "dev/shm", "tmpfs", flags | MS_NODEV, "mode=1777,size=65536k"));
	DO(mount("mqueue", "dev/mqueue", "mqueue", flags | MS_NODEV, NULL));
}

static inline void pivot_to_cwd(void)
{
	DO(syscall(SYS_pivot_root, ".", "."));
	DO(umount2(".", MNT_DETACH));
	DO(chdir("/"));
}

/* In the image's overlay, which becomes the working directory. Its layers are in a tmpfs on folder.
 */
static inline void root_overlay(const char *folder, const char *image)
{
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	char options[4096];
	DO(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	DO(mount("tmpfs", folder, "tmpfs", MS_NOSUID, "mode=755"));
	DO(chdir(folder));
	DO(mkdir("root", 0755));
	DO(mkdir("upper", 0755));
	DO(mkdir("work", 0755));
	snprintf(options, sizeof options, "lowerdir=%s,upperdir=upper,workdir=work", image);
	DO(mount("overlay", "root", "overlay", 0, options));
	DO(chdir("root"));
	DO(mount("proc", "proc", "proc", flags, NULL));
	DO(mount("sysfs", "sys", "sysfs", MS_RDONLY | flags, NULL));
	DO(mount("cgroup", "sys/fs/cgroup", "cgroup2", MS_RDONLY | flags, NULL));
	root_masks();
	root_dev();
}

/* ---- privileges.c ---- */

/* With capabilities a filter may be set before they are given up, without them only after
 * no_new_privs. */
static inline void drop_privileges(uint32_t kept, uid_t user, bool no_new_privs)
{
	struct __user_cap_header_struct version = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2] = {{.effective = kept, .permitted = kept}};
	struct sock_fprog filter = {sizeof filter_default / sizeof *filter_default,
		(struct sock_filter *)(uintptr_t)filter_default};
	if (!no_new_privs)
		DO(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter));
	for (int cap = 0; cap < 64; cap++)
		if (!(kept & 1ULL << cap) && prctl(PR_CAPBSET_DROP, cap))
			break;
	DO(setgroups(0, NULL));
	DO(setresgid(user, user, user));
	DO(setresuid(user, user, user));
	DO(prctl(PR_SET_DUMPABLE, 0));
	DO(syscall(SYS_capset, &version, sets));
	if (no_new_privs) {
		DO(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
		DO(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter));
	}
}
