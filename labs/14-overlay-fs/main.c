/*
 * Layers. An overlay shows two folders as one: an image below, which is only
 * read, and above it what one container has written. overlayfs.rst in the
 * kernel's documentation, mount(8)
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"
#include "words.h"

static const struct lab lab = {
	.id = "14-overlay-fs",
	.title = "Layers",
	.goal = "A container can write everywhere in its root, and yet all containers share one "
		"image: an overlay puts a folder of each one's own on top of it.",
	.manual = "mount(8) mount(2) mount_namespaces(7)",
	.teaches = "mount:overlay mount:MS_BIND",
	.after = "02-mnt-ns",
	.needs = {.namespaces = true, .overlay = true, .kernel = "5.11"},
	.own_root = true,
	.words = &words,
};

static const char *xattrs = ""; /* the marks of an overlay: for root alone, or for anybody */

static int pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

/* A mount table of our own (lab 02), and in it a /tmp of our own: all that we write goes there. */
static bool own_place(void)
{
	struct stat before, after;
	long mnt = ns_inode(0, "mnt");
	SYS(unshare(CLONE_NEWNS));
	if (ns_inode(0, "mnt") != mnt)
		SYS(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	autofree char *table = ns_mount_table(mnt);
	if (!expect_str("its mount table", "own, private", table))
		return false;
	if (stat("/tmp", &before) || mount("lab14", "/tmp", "tmpfs", 0, NULL) ||
		stat("/tmp", &after))
		die("stat, mount: a tmpfs on /tmp");
	return expect_str("its /tmp", "a filesystem of its own",
		before.st_dev == after.st_dev ? "the machine's" : "a filesystem of its own");
}

/* Twice: the root of a container, of the image and an upper folder of its own. */
static void mount_root(const char *image, const char *name)
{
	autofree char *root = text("%s/root", name);
	autofree char *upper = text("%s/upper", name), *work = text("%s/work", name);
	autofree char *layers =
		text("lowerdir=%s,upperdir=%s,workdir=%s%s", image, upper, work, xattrs);
	if (mkdir(name, 0755) || mkdir(root, 0755) || mkdir(upper, 0755) || mkdir(work, 0755))
		die("mkdir %s", name);
	lab_note("layers: %s", layers);
	SYS(mount("overlay", root, "overlay", 0, layers));
}

static void put(const char *path, const char *content)
{
	close(MUST(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)));
	file_write(path, content);
}

/* What stands in a file, or why it cannot be read. */
static char *content(const char *path)
{
	char *found = file_try_read(path);
	return found ? found : text("%s", errno_name(errno));
}

static bool expect_content(const char *what, const char *expected, const char *path)
{
	autofree char *observed = content(path);
	return expect_str(what, expected, observed);
}

static int visible(const struct dirent *entry)
{
	return *entry->d_name != '.';
}

/* "config secret": what is in a folder. */
static char *names_in(const char *folder)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, visible, alphasort);
	char *names = text("%s", count > 0 ? "" : "nothing");
	for (int i = 0; i < count; i++) {
		autofree char *before = names;
		names = text("%s%s%s", before, i ? " " : "", entries[i]->d_name);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return names;
}

static void expect_names(const char *what, const char *expected, const char *folder)
{
	autofree char *observed = names_in(folder);
	expect_str(what, expected, observed);
}

/* "device 0, 0" is a whiteout. */
static char *kind(const char *path)
{
	struct stat st;
	if (lstat(path, &st))
		return text("%s", errno_name(errno));
	if (S_ISCHR(st.st_mode))
		return text("device %u, %u", major(st.st_rdev), minor(st.st_rdev));
	return text("another kind of file");
}

/* The image of an ordinary user is unpacked as his own: he could copy up no file of another's. */
static const char *unpack(const char *tree)
{
	struct stat st;
	if (stat(tree, &st))
		die("stat %s", tree);
	if (st.st_uid == geteuid())
		return tree;
	pid_t child = fork();
	if (child == 0)
		execl("bin/busybox", "busybox", "cp", "-dR", tree, "/tmp/image", (char *)NULL);
	if (child < 0 || child_wait(child))
		die("fork, cp -dR %s", tree);
	return "/tmp/image";
}

