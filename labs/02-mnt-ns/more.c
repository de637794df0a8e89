/*
 * More of 02-mnt-ns: who gets out of chroot(2) and who does not get out of
 * pivot_root(2), what a leaked descriptor does, one-way propagation, and why
 * pivot_root() refuses. pivot_root(2), chroot(2), mount_namespaces(7)
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"
#include "words.h"

static const struct lab_part parts[] = {
	{.name = "rm",
		.title = "rm -rf /* inside: the host must lose nothing but what a volume exposes.",
		.needs = {.namespaces = true},
		.hazard = true},
	{0},
};

static const struct lab lab = {
	.id = "02-mnt-ns/more",
	.title = "Ways out of a root, and why pivot_root() closes them",
	.goal = "chroot() moves a starting point, pivot_root() changes the mount table. Only what is "
		"not in the table, and is held by no descriptor, is out of reach.",
	.manual = "pivot_root(2) chroot(2) mount_namespaces(7) close_range(2)",
	.teaches = "unshare:CLONE_NEWNS chroot pivot_root umount2:MNT_DETACH fchdir close_range "
		   "mount:MS_SLAVE mount:MS_SHARED",
	.after = "02-mnt-ns",
	.needs = {.namespaces = true},
	.parts = parts,
	.words = &more_words,
	.story_only = true,
};

static struct gate ready, go;
static char *tree;
static struct stat host_root; /* how a root is told from another: by device and inode */

static int pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

/* As in main.c: in each child, before it mounts anything or changes its root. */
static bool own_table(const char *who, unsigned long propagation)
{
	autofree char *what = text("%s: its mount table", who);
	long before = ns_inode(0, "mnt");
	if (unshare(CLONE_NEWNS))
		die("unshare");
	if (ns_inode(0, "mnt") != before && mount(NULL, "/", NULL, MS_REC | propagation, NULL))
		die("mount: propagation");
	autofree char *observed = ns_mount_table(before);
	return expect_str(what, propagation == MS_SLAVE ? "own, slave" : "own, private", observed);
}

