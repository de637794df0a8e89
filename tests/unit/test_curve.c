/*
 * curve.c: samples as a picture on a terminal, as words elsewhere.
 */
#define _GNU_SOURCE
#include <limits.h>

#include "lab_here.h"
#include "story/curve.h"

/* The clock that curve.c reads stands still until a test moves it. */
static bool clock_is_ours;
static long our_ms;

int clock_gettime(clockid_t clock, struct timespec *now)
{
	if (!clock_is_ours)
		return (int)syscall(SYS_clock_gettime, clock, now);
	*now = (struct timespec){
		.tv_sec = 1000 + our_ms / 1000, .tv_nsec = our_ms % 1000 * 1000000};
	return 0;
}

/* ---- In words ---- */

static const char *locale = "C.UTF-8", *unit = "pages";
static long long from, to, by, limit;
static long step_ms;

static void rise(void)
{
	clock_is_ours = true;
	setenv("LC_ALL", locale, 1);
	begin(&lab_here, "--color=never", NULL);
	for (long long value = from; by > 0 ? value <= to : value >= to; value += by) {
		lab_sample("memory", value, limit, unit);
		our_ms += step_ms;
	}
	expect_int("after", 1, 1);
}

static struct run *words(long long start, long long last, long long step, long long end)
{
	from = start;
	to = last;
	by = step;
	limit = end;
	return run(rise);
}

static void a_line_a_tenth(void **state)
{
	(void)state;
	struct run *r = words(0, 100, 1, 100);
	assert_status(r, 0);
	assert_int_equal(times(r->out, "has passed"), 10);
	for (int tenth = 10; tenth <= 100; tenth += 10) {
		char line[80];
		snprintf(line, sizeof line, "   memory has passed %d %% of its limit: %d pages\n",
			tenth, tenth);
		assert_int_equal(times(r->out, line), 1);
	}
	/* The closing sentence stands before what comes next. */
	const char *closing =
		strstr(r->out, "101 samples; the last was within a tenth of 100 pages.\n");
	assert_non_null(closing);
	assert_true(strstr(r->out, "   pass  after") > closing);
}

static void a_jump_says_each_tenth_below_it(void **state)
{
	(void)state;
	struct run *r = words(5, 95, 90, 100);
	assert_int_equal(times(r->out, "has passed"), 9);
	assert_has(r, out, "has passed 10 % of its limit: 10 pages\n");
	assert_has(r, out, "has passed 90 % of its limit: 90 pages\n");
	assert_lacks(r, out, "100 %");
}

static void a_fall_says_nothing_again(void **state)
{
	(void)state;
	struct run *r = words(95, 5, -10, 100);
	assert_int_equal(times(r->out, "has passed"), 9);
	assert_has(r, out, "10 samples; the last was below 100 pages.\n");
}

static void the_closing_sentence_tells_near_from_below(void **state)
{
	(void)state;
	assert_has(words(10, 89, 79, 100), out, "the last was below 100 pages.");
	assert_has(words(10, 90, 80, 100), out, "the last was within a tenth of 100 pages.");
	assert_has(words(10, 120, 110, 100), out, "the last was within a tenth of 100 pages.");
	assert_has(words(10, 10, 1, 100), out, "1 samples; the last was below");
}

static void bytes_are_told_in_mib(void **state)
{
	(void)state;
	unit = "bytes";
	struct run *r = words(1 << 20, 32 << 20, 1 << 20, 32 << 20);
	unit = "pages";
	assert_has(r, out, "has passed 10 % of its limit: 3.2 MiB\n");
	assert_has(r, out, "has passed 100 % of its limit: 32.0 MiB\n");
	assert_has(r, out, "within a tenth of 32.0 MiB.\n");
}

static void all_samples_are_counted(void **state)
{
	(void)state;
	assert_has(words(1, 512, 1, 2000), out, "512 samples; the last was below");
	assert_has(words(1, 513, 1, 2000), out, "513 samples; the last was below");
	struct run *r = words(1, 1999, 1, 2000);
	assert_int_equal(times(r->out, "has passed"), 9);
	assert_has(r, out, "1999 samples; the last was within a tenth of");
}

static void limits_that_are_odd(void **state)
{
	(void)state;
	assert_status(words(0, 5, 1, 0), 0);
	assert_status(words(0, 5, 1, -1), 0);
	assert_status(words(-5, 5, 1, 10), 0);
}

