/*
 * json.c, and the checker of JSON in run.h that other tests trust.
 */
#define _GNU_SOURCE
#include "lab_here.h"

static void odd_strings(void)
{
	begin(&lab_here, "--format=jsonl", NULL);
	expect_str("tab\tnewline\n", "quote\" backslash\\ slash/",
		"\001\033\037\177 \303\251\342\226\210");
}

static void strings_are_escaped(void **state)
{
	(void)state;
	struct run *r = run(odd_strings);
	assert_int_equal(json_lines(r->out), 3);
	assert_has(r, out,
		"\"what\":\"tab\\u0009newline\\u000a\",\"expected\":\"quote\\\" backslash\\\\ slash/\","
		"\"observed\":\"\\u0001\\u001b\\u001f\\u007f \303\251\342\226\210\"");
}

static void the_checker_of_json_knows_what_is_none(void **state)
{
	(void)state;
	assert_int_equal(json_lines("{}\n{\"a\":[1,-2.5,true,null,\"\\u00e9\\n\"]}\n"), 2);
	assert_int_equal(json_lines("{\"a\":1,}\n"), -1);
	assert_int_equal(json_lines("{\"a\" 1}\n"), -1);
	assert_int_equal(json_lines("{\"a\":\"\t\"}\n"), -1);
	assert_int_equal(json_lines("{\"a\":\"\\x\"}\n"), -1);
	assert_int_equal(json_lines("{\"a\":1}"), -1);
	assert_int_equal(json_lines("{\"a\":1}{}\n"), -1);
	assert_int_equal(json_lines("plain\n"), -1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_are_escaped),
		cmocka_unit_test(the_checker_of_json_knows_what_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
