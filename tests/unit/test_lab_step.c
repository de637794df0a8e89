/*
 * lab.c: steps, and the waits of --step: Enter, s and q.
 */
#define _GNU_SOURCE
#include <linux/sched.h>
#include <sys/stat.h>

#include "fails.h"
#include "lab_here.h"

/* ---- Steps and waits ---- */

static void three_steps(void)
{
	begin(&lab_with_words, first, second, NULL);
	undo(told, "undone ");
	lab_step("one", NULL);
	lab_look("cat /proc/%d/status", 42);
	lab_look("second command");
	lab_wait(4711);
	lab_note("after the wait");
	lab_step("two", NULL);
	expect_int("a", 1, 1);
	lab_step("three", NULL);
	int status = lab_end();
	char rest[16] = "";
	ssize_t n = isatty(STDIN_FILENO) ? 0 : read(STDIN_FILENO, rest, sizeof rest - 1);
	dprintf(STDERR_FILENO, "rest=%.*s", n > 0 ? (int)n : 0, rest);
	_exit(status);
}

static void steps_are_numbered(void **state)
{
	(void)state;
	struct run *r = run_words(three_steps, "--format=jsonl", NULL, (struct how){0});
	assert_status(r, 0);
	assert_has(r, out, "{\"event\":\"step\",\"number\":1,\"text\":\"one\"}\n");
	assert_has(r, out, "{\"event\":\"step\",\"number\":2,\"text\":\"two\"}\n");
	assert_has(r, out, "{\"event\":\"step\",\"number\":3,\"text\":\"three\"}\n");
	assert_lacks(r, out, "\"wait\"");
}

static void without_step_nothing_waits_or_reads(void **state)
{
	(void)state;
	struct run *r = run_words(three_steps, NULL, NULL, (struct how){.input = "q\nq\n"});
	assert_status(r, 0);
	assert_has(r, err, "rest=q\nq\n");
	assert_lacks(r, out, "Enter: next");
}

static void one_line_of_input_a_step(void **state)
{
	(void)state;
	struct run *r = run_words(three_steps, "--step", "--format=jsonl",
		(struct how){.input = "\n  anything\n\nrest"});
	assert_status(r, 0);
	assert_has(r, err, "rest=rest"); /* not a byte more than the lines */
	assert_int_equal(json_lines(r->out), 2 + 3 + 1 + 3 + 1);
	static const char *const order[] = {"\"number\":1",
		"{\"event\":\"wait\",\"step\":1,\"pid\":4711,",
		"\"look\":\"cat /proc/42/status\\u000asecond", "\"number\":2",
		"\"event\":\"check\"", "{\"event\":\"wait\",\"step\":2,\"pid\":0,\"look\":\"\"}\n",
		"\"number\":3", "{\"event\":\"wait\",\"step\":3,\"pid\":0,\"look\":\"\"}\n",
		"\"event\":\"end\""};
	const char *at = r->out;
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		at = strstr(at, order[i]);
		if (!at)
			run_show(r);
		assert_non_null(at);
	}
}

static void the_end_of_input_goes_on(void **state)
{
	(void)state;
	struct run *r = run_words(three_steps, "--step", NULL, (struct how){0});
	assert_status(r, 0);
	assert_has(r, err, "undone rest=");
	assert_int_equal(times(r->out, "Enter: next, s: a shell in there, ?: keys, q: quit > "), 1);
	assert_int_equal(times(r->out, "Enter: next, ?: keys, q: quit > "), 2);
	assert_has(r, out, "     cat /proc/42/status\n     second command\n");
	assert_has(r, out, "1 checks");
	/* A last line without a newline is a line. */
	r = run_words(three_steps, "--step", NULL, (struct how){.input = "q"});
	assert_status(r, 130);
}

