/*
 * out.c: where it writes escapes, and which.
 */
#define _GNU_SOURCE
#include "lab_here.h"

static const char *variable, *value;

static void colorful(void)
{
	if (variable)
		setenv(variable, value, 1);
	begin(&lab_here, first, NULL);
	lab_step("A step", NULL);
	long fd = SYS(dup(2));
	(void)fd;
	expect_int("a", 1, 1);
	expect_int("b", 1, 2);
	check_skip("c", "r", "m");
	for (int i = 0; i < 100; i++)
		lab_sample("s", i, 100, "pages");
	_exit(lab_end());
}

static struct run *colors(int columns, const char *word, const char *name, const char *text)
{
	first = word;
	variable = name;
	value = text;
	struct run *r = run_with(colorful, (struct how){.columns = columns});
	assert_status(r, 1);
	return r;
}

static bool has_color(const char *out)
{
	for (; (out = strchr(out, '\033')); out++)
		if (out[1 + strspn(out + 1, "[0123456789;")] == 'm')
			return true;
	return false;
}

static void no_escape_where_none_is_wanted(void **state)
{
	(void)state;
	assert_null(strchr(colors(0, NULL, NULL, NULL)->out, '\033'));
	assert_null(strchr(colors(0, "--color=auto", NULL, NULL)->out, '\033'));
	assert_null(strchr(colors(80, "--plain", NULL, NULL)->out, '\033'));
	assert_null(strchr(colors(80, NULL, "TERM", "dumb")->out, '\033'));
	assert_null(strchr(colors(80, "--format=jsonl", NULL, NULL)->out, '\033'));
	/* Colour is off; the live picture still moves the cursor. */
	assert_false(has_color(colors(80, NULL, "NO_COLOR", "1")->out));
	assert_false(has_color(colors(80, "--color=never", NULL, NULL)->out));
}

static void plain_is_ascii(void **state)
{
	(void)state;
	struct run *r = colors(80, "--plain", "LC_ALL", "C.UTF-8");
	for (const char *c = r->out; *c; c++)
		assert_true(*c == '\n' || (*c >= ' ' && *c < 0x7f));
}

static void colors_where_they_are_wanted(void **state)
{
	(void)state;
	assert_true(has_color(colors(80, NULL, NULL, NULL)->out));
	assert_true(has_color(colors(80, NULL, "NO_COLOR", "")->out)); /* no-color.org: not empty */
	assert_true(has_color(colors(0, "--color=always", NULL, NULL)->out));
	assert_true(has_color(colors(80, "--color=always", "NO_COLOR", "1")->out));
	/* The eight basic colours and bold only, each taken back before the event's end. */
	struct run *r = colors(80, NULL, NULL, NULL);
	bool on = false;
	for (const char *c = r->out; (c = strchr(c, '\033')); c++) {
		int code, end = 0;
		if (sscanf(c, "\033[%dm%n", &code, &end) != 1 || !end)
			continue;
		assert_true(code == 0 || code == 1 || (code >= 30 && code <= 37));
		assert_true(on == (code == 0));
		on = code != 0;
	}
	assert_false(on);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_escape_where_none_is_wanted),
		cmocka_unit_test(plain_is_ascii),
		cmocka_unit_test(colors_where_they_are_wanted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
