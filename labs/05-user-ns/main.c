/*
 * Root inside, nobody outside. A user namespace has its own user ids, and a map says which id
 * inside is which id outside. A process that calls unshare(CLONE_NEWUSER) enters at once, and has
 * every capability there. The kernel accepts these capabilities only for what belongs to this
 * user namespace, such as a UTS namespace that was made in it. user_namespaces(7)
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>

#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"
#include "words.h"

static const struct lab lab = {
	.id = "05-user-ns",
	.title = "Root inside, nobody outside",
	.goal = "Root in a container can be an ordinary user outside. A map of ids makes it root, "
		"and its power ends where its user namespace ends.",
	.manual = "user_namespaces(7) unshare(2) capabilities(7) credentials(7)",
	.teaches = "unshare:CLONE_NEWUSER unshare:CLONE_NEWUTS file:setgroups file:uid_map "
		   "file:gid_map sethostname kill clock_settime mount:tmpfs",
	.after = "03-uts-ns",
	.needs = {.ordinary = true, .hostname = true},
	.words = &words,
};

static struct gate look, looked, ready;

/* The kernel reads a map from one write(2). */
static int write_file(const char *path, const char *value)
{
	autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	return write(fd, value, strlen(value)) < 0 ? -1 : 0;
}

/* A line of a map is: first id inside, first id outside, how many. */
static void map_root_to(uid_t uid, gid_t gid)
{
	autofree char *users = text("0 %u 1", uid), *groups = text("0 %u 1", gid);
	lab_note("uid_map: \"%s\". Id 0 inside is id %u outside; the map has one id.", users, uid);
	SYS(write_file("/proc/self/uid_map", users), users);
	/* A user without CAP_SETGID outside has to give up setgroups(2) first: see more.c. */
	SYS(write_file("/proc/self/setgroups", "deny"));
	expect_errno(
		"gid_map, once setgroups is denied", 0, write_file("/proc/self/gid_map", groups));
}

/* A child that stays outside, and checks what the rest of the machine sees. */
static _Noreturn void watch_from_outside(pid_t root, const char *file, uid_t uid)
{
	gate_wait(&look);
	autofree char *ours = proc_status(0, "Uid"), *its = proc_status(root, "Uid");
	expect_str("outside: its Uid", ours, its);
	gate_open(&looked);

	gate_wait(&look);
	struct stat st = {.st_uid = (uid_t)-1};
	stat(file, &st);
	expect_int("outside: owner of the file", uid, st.st_uid);
	lab_answer("owner", st.st_uid == uid ? "ordinary" : "root");
	gate_open(&looked);
	child_idle();
}

