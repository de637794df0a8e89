/*
 * One of the two objects of common/ that make namespaces and mounts (DESIGN: the
 * rule of visibility); here they live in a child that is thrown away.
 */
#define _GNU_SOURCE
#include "machine/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernel/ns.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* What the child found: the first thing that failed, or err 0. */
struct report {
	enum probe_need need;
	int err;
	char arg[16];
};

/* What the child is to try. */
struct trial {
	void (*run)(int out, const struct trial *t);
	const struct machine *m;
	const char *name; /* a controller or a module */
	const struct probe_needs *needs;
};

/* ---- The child's side --------------------------------------------------------- */

/* One write, which a pipe takes whole (pipe(7)), and the end. */
_Noreturn static void tell(int out, enum probe_need need, const char *arg, int err)
{
	struct report r = {.need = need, .err = err};

	snprintf(r.arg, sizeof(r.arg), "%s", arg);
	_exit(write(out, &r, sizeof(r)) != sizeof(r));
}

/* 0, or errno. */
static int put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	int err = write(fd, value, strlen(value)) < 0 ? errno : 0;
	close(fd);
	return err;
}

/* As the labs do it: anybody is mapped to root in a user namespace, real root if it has to be. */
static void become_root(int out, bool root_too)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char map[32];

	if (uid == 0 && !root_too)
		return;
	if (unshare(CLONE_NEWUSER) < 0)
		tell(out, PROBE_USER_NS, "", errno);
	int err = put("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", uid);
	if (!err)
		err = put("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "0 %u 1", gid);
	if (!err)
		err = put("/proc/self/gid_map", map);
	if (err)
		tell(out, PROBE_MAP, "", err);
}

/* An ordinary user may mount one only with xattrs that are anybody's: overlayfs.rst, userxattr. */
static int try_overlay(void)
{
	if (mkdir("/tmp/lower", 0700) < 0 || mkdir("/tmp/upper", 0700) < 0 ||
		mkdir("/tmp/work", 0700) < 0 || mkdir("/tmp/merged", 0700) < 0)
		return -1;
	return mount("overlay", "/tmp/merged", "overlay", 0,
		"userxattr,lowerdir=/tmp/lower,upperdir=/tmp/upper,workdir=/tmp/work");
}

/* The number of the one that we are in. */
static ino_t mount_namespace(int out)
{
	struct stat st;
	if (stat("/proc/self/ns/mnt", &st) < 0)
		tell(out, PROBE_NAMESPACE, "mnt", errno);
	return st.st_ino;
}

static void try_namespaces(int out, const struct trial *t)
{
	static const struct {
		const char *name;
		int flag;
	} namespaces[] = {
		{"mnt", CLONE_NEWNS},
		{"uts", CLONE_NEWUTS},
		{"ipc", CLONE_NEWIPC},
		{"net", CLONE_NEWNET},
		{"cgroup", CLONE_NEWCGROUP},
		{"pid", CLONE_NEWPID},
	};

	if (t->needs->ordinary && geteuid() == 0 && ns_become_ordinary() < 0)
		tell(out, PROBE_USER_NS, "", errno);
	become_root(out, t->needs->limits);
	/* In it these files are the new one's own: to open one for writing changes nothing. */
	if (t->needs->limits && open("/proc/sys/user/max_uts_namespaces", O_WRONLY | O_CLOEXEC) < 0)
		tell(out, PROBE_LIMITS, "", errno);
	ino_t machine = mount_namespace(out);
	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++)
		if (unshare(namespaces[i].flag) < 0)
			tell(out, PROBE_NAMESPACE, namespaces[i].name, errno);
	/* Read back, because the next thing is to mount: not where the machine's own mounts are. */
	if (mount_namespace(out) == machine)
		tell(out, PROBE_NAMESPACE, "mnt", EINVAL);
	/* A container's seccomp filter may allow the namespace and refuse this. */
	struct utsname now;
	if (t->needs->hostname &&
		(uname(&now) < 0 || sethostname(now.nodename, strlen(now.nodename)) < 0))
		tell(out, PROBE_HOSTNAME, "", errno);
	if (t->needs->time && unshare(CLONE_NEWTIME) < 0)
		tell(out, PROBE_NAMESPACE, "time", errno);
	/* Which takes CAP_SYS_TIME besides; an offset of nothing changes nothing. */
	int offset = t->needs->time ? put("/proc/self/timens_offsets", "monotonic 0 0") : 0;
	if (offset)
		tell(out, PROBE_NAMESPACE, "time", offset);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tmpfs", "/tmp", "tmpfs", 0, "size=64k") < 0)
		tell(out, PROBE_TMPFS, "", errno);
	if (t->needs->overlay && try_overlay() < 0)
		tell(out, PROBE_OVERLAY, "", errno);
	if (!t->needs->proc_mount)
		tell(out, PROBE_TMPFS, "", 0);

	/* A proc shows the PID namespace of who mounts it: our first child is in the new one. */
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (mount("proc", "/tmp", "proc", 0, NULL) < 0)
			tell(out, PROBE_PROC, "", errno);
		tell(out, PROBE_PROC, "", 0);
	}
	if (child < 0)
		tell(out, PROBE_NAMESPACE, "pid", errno);
	waitpid(child, NULL, 0);
	_exit(0);
}

