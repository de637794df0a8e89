/*
 * Run at build time: prints filter.h, a seccomp filter compiled by libseccomp for
 * the machine whose name is the argument, as uname(2) has it, and the calls that a
 * capability adds to it.
 *
 * A filter is a list of the calls that are allowed; every other one fails with
 * EPERM. In the spirit of the defaults of Docker, containerd and Podman: what
 * programs need, without what acts on the machine as a whole. Calls that are newer
 * than the filter get ENOSYS, so that a C library takes the older one instead.
 * seccomp(2), seccomp_rule_add(3)
 */
/* link: libseccomp */
#define _GNU_SOURCE
#include <errno.h>
#include <fnmatch.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* By what they act on. A name that a machine has not is passed over. */
static const char *const allowed[] = {
	/* files: open, read, write, look at */
	"open openat openat2 creat close close_range read write readv writev pread64 pwrite64 preadv "
	"pwritev preadv2 pwritev2 lseek _llseek dup dup2 dup3 fcntl fcntl64 flock ioctl stat stat64 "
	"lstat lstat64 fstat fstat64 fstatat64 newfstatat statx access faccessat faccessat2 readlink "
	"readlinkat getdents getdents64 getcwd chdir fchdir umask truncate truncate64 ftruncate "
	"ftruncate64 fallocate fadvise64 fadvise64_64 readahead sync syncfs fsync fdatasync "
	"sync_file_range arm_sync_file_range statfs statfs64 fstatfs fstatfs64 sendfile sendfile64 "
	"splice tee vmsplice copy_file_range name_to_handle_at memfd_create cachestat fchmodat2",
	/* files: make, change, remove */
	"chroot mkdir mkdirat mknod mknodat rmdir unlink unlinkat rename renameat renameat2 link linkat "
	"symlink symlinkat chmod fchmod fchmodat chown chown32 fchown fchown32 lchown lchown32 "
	"fchownat utime utimes utimensat utimensat_time64 futimesat getxattr lgetxattr fgetxattr "
	"setxattr lsetxattr fsetxattr listxattr llistxattr flistxattr removexattr lremovexattr "
	"fremovexattr",
	/* to be told and to wait */
	"poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64 epoll_create "
	"epoll_create1 epoll_ctl epoll_ctl_old epoll_wait epoll_wait_old epoll_pwait epoll_pwait2 "
	"eventfd eventfd2 inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark "
	"signalfd signalfd4 timerfd_create timerfd_settime timerfd_settime64 timerfd_gettime "
	"timerfd_gettime64 pipe pipe2 io_setup io_submit io_cancel io_destroy io_getevents "
	"io_pgetevents io_pgetevents_time64",
	/* memory */
	"brk mmap mmap2 munmap mremap mprotect pkey_alloc pkey_free pkey_mprotect madvise "
	"process_mrelease mincore mlock mlock2 mlockall munlock munlockall msync "
	"membarrier map_shadow_stack memfd_secret remap_file_pages mseal",
	/* processes and threads of one's own */
	"fork vfork execve execveat exit exit_group wait4 waitid waitpid getpid getppid gettid getpgid "
	"getpgrp setpgid getsid setsid set_tid_address set_robust_list get_robust_list rseq "
	"set_thread_area get_thread_area arch_prctl modify_ldt prctl futex futex_time64 futex_waitv "
	"futex_wait futex_wake futex_requeue kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo "
	"pidfd_open pidfd_send_signal sigaltstack rt_sigaction rt_sigprocmask "
	"rt_sigpending rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 sigreturn "
	"sigprocmask signal pause alarm restart_syscall ptrace process_vm_readv process_vm_writev "
	"seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self",
	/* scheduling and limits */
	"sched_yield sched_getaffinity sched_setaffinity sched_getattr sched_setattr sched_getparam "
	"sched_setparam sched_getscheduler sched_setscheduler sched_get_priority_max "
	"sched_get_priority_min sched_rr_get_interval sched_rr_get_interval_time64 getpriority "
	"setpriority ioprio_get ioprio_set getrlimit ugetrlimit setrlimit prlimit64 getrusage getcpu "
	"capget capset",
	/* who one is */
	"getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getresuid getresuid32 "
	"getresgid getresgid32 getgroups getgroups32 setuid setuid32 setgid setgid32 setreuid "
	"setreuid32 setregid setregid32 setresuid setresuid32 setresgid setresgid32 setfsuid "
	"setfsuid32 setfsgid setfsgid32 setgroups setgroups32",
	/* time, which can be read and not set */
	"time times gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64 "
	"clock_nanosleep clock_nanosleep_time64 nanosleep getitimer setitimer timer_create "
	"timer_delete timer_settime timer_settime64 timer_gettime timer_gettime64 timer_getoverrun "
	"adjtimex clock_adjtime clock_adjtime64",
	/* sockets; socket() itself has a rule below */
	"socketpair bind listen accept accept4 connect shutdown getsockname getpeername getsockopt "
	"setsockopt send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64 "
	"socketcall",
	/* System V IPC and POSIX message queues */
	"ipc shmget shmat shmctl shmdt semget semop semctl semtimedop semtimedop_time64 msgget msgsnd "
	"msgrcv msgctl mq_open mq_unlink mq_timedsend mq_timedsend_time64 mq_timedreceive "
	"mq_timedreceive_time64 mq_notify mq_getsetattr",
	/* the machine, as far as it may be known */
	"uname sysinfo getrandom rseq riscv_hwprobe breakpoint cacheflush set_tls",
};

