/*
 * floor-pod GROUPS IMAGE COMMAND [ARG...]: the equal floor of lab 17. It makes what 17-pod makes of
 * a Pod of two containers that run COMMAND, and nothing else. In the order of
 * labs/17-pod/sandbox.c. GROUPS is the folder below which its groups are made.
 */
#define _GNU_SOURCE
#include "floor.h"

static const char folder[] = "/mnt/pod", subtree[] = "cgroup.subtree_control",
		  controllers[] = "+cpu +memory +pids";
static char *image, **command;
static char kubelet[4096], class[4200], pod[4300]; /* groups, one in the other */

/* ---- Volumes: in a mount namespace of the kubelet's own ---- */

static void volumes_make(void)
{
	DO(unshare(CLONE_NEWNS));
	DO(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	DO(mount("lab17", "/mnt", "tmpfs", MS_NOSUID, "mode=755"));
	DO(mkdir(folder, 0755));
	DO(chdir(folder));
	DO(mkdir("volumes", 0755));
	DO(mkdir("images", 0755));
	DO(mkdir("shm", 01777));
	DO(mount("shm", "shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=65536k"));
}

/* ---- Pause ---- */

static _Noreturn void pause_main(int channel, int program)
{
	char address[16], *words[] = {"pause", NULL};
	DO(read(channel, address, sizeof address));
	DO(sethostname("bench", 5));
	network_ipv4_only();
	network_up(address);
	DO(mount("pause", folder, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=555"));
	DO(chdir(folder));
	make_read_only(AT_FDCWD, ".", 0);
	pivot_to_cwd();
	DO(dup2(channel, STDOUT_FILENO));
	DO(dup3(program, 3, O_CLOEXEC));
	DO(fcntl(STDIN_FILENO, F_SETFD, FD_CLOEXEC));
	DO(fcntl(STDERR_FILENO, F_SETFD, FD_CLOEXEC));
	DO(syscall(SYS_close_range, 4U, ~0U, 0U));
	DO(setsid());
	drop_privileges(0, 65535, true);
	DO(prctl(PR_SET_PDEATHSIG, SIGKILL));
	DO(syscall(SYS_execveat, 3, *words, words, words + 1, 0));
	_exit(125);
}

/* Returns its PID, and a pidfd to it. */
static pid_t pause_start(int *pidfd)
{
	char group[4400], path[4400], ready;
	int channel[2], bridge = network_host();
	snprintf(path, sizeof path, "%s/usr/local/bin", image);
	int program = copy_read_only(path);
	DO(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel));
	write_to(AT_FDCWD, strcat(strcpy(group, pod), "/cgroup.subtree_control"), controllers);
	snprintf(group, sizeof group, "%s/pause.scope", pod);
	int place = group_make(group, (struct value[]){{0}});
	allow_devices(place);
	pid_t child =
		clone3((struct clone_args){.flags = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
						    CLONE_NEWNS | CLONE_PIDFD | CLONE_INTO_CGROUP,
			.pidfd = (uint64_t)(uintptr_t)pidfd,
			.cgroup = (uint64_t)place,
			.exit_signal = SIGCHLD});
	if (child == 0)
		pause_main(channel[1], program);
	close(channel[1]);
	close(program);
	network_plug(bridge, child);
	int hosts = open("hosts", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	DO(write(hosts, "127.0.0.1\tlocalhost\n172.17.0.2\tbench\n", 37));
	close(hosts);
	DO(write(channel[0], "172.17.0.2\0\0\0\0\0\0", 16));
	if (read(channel[0], &ready, 1) != 1)
		errx(125, "pause has not come up");
	return child;
}

/* ---- A container joins ---- */

/* What is at source, at target below the working directory as well. */
static void bind_mount(const char *source, const char *target, bool read_only)
{
	int tree =
		(int)syscall(SYS_open_tree, AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	DO(tree);
	if (read_only)
		make_read_only(tree, "", AT_EMPTY_PATH);
	DO(syscall(SYS_move_mount, tree, "", AT_FDCWD, target, 4 /* MOVE_MOUNT_F_EMPTY_PATH */));
	close(tree);
}

static _Noreturn void container_main(int pause)
{
	write_to(AT_FDCWD, "/proc/self/oom_score_adj", "-997");
	DO(setns(pause, CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS));
	DO(unshare(CLONE_NEWCGROUP));
	umask(0);
	root_overlay("/tmp", image);
	bind_mount("/mnt/pod/shm", "dev/shm", false);
	close(open("etc/hosts", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	bind_mount("/mnt/pod/hosts", "etc/hosts", true);
	pivot_to_cwd();
	umask(022);
	DO(syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC));
	DO(setsid());
	drop_privileges(0xa80425fb, 0, true);
	DO(prctl(PR_SET_PDEATHSIG, SIGKILL));
	execv(command[0], command);
	err(127, "%s", command[0]);
}

struct running {
	char group[4400];
	int folder;
	pid_t pid;
};

static void container_start(struct running *c, const char *name, int pause)
{
	snprintf(c->group, sizeof c->group, "%s/%s.scope", pod, name);
	c->folder = group_make(
		c->group, (struct value[]){{"cpu.weight", "20"}, {"cpu.max", "50000 100000"},
				  {"memory.max", "67108864"}, {"memory.oom.group", "1"},
				  {"memory.swap.max", "0"}, {0}});
	allow_devices(c->folder);
	c->pid = clone3((struct clone_args){.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_INTO_CGROUP,
		.cgroup = (uint64_t)c->folder,
		.exit_signal = SIGCHLD});
	if (c->pid == 0)
		container_main(pause);
}

static int container_end(const struct running *c)
{
	char events[256];
	int status = child_wait(c->pid),
	    file = openat(c->folder, "memory.events", O_RDONLY | O_CLOEXEC);
	DO(read(file, events, sizeof events));
	close(file);
	close(c->folder);
	DO(rmdir(c->group));
	return status;
}

int main(int argc, char *argv[])
{
	int pidfd = -1;
	char scope[4400];
	if (argc < 4)
		errx(2, "expected GROUPS IMAGE COMMAND [ARG...]");
	image = argv[2], command = argv + 3;
	execute_read_only(argv);

	snprintf(kubelet, sizeof kubelet, "%s/lab00-%d", argv[1], getpid());
	snprintf(class, sizeof class, "%s/kubepods.slice", kubelet);
	snprintf(pod, sizeof pod, "%s/kubepods-pod.slice", class);
	group_make(kubelet, (struct value[]){{subtree, controllers}, {0}});
	group_make(class, (struct value[]){{subtree, controllers}, {0}});
	group_make(pod, (struct value[]){{"cpu.weight", "39"}, {"cpu.max", "100000 100000"},
				{"memory.max", "134217728"}, {0}});
	volumes_make();
	pid_t pause = pause_start(&pidfd);
	struct running one = {.folder = -1}, two = {.folder = -1};
	container_start(&one, "one", pidfd);
	container_start(&two, "two", pidfd);
	int status = container_end(&one);
	status |= container_end(&two);
	kill(pause, SIGKILL);
	DO(waitpid(pause, NULL, 0));
	snprintf(scope, sizeof scope, "%s/pause.scope", pod);
	DO(rmdir(scope));
	DO(rmdir(pod));
	DO(rmdir(class));
	DO(rmdir(kubelet));
	return status;
}
