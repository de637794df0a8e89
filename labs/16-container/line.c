/*
 * line.c: docker run's command line, put into the order that every lab reads. "busybox sh -c ls"
 * becomes "-- sh -c ls", and another image the folder that --image names. What follows the image is
 * COMMAND, as in docker. An option that docker has and this lab does not run is explained or
 * refused by its row; one that nobody has, by the nearest name.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "container.h"
#include "kernel/file.h"
#include "kernel/sys.h"
#include "machine/machine.h"

static char **words; /* the line as it is read */
static int count;

/* The options that are not run here, as they were typed. */
static struct other {
	const struct row *row;
	const char *typed, *value, *words;
} others[64];
static int other_count;

static bool has_explain, has_rootfs, for_runner;
static const char *verb;

static void add(const char *word)
{
	words[count++] = text("%s", word);
}

__attribute__((format(printf, 1, 2))) static _Noreturn void wrong(const char *fmt, ...)
{
	autofree char *message = NULL;
	va_list ap;
	va_start(ap, fmt);
	if (vasprintf(&message, fmt, ap) < 0)
		message = NULL;
	va_end(ap);
	dprintf(STDERR_FILENO, "16-container: %s\n", message ? message : fmt);
	_exit(2);
}

/* ---- Which option is meant ---- */

/* What every lab has: option.h. */
static const struct lab_option of_labs[] = {{"step", LAB_FLAG}, {"predict", LAB_FLAG},
	{"plain", LAB_FLAG}, {"format", LAB_TEXT}, {"color", LAB_TEXT}, {"can-run", LAB_FLAG},
	{"about", LAB_FLAG}, {"help", LAB_FLAG}, {"version", LAB_FLAG}, {0}};

static bool is_name(const char *name, const char *word, size_t length)
{
	return strlen(name) == length && !strncmp(name, word, length);
}

static const struct row *row_named(const char *word, size_t length)
{
	static const char *const same[][2] = {
		{"net", "network"}, {"net-alias", "network-alias"}, {"dns-opt", "dns-option"}};
	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		if (is_name(same[i][0], word, length))
			return row_named(same[i][1], strlen(same[i][1]));
	for (const struct row *row = option_rows; row->option.name; row++)
		if (is_name(row->option.name, word, length))
			return row;
	return NULL;
}

/* How many letters have to change, come or go: Levenshtein's distance, a row at a time. */
static unsigned distance(const char *from, size_t length, const char *to)
{
	enum { LONGEST = 63 };
	unsigned last[LONGEST + 1], columns = (unsigned)strlen(to);
	if (columns > LONGEST)
		return LONGEST;
	for (unsigned x = 0; x <= columns; x++)
		last[x] = x;
	for (size_t y = 0; y < length; y++) {
		unsigned corner = last[0]++;
		for (unsigned x = 1; x <= columns; x++) {
			unsigned change = corner + (from[y] != to[x - 1]);
			unsigned less = 1 + (last[x] < last[x - 1] ? last[x] : last[x - 1]);
			corner = last[x];
			last[x] = change < less ? change : less;
		}
	}
	return last[columns];
}

static _Noreturn void unknown(const char *word, size_t length)
{
	const char *nearest = "help";
	unsigned least = 1000;
	for (const struct row *row = option_rows; row->option.name; row++) {
		unsigned far = distance(word, length, row->option.name);
		if (far < least) {
			least = far;
			nearest = row->option.name;
		}
	}
	if (least <= 1 + length / 3)
		wrong("unknown option --%.*s: expected --%s, or another of --help", (int)length,
			word, nearest);
	wrong("unknown option --%.*s: neither docker run nor this lab has it; expected one of "
	      "those of --help",
		(int)length, word);
}

/* "-p, --publish" */
static char *both_names(const struct lab_option *o)
{
	return o->letter ? text("-%c, --%s", o->letter, o->name) : text("--%s", o->name);
}

/* ---- Reading ---- */

/* Values of docker's that are not run here, of options that are. */
static const struct {
	const char *options, *value; /* to its ':' with what follows; NULL: any other */
	const char *words;
} other_values[] = {
	{"network pid ipc uts", "container:",
		"another container's namespace, setns(2); lab 17 does it for a Pod's containers"},
	{"ipc", "shareable", "as private, and others may join it; those of a Pod do, lab 17"},
	{"ipc", "none", "as private, without a tmpfs on /dev/shm"},
	{"network", NULL,
		"a network that docker network create makes, another bridge; lab 06 makes one"}};

