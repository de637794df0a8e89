/*
 * More of 03-uts-ns: what keeps a namespace alive after its last process has ended.
 * namespaces(7), "Namespace lifetime"
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/utsname.h>

#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"
#include "words.h"

#define LIMIT "/proc/sys/user/max_uts_namespaces"

static const struct lab lab = {
	.id = "03-uts-ns/more",
	.title = "What keeps a namespace alive",
	.goal = "A namespace exists as long as a process is in it, or an open file or a mount holds "
		"it. After that it is gone, with its names.",
	.manual = "namespaces(7) setns(2) mount(2) user_namespaces(7)",
	.teaches =
		"unshare:CLONE_NEWUTS unshare:CLONE_NEWUSER unshare:CLONE_NEWNS setns:CLONE_NEWUTS "
		"mount:MS_BIND umount2 sethostname",
	.after = "03-uts-ns",
	.needs = {.namespaces = true, .limits = true},
	.words = &more_words,
	.story_only = true,
};

static struct gate named, leave;

/* Done twice: starts a process that makes a namespace, sets a name in it, and ends at a gate. */
static pid_t holder(const char *name)
{
	pid_t child = FORK();
	if (child == 0) {
		ino_t before = ns_inode(0, "uts");
		SYS(unshare(CLONE_NEWUTS));
		if (ns_inode(0, "uts") != before)
			SYS(sethostname(name, strlen(name)), name, strlen(name));
		gate_open(&named);
		gate_wait(&leave);
		_exit(0);
	}
	undo_kill(child);
	gate_wait(&named);
	return child;
}

/* Done twice: lets a process join the namespace that fd holds, and compares its hostname. */
static void expect_name_behind(int fd, const char *what, const char *name)
{
	pid_t child = FORK();
	if (child == 0) {
		struct utsname uts;
		SYS(setns(fd, CLONE_NEWUTS), fd);
		if (uname(&uts))
			die("uname");
		expect_str(what, name, uts.nodename);
		_exit(0);
	}
	child_done(child);
}

/* Tries to make one more namespace, in a child that ends at once. Returns 0 or the errno. */
static int one_more(void)
{
	pid_t child = MUST(fork());
	if (child == 0)
		_exit(unshare(CLONE_NEWUTS) ? errno : 0);
	return child_wait(child);
}

/* Tries for two seconds, because the kernel may free a namespace a little later. */
static int one_more_soon(void)
{
	int error = one_more();
	for (int i = 0; error == ENOSPC && i < 100; i++) {
		poll(NULL, 0, 20);
		error = one_more();
	}
	return error;
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	ino_t user = ns_inode(0, "user"), mnt = ns_inode(0, "mnt");
	gate_init(&named), gate_init(&leave);

	lab_step("Make a user namespace that may hold one UTS namespace, and try one.",
		"one UTS namespace is allowed");
	SYS(unshare(CLONE_NEWUSER)); /* lab 05 shows what this does */
	ns_map_root();
	SYS(unshare(CLONE_NEWNS)); /* lab 02 explains this; the bind mount needs it */
	/* This is checked because the limit and the mounts of this machine must not change. */
	if (!expect_differ("own user namespace", user, ns_inode(0, "user")) ||
		!expect_differ("own mount table", mnt, ns_inode(0, "mnt")))
		return lab_end();
	SYS(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	SYS(mount("tmpfs", "/tmp", "tmpfs", 0, NULL)); /* it ends with our mount namespace */
	file_write(LIMIT, "1");
	expect_str("one namespace", "success", errno_name(one_more()));

	lab_step("Hold a namespace by an open file, and let its process end.",
		"it is still there: a second one gives ENOSPC until close()");
	pid_t child = holder("by-fd");
	autofree char *path = text("/proc/%d/ns/uts", child);
	int fd = SYS(open(path, O_RDONLY | O_CLOEXEC), path);
	expect_str("a process is in it: one more", "ENOSPC", errno_name(one_more()));
	lab_look("readlink %s", path);
	lab_look("ls -l /proc/%d/fd/%d", getpid(), fd);
	lab_wait(child);
	gate_open(&leave);
	child_done(child);
	expect_name_behind(fd, "by fd: its hostname", "by-fd");
	expect_str("by fd: one more", "ENOSPC", errno_name(one_more()));
	SYS(close(fd), fd);
	expect_str("fd closed: one more", "success", errno_name(one_more_soon()));

	lab_step("Hold a namespace by a bind mount, as ip netns add does.",
		"it is still there without a process, until umount2()");
	child = holder("by-mount");
	autofree char *source = text("/proc/%d/ns/uts", child);
	autofree char *file = text("%s/uts", tmp_folder());
	close(SYS(open(file, O_WRONLY | O_CREAT, 0600), file)); /* a file to mount it on */
	SYS(mount(source, file, NULL, MS_BIND, NULL), source, file);
	gate_open(&leave);
	child_done(child);
	fd = SYS(open(file, O_RDONLY | O_CLOEXEC), file);
	expect_name_behind(fd, "by mount: its hostname", "by-mount");
	SYS(close(fd), fd);
	expect_str("by mount: one more", "ENOSPC", errno_name(one_more()));
	lab_look("grep uts /proc/%d/mountinfo", getpid());
	lab_wait(0);
	SYS(umount2(file, 0), file);
	expect_str("unmounted: one more", "success", errno_name(one_more_soon()));

	lab_row("the last process ends", "the namespace is gone", "an open file: it stays",
		"open(2)");
	lab_row("the last process ends", "the namespace is gone", "a bind mount: it stays",
		"mount(2)");
	lab_row("one more than the limit", "success", "ENOSPC", "max_uts_namespaces");
	return lab_end();
}
