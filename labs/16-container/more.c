/*
 * What must not get out of a container. A list of acts, each harmless where it is
 * allowed, is done by root twice: on the host, and in a container. What the one may
 * and the other may not is the wall, and each stone of it has a name.
 * capabilities(7), seccomp(2), pid_namespaces(7), user_namespaces(7)
 */
/* link: libnl-route-3.0 libcap libseccomp */
#define _GNU_SOURCE
#include <sys/timex.h>
#include <sys/uio.h>
#include <time.h>

#include "life.h"
#include "words.h"

static bool here;
static const char *marker = "/nowhere", *outsider = "1";

static const struct lab_option more_options[] = {
	{"here", LAB_FLAG, &here, .help = "only do the acts, here: a line each, and no story"},
	{"marker", LAB_TEXT, &marker, .help = "a file of the host's, for the acts"},
	{"outsider", LAB_TEXT, &outsider, .help = "the PID of a process of the host's"},
	{0},
};

static const struct lab lab = {
	.id = "16-container/more",
	.title = "What must not get out of it",
	.goal = "Root in a container is uid 0 of the machine. That this root can do no harm is the "
		"work of many small refusals, none of which would do alone.",
	.manual = "capabilities(7) seccomp(2) bpf(2) pivot_root(2) close_range(2) openat2(2)",
	.teaches = "clone3:CLONE_INTO_CGROUP pivot_root seccomp close_range "
		   "openat2:RESOLVE_NO_MAGICLINKS",
	.after = "16-container",
	.needs = {.root = true,
		.proc_mount = true,
		.overlay = true,
		.controllers = "cpu memory pids",
		.modules = "veth bridge",
		.kernel = "5.14"},
	.options = more_options,
	.words = &more_words,
	.own_root = true,
	.story_only = true,
};

/* ---- The acts: 0, or why not. None changes anything where it is allowed ---- */

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
	return answer(syscall(SYS_clock_settime, CLOCK_REALTIME, &never));
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

static const struct act {
	const char *name;
	int (*does)(void);
	int outside, inside;
	const char *refused_by;
	bool locked; /* what a kernel that is locked down refuses everybody */
} acts[] = {
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
enum { ACTS = sizeof acts / sizeof *acts };

/* "NAME<TAB>ERRNO" on stderr, a line each: this runs in any container. */
static int do_acts(void)
{
	for (int i = 0; i < ACTS; i++)
		dprintf(STDERR_FILENO, "%s\t%s\n", acts[i].name, errno_name(acts[i].does()));
	return 0;
}

/* ---- The same list, done by another process; what it said ---- */

static char *listen_to(int fd)
{
	char *said = text("%s", ""), buffer[1024];
	for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0;) {
		autofree char *before = said;
		said = text("%s%.*s", before, (int)n, buffer);
	}
	close(fd);
	/* What is no answer of an act is why there are none. */
	for (const char *line = said, *end; (end = strchr(line, '\n')); line = end + 1)
		if (!memchr(line, '\t', (size_t)(end - line)))
			dprintf(STDERR_FILENO, "%.*s\n", (int)(end - line), line);
	return said;
}

/* What it said of the act that is called name; "nothing" when it said nothing. */
static char *said_of(const char *said, const char *name)
{
	autofree char *head = text("%s\t", name);
	const char *at = strstr(said, head);
	int length = at ? (int)strcspn(at + strlen(head), "\n") : 0;
	return at ? text("%.*s", length, at + strlen(head)) : text("nothing");
}

/* "none [integrity] confidentiality", the one that holds in brackets; no file where no such module
 * is. */
static bool locked_down(void)
{
	autofree char *modes = file_try_read("/sys/kernel/security/lockdown");
	return modes && !strstr(modes, "[none]");
}

static void expect_acts(int first, int count, const char *of_host, const char *of_container)
{
	bool locked = locked_down();
	for (int i = first; i < first + count && i < ACTS; i++) {
		autofree char *out = text("host: %s", acts[i].name),
			      *in = text("web: %s", acts[i].name);
		autofree char *there = said_of(of_host, acts[i].name);
		autofree char *inside = said_of(of_container, acts[i].name);
		if (acts[i].locked && locked)
			check_skip(out, "the kernel is locked down", "kernel_lockdown(7)");
		else
			expect_str(out, errno_name(acts[i].outside), there);
		expect_str(in, errno_name(acts[i].inside), inside);
	}
}

/* Root of the host does the acts, in a mount table of its own: for the one mount, and the nodes. */
static _Noreturn void on_the_host(char *command[])
{
	MUST(unshare(CLONE_NEWNS)); /* lab 02 */
	if (ns_inode(0, "mnt") != outside[MNT])
		MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	autofree char *table = ns_mount_table(outside[MNT]);
	if (!expect_str("host: its mount table", "own, private", table))
		_exit(1);
	MUST(mount("lab16", "/mnt", "tmpfs", 0, NULL));
	lab_command = command;
	lab_exec(command);
}

