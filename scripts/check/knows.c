/*
 * Asks the kernel for what no file tells: knows WHAT [ARG]. Status 0: it knows it, 1: it does not,
 * 2: wrong usage, 3: it cannot be told here. tests/kernels/behaviors calls it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { YES, NO, USAGE, UNTOLD };

/* A call, by its number: with arguments that it must refuse. */
static int call(const char *number)
{
	int rc = (int)syscall(atol(number), -1, -1, -1, -1, -1, -1);
	return rc == -1 && errno == ENOSYS ? NO : YES;
}

static int told_by(int error)
{
	return errno == error ? NO : UNTOLD;
}

/* One call makes a mount namespace with a copy of a tree: OPEN_TREE_NAMESPACE */
static int open_tree_namespace(const char *path)
{
	return syscall(SYS_open_tree, AT_FDCWD, path, 1 << 1) < 0 ? told_by(EINVAL) : YES;
}

/* A new file system becomes the root of a new mount namespace: FSMOUNT_NAMESPACE */
static int fsmount_namespace(const char *type)
{
	int fs = (int)syscall(SYS_fsopen, type, 0);
	if (fs < 0 || syscall(SYS_fsconfig, fs, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0))
		return UNTOLD;
	return syscall(SYS_fsmount, fs, 1 << 1, 0) < 0 ? told_by(EINVAL) : YES;
}

static int user_xattr(const char *file)
{
	return setxattr(file, "user.unboxed", "1", 1, 0) ? told_by(EOPNOTSUPP) : YES;
}

/* A pidfd of a thread: PIDFD_THREAD */
static int pidfd_thread(const char *unused)
{
	(void)unused;
	return syscall(SYS_pidfd_open, getpid(), O_EXCL) < 0 ? told_by(EINVAL) : YES;
}

/* Pidfds are files of a file system of their own, with an inode for each process: pidfs */
static int pidfs(const char *unused)
{
	(void)unused;
	struct statfs fs;
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (fd < 0 || fstatfs(fd, &fs))
		return UNTOLD;
	return fs.f_type == 0x50494446 ? YES : NO;
}

/* A flag of seccomp(2): with no filter a known one gives EFAULT, an unknown one EINVAL. */
static int seccomp_flag(const char *flags)
{
	syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, strtoul(flags, NULL, 0), NULL);
	return errno == EFAULT ? YES : told_by(EINVAL);
}

/* Whether a process that is born in group lives, and does not get SIGKILL at once. */
static int lives_in(const char *group)
{
	int folder = open(group, O_RDONLY | O_DIRECTORY), status;
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)folder};
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
	if (pid == 0)
		_exit(7);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return UNTOLD;
	return WIFEXITED(status) && WEXITSTATUS(status) == 7 ? YES : NO;
}

static const struct {
	const char *what;
	int (*ask)(const char *arg);
} questions[] = {
	{"call", call},
	{"open_tree-namespace", open_tree_namespace},
	{"fsmount-namespace", fsmount_namespace},
	{"user-xattr", user_xattr},
	{"pidfd-thread", pidfd_thread},
	{"pidfs", pidfs},
	{"seccomp-flag", seccomp_flag},
	{"lives-in", lives_in},
};

int main(int argc, char *argv[])
{
	for (size_t i = 0; argc >= 2 && i < sizeof questions / sizeof *questions; i++)
		if (strcmp(questions[i].what, argv[1]) == 0)
			return questions[i].ask(argc > 2 ? argv[2] : "");
	fprintf(stderr, "knows: expected one of");
	for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
		fprintf(stderr, " %s", questions[i].what);
	fprintf(stderr, ", got '%s'\n", argc > 1 ? argv[1] : "");
	return USAGE;
}
