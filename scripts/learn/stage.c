/*
 * Where a student's program is run while scripts/learn/box, the judge, looks at it from outside:
 * the stage.
 *
 *   stage make PROGRAM [--bpf] [DEVICE...]
 *       until SIGTERM; prints the PID of the witness, and the user namespace
 *   stage run WITNESS GROUP ID SAID COMMAND [ARG...]
 *       on the stage, in GROUP, as user and group ID; ends with its status
 *
 * The stage has a user namespace of 65536 ids, and PID, mount, UTS, IPC, network and cgroup
 * namespaces. Nothing of the judge's is in there but one process, the witness, whose namespaces are
 * "the machine's": it is process 1, and has the guest's root as its user, so nobody on the stage
 * can trace or end it. --bpf leaves the user namespace out, in which bpf(2) loads nothing: the
 * program then has an ordinary user's id and the two capabilities that it needs.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define GROUP "/sys/fs/cgroup/stage"
#define NEW_ROOT "/run/stage"
#define FIRST_ID 1000000 /* of the guest's ids, the stage's 0 */
#define IDS 65536

enum { FAILED = 125 };

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(FAILED, "%s <- %s", path, text);
	close(fd);
}

static void try(int result, const char *what)
{
	if (result)
		err(FAILED, "%s", what);
}

/* ==== Making it ==== */

static int remove_group(const char *path, const struct stat *is, int type, struct FTW *walk)
{
	(void)is, (void)walk;
	if (type == FTW_DP)
		rmdir(path);
	return 0;
}

/* Whoever is in there is killed, then the groups go, in which nobody may be. */
static void clear_group(void)
{
	struct pollfd events = {.events = POLLPRI};
	char text[256] = "populated 1";

	if (access(GROUP, F_OK))
		return;
	write_file(GROUP "/cgroup.kill", "1");
	events.fd = open(GROUP "/cgroup.events", O_RDONLY | O_CLOEXEC);
	while (strstr(text, "populated 1")) {
		ssize_t got = pread(events.fd, text, sizeof text - 1, 0);
		text[got > 0 ? got : 0] = '\0';
		if (strstr(text, "populated 1"))
			poll(&events, 1, 1000);
	}
	close(events.fd);
	nftw(GROUP, remove_group, 8, FTW_DEPTH | FTW_PHYS);
}

/* A group that is delegated: its owner makes groups below it and moves its own processes. */
static void make_group(void)
{
	static const char *const delegated[] = {GROUP, GROUP "/cgroup.procs",
		GROUP "/cgroup.threads", GROUP "/cgroup.subtree_control", GROUP "/program",
		GROUP "/program/cgroup.procs"};

	try(mkdir(GROUP, 0755), GROUP);
	write_file(GROUP "/pids.max", "64");
	write_file(GROUP "/memory.max", "200M");
	write_file(
		GROUP "/cpu.weight", "10"); /* so that the judge has its turn beside 64 who spin */
	write_file(GROUP "/cgroup.max.descendants", "64");
	write_file(GROUP "/cgroup.procs", "0");
	try(unshare(CLONE_NEWCGROUP), "unshare CLONE_NEWCGROUP");
	try(mkdir(GROUP "/program", 0755), GROUP "/program");
	write_file(GROUP "/program/cgroup.procs", "0");
	write_file(GROUP "/cgroup.subtree_control", "+cpu +io +memory +pids");
	for (size_t i = 0; i < sizeof delegated / sizeof *delegated; i++)
		try(chown(delegated[i], FIRST_ID, FIRST_ID), delegated[i]);
}

static void make_folder(const char *path, mode_t mode)
{
	try(mkdir(path, mode) || chmod(path, mode), path);
}

static void make_file(const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0 || fchmod(fd, mode))
		err(FAILED, "%s", path);
	close(fd);
}

static void mount_new(const char *type, const char *path, unsigned long flags, const char *options)
{
	try(mount(type, path, type, flags, options), path);
}

/* The guest's folder, to be read; or its link. */
static void bind_folder(const char *from)
{
	const char *to = from + 1;
	char link[PATH_MAX];
	ssize_t length = readlink(from, link, sizeof link - 1);

	if (length > 0) {
		link[length] = '\0';
		try(symlink(link, to), to);
	} else if (access(from, F_OK) == 0) {
		make_folder(to, 0755);
		try(mount(from, to, NULL, MS_BIND, NULL) ||
				mount(NULL, to, NULL,
					MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV,
					NULL),
			to);
	}
}

