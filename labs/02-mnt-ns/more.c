/*
 * More of 02-mnt-ns: how a process leaves a root that chroot(2) made, why it cannot
 * leave one that pivot_root(2) made, what a leaked descriptor does, and why
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
		.title = "Run rm -rf /* in a root with a volume.",
		.expect = "the host loses the files in the volume, and nothing else",
		.needs = {.namespaces = true},
		.hazard = true},
	{0},
};

static const struct lab lab = {
	.id = "02-mnt-ns/more",
	.title = "Ways out of a root, and why pivot_root() closes them",
	.goal = "chroot() changes where a path starts, pivot_root() changes the mount table. Files are out "
		"of reach only when no mount shows them and no descriptor is open.",
	.manual = "pivot_root(2) chroot(2) mount_namespaces(7) close_range(2)",
	.teaches = "unshare:CLONE_NEWNS chroot pivot_root umount2:MNT_DETACH fchdir close_range",
	.after = "02-mnt-ns",
	.needs = {.namespaces = true},
	.parts = parts,
	.words = &more_words,
	.story_only = true,
};

static struct gate ready, go;
static char *tree;
static struct stat host_root; /* a folder is recognized by its device and inode */

static int pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

/* As in main.c: every child here calls it before it mounts anything or changes its root. */
static bool unshare_mounts(const char *who)
{
	autofree char *what = text("%s: its mount table", who);
	ino_t before = ns_inode(0, "mnt");
	MUST(unshare(CLONE_NEWNS));
	if (ns_inode(0, "mnt") !=
		before) /* otherwise the next call would change the host's table */
		MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	autofree char *table = ns_mount_table(before);
	return expect_str(what, "own, private", table);
}

