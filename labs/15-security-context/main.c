/*
 * What root may not do. A container's process is made small by calls that it
 * makes before it becomes the container's program: each takes one thing away for
 * good, and each shows in one line of /proc/PID/status. capabilities(7),
 * seccomp(2), prctl(2), credentials(7)
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"
#include "words.h"

static long long user = 1000;

static const struct lab_option lab_options[] = {
	{"user", LAB_NUMBER, &user, 1, 65534, "the ordinary user, runAsUser"},
	{0},
};

static const struct lab lab = {
	.id = "15-security-context",
	.title = "What root may not do",
	.goal = "A Pod's securityContext is a handful of system calls before exec(). Each knob takes "
		"one thing away, moves its own line of /proc/self/status, and no other.",
	.manual = "capabilities(7) seccomp(2) prctl(2) capset(2) setresuid(2) credentials(7)",
	.teaches = "setresuid prctl:PR_CAPBSET_DROP capset prctl:PR_SET_NO_NEW_PRIVS "
		   "seccomp:SECCOMP_SET_MODE_FILTER",
	.after = "02-mnt-ns 05-user-ns",
	.needs = {.root = true},
	.options = lab_options,
	.words = &words,
};

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#else
#error "no audit architecture is known here; see linux/audit.h"
#endif

static struct gate done;
/* A tmpfs comes to lie on it, which no other mount table has. */
static const char *const place = "/mnt", *const file = "/mnt/file", *const program = "/mnt/set-uid";

static int capset(struct __user_cap_header_struct *header, struct __user_cap_data_struct *data)
{
	return (int)syscall(SYS_capset, header, data);
}

static int seccomp(unsigned int operation, unsigned int flags, void *args)
{
	return (int)syscall(SYS_seccomp, operation, flags, args);
}

/* ---- Which line of /proc/self/status has moved ---- */

enum { UID, BOUNDING_SET, NO_NEW_PRIVS, FILTER, LINES };
static const char *const lines[] = {"Uid", "CapBnd", "NoNewPrivs", "Seccomp"};
static char *before[LINES];

static void remember(void)
{
	for (int i = 0; i < LINES; i++)
		before[i] = proc_status(0, lines[i]);
}

static char *moved(void)
{
	char *list = text("%s", "");
	for (int i = 0; i < LINES; i++) {
		autofree char *now = proc_status(0, lines[i]), *so_far = list;
		bool same = !strcmp(now, before[i]);
		list = text("%s%s%s", so_far, *so_far && !same ? " " : "", same ? "" : lines[i]);
	}
	return *list ? list : text("none");
}

/* Only its own; none where it was on already: in a sandbox, or below strace --seccomp-bpf. */
static void expect_moved(const char *what, int own)
{
	bool already = (own == NO_NEW_PRIVS || own == FILTER) && strcmp(before[own], "0");
	autofree char *list = moved();
	expect_str(what, already ? "none" : lines[own], list);
}

/* ---- The knobs ---- */

static void run_as_user(void)
{
	id_t id = (id_t)user;
	if (setgroups(0, NULL) || setresgid(id, id, id))
		die("setgroups, setresgid");
	SYS(setresuid(id, id, id));
}

/* The bounding set bounds what any exec() can give; the other sets are what we have. */
static void drop_bounding_set(void)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap))
			die("prctl(PR_CAPBSET_DROP, %d)", cap);
}

static void drop_own_sets(void)
{
	struct __user_cap_header_struct version = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};
	SYS(capset(&version, none));
}

/* The kernel runs it at each call that comes, and does what it returns. */
static void filter_calls(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCH, 1, 0), /* numbers differ by it */
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_personality, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {sizeof code / sizeof *code, code};
	SYS(seccomp(SECCOMP_SET_MODE_FILTER, 0, &filter));
}

/* ---- A child for each ---- */

static _Noreturn void under_run_as_user(void)
{
	autofree char *map = file_read("/proc/self/uid_map");
	long namespace = ns_inode(0, "user");
	expect_errno("before: open() of root's file", 0, open(file, O_RDONLY | O_CLOEXEC));
	remember();
	run_as_user();
	expect_moved("runAsUser: moved", UID);
	expect_errno("runAsUser: open() of it", EACCES, open(file, O_RDONLY | O_CLOEXEC));
	autofree char *map_now = file_read("/proc/self/uid_map");
	lab_answer("map", strcmp(map, map_now) ? "another" : "same");
	expect_int("runAsUser: its user namespace", namespace, ns_inode(0, "user"));
	expect_str("runAsUser: its uid_map", map, map_now);
	gate_open(&done);
	child_idle();
}

static _Noreturn void without_capabilities(void)
{
	expect_errno("before: chown() to the user", 0, chown(file, (uid_t)user, (gid_t)-1));
	expect_errno("before: open() of the user's", 0, open(file, O_RDONLY | O_CLOEXEC));
	remember();
	drop_bounding_set();
	drop_own_sets();
	expect_moved("drop ALL: moved", BOUNDING_SET);
	expect_int("drop ALL: getuid()", 0, getuid());
	expect_errno("drop ALL: chown()", EPERM, chown(file, (uid_t)user, (gid_t)-1));
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	lab_answer("root", fd < 0 ? "refused" : "reads");
	expect_errno("drop ALL: open() of the user's", EACCES, fd);
	gate_open(&done);
	child_idle();
}