static void no_limit_at_all(void **state)
{
	(void)state;
	/* "max" of a cgroup's file is LLONG_MAX, cg_read_long(). */
	struct run *r = words(1 << 20, 5 << 20, 1 << 20, LLONG_MAX);
	assert_status(r, 0);
	assert_lacks(r, out, "has passed");
}

static void two_series(void)
{
	begin(&lab_here, NULL);
	for (int i = 1; i <= 5; i++)
		lab_sample("one", i, 10, "pages");
	for (int i = 1; i <= 3; i++)
		lab_sample("two", i, 10, "pages");
	lab_note("between");
	lab_sample("two", 1, 10, "pages");
	expect_int("a", 1, 1);
	_exit(lab_end());
}

static void another_series_or_event_closes_the_first(void **state)
{
	(void)state;
	struct run *r = run(two_series);
	static const char *const order[] = {"one has passed 50 %",
		"   5 samples; the last was below", "two has passed 10 %", "two has passed 30 %",
		"   3 samples; the last was below", "   between\n", "two has passed 10 %",
		"   1 samples; the last was below", "   pass  a"};
	const char *at = r->out;
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		at = strstr(at, order[i]);
		if (!at)
			run_show(r);
		assert_non_null(at);
	}
	assert_int_equal(times(r->out, "samples; the last"), 3);
}

