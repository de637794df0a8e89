/*
 * undo.c: a signal takes everything back too, at any moment, and a COMMAND has signals of its own.
 */
#define _GNU_SOURCE
#include "lab_here.h"

static void push_three(void)
{
	begin(&lab_here, "--format=jsonl", NULL);
	undo(told, "a");
	undo(told, "b");
	undo(told, "c");
}

/* ---- When ---- */

static int number;

static void by_signal(void)
{
	push_three();
	raise(number);
	dprintf(1, "went on\n");
}

static void signals_run_it_and_end_with_130(void **state)
{
	(void)state;
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
	for (int i = 0; i < 4; i++) {
		number = signals[i];
		struct run *r = run(by_signal);
		assert_status(r, 130);
		assert_string_equal(r->err, "cba");
		assert_lacks(r, out, "went on");
	}
}

static void ignored(void)
{
	signal(number, SIG_IGN);
	by_signal();
	_exit(42);
}

static void what_the_caller_ignores_stays_ignored(void **state)
{
	(void)state;
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
	for (int i = 0; i < 4; i++) {
		number = signals[i];
		struct run *r = run(ignored);
		assert_status(r, 42);
		assert_has(r, out, "went on");
		assert_string_equal(r->err, "");
	}
}

static void told_and_raises(const char *arg)
{
	told(arg);
	raise(SIGTERM);
}

static void signal_in_undo(void)
{
	begin(&lab_here, NULL);
	undo(told, "a");
	undo(told_and_raises, "b");
	undo(told, "c");
	undo_run();
	undo_run();
}

static void a_signal_meanwhile_loses_and_repeats_nothing(void **state)
{
	(void)state;
	struct run *r = run(signal_in_undo);
	assert_status(r, 130);
	assert_string_equal(r->err, "cba");
}

static void raises_and_tells(const char *arg)
{
	raise(SIGTERM);
	told(arg);
}

static void signal_before_the_work(void)
{
	begin(&lab_here, NULL);
	undo(told, "a");
	undo(raises_and_tells, "b");
	undo(told, "c");
	expect_int("x", 1, 1);
	_exit(lab_end());
}

static void a_signal_ends_nothing_in_the_middle(void **state)
{
	(void)state;
	struct run *r = run(signal_before_the_work);
	assert_status(r, 130);
	assert_string_equal(r->err, "cba");
}

/* SIGTERM at any moment of the end, from the first entry to the last line. */
static unsigned moment;

/* As what removes a folder does: the effect comes last. */
static void works_and_tells(const char *arg)
{
	for (int i = 0; i < 100; i++)
		syscall(SYS_getppid);
	told(arg);
}

static void signal_at_a_moment(void)
{
	begin(&lab_here, NULL);
	for (int i = 0; i < 20; i++)
		undo(works_and_tells, "+");
	expect_int("x", 1, 1);
	pid_t lab_pid = getpid(), child = fork();
	if (child == 0) {
		for (volatile unsigned i = 0; i < moment; i++)
			;
		kill(lab_pid, SIGTERM);
		_exit(0);
	}
	_exit(lab_end());
}

static void a_signal_at_any_moment_of_the_end(void **state)
{
	(void)state;
	int met = 0;
	for (int i = 0; i < 200; i++) {
		moment = (unsigned)i * 2000;
		struct run *r = run(signal_at_a_moment);
		if (r->status != 0 && r->status != 130)
			assert_status(r, 130);
		met += r->status == 130;
		if (times(r->err, "+") != 20)
			fail_msg("at moment %u: %d of 20 undone", moment, times(r->err, "+"));
	}
	assert_true(met > 0);
}

/* ---- A COMMAND's signals ---- */

static bool caller_ignores;

static void command(void)
{
	if (caller_ignores)
		signal(SIGINT, SIG_IGN);
	begin(&lab_here, "--", "true", NULL);
	undo(told, "undone");
	raise(SIGINT); /* the terminal's keys are COMMAND's: the lab itself ignores them */
	raise(SIGQUIT);
	dprintf(1, "alive ");
	for (int i = 0; i < 2; i++) {
		pid_t child = fork();
		if (child == 0) {
			undo_signals_of_command();
			raise(i ? SIGQUIT : SIGINT);
			_exit(0);
		}
		dprintf(1, "%d ", child_wait(child));
	}
	raise(SIGTERM);
}

static void the_two_keys_are_the_commands_own(void **state)
{
	(void)state;
	caller_ignores = false;
	struct run *r = run(command);
	assert_status(r, 130);
	assert_out(r, "alive 130 131 ");
	assert_string_equal(r->err, "undone");
	caller_ignores = true;
	r = run(command);
	assert_status(r, 130);
	assert_out(r, "alive 0 131 ");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(signals_run_it_and_end_with_130),
		cmocka_unit_test(what_the_caller_ignores_stays_ignored),
		cmocka_unit_test(a_signal_meanwhile_loses_and_repeats_nothing),
		cmocka_unit_test(a_signal_ends_nothing_in_the_middle),
		cmocka_unit_test(a_signal_at_any_moment_of_the_end),
		cmocka_unit_test(the_two_keys_are_the_commands_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
