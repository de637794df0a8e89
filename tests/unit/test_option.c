/*
 * option.c and about.c: the command line of every lab.
 */
#define _GNU_SOURCE
#include <limits.h>

#include "fails.h"
#include "run.h"
#include "story/option.h"
#include "story/out.h"

static long long memory, count, cpus;
static const char *host, *file;

static const struct lab_option own[] = {
	{"memory", LAB_SIZE, &memory, 4096, 1 << 30, "the limit"},
	{"count", LAB_NUMBER, &count, 1, 100, "how many"},
	{"cpus", LAB_DECIMAL, &cpus, 100, 2000, "how many CPUs"},
	{"host", LAB_NAME, &host, 2, 8, "the name"},
	{"file", LAB_PATH_IN, &file, 0, 0, "what is \"read\""},
	{"out", LAB_PATH_IN_OUT, &file, 0, 0, "what is changed"},
	{0},
};

static const struct lab_part parts[] = {
	{.name = "plain", .title = "Needs nothing"},
	{.name = "future",
		.title = "Needs more",
		.needs = {.kernel = "99.0", .controllers = "memory pids"},
		.boot_alone = true,
		.hazard = true},
	{0},
};

static const struct lab easy = {
	.id = "01-test",
	.title = "A \"quoted\" title with a \\",
	.goal = "It's a goal.",
	.manual = "one(1) two(2)",
	.teaches = "unshare:CLONE_NEWPID fork",
	.after = "",
	.options = own,
	.parts = parts,
	.place_host = true,
	.quick = "--number=1 --plain=2",
	.exclusive_cpu = true,
};

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

static const struct lab *the_lab;
static const char *args[12];

static void understand(void)
{
	const char *can_run = NULL;
	static char *argv[14];
	int argc = 1;
	argv[0] = (char *)(uintptr_t) "lab";
	for (; args[argc - 1]; argc++)
		argv[argc] = (char *)(uintptr_t)args[argc - 1];
	lab = the_lab;
	memory = 32 << 20;
	count = 5;
	cpus = 0;
	option_read(argc, argv, &can_run);
	dprintf(1,
		"step=%d predict=%d jsonl=%d plain=%d color=%d memory=%lld count=%lld cpus=%lld host=%s ",
		option_given.step, option_given.predict, option_given.jsonl, option_given.plain, option_given.color, memory,
		count, cpus, host ? host : "-");
	dprintf(1, "file=%s can_run=%s command=", file ? file : "-", can_run ? can_run : "-");
	for (char **word = lab_command; word && *word; word++)
		dprintf(1, "[%s]", *word);
}

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

#define ARGS(...) memcpy(args, ((const char *[12]){__VA_ARGS__}), sizeof args)
#define UNDERSTAND(...) (ARGS(__VA_ARGS__), the_lab = &easy, run(understand))

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

/* ---- Sizes ---- */

static void sizes_are_read_as_docker_does(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		long long bytes;
	} good[] = {
		{"0", 0},
		{"1", 1},
		{"4096", 4096},
		{"7b", 7},
		{"7B", 7},
		{"1k", 1024},
		{"1K", 1024},
		{"32m", 32 << 20},
		{"32M", 32 << 20},
		{"2g", 2LL << 30},
		{"2G", 2LL << 30},
		{"3Ki", 3072},
		{"3ki", 3072},
		{"3Mi", 3 << 20},
		{"3Gi", 3LL << 30},
		{"3KB", 3072},
		{"3kb", 3072},
		{"3MB", 3 << 20},
		{"3KiB", 3072},
		{"3MiB", 3 << 20},
		{"3GiB", 3LL << 30},
		{"0g", 0},
		{"9223372036854775807", LLONG_MAX},
	};
	static const char *const bad[] = {"", " 1", "1 ", "1 k", "M", "k", "-5", "-5m", "+5", "12Q",
		"12kk", "12bi", "12bb", "12Kx", "12KiBs", "1.5m", "0x10", "max", "m12"};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		long long bytes = -1;
		if (!option_size(good[i].text, &bytes) || bytes != good[i].bytes)
			fail_msg("%s: %lld instead of %lld", good[i].text, bytes, good[i].bytes);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		long long bytes = -1;
		if (option_size(bad[i], &bytes))
			fail_msg("\"%s\" is no size, but was read as %lld", bad[i], bytes);
		assert_int_equal(bytes, -1);
	}
}

static void a_size_too_large_is_larger_than_any_limit(void **state)
{
	(void)state;
	static const char *const large[] = {"9223372036854775808", "99999999999999999999999",
		"8589934592g", "9007199254740992k", "99999999999999999999g"};
	for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
		long long bytes = 0;
		assert_true(option_size(large[i], &bytes));
		assert_true(bytes > LLONG_MAX - (1LL << 30));
	}
	assert_usage("--memory 99999999999g", "--memory", "99999999999g");
}