static void child_in_between(void)
{
	begin(&lab_here, NULL);
	for (int i = 1; i <= 5; i++)
		lab_sample("memory", i, 10, "pages");
	pid_t child = fork();
	if (child == 0) {
		expect_int("in the child", 1, 1);
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	lab_sample("memory", 6, 10, "pages");
	_exit(lab_end());
}

static void a_child_does_not_close_its_parents_curve(void **state)
{
	(void)state;
	struct run *r = run(child_in_between);
	assert_has(r, out, "   pass  in the child");
	assert_int_equal(times(r->out, "samples; the last"), 1);
	assert_has(r, out, "6 samples; the last was below 10 pages.");
}

static void as_jsonl(void)
{
	begin(&lab_here, "--format=jsonl", NULL);
	lab_sample("memory", 1, 10, "pages");
	lab_sample("memory", 10, 10, "pages");
}

static void json_has_each_sample(void **state)
{
	(void)state;
	struct run *r = run_with(as_jsonl, (struct how){.columns = 80});
	assert_int_equal(json_lines(r->out), 4);
	assert_has(r, out,
		"{\"event\":\"sample\",\"series\":\"memory\",\"value\":1,\"limit\":10,"
		"\"unit\":\"pages\"}\n");
	assert_lacks(r, out, "has passed");
}

static void watched(void)
{
	begin(&lab_here, NULL);
	_exit(lab_watched() ? 42 : 43);
}

static void watched_on_a_terminal_only(void **state)
{
	(void)state;
	assert_status(run(watched), 43);
	assert_status(run_with(watched, (struct how){.columns = 80}), 42);
}

/* ---- The picture: a terminal as wide as ours, of which only what is drawn moves ---- */

enum { SCREEN_ROWS = 60, SCREEN_COLUMNS = 200 };

static char screen[SCREEN_ROWS][SCREEN_COLUMNS * 4];
static int used_rows, most_columns;

/* One cell is what one character takes; UTF-8 goes on in it. */
static void show_on_screen(const char *out)
{
	static char cell[SCREEN_ROWS][SCREEN_COLUMNS][5];
	int row = 0, column = 0;
	memset(cell, 0, sizeof cell);
	used_rows = most_columns = 0;
	for (; *out; out++) {
		int up, length = 0;
		assert_true(row >= 0 && row < SCREEN_ROWS && column < SCREEN_COLUMNS);
		if (*out == '\n') {
			row++;
			column = 0;
			used_rows = row > used_rows ? row : used_rows;
		} else if (*out == '\r') {
			column = 0;
		} else if (!strncmp(out, "\033[K", 3)) {
			memset(cell[row][column], 0, sizeof cell[row] - (size_t)column * 5);
			out += 2;
		} else if (sscanf(out, "\033[%dA%n", &up, &length) == 1 && length) {
			row -= up;
			out += length - 1;
		} else if ((*out & 0xc0) == 0x80) {
			char *at = cell[row][column - 1];
			at[strlen(at) + 1] = '\0';
			at[strlen(at)] = *out;
		} else {
			assert_true(*out >= ' ' || *out < 0); /* nothing else moves the cursor */
			cell[row][column][0] = *out;
			cell[row][column++][1] = '\0';
			most_columns = column > most_columns ? column : most_columns;
		}
	}
	for (int r = 0; r < used_rows; r++) {
		screen[r][0] = '\0';
		for (int c = 0; c < SCREEN_COLUMNS && cell[r][c][0]; c++)
			strcat(screen[r], cell[r][c]);
	}
}

static struct run *picture(
	int columns, long long start, long long last, long long step, long long end)
{
	from = start;
	to = last;
	by = step;
	limit = end;
	struct run *r = run_with(rise, (struct how){.columns = columns});
	assert_status(r, 0);
	show_on_screen(r->out);
	return r;
}

/* The rows with a bar: where the picture begins on the screen, and how many. */
static int picture_rows(int *top)
{
	int n = 0;
	for (int r = 0; r < used_rows; r++) {
		if (strlen(screen[r]) > 11 && screen[r][11] == '|') {
			if (!n)
				*top = r;
			assert_int_equal(r, *top + n); /* without a gap: drawn over, not below */
			n++;
		}
	}
	return n;
}

static void the_picture_is_drawn_in_its_place(void **state)
{
	(void)state;
	int top = 0;
	step_ms = 300; /* each sample is a picture */
	struct run *r = picture(80, 0, 40, 1, 40);
	int rows = picture_rows(&top), pictures = times(r->out, "0 |");
	assert_true(rows >= 4 && rows <= 8);
	assert_true(pictures > 20);
	assert_string_equal(screen[0], "01-test: t");
	assert_string_equal(screen[1], "g");
	assert_int_equal(top, 2);
	assert_int_equal(strncmp(screen[top], "  40 pages |", 12), 0);
	assert_non_null(strstr(screen[top + rows - 1], "0 |"));
	assert_non_null(strstr(screen[top + rows], "memory 40 pages"));
	assert_int_equal(strncmp(screen[top + rows + 1], "   pass  after", 14), 0);
	assert_int_equal(used_rows, top + rows + 2);
	/* The last sample is the limit: its column is full to the top. */
	for (int i = 0; i < rows; i++)
		assert_string_equal(screen[top + i] + strlen(screen[top + i]) - 3, "█");
	/* The first was 0. */
	assert_int_equal(strncmp(screen[top + rows - 1] + 11, "| ", 2), 0);
}

static void without_utf8_it_is_ascii(void **state)
{
	(void)state;
	int top;
	static const char *const locales[] = {"C", "POSIX", "de_DE.ISO-8859-1"};
	for (int i = 0; i < 3; i++) {
		locale = locales[i];
		struct run *r = picture(80, 0, 40, 1, 40);
		locale = "C.UTF-8";
		for (const char *c = r->out; *c; c++)
			assert_true(*c > 0);
		int rows = picture_rows(&top);
		for (int n = 0; n < rows; n++)
			assert_int_equal(screen[top + n][strlen(screen[top + n]) - 1], '#');
	}
}

static void many_samples_are_squeezed(void **state)
{
	(void)state;
	int top;
	static const int columns[] = {40, 60, 80};
	step_ms = 10;
	for (int i = 0; i < 3; i++) {
		picture(columns[i], 1, 1500, 1, 1500);
		assert_true(most_columns <= columns[i]);
		int rows = picture_rows(&top);
		const char *last = screen[top] + strlen(screen[top]) - 3;
		assert_string_equal(last, "█"); /* the last sample is there */
		assert_non_null(strstr(screen[top + rows], "memory 1500 pages"));
	}
}

static void the_picture_fits_whatever_its_unit(void **state)
{
	(void)state;
	static const struct {
		const char *unit;
		long long limit;
	} of[] = {{"bytes", 32LL << 20}, {"processes", 128}, {"us", 100000},
		{"microseconds", 100000}};
	for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
		unit = of[i].unit;
		picture(40, 1, of[i].limit, of[i].limit / 100, of[i].limit);
		unit = "pages";
		if (most_columns > 40)
			fail_msg("%s: the picture is %d columns wide on 40", of[i].unit,
				most_columns);
	}
}

