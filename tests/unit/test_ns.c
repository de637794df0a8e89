/*
 * ns.c: id maps, mount tables, and who becomes an ordinary user. Where the kernel refuses user
 * namespaces the tests that need one are skipped.
 */
#define _GNU_SOURCE
#include "kernel/ns.h"

#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "kernel/file.h"
#include "lab_here.h"

enum { FORBIDDEN = 44, NOBODY = 12345 };

static void map_root(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	begin(&lab_here, "--format=jsonl", NULL);
	if (unshare(CLONE_NEWUSER))
		_exit(FORBIDDEN);
	dprintf(STDERR_FILENO, "[%s] ", ns_join);
	int before = geteuid() != 0; /* unmapped: the overflow uid */
	ns_map_root();
	unsigned inside, outside, count;
	autofree char *uids = file_read("/proc/self/uid_map");
	autofree char *gids = file_read("/proc/self/gid_map");
	autofree char *groups = file_read("/proc/self/setgroups");
	int uid_map = sscanf(uids, "%u %u %u", &inside, &outside, &count) == 3 && inside == 0 &&
		      outside == uid && count == 1 && !strchr(uids, '\n');
	int gid_map = sscanf(gids, "%u %u %u", &inside, &outside, &count) == 3 && inside == 0 &&
		      outside == gid && count == 1 && !strchr(gids, '\n');
	dprintf(STDERR_FILENO, "join %s", ns_join);
	dprintf(STDERR_FILENO, "before %d uid %d gid %d uid_map %d gid_map %d %s", before,
		geteuid(), getegid(), uid_map, gid_map, groups);
}

static void the_caller_is_root_inside(void **state)
{
	(void)state;
	struct run *r = run(map_root);
	if (r->status == FORBIDDEN)
		skip();
	assert_status(r, 0);
	assert_string_equal(r->err,
		"[] join --user --preserve-credentials before 1 uid 0 gid 0 uid_map 1 gid_map 1 deny");
}

/* The same by an ordinary user: this program again, because who it is is noted at its start. */
static void as_an_ordinary_user(void)
{
	int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	static char *argv[] = {
		(char *)(uintptr_t) "test_ns", (char *)(uintptr_t) "--map-root", NULL};
	if (self < 0 || setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
		setresuid(NOBODY, NOBODY, NOBODY))
		_exit(FORBIDDEN);
	fexecve(self, argv, environ);
	_exit(FORBIDDEN);
}

static void so_is_an_ordinary_user(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip(); /* the test before was that */
	struct run *r = run(as_an_ordinary_user);
	if (r->status == FORBIDDEN)
		skip();
	assert_status(r, 0);
	assert_string_equal(r->err,
		"[] join --user --preserve-credentials before 1 uid 0 gid 0 uid_map 1 gid_map 1 deny");
}

static void map_twice(void)
{
	begin(&lab_here, NULL);
	if (unshare(CLONE_NEWUSER))
		_exit(FORBIDDEN);
	ns_map_root();
	ns_map_root();
}

static void a_map_is_written_once(void **state)
{
	(void)state;
	struct run *r = run(map_twice);
	if (r->status == FORBIDDEN)
		skip();
	assert_status(r, 3);
	assert_has(r, err, "/proc/self/");
	assert_has(r, err, "EPERM");
}

static void map_outside(void)
{
	begin(&lab_here, NULL);
	ns_map_root(); /* here all ids are mapped already, so the kernel refuses */
}

static void without_a_namespace_it_is_broken(void **state)
{
	(void)state;
	struct run *r = run(map_outside);
	assert_status(r, 3);
	assert_has(
		r, err, "broken: write \"deny\" to /proc/self/setgroups: E"); /* EPERM, or EACCES */
	assert_string_equal(ns_join, "");
}

static unsigned long propagation = MS_PRIVATE;

static void mount_table(void)
{
	begin(&lab_here, NULL);
	if (geteuid() && unshare(CLONE_NEWUSER))
		_exit(FORBIDDEN);
	ino_t before = ns_inode(0, "mnt");
	autofree char *old = ns_mount_table(before);
	if (unshare(CLONE_NEWNS))
		_exit(FORBIDDEN);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		mount(NULL, "/", NULL, propagation, NULL))
		die("mount");
	autofree char *own = ns_mount_table(before);
	dprintf(STDERR_FILENO, "%.11s; %s", old, own);
}

static void a_table_is_told_with_its_propagation(void **state)
{
	(void)state;
	propagation = MS_PRIVATE;
	struct run *r = run(mount_table);
	if (r->status == FORBIDDEN)
		skip();
	assert_string_equal(r->err, "the old one; own, private");
	propagation = MS_SHARED;
	assert_string_equal(run(mount_table)->err, "the old one; own, shared");
}

static const char *sudo_uid, *sudo_gid;
static bool ordinary_already;

static void become_ordinary(void)
{
	begin(&lab_here, NULL);
	if (sudo_uid)
		setenv("SUDO_UID", sudo_uid, 1), setenv("SUDO_GID", sudo_gid, 1);
	else
		unsetenv("SUDO_UID"), unsetenv("SUDO_GID");
	int death = SIGHUP, kept = 0;
	if (ordinary_already && geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY))
		die("setresuid");
	prctl(PR_SET_PDEATHSIG, death);
	int rc = ns_become_ordinary(), back = setresuid(0, 0, 0);
	prctl(PR_GET_PDEATHSIG, &kept);
	struct stat st = {0};
	stat("/proc/self/status", &st);
	dprintf(STDERR_FILENO, "%d: %u %u, groups %d, back %d, death %d, /proc %d", rc, geteuid(),
		getegid(), getgroups(0, NULL), back, kept == death, st.st_uid == geteuid());
}

static void root_becomes_who_typed_sudo(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	sudo_uid = "1234", sudo_gid = "2345";
	assert_string_equal(
		run(become_ordinary)->err, "0: 1234 2345, groups 0, back -1, death 1, /proc 1");
}

static void root_becomes_1000_where_nobody_did(void **state)
{
	(void)state;
	static const char *const not_believed[] = {NULL, "0", "-1", "root", "65534", "99999999999"};
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < sizeof not_believed / sizeof *not_believed; i++) {
		sudo_uid = sudo_gid = not_believed[i];
		assert_string_equal(run(become_ordinary)->err,
			"0: 1000 1000, groups 0, back -1, death 1, /proc 1");
	}
}

static void an_ordinary_user_cannot_become_another(void **state)
{
	(void)state;
	ordinary_already = true;
	struct run *r = run(become_ordinary);
	ordinary_already = false;
	assert_has(r, err, "-1: ");
}

int main(int argc, char *argv[])
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_caller_is_root_inside),
		cmocka_unit_test(so_is_an_ordinary_user),
		cmocka_unit_test(a_map_is_written_once),
		cmocka_unit_test(without_a_namespace_it_is_broken),
		cmocka_unit_test(a_table_is_told_with_its_propagation),
		cmocka_unit_test(root_becomes_who_typed_sudo),
		cmocka_unit_test(root_becomes_1000_where_nobody_did),
		cmocka_unit_test(an_ordinary_user_cannot_become_another),
	};
	if (argc == 2 && !strcmp(argv[1], "--map-root")) {
		map_root();
		_exit(0);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
