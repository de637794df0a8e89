/*
 * out.c: both formats tell the same, and a line fits its terminal.
 */
#define _GNU_SOURCE
#include "lab_here.h"

#define LONG_TEXT \
	"one two three four five six seven eight nine ten eleven twelve thirteen fourteen " \
	"fifteen sixteen seventeen eighteen nineteen twenty twenty-one twenty-two twenty-three"

static const struct lab_words words = {
	.try_now =
		{"a command with many words that must stay on one line because it is pasted as it "
		 "stands, however wide that is",
			"second"},
	.docker = "docker run --pid",
	.kubernetes = "shareProcessNamespace",
	.next = "make lab-02",
};
static const struct lab with_long_goal = {.id = "01-test", .title = "Title", .goal = LONG_TEXT};
static const struct lab with_words = {
	.id = "01-test", .title = "Title", .goal = "Goal.", .words = &words};

static void events(void)
{
	begin(&with_long_goal, first, NULL);
	lab_step("First " LONG_TEXT, NULL);
	lab_note("A note of %d " LONG_TEXT, 42);
	long value = SYS(dup(2));
	(void)value;
	expect_int("what", 1, 1);
	lab_row("hostname", "web", "host", "the kernel");
	lab_row("a longer cell, which needs more than a line of a narrow terminal",
		"its second cell is long as well", "and so is this", LONG_TEXT);
	_exit(lab_end());
}

static void both_formats_tell_the_same(void **state)
{
	(void)state;
	first = "--format=jsonl";
	struct run *r = run(events);
	assert_status(r, 0);
	assert_int_equal(json_lines(r->out), 6);
	static const char *const order[] = {
		"{\"event\":\"where\",\"place\":\"host\",\"kernel\":\"",
		"{\"event\":\"lab\",\"id\":\"01-test\",\"title\":\"Title\",\"goal\":\"" LONG_TEXT
		"\"}\n",
		"{\"event\":\"step\",\"number\":1,\"text\":\"First " LONG_TEXT "\"}\n",
		"{\"event\":\"call\",\"place\":\"tests/unit/test_out.c:",
		"\"call\":\"dup(2)\",\"value\":",
		"{\"event\":\"check\",\"what\":\"what\",\"expected\":\"1\",\"observed\":\"1\","
		"\"verdict\":\"pass\"}\n",
		"{\"event\":\"end\",\"verdict\":\"pass\",\"checks\":1,\"passed\":1,\"failed\":0,"
		"\"skipped\":0,\"questions\":0,\"score\":0,\"table\":[[\"hostname\",\"web\",\"host\","
		"\"the kernel\"],[\"a longer cell",
	};
	const char *at = r->out;
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		at = strstr(at, order[i]);
		if (!at)
			run_show(r);
		assert_non_null(at);
	}
	assert_lacks(r, out, "A note");

	first = NULL;
	r = run(events);
	assert_status(r, 0);
	static const char *const story[] = {"01-test: Title\n", "\n1. First one two",
		"   A note of 42 one", "tests/unit/test_out.c:", "dup(2) = ", "[PID ",
		"   pass  what", "expected 1, observed 1\n", "who decided", "hostname",
		"01-test: pass, 1 checks\n"};
	at = r->out;
	for (size_t i = 0; i < sizeof story / sizeof *story; i++) {
		at = strstr(at, story[i]);
		if (!at)
			run_show(r);
		assert_non_null(at);
	}
	assert_lacks(r, out, "{\"");
}

/* ---- The where-line ---- */

static void where(void)
{
	setenv("LAB_WHERE", "vm", 1);
	setenv("LAB_WHY", "no \"root\" here", 1);
	begin(&with_long_goal, "--format=jsonl", NULL);
}

static void where_by_itself(void)
{
	unsetenv("LAB_WHERE");
	begin(&with_long_goal, first, NULL);
}

static void where_hands_on(void)
{
	unsetenv("LAB_WHERE");
	begin(&with_long_goal, "--format=jsonl", "--", "true", NULL);
}

