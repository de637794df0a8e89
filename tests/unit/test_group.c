/*
 * group.c: the groups of a run, and the leaf for who was in the group before.
 */
#define _GNU_SOURCE
#include <sys/file.h>

#include "fails.h"
#include "machine/probe.h"
#include "real_group.h"

/* ---- Real groups, below one of our own ---- */

static int way;

static void creates(void)
{
	move_here();
	char *group = group_create("web");
	char expected[PATH_MAX + 64];
	snprintf(expected, sizeof expected, "%s/lab91-%d/web", folder, getpid());
	dprintf(STDERR_FILENO, "name %d there %d ", !strcmp(group, expected),
		cg_has(group, "cgroup.procs"));
	char *other = group_create("db");
	dprintf(STDERR_FILENO, "other %d ", cg_has(other, "cgroup.procs") && strcmp(other, group));
	free(other);
	pid_t pid = idle_in(group);
	free(group);
	expect_int("a", 1, 1);
	if (way == 1)
		free(group_create("web"));
	if (way == 2)
		raise(SIGTERM);
	int status = lab_end();
	dprintf(STDERR_FILENO, "child %d", child_wait(pid));
	_exit(status);
}

static void groups_of_the_run_are_removed_at_its_end(void **state)
{
	NEEDS_GROUP;
	static const int statuses[] = {0, 3, 130};
	for (way = 0; way < 3; way++) {
		struct run *r = run(creates);
		assert_status(r, statuses[way]);
		assert_has(r, err, "name 1 there 1 other 1 ");
		if (way == 0)
			assert_has(r, err, "child 137");
		if (way == 1)
			assert_has(r, err, "/web: EEXIST\n");
		/* One folder and no more: itself. */
		struct stat st;
		assert_int_equal(stat(folder, &st), 0);
		assert_int_equal(st.st_nlink, 2);
	}
}

static void makes_a_leaf(void)
{
	cg_write(folder, "cgroup.procs", "0");
	begin(&of_pids, "--format=jsonl", NULL);
	pid_t pid = fork(); /* which nobody has seen when it was tried out whether that can be */
	if (pid == 0)
		child_idle();
	undo_kill(pid);
	autofree char *group = group_create("web"), *here = file_read("/proc/self/cgroup");
	dprintf(STDERR_FILENO, "pids.max %d in a leaf %d ", cg_has(group, "pids.max"),
		strstr(here, "-leaf") != NULL);
	int status = lab_end();
	autofree char *after = file_read("/proc/self/cgroup");
	autofree char *on = cg_read(folder, "cgroup.subtree_control");
	dprintf(STDERR_FILENO, "after in a leaf %d on '%s'", strstr(after, "-leaf") != NULL, on);
	_exit(status);
}

static void who_is_in_the_group_goes_into_a_leaf(void **state)
{
	NEEDS_GROUP;
	if (!folder_is_given("pids"))
		skip();
	struct run *r = run(makes_a_leaf);
	assert_string_equal(r->err, "pids.max 1 in a leaf 1 after in a leaf 0 on ''");
	struct stat st;
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_nlink, 2);
}

/* What a part asks for is enabled too, where it is to be had. */
static void has_parts(void)
{
	static const struct lab_part parts[] = {
		{.name = "a", .title = "a", .needs = {.controllers = "pids nosuch memory"}},
		{.name = "b", .title = "b"},
		{0},
	};
	static const struct lab of_both = {.id = "91-test",
		.title = "t",
		.goal = "g",
		.needs = {.controllers = "pids"},
		.parts = parts};
	cg_write(folder, "cgroup.procs", "0");
	begin(&of_both, "--format=jsonl", NULL);
	autofree char *group = group_create("web"), *run_group = group_create(NULL);
	dprintf(STDERR_FILENO, "pids %d memory %d below the run's own %d",
		cg_has(group, "pids.max"), cg_has(group, "memory.max"),
		!strncmp(group, run_group, strlen(run_group)));
}

static void a_part_has_its_controllers(void **state)
{
	NEEDS_GROUP;
	if (!folder_is_given("pids") || !folder_is_given("memory"))
		skip();
	assert_string_equal(run(has_parts)->err, "pids 1 memory 1 below the run's own 1");
}

/* Before a COMMAND the runner's word is taken, where the controllers are on. */
static void is_told(void)
{
	setenv("LAB_GROUP", folder, 1);
	begin(&of_pids, "--", "true", NULL);
	dprintf(STDERR_FILENO, "as told %d", !strcmp(group_home(), folder));
}

static void a_command_takes_the_runners_group(void **state)
{
	NEEDS_GROUP;
	if (!folder_is_given("pids"))
		skip();
	assert_has(run(is_told), err, "as told 0");
	cg_enable(folder, "pids");
	assert_has(run(is_told), err, "as told 1");
}

