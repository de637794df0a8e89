/*
 * out.c: every event in one of two formats, the story or JSON lines. Each
 * event is one write(2) with nothing buffered before it, so fork(2)
 * duplicates nothing and the events of two processes never mix.
 */
#define _GNU_SOURCE
#include "story/out.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>

#include "kernel/file.h"
#include "kernel/sys.h"
#include "story/curve.h"
#include "story/json.h"
#include "story/option.h"

enum { ROWS = 10, NARROW = 40, WIDE = 80 };

/* The colours of the verdicts; the words carry the meaning. */
static const char *const codes[] = {"\033[32m", "\033[31m", "\033[33m", "\033[31m"};

static bool terminal, colored, fancy;
static int width = WIDE;
static const char *table[ROWS][4];
static int rows;

/* By the names alone, locale(7): a static program in the VM has no locale files to ask. */
static bool locale_is_utf8(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	for (int i = 0; i < 3; i++) {
		const char *value = getenv(names[i]);
		if (value && *value)
			return strcasestr(value, "UTF-8") || strcasestr(value, "utf8");
	}
	return false;
}

void out_init(void)
{
	struct winsize size;
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
	bool dumb = term && !strcmp(term, "dumb");
	terminal = isatty(STDOUT_FILENO);
	if (terminal && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		width = size.ws_col < NARROW ? NARROW : size.ws_col > WIDE ? WIDE : size.ws_col;
	colored = option_given.color == COLOR_ALWAYS ||
		  (option_given.color == COLOR_AUTO && terminal && !dumb && !option_given.plain &&
			  !(no_color && *no_color));
	fancy = terminal && !dumb && !option_given.plain && !option_given.jsonl;
	curve_init(fancy, fancy && locale_is_utf8(), width);
}

/* ---- Text that grows ---- */

struct page {
	char *text;
	size_t size;
	FILE *stream;
};

static void page_open(struct page *page)
{
	page->stream = open_memstream(&page->text, &page->size);
	if (!page->stream)
		die("out of memory");
}

/* The one write(2). A reader that has gone is told by SIGPIPE, a full disk here. */
static void page_print(struct page *page)
{
	curve_end();
	fclose(page->stream);
	bool done = file_write_all(STDOUT_FILENO, page->text, page->size);
	free(page->text);
	if (!done)
		die("write to standard output");
}

/* The table is of a run that was as predicted. */
static int rows_to_show(void)
{
	return shared->count[FAIL] || sys_shared->broken ? 0 : rows;
}

/* ---- JSON lines, RFC 8259 ---- */

/* {"event":"KIND", then what json_members() takes. */
static void json_event(const char *kind, ...)
{
	struct page page;
	page_open(&page);
	struct json json = {.to = page.stream};
	va_list ap;
	va_start(ap, kind);
	json_open(&json, NULL, '{');
	json_members(&json, "event", kind, NULL);
	json_members_of(&json, ap);
	va_end(ap);
	if (!strcmp(kind, "end")) {
		json_open(&json, "table", '[');
		for (int r = 0; r < rows_to_show(); r++) {
			json_open(&json, NULL, '[');
			for (int c = 0; c < 4; c++)
				json_string(&json, table[r][c]);
			json_close(&json, ']');
		}
		json_close(&json, ']');
	}
	json_close(&json, '}');
	fputc('\n', page.stream);
	page_print(&page);
}

/* ---- The story ---- */

/* Words of text, from column at on and below from indent on, no line wider than the terminal. */
static void wrap(FILE *to, int at, int indent, const char *text)
{
	int column = at;
	bool empty = true;
	while (*text) {
		int length = (int)strcspn(text, *text == '[' ? "]" : " "); /* "[PID 7]" is a word */
		length += text[length] == ']';
		if (!empty && column + 1 + length > width) {
			column = fprintf(to, "\n%*s", indent, "") - 1;
			empty = true;
		}
		if (length > width - indent && column < width) /* a word that fits no line */
			length = width - column;
		column += fprintf(to, "%s%.*s", empty ? "" : " ", length, text);
		empty = false;
		text += length + strspn(text + length, " ");
	}
	fputc('\n', to);
}

static const char *paint(const char *code)
{
	return colored ? code : "";
}

static void story(int first, int indent, const char *code, const char *line)
{
	struct page page;
	page_open(&page);
	fprintf(page.stream, "%s%*s", paint(code), first, "");
	wrap(page.stream, first, indent, line);
	if (*code)
		fputs(paint("\033[0m"), page.stream);
	page_print(&page);
}

void out_where(void)
{
	const char *told = getenv("LAB_WHERE"), *why = getenv("LAB_WHY");
	bool event = option_given.jsonl && !lab_command;
	struct utsname name;
	if (told && !event)
		return; /* the runner has said it already */
	uname(&name);
	const char *place = told ? told : lab_in_vm ? "vm" : "host";
	if (event)
		json_event("where", "place", place, "kernel", name.release, "why", why ? why : "",
			NULL);
	if (told)
		return;
	dprintf(STDERR_FILENO, "%s runs %s (Linux %s)\n", lab->id,
		strcmp(place, "vm") ? "on this machine" : "in the lab VM", name.release);
}

void out_lab(void)
{
	if (option_given.jsonl) {
		json_event("lab", "id", lab->id, "title", lab->title, "goal", lab->goal, NULL);
		return;
	}
	autofree char *title = text("%s: %s", lab->id, lab->title);
	story(0, 0, "\033[1m", title);
	story(0, 0, "", lab->goal);
}

void out_step(int number, const char *act, const char *expect)
{
	if (option_given.jsonl) {
		json_event("step", "number#", (long long)number, "text", act,
			expect ? "expect" : NULL, expect, NULL);
		return;
	}
	autofree char *numbered = text("%d. %s", number, act);
	struct page page;
	page_open(&page);
	fprintf(page.stream, "\n%s", paint("\033[1m"));
	wrap(page.stream, 0, 3, numbered);
	fputs(paint("\033[0m"), page.stream);
	page_print(&page);
	if (expect)
		out_expect(expect);
}

void out_expect(const char *expect)
{
	autofree char *expected = text("Expect: %s", expect);
	story(3, 11, "", expected);
}

void out_note(const char *line)
{
	if (!option_given.jsonl)
		story(3, 3, "", line);
}

/* What a person is asked and told, who in jsonl is not the one that reads stdout. */
void out_ask(const char *line)
{
	if (option_given.jsonl)
		dprintf(STDERR_FILENO, "   %s\n", line);
	else
		story(*line ? 3 : 0, 3, "", line);
}

void out_prediction(const char *question, const char *predicted, const char *observed)
{
	if (option_given.jsonl)
		json_event("prediction", "question", question, "predicted", predicted, "observed",
			observed, NULL);
}

void out_line(const char *line)
{
	if (!option_given.jsonl)
		story(0, 3, "", line);
}

void out_call(const char *place, const char *call, long value, int error)
{
	if (option_given.jsonl) {
		json_event("call", "place", place, "call", call, "value#", (long long)value, "pid#",
			(long long)getpid(), "errno", value == -1 ? errno_name(error) : "", NULL);
		return;
	}
	bool address = value > INT_MAX || value < -1; /* mmap(2) yields one */
	autofree char *line =
		text(address ? "%s = %#lx  [PID %d]" : "%s = %ld  [PID %d]", call, value, getpid());
	struct page page;
	page_open(&page);
	/* Magenta reads well on white and on black. */
	int used = fprintf(page.stream, "   %s%s  ", paint("\033[35m"), place) -
		   (int)strlen(paint("\033[35m"));
	if (used + (int)strcspn(line, " ") > width) /* beside a long place */
		used = fprintf(page.stream, "\n%*s", 6, "") - 1;
	wrap(page.stream, used, 6, line);
	fputs(paint("\033[0m"), page.stream);
	page_print(&page);
}

void out_check(const char *what, const char *expected, const char *observed, enum verdict verdict)
{
	const char *word = verdict_names[verdict];
	if (option_given.jsonl) {
		json_event("check", "what", what, "expected", expected, "observed", observed,
			"verdict", word, NULL);
		return;
	}
	autofree char *values = verdict == SKIP
					? text("%s; %s", observed, expected)
					: text("expected %s, observed %s", expected, observed);
	struct page page;
	page_open(&page);
	int used =
		fprintf(page.stream, "   %s%s%s  ", paint(codes[verdict]), word, paint("\033[0m"));
	used -= (int)(strlen(paint(codes[verdict])) + strlen(paint("\033[0m")));
	/* Beside each other when they fit, the values aligned in a column of their own. */
	int column = width / 2 - 1, room = width - used - (int)strlen(what) - 2;
	if ((int)strlen(values) <= room) {
		int gap = column - used - (int)strlen(what);
		if (gap < 2 || gap + (int)strlen(values) > room + 2)
			gap = 2;
		fprintf(page.stream, "%s%*s%s\n", what, gap, "", values);
	} else {
		wrap(page.stream, used, used, what);
		fprintf(page.stream, "%*s", used, "");
		wrap(page.stream, used, used, values);
	}
	page_print(&page);
}

void out_sample(const char *series, long long value, long long limit, const char *unit)
{
	if (option_given.jsonl)
		json_event("sample", "series", series, "value#", value, "limit#", limit, "unit",
			unit, NULL);
	else
		curve_add(series, value, limit, unit);
}

int out_cells(const char *series, const long long value[], int count, long long limit,
	const char *unit, long long every, long long first)
{
	for (int i = 0; option_given.jsonl && i < count; i++)
		out_sample(series, value[i], limit, unit);
	return curve_cells(value, count, limit, unit, every, first, !option_given.jsonl);
}

bool out_drawing(void)
{
	return fancy;
}

void out_wait(pid_t pid, const char *commands)
{
	if (option_given.jsonl) {
		json_event("wait", "step#", (long long)shared->step, "pid#", (long long)pid, "look",
			commands, NULL);
		return;
	}
	autofree char *lines = text("%s", commands);
	if (*lines)
		out_note(lab_in_vm ? "Look, from a second terminal (make look):"
				   : "Look, from a second terminal:");
	for (char *line = strtok(lines, "\n"); line; line = strtok(NULL, "\n")) {
		/* Never wrapped: it is there to be pasted. */
		struct page page;
		page_open(&page);
		fprintf(page.stream, "     %s\n", line);
		page_print(&page);
	}
}

void out_prompt(bool has_shell, int choices)
{
	autofree char *prompt =
		choices ? text("   Your number, 1 to %d; Enter: I don't know > ", choices)
			: text("   Enter: next%s, ?: keys, q: quit > ",
				  has_shell ? ", s: a shell in there" : "");
	if (option_given.jsonl) {
		if (choices)
			dprintf(STDERR_FILENO, "%s", prompt);
		return;
	}
	struct page page;
	page_open(&page);
	fputs(prompt, page.stream);
	page_print(&page);
}

void out_row(const char *const cell[4])
{
	if (rows == ROWS) {
		errno = 0;
		die("the table has more than %d rows", ROWS);
	}
	for (int c = 0; c < 4; c++) {
		table[rows][c] = strdup(cell[c]);
		if (!table[rows][c])
			die("out of memory");
	}
	rows++;
}

/* One row of the table; cells that are too long for their column go on below. */
static void print_row(FILE *to, const char *const cell[4], const int column[4])
{
	const char *rest[4] = {cell[0], cell[1], cell[2], cell[3]};
	do {
		fputs("  ", to);
		for (int c = 0; c < 4; c++) {
			int length = (int)strlen(rest[c]), cut = length;
			if (length > column[c]) {
				for (cut = column[c]; cut > 0 && rest[c][cut] != ' ';)
					cut--;
				if (cut == 0)
					cut = column[c];
			}
			fprintf(to, "%-*.*s%s", c < 3 ? column[c] : 0, cut, rest[c],
				c < 3 ? " | " : "");
			rest[c] += cut;
			rest[c] += strspn(rest[c], " ");
		}
		fputc('\n', to);
	} while (*rest[0] || *rest[1] || *rest[2] || *rest[3]);
}

static void print_table(void)
{
	static const char *const head[4] = {"what", "without", "with", "who decided"};
	int column[4], sum = 2 + 3 * 3;
	for (int c = 0; c < 4; c++) {
		column[c] = (int)strlen(head[c]);
		for (int r = 0; r < rows; r++)
			if ((int)strlen(table[r][c]) > column[c])
				column[c] = (int)strlen(table[r][c]);
		sum += column[c];
	}
	while (sum > width) {
		int widest = 0;
		for (int c = 1; c < 4; c++)
			if (column[c] > column[widest])
				widest = c;
		column[widest]--;
		sum--;
	}
	struct page page;
	page_open(&page);
	fputc('\n', page.stream);
	print_row(page.stream, head, column);
	fputs("  ", page.stream);
	for (int i = 2; i < sum; i++)
		fputc('-', page.stream);
	fputc('\n', page.stream);
	for (int r = 0; r < rows; r++)
		print_row(page.stream, table[r], column);
	page_print(&page);
}

void out_end(enum verdict verdict)
{
	const struct lab_words *words = lab->words;
	int *count = shared->count;
	long long checks = (long long)count[PASS] + count[FAIL];
	if (option_given.jsonl) {
		json_event("end", "verdict", verdict_names[verdict], "checks#", checks, "passed#",
			(long long)count[PASS], "failed#", (long long)count[FAIL], "skipped#",
			(long long)count[SKIP], "questions#", (long long)shared->questions,
			"score#", (long long)shared->score, NULL);
		return;
	}
	if (rows_to_show())
		print_table();
	if (words) {
		out_line("");
		out_line("Try now:");
		for (int i = 0; i < 3 && words->try_now[i]; i++) {
			autofree char *line = text("  %s\n", words->try_now[i]);
			file_write_all(STDOUT_FILENO, line, strlen(line));
		}
		autofree char *docker = text("In Docker: %s", words->docker);
		autofree char *kubernetes = text("In Kubernetes: %s", words->kubernetes);
		autofree char *next = text("Next: %s", words->next);
		out_line(docker);
		out_line(kubernetes);
		out_line(next);
	}
	if (shared->questions) {
		autofree char *score =
			text("Predicted: %d of %d", shared->score, shared->questions);
		out_line(score);
	}
	if (count[FAIL]) {
		autofree char *which = text("failed: %s", shared->failed + 2);
		out_line("");
		out_line(which);
	}
	autofree char *failed = count[FAIL] ? text(", %d failed", count[FAIL]) : text("%s", "");
	autofree char *skipped =
		count[SKIP] ? text(", %d part%s skipped", count[SKIP], count[SKIP] == 1 ? "" : "s")
			    : text("%s", "");
	autofree char *summary = text("%s: %s, %lld checks%s%s", lab->id, verdict_names[verdict],
		checks, failed, skipped);
	story(0, 3, codes[verdict], summary);
}