static void bind_device(const char *from)
{
	make_file(from + 1, 0600);
	try(mount(from, from + 1, NULL, MS_BIND, NULL), from);
}

static void copy_program(const char *from)
{
	char block[65536];
	ssize_t got;
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open("exercise", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);

	if (in < 0 || out < 0)
		err(FAILED, "%s", from);
	while ((got = read(in, block, sizeof block)) > 0)
		if (write(out, block, (size_t)got) != got)
			err(FAILED, "%s", from);
	try(got < 0 || fchmod(out, 0755) || close(out) || close(in), from);
}

/* In a mount namespace of ours: a root with the guest's programs and nothing of the tree, but the
 * one program. */
static void make_root(const char *program, char **devices)
{
	static const char *const programs[] = {"/bin", "/sbin", "/lib", "/lib64", "/usr"};
	static const char *const nodes[] = {
		"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"};
	char owned[128];

	try(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "mount /");
	mkdir(NEW_ROOT, 0755);
	mount_new("tmpfs", NEW_ROOT, MS_NODEV, "size=48m,mode=755");
	try(chdir(NEW_ROOT), NEW_ROOT);
	for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
		bind_folder(programs[i]);
	for (const char *const *name = (const char *[]){"dev", "etc", "mnt", "proc", "run", "sys",
		     "sys/fs", "sys/fs/cgroup", "tmp", "var", NULL};
		*name; name++)
		make_folder(*name, 0755);
	mount_new("tmpfs", "dev", MS_NOSUID, "size=64k,mode=755");
	make_folder("dev/pts", 0755);
	make_folder("dev/shm", 01777);
	for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
		bind_device(nodes[i]);
	for (; *devices; devices++)
		bind_device(*devices);
	mount_new("devpts", "dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=666,mode=620");
	try(symlink("pts/ptmx", "dev/ptmx"), "dev/ptmx");
	snprintf(owned, sizeof owned, "size=16m,mode=1777,uid=%d,gid=%d", FIRST_ID, FIRST_ID);
	mount_new("tmpfs", "dev/shm", MS_NOSUID | MS_NODEV, owned);
	mount_new("tmpfs", "tmp", MS_NOSUID | MS_NODEV, owned);
	mount_new("tmpfs", "mnt", MS_NOSUID | MS_NODEV, owned);
	mount_new("cgroup2", "sys/fs/cgroup", MS_NOSUID | MS_NODEV | MS_NOEXEC, "nsdelegate");
	copy_program(program);
}

