/*
 * file.c: whole small files, and what a run leaves in /tmp.
 */
#define _GNU_SOURCE
#define LAB_ID "91-test" /* what it makes is no other lab's */
#include "kernel/file.h"

#include <sys/stat.h>

#include "lab_here.h"

static char path[128];

static int make_path(void **state)
{
	if (make_folder(state))
		return -1;
	snprintf(path, sizeof path, "%s/file", folder);
	return 0;
}

static void start(void)
{
	begin(&lab_here, NULL);
}

/* ---- text() ---- */

static void text_is_as_printf_makes_it(void **state)
{
	(void)state;
	autofree char *empty = text("%s", "");
	autofree char *some = text("%s-%03d%c", "a", 7, '!');
	autofree char *long_one = text("%20000s|", "x");
	assert_string_equal(empty, "");
	assert_string_equal(some, "a-007!");
	assert_int_equal(strlen(long_one), 20001);
	assert_string_equal(long_one + 19999, "x|");
}

/* ---- Reading ---- */

static void files_of_every_size(void **state)
{
	(void)state;
	static const int sizes[] = {0, 1, 4094, 4095, 4096, 4097, 8190, 8191, 8192, 8193, 100000};
	static char content[100001];
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		for (int c = 0; c < sizes[i]; c++)
			content[c] = (char)('a' + c % 26);
		content[sizes[i]] = '\0';
		put_file(folder, "file", content, 0600);
		autofree char *all = file_read(path), *again = file_try_read(path);
		assert_string_equal(all, content);
		assert_string_equal(again, content);
	}
}

static void the_newlines_at_the_end_go(void **state)
{
	(void)state;
	static const char *const pairs[][2] = {{"a\n", "a"}, {"a\nb\n\n\n", "a\nb"}, {"\n", ""},
		{"\n\na", "\n\na"}, {"a \n", "a "}};
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		put_file(folder, "file", pairs[i][0], 0600);
		autofree char *all = file_read(path);
		assert_string_equal(all, pairs[i][1]);
	}
}

static void files_of_the_kernel(void **state)
{
	(void)state;
	char pid[32];
	snprintf(pid, sizeof pid, "\nPid:\t%d\n", getpid());
	autofree char *status = file_read("/proc/self/status");
	assert_non_null(strstr(status, pid));
	autofree char *type = file_read("/proc/sys/kernel/ostype");
	assert_string_equal(type, "Linux");
}

static void what_cannot_be_read_is_null(void **state)
{
	(void)state;
	errno = 0;
	assert_null(file_try_read(path));
	assert_int_equal(errno, ENOENT);
	assert_null(file_try_read(folder));
	assert_int_equal(errno, EISDIR);
	assert_null(file_try_read(""));
	assert_int_equal(errno, ENOENT);
}

static const char *file;

static void reads(void)
{
	start();
	file_read(file);
}

static void what_cannot_be_read_breaks_the_lab(void **state)
{
	(void)state;
	file = path;
	struct run *r = run(reads);
	assert_status(r, 3);
	assert_has(r, err, "91-test: broken: read /tmp/unit-");
	assert_has(r, err, "/file: ENOENT\n");
	file = folder;
	r = run(reads);
	assert_status(r, 3);
	assert_has(r, err, ": EISDIR\n");
}

/* ---- Writing ---- */

static void a_file_that_exists_is_written(void **state)
{
	(void)state;
	put_file(folder, "file", "123456", 0600);
	file_write(path, "abc");
	autofree char *all = file_read(path);
	assert_string_equal(all, "abc456"); /* as a file of the kernel's: neither cut nor made */
	assert_int_equal(file_try_write(path, "xy"), 0);
	autofree char *again = file_read(path);
	assert_string_equal(again, "xyc456");
	assert_int_equal(file_try_write(path, ""), 0);
}

