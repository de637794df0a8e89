/*
 * cg.c: the files of a group, here in a plain folder that looks like one.
 */
#define _GNU_SOURCE
#define LAB_ID "91-test" /* what it makes is no other lab's */
#include "kernel/cg.h"

#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "kernel/file.h"
#include "lab_here.h"

static void start(void)
{
	begin(&lab_here, "--format=jsonl", NULL);
}

/* A file that changes all the time, as memory.events of a group that is full does. */
static bool always_changes;

int poll(struct pollfd *fds, nfds_t count, int ms)
{
	struct timespec limit = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
	if (always_changes) {
		fds->revents = POLLPRI;
		return 1;
	}
	return (int)syscall(RUN_PPOLL, fds, count, ms < 0 ? NULL : &limit, NULL, 0);
}

static int make_files(void **state)
{
	if (make_folder(state))
		return -1;
	put_file(folder, "memory.max", "33554432\n", 0600);
	put_file(folder, "pids.max", "max\n", 0600);
	put_file(folder, "cpu.max", "50000 100000\n", 0600);
	put_file(folder, "memory.events", "low 0\nhigh 12\nmax 345\noom 1\noom_kill 2\n", 0600);
	put_file(folder, "cgroup.subtree_control", "", 0600);
	return 0;
}

static void values_are_read(void **state)
{
	(void)state;
	autofree char *max = cg_read(folder, "memory.max");
	autofree char *cpu = cg_read(folder, "cpu.max");
	assert_string_equal(max, "33554432");
	assert_string_equal(cpu, "50000 100000");
	assert_int_equal(cg_read_long(folder, "memory.max"), 33554432);
	assert_true(cg_read_long(folder, "pids.max") == LLONG_MAX);
	put_file(folder, "n", "-7", 0600);
	assert_int_equal(cg_read_long(folder, "n"), -7);
	put_file(folder, "n", "9223372036854775807", 0600);
	assert_true(cg_read_long(folder, "n") == LLONG_MAX);
	assert_int_equal(cg_read_key(folder, "memory.events", "low"), 0);
	assert_int_equal(cg_read_key(folder, "memory.events", "max"), 345);
	assert_int_equal(cg_read_key(folder, "memory.events", "oom"), 1);
	assert_int_equal(cg_read_key(folder, "memory.events", "oom_kill"), 2);
	assert_true(cg_has(folder, "memory.max"));
	assert_false(cg_has(folder, "cgroup.kill"));
	assert_false(cg_has("/none/such", "memory.max"));
}

static const char *file, *key;

static void reads_long(void)
{
	start();
	errno = EIO;
	cg_read_long(folder, file);
}

static void what_is_no_number_is_named(void **state)
{
	(void)state;
	static const char *const values[] = {"", "maximum", "12 34", "12x", "x", "max\nmax", "1.5"};
	file = "garbage";
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		put_file(folder, "garbage", values[i], 0600);
		struct run *r = run(reads_long);
		assert_status(r, 3);
		assert_has(r, err, "/garbage is no number: ");
		assert_has(r, err, values[i]);
		assert_lacks(r, err, "EIO");
	}
	put_file(folder, "garbage", "99999999999999999999", 0600);
	struct run *r = run(reads_long);
	assert_status(r, 3);
	assert_has(r, err, "ERANGE");
	file = "none";
	r = run(reads_long);
	assert_status(r, 3);
	assert_has(r, err, "broken: read /tmp/unit-");
	assert_has(r, err, "/none: ENOENT\n");
}

static void reads_key(void)
{
	start();
	errno = EIO;
	cg_read_key(folder, "memory.events", key);
}

static void a_key_that_is_not_there_is_named(void **state)
{
	(void)state;
	static const char *const keys[] = {"nope", "oo", "oom_kil", "", "0", "low 0"};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		key = keys[i];
		struct run *r = run(reads_key);
		assert_status(r, 3);
		assert_has(r, err, "/memory.events has no key ");
		assert_lacks(r, err, "EIO");
	}
}

static void writes(void)
{
	start();
	if (key)
		cg_enable(folder, key);
	else
		cg_write(folder, "none", "1");
}

static void writing(void **state)
{
	(void)state;
	cg_write(folder, "memory.max", "44444444");
	assert_int_equal(cg_read_long(folder, "memory.max"), 44444444);
	key = NULL;
	struct run *r = run(writes);
	assert_status(r, 3);
	assert_has(r, err, "broken: write \"1\" to /tmp/unit-");
	assert_has(r, err, "/none: ENOENT\n");
	assert_false(cg_has(folder, "none"));
	cg_enable(folder, "memory");
	autofree char *control = cg_read(folder, "cgroup.subtree_control");
	assert_string_equal(control, "+memory");
	cg_enable(folder, ""); /* no controller: nothing to be written */
	put_file(folder, "cgroup.subtree_control", "", 0600);
	undo_rmdir_now(folder);
	key = "memory";
	r = run(writes);
	assert_status(r, 3);
	assert_has(r, err, "write \"+memory\" to ");
}

