/*
 * Root inside, nobody outside. A user namespace has ids of its own: a map says
 * which id inside is which outside. Its first process has every capability, but
 * only over what the namespace owns. user_namespaces(7)
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
	.goal = "Root in a container can be an ordinary user outside: a map of ids says so, and its "
		"power ends where its namespace does.",
	.manual = "user_namespaces(7) unshare(2) capabilities(7) credentials(7)",
	.teaches = "unshare:CLONE_NEWUSER unshare:CLONE_NEWUTS file:setgroups file:uid_map "
		   "file:gid_map sethostname kill clock_settime mount:tmpfs",
	.after = "03-uts-ns",
	.needs = {.ordinary = true},
	.words = &words,
};

static struct gate done, go;
static uid_t uid; /* the ordinary user's, outside */
static gid_t gid;

/* One write(2) is the whole map; newuidmap(1) does no more. */
static int put(const char *path, const char *line)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ssize_t n = write(fd, line, strlen(line));
	close(fd);
	return n < 0 ? -1 : 0;
}

/* Inside, outside, how many. Without the first write gid_map would be refused: see more.c. */
static void write_maps(void)
{
	autofree char *uids = text("0 %u 1", uid), *gids = text("0 %u 1", gid);
	SYS(put("/proc/self/setgroups", "deny"));
	SYS(put("/proc/self/uid_map", uids));
	expect_errno("gid_map, once setgroups is denied", 0, put("/proc/self/gid_map", gids));
}

/* All capabilities that this kernel knows, as CapEff in /proc/PID/status shows them. */
static char *every_capability(void)
{
	autofree char *last = file_read("/proc/sys/kernel/cap_last_cap");
	return text("%016llx", (2ULL << atoi(last)) - 1);
}

/* What the machine owns: each of these does nothing even where it is allowed. */
static void over_the_machine(void)
{
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
		check_skip("kill(1, 0), another user's", "PID 1 is a process of ours",
			"WHERE=vm runs it where it is root's");
	else
		expect_errno("kill(1, 0), another user's", EPERM, kill(1, 0));
	autoclose int fd = open("/proc/kmsg", O_RDONLY | O_CLOEXEC);
	expect_errno("open() of a file for root only", EACCES, fd);
	expect_errno("clock_settime(), to what it is", EPERM, clock_settime(CLOCK_REALTIME, &now));
}

/* What its own namespace owns: the namespaces that it makes from now on. */
static void over_its_own(void)
{
	long uts = ns_inode(0, "uts"), mnt = ns_inode(0, "mnt");
	SYS(unshare(CLONE_NEWUTS | CLONE_NEWNS));
	if (expect_differ("a hostname of its own", uts, ns_inode(0, "uts")))
		expect_errno("sethostname(), its own", 0, sethostname("inside", 6));
	/* Mounts of a namespace whose owner has less power never reach the old one. */
	if (expect_differ("a mount table of its own", mnt, ns_inode(0, "mnt")))
		expect_errno("mount() of a tmpfs", 0, mount("tmpfs", "/tmp", "tmpfs", 0, NULL));
}

static _Noreturn void inside(const char *file)
{
	long before = ns_inode(0, "user");
	SYS(unshare(CLONE_NEWUSER));
	/* Read back: all that follows is meant for a root whose power ends here. */
	bool own = expect_differ("a user namespace of its own", before, ns_inode(0, "user"));
	autofree char *nobody = file_read("/proc/sys/kernel/overflowuid");
	autofree char *all = every_capability(), *capabilities = proc_status(0, "CapEff");
	lab_answer("before", (int)getuid() == atoi(nobody) ? "nobody" : "same");
	expect_int("before a map: getuid()", atoi(nobody), getuid());
	expect_str("before a map: CapEff", all, capabilities);
	gate_open(&done);

	gate_wait(&go);
	if (own)
		write_maps();
	expect_int("inside: getuid()", 0, getuid());
	gate_open(&done);

	gate_wait(&go);
	struct stat st = {.st_uid = (uid_t)-1};
	autoclose int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	fstat(fd, &st);
	expect_int("inside: owner of the file", 0, st.st_uid);
	gate_open(&done);

	gate_wait(&go);
	if (own)
		over_the_machine();
	gate_open(&done);

	gate_wait(&go);
	if (own)
		over_its_own();
	gate_open(&done);
	child_idle();
}