static void where_it_runs(void **state)
{
	(void)state;
	struct run *r = run(where);
	assert_has(r, out, "{\"event\":\"where\",\"place\":\"vm\",\"kernel\":\"");
	assert_has(r, out, "\"why\":\"no \\\"root\\\" here\"}\n");
	assert_int_equal(r->err_size, 0); /* the runner has said it */

	const char *place = access("/etc/unboxed-vm", F_OK) ? "on this machine" : "in the lab VM";
	first = NULL;
	r = run(where_by_itself);
	assert_has(r, err, "01-test runs ");
	assert_has(r, err, place);
	assert_int_equal(times(r->err, "\n"), 1);
	assert_lacks(r, out, "runs");
	r = run(where_hands_on); /* stdout is COMMAND's */
	assert_has(r, err, "01-test runs ");
	assert_out(r, "");
}

/* ---- Lines fit the terminal ---- */

static int widest(const char *text)
{
	int most = 0;
	for (; *text; text += strcspn(text, "\n") + (text[strcspn(text, "\n")] == '\n')) {
		int columns = 0;
		size_t length = strcspn(text, "\n");
		for (size_t i = 0; i < length; i++) {
			if (text[i] == '\033')
				i += strcspn(text + i, "mKA"); /* has no width */
			else
				columns += (text[i] & 0xc0) != 0x80;
		}
		most = columns > most ? columns : most;
	}
	return most;
}

static void lines_fit_every_width(void **state)
{
	(void)state;
	static const struct {
		int columns, fit;
	} of[] = {{40, 40}, {60, 60}, {80, 80}, {30, 40}, {200, 80}, {0, 80}};
	first = NULL;
	for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
		struct run *r = run_with(events, (struct how){.columns = of[i].columns});
		assert_status(r, 0);
		int width = widest(r->out);
		if (width > of[i].fit || width < of[i].fit - 12) {
			run_show(r);
			fail_msg("the widest line has %d of %d columns", width, of[i].fit);
		}
	}
}

/* The text with each run of blanks, newlines and frame as one blank. */
static void words_of(char *to, const char *from)
{
	for (; *from; from++)
		if (!strchr(" \n", *from))
			*to++ = *from;
		else if (to[-1] != ' ')
			*to++ = ' ';
	*to = '\0';
}

static void wrapping_loses_no_word(void **state)
{
	(void)state;
	static char flat[RUN_OUT + 1];
	first = "--color=never";
	struct run *r = run_with(events, (struct how){.columns = 40});
	flat[0] = ' ';
	words_of(flat + 1, r->out);
	assert_non_null(strstr(flat, " A note of 42 " LONG_TEXT " "));
	assert_non_null(strstr(flat, " 1. First " LONG_TEXT " "));
	assert_non_null(strstr(flat, " " LONG_TEXT " 1. "));
	/* In a column that is wide enough no word is cut. */
	r = run_with(events, (struct how){.columns = 80});
	for (const char *word = LONG_TEXT; *word;) { /* those of the table's last cell */
		char one[32];
		int length = (int)strcspn(word, " ");
		snprintf(one, sizeof one, "%.*s", length, word);
		assert_non_null(strstr(strstr(r->out, "decided"), one));
		word += length + (word[length] == ' ');
	}
}

static const char *long_what;

static void long_check(void)
{
	begin(&with_long_goal, "--color=never", NULL);
	expect_str(long_what, "this and also that", "that and also this, which is much longer");
}

static void a_check_fits_too(void **state)
{
	(void)state;
	static const char *const whats[] = {"short", "a name of thirty-two characters!",
		"a name that has a good many words, so that it needs a second line of eighty",
		"number of processes that the new namespace shows to us"};
	static const int columns[] = {40, 60, 80};
	for (size_t w = 0; w < sizeof whats / sizeof *whats; w++) {
		for (int c = 0; c < 3; c++) {
			long_what = whats[w];
			struct run *r = run_with(long_check, (struct how){.columns = columns[c]});
			char *line = strstr(r->out, "\n   fail  ");
			assert_non_null(line);
			if (widest(line + 1) > columns[c]) {
				run_show(r);
				fail_msg("a check is %d of %d columns wide", widest(line + 1),
					columns[c]);
			}
		}
	}
}

