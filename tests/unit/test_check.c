/*
 * check.c: expected beside observed.
 */
#define _GNU_SOURCE
#include <limits.h>

#include "lab_here.h"

static void jsonl(void)
{
	begin(&lab_here, "--format=jsonl", NULL);
}

static void hands_on(void)
{
	begin(&lab_here, "--", "true", NULL);
}

/* One check is one line, and it returned what it printed. */
#define assert_check(r, what, expected, observed, verdict) \
	assert_has(r, out, \
		"{\"event\":\"check\",\"what\":\"" what "\",\"expected\":\"" expected \
		"\",\"observed\":\"" observed "\",\"verdict\":\"" verdict "\"}\n")

static void say(const char *name, bool value)
{
	dprintf(STDERR_FILENO, "%s=%d\n", name, value);
}

static void say_counts(void)
{
	int *count = shared->count;
	dprintf(STDERR_FILENO, "pass %d fail %d skip %d broken %d\n", count[PASS], count[FAIL],
		count[SKIP], sys_shared->broken);
}

/* What another process has written behind it already stays as it is. */
static void fails_before_another(void)
{
	jsonl();
	memcpy(shared->failed + strlen("; one"), "; two", 5);
	expect_int("one", 1, 2);
	shared->failed_length += 5;
	dprintf(STDERR_FILENO, "%s", shared->failed);
}

static void a_check_that_failed_writes_its_own_bytes_only(void **state)
{
	(void)state;
	assert_string_equal(run(fails_before_another)->err, "; one; two");
}

/* ---- Each of them ---- */

static void ints(void)
{
	jsonl();
	say("a", expect_int("a", 1, 1));
	say("b", expect_int("b", 1, 2));
	say("c", expect_int("c", LLONG_MIN, LLONG_MAX));
	say_counts();
}

static void integers_are_held_side_by_side(void **state)
{
	(void)state;
	struct run *r = run(ints);
	assert_status(r, 0);
	assert_check(r, "a", "1", "1", "pass");
	assert_check(r, "b", "1", "2", "fail");
	assert_check(r, "c", "-9223372036854775808", "9223372036854775807", "fail");
	assert_has(r, err, "a=1\nb=0\nc=0\npass 1 fail 2 skip 0 broken 0\n");
	assert_int_equal(times(r->out, "\"event\":\"check\""), 3);
}

static void strings(void)
{
	jsonl();
	say("a", expect_str("a", "web", "web"));
	say("b", expect_str("b", "web", "Web"));
	say("c", expect_str("c", "", ""));
	say("d", expect_str("d", "web", ""));
	say_counts();
}

static void strings_are_equal_or_not(void **state)
{
	(void)state;
	struct run *r = run(strings);
	assert_check(r, "a", "web", "web", "pass");
	assert_check(r, "b", "web", "Web", "fail");
	assert_check(r, "c", "", "", "pass");
	assert_check(r, "d", "web", "", "fail");
	assert_has(r, err, "a=1\nb=0\nc=1\nd=0\npass 2 fail 2");
}

static void errnos(void)
{
	jsonl();
	errno = EPERM;
	say("a", expect_errno("a", EPERM, -1));
	errno = EPERM;
	say("b", expect_errno("b", EINVAL, -1));
	errno = EPERM; /* of an earlier call: this one did not fail */
	say("c", expect_errno("c", 0, 0));
	errno = EPERM;
	say("d", expect_errno("d", EPERM, 7));
	errno = EPERM;
	say("e", expect_errno("e", 0, -1));
	errno = 9999;
	say("f", expect_errno("f", EPERM, -1));
	say_counts();
}