/* What a value is that docker has for the option and this lab does not run; NULL: it is none. */
static const char *other_value(const struct lab_option *o, const char *value)
{
	if (o->type != LAB_CHOICE || !*value || machine_has(o->choices, value))
		return NULL;
	for (size_t i = 0; i < sizeof other_values / sizeof *other_values; i++) {
		const char *is = other_values[i].value;
		size_t length = is ? strlen(is) : 0;
		bool same = !is || (is[length - 1] == ':' ? !strncmp(value, is, length)
							  : !strcmp(value, is));
		if (same && machine_has(other_values[i].options, o->name))
			return other_values[i].words;
	}
	return NULL;
}

/* One that is not run here. The runner's line keeps it, for --explain. */
static void take_other(
	const struct row *row, const char *typed, const char *value, const char *what)
{
	if (other_count == sizeof others / sizeof *others)
		wrong("%s: expected at most %d options that are not run here", typed, other_count);
	others[other_count++] = (struct other){row, text("%s", typed), value, what};
	if (for_runner)
		add(typed);
	if (for_runner && value)
		add(value);
}

/* A flag may say false. */
static void take_flag(const struct row *row, const char *typed, const char *value)
{
	bool no = value && (!strcmp(value, "false") || !strcmp(value, "0"));
	bool yes = !value || !strcmp(value, "true") || !strcmp(value, "1");
	autofree char *name = text("--%s", row->option.name);
	if (no)
		return;
	if (!yes)
		wrong("%s=%s: expected no value after it, or true or false", typed, value);
	if (row->option.value)
		add(name);
	else
		take_other(row, typed, NULL, row->words);
	has_explain |= row->option.value == &asked.explain;
}

static void take_value(const struct row *row, const char *typed, const char *value)
{
	autofree char *name = text("--%s", row->option.name);
	bool is_image = row->option.value == &asked.images;
	enum { MOST = sizeof asked.images.value / sizeof *asked.images.value };
	if (!value)
		wrong("%s: expected a value after it", typed);
	has_rootfs |= row->option.value == &asked.rootfs;
	if (is_image && wrong_image_folder(value))
		wrong("--image %s: expected %s", value, wrong_image_folder(value));
	if (is_image && asked.images.count == MOST)
		wrong("--image %s: expected at most %d of them", value, MOST);
	if (is_image) {
		asked.images.value[asked.images.count++] = value;
	} else if (!row->option.value || other_value(&row->option, value)) {
		take_other(row, typed, value,
			row->option.value ? other_value(&row->option, value) : row->words);
	} else {
		add(name);
		add(value);
	}
}

/* The value of an option at argv[*i]: what stands behind it, or the next word. */
static const char *value_after(const char *rest, char *argv[], int *i)
{
	if (rest)
		return rest;
	return argv[*i + 1] && strcmp(argv[*i + 1], "--") ? argv[++*i] : NULL;
}

static void read_long(char *argv[], int *i)
{
	const char *word = argv[*i] + 2;
	size_t length = strcspn(word, "=");
	const char *rest = word[length] ? word + length + 1 : NULL;
	for (const struct lab_option *o = of_labs; o->name; o++)
		if (is_name(o->name, word, length)) {
			add(argv[*i]);
			if (o->type != LAB_FLAG && !rest && value_after(NULL, argv, i))
				add(argv[*i]);
			return;
		}
	const struct row *row = row_named(word, length);
	if (!row)
		unknown(word, length);
	autofree char *typed = text("--%.*s", (int)length, word);
	if (row->option.type == LAB_FLAG)
		take_flag(row, typed, rest);
	else
		take_value(row, typed, value_after(rest, argv, i));
}

/* -it, -m64m, -p 80:80 */
static void read_letters(char *argv[], int *i)
{
	for (const char *letter = argv[*i] + 1; *letter; letter++) {
		const struct row *row = option_rows;
		while (row->option.name && row->option.letter != *letter)
			row++;
		autofree char *typed = text("-%c", *letter);
		if (!row->option.name)
			wrong("unknown option %s in %s: expected one of those of --help", typed,
				argv[*i]);
		const char *rest = letter[1] == '=' ? letter + 2 : letter[1] ? letter + 1 : NULL;
		if (row->option.type == LAB_FLAG && letter[1] != '=') {
			take_flag(row, typed, NULL);
			continue;
		}
		if (row->option.type == LAB_FLAG)
			take_flag(row, typed, rest);
		else
			take_value(row, typed, value_after(rest, argv, i));
		return;
	}
}

