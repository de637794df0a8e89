/*
 * What root may not do. A runtime's process changes itself by a few system calls, then executes
 * the container's program, which inherits the changes. Each call takes something away, and most of
 * them show in one line of /proc/PID/status. capabilities(7), seccomp(2), prctl(2), credentials(7)
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "filter.h"
#include "kernel/file.h"
#include "kernel/mounts.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "program.h"
#include "story/lab.h"
#include "words.h"

static long long user = 1000;

static const struct lab_option lab_options[] = {
	{"user", LAB_NUMBER, &user, 1, 65534, "user id to switch to, as in runAsUser"},
	{0},
};

static const struct lab lab = {
	.id = "15-security-context",
	.title = "What root may not do",
	.goal = "A Pod's securityContext is a handful of system calls before exec(). Each call takes "
		"one thing away, which shows in /proc/self/status or in the mounts.",
	.manual = "capabilities(7) seccomp(2) prctl(2) capset(2) setresuid(2) credentials(7) "
		  "mount(2)",
	.teaches = "setresuid prctl:PR_CAPBSET_DROP capset prctl:PR_SET_NO_NEW_PRIVS "
		   "seccomp:SECCOMP_SET_MODE_FILTER mount:MS_RDONLY",
	.after = "02-mnt-ns 05-user-ns",
	.needs = {.root = true},
	.options = lab_options,
	.words = &words,
};

/* The C library has this function, but no header declares it. */
int capset(cap_user_header_t header, cap_user_data_t data);

static int seccomp(unsigned int operation, unsigned int flags, void *args)
{
	return (int)syscall(SYS_seccomp, operation, flags, args);
}

/* With these capset() empties the permitted, effective and inheritable sets. */
static struct __user_cap_header_struct version = {.version = _LINUX_CAPABILITY_VERSION_3};
static struct __user_cap_data_struct no_capabilities[2];

static struct gate done;
/* The lab mounts its own tmpfs on /mnt before it writes there. */
static const char *const file = "/mnt/file", *const program = "/mnt/set-uid";

/* Names which of four lines of /proc/PID/status differ from the parent's, which stays as it was. */
static void expect_moved(const char *what, const char *expected)
{
	static const char *const lines[] = {"Uid", "CapBnd", "NoNewPrivs", "Seccomp", NULL};
	char moved[64] = "";
	for (const char *const *line = lines; *line; line++) {
		autofree char *own = proc_status(0, *line), *old = proc_status(getppid(), *line);
		if (strcmp(own, old))
			strcat(strcat(moved, *moved ? " " : ""), *line);
	}
	expect_str(what, expected, moved);
}

static void look_at(pid_t child)
{
	undo_kill(child);
	lab_look("grep -E 'Uid|CapBnd|NoNew|Seccomp:' /proc/%d/status", child);
	lab_wait(child);
}

