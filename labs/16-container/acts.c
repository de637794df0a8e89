/*
 * acts.c: twenty ways to act on the host, for root on the host and root in a container. Each
 * returns 0 or the errno that refused it, and changes nothing where it is allowed. capabilities(7),
 * seccomp(2), proc(5), keyctl(2)
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include "container.h"
#include "kernel/file.h"
#include "kernel/sys.h"

const char *marker = "/nowhere", *outsider = "1";

static int answer(long rc)
{
	return rc < 0 ? errno : 0;
}

static int open_to_write(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? errno : close(fd);
}

static int write_proc_sys(void)
{
	return open_to_write("/proc/sys/kernel/core_pattern");
}

static int write_sysrq(void)
{
	return open_to_write("/proc/sysrq-trigger");
}

static int write_sys(void)
{
	return open_to_write("/sys/kernel/mm/ksm/run");
}

static int write_cgroup(void)
{
	return open_to_write("/sys/fs/cgroup/cgroup.procs");
}

static int mount_something(void)
{
	int error = answer(mount("none", "/mnt", "tmpfs", 0, NULL));
	if (!error)
		umount2("/mnt", MNT_DETACH);
	return error;
}

static int load_module(void)
{
	autoclose int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	return answer(syscall(SYS_finit_module, fd, "", 0)); /* which is no module: ENOEXEC */
}

/* A node may be made; that it may be opened is another matter. */
static int open_node(mode_t type, unsigned major, unsigned minor)
{
	const char *node =
		"/mnt/node"; /* outside a mount of the lab's own, inside a folder of the root */
	if (mknod(node, type | 0600, makedev(major, minor)))
		return errno;
	int fd = open(node, O_RDONLY | O_CLOEXEC), error = fd < 0 ? errno : close(fd);
	unlink(node);
	return error == ENXIO ? 0 : error; /* allowed, but there is no such device here */
}

static int open_memory(void)
{
	return open_node(S_IFCHR, 1, 1);
}

static int open_disk(void)
{
	return open_node(
		S_IFBLK, 240, 0); /* of no driver: one for local use, which no module answers to */
}

/* As ptrace(2) would ask whether we may: EFAULT, to who may, for there is nothing at 0. */
static int read_outsider(void)
{
	char byte;
	struct iovec ours = {&byte, 1}, theirs = {NULL, 1};
	return answer(process_vm_readv(atoi(outsider), &ours, 1, &theirs, 1, 0));
}

static int new_user_namespace(void)
{
	pid_t child = MUST(fork());
	if (child == 0)
		_exit(answer(unshare(CLONE_NEWUSER)));
	int status;
	waitpid(child, &status, 0);
	return WEXITSTATUS(status);
}

static int through_proc_1(void)
{
	autofree char *path = text("/proc/1/root%s", marker);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? errno : close(fd);
}

/* A folder's descriptor that was left open: 3 to 63 are tried. */
static int through_descriptor(void)
{
	for (int fd = 3; fd < 64; fd++) {
		autofree char *path = text("../../../../../../..%s", marker);
		int file = openat(fd, path, O_RDONLY | O_CLOEXEC);
		if (file >= 0)
			return close(file);
	}
	return EBADF;
}

/* The second chroot: lab 02. */
static int through_chroot(void)
{
	pid_t child = MUST(fork());
	if (child == 0) {
		mkdir("/mnt/jail", 0700);
		if (chroot("/mnt/jail"))
			_exit(errno);
		for (int i = 0; i < 32; i++)
			if (chdir(".."))
				_exit(errno);
		_exit(chroot(".") ? errno : answer(open(marker, O_RDONLY | O_CLOEXEC)));
	}
	int status;
	waitpid(child, &status, 0);
	rmdir("/mnt/jail");
	return WEXITSTATUS(status);
}

static int set_clock(void)
{
	struct timespec never = {
		.tv_nsec = -1}; /* EINVAL to who may; the C library would not ask */
#ifdef SYS_clock_settime64 /* In 32 bits the older call would read other numbers, and set them. */
	return answer(syscall(SYS_clock_settime64, CLOCK_REALTIME, &never));
#else
	return answer(syscall(SYS_clock_settime, CLOCK_REALTIME, &never));
#endif
}

static int adjust_clock(void)
{
	struct timex now = {0};
	if (adjtimex(&now) < 0)
		return errno;
	now.modes = ADJ_STATUS; /* to what it is already */
	return answer(adjtimex(&now));
}

static int keyring(void)
{
	return answer(syscall(SYS_keyctl, 0 /* KEYCTL_GET_KEYRING_ID */, -4 /* user's */, 0));
}

static int kernel_log(void)
{
	char line[64];
	return answer(syscall(SYS_syslog, 3 /* SYSLOG_ACTION_READ_ALL */, line, sizeof line));
}

static int load_program(void)
{
	union {
		char zero[128];
	} attr = {{0}};
	return answer(syscall(
		SYS_bpf, 0 /* BPF_MAP_CREATE of no type: EINVAL to who may */, &attr, sizeof attr));
}

static int reboot_machine(void)
{
	return answer(syscall(SYS_reboot, 0, 0, 0, NULL)); /* without the magic numbers: EINVAL */
}

/* Of no kernel yet. A C library that is newer than the filter goes on with an older call. */
static int call_newer(void)
{
	return answer(syscall(1000));
}

const struct act acts[ACTS] = {
	{"write /proc/sys", write_proc_sys, 0, EROFS, "a read-only mount"},
	{"write /proc/sysrq-trigger", write_sysrq, 0, EROFS, "a read-only mount"},
	{"write /sys", write_sys, 0, EROFS, "a read-only mount"},
	{"write cgroup.procs", write_cgroup, 0, EROFS, "a read-only mount"},
	{"mount()", mount_something, 0, EPERM, "the filter, CAP_SYS_ADMIN"},

	{"finit_module()", load_module, ENOEXEC, EPERM, "the filter, CAP_SYS_MODULE", true},
	{"open a node for /dev/mem", open_memory, 0, EPERM, "device program, CAP_SYS_RAWIO", true},
	{"open a node for a disk", open_disk, 0, EPERM, "the device program"},
	{"read an outsider's memory", read_outsider, EFAULT, ESRCH, "CLONE_NEWPID"},
	{"unshare(CLONE_NEWUSER)", new_user_namespace, 0, EPERM, "the filter"},

	{"host file by /proc/1/root", through_proc_1, 0, ENOENT, "pivot_root()"},
	{"host file by a leaked fd", through_descriptor, 0, EBADF, "close_range()"},
	{"host file by two chroots", through_chroot, 0, ENOENT, "pivot_root()"},
	{"clock_settime()", set_clock, EINVAL, EPERM, "the filter"},
	{"adjtimex()", adjust_clock, 0, EPERM, "CAP_SYS_TIME"},

	{"keyctl()", keyring, 0, EPERM, "the filter"},
	{"syslog()", kernel_log, 0, EPERM, "the filter, CAP_SYSLOG"},
	{"bpf()", load_program, EINVAL, EPERM, "the filter, CAP_BPF"},
	{"reboot()", reboot_machine, EINVAL, EPERM, "the filter, CAP_SYS_BOOT"},
	{"a call of a newer kernel", call_newer, ENOSYS, ENOSYS, "the filter, with ENOSYS"},
};
/* "NAME<TAB>ERRNO" on stderr, a line each: this runs in any container. */
int do_acts(void)
{
	for (int i = 0; i < ACTS; i++)
		dprintf(STDERR_FILENO, "%s\t%s\n", acts[i].name, errno_name(acts[i].does()));
	return 0;
}