static void q_quits(void **state)
{
	(void)state;
	struct run *r = run_words(three_steps, "--step", NULL, (struct how){.input = "q\n\n\n"});
	assert_status(r, 130);
	assert_has(r, err, "01-test: ended at step 1\nundone ");
	assert_lacks(r, out, "after the wait");
	r = run_words(three_steps, "--step", NULL, (struct how){.input = "\n q\n"});
	assert_status(r, 130);
	assert_has(r, err, "ended at step 2\nundone ");
	r = run_words(three_steps, "--step", NULL,
		(struct how){.input = "q\n", .columns = 80, .terminal = true, .talks = true});
	assert_status(r, 130);
}

static struct run *talk(const char *input)
{
	return run_words(three_steps, "--color=never", "--step",
		(struct how){.input = input, .columns = 80, .terminal = true, .talks = true});
}

/* Act, then a key, then what happens; and a wait where there is something to look at. */
static void a_person_reads_the_act_before_the_result(void **state)
{
	(void)state;
	struct run *r = talk("\n\n\n\n\n");
	assert_status(r, 0);
	assert_int_equal(times(r->out, "?: keys, q: quit > "), 5);
	assert_int_equal(times(r->out, "turns the waits off"), 1);
	static const char *const order[] = {"1. one\n", "STEP=0 before", "q: quit > ",
		"     cat /proc/42/status\n", "s: a shell in there, ?: keys, q: quit > ",
		"after the wait", "2. two\n", "q: quit > ", "expected 1, observed 1", "3. three\n",
		"q: quit > ", "q: quit > ", "1 checks"};
	const char *at = r->out;
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		at = strstr(at, order[i]);
		if (!at)
			run_show(r);
		assert_non_null(at);
		at += strlen(order[i]);
	}
}

static void a_shows_all_the_rest(void **state)
{
	(void)state;
	struct run *r = talk("a\n");
	assert_status(r, 0);
	assert_int_equal(times(r->out, "q: quit > "), 1);
	assert_has(r, out, "1 checks");
	r = run_words(three_steps, "--step", NULL, (struct how){.input = "a\nrest"});
	assert_status(r, 0);
	assert_has(r, err, "rest=rest");
	assert_int_equal(times(r->out, "q: quit > "), 1);
}

static void other_keys_show_which_there_are(void **state)
{
	(void)state;
	struct run *r = talk("?\nhelp\ns\na\n");
	assert_status(r, 0);
	assert_int_equal(times(r->out, "     a      shows all the rest at once\n"), 2);
	assert_has(r, out, "There is no process here to enter");
	assert_lacks(r, out, "the next lab");
}

static void typed_ahead(void)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY);
	if (fd < 0 || grantpt(fd) || unlockpt(fd))
		_exit(99);
	dup2(open(ptsname(fd), O_RDWR | O_NOCTTY), STDIN_FILENO);
	begin(&lab_here, "--step", NULL);
	if (write(fd, "q\nq\n", 4) != 4) /* while the step runs */
		_exit(98);
	pid_t typist = fork();
	if (typist == 0) {
		struct pollfd typed = {.fd = STDIN_FILENO, .events = POLLIN};
		while (poll(&typed, 1, 0) > 0)
			;
		_exit(write(fd, "a\n", 2) != 2);
	}
	lab_step("one", NULL);
	expect_int("a", 1, 1);
	_exit(lab_end());
}

static void keys_that_were_typed_during_a_step_are_dropped(void **state)
{
	(void)state;
	struct run *r = run_with(typed_ahead, (struct how){.columns = 80});
	assert_status(r, 0);
	assert_lacks(r, err, "ended at step");
}

static int keys_of_lecture[2];

static void step_in_a_lecture(void)
{
	char words[32];
	snprintf(words, sizeof words, "%d n r 03 10 ", keys_of_lecture[1]);
	setenv("LAB_LECTURE", words, 1);
	three_steps();
}

