/*
 * A mount table and a root of its own. A mount namespace is a copy of the mount
 * table; unless it is made private, what is mounted in one copy reaches the
 * others. pivot_root(2) then changes what "/" is. mount_namespaces(7)
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"
#include "words.h"

static const struct lab lab = {
	.id = "02-mnt-ns",
	.title = "A mount table and a root of its own",
	.goal = "A container has a mount table of its own and in it another root. What it must share "
		"with the host is mounted into it: a volume.",
	.manual = "mount_namespaces(7) pivot_root(2) mount(2) umount2(2) unshare(2)",
	.teaches = "unshare:CLONE_NEWNS mount:MS_PRIVATE mount:MS_SHARED mount:MS_BIND "
		   "mount:MS_RDONLY pivot_root umount2:MNT_DETACH",
	.after = "03-uts-ns 01-pid-ns",
	.needs = {.namespaces = true},
	.own_root = true,
	.words = &words,
};

static struct gate ready, go;
static char *program; /* a path that the host has: this program's own */

static int pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

/* Four times; the control leaves its copy shared with the table that it was copied from. */
static bool own_table(const char *what, bool private)
{
	long before = ns_inode(0, "mnt");
	SYS(unshare(CLONE_NEWNS));
	bool own = ns_inode(0, "mnt") != before;
	if (own && private) /* in the old table this would change the host's */
		SYS(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	/* Read back: the optional fields of each line, proc_pid_mountinfo(5) */
	autofree char *table = file_read("/proc/self/mountinfo");
	autofree char *observed = text("%s, %s", own ? "own" : "the old one",
		strstr(table, " shared:")   ? "shared"
		: strstr(table, " master:") ? "slave"
					    : "private");
	return expect_str(what, private ? "own, private" : "own, shared", observed);
}

/* Four times: a tmpfs of one's own on /etc, with the file config in it. */
static void mount_etc(const char *name)
{
	autofree char *source = text("lab02-%s", name);
	struct stat before, after;
	int failed = stat("/etc", &before);
	SYS(mount(source, "/etc", "tmpfs", 0, NULL));
	if (failed || stat("/etc", &after) || after.st_dev == before.st_dev)
		return; /* nothing is written to an /etc that is not ours */
	close(open("/etc/config", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	file_write("/etc/config", name);
}

/* What the process pid finds at path, by its own root and table; proc_pid_root(5) */
static char *found_by(pid_t pid, const char *path)
{
	autofree char *below = text("/proc/%d/root%s", pid, path);
	char *content = file_try_read(below);
	return content ? content : text("%s", errno_name(errno));
}

static int lists(pid_t pid, const char *source)
{
	autofree char *path = text("/proc/%d/mountinfo", pid);
	autofree char *table = file_read(path);
	return strstr(table, source) != NULL;
}

/* A user namespace may take no flag away that the mount has: mount_namespaces(7). */
static void make_read_only(const char *path)
{
	struct statvfs fs;
	if (statvfs(path, &fs))
		die("statvfs %s", path);
	unsigned long kept = fs.f_flag & (MS_NOSUID | MS_NODEV | MS_NOEXEC);
	SYS(mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | kept, NULL));
}

static bool enter_rootfs(const char *volume)
{
	struct stat tree_st, root_st;
	struct statvfs root_fs;
	autofree char *tree = file_rootfs(), *below_mnt = text("/mnt%s", program);

	SYS(mount(tree, tree, NULL, MS_BIND, NULL)); /* a root must be a mount point */
	make_read_only(tree);
	SYS(chdir(tree));
	if (volume)
		SYS(mount(volume, "var/lib", NULL, MS_BIND, NULL));
	if (lab_command) { /* for comfort: a /tmp to write to, and /proc where that is allowed */
		SYS(mount("lab02-tmp", "tmp", "tmpfs", MS_NOSUID | MS_NODEV, NULL));
		mount("proc", "proc", "proc", 0, NULL);
	}
	SYS(pivot_root(".", "mnt"));
	if (stat(".", &tree_st) || stat("/", &root_st) || statvfs("/", &root_fs))
		die("stat, statvfs /");
	bool moved = tree_st.st_dev == root_st.st_dev && tree_st.st_ino == root_st.st_ino;
	autofree char *root = text("%s, %s", moved ? "the rootfs" : "the host's",
		root_fs.f_flag & ST_RDONLY ? "read-only" : "writable");
	return expect_str("its root", "the rootfs, read-only", root) &&
	       expect_errno("a path of the host, below /mnt", 0, access(below_mnt, F_OK));
}

static void leave_host(void)
{
	autofree char *below_mnt = text("/mnt%s", program);
	SYS(umount2("/mnt", MNT_DETACH));
	expect_errno("umounted: that path below /mnt", ENOENT, access(below_mnt, F_OK));
	expect_errno("the same path from /", ENOENT, access(program, F_OK));
}

static void use_volume(void)
{
	int fd = SYS(open("/var/lib/note", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	SYS(write(fd, "from inside", 11));
	close(fd);
	make_read_only("/var/lib");
	expect_errno("read-only: open() to write", EROFS, open("/var/lib/note", O_WRONLY));
}

static _Noreturn void web(const char *volume)
{
	bool inside = own_table("web: its mount table", true);
	if (inside)
		mount_etc("web");
	gate_open(&ready);

	gate_wait(&go);
	inside = inside && enter_rootfs(volume);
	gate_open(&ready);

	gate_wait(&go);
	if (inside)
		leave_host();
	gate_open(&ready);

	gate_wait(&go);
	if (inside)
		use_volume();
	gate_open(&ready);
	child_idle();
}

static _Noreturn void db(void)
{
	if (own_table("db: its mount table", true))
		mount_etc("db");
	gate_open(&ready);
	child_idle();
}

static _Noreturn void hands_on(void)
{
	SYS(unshare(CLONE_NEWPID)); /* lab 01: a /proc of its own takes one */
	pid_t first = FORK();
	if (first == 0 && own_table("own mount table", true) && enter_rootfs(NULL)) {
		leave_host();
		lab_exec_command();
	}
	lab_exit_as(first);
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	if (geteuid() != 0) {
		SYS(unshare(CLONE_NEWUSER)); /* lab 05 shows what this does */
		ns_map_root();
		lab_note("An ordinary user needs a user namespace for the rest: lab 05.");
	}
	program = realpath("/proc/self/exe", NULL);
	if (!program)
		die("realpath /proc/self/exe");
	if (lab_command)
		hands_on();
	gate_init(&ready), gate_init(&go);
	pid_t self = getpid();

	lab_step("A mount table that plays the host, so that this machine keeps its own.", NULL);
	if (!own_table("host: its mount table", true))
		return lab_end();
	mount_etc("host");
	autofree char *of_host = found_by(self, "/etc/config");
	if (!expect_str("host: /etc/config", "host", of_host))
		return lab_end();
	SYS(mount(NULL, "/etc", NULL, MS_SHARED, NULL)); /* as systemd has every mount */

	lab_predict("leak");
	lab_step("Control: a child copies the table, and no more. Its mount must leak.", NULL);
	pid_t child = FORK();
	if (child == 0) {
		if (own_table("control: its mount table", false))
			mount_etc("control");
		_exit(0);
	}
	child_done(child);
	autofree char *leaked = found_by(self, "/etc/config");
	lab_answer("leak", strcmp(leaked, "control") ? "inside" : "both");
	bool did_leak = expect_str("control: the host's /etc/config", "control", leaked);
	lab_look("grep lab02 /proc/%d/mountinfo", self);
	lab_wait(0);
	if (did_leak)
		SYS(umount2("/etc", 0));

	lab_step("The same with MS_PRIVATE. Only the inside must list the mount.", NULL);
	const char *volume = tmp_folder(); /* for later: a folder of the host */
	pid_t web_pid = FORK();
	if (web_pid == 0)
		web(volume);
	undo_kill(web_pid);
	gate_wait(&ready);
	expect_int("listed inside", 1, lists(web_pid, "lab02-web"));
	expect_int("listed on the host", 0, lists(self, "lab02-web"));
	lab_look("grep lab02 /proc/%d/mountinfo", web_pid);
	lab_wait(web_pid);

	lab_step("A second container. One path, /etc/config, must have three contents.", NULL);
	pid_t db_pid = FORK();
	if (db_pid == 0)
		db();
	undo_kill(db_pid);
	gate_wait(&ready);
	autofree char *in_web = found_by(web_pid, "/etc/config");
	autofree char *in_db = found_by(db_pid, "/etc/config");
	autofree char *outside = found_by(self, "/etc/config");
	autofree char *contents = text("%s, %s, %s", in_web, in_db, outside);
	expect_str("in web, in db, outside", "web, db, host", contents);
	lab_look("cat /proc/%d/root/etc/config /proc/%d/root/etc/config", web_pid, db_pid);
	lab_wait(db_pid);

	lab_step("A root of its own: web must move to the rootfs, its old root to /mnt.", NULL);
	gate_open(&go);
	gate_wait(&ready);
	lab_look("ls /proc/%d/root/ /proc/%d/root/mnt/", web_pid, web_pid);
	lab_wait(web_pid);

	lab_predict("root");
	lab_step("Let go of the old root. No path must lead to the host any more.", NULL);
	gate_open(&go);
	gate_wait(&ready);
	autofree char *from_web = found_by(web_pid, program);
	lab_answer("root", strcmp(from_web, "ENOENT") ? "there" : "gone");
	lab_look("ls /proc/%d/root/ /proc/%d/root/mnt/", web_pid, web_pid);
	lab_wait(web_pid);

	lab_predict("volume");
	lab_step("A volume: what is written inside must be outside, until it is read-only.", NULL);
	gate_open(&go);
	gate_wait(&ready);
	autofree char *note = text("%s/note", volume), *written = file_try_read(note);
	expect_str("outside: the file", "from inside", written ? written : errno_name(errno));
	expect_errno("outside: open() to write", 0, open(note, O_WRONLY | O_CLOEXEC));
	lab_answer("volume", written ? "yes" : "no");
	lab_look("cat %s", note);
	lab_wait(web_pid);

	lab_row("a mount made inside", "leaks to the host", "stays inside", "MS_PRIVATE");
	lab_row("/etc/config", "one content", "one for each", "CLONE_NEWNS");
	lab_row("a path of the host", "is found", "ENOENT", "pivot_root(), umount2()");
	lab_row("a file written inside", "-", "is outside too", "MS_BIND: a volume");
	lab_row("the same, read-only", "is written", "EROFS inside", "MS_RDONLY");
	return lab_end();
}
