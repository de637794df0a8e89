/*
 * floor-container [veth] [group=DIR] -- IMAGE COMMAND [ARG...]: the equal floor of lab 16. It makes
 * what 16-container makes for COMMAND and nothing else: no options, no names, no checks, no words
 * and no clean-up after a failure. In the order of labs/16-container/life.c.
 *   veth        a bridge and a cable to it, as 16 has without --network none
 *   group=DIR   a group below DIR with limits, as 16 has without --cgroups=disabled
 */
#define _GNU_SOURCE
#include "floor.h"

static char top[4096], group[4200]; /* the second in the first */

static int group_start(const char *groups)
{
	snprintf(top, sizeof top, "%s/lab00-%d", groups, getpid());
	snprintf(group, sizeof group, "%s/container", top);
	group_make(top, (struct value[]){{"cgroup.subtree_control", "+cpu +memory +pids"}, {0}});
	int folder = group_make(
		group, (struct value[]){{"memory.max", "67108864"}, {"memory.swap.max", "0"},
			       {"cpu.max", "50000 100000"}, {"pids.max", "100"}, {0}});
	allow_devices(folder);
	return folder;
}

static _Noreturn void container_main(const char *image, char *command[], int channel, bool veth)
{
	char address[16];
	DO(unshare(CLONE_NEWCGROUP));
	DO(sethostname("0123456789ab", 12));
	if (veth)
		network_ipv4_only();
	write_to(AT_FDCWD, "/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
	write_to(AT_FDCWD, "/proc/sys/net/ipv4/ping_group_range", "0 2147483647");

	/* 3. Its root */
	umask(0);
	root_overlay("/mnt", image);
	pivot_to_cwd();
	umask(022);
	DO(read(channel, address, sizeof address));
	network_up(address);
	DO(syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC));

	/* 4. Privileges: Docker's fourteen capabilities stay */
	DO(setsid());
	drop_privileges(0xa80425fb, 0, false);

	/* 5. COMMAND */
	DO(prctl(PR_SET_PDEATHSIG, SIGKILL));
	execv(command[0], command);
	err(127, "%s", command[0]);
}

int main(int argc, char *argv[])
{
	bool veth = false;
	const char *groups = NULL;
	char address[16] = "";
	int at = 1, folder = -1, bridge = -1, pidfd = -1, channel[2], status;
	for (; at < argc && strcmp(argv[at], "--") != 0; at++)
		if (!strncmp(argv[at], "group=", 6))
			groups = argv[at] + 6;
		else
			veth |= !strcmp(argv[at], "veth");
	if (argc - at < 3)
		errx(2, "expected [veth] [group=DIR] -- IMAGE COMMAND [ARG...]");
	const char *image = argv[at + 1];
	char **command = argv + at + 2;
	execute_read_only(argv);

	/* 1. The group and its limits, while no process is in it */
	if (groups)
		folder = group_start(groups);

	/* 2. A process in new namespaces and in that group */
	if (veth)
		bridge = network_host();
	DO(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel));
	pid_t child = clone3((struct clone_args){
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET |
			 CLONE_PIDFD | (groups ? CLONE_INTO_CGROUP : 0),
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.cgroup = (uint64_t)folder,
		.exit_signal = SIGCHLD});
	if (child == 0)
		container_main(image, command, channel[1], veth);
	close(channel[1]);
	if (veth) {
		network_plug(bridge, child);
		strcpy(address, "172.17.0.2");
	}
	DO(write(channel[0], address, sizeof address));

	/* 6. The end */
	DO(poll(&(struct pollfd){pidfd, POLLIN, 0}, 1, -1));
	if (groups) {
		char events[256];
		int file = openat(folder, "memory.events", O_RDONLY | O_CLOEXEC);
		DO(read(file, events, sizeof events));
	}
	status = child_wait(child);
	if (groups) {
		DO(rmdir(group));
		DO(rmdir(top));
	}
	return status;
}
