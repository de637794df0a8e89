/*
 * lab.c: parts, and how a lab ends.
 */
#define _GNU_SOURCE
#include "lab_here.h"

static void with_parts(void)
{
	begin(&lab_with_words, first, NULL);
	if (lab_part("easy"))
		expect_int("a", 1, 1);
	if (lab_part("future"))
		expect_int("b", 1, 2);
	_exit(lab_end());
}

static void a_part_that_cannot_run_is_one_skip(void **state)
{
	(void)state;
	struct run *r = run_words(with_parts, "--format=jsonl", NULL, (struct how){0});
	assert_status(r, 0);
	assert_has(r, out, "\"text\":\"An easy part\"");
	assert_has(r, out, "\"text\":\"A part of the future\"");
	assert_int_equal(times(r->out, "\"verdict\":\"skip\"}"), 1);
	assert_has(r, out, "{\"event\":\"check\",\"what\":\"part future\",\"expected\":\"");
	assert_has(r, out, "\"skipped\":1");
	assert_has(r, out, "\"verdict\":\"pass\",\"checks\":1");
	r = run_words(with_parts, NULL, NULL, (struct how){0});
	assert_has(r, out, "99.0");
	assert_has(r, out, "01-test: pass, 1 checks, 1 part skipped\n");
}

static void no_such_part(void)
{
	begin(&lab_with_words, NULL);
	errno = EIO;
	lab_part("nowhere");
}

static void in_the_middle(void)
{
	begin(&lab_with_words, "--format=jsonl", NULL);
	expect_int("a", 1, 1);
	if (first)
		expect_int("b", 1, 2);
	_exit(lab_end_early());
}

static void an_early_end_is_no_pass(void **state)
{
	(void)state;
	struct run *r = run_words(in_the_middle, "a check fails", NULL, (struct how){0});
	assert_status(r, 1);
	r = run_words(in_the_middle, NULL, NULL, (struct how){0});
	assert_status(r, 3);
	assert_has(r, err, "broken: it cannot go on, though no check has failed");
}

static void a_part_that_is_not_there_is_broken(void **state)
{
	(void)state;
	struct run *r = run(no_such_part);
	assert_status(r, 3);
	assert_has(r, err, "01-test: broken: this lab has no part nowhere\n");
}

static int passes, fails, skips, breaks;

static void end(void)
{
	begin(&lab_with_words, first, NULL);
	undo(told, "undone ");
	for (int i = 0; i < passes; i++)
		expect_int("p", 1, 1);
	for (int i = 0; i < fails; i++)
		expect_int("f", 1, 2);
	for (int i = 0; i < skips; i++)
		check_skip("s", "r", "m");
	for (int i = 0; i < breaks; i++) {
		pid_t child = fork();
		if (child == 0)
			die("child");
		child_wait(child);
	}
	_exit(lab_end());
}

static void the_end_sums_up(void **state)
{
	(void)state;
	static const struct {
		int passes, fails, skips, breaks, status;
		const char *summary, *verdict;
	} of[] = {
		{3, 0, 0, 0, 0, "01-test: pass, 3 checks\n", "pass"},
		{2, 1, 0, 0, 1, "01-test: fail, 3 checks, 1 failed\n", "fail"},
		{0, 2, 1, 0, 1, "01-test: fail, 2 checks, 2 failed, 1 part skipped\n", "fail"},
		{2, 0, 2, 0, 0, "01-test: pass, 2 checks, 2 parts skipped\n", "pass"},
		{0, 0, 1, 0, 77, "01-test: skip, 0 checks, 1 part skipped\n", "skip"},
		{2, 0, 0, 1, 3, "01-test: broken, 2 checks\n", "broken"},
		{2, 1, 0, 1, 3, "01-test: broken, 3 checks, 1 failed\n", "broken"},
		{0, 0, 0, 0, 3, "01-test: broken, 0 checks\n", "broken"},
	};
	for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
		char json[64];
		passes = of[i].passes;
		fails = of[i].fails;
		skips = of[i].skips;
		breaks = of[i].breaks;
		struct run *r = run_words(end, NULL, NULL, (struct how){0});
		assert_status(r, of[i].status);
		assert_has(r, out, of[i].summary);
		assert_int_equal(times(r->err, "undone"), 1);
		r = run_words(end, "--format=jsonl", NULL, (struct how){0});
		assert_status(r, of[i].status);
		snprintf(
			json, sizeof json, "{\"event\":\"end\",\"verdict\":\"%s\",", of[i].verdict);
		assert_has(r, out, json);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_part_that_cannot_run_is_one_skip),
		cmocka_unit_test(a_part_that_is_not_there_is_broken),
		cmocka_unit_test(an_early_end_is_no_pass),
		cmocka_unit_test(the_end_sums_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