/* All the calls, in an order in which none takes away what a later one needs. */
static _Noreturn void run_command(void)
{
	mounts_unshare();
	SYS(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		MUST(prctl(PR_CAPBSET_DROP, cap));
	MUST(setgroups(0, NULL));
	MUST(setresgid(user, user, user));
	SYS(setresuid(user, user, user), user);
	SYS(capset(&version, no_capabilities));
	SYS(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	SYS(seccomp(SECCOMP_SET_MODE_FILTER, 0, &deny_unshare));
	lab_exec_command();
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	if (lab_command)
		run_command();
	gate_init(&done);
	program_open();
	/* In a sandbox, or under strace --seccomp-bpf, these are set already and cannot change. */
	autofree char *privs = proc_status(0, "NoNewPrivs"), *mode = proc_status(0, "Seccomp");
	bool sandbox = strcmp(privs, "0"), filtered = strcmp(mode, "0");

	lab_step("Mount a tmpfs. Put a private file and a set-uid program of root's there.", NULL);
	mounts_unshare();
	struct stat host, ours;
	MUST(stat("/mnt", &host));
	SYS(mount("lab15", "/mnt", "tmpfs", 0, "mode=755"));
	MUST(stat("/mnt", &ours));
	if (!expect_int("a filesystem of its own", true, ours.st_dev != host.st_dev))
		return lab_end_early();
	close(MUST(creat(file, 0600)));
	program_copy(program);
	SYS(chmod(program, 04755), program); /* last, because a write clears the set-uid bit */

	lab_predict("map");
	lab_step("runAsUser: a child switches to the user by setresuid().",
		"Uid changes; the user namespace and its uid_map stay the same");
	pid_t child = FORK();
	if (child == 0) {
		ino_t namespace = ns_inode(0, "user");
		autofree char *map = file_read("/proc/self/uid_map");
		expect_errno("before: open() of root's file", 0, open(file, O_RDONLY | O_CLOEXEC));
		MUST(setgroups(0, NULL));
		MUST(setresgid(user, user, user));
		SYS(setresuid(user, user, user), user);
		expect_moved("runAsUser: moved", "Uid");
		expect_errno("runAsUser: open() of it", EACCES, open(file, O_RDONLY | O_CLOEXEC));
		autofree char *map_now = file_read("/proc/self/uid_map");
		lab_answer("map", strcmp(map, map_now) ? "another" : "same");
		expect_int("runAsUser: its user namespace", namespace, ns_inode(0, "user"));
		expect_str("runAsUser: its uid_map", map, map_now);
		gate_open(&done);
		child_idle();
	}
	gate_wait(&done);
	lab_look("cat /proc/%d/uid_map", child);
	look_at(child);

	lab_predict("root");
	lab_step("capabilities: drop: [ALL]. Another child, still root, drops every capability.",
		"its uid is 0, and the kernel refuses what only a capability allows");
	child = FORK();
	if (child == 0) {
		SYS(chown(file, user, -1), file, user); /* allowed by CAP_CHOWN */
		expect_errno("before: open() of the user's", 0, open(file, O_RDONLY | O_CLOEXEC));
		for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
			MUST(prctl(PR_CAPBSET_DROP, cap)); /* no later exec() can give it back */
		SYS(capset(&version, no_capabilities));    /* and what the process has now */
		expect_moved("drop ALL: moved", "CapBnd");
		expect_int("drop ALL: getuid()", 0, getuid());
		expect_errno("drop ALL: chown()", EPERM, chown(file, user, -1));
		int fd = open(file, O_RDONLY | O_CLOEXEC);
		lab_answer("root", fd < 0 ? "refused" : "reads");
		expect_errno("drop ALL: open() of the user's", EACCES, fd);
		gate_open(&done);
		child_idle();
	}
	gate_wait(&done);
	look_at(child);

	lab_step("Control: an ordinary user starts a set-uid program of root's.",
		"the program runs as root");
	child = FORK();
	if (child == 0) {
		SYS(setresuid(user, user, user), user);
		program_exec(program);
	}
	program_wait(child);
	autofree char *all_root = text("%lld 0 0 0", user), *uids = proc_status(child, "Uid");
	if (sandbox)
		check_skip("set-uid: its Uid", "no_new_privs is already set", "leave the sandbox");
	else
		expect_str("set-uid: its Uid", all_root, uids);
	look_at(child);

	lab_predict("set-uid");
	lab_step("allowPrivilegeEscalation: false. The same program, after no_new_privs is set.",
		"the program starts, and the kernel ignores its set-uid bit");
	child = FORK();
	if (child == 0) {
		SYS(setresuid(user, user, user), user);
		SYS(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
		expect_moved("no_new_privs: moved", sandbox ? "Uid" : "Uid NoNewPrivs");
		program_exec(program);
	}
	program_wait(child);
	autofree char *no_root = text("%lld %lld %lld %lld", user, user, user, user),
		      *uids_now = proc_status(child, "Uid");
	lab_answer("set-uid", strcmp(uids_now, no_root) ? "root" : "user");
	expect_str("no_new_privs: its Uid", no_root, uids_now);
	look_at(child);

	lab_step("seccompProfile: a child that is root installs a filter against unshare().",
		"unshare() fails with EPERM, although root has every capability");
	child = FORK();
	if (child == 0) {
		expect_errno("before: unshare(0), which does nothing", 0, unshare(0));
		SYS(seccomp(SECCOMP_SET_MODE_FILTER, 0, &deny_unshare));
		expect_moved("seccomp: moved", filtered ? "" : "Seccomp");
		expect_errno("seccomp: unshare(0)", EPERM, unshare(0));
		gate_open(&done);
		child_idle();
	}
	gate_wait(&done);
	look_at(child);

	lab_step("readOnlyRootFilesystem: remount /mnt, which stands for a root, read-only.",
		"root cannot create a file there");
	close(SYS(creat("/mnt/first", 0600)));
	SYS(mount(NULL, "/mnt", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	expect_errno("read-only root: a new file", EROFS, creat("/mnt/second", 0600));
	lab_look("grep lab15 /proc/%d/mountinfo", getpid());

	lab_row("runAsUser", "reads root's file", "EACCES", "setresuid(): Uid");
	lab_row("chown(), for root", "works", "EPERM", "capset(): CapEff");
	if (!sandbox)
		lab_row("a set-uid program", "is root", "stays the user", "prctl(): NoNewPrivs");
	lab_row("unshare(), for root", "works", "EPERM", "seccomp(): Seccomp");
	lab_row("a new file, for root", "is created", "EROFS", "mount(): MS_RDONLY");
	return lab_end();
}