/* Can a link of this kind be made? rtnetlink(7); the message is answered with an errno. */
static void try_link(int out, const struct trial *t)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg link;
		struct rtattr info, kind;
		char name[32];
	} request = {
		.head = {.nlmsg_type = RTM_NEWLINK,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK},
	};
	_Alignas(struct nlmsghdr) char room[1024];
	const struct nlmsghdr *answer = (const struct nlmsghdr *)room;
	size_t len = strlen(t->name);

	become_root(out, false);
	if (unshare(CLONE_NEWNET) < 0)
		tell(out, PROBE_NAMESPACE, "net", errno);
	if (len >= sizeof(request.name))
		tell(out, PROBE_MODULE, "", EOPNOTSUPP);
	memcpy(request.name, t->name, len);
	request.kind.rta_type = IFLA_INFO_KIND;
	request.kind.rta_len = (unsigned short)RTA_LENGTH(len);
	request.info.rta_type = IFLA_LINKINFO;
	request.info.rta_len = (unsigned short)RTA_LENGTH(RTA_SPACE(len));
	request.head.nlmsg_len =
		(unsigned int)NLMSG_LENGTH(sizeof(request.link) + RTA_SPACE(RTA_SPACE(len)));

	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0 || send(fd, &request, request.head.nlmsg_len, 0) < 0)
		tell(out, PROBE_MODULE, "", errno);
	ssize_t n = recv(fd, room, sizeof(room), 0);
	if (n < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)) || answer->nlmsg_type != NLMSG_ERROR)
		tell(out, PROBE_MODULE, "", EPROTO);
	tell(out, PROBE_MODULE, "", -((const struct nlmsgerr *)NLMSG_DATA(answer))->error);
}

/* Does a group that was just made have the controller? 0 or errno. */
static int has_controller(const char *group, const char *name)
{
	char path[PATH_MAX + 64], list[256] = "";
	const char *file = rules_controller_file(name);

	snprintf(path, sizeof(path), "%s/cgroup.controllers", group);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	ssize_t n = read(fd, list, sizeof(list) - 1);
	close(fd);
	list[n > 0 ? n - 1 : 0] = '\0'; /* less the newline */
	if (!machine_has(list, name))
		return ENOENT;
	snprintf(path, sizeof(path), "%s/%s", group, file ? file : "cgroup.procs");
	return access(path, F_OK) == 0 ? 0 : errno;
}

/*
 * The step that lets subtree_control be written: our processes go into a leaf.
 * Here a child of ours that does nothing else goes, and the file is only opened:
 * to empty the group is the lab's business.
 */