/* ---- Before there is COMMAND ---- */

/* As a runtime between its new root and COMMAND: with a root of its own, and folder of the host's
 * open. */
static _Noreturn void begin_in_a_descriptor(int folder)
{
	struct root root = {.name = "lab16:begin", .image = file_rootfs()};
	autofree char *name = text("/proc/self/fd/%d", folder);
	char cwd[PATH_MAX] = "";
	/* Labs 02 and 07: from the first cgroup namespace a mount of cgroup2 changes its options.
	 */
	MUST(unshare(CLONE_NEWNS | CLONE_NEWCGROUP));
	if (!expect_differ("begin: its mount table", outside[MNT], ns_inode(0, "mnt")))
		_exit(1);
	root_make(&root);
	expect_int("begin: chdir() to the descriptor", 0, chdir(name));
	syscall(SYS_getcwd, cwd, sizeof cwd);
	expect_str("begin: getcwd() then", "(unreachable)/", cwd);
	expect_errno("begin: openat2() of it", ELOOP, open_in_root(AT_FDCWD, name, O_PATH));
	close_descriptors(-1);
	expect_errno("begin: chdir() once it is closed", ENOENT, chdir(name));
	_exit(0);
}

int main(int argc, char *argv[])
{
	if (lab_parse(&lab, argc, argv) && here)
		return do_acts();
	program_protect(argv);
	lab_begin(&lab, argc, argv);
	program_must_be_protected();
	remember_outside();
	int said[2];
	autofree char *self = file_program();
	autofree char *file = text("%s/of-the-host", tmp_folder());
	close(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	/* Left open on purpose, as a careless runtime does: CVE-2024-21626. */
	autoclose int leak = MUST(open("/", O_RDONLY | O_DIRECTORY));
	pid_t child = MUST(fork());
	if (child == 0)
		child_idle();
	undo_kill(child);
	autofree char *pid = text("%d", child);
	/* By a way that no mount covers: the repository may lie below /mnt. */
	char *acts_of_root[] = {
		"/proc/self/exe", "--here", "--marker", file, "--outsider", pid, NULL};

	lab_step("A list of acts, each harmless. First root of the host does them.", NULL);
	lab_note("Descriptor %d is a folder of the host, left open for both.", leak);
	MUST(pipe2(said, O_CLOEXEC));
	child = MUST(fork());
	if (child == 0) {
		MUST(dup2(said[1], STDERR_FILENO)); /* what the acts say; our checks go to stdout */
		on_the_host(acts_of_root);
	}
	close(said[1]);
	autofree char *of_host = listen_to(said[0]);
	expect_int("host: status of the list", 0, child_wait(child));

	lab_step("The same program, by root in a container. It must come to its end too.", NULL);
	struct bind_mount volume = {self, "/acts", true, false};
	acts_of_root[0] = "/acts";
	MUST(pipe2(said, O_CLOEXEC));
	struct container c = {.name = "web",
		.grouped = true,
		.bridge = true,
		.workdir = "/",
		.root = {.image = file_rootfs(), .volumes = &volume, .volume_count = 1},
		.powers = {.capabilities = default_capabilities},
		.output = said[1],
		.command = acts_of_root};
	container_start(&c);
	close(said[1]);
	autofree char *of_container = listen_to(said[0]);
	expect_int("web: status of the list", 0, child_wait(c.pid));

	lab_step("The kernel's files: what root may write outside must be read-only inside.", NULL);
	expect_acts(0, 5, of_host, of_container);
	lab_step("Modules, devices, other processes, a namespace in which to be root again.", NULL);
	expect_acts(5, 5, of_host, of_container);
	lab_step("Ways to a file of the host's, and the clock of the machine.", NULL);
	expect_acts(10, 5, of_host, of_container);
	lab_step("What no namespace holds: keys, the log, programs in the kernel, its end.", NULL);
	expect_acts(15, 5, of_host, of_container);

	lab_step(
		"Before COMMAND the runtime has a folder of the host's open. No name may lead there.",
		NULL);
	lab_note("A folder to begin in (docker run -w) may be called /proc/self/fd/%d.", leak);
	child = MUST(fork());
	if (child == 0)
		begin_in_a_descriptor(leak);
	expect_int("begin: status", 0, child_wait(child));

	static const int rows[] = {0, 4, 5, 6, 8, 9, 11, 12, 14, 15};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct act *act = &acts[rows[i]];
		lab_row(act->name, errno_name(act->outside), errno_name(act->inside),
			act->refused_by);
	}
	return lab_end();
}