static void pasted(void)
{
	begin(&with_words, NULL);
	expect_int("a", 1, 1);
	_exit(lab_end());
}

static void what_is_pasted_is_never_wrapped(void **state)
{
	(void)state;
	struct run *r = run_with(pasted, (struct how){.columns = 40});
	assert_has(r, out,
		"Try now:\n  a command with many words that must stay on one line because it "
		"is pasted as it stands, however wide that is\n  second\n");
	assert_has(r, out, "In Docker: docker run --pid\n");
	assert_has(r, out, "In Kubernetes: shareProcessNamespace\n");
	assert_has(r, out, "Next: make lab-02\n");
}

/* ---- The table ---- */

static int rows_wanted;

static void table(void)
{
	begin(&with_long_goal, first, NULL);
	for (int i = 0; i < rows_wanted; i++) {
		char what[32];
		snprintf(what, sizeof what, "row-%d.", i);
		lab_row(what, "a", "b", "c");
	}
	expect_int("a", 1, 1);
	_exit(lab_end());
}

static void ten_rows_at_most(void **state)
{
	(void)state;
	static const char *const formats[] = {NULL, "--format=jsonl"};
	for (int i = 0; i < 2; i++) {
		first = formats[i];
		rows_wanted = 10;
		struct run *r = run(table);
		assert_status(r, 0);
		assert_int_equal(times(r->out, "row-"), 10);
		rows_wanted = 11;
		r = run(table);
		assert_status(r, 3);
		assert_has(r, err, "the table has more than 10 rows\n");
		assert_lacks(r, out, "row-");
	}
	first = "--format=jsonl";
	rows_wanted = 0;
	struct run *r = run(table);
	assert_has(r, out, "\"table\":[]}\n");
	first = NULL;
	assert_lacks(run(table), out, "who decided");
}

static void broken_with_a_row(void)
{
	begin(&with_long_goal, first, NULL);
	lab_row("row", "a", "b", "c");
	expect_int("a", 1, 1);
	pid_t child = fork();
	if (child == 0)
		die("it is");
	waitpid(child, NULL, 0);
	_exit(lab_end());
}

static void a_broken_run_has_no_table(void **state)
{
	(void)state;
	static const char *const formats[] = {NULL, "--format=jsonl"};
	for (int i = 0; i < 2; i++) {
		first = formats[i];
		struct run *r = run(broken_with_a_row);
		assert_status(r, 3);
		assert_lacks(r, out, "row");
	}
	first = NULL;
}

static void columns_stand_below_each_other(void **state)
{
	(void)state;
	first = "--color=never";
	struct run *r = run_with(events, (struct how){.columns = 60});
	const char *line = strstr(r->out, "\n  what");
	assert_non_null(line);
	line++;
	size_t bar = strcspn(line, "|");
	int lines = 0;
	for (; strchr(line, '|'); line += strcspn(line, "\n") + 1) {
		if (line[2] == '-')
			continue;
		if (strncmp(line, "01-test", 7) == 0)
			break;
		assert_int_equal(strcspn(line, "|"), bar);
		lines++;
	}
	assert_true(lines > 3); /* the head, the first row, and more than one of the second */
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_formats_tell_the_same),
		cmocka_unit_test(where_it_runs),
		cmocka_unit_test(lines_fit_every_width),
		cmocka_unit_test(wrapping_loses_no_word),
		cmocka_unit_test(a_check_fits_too),
		cmocka_unit_test(what_is_pasted_is_never_wrapped),
		cmocka_unit_test(ten_rows_at_most),
		cmocka_unit_test(a_broken_run_has_no_table),
		cmocka_unit_test(columns_stand_below_each_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