static void a_file_that_does_not_is_not_made(void **state)
{
	(void)state;
	errno = 0;
	assert_int_equal(file_try_write(path, "x"), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(access(path, F_OK), -1);
	errno = 0;
	assert_int_equal(file_try_write("/dev/full", "x"), -1);
	assert_int_equal(errno, ENOSPC);
}

static void writes(void)
{
	start();
	file_write(file, "+memory");
}

static void what_cannot_be_written_breaks_the_lab(void **state)
{
	(void)state;
	file = path;
	struct run *r = run(writes);
	assert_status(r, 3);
	assert_has(r, err, "91-test: broken: write \"+memory\" to /tmp/unit-");
	assert_has(r, err, "/file: ENOENT\n");
	file = "/dev/full";
	r = run(writes);
	assert_status(r, 3);
	assert_has(r, err, "to /dev/full: ENOSPC\n");
}

static void writes_much(void)
{
	static char much[200000];
	memset(much, 'x', sizeof much);
	_exit(file_write_all(STDOUT_FILENO, much, sizeof much) ? 42 : 43);
}

static void a_write_is_resumed(void **state)
{
	(void)state;
	struct run *r = run(writes_much); /* more than a pipe holds */
	assert_status(r, 42);
	assert_int_equal(r->out_size, 200000);
}

static void a_descriptor_that_is_gone(void **state)
{
	(void)state;
	errno = 0;
	assert_false(file_write_all(-1, "x", 1));
	assert_int_equal(errno, EBADF);
	assert_true(file_write_all(-1, "", 0));
}

/* ---- tmp_folder() ---- */

static void tmpdir(void)
{
	struct stat st;
	umask(0);
	start();
	const char *mine = tmp_folder();
	char expected[64], inside[96];
	int length = snprintf(expected, sizeof expected, "/tmp/lab91-%d-", getpid());
	dprintf(STDERR_FILENO, "%s ", mine);
	dprintf(STDERR_FILENO, "name %d ",
		!strncmp(mine, expected, (size_t)length) && strlen(mine + length) == 6);
	dprintf(STDERR_FILENO, "same %d ", tmp_folder() == mine);
	if (!stat(mine, &st))
		dprintf(STDERR_FILENO, "mode %o own %d ", st.st_mode, st.st_uid == geteuid());
	snprintf(inside, sizeof inside, "%s/file", mine);
	int fd = open(inside, O_WRONLY | O_CREAT, 0600);
	dprintf(STDERR_FILENO, "made %d\n", fd >= 0);
	expect_int("a", 1, 1);
	_exit(lab_end());
}

static void a_folder_for_the_run_only(void **state)
{
	(void)state;
	struct run *r = run(tmpdir);
	char name[64];
	assert_status(r, 0);
	assert_has(r, err, " name 1 same 1 mode 40700 own 1 made 1\n");
	assert_int_equal(sscanf(r->err, "%63s", name), 1);
	assert_int_equal(access(name, F_OK), -1);
}

/* ---- What a run left ---- */

static const struct ended nobody;
static bool with_a_child, as_another;

/* Its name goes to stdout's end; who is killed removes nothing. */
static void is_killed(void)
{
	int stays[2];
	start();
	if (as_another && (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534)))
		_exit(99);
	put_file(tmp_folder(), "file", "x", 0600);
	dprintf(STDERR_FILENO, "%d %s\n", getpid(), tmp_folder());
	if (with_a_child && !pipe(stays) && fork() == 0) {
		char byte;
		close(stays[1]);
		if (read(stays[0], &byte, 1) == 0) /* which has now seen the lab's end */
			tmp_sweep(&nobody);
		dprintf(STDERR_FILENO, "there %d\n", !access(tmp_folder(), F_OK));
		raise(SIGKILL);
	}
	raise(SIGKILL);
}

/* The folder that a run has left, and its PID. */
static pid_t leave(char name[64])
{
	int pid;
	struct run *r = run(is_killed);
	assert_status(r, 137);
	assert_int_equal(sscanf(r->err, "%d %63s", &pid, name), 2);
	return pid;
}

static void the_sweep_takes_what_a_run_has_left(void **state)
{
	(void)state;
	char left[64];
	leave(left);
	assert_int_equal(access(left, F_OK), 0);
	tmp_sweep(&nobody);
	assert_int_equal(access(left, F_OK), -1);
}

static void a_run_lives_as_long_as_a_child_of_it(void **state)
{
	(void)state;
	char left[64];
	with_a_child = true;
	struct run *r = run(is_killed);
	with_a_child = false;
	assert_status(r, 137);
	assert_has(r, err, "there 1\n");
	assert_int_equal(sscanf(r->err, "%*d %63s", left), 1);
	tmp_sweep(&nobody);
	assert_int_equal(access(left, F_OK), -1);
}

static void what_another_user_has_left_is_the_runners(void **state)
{
	(void)state;
	char left[64];
	if (geteuid() != 0)
		skip();
	as_another = true;
	pid_t pid = leave(left);
	as_another = false;
	tmp_sweep(&nobody);
	assert_int_equal(access(left, F_OK), 0);
	tmp_sweep(&(struct ended){.pid = pid}); /* it has run that lab itself */
	assert_int_equal(access(left, F_OK), -1);
}

enum { STRANGERS = 6 };

static void make_stranger(const char *name, const char *mark)
{
	assert_int_equal(mkdir(name, 0700), 0);
	put_file(name, "essay.txt", "x", 0600);
	if (mark)
		put_file(name, MARK, mark, 0600);
}