/* By a process of the stage's PID namespace: its /proc, and the end of everything else. */
static void enter_root(bool bpf)
{
	mount_new("proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	if (bpf)
		try(mount("proc/sys", "proc/sys", NULL, MS_BIND, NULL) ||
				mount(NULL, "proc/sys", NULL,
					MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV |
						MS_NOEXEC,
					NULL),
			"proc/sys");
	try(mount(NULL, ".", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL),
		".");
	/* The guest's root is an initramfs, which pivot_root(2) does not leave. */
	try(mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"), "the new root");
}

static int open_ns(pid_t pid, const char *kind)
{
	char path[64];
	if (pid)
		snprintf(path, sizeof path, "/proc/%d/ns/%s", pid, kind);
	else
		snprintf(path, sizeof path, "/proc/self/ns/%s", kind);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err(FAILED, "%s", path);
	return fd;
}

/* One byte, to whoever waits for it. */
static void tell(const int pipe[2])
{
	if (write(pipe[1], "", 1) != 1)
		err(FAILED, "tell");
}

static void hear(const int pipe[2])
{
	char byte;
	if (read(pipe[0], &byte, 1) != 1)
		errx(FAILED, "the stage was not made");
}

/*
 * Process 1 of the stage, with the stage's root as its user: whose namespaces they are decides who
 * may do what in them. It has never executed anything, so its memory belongs to the guest and
 * nobody traces it.
 */
static _Noreturn void be_first(const int said[2], const int heard[2])
{
	tell(said);
	hear(heard); /* the root stands */
	try(unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL),
		"a mount table"); /* as systemd has it */
	/* To enter it once more leaves the guest's root, which lies below the new one. */
	try(setns(open_ns(0, "mnt"), CLONE_NEWNS), "a mount table");
	try(prctl(PR_SET_DUMPABLE, 0), "prctl");
	signal(SIGCHLD, SIG_IGN); /* nobody has to wait for the stage's orphans */
	tell(said);
	hear(heard);
	closefrom(0);
	for (;;)
		pause();
}

/* What process 1 comes from: it makes the namespaces that belong to the user namespace. */
static _Noreturn void be_founder(bool bpf, const int said[2], const int heard[2])
{
	if (!bpf) {
		try(unshare(CLONE_NEWUSER), "unshare CLONE_NEWUSER");
		tell(said);
		hear(heard); /* the maps are written */
		try(setgroups(0, NULL) || setresgid(0, 0, 0) || setresuid(0, 0, 0),
			"the stage's root");
	}
	try(unshare(CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET), "unshare");
	pid_t first = fork();
	if (first < 0)
		err(FAILED, "fork");
	if (first == 0)
		be_first(said, heard);
	for (;;)
		pause();
}

/* Real root in the stage's namespaces but the user's: nobody on the stage reaches it. It is
 * compared with. */
static _Noreturn void be_witness(bool bpf, const int said[2], const int heard[2], int ready)
{
	static const char *const kinds[] = {"uts", "ipc", "net", "mnt"};
	char user[64];

	try(prctl(PR_SET_PDEATHSIG, SIGKILL) || prctl(PR_SET_DUMPABLE, 0), "prctl");
	write_file("/proc/self/oom_score_adj", "-1000");
	enter_root(bpf);
	tell(said);
	hear(heard);
	ssize_t length = readlink("/proc/1/ns/user", user, sizeof user - 1);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		try(setns(open_ns(1, kinds[i]), 0), kinds[i]);
	tell(said);
	user[length > 0 ? length : 0] = '\0';
	dprintf(ready, "%s", user);
	closefrom(0);
	for (;;)
		pause();
}

static void write_map(pid_t pid, const char *name)
{
	char path[64], map[64];
	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	snprintf(map, sizeof map, "0 %d %d", FIRST_ID, IDS);
	write_file(path, map);
}

/* Makes the stage, and ends. The witness becomes a child of whoever asked. */
static _Noreturn void be_builder(const char *program, bool bpf, char **devices, int ready)
{
	int to[2], from[2];

	try(pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC), "pipe");
	make_group();
	try(unshare(CLONE_NEWNS), "unshare CLONE_NEWNS");
	pid_t founder = fork();
	if (founder < 0)
		err(FAILED, "fork");
	if (founder == 0) {
		close(ready);
		close(to[1]);
		close(from[0]);
		be_founder(bpf, from, to);
	}
	close(from[1]);
	if (!bpf) {
		hear(from);
		write_map(founder, "uid_map");
		write_map(founder, "gid_map");
		tell(to);
	}
	hear(from); /* process 1 is there, and with it the PID namespace */
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/ns/pid_for_children", founder);
	int pid_ns = open(path, O_RDONLY | O_CLOEXEC), mine[2], theirs[2];
	try(pid_ns < 0 || setns(pid_ns, CLONE_NEWPID), path);
	make_root(program, devices);
	try(pipe2(mine, O_CLOEXEC) || pipe2(theirs, O_CLOEXEC), "pipe");
	pid_t witness = (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
	if (witness < 0)
		err(FAILED, "clone");
	if (witness == 0) {
		close(mine[1]);
		close(theirs[0]);
		be_witness(bpf, theirs, mine, ready);
	}
	close(theirs[1]);
	dprintf(ready, "%d ", witness);
	hear(theirs); /* the root stands */
	tell(to);
	hear(from); /* process 1 has its mount table */
	tell(mine);
	hear(theirs);
	tell(to);
	kill(founder, SIGKILL);
	_exit(0);
}

static int make(char **words)
{
	bool bpf = words[1] && !strcmp(words[1], "--bpf");
	char made[128];
	int ready[2], signal;
	size_t length = 0;
	sigset_t signals;
	ssize_t got;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	clear_group();
	try(pipe2(ready, O_CLOEXEC), "pipe");
	pid_t builder = fork();
	if (builder < 0)
		err(FAILED, "fork");
	if (builder == 0) {
		sigprocmask(SIG_UNBLOCK, &signals, NULL);
		close(ready[0]);
		be_builder(words[0], bpf, words + 1 + bpf, ready[1]);
	}
	close(ready[1]);
	while ((got = read(ready[0], made + length, sizeof made - 1 - length)) > 0)
		length += (size_t)got;
	made[length] = '\0';
	pid_t witness = atoi(made);
	if (witness <= 0 || !strstr(made, "user:"))
		return FAILED;
	dprintf(STDOUT_FILENO, "%s\n", made);
	/* Until the witness ends, or we are to. */
	do {
		sigwait(&signals, &signal);
		while (signal == SIGCHLD && (builder = waitpid(-1, NULL, WNOHANG)) > 0 &&
			builder != witness)
			;
	} while (signal == SIGCHLD && builder != witness);
	/* Process 1 cannot end before whoever waits for the witness has done so. */
	kill(witness, SIGKILL);
	waitpid(witness, NULL, 0);
	clear_group();
	return 0;
}

/* ==== On it ==== */

static void limit(int resource, rlim_t most)
{
	try(setrlimit(resource, &(struct rlimit){most, most}), "setrlimit");
}

/* An ordinary user, but for what bpf(2) asks for. */
static void keep_bpf_alone(void)
{
	const unsigned long long keep = 1ULL << CAP_BPF | 1ULL << CAP_NET_ADMIN;
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct both[2];

	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (!(keep >> cap & 1))
			try(prctl(PR_CAPBSET_DROP, cap), "PR_CAPBSET_DROP");
	try(setresgid(FIRST_ID, FIRST_ID, FIRST_ID) || prctl(PR_SET_KEEPCAPS, 1) ||
			setresuid(FIRST_ID, FIRST_ID, FIRST_ID),
		"ids");
	for (int i = 0; i < 2; i++)
		both[i].effective = both[i].permitted = both[i].inheritable =
			(unsigned int)(keep >> 32 * i);
	try((int)syscall(SYS_capset, &header, both), "capset");
	try(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_BPF, 0, 0) ||
			prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0),
		"PR_CAP_AMBIENT");
}

