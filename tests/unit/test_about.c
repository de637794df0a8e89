/*
 * about.c and option.c: what a lab says of itself, and where it cannot run.
 */
#define _GNU_SOURCE
#include "command_line.h"
#include "run.h"

static const struct lab hard = {
	.id = "02-hard",
	.title = "t",
	.goal = "g",
	.needs = {.kernel = "99.0"},
};

static const struct lab more = {
	.id = "01-test/more", .title = "t", .goal = "g", .story_only = true};

static const struct lab_question questions[] = {
	{"pid", "What is \"getpid()\"?",
		{{"1", "it is one", NULL}, {"7", "seven", "PIDs are global."}}},
	{"second", "And now?", {{"yes", "of course", NULL}}},
	{.name = NULL},
};
static const struct lab_words words = {
	.try_now = {"ls"}, .docker = "d", .kubernetes = "k", .next = "n", .questions = questions};
static const struct lab asking = {
	.id = "01-test", .title = "t", .goal = "g", .parts = parts, .words = &words};

/* ---- A command line in a process of its own, which says what it understood ---- */

static void whole_begin(void)
{
	static char *argv[14];
	int argc = 1;
	argv[0] = (char *)(uintptr_t) "lab";
	for (; args[argc - 1]; argc++)
		argv[argc] = (char *)(uintptr_t)args[argc - 1];
	lab_begin(the_lab, argc, argv);
	dprintf(1, "begun\n");
}

/* Wrong usage: status 2, nothing on stdout, one line on stderr with what was expected. */
#define assert_usage(needle, ...) \
	do { \
		struct run *wrong = UNDERSTAND(__VA_ARGS__); \
		assert_status(wrong, 2); \
		assert_out(wrong, ""); \
		assert_has(wrong, err, needle); \
		assert_has(wrong, err, "expected"); \
		assert_int_equal(strncmp(wrong->err, "01-test: ", 9), 0); \
		assert_int_equal(times(wrong->err, "\n"), 1); \
	} while (0)

/* ---- What a few labs have besides ---- */

static void asks_for_a_part_alone(void)
{
	ARGS("--future");
	the_lab = &asking;
	understand();
	dprintf(1, " future %d plain %d", lab_asked("future"), lab_asked("plain"));
}

static void a_part_that_is_run_alone_has_an_option(void **state)
{
	(void)state;
	assert_has(run(asks_for_a_part_alone), out, " future 1 plain 0");
	assert_usage("unknown option --plain-one", "--plain-one");
}

static void about_has_the_questions(void **state)
{
	(void)state;
	ARGS("--about");
	the_lab = &asking;
	struct run *r = run(understand);
	assert_status(r, 0);
	assert_int_equal(json_lines(r->out), 1);
	assert_has(r, out,
		"\"questions\":[{\"name\":\"pid\",\"text\":\"What is \\\"getpid()\\\"?\","
		"\"choices\":[{\"value\":\"1\",\"text\":\"it is one\",\"misconception\":\"\"},"
		"{\"value\":\"7\",\"text\":\"seven\",\"misconception\":\"PIDs are global.\"}]},"
		"{\"name\":\"second\",");
}

static void a_part_where_there_is_none(void **state)
{
	(void)state;
	ARGS("--can-run=plain");
	the_lab = &hard;
	struct run *r = run(understand);
	assert_status(r, 2);
	assert_has(r, err, "it has none");
}

static void a_story_alone_takes_no_command(void **state)
{
	(void)state;
	ARGS("--", "ls");
	the_lab = &more;
	struct run *r = run(understand);
	assert_status(r, 2);
	assert_out(r, "");
	assert_has(r, err, "expected scripts/lab 01 -- COMMAND\n");
	ARGS("--step");
	assert_status(run(understand), 0);
}

/* ---- --can-run, --help, --version, --about ---- */

static void can_run_says_what_is_missing(void **state)
{
	(void)state;
	ARGS("--can-run");
	the_lab = &easy;
	struct run *r = run(whole_begin);
	assert_status(r, 0);
	assert_out(r, "");
	ARGS("--can-run=plain");
	r = run(whole_begin);
	assert_status(r, 0);
	assert_out(r, "");
	ARGS("--can-run=future");
	r = run(whole_begin);
	assert_status(r, 77);
	assert_has(r, out, "99.0");
	assert_has(r, out, "booted for it alone; scripts/lab 01 --future");
	assert_true(times(r->out, "\n") >= 1);
	assert_true(times(r->out, "; ") >= times(r->out, "\n"));
	ARGS("--can-run");
	the_lab = &hard;
	r = run(whole_begin);
	assert_status(r, 77);
	assert_has(r, out, "99.0");
	assert_int_equal(times(r->out, "\n"), 1);
}