/* What a capability guards: let through where the container has that one. Docker's profile has the
 * same. */
static const struct {
	const char *capability, *calls;
} guarded[] = {
	{"SYS_ADMIN", "mount umount umount2 mount_setattr move_mount open_tree fsopen fsconfig "
		      "fsmount fspick pivot_root unshare setns setdomainname sethostname quotactl "
		      "quotactl_fd lookup_dcookie bpf perf_event_open fanotify_init syslog clone "
		      "clone3 listmount statmount"},
	{"SYS_MODULE", "init_module finit_module delete_module"},
	{"SYS_BOOT", "reboot"},
	{"SYS_PACCT", "acct"},
	{"SYS_RAWIO", "iopl ioperm"},
	{"SYS_TIME", "settimeofday stime clock_settime clock_settime64"},
	{"SYS_TTY_CONFIG", "vhangup"},
	{"DAC_READ_SEARCH", "open_by_handle_at"},
	{"SYS_NICE", "set_mempolicy get_mempolicy mbind move_pages set_mempolicy_home_node"},
	{"SYS_PTRACE", "kcmp pidfd_getfd process_madvise"},
	{"SYSLOG", "syslog"},
	{"BPF", "bpf"},
	{"PERFMON", "perf_event_open"},
};

static void die_if(int code, const char *what)
{
	if (code < 0) {
		fprintf(stderr, "filter: %s: %s\n", what, strerror(-code));
		exit(1);
	}
}

static void allow_all(scmp_filter_ctx filter)
{
	for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
		char *list = strdup(allowed[i]);
		for (char *name = strtok(list, " "); name; name = strtok(NULL, " ")) {
			int call = seccomp_syscall_resolve_name(name);
			if (call != __NR_SCMP_ERROR)
				die_if(seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0), name);
		}
		free(list);
	}
}

/* The highest number that has a name: what comes after it is newer. */
static int newest(uint32_t machine)
{
	int highest = 0;
	for (int call = 0; call < 4096; call++) {
		char *name = seccomp_syscall_resolve_num_arch(machine, call);
		highest = name ? call : highest;
		free(name);
	}
	return highest;
}

/* The numbers of what is guarded. */
static void print_guarded(uint32_t machine)
{
	puts("static const struct guarded {\n\tint capability;\n\tunsigned int call;\n} filter_guarded[] = {");
	for (size_t i = 0; i < sizeof guarded / sizeof *guarded; i++) {
		char *list = strdup(guarded[i].calls);
		for (char *name = strtok(list, " "); name; name = strtok(NULL, " ")) {
			int call = seccomp_syscall_resolve_name_arch(machine, name);
			if (call >= 0)
				printf("\t{CAP_%s, %d}, /* %s */\n", guarded[i].capability, call,
					name);
		}
		free(list);
	}
	puts("};");
}

