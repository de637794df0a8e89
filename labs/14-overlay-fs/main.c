/*
 * Layers. An overlay shows two folders as one: below, an image, which the kernel only reads; above
 * it, what one container has written. overlayfs.rst in the kernel's documentation, mount(8)
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
#include <sys/xattr.h>

#include "kernel/file.h"
#include "kernel/mounts.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"
#include "words.h"

static const struct lab lab = {
	.id = "14-overlay-fs",
	.title = "Layers",
	.goal = "All containers share one image, and yet each can write everywhere in its root: an "
		"overlay stores what a container writes in a separate folder above the image.",
	.manual = "mount(8) mount(2) mount_namespaces(7)",
	.teaches = "mount:overlay mount:MS_BIND",
	.after = "02-mnt-ns",
	.needs = {.namespaces = true, .overlay = true},
	.own_root = true,
	.words = &words,
};

static const char *xattrs; /* who may not write trusted.* stores the marks in user.* */

static int pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

/* Everything that the lab writes goes to this filesystem, which ends with the lab's mounts. */
static bool mount_tmp(void)
{
	struct stat before, after;
	MUST(stat("/tmp", &before));
	SYS(mount("lab14", "/tmp", "tmpfs", 0, NULL));
	MUST(stat("/tmp", &after));
	/* Root of a user namespace may not write trusted.*: overlayfs.rst, userxattr */
	xattrs = setxattr("/tmp", "trusted.lab14", "y", 1, 0) ? ",userxattr" : "";
	return expect_str("its /tmp", "a filesystem of its own",
		before.st_dev == after.st_dev ? "the machine's" : "a filesystem of its own");
}

/* Mounts the root of the container NAME: the image, and above it an upper folder for NAME alone. */
static void mount_root(const char *image, const char *name)
{
	autofree char *root = text("%s/root", name);
	autofree char *upper = text("%s/upper", name), *work = text("%s/work", name);
	autofree char *layers =
		text("lowerdir=%s,upperdir=%s,workdir=%s%s", image, upper, work, xattrs);
	if (mkdir(name, 0755) || mkdir(root, 0755) || mkdir(upper, 0755) || mkdir(work, 0755))
		die("mkdir %s", name);
	lab_note("layers: %s", layers);
	SYS(mount("overlay", root, "overlay", 0, layers), root, layers);
}

static void write_file(const char *path, const char *content)
{
	close(MUST(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)));
	file_write(path, content);
}

/* The text of a file, or the error that open() or read() gave. */
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

/* Compares the names in a folder, such as "config secret". */
static void expect_names(const char *what, const char *expected, const char *folder)
{
	struct dirent **entries;
	char *names = text("%s", "");
	int count = MUST(scandir(folder, &entries, visible, alphasort));
	for (int i = 0; i < count; i++) {
		autofree char *before = names;
		names = text("%s%s%s", before, i ? " " : "", entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	expect_str(what, expected, count ? names : "nothing");
	free(names);
}

/* An ordinary user gets a copy with that user as the owner: a file of another owner cannot be
 * copied up. */
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

/* COMMAND's root is an overlay: the busybox tree, and above it what COMMAND writes. */
static _Noreturn void hands_on(void)
{
	autofree char *tree = file_rootfs();
	SYS(chdir(tree));           /* the tree may be below /tmp, which the tmpfs will cover */
	SYS(unshare(CLONE_NEWPID)); /* lab 01: a new /proc needs a new PID namespace */
	pid_t first = FORK();
	if (first == 0) {
		struct statfs fs;
		mounts_unshare();
		mount_tmp();
		mount_root(unpack("."), "/tmp/web");
		SYS(chdir("/tmp/web/root"));
		mount("proc", "proc", "proc", 0,
			NULL); /* some sandboxes refuse it; COMMAND can do without */
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
		lab_note("You are an ordinary user, so this runs in a user namespace (lab 05).");
	}
	if (lab_command)
		hands_on();
	pid_t self = getpid();

	lab_step("Control: a container works on the image itself, through a bind mount.",
		"its write changes the image");
	mounts_unshare();
	if (!mount_tmp())
		return lab_end_early();
	if (chdir("/tmp") || mkdir("image", 0755) || mkdir("plain", 0755))
		die("chdir, mkdir");
	write_file("image/config", "as built");
	write_file("image/secret", "as built");
	SYS(mount("image", "plain", NULL, MS_BIND, NULL));
	write_file("plain/config", "spoilt");
	if (expect_content("control: the image's config", "spoilt", "image/config"))
		SYS(umount2("plain", 0));
	write_file("image/config", "as built");
	lab_look("grep lab14 /proc/%d/mountinfo", self);

	lab_step("Mount an overlay for web: the image below, an empty upper folder above.",
		"the files of the image are there, and upper stays empty");
	mount_root("image", "web");
	if (!expect_content("web: config", "as built", "web/root/config"))
		return lab_end_early();
	expect_names("web: its upper folder", "nothing", "web/upper");
	lab_look("grep overlay /proc/%d/mountinfo", self);
	lab_look("ls /proc/%d/root/tmp/web/root", self);
	lab_wait(self);

	lab_predict("write");
	lab_step("The container web writes to config.",
		"the kernel copies config to upper first; the image keeps the old one");
	write_file("web/root/config", "by web");
	expect_content("web: config, written", "by web", "web/root/config");
	expect_content("upper: config", "by web", "web/upper/config");
	autofree char *of_image = content("image/config");
	expect_str("image: config", "as built", of_image);
	lab_answer("write", strcmp(of_image, "as built") ? "image" : "copy");
	lab_look("cd /proc/%d/root/tmp; cat web/root/config image/config", self);
	lab_wait(self);

	lab_predict("delete");
	lab_step("The container web deletes secret.",
		"upper gets a whiteout, a device 0, 0; the image keeps the file");
	SYS(unlink("web/root/secret"));
	expect_content("web: secret", "ENOENT", "web/root/secret");
	struct stat mark = {0};
	lstat("web/upper/secret", &mark);
	bool whiteout = S_ISCHR(mark.st_mode) && mark.st_rdev == makedev(0, 0);
	expect_str("upper: secret", "device 0, 0", whiteout ? "device 0, 0" : "no whiteout");
	expect_content("image: secret", "as built", "image/secret");
	lab_answer("delete", whiteout ? "mark" : "gone");
	lab_look("ls -l /proc/%d/root/tmp/web/upper", self);
	lab_wait(self);

	lab_step("Mount an overlay for a second container, db, on the same image.",
		"db finds the image as it was built");
	mount_root("image", "db");
	expect_content("db: config", "as built", "db/root/config");
	expect_names("db: its files", "config secret", "db/root");
	write_file("db/root/data", "by db");
	expect_names("db: its upper folder", "data", "db/upper");
	expect_names("image: its files", "config secret", "image");
	lab_look("cd /proc/%d/root/tmp; ls image web/upper db/upper", self);
	lab_wait(self);

	lab_row("a file is written", "the image is changed", "a copy in upper", "copy-up");
	lab_row("a file is deleted", "the image has lost it", "device 0, 0 in upper", "whiteout");
	lab_row("a second container", "has the same root", "the image as built", "upperdir=");
	return lab_end();
}