static void errno_counts_only_when_the_call_failed(void **state)
{
	(void)state;
	struct run *r = run(errnos);
	assert_check(r, "a", "EPERM", "EPERM", "pass");
	assert_check(r, "b", "EINVAL", "EPERM", "fail");
	assert_check(r, "c", "success", "success", "pass");
	assert_check(r, "d", "EPERM", "success", "fail");
	assert_check(r, "e", "success", "EPERM", "fail");
	assert_check(r, "f", "EPERM", "an unknown errno", "fail");
	assert_has(r, err, "a=1\nb=0\nc=1\nd=0\ne=0\nf=0\npass 2 fail 4");
}

static void ranges(void)
{
	jsonl();
	say("a", expect_range("a", 3, 5, 3));
	say("b", expect_range("b", 3, 5, 5));
	say("c", expect_range("c", 3, 5, 2));
	say("d", expect_range("d", 3, 5, 6));
	say("e", expect_range("e", 5, 3, 4));
	say_counts();
}

static void both_ends_belong_to_a_range(void **state)
{
	(void)state;
	struct run *r = run(ranges);
	assert_check(r, "a", "3 to 5", "3", "pass");
	assert_check(r, "b", "3 to 5", "5", "pass");
	assert_check(r, "c", "3 to 5", "2", "fail");
	assert_check(r, "d", "3 to 5", "6", "fail");
	assert_check(r, "e", "5 to 3", "4", "fail");
	assert_has(r, err, "a=1\nb=1\nc=0\nd=0\ne=0\npass 2 fail 3");
}

static void differences(void)
{
	jsonl();
	say("a", expect_differ("a", 1, 2));
	say("b", expect_differ("b", 2, 2));
	say_counts();
}

static void two_numbers_differ(void **state)
{
	(void)state;
	struct run *r = run(differences);
	assert_check(r, "a", "not 1", "2", "pass");
	assert_check(r, "b", "not 2", "2", "fail");
	assert_has(r, err, "a=1\nb=0\npass 1 fail 1");
}

static void skips(void)
{
	jsonl();
	check_skip("part a", "no swap here", "swapon FILE");
	say_counts();
}

static void a_skip_has_reason_and_remedy(void **state)
{
	(void)state;
	struct run *r = run(skips);
	assert_check(r, "part a", "swapon FILE", "no swap here", "skip");
	assert_has(r, err, "pass 0 fail 0 skip 1 broken 0");
}

/* ---- In the story ---- */

static void story(void)
{
	begin(&lab_here, NULL);
	expect_int("number of processes", 1, 1);
	expect_str("name", "web", "host");
	check_skip("part swap", "no swap here", "swapon FILE");
}

static void verdicts_are_words(void **state)
{
	(void)state;
	struct run *r = run(story);
	assert_has(r, out, "   pass  number of processes");
	assert_has(r, out, "expected 1, observed 1\n");
	assert_has(r, out, "   fail  name");
	assert_has(r, out, "expected web, observed host\n");
	assert_has(r, out, "   skip  part swap");
	assert_has(r, out, "no swap here; swapon FILE\n");
	assert_lacks(r, out, "\033");
}

/* ---- From children ---- */

enum { CHILDREN = 4, EACH = 50 };

static void family(void)
{
	jsonl();
	pid_t child[CHILDREN];
	for (int c = 0; c < CHILDREN; c++) {
		child[c] = fork();
		if (child[c] == 0) {
			for (int i = 0; i < EACH; i++)
				expect_int("in a child", i % 10, 0);
			pid_t grandchild = fork();
			if (grandchild == 0) {
				check_skip("in a grandchild", "r", "m");
				_exit(0);
			}
			_exit(child_wait(grandchild));
		}
	}
	for (int c = 0; c < CHILDREN; c++)
		child_wait(child[c]);
	say_counts();
	_exit(lab_end());
}

static void checks_of_children_count(void **state)
{
	(void)state;
	struct run *r = run(family);
	assert_status(r, 1);
	assert_has(r, err, "pass 20 fail 180 skip 4 broken 0");
	assert_int_equal(times(r->out, "\"in a child\""), CHILDREN * EACH);
	assert_int_equal(times(r->out, "\"in a grandchild\""), CHILDREN);
	/* None of the lines of four processes at once is torn. */
	assert_int_equal(json_lines(r->out), 2 + CHILDREN * EACH + CHILDREN + 1);
	assert_has(r, out,
		"\"verdict\":\"fail\",\"checks\":200,\"passed\":20,\"failed\":180,\"skipped\":4");
}

