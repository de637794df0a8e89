/*
 * floor [net] [veth] [powers] [image] [group=DIR] -- ROOT COMMAND [ARG...]: the
 * bare calls of a container, without a word to anybody: what make bench holds
 * 16-container beside. COMMAND runs below ROOT, where it needs no library.
 *   "plain" alone: fork and exec, and no container
 *   net     a network namespace; veth: a bridge in one that plays the host, a
 *           cable, addresses, routes
 *   powers  Docker's capabilities, no_new_privs, its filter
 *   group   below DIR, with limits, by CLONE_INTO_CGROUP
 *   image   an overlay, nodes and masks instead of a bind mount and bare mounts; and the
 *           program executes itself once more, from a mount that can only be read
 *   pod     a process that pauses, with a cable and a group, and two that join its
 *           namespaces, each with a group, mounts and PIDs of its own, and COMMAND
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "16-container/filter.h"

static bool plain, net, veth, powers, image, pod;
static const char *parent_group;

#define DO(call) \
	do { \
		if ((call) < 0) \
			err(125, "%s", #call); \
	} while (0)

/* ---- Netlink: each message is answered with an errno, rtnetlink(7) ---- */

static struct {
	struct nlmsghdr head;
	char room[512];
} message;

static void begin(int type, int flags, const void *body, size_t size)
{
	memset(&message, 0, sizeof message);
	message.head.nlmsg_type = (uint16_t)type;
	message.head.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	message.head.nlmsg_len = (uint32_t)NLMSG_LENGTH(size);
	memcpy(NLMSG_DATA(&message.head), body, size);
}

static void *grow(size_t size)
{
	void *end = (char *)&message + message.head.nlmsg_len;
	message.head.nlmsg_len += (uint32_t)NLMSG_ALIGN(size);
	return end;
}

static struct rtattr *attribute(int type, const void *value, size_t size)
{
	struct rtattr *attr = grow(RTA_LENGTH(size));
	attr->rta_type = (uint16_t)type;
	attr->rta_len = (uint16_t)RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(attr), value, size);
	return attr;
}

/* All since attr lies in it. */
static void nested(struct rtattr *attr)
{
	attr->rta_len = (uint16_t)((char *)&message + message.head.nlmsg_len - (char *)attr);
}

static void ask(int sock)
{
	struct {
		struct nlmsghdr head;
		struct nlmsgerr answer;
		char room[512];
	} reply;
	DO(send(sock, &message, message.head.nlmsg_len, 0));
	DO(recv(sock, &reply, sizeof reply, 0));
	if (reply.answer.error) {
		errno = -reply.answer.error;
		err(125, "netlink message of type %d", message.head.nlmsg_type);
	}
}

static void name_and_kind(const char *name, const char *kind, struct rtattr **info)
{
	attribute(IFLA_IFNAME, name, strlen(name) + 1);
	*info = attribute(IFLA_LINKINFO, NULL, 0);
	attribute(IFLA_INFO_KIND, kind, strlen(kind));
}

static void address(int sock, const char *local)
{
	struct ifaddrmsg body = {.ifa_family = AF_INET, .ifa_prefixlen = 16, .ifa_index = 2};
	struct in_addr in = {inet_addr(local)};
	begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof body);
	attribute(IFA_LOCAL, &in, sizeof in);
	ask(sock);
}

/* Ours are the first links of new namespaces: lo is 1, what we make is 2 and 3, and comes up at
 * once. */
static struct ifinfomsg up(int index)
{
	return (struct ifinfomsg){.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
}

static void host_with_bridge(void)
{
	struct ifinfomsg bridge = up(2);
	struct rtattr *info;
	DO(unshare(CLONE_NEWNET));
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &bridge, sizeof bridge);
	name_and_kind("br0", "bridge", &info);
	nested(info);
	ask(sock);
	address(sock, "172.17.0.1");
	close(sock);
}

static void plug(pid_t child)
{
	/* A veth end can be brought up only when it has a peer. */
	struct ifinfomsg ours = up(3), peer = {.ifi_index = 2};
	uint32_t bridge = 2, pid = (uint32_t)child;
	struct rtattr *info;
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ours, sizeof ours);
	attribute(IFLA_MASTER, &bridge, sizeof bridge);
	name_and_kind("veth2", "veth", &info);
	struct rtattr *data = attribute(IFLA_INFO_DATA, NULL, 0),
		      *other = attribute(VETH_INFO_PEER, NULL, 0);
	memcpy(grow(sizeof peer), &peer, sizeof peer);
	attribute(IFLA_IFNAME, "eth0", 5);
	attribute(IFLA_NET_NS_PID, &pid, sizeof pid);
	nested(other);
	nested(data);
	nested(info);
	ask(sock);
	close(sock);
}

