/*
 * lab.c: the questions of --predict.
 */
#define _GNU_SOURCE
#include "lab_here.h"

static const char *step; /* its --step, NULL: no */

static void predicts(void)
{
	begin(&lab_with_words, "--predict", "--color=never", step ? step : "--step=no", first,
		NULL);
	lab_predict("pid");
	lab_step("one", "it is one, of course");
	lab_answer("pid", "%d", 1);
	lab_predict("second");
	lab_step("two", NULL);
	lab_answer("second", "%s", "yes");
	lab_answer("second", "%s", "yes"); /* is no second score */
	expect_int("a", 1, 1);
	_exit(lab_end());
}

static struct run *predict(const char *input)
{
	first = step = NULL;
	return run_with(predicts, (struct how){.input = input, .columns = 80, .terminal = true});
}

static void right_and_wrong_predictions(void **state)
{
	(void)state;
	struct run *r = predict("1\n1\n");
	assert_status(r, 0);
	assert_has(r, out, "What do you think? What is getpid() in there?\n");
	assert_has(r, out, "1) it is one\n");
	assert_has(r, out, "3) it is nought\n");
	assert_lacks(r, out, "4) ");
	assert_has(r, out, "Your number, 1 to 3; Enter: I don't know > ");
	assert_has(r, out, "Your number, 1 to 2; Enter: I don't know > ");
	assert_int_equal(times(r->out, "You predicted it: "), 2);
	assert_has(r, out, "You predicted it: it is one.\n");
	assert_has(r, out, "\nPredicted: 2 of 2\n");
	assert_lacks(r, out, "PIDs are global.");

	r = predict("2\n2\n");
	assert_status(r, 0); /* a wrong guess is no failed check */
	assert_has(r, out,
		"   You said: it is seven.\n   What happens: it is one.\n"
		"   Why: PIDs are global.\n");
	assert_has(r, out, "   You said: never.\n   What happens: of course.\n   Why: Why?\n");
	assert_has(r, out, "\nPredicted: 0 of 2\n");
	assert_lacks(r, out, "You predicted it");

	r = predict("1\n2\n");
	assert_has(r, out, "\nPredicted: 1 of 2\n");
}

static void junk_is_asked_again(void **state)
{
	(void)state;
	struct run *r = predict("x\n9\n0\n4\n-1\n  1 \n2\n");
	assert_status(r, 0);
	assert_int_equal(times(r->out, "Your number, 1 to 3; "), 6);
	assert_has(r, out, "\nPredicted: 1 of 2\n");
}

static void two_digits_are_no_choice(void **state)
{
	(void)state;
	struct run *r = predict("12\n1\n1\n");
	assert_int_equal(times(r->out, "Your number, 1 to 3; "), 2);
	assert_has(r, out, "\nPredicted: 2 of 2\n");
}

static void enter_is_i_do_not_know(void **state)
{
	(void)state;
	struct run *r = predict("\n2\n");
	assert_status(r, 0);
	assert_has(r, out, "   What happens: it is one.\n");
	assert_lacks(r, out, "PIDs are global.");
	assert_int_equal(times(r->out, "You said: "), 1);
	assert_has(r, out, "\nPredicted: 0 of 2\n");
}

/* What is to be expected gives the answer away, so it comes after it. */
static void what_to_expect_is_told_after_the_answer(void **state)
{
	(void)state;
	struct run *r = predict("1\n1\n");
	const char *act = strstr(r->out, "1. one\n"), *asked = strstr(r->out, "What is getpid()"),
		   *expect = strstr(r->out, "   Expect: it is one, of course\n"),
		   *told = strstr(r->out, "You predicted it: ");
	assert_true(act && asked && expect && told);
	assert_true(act < asked && asked < expect && expect < told);
	assert_int_equal(times(r->out, "Expect: "), 1);
}

static void predicts_here(void)
{
	if (step)
		putenv((char *)(uintptr_t)step);
	begin(&lab_with_words, "--color=never", first, NULL);
	lab_predict("pid");
	lab_step("one", NULL);
	lab_answer("pid", "%d", 1);
	expect_int("a", 1, 1);
	_exit(lab_end());
}

static struct run *run_here(
	const char *variable, const char *option, int columns, const char *input)
{
	step = variable;
	first = option;
	return run_with(predicts_here,
		(struct how){
			.input = input, .columns = columns, .terminal = columns, .talks = columns});
}

static void a_terminal_gets_steps_and_questions(void **state)
{
	(void)state;
	struct run *r = run_here(NULL, NULL, 80, "2\n\n");
	assert_status(r, 0);
	assert_has(r, out, "STEP=0 before the command turns the waits off.\n");
	assert_has(r, out, "   You said: it is seven.\n");
	assert_has(r, out, "   Enter: next, ?: keys, q: quit > ");
	r = run_here("PREDICT=0", NULL, 80, "\n\n");
	assert_status(r, 0);
	assert_lacks(r, out, "What do you think?");
	assert_int_equal(times(r->out, "   Enter: next, ?: keys, q: quit > "), 2);
	r = run_here(NULL, "--predict=no", 80, "\n\n");
	assert_status(r, 0);
	assert_lacks(r, out, "What do you think?");
}

