/*
 * More of 14-overlay-fs: all containers share one inode and one page cache, what a copy-up costs,
 * an upper folder used as a layer, and a hundred containers. overlayfs.rst in the kernel's
 * documentation, proc_pid_smaps(5)
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

#include "kernel/file.h"
#include "kernel/mounts.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"
#include "words.h"

#define SIZE (1 << 20) /* of the program in the image */
#define CONTAINERS 100

static const struct lab lab = {
	.id = "14-overlay-fs/more",
	.title = "What layers share, and what they cost",
	.goal = "An image is on disk once and in memory once, for any number of containers. What a "
		"container changes is copied up, and costs the size of the whole file.",
	.manual = "mount(8) mmap(2) proc_pid_smaps(5) statfs(2)",
	.teaches = "mount:overlay mmap:MAP_SHARED umount2",
	.after = "14-overlay-fs",
	.needs = {.namespaces = true, .overlay = true},
	.words = &more_words,
	.story_only = true,
};

static const char *userxattr = "", *opaque = "trusted.overlay.opaque";
static struct gate ready, web_go, db_go;

/* As in main.c: everything that the lab writes goes to this filesystem. */
static bool mount_tmp(void)
{
	struct stat before, after;
	MUST(stat("/tmp", &before));
	SYS(mount("lab14", "/tmp", "tmpfs", 0, NULL));
	MUST(stat("/tmp", &after));
	/* Root of a user namespace may not write trusted.*: overlayfs.rst, userxattr */
	if (setxattr("/tmp", "trusted.lab14", "y", 1, 0) && errno == EPERM)
		userxattr = ",userxattr", opaque = "user.overlay.opaque";
	return expect_str("its /tmp", "a filesystem of its own",
		before.st_dev == after.st_dev ? "the machine's" : "a filesystem of its own");
}

static void make_folder(const char *path)
{
	if (mkdir(path, 0755))
		die("mkdir %s", path);
}

/* lower is one folder, or several with the uppermost first. The story does not show a hundred
 * calls. */
static void mount_root(const char *lower, const char *name)
{
	autofree char *root = text("%s/root", name);
	autofree char *upper = text("%s/upper", name), *work = text("%s/work", name);
	autofree char *layers =
		text("lowerdir=%s,upperdir=%s,workdir=%s%s", lower, upper, work, userxattr);
	make_folder(name), make_folder(root), make_folder(upper), make_folder(work);
	if (mount("overlay", root, "overlay", 0, layers))
		die("mount -o %s", layers);
}

static void write_file(const char *path, const char *content)
{
	close(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
	file_write(path, content);
}

static bool expect_content(const char *what, const char *expected, const char *path)
{
	autofree char *found = file_try_read(path);
	return expect_str(what, expected, found ? found : errno_name(errno));
}

/* Writes size bytes: the program of the image, or what a container writes. */
static void fill(const char *path, size_t size)
{
	static char data[SIZE];
	autoclose int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	memset(data, 'i', sizeof data);
	if (fd < 0 || !file_write_all(fd, data, size))
		die("open, write %s", path);
}

/* The space used on the lab's tmpfs in KiB, as df(1) reports it. */
static long long disk_used(void)
{
	struct statfs fs;
	if (statfs(".", &fs))
		die("statfs");
	return (long long)(fs.f_blocks - fs.f_bfree) * fs.f_bsize / 1024;
}

/* The value of key for the mapping at address, in KiB: proc_pid_smaps(5). */
static long long mapped(const volatile char *address, const char *key)
{
	autofree char *table = file_read("/proc/self/smaps");
	autofree char *start = text("%lx-", (unsigned long)address), *line = text("\n%s:", key);
	char *mapping = strstr(table, start);
	char *value = mapping ? strstr(mapping, line) : NULL;
	return value ? strtoll(value + strlen(line), NULL, 10) : -1;
}

/* Maps the program and reads a byte of each page, so that every page is in memory. */
static volatile char *map_all(const char *path)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	volatile char *program = SYS(mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0), fd);
	for (int i = 0; i < SIZE; i += 4096)
		(void)program[i];
	return program;
}