static void a_lecture_is_told_where_to_go(void **state)
{
	(void)state;
	static const char *const keys[] = {"n\n", "r\n", "10\n", "3\n"};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		char told[8] = "";
		assert_int_equal(pipe2(keys_of_lecture, 0), 0);
		struct run *r = run_words(step_in_a_lecture, NULL, NULL,
			(struct how){
				.input = keys[i], .columns = 80, .terminal = true, .talks = true});
		close(keys_of_lecture[1]);
		assert_status(r, 130);
		assert_lacks(r, err, "ended at step");
		assert_int_equal(read(keys_of_lecture[0], told, sizeof told), strlen(keys[i]));
		assert_string_equal(told, keys[i]);
		close(keys_of_lecture[0]);
	}
}

static void three_steps_in_the_background(void)
{
	signal(SIGINT, SIG_IGN); /* as a shell without job control starts a command with & */
	three_steps();
}

static void q_quits_where_ctrl_c_is_ignored(void **state)
{
	(void)state;
	struct run *r = run_words(
		three_steps_in_the_background, "--step", NULL, (struct how){.input = "q\n"});
	assert_status(r, 130);
	assert_has(r, err, "undone ");
}

static void wait_in_a_child(void)
{
	begin(&lab_with_words, "--step", NULL);
	undo(told, "undone ");
	lab_step("one", NULL);
	pid_t child = fork();
	if (child == 0) {
		lab_wait(getpid());
		dprintf(1, "the child went on\n");
		_exit(0);
	}
	child_wait(child);
	expect_int("a", 1, 1);
	_exit(lab_end());
}

static void a_child_can_hold_the_wait(void **state)
{
	(void)state;
	struct run *r = run_with(wait_in_a_child, (struct how){.input = "\nq\n"});
	assert_status(r, 0);
	assert_has(r, out, "the child went on\n");
	assert_int_equal(times(r->out, "Enter: next"), 1); /* the step has had its wait */
	/* q ends both of them. */
	r = run_with(wait_in_a_child, (struct how){.input = "q\n"});
	assert_status(r, 130);
	assert_int_equal(times(r->err, "undone"), 1);
	assert_lacks(r, out, "the child went on");
}

/* In a PID namespace where the lab's number is another process's. */
static void wait_in_a_pid_namespace(void)
{
	begin(&lab_with_words, "--step", NULL);
	undo(told, "undone ");
	lab_step("one", NULL);
	pid_t lab_pid = getpid();
	if (unshare(CLONE_NEWPID | (geteuid() ? CLONE_NEWUSER : 0)))
		_exit(77);
	pid_t init = fork();
	if (init == 0) {
		struct clone_args args = {
			.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&lab_pid, .set_tid_size = 1};
		pid_t namesake = (pid_t)syscall(SYS_clone3, &args, sizeof args);
		if (namesake == 0)
			child_idle();
		pid_t asked = fork();
		if (asked == 0) {
			lab_wait(getpid());
			_exit(0);
		}
		waitpid(asked, NULL, 0);
		dprintf(STDERR_FILENO, "namesake %d lives %d ", namesake == lab_pid,
			!child_ended(namesake, 200));
		_exit(0);
	}
	child_wait(init);
	dprintf(1, "the lab went on\n");
	_exit(0);
}

static void q_in_a_pid_namespace_ends_the_lab_and_nobody_else(void **state)
{
	(void)state;
	struct run *r = run_with(wait_in_a_pid_namespace, (struct how){.input = "q\n"});
	if (r->status == 77)
		skip();
	assert_status(r, 130);
	assert_has(r, err, "namesake 1 lives 1 undone ");
	assert_lacks(r, out, "the lab went on");
}

static void shell(void)
{
	char path[128];
	snprintf(path, sizeof path, "%s:/usr/bin:/bin", folder);
	setenv("PATH", path, 1);
	begin(&lab_with_words, "--step", "--format=jsonl", NULL);
	lab_step("one", NULL);
	lab_wait(getpid());
	expect_int("a", 1, 1);
	_exit(lab_end());
}

