/*
 * undo.c: what is taken back, when and by whom.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <sys/stat.h>

#include "lab_here.h"

/* What undo_rmdir_now() would have to do is not asked to clean up after itself. */
static int empty_folder(void **state)
{
	(void)state;
	char path[512];
	DIR *dir = opendir(folder);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		if (unlink(path))
			rmdir(path);
	}
	if (dir)
		closedir(dir);
	rmdir(folder);
	return 0;
}

static void push_three(void)
{
	begin(&lab_here, "--format=jsonl", NULL);
	undo(told, "a");
	undo(told, "b");
	undo(told, "c");
}

/* ---- When ---- */

static void at_the_end(void)
{
	push_three();
	expect_int("x", 1, 1);
	_exit(lab_end());
}

static void broken(void)
{
	push_three();
	errno = 0;
	die("x");
}

static void last_in_first_out(void **state)
{
	(void)state;
	struct run *r = run(at_the_end);
	assert_status(r, 0);
	assert_string_equal(r->err, "cba");
	r = run(broken);
	assert_status(r, 3);
	assert_string_equal(r->err, "01-test: broken: x\ncba");
}

static void arg_is_copied(void)
{
	char arg[] = "first";
	begin(&lab_here, NULL);
	undo(told, arg);
	strcpy(arg, "other");
	undo_run();
}

static void the_argument_is_copied(void **state)
{
	(void)state;
	assert_string_equal(run(arg_is_copied)->err, "first");
}

static void run_twice(void)
{
	push_three();
	undo_run();
	undo_run();
	undo(told, "d");
	undo_run();
}

static void nothing_is_run_twice(void **state)
{
	(void)state;
	assert_string_equal(run(run_twice)->err, "cbad");
}

/* ---- Who ---- */

static int way;

static void in_a_child(void)
{
	push_three();
	pid_t child = fork();
	if (child == 0) {
		if (way == 0)
			undo_run();
		if (way == 1)
			die("the child");
		if (way == 2)
			raise(SIGTERM);
		if (way == 3) {
			undo(told, "own");
			undo_run();
		}
		if (way == 4)
			exit(0);
		_exit(0);
	}
	dprintf(STDERR_FILENO, "child %d ", child_wait(child));
	undo_run();
}

static void never_in_a_child(void **state)
{
	(void)state;
	static const char *const told_by[] = {
		"child 0 cba", NULL, "child 130 cba", "ownchild 0 cba", "child 0 cba"};
	for (way = 0; way < 5; way++) {
		struct run *r = run(in_a_child);
		assert_status(r, 0);
		if (told_by[way])
			assert_string_equal(r->err, told_by[way]);
		else
			assert_has(r, err, "child 3 cba");
		assert_int_equal(times(r->err, "cba"), 1);
	}
}

/* ---- How much ---- */

static int entries;

static void many(void)
{
	begin(&lab_here, NULL);
	for (int i = 0; i < entries; i++)
		undo(told, "+");
	dprintf(1, "pushed\n");
	undo_run();
}

static void a_full_stack(void **state)
{
	(void)state;
	entries = 32;
	struct run *r = run(many);
	assert_status(r, 0);
	assert_int_equal(times(r->err, "+"), 32);
	entries = 33;
	r = run(many);
	assert_status(r, 3);
	assert_has(r, err, "more than 32 things to undo\n");
	assert_int_equal(times(r->err, "+"), 32); /* and what there was is taken back */
	assert_lacks(r, out, "pushed");
}

static int length;

static void long_argument(void)
{
	char arg[1000];
	memset(arg, 'x', sizeof arg);
	arg[length] = '\0';
	begin(&lab_here, NULL);
	undo(told, arg);
	dprintf(1, "pushed\n");
	undo_run();
}

static void an_argument_that_is_too_long(void **state)
{
	(void)state;
	length = 499;
	struct run *r = run(long_argument);
	assert_status(r, 0);
	assert_int_equal(r->err_size, 499);
	length = 500;
	r = run(long_argument);
	assert_status(r, 3);
	assert_has(r, err, "too long to undo: xxx");
}

/* ---- undo_kill() ---- */

static pid_t idle(void)
{
	pid_t child = fork();
	if (child == 0)
		child_idle();
	return child;
}

static void kills(void)
{
	begin(&lab_here, NULL);
	pid_t a = idle(), b = idle();
	for (int i = 0; i < 100; i++)
		undo_kill(a); /* who is there takes no other place */
	undo_kill(b);
	undo_run();
	/* Reaped, too: nothing is left of them. */
	dprintf(1, "%d%d\n", kill(a, 0) == -1 && errno == ESRCH,
		kill(b, 0) == -1 && errno == ESRCH);
}

static void undo_kill_kills(void **state)
{
	(void)state;
	struct run *r = run(kills);
	assert_status(r, 0);
	assert_has(r, out, "11\n");
}