static _Noreturn void hands_on(void)
{
	SYS(unshare(CLONE_NEWUSER));
	write_maps();
	SYS(unshare(CLONE_NEWUTS | CLONE_NEWNS));
	lab_exec_command();
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	if (geteuid() == 0) {
		SYS(ns_become_ordinary()); /* setresuid(2); root could do all this without a map */
		lab_note("Started by root, it goes on as the ordinary user %u.", geteuid());
	}
	uid = geteuid(), gid = getegid();
	if (lab_command)
		hands_on();
	gate_init(&done), gate_init(&go);
	autofree char *file = text("%s/made-by-root", tmp_folder());

	lab_step(
		"Control: an ordinary user. No CAP_SYS_ADMIN, no namespace but of one kind.", NULL);
	/* Not all of the set: systemd gives who sits at the machine CAP_WAKE_ALARM. */
	autofree char *set = proc_status(0, "CapEff");
	expect_int("control: CAP_SYS_ADMIN in CapEff", 0,
		strtoull(set, NULL, 16) >> CAP_SYS_ADMIN & 1);
	expect_errno("control: unshare(CLONE_NEWUTS)", EPERM, unshare(CLONE_NEWUTS));
	lab_look("grep -E 'Uid|CapEff' /proc/%d/status", getpid());

	lab_predict("before");
	lab_step("That kind: it must be nobody in there, and yet have every capability.", NULL);
	pid_t root = FORK();
	if (root == 0)
		inside(file);
	undo_kill(root);
	gate_wait(&done);
	lab_look("grep -E 'Uid|CapEff' /proc/%d/status", root);
	lab_look("wc -l /proc/%d/uid_map", root);
	lab_wait(root);

	lab_step("Map one id. It must be root inside, and outside who it was.", NULL);
	gate_open(&go);
	gate_wait(&done);
	autofree char *ours = proc_status(0, "Uid"), *its = proc_status(root, "Uid");
	expect_str("outside: its Uid", ours, its);
	lab_look("cat /proc/%d/uid_map", root);
	lab_look("grep Uid /proc/%d/status", root);
	lab_wait(root);

	lab_predict("owner");
	lab_step("This root makes a file. Outside it must belong to the ordinary user.", NULL);
	gate_open(&go);
	gate_wait(&done);
	struct stat st = {.st_uid = (uid_t)-1};
	stat(file, &st);
	expect_int("outside: owner of the file", uid, st.st_uid);
	lab_answer("owner", st.st_uid == uid ? "ordinary" : "root");
	lab_look("ls -ln %s", tmp_folder());
	lab_wait(root);

	lab_predict("host");
	lab_step("Root over what the machine owns? The kernel must refuse all four.", NULL);
	gate_open(&go);
	gate_wait(&done);
	lab_wait(root);

	lab_step("Root over what its namespace owns: now the same calls must work.", NULL);
	gate_open(&go);
	gate_wait(&done);
	lab_look("readlink /proc/%d/ns/uts", root);
	lab_look("grep ' /tmp ' /proc/%d/mountinfo", root);
	lab_wait(root);

	lab_row("who am I", "an ordinary user", "root, by the map", "CLONE_NEWUSER");
	lab_row("its file, outside", "the ordinary user's", "the ordinary user's", "uid_map");
	lab_row("its capabilities", "no CAP_SYS_ADMIN", "all, in there", "CLONE_NEWUSER");
	lab_row("the machine's hostname", "EPERM", "EPERM", "its owner");
	lab_row("a hostname of its own", "EPERM: no namespace", "success", "CLONE_NEWUTS");
	return lab_end();
}