/* The child that becomes the program. Of what is open only its three descriptors come with it. */
static _Noreturn void become(pid_t witness, const char *group, int id, char **command)
{
	static const char *const kinds[] = {"cgroup", "uts", "ipc", "net", "mnt"};
	int ns[sizeof kinds / sizeof *kinds];

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		ns[i] = open_ns(witness, kinds[i]);
	int owner = ioctl(ns[4], NS_GET_USERNS),
	    own = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
	struct stat theirs, ours;
	if (owner < 0 || own < 0 || fstat(owner, &theirs) || fstat(own, &ours))
		err(FAILED, "the user namespace");
	write_file(group, "0");
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		try(setns(ns[i], 0), kinds[i]);
	try(setgroups(0, NULL), "setgroups");
	if (theirs.st_ino == ours.st_ino) {
		keep_bpf_alone();
	} else {
		try(setns(owner, CLONE_NEWUSER), "the user namespace");
		try(setgroups(0, NULL) || setresgid((gid_t)id, (gid_t)id, (gid_t)id) ||
				setresuid((uid_t)id, (uid_t)id, (uid_t)id),
			"ids");
	}
	/* Until execve(2) this memory is the judge's, and not to be traced. */
	try(prctl(PR_SET_DUMPABLE, 0) || prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
	closefrom(3);
	setsid();
	limit(RLIMIT_FSIZE, 1 << 20);
	limit(RLIMIT_CORE, 0);
	clearenv();
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	setenv("HOME", "/tmp", 1);
	try(chdir("/tmp"), "/tmp");
	umask(022);
	execvp(command[0], command);
	err(errno == ENOENT ? 127 : 126, "%s", command[0]);
}

static int run(char **words, int count)
{
	if (count < 4)
		errx(2, "run: expected WITNESS GROUP ID COMMAND [ARG...]");
	pid_t witness = atoi(words[0]);
	char group[PATH_MAX];
	int pid_ns = open_ns(witness, "pid"), status;

	snprintf(group, sizeof group, "%s/cgroup.procs", words[1]);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_DUMPABLE, 0);
	try(setns(pid_ns, CLONE_NEWPID), "the PID namespace");
	pid_t child = fork();
	if (child < 0)
		err(FAILED, "fork");
	if (child == 0)
		become(witness, group, atoi(words[2]), words + 3);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";

	if (!strcmp(verb, "make"))
		return make(argv + 2);
	if (!strcmp(verb, "run"))
		return run(argv + 2, argc - 2);
	errx(2, "expected make or run, and what its first lines say");
}