static _Noreturn void web(void)
{
	volatile char *program = map_all("web/root/program");
	expect_int("web, alone: Rss, KiB", SIZE / 1024, mapped(program, "Rss"));
	expect_int("web, alone: Pss, KiB", SIZE / 1024, mapped(program, "Pss"));
	gate_open(&ready);

	gate_wait(&web_go); /* db has mapped it too */
	expect_int("web, beside db: Pss, KiB", SIZE / 2 / 1024, mapped(program, "Pss"));
	gate_open(&ready);

	gate_wait(&web_go); /* db has a copy */
	expect_int("web, db has a copy: Pss, KiB", SIZE / 1024, mapped(program, "Pss"));
	gate_open(&ready);
	child_idle();
}

static _Noreturn void db(void)
{
	volatile char *program = map_all("db/root/program");
	expect_int("db, beside web: Rss, KiB", SIZE / 1024, mapped(program, "Rss"));
	expect_int("db, beside web: Pss, KiB", SIZE / 2 / 1024, mapped(program, "Pss"));
	gate_open(&ready);

	gate_wait(&db_go);
	long long before = disk_used();
	int fd = SYS(open("db/root/program", O_WRONLY | O_CLOEXEC));
	SYS(write(fd, "d", 1), fd);
	close(fd);
	expect_int("upper, for one byte: KiB", SIZE / 1024, disk_used() - before);
	volatile char *copy = map_all("db/root/program");
	autofree char *bytes = text("%c, then %c", copy[0], program[0]);
	expect_str("db: first byte, by the old mapping", "d, then i", bytes);
	munmap((void *)program, SIZE);
	expect_int("db, its copy: Pss, KiB", SIZE / 1024, mapped(copy, "Pss"));
	gate_open(&ready);
	child_idle();
}