static int try_leaf(const char *group, const char *leaf)
{
	char path[PATH_MAX + 64];
	int status;

	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", group);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	close(fd);
	snprintf(path, sizeof(path), "%s/cgroup.procs", leaf);
	pid_t child = fork();
	if (child < 0)
		return errno;
	if (child == 0)
		_exit(put(path, "0")); /* "0" is the writer itself; errno fits a status */
	if (waitpid(child, &status, 0) < 0)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

static void try_group(int out, const struct trial *t)
{
	char group[PATH_MAX + 32];

	/* From here to rmdir() only SIGKILL can stop us: the group must not stay. */
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	prctl(PR_SET_PDEATHSIG, 0);

	/* With the lab's PID: the runner removes what a lab that was killed has just made, and this
	 * process may be killed too. */
	snprintf(group, sizeof(group), "%s/lab00-%d-%d", t->m->group, getppid(), getpid());
	if (mkdir(group, 0700) < 0)
		tell(out, PROBE_CONTROLLER, "", errno);
	int err = machine_controller(t->m, t->name) == MACHINE_CONTROLLER_READY
			  ? has_controller(group, t->name)
			  : try_leaf(t->m->group, group);
	/* A process that was waited for may still be on its last way out of the group. */
	struct timespec pause = {.tv_nsec = 1000 * 1000};
	for (int i = 0; i < 1000 && (rmdir(group) < 0 || !access(group, F_OK)); i++)
		nanosleep(&pause, NULL);
	tell(out, PROBE_CONTROLLER, "", err);
}

/* ---- The parent's side ----------------------------------------------------------- */

static long long now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* One that did not end in time is waited for a second more: SIGKILL may have to wait for a disk. */
static void reap(pid_t child, bool late)
{
	struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};

	if (!late)
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
	for (int i = 0; late && waitpid(child, NULL, WNOHANG) == 0 && i < 100; i++)
		nanosleep(&pause, NULL);
}

/* The answer, as it is being filled. */
struct answer {
	const struct machine *m;
	struct probe_missing *missing;
	int max, count;
	int untried; /* the errno with which a trial could not even begin */
};

/* Runs a trial in a child, for PROBE_SECONDS at most. */
static struct report try_out(struct answer *a, struct trial *t)
{
	struct report r = {.err = 0};
	int pipefd[2];

	if (pipe2(pipefd, O_CLOEXEC) < 0) {
		a->untried = errno;
		return r;
	}
	pid_t child = fork();
	if (child < 0) {
		a->untried = errno;
		close(pipefd[0]);
		close(pipefd[1]);
		return r;
	}
	if (child == 0) {
		close(pipefd[0]);
		signal(SIGPIPE, SIG_IGN);
		signal(SIGCHLD, SIG_DFL);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		t->run(pipefd[1], t);
		_exit(0);
	}
	close(pipefd[1]);

	long long end = now_ms() + PROBE_SECONDS * 1000, left;
	struct pollfd p = {.fd = pipefd[0], .events = POLLIN};
	int ready = 0;
	while (ready <= 0 && (left = end - now_ms()) > 0)
		ready = poll(&p, 1, (int)left);
	if (ready <= 0) {
		r.err = ETIMEDOUT;
		kill(child, SIGKILL);
	} else if (read(pipefd[0], &r, sizeof(r)) != sizeof(r)) {
		r.err = ECHILD; /* it ended without a word */
	}
	close(pipefd[0]);
	reap(child, r.err == ETIMEDOUT);
	return r;
}

static void miss(struct answer *a, enum probe_need need, const char *arg, int err)
{
	if (a->count < a->max)
		rules_explain(need, arg, err, a->m, &a->missing[a->count]);
	a->count++;
}

static void need_namespaces(struct answer *a, const struct probe_needs *needs)
{
	struct trial t = {.run = try_namespaces, .m = a->m, .needs = needs};
	struct report r = try_out(a, &t);
	static struct machine as_ordinary;
	const struct machine *m = a->m;

	if (needs->ordinary && m->uid == 0) { /* what forbids it is what forbids it to that user */
		as_ordinary = *m;
		as_ordinary.uid = 1000;
		as_ordinary.root = false;
		a->m = &as_ordinary;
	}

	if (r.err == ETIMEDOUT || r.err == ECHILD)
		r.need = needs->proc_mount ? PROBE_PROC : PROBE_USER_NS;
	if (r.err)
		miss(a, r.need, r.arg, r.err);
	a->m = m;
}

static void need_controller(struct answer *a, const char *name)
{
	struct trial t = {.run = try_group, .m = a->m, .name = name};
	enum machine_controller state = machine_controller(a->m, name);
	int err = 0;

	/* A group that is not ours is not even tried. */
	if (state == MACHINE_CONTROLLER_READY || state == MACHINE_CONTROLLER_LEAF) {
		err = try_out(a, &t).err;
		if (!err)
			return;
	}
	miss(a, PROBE_CONTROLLER, name, err);
}

