/*
 * Lab 17's manifests: a few thousand broken ones, of which each is refused with a place or
 * read to its end.
 */
/* link: yaml-0.1 */
#define _GNU_SOURCE
#include "pod_manifest.h"

/* ---- What is read ---- */

static char *example;
static size_t example_size;

static int load_example(void **state)
{
	(void)state;
	const char *here = strstr(__FILE__, "tests/unit/");
	char path[512];
	snprintf(path, sizeof path, "%.*slabs/17-pod/pod.yaml", here ? (int)(here - __FILE__) : 0,
		__FILE__);
	autofree char *lines = file_read(path);
	example = text("%s\n", lines);
	example_size = strlen(example);
	return 0;
}

static int free_example(void **state)
{
	(void)state;
	free(example);
	return 0;
}

/* ---- Thousands of broken ones ---- */

static size_t refused, taken;

/* Refused with a place that is in it, and a reason; or taken. Nothing else, and no sanitizer's
 * report. */
static void try_input(const char *data, size_t size)
{
	int lines = 1;
	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	/* A copy without a byte behind it, so that a read past its end is seen. */
	char *copy = malloc(size ? size : 1);
	memcpy(copy, data, size);
	if (manifest_read(&manifest, copy, size, NULL, false)) {
		taken++;
		assert_int_equal(manifest.error.at.line, 0);
	} else {
		const struct problem *e = &manifest.error;
		refused++;
		if (e->at.line < 1 || e->at.line > lines + 1 || e->at.column < 1 || !*e->message)
			fail_msg("%d:%d: '%s' of %d lines", e->at.line, e->at.column, e->message,
				lines);
	}
	manifest_free(&manifest);
	free(copy);
}

static void truncated_at_every_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < example_size; i++)
		try_input(example, i);
	assert_true(refused > 1000);
}

static void with_a_foreign_byte_everywhere(void **state)
{
	(void)state;
	static const char bytes[] = {'\0', '\xff', '\xc3', '\x1b', '[', '{', '\t', '*', '&', '!',
		'"', '\'', ':', '-', '\n', '#', '|', '%', '@', '9'};
	size_t before = refused;
	autofree char *data = malloc(example_size);
	for (size_t i = 0; i < example_size; i++) {
		memcpy(data, example, example_size);
		data[i] = bytes[i % sizeof bytes];
		try_input(data, example_size);
		data[i] = bytes[i * 7 % 4]; /* no text at all */
		size_t was = refused;
		try_input(data, example_size);
		assert_int_equal(refused, was + 1);
	}
	assert_true(refused > before + 2000);
}

/* Behind each "KEY: " stands something else. */
static void with_another_value_everywhere(void **state)
{
	(void)state;
	static const char *const values[] = {"7", "-1", "1.5", "true", "~", "''", "[]", "{}", "[a]",
		"{a: b}", "99999999999999999999999", "\"\\0\"", "*a", "&a [*a]", "&a {a: *a}",
		"!!int 5", "!x y", "|\n", "'\xc3\xa4'", "a: b", "<<", "0x7fffffffffffffff", "1e400",
		".nan", "2001-01-01"};
	for (const char *at = example; (at = strchr(at, ':')); at++)
		for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
			size_t rest = strcspn(at, "\n");
			autofree char *data = text(
				"%.*s: %s%s", (int)(at - example), example, values[i], at + rest);
			try_input(data, strlen(data));
		}
}

static char *repeated(const char *head, const char *piece, size_t times, const char *tail)
{
	size_t each = strlen(piece), first = strlen(head);
	char *data = malloc(first + each * times + strlen(tail) + 1);
	memcpy(data, head, first);
	for (size_t i = 0; i < times; i++)
		memcpy(data + first + i * each, piece, each);
	strcpy(data + first + each * times, tail);
	return data;
}