static void network_inside(void)
{
	struct ifinfomsg lo = up(1), eth0 = up(2);
	struct rtmsg route = {.rtm_family = AF_INET,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_BOOT,
		.rtm_type = RTN_UNICAST};
	struct in_addr gateway = {inet_addr("172.17.0.1")};
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	begin(RTM_NEWLINK, 0, &lo, sizeof lo);
	ask(sock);
	begin(RTM_NEWLINK, 0, &eth0, sizeof eth0);
	ask(sock);
	address(sock, "172.17.0.2");
	begin(RTM_NEWROUTE, NLM_F_CREATE, &route, sizeof route);
	attribute(RTA_GATEWAY, &gateway, sizeof gateway);
	ask(sock);
	close(sock);
}

/* ---- The root ---- */

static void mask(const char *path)
{
	if (mount("/dev/null", path, NULL, MS_BIND, NULL) && errno == ENOTDIR)
		DO(mount("tmpfs", path, "tmpfs", MS_RDONLY, "size=0"));
}

static void image_root(const char *root)
{
	char options[4096];
	DO(mount("tmpfs", "/mnt", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755"));
	DO(chdir("/mnt"));
	DO(mkdir("root", 0755));
	DO(mkdir("upper", 0755));
	DO(mkdir("work", 0755));
	snprintf(options, sizeof options, "lowerdir=%s,upperdir=upper,workdir=work", root);
	DO(mount("overlay", "root", "overlay", 0, options));
	DO(chdir("root"));
}

static void image_mounts(void)
{
	static const unsigned nodes[][2] = {{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}};
	static const char *const names[] = {
		"dev/null", "dev/zero", "dev/full", "dev/random", "dev/urandom", "dev/tty"};
	static const char *const links[] = {"dev/fd", "dev/stdin", "dev/stdout", "dev/stderr"};
	static const char *const hidden[] = {"proc/acpi", "proc/interrupts", "proc/kcore",
		"proc/keys", "proc/timer_list", "sys/firmware"};
	static const char *const read_only[] = {
		"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"};
	for (int i = 0; i < 6; i++)
		DO(mknod(names[i], S_IFCHR | 0666, makedev(nodes[i][0], nodes[i][1])));
	for (int i = 0; i < 4; i++)
		DO(symlink("/proc/self/fd", links[i]));
	DO(mkdir("dev/pts", 0755));
	DO(mkdir("dev/shm", 0755));
	DO(mkdir("dev/mqueue", 0755));
	DO(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance"));
	DO(mount("shm", "dev/shm", "tmpfs", MS_NOSUID, "mode=1777"));
	DO(mount("mqueue", "dev/mqueue", "mqueue", MS_NOSUID, NULL));
	mount("cgroup", "sys/fs/cgroup", "cgroup2", MS_RDONLY, NULL);
	for (int i = 0; i < 6; i++)
		mask(hidden[i]);
	for (int i = 0; i < 5; i++)
		if (!mount(read_only[i], read_only[i], NULL, MS_BIND, NULL))
			DO(mount(NULL, read_only[i], NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
}

static void enter(const char *root)
{
	DO(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	if (image) {
		image_root(root);
	} else {
		DO(mount(root, root, NULL, MS_BIND, NULL));
		DO(chdir(root));
	}
	DO(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
	DO(mount("sysfs", "sys", "sysfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
	DO(mount("tmpfs", "dev", "tmpfs", MS_NOSUID, "mode=755"));
	if (image)
		image_mounts();
	DO(syscall(SYS_pivot_root, ".", "."));
	DO(umount2(".", MNT_DETACH));
	DO(chdir("/"));
}

/* ---- The rest ---- */

static void drop(void)
{
	static const uint32_t kept = 0xa80425fb; /* Docker's fourteen */
	struct __user_cap_header_struct version = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2] = {{.effective = kept, .permitted = kept}};
	struct sock_fprog filter = {sizeof filter_default / sizeof *filter_default,
		(struct sock_filter *)(uintptr_t)filter_default};
	for (int cap = 0; cap < 64; cap++)
		if (!(kept & 1ULL << cap) && prctl(PR_CAPBSET_DROP, cap))
			break;
	DO(syscall(SYS_capset, &version, sets));
	DO(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	DO(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter));
}

static char group[4096];

static int limit(const char *path)
{
	static const char *const limits[][2] = {{"memory.max", "67108864"},
		{"memory.swap.max", "0"}, {"cpu.max", "50000 100000"}, {"pids.max", "100"}};
	DO(mkdir(path, 0755));
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 4; i++) {
		int fd = openat(folder, limits[i][0], O_WRONLY | O_CLOEXEC);
		DO(write(fd, limits[i][1], strlen(limits[i][1])));
		close(fd);
	}
	return folder;
}

static int group_make(void)
{
	snprintf(group, sizeof group, "%s/lab00-%d", parent_group, getpid());
	return limit(group);
}

/* ---- A Pod ---- */

static pid_t born_in(const char *name, uint64_t flags)
{
	char path[sizeof group + 16];
	snprintf(path, sizeof path, "%s/%s", group, name);
	struct clone_args args = {.flags = flags | CLONE_INTO_CGROUP,
		.cgroup = (uint64_t)limit(path),
		.exit_signal = SIGCHLD};
	return (pid_t)syscall(SYS_clone3, &args, sizeof args);
}

static int pod_main(const char *root, char *command[])
{
	static const char *const names[] = {"pause", "one", "two"};
	int ready[2], up[2], status = 0, folder = group_make();
	pid_t pids[3];
	char byte;
	int control = openat(folder, "cgroup.subtree_control", O_WRONLY | O_CLOEXEC);
	DO(write(control, "+cpu +memory +pids", 18));
	host_with_bridge();
	DO(pipe2(ready, O_CLOEXEC));
	DO(pipe2(up, O_CLOEXEC));
	DO(pids[0] = born_in("pause", CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS));
	if (pids[0] == 0) {
		DO(read(ready[0], &byte, 1));
		network_inside();
		DO(write(up[1], "", 1));
		pause();
		_exit(0);
	}
	plug(pids[0]);
	DO(write(ready[1], "", 1));
	DO(read(up[0], &byte, 1));
	int pidfd = (int)syscall(SYS_pidfd_open, pids[0], 0);
	for (int i = 1; i < 3; i++) {
		DO(pids[i] = born_in(names[i], CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWCGROUP));
		if (pids[i] == 0) {
			DO(setns(pidfd, CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS));
			enter(root);
			if (powers)
				drop();
			execv(command[0], command);
			err(127, "%s", command[0]);
		}
	}
	for (int i = 2; i >= 0; i--) {
		if (i == 0)
			kill(pids[0], SIGKILL);
		waitpid(pids[i], i ? &status : NULL, 0);
		unlinkat(folder, names[i], AT_REMOVEDIR);
	}
	rmdir(group);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
}

static void execute_read_only(char *argv[])
{
	struct statvfs mount;
	struct {
		uint64_t set, clear, propagation, userns;
	} read_only = {.set = MOUNT_ATTR_RDONLY};
	DO(statvfs("/proc/self/exe", &mount));
	if (mount.f_flag & ST_RDONLY)
		return;
	int fd = (int)syscall(
		SYS_open_tree, AT_FDCWD, "/proc/self/exe", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	DO(fd);
	DO(syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &read_only, sizeof read_only));
	DO(syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH));
}

static _Noreturn void become(const char *root, char *command[], const int ready[2])
{
	char byte;
	if (plain)
		DO(chdir(root));
	else
		enter(root);
	if (veth) {
		close(ready[1]); /* so that our parent's end is one */
		if (read(ready[0], &byte, 1) != 1)
			_exit(125);
		network_inside();
	}
	if (powers)
		drop();
	execv(plain ? command[0] + 1 : command[0], command);
	err(127, "%s", command[0]);
}

int main(int argc, char *argv[])
{
	int ready[2] = {-1, -1}, status, at = 1;
	for (; at < argc && strcmp(argv[at], "--"); at++) {
		plain |= !strcmp(argv[at], "plain");
		net |= !strcmp(argv[at], "net");
		veth |= !strcmp(argv[at], "veth");
		powers |= !strcmp(argv[at], "powers");
		image |= !strcmp(argv[at], "image");
		pod |= !strcmp(argv[at], "pod");
		if (!strncmp(argv[at], "group=", 6))
			parent_group = argv[at] + 6;
	}
	if (argc - at < 3)
		errx(2, "expected [plain|net|veth|powers|image|pod|group=DIR...] -- ROOT COMMAND");
	const char *root = argv[at + 1];
	char **command = argv + at + 2;
	if (image || pod)
		execute_read_only(argv);
	if (pod)
		return pod_main(root, command);
	struct clone_args args = {
		.flags = plain ? 0
			       : CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
					 CLONE_NEWCGROUP | (net || veth ? CLONE_NEWNET : 0) |
					 (parent_group ? CLONE_INTO_CGROUP : 0),
		.exit_signal = SIGCHLD,
	};
	if (parent_group)
		args.cgroup = (uint64_t)group_make();
	if (veth) {
		host_with_bridge();
		DO(pipe2(ready, O_CLOEXEC));
	}
	pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof args);
	if (child < 0)
		err(125, "clone3");
	if (child == 0)
		become(root, command, ready);
	if (veth) {
		plug(child);
		DO(write(ready[1], "", 1));
	}
	waitpid(child, &status, 0);
	if (parent_group)
		rmdir(group);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