static void the_story_does_not_begin_where_it_cannot_run(void **state)
{
	(void)state;
	ARGS(NULL);
	the_lab = &hard;
	struct run *r = run(whole_begin);
	assert_status(r, 77);
	assert_out(r, "");
	assert_has(r, err, "99.0");
	/* Usage is checked first, also there. */
	ARGS("--nope");
	r = run(whole_begin);
	assert_status(r, 2);
	assert_has(r, err, "--nope");
	assert_lacks(r, err, "99.0");
	ARGS("--nope", "--can-run");
	assert_status(run(whole_begin), 2);
	ARGS("--can-run", "--nope");
	assert_status(run(whole_begin), 2);
}

static void help_names_every_option(void **state)
{
	(void)state;
	static const char *const all[] = {"Usage: 01-test", "--step", "--predict",
		"--format=story|jsonl", "--color=auto|always|never", "--plain", "--can-run[=PART]",
		"--about", "--help", "--version", "--memory SIZE", "the limit (now 32M)",
		"--count N", "(now 5)", "--cpus DECIMAL", "--host NAME", "(now none)",
		"--file PATH", "--out PATH", "Exit status: 0", "77", "130", "125"};
	struct run *r = UNDERSTAND("--help");
	assert_status(r, 0);
	assert_int_equal(r->err_size, 0);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		assert_has(r, out, all[i]);
	for (const char *line = r->out; *line; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") <= 80);
	/* What was chosen before it shows as what it is now. */
	assert_has(UNDERSTAND("--memory", "4097", "--help"), out, "(now 4097)");
	assert_has(UNDERSTAND("--memory", "5k", "--help"), out, "(now 5K)");
}

static void version_is_one_line(void **state)
{
	(void)state;
	struct run *r = UNDERSTAND("--version");
	assert_status(r, 0);
	assert_int_equal(strncmp(r->out, "01-test (Unboxed ", 17), 0);
	assert_int_equal(times(r->out, "\n"), 1);
}

static void about_is_json(void **state)
{
	(void)state;
	static const char *const all[] = {"\"id\":\"01-test\"",
		"\"title\":\"A \\\"quoted\\\" title with a \\\\\"",
		"\"manual\":[\"one(1)\",\"two(2)\"]",
		"\"teaches\":[\"unshare:CLONE_NEWPID\",\"fork\"]", "\"after\":[]", "\"boot\":\"\"",
		"\"place\":\"host\"", "\"hazard\":false", "\"exclusive\":\"cpu\"",
		"\"quick\":[\"--number=1\",\"--plain=2\"]",
		"{\"name\":\"plain\",\"title\":\"Needs nothing\",\"needs\":{\"root\":false,",
		"\"controllers\":[\"memory\",\"pids\"],\"modules\":[],\"kernel\":\"99.0\",\"cpus\":0,"
		"\"memory\":0},\"boot\":\"alone\",\"hazard\":true}",
		"{\"name\":\"memory\",\"type\":\"size\",\"min\":4096,\"max\":1073741824,"
		"\"help\":\"the limit\"}",
		"\"type\":\"number\"", "\"type\":\"decimal\"", "\"type\":\"name\"",
		"\"type\":\"path-in\"", "\"type\":\"path-in-out\"",
		"\"help\":\"what is \\\"read\\\"\""};
	struct run *r = UNDERSTAND("--about");
	assert_status(r, 0);
	assert_int_equal(json_lines(r->out), 1);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		assert_has(r, out, all[i]);
	/* A lab with next to nothing in it, and one that cannot run here, tell of themselves too.
	 */
	ARGS("--about");
	the_lab = &hard;
	r = run(whole_begin);
	assert_status(r, 0);
	assert_int_equal(json_lines(r->out), 1);
	assert_has(r, out,
		"\"parts\":[],\"quick\":[],\"questions\":[],\"operands\":[],\"options\":[]}");
}

static void to_a_full_disk(void)
{
	dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO);
	understand();
}

static void a_full_disk_is_no_success(void **state)
{
	(void)state;
	static const char *const asks[] = {"--about", "--help", "--version"};
	the_lab = &easy;
	for (int i = 0; i < 3; i++) {
		ARGS(asks[i]);
		assert_status(run(to_a_full_disk), 3);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_part_where_there_is_none),
		cmocka_unit_test(a_story_alone_takes_no_command),
		cmocka_unit_test(can_run_says_what_is_missing),
		cmocka_unit_test(the_story_does_not_begin_where_it_cannot_run),
		cmocka_unit_test(help_names_every_option),
		cmocka_unit_test(version_is_one_line),
		cmocka_unit_test(about_is_json),
		cmocka_unit_test(about_has_the_questions),
		cmocka_unit_test(a_part_that_is_run_alone_has_an_option),
		cmocka_unit_test(a_full_disk_is_no_success),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