static void a_size_must_be_in_its_range(void **state)
{
	(void)state;
	struct run *r = UNDERSTAND("--memory", "4k");
	assert_status(r, 0);
	assert_has(r, out, "memory=4096 ");
	assert_has(UNDERSTAND("--memory=1G"), out, "memory=1073741824 ");
	assert_usage("--memory 4095: expected a size from 4K to 1024M", "--memory=4095");
	assert_usage("--memory 1025m", "--memory", "1025m");
	assert_usage("--memory 0", "--memory", "0");
	assert_usage("--memory 12Q", "--memory", "12Q");
	assert_usage("--memory -5", "--memory", "-5");
	assert_usage("--memory :", "--memory", "");
	assert_usage("--memory :", "--memory=");
	assert_usage("--memory M", "--memory", "M");
	assert_usage("--memory  1", "--memory", " 1");
}

/* ---- Decimals ---- */

static void decimals_are_thousandths(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		long long thousandths;
	} good[] = {{"0", 0}, {"1", 1000}, {"0.5", 500}, {"1.50", 1500}, {"0.025", 25},
		{"2.001", 2001}, {"007.1", 7100}, {"999999999999999.999", 999999999999999999LL}};
	static const char *const bad[] = {"", ".", ".5", "1.", "-1", "+1", " 1", "1 ", "1.2345",
		"1,5", "1.5.", "1.x", "1e3", "0x1", "1.5M", "9999999999999999"};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		long long value = -1;
		if (!option_decimal(good[i].text, &value) || value != good[i].thousandths)
			fail_msg("%s: %lld instead of %lld", good[i].text, value,
				good[i].thousandths);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		long long value = -1;
		if (option_decimal(bad[i], &value))
			fail_msg("\"%s\" is no decimal, but was read as %lld", bad[i], value);
	}
	assert_has(UNDERSTAND("--cpus", "1.5"), out, "cpus=1500 ");
	assert_has(UNDERSTAND("--cpus=0.1"), out, "cpus=100 ");
	assert_has(UNDERSTAND("--cpus", "2"), out, "cpus=2000 ");
	assert_usage("--cpus 0.099: expected a number from 0.1 to 2", "--cpus", "0.099");
	assert_usage("--cpus 2.001", "--cpus", "2.001");
	assert_usage("--cpus half", "--cpus", "half");
	assert_usage("--cpus :", "--cpus=");
	assert_has(UNDERSTAND("--help"), out, "(now none)");
	assert_has(UNDERSTAND("--cpus", "0.250", "--help"), out, "(now 0.25)");
	assert_has(UNDERSTAND("--cpus", "2", "--help"), out, "(now 2)");
}

/* ---- The others ---- */

static void numbers_names_and_files(void **state)
{
	(void)state;
	assert_has(UNDERSTAND("--count", "1"), out, "count=1 ");
	assert_has(UNDERSTAND("--count=100"), out, "count=100 ");
	assert_usage("--count 0: expected a whole number from 1 to 100", "--count", "0");
	assert_usage("--count 101", "--count", "101");
	assert_usage("--count 5x", "--count", "5x");
	assert_usage("--count +5", "--count", "+5");
	assert_usage("--count  5", "--count", " 5");
	assert_usage("--count :", "--count=");
	assert_usage("--count 99999999999999999999", "--count", "99999999999999999999");

	assert_has(UNDERSTAND("--host", "web-1.x"), out, "host=web-1.x ");
	assert_has(UNDERSTAND("--host=ab"), out, "host=ab ");
	assert_usage("--host a: expected 2 to 8 letters", "--host", "a");
	assert_usage("--host ninechars", "--host", "ninechars");
	assert_usage("--host a_b", "--host", "a_b");
	assert_usage("--host a/b", "--host", "a/b");
	assert_usage("--host a b", "--host", "a b");

	assert_has(UNDERSTAND("--file", "/proc/self/status"), out, "file=/proc/self/status ");
	assert_has(UNDERSTAND("--out=/tmp"), out, "file=/tmp ");
	assert_usage("--file /none/such: expected a file", "--file", "/none/such");
	assert_usage("--out /none/such: expected a file", "--out", "/none/such");
}