static void who_has_turned_it_off_gets_none(void **state)
{
	(void)state;
	static const struct {
		const char *variable, *option;
		int columns;
	} quiet[] = {{"CI=true", NULL, 80}, {"STEP=0", NULL, 80}, {"STEP=no", NULL, 80},
		{NULL, "--step=no", 80}, {NULL, "--format=jsonl", 80}, {NULL, NULL, 0}};
	for (size_t i = 0; i < sizeof quiet / sizeof *quiet; i++) {
		struct run *r =
			run_here(quiet[i].variable, quiet[i].option, quiet[i].columns, NULL);
		assert_status(r, 0);
		assert_lacks(r, out, "What do you think?");
		assert_lacks(r, out, "Enter: ");
		assert_lacks(r, err, "What do you think?");
	}
	/* Who types --step gets it there too. */
	assert_has(run_here("CI=true", "--step", 80, "1\n\n"), out, "You predicted it: ");
}

static void the_end_of_input_is_no_answer(void **state)
{
	(void)state;
	struct run *r = predict("\004\004");
	assert_status(r, 0);
	assert_lacks(r, out, "Predicted");
	assert_lacks(r, out, "What happens");
}

static void junk_and_then_the_end_is_no_answer(void **state)
{
	(void)state;
	struct run *r = predict("9\n\004x\n\004");
	assert_status(r, 0);
	assert_lacks(r, out, "Predicted");
	assert_lacks(r, out, "What happens");
}

static void nobody_is_asked_without_a_terminal(void **state)
{
	(void)state;
	first = step = NULL;
	struct run *r = run_with(predicts, (struct how){.input = "1\n1\n"});
	assert_status(r, 0);
	assert_lacks(r, out, "What do you think?");
	assert_lacks(r, out, "Predicted");
	first = "--format=jsonl";
	r = run_with(predicts, (struct how){.input = "1\n"});
	assert_status(r, 0);
	assert_int_equal(json_lines(r->out), 6);
	assert_has(r, out, "\"questions\":0,\"score\":0");
}

static void a_prediction_is_an_event_too(void **state)
{
	(void)state;
	first = "--format=jsonl";
	struct run *r = run_with(
		predicts, (struct how){.input = "2\n1\n", .columns = 80, .terminal = true});
	assert_status(r, 0);
	assert_has(r, out, "\"question\":\"pid\",\"predicted\":\"7\",\"observed\":\"1\"");
	assert_has(r, out, "\"questions\":2,\"score\":1");
}

static void no_such_question(void)
{
	begin(&lab_with_words, "--predict", NULL);
	lab_predict("nowhere");
}

static void asked_of_no_step(void)
{
	begin(&lab_with_words, "--predict", "--color=never", "--step=no", NULL);
	lab_step("one", NULL);
	lab_predict("pid");
	lab_answer("pid", "1");
}

static void a_question_that_no_step_has_asked_is_broken(void **state)
{
	(void)state;
	struct run *r = run_with(
		asked_of_no_step, (struct how){.input = "1\n", .columns = 80, .terminal = true});
	assert_status(r, 3);
	assert_has(r, err, "no step has begun since lab_predict(pid)");
}

static void answers_after_an_error(void)
{
	begin(&lab_with_words, "--predict", "--color=never", "--step=no", NULL);
	lab_predict("pid");
	lab_step("one", NULL);
	errno = EXDEV;
	lab_answer("pid", "1");
	expect_errno("kept", EXDEV, -1);
	lab_answer("pid", "1");
	expect_errno("kept again", EXDEV, -1);
}

static void an_answer_keeps_errno(void **state)
{
	(void)state;
	struct run *r = run_with(answers_after_an_error,
		(struct how){.input = "1\n", .columns = 80, .terminal = true});
	assert_has(r, out, "pass  kept ");
	assert_has(r, out, "pass  kept again ");
}

static void a_question_that_is_not_there_is_broken(void **state)
{
	(void)state;
	struct run *r = run_with(no_such_question, (struct how){.columns = 80, .terminal = true});
	assert_status(r, 3);
	assert_has(r, err, "this lab has no question nowhere\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_and_wrong_predictions),
		cmocka_unit_test(junk_is_asked_again),
		cmocka_unit_test(two_digits_are_no_choice),
		cmocka_unit_test(enter_is_i_do_not_know),
		cmocka_unit_test(what_to_expect_is_told_after_the_answer),
		cmocka_unit_test(a_terminal_gets_steps_and_questions),
		cmocka_unit_test(who_has_turned_it_off_gets_none),
		cmocka_unit_test(the_end_of_input_is_no_answer),
		cmocka_unit_test(junk_and_then_the_end_is_no_answer),
		cmocka_unit_test(nobody_is_asked_without_a_terminal),
		cmocka_unit_test(a_prediction_is_an_event_too),
		cmocka_unit_test(a_question_that_no_step_has_asked_is_broken),
		cmocka_unit_test(an_answer_keeps_errno),
		cmocka_unit_test(a_question_that_is_not_there_is_broken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