/* ---- The image ---- */

/* "registry:5000/library/busybox:1.36@sha256:..." without registry, tag and digest. Allocated. */
static char *short_name(const char *image)
{
	autofree char *whole = text("%.*s", (int)strcspn(image, "@"), image);
	const char *slash = strrchr(whole, '/'), *name = slash ? slash + 1 : whole;
	return text("%.*s", (int)strcspn(name, ":"), name);
}

/* Its folder as an option; nothing for the tree of this course. */
static void take_image(const char *image)
{
	autofree char *name = short_name(image);
	if (has_rootfs)
		return;
	for (int i = asked.images.count - 1; i >= 0; i--) {
		const char *value = asked.images.value[i], *folder = strchr(value, '=');
		autofree char *given = text("%.*s", (int)(folder - value), value);
		if (strcmp(given, image) != 0 && strcmp(given, name) != 0)
			continue;
		add("--rootfs");
		add(folder + 1);
		return;
	}
	if (strcmp(name, "busybox") != 0)
		wrong("%s: expected the image busybox, or --image %s=DIR before it; nothing is pulled "
		      "here, and build/rootfs/tree would do as DIR",
			image, *name ? name : "NAME");
}

/* ---- The whole line ---- */

/* An operand. True when COMMAND comes after it. */
static bool take_operand(char *argv[], int i, int operands)
{
	const char *word = argv[i];
	if (operands == 0 && *word && !strchr(word, ' '))
		verb = machine_has(container_operands[0].choices, word) ? word : NULL;
	if (operands == 0 && !verb) {
		take_image(word);
		add("--");
		if (argv[i + 1] && !strcmp(argv[i + 1], "--")) /* as every lab has it */
			i++;
		if (!argv[i + 1])
			add("sh"); /* what docker's busybox runs */
		while (argv[++i])
			add(argv[i]);
		return true;
	}
	bool executes = verb && !strcmp(verb, "exec") && operands == 2;
	if (executes)
		add("--");
	for (add(word); executes && argv[i + 1]; i++)
		add(argv[i + 1]);
	return executes;
}

static void read_line(char *argv[])
{
	int operands = 0;
	for (int i = 1; argv[i]; i++) {
		if (!strcmp(argv[i], "--")) {
			for (; argv[i]; i++)
				add(argv[i]);
			break;
		}
		if (!strncmp(argv[i], "--", 2))
			read_long(argv, &i);
		else if (argv[i][0] == '-' && argv[i][1])
			read_letters(argv, &i);
		else if (take_operand(argv, i, operands++))
			break;
	}
	bool has_image = operands && !verb;
	if (asked.images.count && !has_image)
		wrong("--image %s: expected its NAME after the options, before COMMAND",
			asked.images.value[0]);
	if (other_count && !has_explain) {
		const struct other *first = &others[0];
		autofree char *names = both_names(&first->row->option);
		if (first->row->option.value) /* it is run, with other values */
			wrong("%s %s: expected one of: %s; not run here: %s", names, first->value,
				first->row->option.choices, first->words);
		wrong("%s: not run here: %s", names, first->words);
	}
}

/* With --words before all others, for scripts/lab: prints the line instead, a NUL behind each word.
 */
char **container_line(int argc, char *argv[])
{
	size_t room = 8;
	for (int i = 0; i < argc; i++) /* "-it" becomes two words */
		room += 2 + strlen(argv[i]);
	words = calloc(room, sizeof *words);
	if (!words)
		wrong("no memory for a line of %zu words", room);
	for_runner = argc > 1 && !strcmp(argv[1], "--words");
	add(argv[0]);
	read_line(argv + for_runner);
	for (int i = 1; i < count && for_runner; i++)
		printf("%s%c", words[i], '\0');
	if (for_runner)
		exit(fflush(stdout) ? 3 : 0);
	return asked.words = words;
}

void explain_others(void)
{
	for (int i = 0; i < other_count; i++)
		becomes(others[i].typed, others[i].value ? others[i].value : "", "nothing here: %s",
			others[i].words);
}
