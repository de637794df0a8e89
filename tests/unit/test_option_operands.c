/*
 * option.c: what a few labs have besides: letters, lists of values and operands.
 */
#define _GNU_SOURCE
#include "run.h"

static long long count;

/* ---- A command line in a process of its own, which says what it understood ---- */

static const char *args[12];

#define ARGS(...) memcpy(args, ((const char *[12]){__VA_ARGS__}), sizeof args)

/* ---- What a few labs have besides ---- */

static bool quiet, tty;
static const char *network, *user, *verb, *manifest;
static struct lab_texts env, volumes;

static const char *no_user(const char *value)
{
	return strcmp(value, "nobody") ? NULL : "somebody";
}

static const struct lab_option rich_options[] = {
	{"quiet", LAB_FLAG, &quiet, .help = "say less", .letter = 'q'},
	{"tty", LAB_FLAG, &tty, .help = "a terminal", .letter = 't'},
	{"network", LAB_CHOICE, &network, .help = "which", .choices = "none bridge"},
	{"user", LAB_TEXT, &user, .help = "who", .letter = 'u', .wrong = no_user},
	{"env", LAB_TEXTS, &env, .help = "a variable", .wrong = no_user},
	{"volume", LAB_VOLUME, &volumes, .help = "a volume", .letter = 'v'},
	{0},
};
static const struct lab_option rich_operands[] = {
	{"VERB", LAB_CHOICE, &verb, .help = "what to do", .choices = "ps kill"},
	{"FILE", LAB_PATH_IN, &manifest, .help = "a manifest"},
	{0},
};
static const struct lab rich = {.id = "01-test",
	.title = "t",
	.goal = "g",
	.options = rich_options,
	.operands = rich_operands};

static void understand_rich(void)
{
	static char *argv[14];
	int argc = 1;
	argv[0] = (char *)(uintptr_t) "lab";
	for (; args[argc - 1]; argc++)
		argv[argc] = (char *)(uintptr_t)args[argc - 1];
	bool goes_on = lab_parse(&rich, argc, argv);
	dprintf(1, "goes_on=%d quiet=%d tty=%d network=%s user=%s verb=%s file=%s env=", goes_on,
		quiet, tty, network ? network : "-", user ? user : "-", verb ? verb : "-",
		manifest ? manifest : "-");
	for (int i = 0; i < env.count; i++)
		dprintf(1, "[%s]", env.value[i]);
	for (int i = 0; i < volumes.count; i++)
		dprintf(1, "<%s>", volumes.value[i]);
}

#define RICH(...) (ARGS(__VA_ARGS__), run(understand_rich))
#define assert_rich_usage(needle, ...) \
	do { \
		struct run *wrong = RICH(__VA_ARGS__); \
		assert_status(wrong, 2); \
		assert_out(wrong, ""); \
		assert_has(wrong, err, needle); \
		assert_has(wrong, err, "expected"); \
		assert_int_equal(times(wrong->err, "\n"), 1); \
	} while (0)

static void flags_and_letters(void **state)
{
	(void)state;
	assert_out(RICH(NULL), "goes_on=1 quiet=0 tty=0 network=- user=- verb=- file=- env=");
	assert_has(RICH("--quiet"), out, "quiet=1 tty=0");
	assert_has(RICH("-qt"), out, "quiet=1 tty=1");
	assert_has(RICH("-t", "-q"), out, "quiet=1 tty=1");
	assert_has(RICH("-u", "me"), out, "user=me");
	assert_has(RICH("-ume"), out, "user=me");
	assert_has(RICH("-qu", "me"), out, "quiet=1 tty=0 network=- user=me");
	assert_has(RICH("--can-run"), out, "goes_on=0");
	assert_rich_usage("--quiet=1: expected --quiet without a value", "--quiet=1");
	assert_rich_usage("unknown option -x", "-x");
	assert_rich_usage("unknown option -qx", "-qx");
	assert_rich_usage("unknown option -;", "-");
	assert_rich_usage("-u: expected a value", "-u");
	assert_rich_usage("-u: expected a value", "-u", "--", "true");
	assert_rich_usage("-u nobody: expected somebody", "-u", "nobody");
}

static void choices_texts_and_volumes(void **state)
{
	(void)state;
	assert_has(RICH("--network", "none"), out, "network=none");
	assert_has(RICH("--network=bridge"), out, "network=bridge");
	assert_rich_usage("--network host: expected one of: none bridge", "--network", "host");
	assert_rich_usage("expected one of: none bridge", "--network", "none bridge");
	assert_rich_usage("--network :", "--network=");
	assert_has(RICH("--env", "A=1", "--env=B=2", "--env", ""), out, "env=[A=1][B=2][]");
	assert_rich_usage("--env nobody: expected somebody", "--env", "A=1", "--env", "nobody");
	assert_has(RICH("-v", "/a:/b", "--volume=/c:/d:ro"), out, "</a:/b></c:/d:ro>");
}

static void operands_come_in_their_order(void **state)
{
	(void)state;
	assert_has(RICH("ps"), out, "verb=ps file=-");
	assert_has(RICH("kill", "/proc/self/status"), out, "verb=kill file=/proc/self/status");
	assert_has(RICH("kill", "-q", "/proc/self/status"), out, "quiet=1");
	assert_rich_usage("VERB run: expected one of: ps kill", "run");
	assert_rich_usage("FILE /none/such: expected a file", "ps", "/none/such");
	assert_rich_usage("/tmp: expected an option", "ps", "/proc/self/status", "/tmp");
	ARGS("--about");
	struct run *r = run(understand_rich);
	assert_int_equal(json_lines(r->out), 1);
	assert_has(r, out, "\"operands\":[{\"name\":\"VERB\",\"type\":\"choice\"");
	assert_has(r, out, "\"choices\":[\"ps\",\"kill\"]");
	assert_has(r, out, "\"letter\":\"q\",\"type\":\"flag\"");
	assert_has(r, out, "\"type\":\"volume\"");
	ARGS("--network", "none", "--help");
	r = run(understand_rich);
	assert_has(r, out, "[VERB] [FILE] [-- COMMAND");
	assert_has(r, out, "--network=none|bridge");
	assert_has(r, out, "(now none)");
	assert_has(r, out, "-q, --quiet");
}

static void too_many_values(void)
{
	static char *argv[40] = {(char *)(uintptr_t) "lab"};
	for (int i = 1; i <= (int)count; i++)
		argv[i] = (char *)(uintptr_t) "--env=A";
	lab_parse(&rich, (int)count + 1, argv);
	dprintf(1, "values %d", env.count);
}

static void a_value_too_many_is_refused(void **state)
{
	(void)state;
	count = 32;
	assert_out(run(too_many_values), "values 32");
	count = 33;
	struct run *r = run(too_many_values);
	assert_status(r, 2);
	assert_has(r, err, "--env A: expected at most 32 of them");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags_and_letters),
		cmocka_unit_test(choices_texts_and_volumes),
		cmocka_unit_test(operands_come_in_their_order),
		cmocka_unit_test(a_value_too_many_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
