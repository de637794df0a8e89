/*
 * option.c: the options that every lab has, and the types of values.
 */
#define _GNU_SOURCE
#include <limits.h>

#include "command_line.h"
#include "fails.h"
#include "run.h"

/* ---- A command line in a process of its own, which says what it understood ---- */

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
		{"1.5m", 3 << 19},
		{"1.5GiB", 3LL << 29},
		{"0.25", 0},
		{"0.000000001g", 1},
		{"0.99999999999999999999g", 1 << 30},
		{"8589934590.5g", LLONG_MAX - (3LL << 29) + 1},
		{"8589934591.99999999999999999999g", 8589934591LL << 30},
		{"9223372036854775807", LLONG_MAX},
	};
	static const char *const bad[] = {"", " 1", "1 ", "1 k", "M", "k", "-5", "-5m", "+5", "12Q",
		"12kk", "12bi", "12bb", "12Kx", "12KiBs", "1.m", ".5m", "1.5.5m", "1,5m", "0x10",
		"max", "m12"};
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

static void wrong_words_are_named(void **state)
{
	(void)state;
	assert_usage("unknown option --nope", "--nope");
	assert_usage("unknown option --memoryx", "--memoryx=4k");
	assert_usage("unknown option --mem", "--mem", "4k");
	assert_usage("--step=1: expected --step, alone or with =no", "--step=1");
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
		cmocka_unit_test(wrong_words_are_named),
		cmocka_unit_test(what_follows_two_dashes_is_the_command),
		cmocka_unit_test(an_error_without_memory_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
