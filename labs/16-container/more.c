/*
 * What must not get out of a container. Root does a list of acts twice: on the host and in a
 * container. Each act is harmless where it is allowed. The story compares the two results and names
 * the part of the kernel that refuses the act in the container.
 * capabilities(7), seccomp(2), pid_namespaces(7), user_namespaces(7)
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
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
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "words.h"

static bool here;

static const struct lab_option more_options[] = {
	{"here", LAB_FLAG, &here, .help = "only do the acts and print a line for each"},
	{"marker", LAB_TEXT, &marker, .help = "a file of the host, for the acts"},
	{"outsider", LAB_TEXT, &outsider, .help = "the PID of a process on the host"},
	{0},
};

static const struct lab lab = {
	.id = "16-container/more",
	.title = "What must not get out of a container",
	.goal = "Root in a container is uid 0 of the machine. Many separate barriers keep it from "
		"harming the host, and none of them would be enough alone.",
	.manual = "capabilities(7) seccomp(2) bpf(2) pivot_root(2) close_range(2) openat2(2)",
	.teaches = "clone3:CLONE_INTO_CGROUP pivot_root seccomp close_range "
		   "openat2:RESOLVE_NO_MAGICLINKS",
	.after = "16-container",
	.needs = {.root = true,
		.proc_mount = true,
		.overlay = true,
		.controllers = "cpu memory pids",
		.modules = "veth bridge",
		.kernel = "5.7"},
	.options = more_options,
	.words = &more_words,
	.own_root = true,
	.story_only = true,
};

/* ---- The same list, done by another process, and what it reports ---- */

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

/* "none [integrity] confidentiality", the one that holds in brackets; no file where no such
 * module is. */
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
	if (ns_inode(0, "mnt") != host_ns[MNT])
		MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	autofree char *table = ns_mount_table(host_ns[MNT]);
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
	if (!expect_differ("begin: its mount table", host_ns[MNT], ns_inode(0, "mnt")))
		_exit(1);
	root_enter(&root);
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
	lab_begin(&lab, argc, argv);
	program_expect_protected();
	read_host_namespaces();
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

	lab_step("Let root on the host do twenty acts. Each is harmless.",
		"the list comes to its end");
	lab_note("Descriptor %d, a folder of the host, is left open for both runs.", leak);
	MUST(pipe2(said, O_CLOEXEC));
	child = MUST(fork());
	if (child == 0) {
		MUST(dup2(said[1], STDERR_FILENO)); /* what the acts say; our checks go to stdout */
		on_the_host(acts_of_root);
	}
	close(said[1]);
	autofree char *of_host = listen_to(said[0]);
	expect_int("host: status of the list", 0, child_wait(child));

	lab_step("Run the same program as root in a container.", "the list comes to its end, too");
	struct bind_mount volume = {self, "/acts", true, false};
	acts_of_root[0] = "/acts";
	MUST(pipe2(said, O_CLOEXEC));
	struct container c = {.name = "web",
		.grouped = true,
		.bridge = true,
		.workdir = "/",
		.root = {.image = file_rootfs(), .volumes = &volume, .volume_count = 1},
		.privileges = {.capabilities = default_capabilities},
		.output = said[1],
		.command = acts_of_root};
	container_start(&c);
	close(said[1]);
	autofree char *of_container = listen_to(said[0]);
	expect_int("web: status of the list", 0, child_wait(c.pid));

	lab_step("Compare: writes to the kernel's files, and mount().",
		"root on the host may do each, and root in the container none");
	expect_acts(0, 5, of_host, of_container);
	lab_step("Compare: modules, device nodes, other processes, a user namespace.",
		"each is refused in the container");
	expect_acts(5, 5, of_host, of_container);
	lab_step("Compare: three ways to a file of the host, and the machine's clock.",
		"each is refused in the container");
	expect_acts(10, 5, of_host, of_container);
	lab_step("Compare: what no namespace covers, such as keys, the log, eBPF and reboot().",
		"each is refused in the container");
	expect_acts(15, 5, of_host, of_container);

	lab_step("Enter a folder of the host by a descriptor that the runtime has open.",
		"chdir() succeeds, openat2() and a closed descriptor do not");
	lab_note("A working directory (docker run -w) may be called /proc/self/fd/%d.", leak);
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