#define ALLOW(filter, call, compare) \
	die_if(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(call), 1, compare), #call)

static void print_line(struct sock_filter line)
{
	printf("\t{0x%x, %u, %u, 0x%x},\n", line.code, line.jt, line.jf, line.k);
}

/*
 * What libseccomp has compiled, with a head of ours, behind which the guarded calls may be put: of
 * another machine, whose numbers are others, no call is allowed, and a call that is newer than the
 * list is not there. So are those of x32, whose numbers are high.
 */
static void print_lines(
	const char *name, uint32_t machine, const struct sock_filter *code, size_t count)
{
	const struct sock_filter number =
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	const struct sock_filter head[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, machine, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL),
		number,
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)newest(machine), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	};
	enum { HEAD = sizeof head / sizeof *head, OF_ITS_OWN = 8 };
	/* Its own head has the same: the architecture, and on x86-64 x32. Then it loads the number.
	 */
	size_t from = 0;
	for (size_t i = 2; i < OF_ITS_OWN && i < count; i++)
		from = memcmp(code + i, &number, sizeof number) ? from : i + 1;
	if (!from || memcmp(code, head, sizeof *code) || code[1].k != machine)
		die_if(-EPROTO, "the first lines of libseccomp are not those that are known");
	printf("enum { FILTER_HEAD = %d };\nstatic const struct sock_filter %s[] = {\n", HEAD,
		name);
	for (size_t i = 0; i < HEAD; i++)
		print_line(head[i]);
	for (size_t i = from; i < count; i++)
		print_line(code[i]);
	puts("};");
}

static void print(const char *name, uint32_t machine)
{
	static const uint32_t persona[] = {0x0, 0x0008, 0x20000, 0x20008, 0xffffffff};
	const uint64_t namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
				    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!filter)
		die_if(-ENOMEM, "seccomp_init");
	if (machine != seccomp_arch_native()) {
		die_if(seccomp_arch_add(filter, machine), "architecture");
		die_if(seccomp_arch_remove(filter, SCMP_ARCH_NATIVE), "architecture");
	}
	die_if(seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2), "a tree instead of a list");
	allow_all(filter);
	for (size_t i = 0; i < sizeof persona / sizeof *persona; i++)
		ALLOW(filter, personality, SCMP_A0(SCMP_CMP_EQ, persona[i]));
	/* AF_VSOCK speaks to the hypervisor, and no namespace holds it. */
	ALLOW(filter, socket, SCMP_A0(SCMP_CMP_NE, AF_VSOCK));
	/* No new namespaces. The flags of clone3() lie in memory, where no filter can look: it must
	 * seem not to be there, and the C library takes clone(). */
	ALLOW(filter, clone, SCMP_A0(SCMP_CMP_MASKED_EQ, namespaces, 0));
	die_if(seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0), "clone3");

	int out = memfd_create("filter", 0);
	die_if(seccomp_export_bpf(filter, out), "compile");
	lseek(out, 0, SEEK_SET);
	struct sock_filter code[BPF_MAXINSNS];
	ssize_t size = read(out, code, sizeof code);
	die_if(size < 0 ? -errno : 0, "read");
	print_lines(name, machine, code, (size_t)size / sizeof *code);
	close(out);
	seccomp_release(filter);
}

int main(int argc, char *argv[])
{
	/* libseccomp calls i386 to i686 x86. */
	const char *name = argc == 2 ? argv[1] : "";
	uint32_t machine = seccomp_arch_resolve_name(fnmatch("i?86", name, 0) == 0 ? "x86" : name);
	if (!machine)
		die_if(-EINVAL, "expected a machine's name, such as x86_64");
	puts("/* Compiled from labs/16-container/filter.c at build time. */\n#include <linux/filter.h>\n");
	print("filter_default", machine);
	print_guarded(machine);
	return fflush(stdout) != 0;
}
