/*
 * A root of its own, in a mount table of its own. A mount namespace holds a copy of
 * the mount table. In that copy pivot_root(2) makes another folder "/", and the old
 * root can be unmounted. mount_namespaces(7)
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
	.goal = "A container has its own mount table, and in that table another root. A folder that "
		"it shares with the host is mounted into it: a volume.",
	.manual = "mount_namespaces(7) pivot_root(2) mount(2) umount2(2) unshare(2)",
	.teaches = "unshare:CLONE_NEWNS mount:MS_PRIVATE mount:MS_BIND mount:MS_RDONLY pivot_root "
		   "umount2:MNT_DETACH",
	.after = "03-uts-ns 01-pid-ns",
	.needs = {.namespaces = true},
	.own_root = true,
	.words = &words,
};

static struct gate ready, go;
static char *program; /* the path of this program, which is a file of the host */

static int pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

/* Done twice: in the story and for a COMMAND. When it returns false, nothing may be mounted. */
static bool unshare_mounts(const char *what)
{
	ino_t before = ns_inode(0, "mnt");
	SYS(unshare(CLONE_NEWNS));
	if (ns_inode(0, "mnt") !=
		before) /* otherwise the next call would change the host's table */
		SYS(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	autofree char *table = ns_mount_table(before);
	return expect_str(what, "own, private", table);
}

/* Done twice. The flags that the mount has are kept: a user namespace may not remove them. */
static void make_read_only(const char *path)
{
	struct statvfs fs;
	if (statvfs(path, &fs))
		die("statvfs %s", path);
	unsigned long kept = fs.f_flag & (MS_NOSUID | MS_NODEV | MS_NOEXEC);
	SYS(mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | kept, NULL), path);
}

/* Done twice: in the story and for a COMMAND. When it returns false, "/" is still the host's. */
static bool enter_rootfs(const char *volume)
{
	struct stat tree_st, root_st;
	struct statvfs root_fs;
	autofree char *tree = file_rootfs();

	SYS(mount(tree, tree, NULL, MS_BIND, NULL)); /* pivot_root() wants a mount point */
	make_read_only(tree);
	SYS(chdir(tree));
	if (volume)
		SYS(mount(volume, "var/lib", NULL, MS_BIND, NULL), volume);
	if (lab_command) { /* it gets a writable /tmp, and /proc where the kernel allows that */
		SYS(mount("lab02-tmp", "tmp", "tmpfs", MS_NOSUID | MS_NODEV, NULL));
		mount("proc", "proc", "proc", 0, NULL);
	}
	SYS(pivot_root(".", "mnt"));

	if (stat(".", &tree_st) || stat("/", &root_st) || statvfs("/", &root_fs))
		die("stat, statvfs /");
	bool moved = tree_st.st_dev == root_st.st_dev && tree_st.st_ino == root_st.st_ino;
	autofree char *root = text("%s, %s", moved ? "the rootfs" : "the host's",
		root_fs.f_flag & ST_RDONLY ? "read-only" : "writable");
	return expect_str("its root", "the rootfs, read-only", root);
}