static void kill_after_wait(void)
{
	begin(&lab_here, NULL);
	pid_t a = fork();
	if (a == 0)
		_exit(7);
	undo(told, "first");
	undo_kill(a);
	undo(told, "last");
	dprintf(1, "%d\n", child_wait(a));
	/* It may stand for another process by now, its descriptor as well: this one has that. */
	pid_t b = idle();
	int fd = proc_pidfd(b);
	undo_run();
	dprintf(1, "b %s %d\n", child_ended(b, 0) ? "killed" : "lives", fd > 2);
	kill(b, SIGKILL);
	dprintf(1, "%d\n", child_wait(b));
}

static void who_has_been_waited_for_is_not_killed(void **state)
{
	(void)state;
	struct run *r = run(kill_after_wait);
	assert_status(r, 0);
	assert_has(r, out, "7\nb lives 1\n137\n");
	assert_string_equal(r->err, "lastfirst");
}

static void many_children(void)
{
	begin(&lab_here, NULL);
	for (int i = 0; i < 100; i++) {
		pid_t child = fork();
		if (child == 0)
			_exit(0);
		undo_kill(child);
		child_wait(child);
	}
	_exit(42);
}

static void who_has_been_waited_for_takes_no_place(void **state)
{
	(void)state;
	assert_status(run(many_children), 42);
}

static void kill_gone(void)
{
	begin(&lab_here, NULL);
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	waitpid(child, NULL, 0);
	undo_kill(child);
}

static void undo_kill_of_nobody_is_broken(void **state)
{
	(void)state;
	struct run *r = run(kill_gone);
	assert_status(r, 3);
	assert_has(r, err, "ESRCH");
}

/* ---- undo_rmdir() ---- */

static void rmdir_it(void)
{
	begin(&lab_here, NULL);
	undo_rmdir(folder);
	undo_run();
}

static void the_folder_goes_with_its_files(void **state)
{
	(void)state;
	char name[32];
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof name, "a-file-with-a-longer-name-%d", i);
		put_file(folder, name, "x", 0400);
	}
	put_file(folder, ".hidden", "x", 0600);
	assert_status(run(rmdir_it), 0);
	assert_int_equal(access(folder, F_OK), -1);
	assert_status(run(rmdir_it), 0); /* and once more, when it has gone */
}

static void rmdir_at_the_end(void)
{
	begin(&lab_here, NULL);
	undo_rmdir(folder);
	expect_int("x", 1, 1);
	_exit(lab_end());
}

static void what_cannot_be_removed_is_told(void **state)
{
	(void)state;
	char path[128];
	snprintf(path, sizeof path, "%s/sub", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	struct run *r = run(rmdir_at_the_end);
	assert_status(r, 3);
	char line[160];
	snprintf(line, sizeof line, "01-test: broken: %s cannot be removed\n", folder);
	assert_string_equal(r->err, line);
}

static void a_link_is_removed_and_not_followed(void **state)
{
	(void)state;
	char path[128], target[128], link[128];
	snprintf(path, sizeof path, "%s/sub", folder);
	snprintf(target, sizeof target, "%s/sub/kept", folder);
	snprintf(link, sizeof link, "%s/link", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	put_file(path, "kept", "x", 0600);
	assert_int_equal(symlink(path, link), 0);
	assert_status(run(rmdir_it), 0);
	assert_int_equal(access(link, F_OK), -1);
	assert_int_equal(access(target, F_OK), 0); /* what is in a folder below is not plain */
	assert_int_equal(symlink(path, link), 0);
	char saved[64];
	strcpy(saved, folder);
	strcat(folder, "/link");
	assert_status(run(rmdir_it), 0);
	strcpy(folder, saved);
	assert_int_equal(access(target, F_OK), 0); /* nor is what a link names ours */
	unlink(target);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_in_first_out),
		cmocka_unit_test(the_argument_is_copied),
		cmocka_unit_test(nothing_is_run_twice),
		cmocka_unit_test(never_in_a_child),
		cmocka_unit_test(a_full_stack),
		cmocka_unit_test(an_argument_that_is_too_long),
		cmocka_unit_test(undo_kill_kills),
		cmocka_unit_test(who_has_been_waited_for_is_not_killed),
		cmocka_unit_test(who_has_been_waited_for_takes_no_place),
		cmocka_unit_test(undo_kill_of_nobody_is_broken),
		cmocka_unit_test_setup_teardown(
			the_folder_goes_with_its_files, make_folder, empty_folder),
		cmocka_unit_test_setup_teardown(
			what_cannot_be_removed_is_told, make_folder, empty_folder),
		cmocka_unit_test_setup_teardown(
			a_link_is_removed_and_not_followed, make_folder, empty_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
