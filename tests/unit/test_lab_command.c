/*
 * lab.c: a COMMAND in place of the story.
 */
#define _GNU_SOURCE
#include <sys/stat.h>

#include "lab_here.h"

/* ---- Hands-on ---- */

static const char *command[4];
static const char *path;

static void hands_on(void)
{
	if (path)
		setenv("PATH", path, 1);
	begin(&lab_with_words, "--", command[0], command[1], command[2], command[3], NULL);
	undo(told, "undone ");
	int go[2];
	if (pipe2(go, O_CLOEXEC))
		_exit(99);
	pid_t child = fork();
	if (child == 0) { /* it may end us: not before we know it */
		close(go[1]);
		if (read(go[0], &child, 1) == 0)
			lab_exec_command();
	}
	undo_kill(child);
	close(go[1]);
	lab_exit_as(child);
}

static struct run *hands(const char *one, const char *two, const char *three)
{
	command[0] = one;
	command[1] = two;
	command[2] = three;
	return run(hands_on);
}

static void the_status_is_the_commands(void **state)
{
	(void)state;
	path = "/usr/bin:/bin";
	struct run *r = hands("sh", "-c", "echo out; echo err >&2; exit 7");
	assert_status(r, 7);
	assert_out(r, "out\n");
	assert_string_equal(r->err, "err\nundone ");
	assert_status(hands("true", NULL, NULL), 0);
	assert_status(hands("sh", "-c", "kill -KILL $$"), 137);
	assert_status(hands("sh", "-c", "kill -INT $$"), 130);
	assert_status(hands("sh", "-c", "kill -TERM $$"), 143);
	r = hands("none-such", NULL, NULL);
	assert_status(r, 127);
	assert_string_equal(r->err, "01-test: none-such: not found\nundone ");
	assert_status(hands("/none/such", NULL, NULL), 127);
}

/* execvp(3) says EACCES of a folder that it may not enter as of a file that it may not execute. */
static void hands_on_of_nobody(void)
{
	if (geteuid() == 0 && (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534)))
		_exit(99);
	hands_on();
}

static void a_closed_folder_of_path_has_no_command(void **state)
{
	(void)state;
	char closed[96];
	path = closed;
	snprintf(closed, sizeof closed, "/none:%s/closed", folder);
	assert_int_equal(mkdir(closed + strlen("/none:"), 0), 0);
	command[0] = "none-such";
	command[1] = NULL;
	struct run *r = run(hands_on_of_nobody);
	assert_int_equal(rmdir(closed + strlen("/none:")), 0);
	assert_status(r, 127);
	assert_string_equal(r->err, "01-test: none-such: not found\nundone ");

	path = folder;
	put_file(folder, "none-such", "", 0600);
	r = hands("none-such", NULL, NULL);
	assert_status(r, 126);
	assert_string_equal(r->err, "01-test: none-such: EACCES\nundone ");
}

static void the_command_ends_with_the_lab(void **state)
{
	(void)state;
	path = "/usr/bin:/bin";
	struct run *r = hands("sh", "-c", "kill -TERM $PPID; sleep 3; echo still here");
	assert_status(r, 130);
	assert_lacks(r, out, "still here");
}

static void what_cannot_be_executed_is_126(void **state)
{
	(void)state;
	char file[128];
	put_file(folder, "plain", "not for execution", 0600);
	snprintf(file, sizeof file, "%s/plain", folder);
	struct run *r = hands(file, NULL, NULL);
	assert_status(r, 126);
	assert_has(r, err, ": EACCES\nundone ");
	assert_status(hands(folder, NULL, NULL), 126); /* a folder */
	path = folder;
	assert_status(hands("plain", NULL, NULL), 126);
	path = NULL;
}

static void the_callers_path_comes_first(void **state)
{
	(void)state;
	char both[128];
	put_file(folder, "eat", "#!/bin/sh\necho mine\n", 0700);
	snprintf(both, sizeof both, "%s:/usr/bin:/bin", folder);
	path = both;
	assert_out(hands("eat", NULL, NULL), "mine\n");
	struct run *r = hands("sh", "-c", "echo \"$PATH\"");
	assert_int_equal(strncmp(r->out, both, strlen(both)), 0);
	assert_int_equal(r->out[strlen(both)], ':');
	const char *last = strrchr(r->out, ':');
	assert_non_null(strstr(last, "/../rootfs/bin\n"));
	assert_int_equal(last - r->out, strlen(both)); /* that, and no more */
	path = NULL;
}

static void hands_on_narration(void)
{
	begin(&lab_with_words, "--", "true", NULL);
	lab_step("one", NULL);
	lab_note("note");
	long fd = SYS(dup(2));
	(void)fd;
	lab_look("look");
	lab_wait(1);
	lab_predict("pid");
	lab_answer("pid", "1");
	lab_row("a", "b", "c", "d");
	_exit(42);
}

static void hands_on_there_is_no_story(void **state)
{
	(void)state;
	struct run *r = run_with(
		hands_on_narration, (struct how){.input = "q\n", .columns = 80, .terminal = true});
	assert_status(r, 42);
	assert_out(r, "");
	assert_string_equal(r->err, "");
}

static void hands_on_sample(void)
{
	begin(&lab_with_words, "--", "true", NULL);
	lab_sample("s", 1, 2, "pages");
	lab_sample("s", 2, 2, "pages");
	check_skip("s", "r", "m"); /* closes the curve */
}

static void hands_on_samples_are_silent(void **state)
{
	(void)state;
	assert_out(run(hands_on_sample), "");
}

int main(void)
{
#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, make_folder, drop_folder)
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_command_ends_with_the_lab),
		cmocka_unit_test(the_status_is_the_commands),
		IN_FOLDER(a_closed_folder_of_path_has_no_command),
		IN_FOLDER(what_cannot_be_executed_is_126),
		IN_FOLDER(the_callers_path_comes_first),
		cmocka_unit_test(hands_on_there_is_no_story),
		cmocka_unit_test(hands_on_samples_are_silent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