/* COMMAND's root: the busybox tree, and on top of it what COMMAND writes. */
static _Noreturn void hands_on(void)
{
	autofree char *tree = file_rootfs();
	SYS(chdir(tree));           /* it may lie below /tmp, which will be another one soon */
	SYS(unshare(CLONE_NEWPID)); /* lab 01: a /proc of its own takes one */
	pid_t first = FORK();
	if (first == 0) {
		struct statfs fs;
		if (!own_place())
			die("no place of its own");
		mount_root(unpack("."), "/tmp/web");
		SYS(chdir("/tmp/web/root"));
		mount("proc", "proc", "proc", 0, NULL); /* where that is allowed */
		SYS(pivot_root(".", "mnt"));
		if (statfs("/", &fs) || fs.f_type != OVERLAYFS_SUPER_MAGIC)
			die("the root is no overlay");
		SYS(umount2("/mnt", MNT_DETACH));
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
		xattrs = ",userxattr";
		lab_note("As an ordinary user: in a user namespace (lab 05), where one is root.");
	}
	if (lab_command)
		hands_on();
	pid_t self = getpid();

	lab_step("Control: a container gets the image itself. It must spoil it.", NULL);
	if (!own_place())
		return lab_end();
	if (chdir("/tmp") || mkdir("image", 0755) || mkdir("plain", 0755))
		die("chdir, mkdir");
	put("image/config", "as built");
	put("image/secret", "as built");
	SYS(mount("image", "plain", NULL, MS_BIND, NULL));
	put("plain/config", "spoilt");
	if (expect_content("control: the image's config", "spoilt", "image/config"))
		SYS(umount2("plain", 0));
	put("image/config", "as built");
	lab_look("grep lab14 /proc/%d/mountinfo", self);

	lab_step("An overlay on the image. All of it must be there, and upper be empty.", NULL);
	mount_root("image", "web");
	if (!expect_content("web: config", "as built", "web/root/config"))
		return lab_end();
	expect_names("web: its upper folder", "nothing", "web/upper");
	lab_look("grep overlay /proc/%d/mountinfo", self);
	lab_look("ls /proc/%d/root/tmp/web/root", self);
	lab_wait(self);

	lab_predict("write");
	lab_step("It writes to config. That must be copied up first: the image stays.", NULL);
	put("web/root/config", "by web");
	expect_content("web: config, written", "by web", "web/root/config");
	expect_content("upper: config", "by web", "web/upper/config");
	autofree char *of_image = content("image/config");
	expect_str("image: config", "as built", of_image);
	lab_answer("write", strcmp(of_image, "as built") ? "image" : "copy");
	lab_look("cd /proc/%d/root/tmp; cat web/root/config image/config", self);
	lab_wait(self);

	lab_predict("delete");
	lab_step("It deletes secret. Upper must say so: a whiteout, a device 0, 0.", NULL);
	SYS(unlink("web/root/secret"));
	expect_content("web: secret", "ENOENT", "web/root/secret");
	autofree char *mark = kind("web/upper/secret");
	expect_str("upper: secret", "device 0, 0", mark);
	expect_content("image: secret", "as built", "image/secret");
	lab_answer("delete", strcmp(mark, "device 0, 0") ? "gone" : "mark");
	lab_look("ls -l /proc/%d/root/tmp/web/upper", self);
	lab_wait(self);

	lab_step("A second container on the same image. It must find it as it was built.", NULL);
	mount_root("image", "db");
	expect_content("db: config", "as built", "db/root/config");
	expect_names("db: its files", "config secret", "db/root");
	put("db/root/data", "by db");
	expect_names("db: its upper folder", "data", "db/upper");
	expect_names("image: its files", "config secret", "image");
	lab_look("cd /proc/%d/root/tmp; ls image web/upper db/upper", self);
	lab_wait(self);

	lab_row("a file is written", "the image is changed", "a copy in upper", "copy-up");
	lab_row("a file is deleted", "the image has lost it", "device 0, 0 in upper", "whiteout");
	lab_row("a second container", "has the same root", "the image as built", "upperdir=");
	return lab_end();
}