static void broken_family(void)
{
	begin(&lab_here, NULL);
	expect_int("a", 1, 1);
	pid_t child = fork();
	if (child == 0) {
		errno = EACCES;
		die("the child's %s", "box");
	}
	dprintf(STDERR_FILENO, "child %d\n", child_wait(child));
	_exit(lab_end());
}

static void a_broken_child_breaks_the_lab(void **state)
{
	(void)state;
	struct run *r = run(broken_family);
	assert_status(r, 3);
	assert_has(r, err, "01-test: broken: the child's box: EACCES\n");
	assert_has(r, err, "child 3\n");
	assert_has(r, out, "01-test: broken");
}

/* ---- Hands-on ---- */

static void hands_on_as_predicted(void)
{
	hands_on();
	bool all = expect_int("a", 1, 1) && expect_str("b", "x", "x") && expect_errno("c", 0, 0) &&
		   expect_range("d", 1, 3, 2) && expect_differ("e", 1, 2);
	_exit(all ? 42 : 43);
}

static void hands_on_is_silent(void **state)
{
	(void)state;
	struct run *r = run(hands_on_as_predicted);
	assert_status(r, 42);
	assert_out(r, "");
	assert_int_equal(r->err_size, 0);
}

static int which;

static void hands_on_otherwise(void)
{
	hands_on();
	errno = which == 2 ? EPERM : EIO;
	switch (which) {
	case 0:
		expect_int("the box", 1, 2);
		break;
	case 1:
		expect_str("the box", "x", "y");
		break;
	case 2:
		expect_errno("the box", 0, -1);
		break;
	case 3:
		expect_range("the box", 1, 3, 4);
		break;
	case 4:
		expect_differ("the box", 1, 1);
	}
	dprintf(1, "went on\n");
}

static void hands_on_a_box_that_is_none_is_fatal(void **state)
{
	(void)state;
	static const char *const messages[] = {
		"01-test: broken: the box: expected 1, observed 2\n",
		"01-test: broken: the box: expected x, observed y\n",
		"01-test: broken: the box: expected success, observed EPERM\n",
		"01-test: broken: the box: expected 1 to 3, observed 4\n",
		"01-test: broken: the box: expected not 1, observed 1\n",
	};
	for (which = 0; which < 5; which++) {
		struct run *r = run(hands_on_otherwise);
		assert_status(r, 125);
		assert_out(r, "");
		assert_string_equal(r->err, messages[which]);
	}
}

static void hands_on_skip(void)
{
	hands_on();
	check_skip("part a", "no swap here", "swapon FILE");
}

static void hands_on_a_skip_is_silent_too(void **state)
{
	(void)state;
	struct run *r = run(hands_on_skip);
	assert_status(r, 0);
	assert_out(r, "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_check_that_failed_writes_its_own_bytes_only),
		cmocka_unit_test(integers_are_held_side_by_side),
		cmocka_unit_test(strings_are_equal_or_not),
		cmocka_unit_test(errno_counts_only_when_the_call_failed),
		cmocka_unit_test(both_ends_belong_to_a_range),
		cmocka_unit_test(two_numbers_differ),
		cmocka_unit_test(a_skip_has_reason_and_remedy),
		cmocka_unit_test(verdicts_are_words),
		cmocka_unit_test(checks_of_children_count),
		cmocka_unit_test(a_broken_child_breaks_the_lab),
		cmocka_unit_test(hands_on_is_silent),
		cmocka_unit_test(hands_on_a_box_that_is_none_is_fatal),
		cmocka_unit_test(hands_on_a_skip_is_silent_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