static void s_opens_a_shell_and_waits_again(void **state)
{
	(void)state;
	put_file(folder, "nsenter", "#!/bin/sh\necho \"nsenter: $*\" >&2\ncat >&2\n", 0700);
	struct run *r = run_with(shell, (struct how){.input = "s\nto the shell\n"});
	assert_status(r, 0);
	assert_has(r, err, "nsenter: --target=");
	assert_has(r, err, "--preserve-credentials sh -c export PS1=");
	assert_has(r, err, "exec sh -i 01-test $ \nto the shell\n");
	assert_int_equal(times(r->out, "\"event\":\"wait\""), 2);
}

static pid_t elsewhere; /* a child in another UTS namespace, where we may make one */

static void shell_elsewhere(void)
{
	begin(&lab_with_words, "--step", "--format=jsonl", NULL);
	lab_step("one", NULL);
	int ready[2];
	char byte;
	if (pipe(ready))
		_exit(99);
	elsewhere = fork();
	if (elsewhere == 0) {
		byte = unshare(CLONE_NEWUTS) ? 'n' : 'y';
		if (write(ready[1], &byte, 1) != 1)
			_exit(98);
		child_idle();
	}
	undo_kill(elsewhere);
	if (read(ready[0], &byte, 1) != 1 || byte != 'y')
		_exit(77);
	setenv("PATH", folder, 1);
	fails_at(second, 2, EACCES); /* of its group: the view has to do then */
	lab_wait(elsewhere);
	expect_int("a", 1, 1);
	_exit(lab_end());
}

static void s_enters_what_is_not_ours(void **state)
{
	(void)state;
	put_file(folder, "nsenter", "#!/bin/sh\necho \"nsenter: $*\" >&2\n", 0700);
	static const char *const failing_calls[] = {NULL, "open"};
	for (int i = 0; i < 2; i++) {
		struct run *r = run_words(
			shell_elsewhere, NULL, failing_calls[i], (struct how){.input = "s\n"});
		if (r->status == 77)
			skip();
		assert_status(r, 0);
		assert_has(r, err, "--preserve-credentials --uts sh -c export PS1=");
	}
}

static void s_without_nsenter_is_told(void **state)
{
	(void)state;
	struct run *r = run_words(shell_elsewhere, NULL, NULL, (struct how){.input = "s\n"});
	if (r->status == 77)
		skip();
	assert_status(r, 0);
	assert_has(r, err, "nsenter (util-linux): ENOENT\n");
}

static void interrupted_steps(void)
{
	fails_at("read", 1, EINTR);
	three_steps();
}

static void an_interrupted_read_is_made_again(void **state)
{
	(void)state;
	struct run *r = run_words(interrupted_steps, "--step", NULL, (struct how){.input = "q\n"});
	assert_status(r, 130);
	assert_has(r, err, "01-test: ended at step 1\nundone ");
}

int main(void)
{
#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, make_folder, drop_folder)
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_are_numbered),
		cmocka_unit_test(without_step_nothing_waits_or_reads),
		cmocka_unit_test(one_line_of_input_a_step),
		cmocka_unit_test(the_end_of_input_goes_on),
		cmocka_unit_test(q_quits),
		cmocka_unit_test(a_person_reads_the_act_before_the_result),
		cmocka_unit_test(a_shows_all_the_rest),
		cmocka_unit_test(other_keys_show_which_there_are),
		cmocka_unit_test(keys_that_were_typed_during_a_step_are_dropped),
		cmocka_unit_test(a_lecture_is_told_where_to_go),
		cmocka_unit_test(q_quits_where_ctrl_c_is_ignored),
		cmocka_unit_test(a_child_can_hold_the_wait),
		cmocka_unit_test(q_in_a_pid_namespace_ends_the_lab_and_nobody_else),
		IN_FOLDER(s_opens_a_shell_and_waits_again),
		IN_FOLDER(s_enters_what_is_not_ours),
		IN_FOLDER(s_without_nsenter_is_told),
		cmocka_unit_test(an_interrupted_read_is_made_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
