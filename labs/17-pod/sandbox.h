/*
 * sandbox.h: what is there before the first container of a Pod: its groups, its
 * volumes, and pause, a process that does nothing and in whose namespaces the others
 * will be. Kubernetes calls it the sandbox. clone(2), cgroup-v2.rst
 */
#pragma once

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "../16-container/network.h"
#include "../16-container/powers.h"
#include "../16-container/program.h"
#include "../16-container/root.h"
#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "manifest.h"
#include "resources.h"
#include "story/lab.h"

/* One container of the Pod, and what has become of it. */
struct running {
	const struct container *is;
	char *group; /* the folder of its group; NULL while it has none */
	pid_t pid;   /* 0: it does not run */
	int pidfd;
	int restarts;
	int status;         /* of its last end: its own, or 128 + signal */
	const char *reason; /* of its last end, as kubectl shows it; NULL: it has not ended */
	long long due;      /* when it is to be started, clock_ms(); -1: not again */
};

struct sandbox {
	const struct pod *pod;
	char uid[37];
	char *place; /* the folder of its volumes, hosts and shm, of this lab's mount table */
	char *group, *pause_group;
	long long pids;     /* podPidsLimit of the kubelet; 0: none */
	long long restarts; /* of an init container at most */
	pid_t pause;
	int pauses; /* how many there have been */
	int pidfd, channel;
	char address[16];
	struct running *containers; /* without the init containers */
	size_t count;
};

/* What is the host's, read before anything is done. */
static const char *const checked[] = {"mnt", "uts", "ipc", "net", "cgroup", "user"};
enum { MNT, UTS, IPC, NET, CGROUP, USER, CHECKED };
static long outside[CHECKED];

static inline bool own_users(const struct pod *pod)
{
	return pod->host_users.set && !pod->host_users.is;
}

/* "none", or the first of the checked ones in which we still are where the host is. */
static inline const char *still_outside(unsigned which)
{
	for (int i = 0; i < CHECKED; i++)
		if (which & 1U << i && ns_inode(0, checked[i]) == outside[i])
			return checked[i];
	return "none";
}

/* SYS(), until the story has shown such a life once. */
static bool life_told;
#define TELL(call) (life_told ? MUST(call) : SYS(call))

static inline long long clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static inline int clone3(struct clone_args *args)
{
	int pid = (int)syscall(SYS_clone3, args, sizeof *args);
	if (pid == 0)
		child_born();
	return pid;
}

/* ---- Groups, as the kubelet's systemd driver names them: one slice in the other ---- */

static inline void group_write(const char *group, struct group_values v)
{
	autofree char *weight = text("%d", v.weight), *memory = text("%lld", v.memory);
	autofree char *cpu =
		v.quota ? text("%lld %d", v.quota, CPU_PERIOD) : text("max %d", CPU_PERIOD);
	cg_write(group, "cpu.weight", weight);
	cg_write(group, "cpu.max", cpu);
	cg_write(group, "memory.max", v.memory ? memory : "max");
}

/* The folder of one more group in parent, whose controllers go on to it. */
static inline char *group_in(const char *parent, const char *name)
{
	char *group = text("%s/%s", parent, name);
	cg_enable(parent, "cpu memory pids");
	if (mkdir(group, 0755) && errno != EEXIST)
		die("mkdir %s", group);
	return group;
}

static inline char *scope_in(const char *pod_group)
{
	unsigned char random[32];
	char id[65];
	if (getrandom(random, sizeof random, 0) != sizeof random)
		die("getrandom");
	for (size_t i = 0; i < sizeof random; i++)
		sprintf(id + 2 * i, "%02x", random[i]);
	autofree char *name = text("cri-containerd-%s.scope", id);
	return group_in(pod_group, name);
}

static inline void pod_group_make(struct sandbox *s)
{
	static char *top; /* kubepods.slice of this run */
	autofree char *path = pod_group(s->pod, s->uid);
	char *rest, *name = strtok_r(path, "/", &rest);
	if (!top)
		top = group_create(name);
	s->group = text("%s", top);
	while ((name = strtok_r(NULL, "/", &rest))) {
		autofree char *parent = s->group;
		s->group = group_in(parent, name);
	}
	group_write(s->group, pod_values(s->pod));
	if (s->pids) {
		autofree char *pids = text("%lld", s->pids);
		cg_write(s->group, "pids.max", pids);
	}
}

/* ---- Volumes: folders of the kubelet's, which containers will see by bind mounts ---- */