static void every_switch_and_what_nothing_means(void **state)
{
	(void)state;
	struct run *r = UNDERSTAND(NULL);
	assert_status(r, 0);
	assert_out(r,
		"step=0 predict=0 jsonl=0 plain=0 color=0 memory=33554432 count=5 cpus=0 host=- "
		"file=- can_run=- command=");
	r = UNDERSTAND("--step", "--predict", "--plain", "--format=jsonl", "--color=always");
	assert_has(r, out, "step=1 predict=1 jsonl=1 plain=1 color=1 ");
	assert_has(UNDERSTAND("--format", "jsonl"), out, "jsonl=1");
	assert_has(UNDERSTAND("--format", "jsonl", "--format", "story"), out, "jsonl=0");
	assert_has(UNDERSTAND("--color", "never"), out, "color=2");
	assert_has(UNDERSTAND("--color=never", "--color", "auto"), out, "color=0");
	assert_has(UNDERSTAND("--count=7", "--count=8"), out, "count=8");
	assert_has(UNDERSTAND("--can-run"), out, "can_run= ");
	assert_has(UNDERSTAND("--can-run=future"), out, "can_run=future ");
}

static void choices_name_what_there_is(void **state)
{
	(void)state;
	assert_usage("--format xml: expected one of: story jsonl", "--format=xml");
	assert_usage("--format JSONL", "--format", "JSONL");
	assert_usage("--format :", "--format=");
	assert_usage("--color blue: expected one of: auto always never", "--color", "blue");
	assert_usage("--can-run=none: expected one of its parts: plain, future", "--can-run=none");
	assert_usage("--can-run=:", "--can-run=");
}

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
	assert_rich_usage("--quiet=1: expected no value", "--quiet=1");
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

static void has_no_memory(void)
{
	lab = &easy;
	fails_at("vasprintf", 1, ENOMEM);
	option_usage("%s: expected %s", "it", "more");
}

static void an_error_without_memory_is_told(void **state)
{
	(void)state;
	struct run *r = run(has_no_memory);
	assert_status(r, 2);
	assert_has(r, err, "01-test: %s: expected %s\n");
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

static void wrong_words_are_named(void **state)
{
	(void)state;
	assert_usage("unknown option --nope", "--nope");
	assert_usage("unknown option --memoryx", "--memoryx=4k");
	assert_usage("unknown option --mem", "--mem", "4k");
	assert_usage("--step=1: expected no value after it", "--step=1");
	assert_usage("unknown option --help=1", "--help=1");
	assert_usage("unknown option --nope", "--help", "--nope");
	assert_usage("unknown option -v", "-v");
	assert_usage("operand: expected an option; a COMMAND comes after --", "operand");
	assert_usage("operand", "--step", "operand", "--", "ls");
	assert_usage(": expected an option", "");
	assert_usage("--memory: expected a value", "--memory");
	assert_usage("--memory: expected a value", "--memory", "--", "ls");
	assert_usage("--format: expected a value", "--format");
	assert_usage("--color: expected a value", "--step", "--color");
	assert_usage("expected a COMMAND after --", "--");
	assert_usage("expected a COMMAND after --", "--step", "--");
}

static void what_follows_two_dashes_is_the_command(void **state)
{
	(void)state;
	struct run *r = UNDERSTAND("--count", "9", "--", "ls", "--step", "--", "-l", "");
	assert_status(r, 0);
	assert_has(r, out, "step=0 ");
	assert_has(r, out, "count=9 ");
	assert_has(r, out, "command=[ls][--step][--][-l][]");
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
		cmocka_unit_test(sizes_are_read_as_docker_does),
		cmocka_unit_test(a_size_too_large_is_larger_than_any_limit),
		cmocka_unit_test(a_size_must_be_in_its_range),
		cmocka_unit_test(decimals_are_thousandths),
		cmocka_unit_test(numbers_names_and_files),
		cmocka_unit_test(every_switch_and_what_nothing_means),
		cmocka_unit_test(choices_name_what_there_is),
		cmocka_unit_test(flags_and_letters),
		cmocka_unit_test(choices_texts_and_volumes),
		cmocka_unit_test(operands_come_in_their_order),
		cmocka_unit_test(a_part_where_there_is_none),
		cmocka_unit_test(wrong_words_are_named),
		cmocka_unit_test(what_follows_two_dashes_is_the_command),
		cmocka_unit_test(a_story_alone_takes_no_command),
		cmocka_unit_test(can_run_says_what_is_missing),
		cmocka_unit_test(the_story_does_not_begin_where_it_cannot_run),
		cmocka_unit_test(help_names_every_option),
		cmocka_unit_test(version_is_one_line),
		cmocka_unit_test(about_is_json),
		cmocka_unit_test(about_has_the_questions),
		cmocka_unit_test(a_value_too_many_is_refused),
		cmocka_unit_test(a_part_that_is_run_alone_has_an_option),
		cmocka_unit_test(an_error_without_memory_is_told),
		cmocka_unit_test(the_checker_of_json_knows_what_is_none),
		cmocka_unit_test(a_full_disk_is_no_success),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