static void waiting_for_a_key(void **state)
{
	(void)state;
	long long before = run_ms();
	assert_true(cg_wait_key(folder, "memory.events", "oom_kill", 2, 10000));
	assert_true(cg_wait_key(folder, "memory.events", "oom_kill", 1, 10000)); /* past it */
	assert_true(cg_wait_key(folder, "memory.events", "low", 0, 10000));
	assert_true(run_ms() - before < 9000); /* at once */
	before = run_ms();
	assert_false(cg_wait_key(folder, "memory.events", "oom_kill", 3, 30));
	assert_false(cg_wait_key(folder, "memory.events", "oom", 0, 30));
	assert_false(cg_wait_key(folder, "memory.events", "nope", 0, 30));
	assert_true(run_ms() - before >= 80); /* not before the bound */
	assert_false(cg_wait_key(folder, "memory.events", "oom_kill", 3, 0));
}

static void waits_on_what_changes(void)
{
	start();
	always_changes = true;
	_exit(cg_wait_key(folder, "memory.events", "oom_kill", 3, 50) ? 43 : 42);
}

static void the_bound_holds_while_the_file_changes(void **state)
{
	(void)state;
	assert_status(run(waits_on_what_changes), 42);
}

static void waits_on_nothing(void)
{
	start();
	cg_wait_key(folder, "none", "oom_kill", 3, 50);
}

static void waiting_on_a_file_that_is_not_there(void **state)
{
	(void)state;
	struct run *r = run(waits_on_nothing);
	assert_status(r, 3);
	assert_has(r, err, "broken: open /tmp/unit-");
	assert_has(r, err, "/none: ENOENT\n");
}

/* More processes than one read(2) has room for; each is written as a whole. */
static void no_half_of_a_number_is_moved(void **state)
{
	(void)state;
	enum { MANY = 700, FIRST = 1000 };
	char list[5 * MANY + 8] = "", expected[4 * MANY + 1] = "", moved[4 * sizeof expected] = "";
	for (int i = FIRST; i < FIRST + MANY; i++) {
		snprintf(list + strlen(list), 6, "%d\n", i);
		snprintf(expected + strlen(expected), 5, "%d", i);
	}
	strcat(list, "0\n");
	autofree char *leaf = text("%s/leaf", folder), *procs = text("%s/cgroup.procs", folder);
	assert_int_equal(mkdir(leaf, 0700), 0);
	put_file(leaf, "cgroup.procs", list, 0600);
	assert_int_equal(mkfifo(procs, 0600), 0);
	int fifo = open(procs, O_RDWR | O_CLOEXEC);
	cg_leave_leaf(leaf, "-pids");
	undo_rmdir_now(leaf);
	assert_true(read(fifo, moved, sizeof moved - 1) > 0);
	close(fifo);
	for (int i = 0; i < TRIES; i++) /* because its folder cannot be removed */
		assert_false(strncmp(moved + i * 4 * MANY, expected, 4 * MANY));
	assert_int_equal(strlen(moved), TRIES * 4 * MANY);
	autofree char *off = cg_read(folder, "cgroup.subtree_control");
	assert_string_equal(off, "-pids");
}

/* A kernel without cgroup.kill: the older way, in a group and in one below. */
static void each_is_killed_without_cgroup_kill(void **state)
{
	(void)state;
	char list[64], below[PATH_MAX];
	pid_t above_pid = fork(), below_pid = above_pid ? fork() : 0;
	if (below_pid == 0)
		for (;;)
			pause();
	snprintf(below, sizeof below, "%.200s/below", folder);
	mkdir(below, 0700);
	snprintf(list, sizeof list, "%d\n", above_pid);
	put_file(folder, "cgroup.procs", list, 0600);
	snprintf(list, sizeof list, "0\n%d\n", below_pid);
	put_file(below, "cgroup.procs", list, 0600);
	put_file(folder, "cgroup.freeze", "0", 0600);
	put_file(folder, "cgroup.events", "populated 0\nfrozen 1\n", 0600);
	cg_kill(folder);
	int status;
	assert_int_equal(waitpid(above_pid, &status, 0), above_pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(waitpid(below_pid, &status, 0), below_pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	autofree char *freeze = cg_read(folder, "cgroup.freeze");
	assert_string_equal(freeze, "0");
	unlink(strcat(below, "/cgroup.procs"));
	*strrchr(below, '/') = 0;
	rmdir(below);
}

int main(void)
{
#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, make_files, drop_folder)
	static const struct CMUnitTest tests[] = {
		IN_FOLDER(values_are_read),
		IN_FOLDER(each_is_killed_without_cgroup_kill),
		IN_FOLDER(what_is_no_number_is_named),
		IN_FOLDER(a_key_that_is_not_there_is_named),
		IN_FOLDER(writing),
		IN_FOLDER(waiting_for_a_key),
		IN_FOLDER(the_bound_holds_while_the_file_changes),
		IN_FOLDER(waiting_on_a_file_that_is_not_there),
		IN_FOLDER(no_half_of_a_number_is_moved),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
