/*
 * out.c: an event is one write(2), which a fork does not repeat and a full disk stops.
 */
#define _GNU_SOURCE
#include "lab_here.h"

/* ---- One write ---- */

static void one_of_each(void)
{
	static char huge[70000];
	memset(huge, 'x', sizeof huge - 1);
	begin(&lab_here, first, NULL);
	lab_note("note");
	long fd = SYS(dup(2));
	(void)fd;
	expect_int("a", 1, 1);
	expect_str("huge", "small", huge);
	check_skip("s", "r", "m");
}

static void an_event_is_one_write(void **state)
{
	(void)state;
	first = "--format=jsonl";
	struct run *r = run_with(one_of_each, (struct how){.packets = true});
	assert_int_equal(json_lines(r->out), 6); /* where lab call a huge s */
	assert_int_equal(r->packets, 6);
	for (int i = 1; i < r->packets; i++)
		assert_int_equal(r->out[r->start[i] - 1], '\n');
	first = NULL;
	r = run_with(one_of_each, (struct how){.packets = true});
	assert_int_equal(r->packets, 2 + 5); /* title and goal, then one each */
	assert_int_equal(strncmp(r->out + r->start[2], "   note", 7), 0);
	assert_int_equal(strncmp(r->out + r->start[4], "   pass  a", 10), 0);
	assert_int_equal(strncmp(r->out + r->start[5], "   fail  huge", 13), 0);
	assert_int_equal(strncmp(r->out + r->start[6], "   skip  s", 10), 0);
}

static void one_step(void)
{
	begin(&lab_here, NULL);
	lab_step("A step", NULL);
}

static void a_step_is_one_write_too(void **state)
{
	(void)state;
	struct run *r = run_with(one_step, (struct how){.packets = true});
	assert_has(r, out, "\n\n1. A step\n");
	assert_int_equal(r->packets, 2 + 1);
}

static void forks(void)
{
	begin(&lab_here, first, NULL);
	lab_step("A step", NULL);
	expect_int("before", 1, 1);
	for (int i = 0; i < 4; i++) {
		pid_t child = FORK();
		if (child == 0) {
			for (int n = 0; n < 50; n++)
				expect_int("in the child", n, n);
			exit(0); /* not _exit(): whatever is buffered would come again */
		}
	}
	while (wait(NULL) > 0)
		;
	_exit(lab_end());
}

static void a_fork_duplicates_nothing(void **state)
{
	(void)state;
	first = "--format=jsonl";
	struct run *r = run(forks);
	assert_status(r, 0);
	assert_int_equal(json_lines(r->out), 4 + 4 + 200 + 1);
	assert_int_equal(times(r->out, "\"event\":\"step\""), 1);
	assert_int_equal(times(r->out, "\"event\":\"call\""), 4); /* each by the parent alone */
	assert_int_equal(times(r->out, "\"before\""), 1);
	first = NULL;
	r = run(forks);
	assert_status(r, 0);
	assert_int_equal(times(r->out, "   pass  in the child"), 200);
	assert_int_equal(times(r->out, "1. A step"), 1);
}

/* ---- Nobody reads it ---- */

static void to_a_full_disk(void)
{
	dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO);
	begin(&lab_here, first, NULL);
}

static void a_full_disk_breaks_the_lab(void **state)
{
	(void)state;
	static const char *const formats[] = {NULL, "--format=jsonl"};
	for (int i = 0; i < 2; i++) {
		first = formats[i];
		struct run *r = run(to_a_full_disk);
		assert_status(r, 3);
		assert_has(r, err, "write to standard output: ENOSPC");
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_is_one_write),
		cmocka_unit_test(a_step_is_one_write_too),
		cmocka_unit_test(a_fork_duplicates_nothing),
		cmocka_unit_test(a_full_disk_breaks_the_lab),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