/* Deletes a folder of the image and creates it again; an opaque mark hides the old contents. */
static void replace_folder(void)
{
	char mark[8] = "";
	/* The overlay sets such a mark itself: trusted.* for root, user.* for an ordinary user. */
	if (setxattr("late/upper", opaque, "n", 1, 0)) {
		if (errno != EOPNOTSUPP)
			die("setxattr %s", opaque);
		check_skip("opaque folder", "user.* xattrs on a tmpfs: they came with Linux 6.6",
			"as root, or WHERE=vm");
		return;
	}
	removexattr("late/upper", opaque);
	if (unlink("late/root/etc/old") || rmdir("late/root/etc"))
		die("unlink, rmdir late/root/etc");
	SYS(mkdir("late/root/etc", 0755));
	expect_errno("the old file in it", ENOENT, access("late/root/etc/old", F_OK));
	long n = getxattr("late/upper/etc", opaque, mark, sizeof mark - 1);
	expect_str("upper: overlay.opaque", "y", n < 0 ? errno_name(errno) : mark);
	expect_content("image: the old file", "as built", "image/etc/old");
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	if (geteuid() != 0) {
		SYS(unshare(CLONE_NEWUSER)); /* lab 05 shows what this does */
		ns_map_root();
		lab_note(
			"You are an ordinary user: this runs in a user namespace, where you are root.");
	}
	gate_init(&ready), gate_init(&web_go), gate_init(&db_go);
	struct stat image = {0}, in_web = {0}, in_db = {0};
	pid_t self = getpid();

	lab_step("Mount two overlays on one image.",
		"a file has one inode number in both, and two device numbers");
	mounts_unshare();
	if (!mount_tmp())
		return lab_end_early();
	MUST(chdir("/tmp"));
	make_folder("image"), make_folder("image/etc");
	write_file("image/config", "as built"), write_file("image/secret", "as built");
	write_file("image/etc/old", "as built"), fill("image/program", SIZE);
	mount_root("image", "web"), mount_root("image", "db");
	stat("image/program", &image);
	stat("web/root/program", &in_web), stat("db/root/program", &in_db);
	if (!expect_int("web: inode of the image's", image.st_ino, in_web.st_ino) ||
		!expect_int("db: inode of the image's", image.st_ino, in_db.st_ino))
		return lab_end_early();
	expect_str("its device", "another in each",
		in_web.st_dev == in_db.st_dev ? "the same" : "another in each");
	lab_look("cd /proc/%d/root/tmp; ls -i image web/root db/root", self);
	lab_wait(self);

	lab_step("The container web maps the program of the image.",
		"web is charged for every page: Pss equals Rss");
	pid_t web_pid = FORK();
	if (web_pid == 0)
		web();
	undo_kill(web_pid);
	gate_wait(&ready);
	lab_look("grep -A 4 program /proc/%d/smaps", web_pid);
	lab_wait(web_pid);

	lab_step("The container db maps the same program.",
		"both use the same page cache: each has half of the size as its Pss");
	pid_t db_pid = FORK();
	if (db_pid == 0)
		db();
	undo_kill(db_pid);
	gate_wait(&ready);
	gate_open(&web_go);
	gate_wait(&ready);
	lab_look("grep -A 4 program /proc/%d/smaps", web_pid);
	lab_look("grep -A 4 program /proc/%d/smaps", db_pid);
	lab_wait(db_pid);

	lab_step("Control: db writes one byte of the program.",
		"the kernel copies the whole file; the two no longer share memory");
	gate_open(&db_go);
	gate_wait(&ready);
	gate_open(&web_go);
	gate_wait(&ready);
	lab_look("cd /proc/%d/root/tmp; ls -l db/upper web/upper", self);
	lab_look("grep -A 4 program /proc/%d/smaps", web_pid);
	lab_wait(db_pid);

	lab_step(
		"Use the upper folder of web as a layer of a third container, as docker commit does.",
		"where two layers have a file, the higher one wins");
	write_file("web/root/config", "by web");
	if (unlink("web/root/secret"))
		die("unlink web/root/secret");
	SYS(kill(web_pid, SIGKILL), web_pid);
	child_wait(web_pid);
	SYS(umount2("web/root", 0));
	mount_root("web/upper:image", "late");
	expect_content("late: config", "by web", "late/root/config");
	expect_content("late: secret", "ENOENT", "late/root/secret");
	expect_content("image: secret", "as built", "image/secret");
	lab_look("cd /proc/%d/root/tmp; ls -l web/upper image late/root", self);
	lab_wait(self);

	lab_step("Delete a folder of the image and create it again.",
		"the new folder is empty, and the image keeps the old one");
	replace_folder();
	lab_wait(self);

	lab_step("Mount 100 overlays, and write one page in each.",
		"they cost 100 pages; one copy of the program costs its whole size");
	long page = sysconf(_SC_PAGESIZE);
	long long before = disk_used();
	for (int i = 0; i < CONTAINERS; i++) {
		autofree char *name = text("c%d", i), *file = text("c%d/root/log", i);
		mount_root("image", name);
		fill(file, (size_t)page);
	}
	expect_int("100 containers: KiB", CONTAINERS * page / 1024, disk_used() - before);
	before = disk_used();
	fill("copy", SIZE);
	expect_int("control: a copy of program: KiB", SIZE / 1024, disk_used() - before);
	lab_look("grep -c overlay /proc/%d/mountinfo", self);
	lab_wait(self);

	lab_row("a file of the image", "-", "one inode", "lowerdir=");
	lab_row("its memory, two readers", "twice", "once: Pss is a half", "the page cache");
	lab_row("one byte is written", "-", "the whole file", "copy-up");
	lab_row("a secret, deleted later", "-", "is still in the image", "whiteout");
	lab_row("100 containers", "100 images", "what they wrote", "upperdir=");
	return lab_end();
}