static inline void put_file(const char *path, const char *content)
{
	autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || !file_write_all(fd, content, strlen(content)))
		die("open, write %s", path);
}

static inline void volume_make(const struct pod *pod, const struct volume *v)
{
	autofree char *path = text("volumes/%s", v->name);
	if (v->host.line)
		return; /* it is there already */
	if (mkdir(path, 0777))
		die("mkdir %s", path);
	if (v->medium && !strcmp(v->medium, "Memory")) {
		long long bytes = volume_size(pod, v);
		autofree char *size = bytes ? text("mode=777,size=%lld", bytes) : text("mode=777");
		MUST(mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, size));
	}
	for (size_t i = 0; v->map && i < v->map->data.count; i++) {
		autofree char *file = text("%s/%s", path, v->map->data.item[i].name);
		put_file(file, v->map->data.item[i].value);
	}
}

/* Over a folder that none of its images and hostPaths is below. */
static inline const char *kubelet_place(const struct pod *pod)
{
	struct bind_mount sources[container_count(pod) + pod->volumes.count];
	struct root all = {.image = file_rootfs(), .volumes = sources};
	for (size_t i = 0; i < container_count(pod); i++)
		if (container_at(pod, i)->rootfs)
			sources[all.volume_count++].source =
				realpath(container_at(pod, i)->rootfs, NULL);
	for (size_t i = 0; i < pod->volumes.count; i++)
		if (pod->volumes.item[i].host.line)
			sources[all.volume_count++].source =
				realpath(pod->volumes.item[i].host_path, NULL);
	return root_place(&all);
}

/* In a mount table of our own: all of it goes when the last process in it does. */
static inline void volumes_make(struct sandbox *s)
{
	static const char *place;
	mode_t mask = umask(0);
	if (!place) {
		MUST(unshare(CLONE_NEWNS));
		if (ns_inode(0, "mnt") != outside[MNT])
			MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
		autofree char *table = ns_mount_table(outside[MNT]);
		if (!expect_str("kubelet: its mount table", "own, private", table))
			exit(lab_end());
		outside[MNT] = ns_inode(0, "mnt"); /* nor in the kubelet's own */
		place = kubelet_place(s->pod);
		MUST(mount("lab17", place, "tmpfs", MS_NOSUID, "mode=755"));
	}
	s->place = text("%s/%s", place, s->uid);
	if (mkdir(s->place, 0755) || chdir(s->place) || mkdir("volumes", 0755) ||
		mkdir("shm", 01777))
		die("mkdir, chdir %s", s->place);
	MUST(mount(
		"shm", "shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=65536k"));
	for (size_t i = 0; i < s->pod->volumes.count; i++)
		volume_make(s->pod, &s->pod->volumes.item[i]);
	umask(mask);
}

/* ---- pause ---- */

