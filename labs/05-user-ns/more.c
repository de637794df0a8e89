/*
 * More of 05-user-ns: which maps of ids the kernel accepts, from whom, and what happens to an id
 * that is not in the map. user_namespaces(7), "Defining user and group ID mappings"
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>

#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"
#include "words.h"

enum { FIRST = 100000, COUNT = 65536 }; /* ids of no user, as /etc/subuid grants them */

static const struct lab_part lab_parts[] = {
	{"privilege", "As root outside, write a map of two lines.",
		"the kernel accepts it, and the child can switch to id 1", .needs = {.root = true}},
	{0},
};

static const struct lab lab = {
	.id = "05-user-ns/more",
	.title = "Which maps the kernel accepts",
	.goal = "A map is written once. An ordinary user may map one id, their own; a longer map "
		"needs a privilege outside. No process can take an id that is not in the map.",
	.manual = "user_namespaces(7) setgroups(2) setresuid(2) chown(2) newuidmap(1) subuid(5)",
	.teaches = "unshare:CLONE_NEWUSER file:uid_map file:gid_map file:setgroups setgroups "
		   "setresuid fchown",
	.after = "05-user-ns",
	.needs = {.ordinary = true},
	.parts = lab_parts,
	.words = &more_words,
	.story_only = true,
};

static struct gate ready, mapped;

/* Each child begins with this, because a map can be written only once. */
static bool unshare_user(const char *what)
{
	ino_t before = ns_inode(0, "user");
	SYS(unshare(CLONE_NEWUSER));
	return expect_differ(what, before, ns_inode(0, "user"));
}

/* Done twice: where id 1 is in the map, and where it is not. */
static void switch_to_id_1(const char *getuid_what, const char *setuid_what, int error)
{
	expect_int(getuid_what, 0, getuid());
	expect_errno(setuid_what, error, setresuid(1, 1, 1));
}

/* A child whose map is written by its parent, which is root outside. */
static _Noreturn void many_ids(void)
{
	SYS(ns_become_ordinary());
	bool own = unshare_user("many ids: own user namespace");
	gate_open(&ready);
	gate_wait(&mapped);
	if (own)
		switch_to_id_1("many ids: getuid()", "many ids: setresuid() to 1", 0);
	gate_open(&ready);
	child_idle();
}

/* A child that writes its gid_map before and after it gives up setgroups(2). */
static _Noreturn void groups_first(gid_t gid)
{
	autofree char *map = text("0 %u 1", gid);
	if (unshare_user("groups: own user namespace")) {
		expect_errno("gid_map before the deny", EPERM,
			file_try_write("/proc/self/gid_map", map));
		file_write("/proc/self/setgroups", "deny");
		expect_errno(
			"gid_map after the deny", 0, file_try_write("/proc/self/gid_map", map));
		expect_errno("then setgroups(2)", EPERM, setgroups(0, NULL));
	}
	_exit(0);
}

/* A child that writes four maps, of which the kernel accepts one. */
static _Noreturn void four_maps(uid_t uid)
{
	static const char file[] = "/proc/self/uid_map";
	autofree char *two = text("0 %u 2", uid), *other = text("0 %u 1", uid + 1);
	autofree char *own = text("0 %u 1", uid), *again = text("1 %u 1", uid);
	if (unshare_user("map: own user namespace")) {
		expect_errno("map of two ids", EPERM, file_try_write(file, two));
		expect_errno("map of another's id", EPERM, file_try_write(file, other));
		expect_errno("map of the own id", 0, file_try_write(file, own));
		expect_errno("a second map", EPERM, file_try_write(file, again));
		expect_int("still getuid()", 0, getuid());
	}
	_exit(0);
}

/* A child whose map has the id 0 and no other. */
static _Noreturn void unmapped(uid_t uid, const char *file)
{
	autofree char *map = text("0 %u 1", uid);
	if (unshare_user("unmapped: own user namespace")) {
		file_write("/proc/self/uid_map", map);
		autoclose int fd = SYS(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600), file);
		switch_to_id_1("unmapped: getuid()", "setresuid() to 1, unmapped", EINVAL);
		expect_errno("setresuid() to 0, mapped", 0, setresuid(0, 0, 0));
		expect_errno("fchown() to 1, unmapped", EINVAL, fchown(fd, 1, (gid_t)-1));
		expect_errno("fchown() to 0, mapped", 0, fchown(fd, 0, (gid_t)-1));

		struct stat st;
		autofree char *overflow = file_read("/proc/sys/kernel/overflowuid");
		if (stat("/proc/kmsg", &st))
			die("stat /proc/kmsg");
		expect_int("the machine's root, seen inside", atoi(overflow), st.st_uid);
	}
	_exit(0);
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	gate_init(&ready), gate_init(&mapped);

	if (lab_part("privilege")) {
		pid_t child = FORK();
		if (child == 0)
			many_ids();
		undo_kill(child);
		gate_wait(&ready);
		autofree char *path = text("/proc/%d/uid_map", child);
		autofree char *user = proc_status(child, "Uid");
		autofree char *two_lines = text("0 %d 1\n1 %d %d", atoi(user), FIRST, COUNT);
		/* Written only when the child is in a namespace of its own, never to ours. */
		if (expect_differ(
			    "many ids: not ours", ns_inode(0, "user"), ns_inode(child, "user")))
			expect_errno(
				"many ids: map of two lines", 0, file_try_write(path, two_lines));
		gate_open(&mapped);
		gate_wait(&ready);
		autofree char *now = proc_status(child, "Uid");
		expect_int("many ids: 1 is outside", FIRST, atoi(now));
		lab_look("cat %s", path);
		lab_look("grep Uid /proc/%d/status", child);
		lab_wait(child);
		MUST(kill(child, SIGKILL)); /* as an ordinary user we could not */
		child_wait(child);
		lab_row("a map of two ids", "the user: EPERM", "root: success", "CAP_SETUID");
		lab_row("setresuid() to 1", "unmapped: EINVAL", "mapped: success", "uid_map");
	}
	if (geteuid() == 0) {
		SYS(ns_become_ordinary());
		lab_note("From here on the lab is the ordinary user %u.", geteuid());
	}
	uid_t uid = geteuid();

	lab_step("Write gid_map before and after giving up setgroups(2).",
		"EPERM before, success after");
	lab_note("A group may exist to deny its members access. Whoever could leave it would get "
		 "in.");
	pid_t child = FORK();
	if (child == 0)
		groups_first(getegid());
	child_done(child);

	lab_step("As an ordinary user, write four different maps.",
		"the kernel accepts the user's own id, once; the others are EPERM");
	lab_note("For longer maps there is newuidmap, a set-uid program. It reads /etc/subuid.");
	child = FORK();
	if (child == 0)
		four_maps(uid);
	child_done(child);

	lab_step("Switch to an id that is not in the map, and give a file to that id.",
		"both are EINVAL; with a mapped id both succeed");
	autofree char *file = text("%s/file", tmp_folder());
	child = FORK();
	if (child == 0)
		unmapped(uid, file);
	child_done(child);

	lab_row("gid_map", "EPERM", "success after deny", "setgroups");
	lab_row("a second map", "-", "EPERM", "uid_map");
	lab_row("a file of root's", "owner 0", "owner 65534", "uid_map");
	return lab_end();
}