/* Root gets a group: whose the user's is does not matter then. */
static void need_controller_of_root(struct answer *a, const char *name)
{
	enum machine_controller state = machine_controller(a->m, name);

	if (state > MACHINE_CONTROLLER_LEAF && state < MACHINE_CONTROLLER_NOT_OURS)
		need_controller(a, name);
}

static void need_module(struct answer *a, const char *name)
{
	struct trial t = {.run = try_link, .m = a->m, .name = name};

	if (machine_module(a->m, "/", name))
		return;
	/* A kernel without module lists may have it built in: such as are links can be tried. */
	int err = try_out(a, &t).err;
	if (err)
		miss(a, PROBE_MODULE, name, err);
}

static void for_each_word(
	struct answer *a, const char *list, void (*need)(struct answer *a, const char *word))
{
	char word[64];

	while (list && *(list += strspn(list, " "))) {
		size_t len = strcspn(list, " ");
		snprintf(word, sizeof(word), "%.*s", (int)len, list);
		need(a, word);
		list += len;
	}
}

static bool kernel_is(const struct machine *m, const char *wanted)
{
	int major = 0, minor = 0;
	sscanf(wanted, "%d.%d", &major, &minor);
	return m->kernel_major > major || (m->kernel_major == major && m->kernel_minor >= minor);
}

/*
 * A 32-bit kernel begins to count jiffies 300 seconds below zero, and blk-throttle.c takes a time
 * slice that has never begun for one in the future: BUG_ON() in throtl_trim_slice().
 */
static long long seconds_to_wait(void)
{
	struct utsname name;
	struct timespec up;
	if (uname(&name) || fnmatch("i?86", name.machine, 0) || clock_gettime(CLOCK_BOOTTIME, &up))
		return 0;
	return 301 - (long long)up.tv_sec;
}

int probe_needs(const struct probe_needs *needs, struct probe_missing *missing, int max)
{
	static struct machine m;
	struct answer a = {.m = &m, .missing = missing, .max = max};
	char number[32];

	machine_read(&m, "/");
	errno = m.error;
	if (errno)
		return -1;
	if (needs->kernel && !kernel_is(&m, needs->kernel))
		miss(&a, PROBE_KERNEL, needs->kernel, 0);
	bool sudo = needs->root && !m.root && m.uid != 0; /* the rest is then asked as root */
	if (needs->root && !m.root)
		miss(&a, PROBE_ROOT, "", 0);
	if (sudo && !needs->ordinary && !needs->limits)
		; /* what forbids it to a user does not forbid it to root */
	else if (needs->namespaces || needs->ordinary || needs->proc_mount || needs->limits ||
		 needs->hostname || needs->time || needs->overlay)
		need_namespaces(&a, needs);
	for_each_word(&a, needs->controllers, sudo ? need_controller_of_root : need_controller);
	for_each_word(&a, needs->modules, need_module);
	if (needs->controllers && strstr(needs->controllers, "io") && seconds_to_wait() > 0) {
		snprintf(number, sizeof(number), "%lld", seconds_to_wait());
		miss(&a, PROBE_UPTIME, number, 0);
	}
	if (needs->cpus > m.cpus && (!needs->fewer_cpus || m.cpus < 1)) {
		snprintf(number, sizeof(number), "%d", needs->cpus);
		miss(&a, PROBE_CPUS, number, 0);
	}
	if (needs->memory && needs->memory > m.mem_available) {
		snprintf(number, sizeof(number), "%lld", needs->memory);
		miss(&a, PROBE_MEMORY, number, 0);
	}
	if (needs->swap && !m.swap)
		miss(&a, PROBE_SWAP, "", 0);
	if (needs->block && !m.block[0])
		miss(&a, PROBE_BLOCK, "", 0);
	else if (needs->block && !sudo && access(m.block, R_OK))
		miss(&a, PROBE_BLOCK, m.block, errno);
	errno = a.untried;
	return a.untried ? -1 : a.count;
}

int probe_print(const struct probe_needs *needs, int fd)
{
	enum { MISSING = 8 };
	struct probe_missing missing[MISSING];
	int count = probe_needs(needs, missing, MISSING);
	for (int i = 0; i < count && i < MISSING; i++) {
		const struct probe_missing *m = &missing[i];
		dprintf(fd, "%s; %s%s%s\n", m->what, m->remedy, *m->undo ? "; undo: " : "",
			m->undo);
	}
	return count;
}
