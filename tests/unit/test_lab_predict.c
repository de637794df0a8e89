/*
 * lab.c: the questions of --predict.
 */
#define _GNU_SOURCE
#include "lab_here.h"

static void predicts(void)
{
	begin(&lab_with_words, "--predict", "--color=never", first, NULL);
	lab_step("one", NULL);
	lab_predict("pid");
	lab_answer("pid", "%d", 1);
	lab_predict("second");
	lab_answer("second", "%s", "yes");
	lab_answer("second", "%s", "yes"); /* is no second score */
	expect_int("a", 1, 1);
	_exit(lab_end());
}

static struct run *predict(const char *input)
{
	first = NULL;
	return run_with(predicts, (struct how){.input = input, .columns = 80, .terminal = true});
}

static void right_and_wrong_predictions(void **state)
{
	(void)state;
	struct run *r = predict("1\n1\n");
	assert_status(r, 0);
	assert_has(r, out, "What do you think? What is getpid() in there?\n");
	assert_has(r, out, "1: it is one\n");
	assert_has(r, out, "3: it is nought\n");
	assert_lacks(r, out, "4: ");
	assert_has(r, out, "Your number, 1 to 3 > ");
	assert_has(r, out, "Your number, 1 to 2 > ");
	assert_int_equal(times(r->out, "You predicted it: "), 2);
	assert_has(r, out, "You predicted it: it is one.\n");
	assert_has(r, out, "\nPredicted: 2 of 2\n");
	assert_lacks(r, out, "PIDs are global.");

	r = predict("2\n2\n");
	assert_status(r, 0); /* a wrong guess is no failed check */
	assert_has(r, out, "The kernel says: it is one. PIDs are global.\n");
	assert_has(r, out, "The kernel says: of course. Why?\n");
	assert_has(r, out, "\nPredicted: 0 of 2\n");
	assert_lacks(r, out, "You predicted it");

	r = predict("1\n2\n");
	assert_has(r, out, "\nPredicted: 1 of 2\n");
}

static void junk_is_asked_again(void **state)
{
	(void)state;
	struct run *r = predict("x\n9\n0\n\n4\n-1\n  1\n2\n");
	assert_status(r, 0);
	assert_int_equal(times(r->out, "Your number, 1 to 3 > "), 7);
	assert_has(r, out, "\nPredicted: 1 of 2\n");
}

static void two_digits_are_no_choice(void **state)
{
	(void)state;
	struct run *r = predict("12\n1\n1\n");
	assert_int_equal(times(r->out, "Your number, 1 to 3 > "), 2);
	assert_has(r, out, "\nPredicted: 2 of 2\n");
}

static void the_end_of_input_is_no_answer(void **state)
{
	(void)state;
	struct run *r = predict("\004\004");
	assert_status(r, 0);
	assert_lacks(r, out, "Predicted");
	assert_lacks(r, out, "The kernel says");
}

static void junk_and_then_the_end_is_no_answer(void **state)
{
	(void)state;
	struct run *r = predict("9\n\004x\n\004");
	assert_status(r, 0);
	assert_lacks(r, out, "Predicted");
	assert_lacks(r, out, "The kernel says");
}

static void nobody_is_asked_without_a_terminal(void **state)
{
	(void)state;
	first = NULL;
	struct run *r = run_with(predicts, (struct how){.input = "1\n1\n"});
	assert_status(r, 0);
	assert_lacks(r, out, "What do you think?");
	assert_lacks(r, out, "Predicted");
	first = "--format=jsonl";
	r = run_with(predicts, (struct how){.input = "1\n"});
	assert_status(r, 0);
	assert_int_equal(json_lines(r->out), 5);
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
		cmocka_unit_test(the_end_of_input_is_no_answer),
		cmocka_unit_test(junk_and_then_the_end_is_no_answer),
		cmocka_unit_test(nobody_is_asked_without_a_terminal),
		cmocka_unit_test(a_prediction_is_an_event_too),
		cmocka_unit_test(a_question_that_is_not_there_is_broken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
