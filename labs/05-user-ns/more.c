/*
 * More of 05-user-ns: what the kernel takes as a map of ids, and what it does
 * not. user_namespaces(7), "Defining user and group ID mappings"
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"
#include "words.h"

enum { FIRST = 100000, COUNT = 65536 }; /* ids that no user has, as in /etc/subuid */

static const struct lab_part lab_parts[] = {
	{"privilege", "Whose power is outside may map many ids: root's map of two lines must work.",
		.needs = {.root = true}},
	{0},
};

static const struct lab lab = {
	.id = "05-user-ns/more",
	.title = "What the kernel takes as a map",
	.goal = "A map is written once. An ordinary user may map one id, the own one; more takes a "
		"privilege outside. An id that is not in the map cannot be taken on.",
	.manual = "user_namespaces(7) setgroups(2) setresuid(2) chown(2) newuidmap(1) subuid(5)",
	.teaches = "unshare:CLONE_NEWUSER file:uid_map file:gid_map file:setgroups setgroups "
		   "setresuid fchown",
	.after = "05-user-ns",
	.needs = {.ordinary = true},
	.parts = lab_parts,
	.words = &more_words,
	.story_only = true,
};

static struct gate ready, go;

/* 0, or -1 with errno set; the kernel's maps take one write. */
static int put(const char *path, const char *line)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ssize_t n = write(fd, line, strlen(line));
	int error = errno;
	close(fd);
	errno = error;
	return n < 0 ? -1 : 0;
}

/* Done in each step, in a child: a namespace without a map. False when it is the old one. */
static bool new_user_namespace(const char *what)
{
	long before = ns_inode(0, "user");
	SYS(unshare(CLONE_NEWUSER));
	return expect_differ(what, before, ns_inode(0, "user"));
}

/* Done twice: two ids inside, of which only the first is mapped, or both. */
static void take_on_id_1(const char *mapped, const char *setuid_what, int error)
{
	expect_int(mapped, 0, getuid());
	expect_errno(setuid_what, error, setresuid(1, 1, 1));
}

/* Its map is written from outside, by root. */
static _Noreturn void many_ids(void)
{
	SYS(ns_become_ordinary());
	bool own = new_user_namespace("many ids: own user namespace");
	gate_open(&ready);
	gate_wait(&go);
	if (own)
		take_on_id_1("many ids: getuid()", "many ids: setresuid() to 1", 0);
	gate_open(&ready);
	child_idle();
}

static void root_maps_many(void)
{
	pid_t child = FORK();
	if (child == 0)
		many_ids();
	undo_kill(child);
	gate_wait(&ready);
	autofree char *user = proc_status(child, "Uid");
	autofree char *path = text("/proc/%d/uid_map", child);
	autofree char *two_lines = text("0 %d 1\n1 %d %d", atoi(user), FIRST, COUNT);
	/* Only over a namespace that is not ours: nothing may be mapped into the machine's. */
	if (expect_differ("many ids: not ours", ns_inode(0, "user"), ns_inode(child, "user")))
		expect_errno("many ids: map of two lines", 0, put(path, two_lines));
	gate_open(&go);
	gate_wait(&ready);
	autofree char *now = proc_status(child, "Uid");
	expect_int("many ids: 1 is outside", FIRST, atoi(now));
	lab_look("cat %s", path);
	lab_look("grep Uid /proc/%d/status", child);
	lab_wait(child);
	SYS(kill(child, SIGKILL));
	child_wait(child);
	lab_row("a map of two ids", "EPERM", "root's: success", "the privilege outside");
	lab_row("setresuid() to 1", "EINVAL: unmapped", "mapped: success", "uid_map");
}

static _Noreturn void groups_first(gid_t gid)
{
	autofree char *own = text("0 %u 1", gid);
	if (new_user_namespace("groups: own user namespace")) {
		expect_errno("gid_map before the deny", EPERM, put("/proc/self/gid_map", own));
		SYS(put("/proc/self/setgroups", "deny"));
		expect_errno("gid_map after the deny", 0, put("/proc/self/gid_map", own));
		expect_errno("then setgroups(2)", EPERM, setgroups(0, NULL));
	}
	_exit(0);
}

static _Noreturn void what_map(uid_t uid)
{
	autofree char *two = text("0 %u 2", uid), *other = text("0 %u 1", uid + 1);
	autofree char *own = text("0 %u 1", uid), *again = text("1 %u 1", uid);
	if (new_user_namespace("map: own user namespace")) {
		expect_errno("map of two ids", EPERM, put("/proc/self/uid_map", two));
		expect_errno("map of another's id", EPERM, put("/proc/self/uid_map", other));
		expect_errno("map of the own id", 0, put("/proc/self/uid_map", own));
		expect_errno("a second map", EPERM, put("/proc/self/uid_map", again));
		expect_int("still getuid()", 0, getuid());
	}
	_exit(0);
}

static _Noreturn void unmapped(uid_t uid, const char *file)
{
	autofree char *own = text("0 %u 1", uid);
	if (new_user_namespace("unmapped: own user namespace")) {
		SYS(put("/proc/self/uid_map", own));
		autoclose int fd = SYS(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
		take_on_id_1("unmapped: getuid()", "setresuid() to 1, unmapped", EINVAL);
		expect_errno("setresuid() to 0, mapped", 0, setresuid(0, 0, 0));
		expect_errno("fchown() to 1, unmapped", EINVAL, fchown(fd, 1, (gid_t)-1));
		expect_errno("fchown() to 0, mapped", 0, fchown(fd, 0, (gid_t)-1));

		struct stat st;
		autofree char *nobody = file_read("/proc/sys/kernel/overflowuid");
		if (stat("/proc/kmsg", &st))
			die("stat /proc/kmsg");
		expect_int("the machine's root, seen inside", atoi(nobody), st.st_uid);
	}
	_exit(0);
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	gate_init(&ready), gate_init(&go);

	if (lab_part("privilege"))
		root_maps_many();
	if (geteuid() == 0) {
		SYS(ns_become_ordinary());
		lab_note("From here on it is the ordinary user %u.", geteuid());
	}
	uid_t uid = geteuid();

	lab_step("Groups: gid_map must be refused until setgroups(2) is given up for ever.", NULL);
	lab_note("A group may be there to keep its members out; who could leave it would get in.");
	pid_t child = FORK();
	if (child == 0)
		groups_first(getegid());
	child_done(child);

	lab_step(
		"An ordinary user's map: one id, the own one, once. All else must be EPERM.", NULL);
	lab_note("newuidmap, a set-uid program, writes more: what /etc/subuid grants.");
	child = FORK();
	if (child == 0)
		what_map(uid);
	child_done(child);

	lab_step("An id that is not in the map: nobody can become it, nothing can be given to it.",
		NULL);
	autofree char *file = text("%s/file", tmp_folder());
	child = FORK();
	if (child == 0)
		unmapped(uid, file);
	child_done(child);

	lab_row("gid_map", "EPERM", "success after deny", "setgroups");
	lab_row("a second map", "-", "EPERM", "uid_map");
	lab_row("a file of the machine's root", "owner 0", "owner 65534", "uid_map");
	return lab_end();
}