/* The container: each act waits for a step of main(). */
static _Noreturn void web(const char *volume)
{
	autofree char *below_mnt = text("/mnt%s", program);

	bool inside = unshare_mounts("web: its mount table");
	if (inside)
		SYS(mount("lab02-web", "/etc", "tmpfs", 0, NULL));
	gate_open(&ready);

	gate_wait(&go);
	inside = inside && enter_rootfs(volume) &&
		 expect_errno("a path of the host, below /mnt", 0, access(below_mnt, F_OK));
	gate_open(&ready);

	gate_wait(&go);
	if (inside) {
		SYS(umount2("/mnt", MNT_DETACH));
		expect_errno("umounted: that path below /mnt", ENOENT, access(below_mnt, F_OK));
		expect_errno("the same path from /", ENOENT, access(program, F_OK));
	}
	gate_open(&ready);

	gate_wait(&go);
	if (inside) {
		int fd = SYS(open("/var/lib/note", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
		SYS(write(fd, "from inside", 11), fd);
		close(fd);
		make_read_only("/var/lib");
		expect_errno("read-only: open() to write", EROFS, open("/var/lib/note", O_WRONLY));
	}
	gate_open(&ready);
	child_idle();
}

static _Noreturn void hands_on(void)
{
	SYS(unshare(CLONE_NEWPID)); /* lab 01: a new /proc needs a PID namespace */
	pid_t first = FORK();
	if (first == 0 && unshare_mounts("own mount table") && enter_rootfs(NULL)) {
		SYS(umount2("/mnt", MNT_DETACH));
		lab_exec_command();
	}
	lab_exit_as(first);
}

static bool lists(pid_t pid, const char *source)
{
	autofree char *path = text("/proc/%d/mountinfo", pid), *table = file_read(path);
	return strstr(table, source) != NULL;
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	if (geteuid() != 0) {
		SYS(unshare(CLONE_NEWUSER)); /* lab 05 shows what this does */
		ns_map_root();
		lab_note("You are an ordinary user, so this runs in a user namespace (lab 05).");
	}
	program = realpath("/proc/self/exe", NULL);
	if (!program)
		die("realpath /proc/self/exe");
	if (lab_command)
		hands_on();
	gate_init(&ready), gate_init(&go);
	const char *volume = tmp_folder(); /* a folder of the host, for the last step */

	lab_predict("mount");
	lab_step("Start a process, web. It gets its own mount table and mounts on /etc.",
		"only web's table lists the mount");
	pid_t web_pid = FORK();
	if (web_pid == 0)
		web(volume);
	undo_kill(web_pid);
	gate_wait(&ready);
	bool inside = lists(web_pid, "lab02-web"), outside = lists(getpid(), "lab02-web");
	expect_int("listed inside", 1, inside);
	expect_int("listed on the host", 0, outside);
	lab_answer("mount", outside ? "both" : "inside");
	lab_look("grep lab02 /proc/%d/mountinfo", web_pid);
	lab_wait(web_pid);

	lab_step("Make the rootfs web's root, and put its old root at /mnt.",
		"/ is the rootfs; below /mnt the host's files are still there");
	gate_open(&go);
	gate_wait(&ready);
	lab_look("ls /proc/%d/root/ /proc/%d/root/mnt/", web_pid, web_pid);
	lab_wait(web_pid);

	lab_predict("root");
	lab_step("Unmount the old root in web.", "no path in web leads to the host's files");
	gate_open(&go);
	gate_wait(&ready);
	autofree char *from_web = text("/proc/%d/root%s", web_pid, program);
	lab_answer("root", access(from_web, F_OK) ? "gone" : "there");
	lab_look("ls /proc/%d/root/ /proc/%d/root/mnt/", web_pid, web_pid);
	lab_wait(web_pid);

	lab_predict("volume");
	lab_step("In web, write a file to the volume; then make the volume read-only there.",
		"the host has the file at once, and can still write to it");
	gate_open(&go);
	gate_wait(&ready);
	autofree char *note = text("%s/note", volume), *written = file_try_read(note);
	expect_str("outside: the file", "from inside", written ? written : errno_name(errno));
	expect_errno("outside: open() to write", 0, open(note, O_WRONLY | O_CLOEXEC));
	lab_answer("volume", written ? "yes" : "no");
	lab_look("cat %s", note);
	lab_wait(web_pid);

	lab_row("a mount made inside", "listed on the host", "listed inside only", "CLONE_NEWNS");
	lab_row("a path of the host", "is found", "ENOENT", "pivot_root(), umount2()");
	lab_row("a file written inside", "-", "is outside too", "MS_BIND: a volume");
	lab_row("the same, read-only", "is written", "EROFS inside", "MS_RDONLY");
	return lab_end();
}
