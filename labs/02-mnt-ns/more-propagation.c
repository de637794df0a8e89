/*
 * Propagation: which mount namespaces see a new mount. A copy of a shared mount
 * passes new mounts on to the original, a private one does not, and a slave only
 * receives them. mount_namespaces(7), "Shared subtrees"
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"
#include "words.h"

static const struct lab lab = {
	.id = "02-mnt-ns/more-propagation",
	.title = "Why a mount leaks: shared, private, slave",
	.goal = "A new mount namespace is a copy of the mount table. What is mounted later on a "
		"shared mount also appears in the copies, unless they were made private.",
	.manual = "mount_namespaces(7) mount(2) unshare(2) proc_pid_mountinfo(5)",
	.teaches = "unshare:CLONE_NEWNS mount:MS_SHARED mount:MS_PRIVATE mount:MS_SLAVE umount2",
	.after = "02-mnt-ns",
	.needs = {.namespaces = true},
	.words = &propagation_words,
	.story_only = true,
};

static struct gate ready;

/*
 * Done in every process here, before it mounts anything. MS_SHARED leaves the copy as
 * unshare() has made it.
 */
static bool unshare_mounts(const char *who, unsigned long propagation)
{
	autofree char *what = text("%s: its mount table", who);
	ino_t before = ns_inode(0, "mnt");
	SYS(unshare(CLONE_NEWNS));
	/* In the old table the next call would change the host's mounts. */
	if (ns_inode(0, "mnt") != before && propagation != MS_SHARED)
		SYS(mount(NULL, "/", NULL, MS_REC | propagation, NULL));
	autofree char *observed = ns_mount_table(before);
	return expect_str(what,
		propagation == MS_SHARED  ? "own, shared"
		: propagation == MS_SLAVE ? "own, slave"
					  : "own, private",
		observed);
}

/* Done four times: mounts a tmpfs on /etc, with a file config that holds the name. */
static void mount_etc(const char *name)
{
	autofree char *source = text("lab02-%s", name);
	struct stat before, after;
	int failed = stat("/etc", &before);
	SYS(mount(source, "/etc", "tmpfs", 0, NULL), source);
	if (failed || stat("/etc", &after) || after.st_dev == before.st_dev)
		return; /* this /etc is not the new tmpfs, so nothing is written to it */
	close(open("/etc/config", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	file_write("/etc/config", name);
}

/* What the process pid reads at that path, by its own root and mounts; proc_pid_root(5) */
static char *read_in(pid_t pid, const char *path)
{
	autofree char *below = text("/proc/%d/root%s", pid, path);
	char *content = file_try_read(below);
	return content ? content : text("%s", errno_name(errno));
}

static bool lists(pid_t pid, const char *source)
{
	autofree char *path = text("/proc/%d/mountinfo", pid), *table = file_read(path);
	return strstr(table, source) != NULL;
}

/* Done twice: a container whose copy of the mount table is private. */
static pid_t container(const char *name)
{
	pid_t child = FORK();
	if (child == 0) {
		if (unshare_mounts(name, MS_PRIVATE))
			mount_etc(name);
		gate_open(&ready);
		child_idle();
	}
	undo_kill(child);
	gate_wait(&ready);
	return child;
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	if (geteuid() != 0) {
		SYS(unshare(CLONE_NEWUSER)); /* lab 05 shows what this does */
		ns_map_root();
		lab_note("You are an ordinary user, so this runs in a user namespace (lab 05).");
	}
	gate_init(&ready);
	pid_t self = getpid();

	lab_step("Make a mount table that plays the host, with a shared mount on /etc.",
		"this machine's own table does not change");
	if (!unshare_mounts("host", MS_PRIVATE))
		return lab_end();
	mount_etc("host");
	autofree char *of_host = read_in(self, "/etc/config");
	if (!expect_str("host: /etc/config", "host", of_host))
		return lab_end();
	if (mkdir("/etc/in", 0755) || mkdir("/etc/out", 0755))
		die("mkdir: /etc/in, /etc/out");
	SYS(mount(NULL, "/etc", NULL, MS_SHARED, NULL)); /* systemd does this to every mount */

	lab_predict("leak");
	lab_step("Control: a child only copies the mount table, then mounts on /etc.",
		"the mount leaks: the host sees it too");
	pid_t child = FORK();
	if (child == 0) {
		if (unshare_mounts("control", MS_SHARED))
			mount_etc("control");
		_exit(0);
	}
	child_done(child);
	autofree char *leaked = read_in(self, "/etc/config");
	lab_answer("leak", strcmp(leaked, "control") ? "inside" : "both");
	bool did_leak = expect_str("control: the host's /etc/config", "control", leaked);
	lab_look("grep lab02 /proc/%d/mountinfo", self);
	lab_wait(0);
	if (did_leak)
		SYS(umount2("/etc", 0));

	lab_step("Do the same in two containers, web and db, and make their copies private.",
		"the path /etc/config has a different content in each");
	pid_t web = container("web"), db = container("db");
	autofree char *in_web = read_in(web, "/etc/config");
	autofree char *in_db = read_in(db, "/etc/config");
	autofree char *outside = read_in(self, "/etc/config");
	autofree char *contents = text("%s, %s, %s", in_web, in_db, outside);
	expect_str("in web, in db, outside", "web, db, host", contents);
	lab_look("cat /proc/%d/root/etc/config /proc/%d/root/etc/config", web, db);
	lab_wait(db);

	lab_step("Start a process whose copy is a slave. It mounts first, then the host does.",
		"the slave sees the host's mount; the host does not see the slave's");
	pid_t slave = FORK();
	if (slave == 0) {
		if (unshare_mounts("slave", MS_SLAVE))
			SYS(mount("lab02-inside", "/etc/in", "tmpfs", 0, NULL));
		gate_open(&ready);
		child_idle();
	}
	undo_kill(slave);
	gate_wait(&ready);
	SYS(mount("lab02-outside", "/etc/out", "tmpfs", 0, NULL));
	expect_int("the slave's mount, on the host", 0, lists(self, "lab02-inside"));
	expect_int("the host's mount, in the slave", 1, lists(slave, "lab02-outside"));
	expect_int("control: in a private one", 0, lists(web, "lab02-outside"));
	lab_look("grep lab02 /proc/%d/mountinfo", slave);
	lab_wait(slave);

	lab_row("the copy is shared", "-", "mounts leak to the host", "MS_SHARED");
	lab_row("the copy is private", "mounts leak", "mounts stay inside", "MS_PRIVATE");
	lab_row("/etc/config", "one content", "one for each", "CLONE_NEWNS");
	lab_row("the host mounts", "private: unseen", "slave: seen", "MS_SLAVE");
	return lab_end();
}