/* A folder has the same device and inode whatever path leads to it. */
static bool same(const char *path, const char *other)
{
	struct stat a, b;
	(void)(MUST(stat(path, &a)), MUST(stat(other, &b)));
	return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static const char *root(void)
{
	struct stat st;
	MUST(stat("/", &st));
	return st.st_dev == host_root.st_dev && st.st_ino == host_root.st_ino ? "the host's"
									      : "the rootfs";
}

/* Checks that the tmpfs is there, because the caller then writes to it. */
static void mount_tmpfs(const char *source, const char *path)
{
	struct stat before, after;
	if (stat(path, &before) || mount(source, path, "tmpfs", 0, NULL) || stat(path, &after) ||
		before.st_dev == after.st_dev)
		die("stat, mount: a tmpfs on %s", path);
}

/* Makes the rootfs the root, in one of the two ways, with a /tmp that can be written to. */
static bool enter(const char *who, bool pivot)
{
	autofree char *what = text("%s: the root", who);
	(void)(MUST(mount(tree, tree, NULL, MS_BIND, NULL)), MUST(chdir(tree)));
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

/*
 * The second chroot() moves the root below the current directory. ".." stops only at
 * the root, so from there it goes up to the first root of all.
 */
static _Noreturn void second_chroot(const char *who, bool pivot, const char *expected)
{
	autofree char *what = text("%s: then the root is", who);
	if (unshare_mounts(who) && enter(who, pivot)) {
		SYS(mkdir("/tmp/x", 0700));
		SYS(chroot("/tmp/x"));
		for (int i = 0; i < 64; i++)
			MUST(chdir(".."));
		SYS(chroot("."));
		expect_str(what, expected, root());
	}
	_exit(0);
}

/* A descriptor of the old root stays open, as in CVE-2024-21626. */
static _Noreturn void leaked_fd(const char *who, bool pivot, bool closed)
{
	autofree char *what = text("%s: fchdir()", who), *then = text("%s: then the root is", who);
	int fd = open("/", O_RDONLY | O_DIRECTORY);
	if (unshare_mounts(who) && enter(who, pivot)) {
		if (closed)
			SYS(close_range(3, ~0U, 0)); /* all but 0, 1 and 2 */
		if (expect_errno(what, closed ? EBADF : 0, fchdir(fd)) && !closed) {
			SYS(chroot("."));
			expect_str(then, "the host's", root());
		}
	}
	_exit(0);
}

/* Starts a shell that uses the descriptor; its exit status is 0 when the shell has inherited it. */
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

/* Looks for the reason of a refusal itself, because pivot_root() has one errno for many reasons. */
static const char *reason(const char *new_root, const char *put_old)
{
	autofree char *table = file_read("/proc/self/mountinfo");
	autofree char *field =
		text(" %s ", new_root); /* the mount point, the fifth field of a line */
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
	if (unshare_mounts("refusals")) {
		mount_tmpfs("lab02-new", "/etc");
		SYS(mkdir(new_root, 0755), new_root);
		expect_pivot("to a plain folder", "EINVAL: no mount", new_root, new_root);
		SYS(mount(new_root, new_root, NULL, MS_BIND, NULL), new_root);
		SYS(mount(NULL, new_root, NULL, MS_SHARED, NULL), new_root);
		if (!expect_pivot("to a shared mount", "EINVAL: shared", new_root, new_root))
			_exit(1); /* the call was allowed, so the root has changed */
		SYS(mount(NULL, new_root, NULL, MS_PRIVATE, NULL), new_root);
		expect_pivot("the root put on itself", "EBUSY: the root", new_root, "/");
		expect_pivot("to a private mount", "success: private", new_root, new_root);
	}
	_exit(0);
}

/* The mount points of the process pid, such as "/ /data"; proc_pid_mountinfo(5) */
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

/* Counts which of these files of the host are there, before and after rm. */
static int files_of_host(void)
{
	static const char *const names[] = {"bin/busybox", "bin/sh", "etc/passwd", "etc/hostname"};
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

/* Enters a root that may be destroyed: a tmpfs with a busybox and its shell, and the volume. */
static void enter_tmpfs(const char *volume)
{
	autofree char *busybox = text("%s/bin/busybox", tree), *new_root = text("%s/mnt", tree);
	mount_tmpfs("lab02-rm", new_root);
	if (chdir(new_root) || mkdir("bin", 0755) || mkdir("data", 0755) || mkdir("mnt", 0755))
		die("chdir, mkdir: a root in %s", new_root);
	copy(busybox, "bin/busybox");
	MUST(symlink("busybox", "bin/sh"));
	SYS(mount(volume, "data", NULL, MS_BIND, NULL), volume);
	SYS(pivot_root(".", "mnt"));
	if (same("/", ".")) /* otherwise /mnt is the host's own folder */
		SYS(umount2("/mnt", MNT_DETACH));
}

/* Waits until its parent has checked the mount table, because rm deletes what is mounted. */
static _Noreturn void remover(const char *volume)
{
	if (unshare_mounts("rm"))
		enter_tmpfs(volume);
	gate_open(&ready);
	gate_wait(&go);
	close(STDERR_FILENO); /* rm complains there that it cannot remove a mount point */
	execl("/bin/sh", "sh", "-c", "rm -rf /*", (char *)NULL);
	_exit(127);
}

static void remove_all(void)
{
	autofree char *volume = text("%s", tmp_folder()), *file = text("%s/file", volume);
	close(SYS(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600), file));
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
	lab_row("rm -rf /*", "-", "deletes its root and the volume", "pivot_root()");
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	if (geteuid() != 0) {
		SYS(unshare(CLONE_NEWUSER)); /* lab 05 shows what this does */
		ns_map_root();
		lab_note("You are an ordinary user, so this runs in a user namespace (lab 05).");
	}
	gate_init(&ready), gate_init(&go);
	tree = file_rootfs();
	MUST(stat("/", &host_root));

	lab_step("Enter the rootfs by chroot() alone, then call chroot() again.",
		"with the second chroot() the process gets out");
	pid_t child = FORK();
	if (child == 0)
		second_chroot("chroot", false, "the host's");
	child_done(child);

	lab_step("Use pivot_root() and umount2(), then do the same.", "the process stays inside");
	child = FORK();
	if (child == 0)
		second_chroot("pivot", true, "the rootfs");
	child_done(child);

	lab_step("Enter by chroot(), with a descriptor of the old root still open.",
		"fchdir() leads out");
	child = FORK();
	if (child == 0)
		leaked_fd("fd, chroot", false, false);
	child_done(child);

	lab_step("Enter by pivot_root(), with the same descriptor still open.",
		"fchdir() leads out of this root too");
	child = FORK();
	if (child == 0)
		leaked_fd("fd, pivot", true, false);
	child_done(child);

	lab_step("Close the descriptor before it is used; and let exec() close another one.",
		"neither descriptor can be used any more");
	child = FORK();
	if (child == 0)
		leaked_fd("closed fd", true, true);
	child_done(child);
	expect_int("control: a program gets it", 0, given_to_program(0));
	expect_differ("O_CLOEXEC: the same program", 0, given_to_program(O_CLOEXEC));

	lab_step("Call pivot_root() with folders that it does not accept.",
		"EINVAL for no mount or a shared one, EBUSY for the root itself");
	child = FORK();
	if (child == 0)
		refusals();
	child_done(child);

	lab_row("a second chroot()", "chroot(): gets out", "stays inside", "pivot_root()");
	lab_row("an open descriptor", "gets out of both", "EBADF: closed first", "close_range()");
	lab_row("a program that is started", "inherits it", "does not", "O_CLOEXEC");
	if (lab_part("rm"))
		remove_all();
	return lab_end();
}