/* One folder has one device and one inode, by whatever path it is reached. */
static bool same(const char *path, const char *other)
{
	struct stat a, b;
	if (stat(path, &a) || stat(other, &b))
		die("stat %s and %s", path, other);
	return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static const char *root(void)
{
	struct stat st;
	if (stat("/", &st))
		die("stat /");
	return st.st_dev == host_root.st_dev && st.st_ino == host_root.st_ino ? "the host's"
									      : "the rootfs";
}

/* Read back, because the next thing is to write to it. */
static void mount_tmpfs(const char *source, const char *path)
{
	struct stat before, after;
	if (stat(path, &before) || mount(source, path, "tmpfs", 0, NULL) || stat(path, &after) ||
		before.st_dev == after.st_dev)
		die("stat, mount: a tmpfs on %s", path);
}

/* The rootfs with a /tmp to write to, and the two ways to make it the root. */
static bool enter(const char *who, bool pivot)
{
	autofree char *what = text("%s: the root", who);
	if (mount(tree, tree, NULL, MS_BIND, NULL) || chdir(tree))
		die("mount, chdir %s", tree);
	mount_tmpfs("lab02-tmp", "tmp");
	if (pivot)
		SYS(pivot_root(".", "mnt"));
	else
		SYS(chroot("."));
	if (!expect_str(what, "the rootfs", root()))
		return false;
	if (pivot)
		SYS(umount2("/mnt", MNT_DETACH));
	return true;
}

/* A second chroot() leaves the working folder outside of the root, where ".." meets no stop. */
static _Noreturn void second_chroot(const char *who, bool pivot, const char *expected)
{
	autofree char *what = text("%s: then the root is", who);
	if (own_table(who, MS_PRIVATE) && enter(who, pivot)) {
		SYS(mkdir("/tmp/x", 0700));
		SYS(chroot("/tmp/x"));
		for (int i = 0; i < 64; i++)
			if (chdir(".."))
				die("chdir ..");
		SYS(chroot("."));
		expect_str(what, expected, root());
	}
	_exit(0);
}

/* A descriptor of the old root that was left open, as in CVE-2024-21626. */
static _Noreturn void leaked_fd(const char *who, bool pivot, bool closed)
{
	autofree char *what = text("%s: fchdir()", who);
	autofree char *then = text("%s: then the root is", who);
	int fd = open("/", O_RDONLY | O_DIRECTORY);
	if (own_table(who, MS_PRIVATE) && enter(who, pivot)) {
		if (closed)
			SYS(close_range(3, ~0U, 0)); /* all but the three that everybody has */
		if (expect_errno(what, closed ? EBADF : 0, fchdir(fd)) && !closed) {
			SYS(chroot("."));
			expect_str(then, "the host's", root());
		}
	}
	_exit(0);
}

/* Whether the container's program gets the descriptor: the status of a shell that uses it. */
static int given_to_program(int flags)
{
	pid_t child = FORK();
	if (child == 0) {
		int fd = open("/", O_RDONLY | O_DIRECTORY | flags);
		autofree char *shell = text("%s/bin/sh", tree), *use = text("true <&%d", fd);
		close(STDERR_FILENO);
		execl(shell, "sh", "-c", use, (char *)NULL);
		_exit(127);
	}
	return child_done(child);
}

/* Why pivot_root() must fail as things are: the manual has one errno for many reasons. */
static const char *reason(const char *new_root, const char *put_old)
{
	autofree char *table = file_read("/proc/self/mountinfo");
	autofree char *field = text(" %s ", new_root); /* the fifth: where it is mounted */
	char *line = strstr(table, field);
	if (same(put_old, "/"))
		return "the root";
	if (!line)
		return "no mount";
	line[strcspn(line, "\n")] = '\0';
	return strstr(line, " shared:") ? "shared" : "private";
}

static bool expect_pivot(
	const char *what, const char *expected, const char *new_root, const char *put_old)
{
	const char *why = reason(new_root, put_old);
	long rc = pivot_root(new_root, put_old);
	autofree char *observed = text("%s: %s", errno_name(rc ? errno : 0), why);
	return expect_str(what, expected, observed);
}

static _Noreturn void refusals(void)
{
	const char *new_root = "/etc/root";
	if (own_table("refusals", MS_PRIVATE)) {
		mount_tmpfs("lab02-new", "/etc");
		SYS(mkdir(new_root, 0755));
		expect_pivot("to a plain folder", "EINVAL: no mount", new_root, new_root);
		SYS(mount(new_root, new_root, NULL, MS_BIND, NULL));
		SYS(mount(NULL, new_root, NULL, MS_SHARED, NULL));
		if (!expect_pivot("to a shared mount", "EINVAL: shared", new_root, new_root))
			_exit(1); /* it has another root now */
		SYS(mount(NULL, new_root, NULL, MS_PRIVATE, NULL));
		expect_pivot("the root put on itself", "EBUSY: the root", new_root, "/");
		expect_pivot("to a private mount", "success: private", new_root, new_root);
	}
	_exit(0);
}

static bool listed(pid_t pid, const char *source)
{
	autofree char *path = text("/proc/%d/mountinfo", pid), *table = file_read(path);
	return strstr(table, source) != NULL;
}

/* Twice: one that hears of the host's mounts, and one that does not. */
static pid_t listener(const char *who, unsigned long propagation)
{
	pid_t child = FORK();
	if (child == 0) {
		if (own_table(who, propagation) &&
			mount("lab02-inside", "/etc/in", "tmpfs", 0, NULL))
			die("mount on /etc/in");
		gate_open(&ready);
		child_idle();
	}
	undo_kill(child);
	gate_wait(&ready);
	return child;
}

/* "/ /data": where the table of pid has its mounts; proc_pid_mountinfo(5) */
static char *mount_points(pid_t pid)
{
	autofree char *path = text("/proc/%d/mountinfo", pid), *table = file_read(path);
	char *points = text("%s", ""), *rest;
	for (char *line = strtok_r(table, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		autofree char *before = points;
		char point[256];
		if (sscanf(line, "%*s %*s %*s %*s %255s", point) != 1)
			die("%s: %s", path, line);
		points = text("%s%s%s", before, *before ? " " : "", point);
	}
	return points;
}

/* How many of these the host has: the census before and after. */
static int files_of_host(void)
{
	static const char *const names[] = {"bin/busybox", "bin/sh", "etc/passwd", "etc/hostname",
		"usr/bin/env", "usr/local/bin/eat"};
	int count = !access("/proc/self/exe", F_OK);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		autofree char *path = text("%s/%s", tree, names[i]);
		count += !access(path, F_OK);
	}
	return count;
}

static void copy(const char *from, const char *to)
{
	struct stat st;
	autoclose int in = open(from, O_RDONLY | O_CLOEXEC);
	autoclose int out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	if (in < 0 || out < 0 || fstat(in, &st) ||
		sendfile(out, in, NULL, (size_t)st.st_size) != st.st_size)
		die("open, fstat, sendfile: a copy of %s", from);
}

/* A root that may be lost: a busybox and its shell, on a tmpfs, and the volume. */
static void lose(const char *new_root, const char *volume)
{
	autofree char *busybox = text("%s/bin/busybox", tree);
	mount_tmpfs("lab02-rm", new_root);
	if (chdir(new_root) || mkdir("bin", 0755) || mkdir("data", 0755) || mkdir("mnt", 0755))
		die("chdir, mkdir: a root in %s", new_root);
	copy(busybox, "bin/busybox");
	if (symlink("busybox", "bin/sh"))
		die("symlink: a shell in %s", new_root);
	SYS(mount(volume, "data", NULL, MS_BIND, NULL));
	SYS(pivot_root(".", "mnt"));
	if (same("/", ".")) /* else /mnt is the host's */
		SYS(umount2("/mnt", MNT_DETACH));
}

/* It waits for the word of one that has seen its table. */
static _Noreturn void remover(const char *volume)
{
	autofree char *new_root = text("%s/mnt", tree);
	if (own_table("rm", MS_PRIVATE))
		lose(new_root, volume);
	gate_open(&ready);
	gate_wait(&go);
	close(STDERR_FILENO); /* where rm would say that it cannot remove a mount point */
	execl("/bin/sh", "sh", "-c", "rm -rf /*", (char *)NULL);
	_exit(127);
}

static void remove_all(void)
{
	autofree char *volume = text("%s", tmp_folder()), *file = text("%s/file", volume);
	close(SYS(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
	int before = files_of_host();
	pid_t child = FORK();
	if (child == 0)
		remover(volume);
	undo_kill(child);
	gate_wait(&ready);
	autofree char *points = mount_points(child), *path = text("/proc/%d/root", child);
	if (!expect_str("rm: all that it has mounted", "/ /data", points))
		return;
	autoclose int inside = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	expect_errno("rm: its busybox", 0, faccessat(inside, "bin/busybox", F_OK, 0));
	lab_look("ls /proc/%d/root/", child);
	lab_wait(child);
	gate_open(&go);
	child_done(child);
	expect_errno("rm: its busybox, after", ENOENT, faccessat(inside, "bin/busybox", F_OK, 0));
	expect_int("host: named files", before, files_of_host());
	expect_errno("volume: its file", ENOENT, access(file, F_OK));
	lab_row("rm -rf /*", "-", "takes its root, and a volume", "pivot_root()");
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	if (geteuid() != 0) {
		SYS(unshare(CLONE_NEWUSER)); /* lab 05 shows what this does */
		ns_map_root();
		lab_note("An ordinary user needs a user namespace for the rest: lab 05.");
	}
	gate_init(&ready), gate_init(&go);
	tree = file_rootfs();
	if (stat("/", &host_root))
		die("stat /");

	lab_step("chroot() alone: a second chroot() must lead out.", NULL);
	pid_t child = FORK();
	if (child == 0)
		second_chroot("chroot", false, "the host's");
	child_done(child);

	lab_step("The same after pivot_root() and umount2(): it must stay inside.", NULL);
	child = FORK();
	if (child == 0)
		second_chroot("pivot", true, "the rootfs");
	child_done(child);

	lab_step("chroot(), and a descriptor of the old root is open: it must lead out.", NULL);
	child = FORK();
	if (child == 0)
		leaked_fd("fd, chroot", false, false);
	child_done(child);

	lab_step("pivot_root(), and the same descriptor: it must lead out of this one too.", NULL);
	child = FORK();
	if (child == 0)
		leaked_fd("fd, pivot", true, false);
	child_done(child);

	lab_step("It is closed first, or by exec(): then it must be of no use.", NULL);
	child = FORK();
	if (child == 0)
		leaked_fd("closed fd", true, true);
	child_done(child);
	expect_int("control: a program gets it", 0, given_to_program(0));
	expect_differ("O_CLOEXEC: the same program", 0, given_to_program(O_CLOEXEC));

	lab_step("What pivot_root() refuses, and for which of its reasons.", NULL);
	child = FORK();
	if (child == 0)
		refusals();
	child_done(child);

	lab_step("MS_SLAVE goes one way: from the host in, and never from inside out.", NULL);
	if (own_table("host", MS_PRIVATE)) {
		mount_tmpfs("lab02-host", "/etc");
		if (mkdir("/etc/in", 0755) || mkdir("/etc/out", 0755))
			die("mkdir: a host in /etc");
		SYS(mount(NULL, "/etc", NULL, MS_SHARED, NULL));
		pid_t slave = listener("slave", MS_SLAVE),
		      private = listener("private", MS_PRIVATE);
		SYS(mount("lab02-outside", "/etc/out", "tmpfs", 0, NULL));
		expect_int("the slave's mount, on the host", 0, listed(getpid(), "lab02-inside"));
		expect_int("the host's mount, in the slave", 1, listed(slave, "lab02-outside"));
		expect_int("control: in a private one", 0, listed(private, "lab02-outside"));
		lab_look("grep lab02 /proc/%d/mountinfo", slave);
		lab_wait(slave);
	}

	lab_row("a second chroot()", "chroot(): gets out", "stays inside", "pivot_root()");
	lab_row("an open descriptor", "gets out of both", "EBADF: closed first", "close_range()");
	lab_row("a program that is started", "gets it", "does not", "O_CLOEXEC");
	lab_row("the host mounts", "private: unseen", "slave: seen", "MS_SLAVE");
	if (lab_part("rm"))
		remove_all();
	return lab_end();
}