static void deep_wide_and_exploding(void **state)
{
	(void)state;
	static const struct {
		const char *head, *piece;
		size_t times;
		const char *tail;
	} rows[] = {
		{"", "[", 100000, ""},
		{"", "{a: ", 100000, ""},
		{"", "- ", 100000, ""},
		{ONE_POD "x: ", "[", 500, ""},
		{ONE_POD "x: ", "? ", 50000, ""},
		{"", "a", MANIFEST_MAX, ""},
		{"", " ", MANIFEST_MAX + 1, ""},
		{"", "#\n", MANIFEST_MAX / 2, ""},
		{"", "---\n", 200000, ""},
		{"", "a: b\n", 200000, ""},
		{ONE_POD, "x: {}\n", 2, ""},
		{IN("args: ["), "a, ", 300000, "]\n"},
		{IN("env: ["), "{name: A}, ", 2000, "]\n"},
		{ONE_POD, "  - {name: a, image: busybox}\n", 30000, ""},
		{HEAD "spec:\n  labels: &l [", "a, ", 1000, "]\n  containers: []\n"},
		{IN("x: &a [b, b]\n    y: &b [*a, *a]\n    z: &c [*b, *b]\n    args: &d [*c, *c]"),
			"", 0, ""},
		{IN("args: &a [*a]"), "", 0, ""},
		{"&a [*a]\n", "", 0, ""},
		{"&a {*a : *a}\n", "", 0, ""},
		{"a: &a ", "[*a, *a, *a, *a, ", 400, ""},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		autofree char *data =
			repeated(rows[i].head, rows[i].piece, rows[i].times, rows[i].tail);
		try_input(data, strlen(data));
	}
	autofree char *deep = repeated("", "[", 101, "");
	assert_false(manifest_read(&manifest, deep, strlen(deep), NULL, false));
	assert_non_null(strstr(manifest.error.message, "within each other"));
	assert_int_equal(manifest.error.at.column, 101);
	manifest_free(&manifest);
}

/* Few bytes, many values: a list of aliases to a list of aliases. */
static void aliases_do_not_explode(void **state)
{
	(void)state;
	autofree char *env = repeated("{name: first, env: &e [", "{name: A},", 1000, "]},");
	autofree char *list = text("%s", "");
	for (int i = 0; i < 200; i++) {
		autofree char *before = list;
		list = text("%s{name: c%d, image: busybox, env: *e},", before, i);
	}
	autofree char *data = text(HEAD "spec: {containers: [%s\n%s]}\n", env, list);
	assert_false(manifest_read(&manifest, data, strlen(data), NULL, false));
	assert_non_null(strstr(manifest.error.message, "aliases included"));
	assert_int_equal(manifest.error.at.line, 4); /* the anchor's */
	manifest_free(&manifest);
}

/* The CPU time for a list of COUNT numbers, cut off and whole; anchor: each has an anchor of
 * another name. */
static double seconds_for_a_list(bool anchor)
{
	enum { COUNT = 100000 };
	autofree char *data = malloc(COUNT * 10 + 2);
	size_t length = 0;
	for (int i = 0; i < COUNT; i++)
		length += (size_t)sprintf(
			data + length, anchor ? "%c&%x 1" : "%c  %x 1", i ? ',' : '[', (unsigned)i);
	clock_t before = clock();
	try_input(data, length);
	data[length++] = ']';
	try_input(data, length);
	return (double)(clock() - before) / CLOCKS_PER_SEC;
}

/* As many anchors as fit. libyaml's own loader compares each with all, which is a hundred times
 * what the list takes. */
static void many_anchors_take_little_more_time_than_none(void **state)
{
	(void)state;
	double none = seconds_for_a_list(false), anchors = seconds_for_a_list(true);
	print_message("# %.2f s without anchors, %.2f s with them\n", none, anchors);
	assert_true(anchors < 10 * none);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(truncated_at_every_byte),
		cmocka_unit_test(with_a_foreign_byte_everywhere),
		cmocka_unit_test(with_another_value_everywhere),
		cmocka_unit_test(deep_wide_and_exploding),
		cmocka_unit_test(aliases_do_not_explode),
		cmocka_unit_test(many_anchors_take_little_more_time_than_none),
	};
	return cmocka_run_group_tests(tests, load_example, free_example);
}