/* A child that makes two namespaces. They belong to its user namespace. */
static _Noreturn void rename_and_mount(void)
{
	ino_t uts = ns_inode(0, "uts"), mnt = ns_inode(0, "mnt");
	SYS(unshare(CLONE_NEWUTS | CLONE_NEWNS));
	if (expect_differ("a hostname of its own", uts, ns_inode(0, "uts")))
		expect_errno("sethostname(), its own", 0, sethostname("inside", 6));
	/* In the copy the kernel turned shared mounts into slaves: no mount reaches the machine. */
	if (expect_differ("a mount table of its own", mnt, ns_inode(0, "mnt")))
		expect_errno("mount() of a tmpfs", 0, mount("tmpfs", "/tmp", "tmpfs", 0, NULL));
	gate_open(&ready);
	child_idle();
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	if (geteuid() == 0) {
		SYS(ns_become_ordinary()); /* setresuid(2); root has these capabilities already */
		lab_note("Root started this lab. It goes on as the ordinary user %u.", geteuid());
	}
	uid_t uid = geteuid();
	gid_t gid = getegid();
	if (lab_command) {
		SYS(unshare(CLONE_NEWUSER));
		map_root_to(uid, gid);
		SYS(unshare(CLONE_NEWUTS | CLONE_NEWNS)); /* so that COMMAND can rename and mount */
		lab_exec_command();
	}
	gate_init(&look), gate_init(&looked), gate_init(&ready);
	autofree char *file = text("%s/made-by-root", tmp_folder());

	lab_step("Control: as an ordinary user, ask for a UTS namespace.",
		"EPERM, because the user does not have CAP_SYS_ADMIN");
	/* Other bits may be set: systemd gives CAP_WAKE_ALARM to the user at the console. */
	autofree char *set = proc_status(0, "CapEff");
	expect_int("control: CAP_SYS_ADMIN in CapEff", 0,
		strtoull(set, NULL, 16) >> CAP_SYS_ADMIN & 1);
	expect_errno("control: unshare(CLONE_NEWUTS)", EPERM, unshare(CLONE_NEWUTS));
	lab_note("A child stays outside. It will check what the rest of the machine sees.");
	pid_t self = getpid(), watcher = FORK();
	if (watcher == 0)
		watch_from_outside(self, file, uid);
	undo_kill(watcher);
	lab_look("grep -E 'Uid|CapEff' /proc/%d/status", self);

	lab_predict("before");
	lab_step("Ask for a user namespace, the one kind that any user may make.",
		"getuid() returns 65534, yet every capability is there");
	ino_t before = ns_inode(0, "user");
	SYS(unshare(CLONE_NEWUSER));
	/* In the machine's own user namespace the next calls could change the machine. */
	if (!expect_differ("a user namespace of its own", before, ns_inode(0, "user")))
		return lab_end();
	autofree char *overflow = file_read("/proc/sys/kernel/overflowuid");
	lab_answer("before", (int)getuid() == atoi(overflow) ? "nobody" : "same");
	expect_int("before a map: getuid()", atoi(overflow), getuid());
	autofree char *last = file_read("/proc/sys/kernel/cap_last_cap");
	/* all bits from 0 to cap_last_cap */
	autofree char *every = text("%016llx", (2ULL << atoi(last)) - 1);
	autofree char *effective = proc_status(0, "CapEff");
	expect_str("before a map: CapEff", every, effective);
	lab_look("grep -E 'Uid|CapEff' /proc/%d/status", self);
	lab_look("wc -l /proc/%d/uid_map", self);
	lab_wait(self);

	lab_step("Map one id.", "inside the process is root, outside it keeps its old id");
	map_root_to(uid, gid);
	expect_int("inside: getuid()", 0, getuid());
	gate_open(&look);
	gate_wait(&looked);
	lab_look("cat /proc/%d/uid_map", self);
	lab_look("grep Uid /proc/%d/status", self);
	lab_wait(self);

	lab_predict("owner");
	lab_step("Create a file as this root.",
		"inside its owner is root, outside it is the ordinary user");
	struct stat made = {.st_uid = (uid_t)-1};
	autoclose int fd = SYS(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600), file);
	fstat(fd, &made);
	expect_int("inside: owner of the file", 0, made.st_uid);
	gate_open(&look);
	gate_wait(&looked);
	lab_look("ls -ln %s", tmp_folder());
	lab_wait(self);

	lab_predict("host");
	lab_step("Use root's power on things of the machine's own user namespace.",
		"the kernel refuses all four calls");
	/* If the kernel allowed these calls, they would change nothing: the values are the old
	 * ones. */
	struct utsname uts;
	struct timespec now;
	if (uname(&uts) || clock_gettime(CLOCK_REALTIME, &now))
		die("uname, clock_gettime");
	long rc = sethostname(uts.nodename, strlen(uts.nodename));
	lab_answer("host", rc ? "refused" : "renamed");
	expect_errno("sethostname(), the machine's", EPERM, rc);
	struct stat init = {.st_uid = (uid_t)-1};
	stat("/proc/1", &init);
	if (init.st_uid == getuid()) /* as in a container that was started for this user */
		check_skip("kill(1, 0), another user's", "PID 1 belongs to this user here",
			"WHERE=vm runs the lab where PID 1 is root's");
	else
		expect_errno("kill(1, 0), another user's", EPERM, kill(1, 0));
	autoclose int log = open("/proc/kmsg", O_RDONLY | O_CLOEXEC);
	/* By the file's mode: its owner is not in our map, so CAP_DAC_OVERRIDE does not count. */
	if (log >= 0 && !fstat(log, &init) && S_ISCHR(init.st_mode)) /* as a runtime masks it */
		check_skip("open() of a file for root only", "/proc/kmsg is masked here",
			"WHERE=vm runs the lab where it is not");
	else
		expect_errno("open() of a file for root only", EACCES, log);
	expect_errno("clock_settime(), to what it is", EPERM, clock_settime(CLOCK_REALTIME, &now));

	lab_step("Make a UTS and a mount namespace, and use the same power on them.",
		"sethostname() and mount() succeed");
	pid_t child = FORK();
	if (child == 0)
		rename_and_mount();
	undo_kill(child);
	gate_wait(&ready);
	lab_look("readlink /proc/%d/ns/uts", child);
	lab_look("grep ' /tmp ' /proc/%d/mountinfo", child);
	lab_wait(child);

	lab_row("getuid()", "the user's own id", "0", "uid_map");
	lab_row("owner of the file", "the user", "outside: the user", "uid_map");
	lab_row("capabilities", "no CAP_SYS_ADMIN", "all, in here", "CLONE_NEWUSER");
	lab_row("machine's hostname", "-", "EPERM", "its owner");
	lab_row("a UTS namespace", "EPERM", "success", "its owner");
	return lab_end();
}