static void nothing_without_the_mark_is_touched(void **state)
{
	(void)state;
	char left[64], names[STRANGERS][64];
	pid_t dead = leave(left);
	/* As the issue of it had it; as a run names its own; a copy, with the mark in it; marks
	 * that are none. */
	snprintf(names[0], 64, "/tmp/lab91-%d", dead);
	snprintf(names[1], 64, "/tmp/lab91-%d-abcdef", dead);
	snprintf(names[2], 64, "/tmp/lab91-%d-Abcdef", dead);
	snprintf(names[3], 64, "/tmp/lab91-%d-aBcdef", dead);
	snprintf(names[4], 64, "/tmp/lab91-%d-abCdef", dead);
	snprintf(names[5], 64, "/tmp/lab91-%d-abcDef", dead);
	make_stranger(names[0], NULL);
	make_stranger(names[1], NULL);
	make_stranger(names[2], strrchr(left, '/') + 1);
	make_stranger(names[3], "");
	make_stranger(names[4], NULL);
	autofree char *fifo = text("%s/" MARK, names[4]);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	/* A link to what has been left is not what has been left. */
	assert_int_equal(symlink(left, names[5]), 0);
	struct ended run = {.pid = dead};
	clock_gettime(CLOCK_REALTIME_COARSE, &run.since);
	run.since.tv_sec++; /* what it has made itself is older than that */
	tmp_sweep(&run);
	bool gone = access(left, F_OK) != 0, there[STRANGERS];
	for (int i = 0; i < STRANGERS; i++) {
		struct stat st;
		autofree char *inside = text("%s%s", names[i], i < 5 ? "/essay.txt" : "");
		there[i] = !lstat(inside, &st);
		undo_rmdir_now(names[i]);
	}
	unlink(names[5]);
	assert_true(gone);
	for (int i = 0; i < STRANGERS; i++)
		if (!there[i])
			fail_msg("%s was not ours", names[i]);
}

/* Killed before the mark was written: what is empty is its own, and nothing else. */
static void who_was_killed_before_the_mark_leaves_nothing(void **state)
{
	(void)state;
	struct ended run = {.pid = gone_pid()};
	clock_gettime(CLOCK_REALTIME_COARSE, &run.since);
	autofree char *empty = text("/tmp/lab91-%d-abcdef", run.pid);
	autofree char *unwritten = text("/tmp/lab91-%d-Abcdef", run.pid);
	autofree char *full = text("/tmp/lab91-%d-aBcdef", run.pid);
	assert_int_equal(mkdir(empty, 0700) | mkdir(unwritten, 0700) | mkdir(full, 0700), 0);
	put_file(unwritten, MARK, "", 0600);
	put_file(full, "essay.txt", "x", 0600);
	tmp_sweep(&nobody);
	bool before = !access(empty, F_OK) && !access(unwritten, F_OK);
	tmp_sweep(&run);
	bool gone = access(empty, F_OK) && access(unwritten, F_OK), there = !access(full, F_OK);
	undo_rmdir_now(empty);
	undo_rmdir_now(unwritten);
	undo_rmdir_now(full);
	assert_true(before && gone && there);
}

static void tmpdir_where_the_name_is_taken(void)
{
	char name[64];
	start();
	snprintf(name, sizeof name, "/tmp/lab91-%d", getpid());
	if (mkdir(name, 0))
		_exit(99);
	tmp_folder();
	undo_run();
	_exit(rmdir(name) ? 98 : 42);
}

static void a_name_that_is_taken_is_no_hindrance(void **state)
{
	(void)state;
	assert_status(run(tmpdir_where_the_name_is_taken), 42);
}

int main(void)
{
#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, make_path, drop_folder)
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_as_printf_makes_it),
		IN_FOLDER(files_of_every_size),
		IN_FOLDER(the_newlines_at_the_end_go),
		cmocka_unit_test(files_of_the_kernel),
		IN_FOLDER(what_cannot_be_read_is_null),
		IN_FOLDER(what_cannot_be_read_breaks_the_lab),
		IN_FOLDER(a_file_that_exists_is_written),
		IN_FOLDER(a_file_that_does_not_is_not_made),
		IN_FOLDER(what_cannot_be_written_breaks_the_lab),
		cmocka_unit_test(a_write_is_resumed),
		cmocka_unit_test(a_descriptor_that_is_gone),
		cmocka_unit_test(a_folder_for_the_run_only),
		cmocka_unit_test(a_name_that_is_taken_is_no_hindrance),
		cmocka_unit_test(the_sweep_takes_what_a_run_has_left),
		cmocka_unit_test(a_run_lives_as_long_as_a_child_of_it),
		cmocka_unit_test(what_another_user_has_left_is_the_runners),
		cmocka_unit_test(nothing_without_the_mark_is_touched),
		cmocka_unit_test(who_was_killed_before_the_mark_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