/* Twice: the user starts a program that is set-uid root. It stays, to be looked at. */
static pid_t start_set_uid(bool no_new_privs)
{
	int said[2];
	char first;
	if (pipe2(said, O_CLOEXEC))
		die("pipe2");
	pid_t child = FORK();
	if (child == 0) {
		run_as_user();
		remember();
		if (no_new_privs) {
			SYS(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
			expect_moved("no_new_privs: moved", NO_NEW_PRIVS);
		}
		MUST(dup2(said[1], STDOUT_FILENO));
		execl(program, "eat", "1k", "--hold", (char *)NULL);
		die("exec of %s", program);
	}
	undo_kill(child);
	close(said[1]);
	if (read(said[0], &first, 1) != 1) /* a word of it: exec() is done */
		die("read: %s said nothing", program);
	close(said[0]);
	return child;
}

static _Noreturn void filtered(void)
{
	expect_errno("before: unshare(0), which does nothing", 0, unshare(0));
	remember();
	filter_calls();
	expect_moved("seccomp: moved", FILTER);
	expect_errno("seccomp: unshare(0)", EPERM, unshare(0));
	gate_open(&done);
	child_idle();
}

static _Noreturn void killed(void)
{
	expect_errno("before: personality(), which only asks", 0, personality(0xffffffff));
	prctl(PR_SET_DUMPABLE, 0); /* SIGSYS would leave a core file */
	filter_calls();
	personality(0xffffffff);
	_exit(0);
}

static bool own_table(void)
{
	long old = ns_inode(0, "mnt");
	SYS(unshare(CLONE_NEWNS)); /* lab 02 */
	if (ns_inode(0, "mnt") != old)
		SYS(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	autofree char *table = ns_mount_table(old);
	return expect_str("its mount table", "own, private", table);
}

/* The place: a file of root's, and a set-uid program, which must not get among the host's files. */
static bool furnish(void)
{
	autofree char *tree = file_rootfs(), *eat = text("%s/usr/local/bin/eat", tree);
	struct stat host, st;
	autoclose int from = open(eat, O_RDONLY | O_CLOEXEC);
	if (stat(place, &host))
		die("stat %s", place);
	SYS(mount("lab15", place, "tmpfs", 0, "mode=755"));
	bool own = !stat(place, &st) && st.st_dev != host.st_dev;
	if (!expect_int("a filesystem of its own", true, own))
		return false;
	close(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	autoclose int to = open(program, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
	if (fstat(from, &st) || sendfile(to, from, NULL, (size_t)st.st_size) != st.st_size)
		die("fstat, sendfile: a copy of %s", eat);
	SYS(fchmod(to, 04755)); /* last: a write would take the bit away */
	return true;
}

static pid_t child_that(void (*does)(void))
{
	pid_t child = FORK();
	if (child == 0)
		does();
	undo_kill(child);
	return child;
}

static void look(pid_t child)
{
	lab_look("grep -E 'Uid|CapBnd|NoNew|Seccomp:' /proc/%d/status", child);
	lab_wait(child);
}

/* All knobs at once; their order is a runtime's, for each takes what the next ones need not. */
static _Noreturn void hands_on(void)
{
	if (!own_table()) /* else it would be the host's root */
		die("no mount table of its own");
	SYS(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	drop_bounding_set();
	run_as_user();
	drop_own_sets();
	SYS(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	filter_calls();
	lab_exec_command();
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	if (lab_command)
		hands_on();
	gate_init(&done);

	lab_step("A place: a mount with a file of root's and a set-uid program in it.", NULL);
	if (!own_table() || !furnish())
		return lab_end();
	remember();
	lab_note("Before: CapBnd %s, NoNewPrivs %s, Seccomp %s.", before[BOUNDING_SET],
		before[NO_NEW_PRIVS], before[FILTER]);
	look(getpid());

	lab_predict("map");
	lab_step("runAsUser: must be setresuid(2), and change no map and no namespace.", NULL);
	pid_t child = child_that(under_run_as_user);
	gate_wait(&done);
	lab_look("cat /proc/%d/uid_map", child);
	look(child);

	lab_predict("root");
	lab_step("capabilities: drop: [ALL]. It must be uid 0 still, and be refused.", NULL);
	child = child_that(without_capabilities);
	gate_wait(&done);
	look(child);

	lab_step("Control: an ordinary user starts a set-uid program: it must be root.", NULL);
	autofree char *all_root = text("%lld 0 0 0", user);
	child = start_set_uid(false);
	autofree char *uids = proc_status(child, "Uid");
	bool sandbox = strcmp(before[NO_NEW_PRIVS], "0");
	if (sandbox)
		check_skip("set-uid: its Uid", "no_new_privs is on already: this is a sandbox",
			"start it outside of it");
	else
		expect_str("set-uid: its Uid", all_root, uids);
	look(child);

	lab_predict("set-uid");
	lab_step("allowPrivilegeEscalation: false. It must start, and gain nothing.", NULL);
	autofree char *no_root = text("%lld %lld %lld %lld", user, user, user, user);
	child = start_set_uid(true);
	autofree char *uids_now = proc_status(child, "Uid");
	lab_answer("set-uid", strcmp(uids_now, no_root) ? "root" : "user");
	expect_str("no_new_privs: its Uid", no_root, uids_now);
	look(child);

	lab_step("seccompProfile: one call must fail with EPERM, whoever makes it.", NULL);
	child = child_that(filtered);
	gate_wait(&done);
	look(child);

	lab_step("The same filter has another call killed, by SIGSYS: 128 + 31.", NULL);
	int status = child_wait(child_that(killed));
	expect_int("seccomp: status of the caller", 159, status);

	lab_row("runAsUser", "reads root's file", "EACCES", "setresuid(): Uid");
	lab_row("capabilities: drop", "root: all allowed", "root: EPERM", "prctl(): CapBnd");
	if (!sandbox)
		lab_row("a set-uid program", "is root", "stays the user", "prctl(): NoNewPrivs");
	lab_row("a filtered call", "works", "EPERM, or SIGSYS", "seccomp(): Seccomp");
	return lab_end();
}