static const char *call;
static int call_number, call_error;

static bool in_folder;

static void probes(void)
{
	struct probe_missing missing[2];
	if (in_folder)
		cg_write(folder, "cgroup.procs", "0");
	fails_at(call, call_number, call_error);
	int count = probe_needs(&of_pids.needs, missing, 2);
	dprintf(STDERR_FILENO, "%d %s", count, count > 0 ? missing[0].what : "");
}

static void makes_no_leaf(void)
{
	cg_write(folder, "cgroup.procs", "0");
	begin(&of_pids, "--format=jsonl", NULL);
	fails_at("mkdir", 1, EROFS);
	free(group_create("web"));
}

static void a_leaf_that_cannot_be_is_told(void **state)
{
	NEEDS_GROUP;
	if (!folder_is_given("pids"))
		skip();
	static const struct {
		bool in_folder; /* a group of one's own, with a process; or where we are */
		const char *call;
		int number, error;
		const char *said;
	} harms[] = {
		{true, "fork", 99, EAGAIN, "0 "},
		{true, "mkdir", 1, EROFS, "(EROFS)"},
		{true, "open", 1, EACCES, "(EACCES)"},
		{true, "open", 2, EIO, "(EIO)"},
		{true, "fork", 2, EAGAIN, "(EAGAIN)"},
		{true, "waitpid", 1, EINTR, "(EINTR)"},
		{false, "fork", 99, EAGAIN, "0 "},
		{false, "open", 1, EACCES, "(EACCES)"},
	};
	for (size_t i = 0; i < sizeof harms / sizeof *harms; i++) {
		in_folder = harms[i].in_folder;
		call = harms[i].call;
		call_number = harms[i].number;
		call_error = harms[i].error;
		assert_has(run(probes), err, harms[i].said);
	}
	struct run *r = run(makes_no_leaf);
	assert_status(r, 3);
	assert_has(r, err, "-leaf: EROFS");
}

/* The number of a run in another PID namespace, whose groups are not ours. */
static void has_a_namesake(void)
{
	static char other[PATH_MAX], leaf[PATH_MAX];
	char name[64];
	cg_write(folder, "cgroup.procs", "0");
	snprintf(name, sizeof name, "lab91-%d", getpid());
	group_of(name, other);
	strcat(name, "-leaf");
	group_of(name, leaf);
	begin(&of_pids, "--format=jsonl", NULL);
	autofree char *group = group_create("web");
	dprintf(STDERR_FILENO, "its own %d ", cg_has(group, "pids.max"));
	undo_run();
	dprintf(STDERR_FILENO, "there %d %d", !access(other, F_OK), !access(leaf, F_OK));
}

static void a_group_that_is_taken_is_no_hindrance(void **state)
{
	NEEDS_GROUP;
	if (!folder_is_given("pids"))
		skip();
	assert_string_equal(run(has_a_namesake)->err, "its own 1 there 1 1");
}

/* ---- The lock ---- */

enum { LOCKED_BY_OTHERS = 44 };

static int lock_now(void)
{
	int fd = open(machine.cgroup_mount[0] ? machine.cgroup_mount : "/sys",
		O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		_exit(99);
	int rc = flock(fd, LOCK_EX | LOCK_NB);
	close(fd);
	return rc;
}

static void locks(void)
{
	machine_read(&machine, "/");
	start();
	if (lock_now()) /* a lab is measuring on this machine */
		_exit(LOCKED_BY_OTHERS);
	int fd = lab_lock_cpu();
	pid_t child = fork();
	if (child == 0)
		_exit(lock_now() ? 1 : 0);
	dprintf(STDERR_FILENO, "held %d on exec %d ", child_wait(child),
		(fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0);
	close(fd);
	child = fork();
	if (child == 0)
		_exit(lock_now() ? 1 : 0);
	dprintf(STDERR_FILENO, "after %d", child_wait(child));
}

static void one_lab_at_a_time_has_the_lock(void **state)
{
	(void)state;
	struct run *r = run(locks);
	if (r->status == LOCKED_BY_OTHERS)
		skip();
	assert_status(r, 0);
	assert_string_equal(r->err, "held 1 on exec 0 after 0");
}

int main(void)
{
#define IN_GROUP(f) cmocka_unit_test_setup_teardown(f, make_group, drop_group)
	static const struct CMUnitTest tests[] = {
		IN_GROUP(groups_of_the_run_are_removed_at_its_end),
		IN_GROUP(who_is_in_the_group_goes_into_a_leaf),
		IN_GROUP(a_part_has_its_controllers),
		IN_GROUP(a_command_takes_the_runners_group),
		IN_GROUP(a_leaf_that_cannot_be_is_told),
		IN_GROUP(a_group_that_is_taken_is_no_hindrance),
		cmocka_unit_test(one_lab_at_a_time_has_the_lock),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