/* Nothing: with shareProcessNamespace it is what containers find as /proc/1/root. */
static inline void pause_root(const struct sandbox *s)
{
	struct stat made, entered;
	lab_asks_missing = false;
	MUST(mount("pause", s->place, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=555"));
	MUST(chdir(s->place));
	MUST(mount(NULL, ".", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	MUST(stat(".", &made));
	TELL(pivot_root(".", "."));
	MUST(umount2(".", MNT_DETACH));
	MUST(chdir("/"));
	MUST(stat(".", &entered));
	errno = 0;
	if (made.st_dev != entered.st_dev || made.st_ino != entered.st_ino)
		die("pause's root is not the one that was made");
}

/* The user of Kubernetes' own pause; the kubelet asks for the filter. */
static const struct powers pause_powers = {.user = 65535, .group = 65535};

/* As "pause", with the channel for its input. PID 1 of the Pod with shareProcessNamespace must
 * reap. */
static inline _Noreturn void pause_wait(char *argv[])
{
	sigset_t set; /* is blocked since before */
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	lab_command = argv; /* it is no part of the story */
	powers_drop(&pause_powers);
	MUST(prctl(PR_SET_PDEATHSIG, SIGKILL));
	MUST(prctl(PR_SET_NAME, "pause"));
	if (write(STDIN_FILENO, "", 1) != 1) /* it is ready */
		_exit(1);
	syscall(SYS_close_range, 0U, ~0U, 0U);
	while (sigwaitinfo(&set, NULL) != SIGTERM)
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	_exit(0);
}

static inline _Noreturn void pause_main(const struct sandbox *s)
{
	const char *hostname = pod_hostname(s->pod);
	size_t length = strlen(hostname);
	char go[16];
	sigset_t set;
	autofree char *what = text("%s, pause %d: of the host in it", s->pod->name, s->pauses);
	if (!expect_str(what, "none",
		    still_outside(1U << MNT | 1U << UTS | 1U << IPC | 1U << NET |
				  (unsigned)own_users(s->pod) << USER)))
		_exit(1);
	if (read(s->channel, go, sizeof go) !=
		sizeof go) /* the address; and the ids are mapped by now */
		_exit(1);
	if (own_users(s->pod) && (setresgid(0, 0, 0) || setresuid(0, 0, 0)))
		die("setresgid, setresuid");
	TELL(sethostname(hostname, length));
	network_ipv4_only();
	network_up(go);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* Which cannot be written to (program.h): with shareProcessNamespace /proc/1/exe leads
	 * there. */
	int program = MUST(open("/proc/self/exe", O_PATH | O_CLOEXEC));
	pause_root(s);
	MUST(dup2(s->channel, STDIN_FILENO));
	/* No other descriptor and no word of our environment goes along. */
	program = close_descriptors(program);
	char *words[] = {"pause", NULL};
	syscall(SYS_execveat, program, "", words, words + 1, AT_EMPTY_PATH);
	if (errno != ENOENT)
		die("execveat");
	pause_wait(words); /* it is linked to files that are not in there */
}

/*
 * hostUsers: false: root inside is the first of 65536 ids that nobody has outside: beyond what
 * useradd gives (subuid(5), SUB_UID_MAX 600100000) and what systemd has for containers.
 */
static inline void map_users(pid_t pid)
{
	static unsigned first = 0x70000000 - 65536;
	autofree char *map = text("0 %u 65536", first += 65536);
	autofree char *uids = text("/proc/%d/uid_map", pid), *gids = text("/proc/%d/gid_map", pid);
	file_write(uids, map);
	file_write(gids, map);
}

/* A new pause, in new namespaces; the groups and the volumes stay. False when it has not come up.
 */
static inline bool pause_start(struct sandbox *s)
{
	int channel[2], running = network_host(group_home(), outside[NET]);
	char end;
	outside[NET] = ns_inode(0, "net"); /* the bridge's place is not to be the Pod's either */
	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel));
	s->pause_group = scope_in(s->group);
	autoclose int group = MUST(open(s->pause_group, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct clone_args args = {
		.flags = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS | CLONE_PIDFD |
			 CLONE_INTO_CGROUP |
			 (s->pod->share_process_namespace.is ? CLONE_NEWPID : 0) |
			 (own_users(s->pod) ? CLONE_NEWUSER : 0),
		.pidfd = (uint64_t)(uintptr_t)&s->pidfd,
		.cgroup = (uint64_t)group,
		.exit_signal = SIGCHLD,
	};
	s->pauses++;
	s->pause = life_told ? MUST(clone3(&args)) : FORKED(clone3(&args));
	if (s->pause == 0) {
		close(channel[0]);
		s->channel = channel[1];
		pause_main(s);
	}
	undo_kill(s->pause);
	close(channel[1]);
	if (args.flags & CLONE_NEWUSER)
		map_users(s->pause);
	int number = network_plug(s->pause, 0, running);
	autofree char *address = number > 0 ? network_address(number) : text("%s", "");
	snprintf(s->address, sizeof s->address, "%s", address);
	autofree char *hosts =
		text("127.0.0.1\tlocalhost\n%s\t%s\n", s->address, pod_hostname(s->pod));
	autofree char *file = text("%s/hosts", s->place);
	put_file(file, hosts);
	ssize_t n = write(channel[0], s->address, sizeof s->address);
	if (n > 0)
		n = read(channel[0], &end, 1);
	if (n < 0 && errno != EPIPE && errno != ECONNRESET) /* these: it has ended, and said why */
		die("write, read: the channel to pause");
	close(channel[0]);
	return n == 1;
}

static inline bool sandbox_start(struct sandbox *s)
{
	autofree char *uid = file_read("/proc/sys/kernel/random/uuid");
	snprintf(s->uid, sizeof s->uid, "%s", uid);
	s->count = s->pod->containers.count;
	s->containers = calloc(s->count, sizeof *s->containers);
	for (size_t i = 0; s->containers && i < s->count; i++)
		s->containers[i].is = &s->pod->containers.item[i];
	pod_group_make(s);
	volumes_make(s);
	return pause_start(s);
}
