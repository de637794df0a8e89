/*
 * file.c: whole small files, and what a run leaves in /tmp.
 */
#define _GNU_SOURCE
#include "file.h"

#include <sys/stat.h>

#include "run.h"
#include "state.h"
#include "sys.h"

static const struct lab lab_here = {.id = "91-test", .title = "t", .goal = "g"};
static char folder[64], path[128];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/unit-file-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/file", folder);
	return 0;
}

static int drop_folder(void **state)
{
	(void)state;
	undo_rmdir_now(folder);
	return access(folder, F_OK) ? 0 : -1;
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
	assert_has(r, err, "91-test: broken: read /tmp/unit-file-");
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
	assert_has(r, err, "91-test: broken: write \"+memory\" to /tmp/unit-file-");
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

/* ---- file_tmpdir() ---- */

static void tmpdir(void)
{
	struct stat st;
	umask(0);
	start();
	const char *mine = file_tmpdir();
	char expected[64], inside[96];
	snprintf(expected, sizeof expected, "/tmp/lab91-%d", getpid());
	dprintf(STDERR_FILENO, "%s ", mine);
	dprintf(STDERR_FILENO, "name %d ", !strcmp(mine, expected));
	dprintf(STDERR_FILENO, "same %d ", file_tmpdir() == mine);
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

static void tmpdir_is_there(void)
{
	start();
	char name[64];
	snprintf(name, sizeof name, "/tmp/lab91-%d", getpid());
	if (mkdir(name, 0755))
		_exit(99);
	undo_rmdir(name);
	file_tmpdir();
}

static void somebody_elses_folder_is_not_taken(void **state)
{
	(void)state;
	struct run *r = run(tmpdir_is_there);
	assert_status(r, 3);
	assert_has(r, err, "broken: mkdir /tmp/lab91-");
	assert_has(r, err, ": EEXIST\n");
}

/* ---- What a run left ---- */

/* The name with the PID where it has a '#'. */
static void numbered(char to[64], const char *name, pid_t pid)
{
	int before = (int)strcspn(name, "#");
	snprintf(to, 64, "%.*s%d%s", before, name, pid, name + before + 1);
}

static enum left left(const char *with, pid_t pid, pid_t done)
{
	char name[64];
	numbered(name, with, pid);
	return file_left_by_run(name, done);
}

static void names_of_runs_that_are_gone(void **state)
{
	(void)state;
	pid_t dead = gone_pid(), alive = getpid();
	assert_int_equal(left("lab01-#", dead, 0), LEFT);
	assert_int_equal(left("lab17-#", dead, 0), LEFT);
	assert_int_equal(left("lab01-#-leaf", dead, 0), LEFT_LEAF);
	assert_int_equal(left("lab01-#", alive, 0), NOT_LEFT);
	assert_int_equal(left("lab01-#-leaf", alive, 0), NOT_LEFT);
	assert_int_equal(left("lab01-#", 1, 0), NOT_LEFT); /* somebody else's is alive as well */
	/* The runner knows that it has ended, though it may not be reaped yet. */
	assert_int_equal(left("lab01-#", alive, alive), LEFT);
	assert_int_equal(left("lab01-#-leaf", alive, alive), LEFT_LEAF);
	assert_int_equal(left("lab01-#", alive, dead), NOT_LEFT);
	assert_int_equal(left("lab01-#", dead, alive), LEFT);
}

static void other_names_are_not_ours(void **state)
{
	(void)state;
	static const char *const names[] = {"lab01-#.bak", "lab01-#-", "lab01-#-leaf2",
		"lab01-#-Leaf", "lab01-#leaf", "lab01_#", "lab-#", "lab01#", "labxx-#", "lab001-#",
		"mylab01-#", "Lab01-#", " lab01-#", "lab01-x#", "lab01--#", "lab01-#/",
		"kubepods-#"};
	static const char *const whole[] = {
		"", "lab", "lab01", "lab01-", "lab01-0", "lab01-leaf", ".", "..", "lab01--leaf"};
	pid_t dead = gone_pid();
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (left(names[i], dead, 0) != NOT_LEFT)
			fail_msg("%s is none of ours", names[i]);
	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
		if (file_left_by_run(whole[i], 0) != NOT_LEFT)
			fail_msg("%s is none of ours", whole[i]);
}

static void names_that_are_almost_ours(void **state)
{
	(void)state;
	/* A student's /tmp/lab-3-2024 or lab3-2024 is not what a run made: two digits, a PID. */
	static const char *const names[] = {"lab1-#", "lab-1-#", "lab+1-#", "lab 1-#", "lab01- #",
		"lab01-+#", "lab01-0#", "lab01-#00000000000"};
	pid_t dead = gone_pid();
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (left(names[i], dead, 0) != NOT_LEFT)
			fail_msg("%s is none of ours", names[i]);
}

static char made[5][64];

/* A folder in /tmp with a file in it, as a run leaves it. */
static void leave(int i, const char *with, pid_t pid)
{
	numbered(made[i], with, pid);
	assert_int_equal(mkdir(made[i], 0700), 0);
	put_file(made[i], "file", "x", 0600);
}

static pid_t swept;

static void sweeps(void)
{
	file_sweep(swept);
}

static void the_sweep_takes_dead_runs_only(void **state)
{
	(void)state;
	pid_t dead = gone_pid();
	leave(0, "/tmp/lab91-#", dead);
	leave(1, "/tmp/lab92-#", getpid());
	leave(2, "/tmp/lab93-#.mine", dead);
	leave(3, "/tmp/lab94-#-leaf", dead); /* only groups have leaves */
	snprintf(made[4], sizeof made[4], "/tmp/lab95-%d", dead);
	assert_int_equal(symlink(folder, made[4]), 0);
	put_file(folder, "file", "x", 0600);
	swept = 0;
	int status = run(sweeps)->status;
	bool there[5];
	for (int i = 0; i < 5; i++)
		there[i] = access(made[i], F_OK) == 0;
	bool kept = access(path, F_OK) == 0;
	swept = getpid();
	run(sweeps);
	bool gone = access(made[1], F_OK) != 0;
	for (int i = 0; i < 4; i++)
		undo_rmdir_now(made[i]);
	unlink(made[4]);
	assert_int_equal(status, 0);
	assert_false(there[0]);
	assert_true(there[1]); /* alive */
	assert_true(there[2]); /* another name */
	assert_true(there[3]);
	assert_true(there[4] && kept); /* no folder: neither removed nor followed */
	assert_true(gone);             /* ended, says the runner */
}

int main(void)
{
#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, make_folder, drop_folder)
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
		cmocka_unit_test(somebody_elses_folder_is_not_taken),
		cmocka_unit_test(names_of_runs_that_are_gone),
		cmocka_unit_test(other_names_are_not_ours),
		cmocka_unit_test(names_that_are_almost_ours),
		IN_FOLDER(the_sweep_takes_dead_runs_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