static void four_redraws_a_second(void **state)
{
	(void)state;
	static const long steps[] = {0, 1, 10, 249, 250, 251, 2000};
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		step_ms = steps[i];
		struct run *r = picture(80, 1, 100, 1, 100);
		/* The first, then whichever comes 250 ms or more after the last, then the end. */
		int pictures = times(r->out, " 0 |"), expected = 2;
		for (long at = 0, last = 0; at < 100 * step_ms; at += step_ms) {
			if (at - last >= 250) {
				expected++;
				last = at;
			}
		}
		if (pictures != expected)
			fail_msg("%d pictures of %d, steps of %ld ms", pictures, expected, step_ms);
	}
	step_ms = 300;
}

static void odd_limits_live(void **state)
{
	(void)state;
	picture(80, 0, 5, 1, 0);
	picture(80, -5, 5, 1, 10);
	picture(80, 0, 50, 1, 10);
}

static void no_limit_live(void **state)
{
	(void)state;
	picture(80, 1 << 20, 5 << 20, 1 << 20, LLONG_MAX);
}

/* ---- Cells ---- */

static long long cells[40];
static int cell_count;
static const char *cell_format;

static void draw_cells(void)
{
	setenv("LC_ALL", "C.UTF-8", 1);
	begin(&lab_here, "--color=never", cell_format, NULL);
	dprintf(2, "%d", lab_cells("running", cells, cell_count, 1000, "usec", 10000, 3000));
}

static void cells_are_drawn_with_bars_and_fit(void **state)
{
	(void)state;
	cell_count = 40;
	cell_format = "--plain";
	for (int i = 0; i < cell_count; i++)
		cells[i] = (i + 7) % 10 < 5 ? 1000 : 0;
	struct run *r = run(draw_cells);
	assert_has(r, out, "\n      0 ms |...|#####.....|#####.....|#####.....|#####..\n");
	assert_has(r, err, "20");
}

static void what_a_cell_leaves_over_goes_to_the_next(void **state)
{
	(void)state;
	cell_count = 40;
	cell_format = "--plain";
	for (int i = 0; i < cell_count; i++)
		cells[i] = 250; /* a quarter of each: every fourth is drawn */
	struct run *r = run(draw_cells);
	assert_has(r, err, "10");
	assert_int_equal(times(strstr(r->out, "0 ms"), "#"), 10);
}

static void cells_are_samples_in_json(void **state)
{
	(void)state;
	cell_count = 5;
	cell_format = "--format=jsonl";
	struct run *r = run(draw_cells);
	assert_int_equal(times(r->out, "\"event\":\"sample\",\"series\":\"running\",\"value\":250,"
				       "\"limit\":1000,\"unit\":\"usec\""),
		5);
	assert_lacks(r, out, "#");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_a_tenth),
		cmocka_unit_test(a_jump_says_each_tenth_below_it),
		cmocka_unit_test(a_fall_says_nothing_again),
		cmocka_unit_test(the_closing_sentence_tells_near_from_below),
		cmocka_unit_test(bytes_are_told_in_mib),
		cmocka_unit_test(all_samples_are_counted),
		cmocka_unit_test(limits_that_are_odd),
		cmocka_unit_test(no_limit_at_all),
		cmocka_unit_test(another_series_or_event_closes_the_first),
		cmocka_unit_test(a_child_does_not_close_its_parents_curve),
		cmocka_unit_test(json_has_each_sample),
		cmocka_unit_test(watched_on_a_terminal_only),
		cmocka_unit_test(the_picture_is_drawn_in_its_place),
		cmocka_unit_test(without_utf8_it_is_ascii),
		cmocka_unit_test(many_samples_are_squeezed),
		cmocka_unit_test(the_picture_fits_whatever_its_unit),
		cmocka_unit_test(four_redraws_a_second),
		cmocka_unit_test(odd_limits_live),
		cmocka_unit_test(no_limit_live),
		cmocka_unit_test(cells_are_drawn_with_bars_and_fit),
		cmocka_unit_test(what_a_cell_leaves_over_goes_to_the_next),
		cmocka_unit_test(cells_are_samples_in_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
