/*
 * option.c: the command line that every lab has, and what it says about itself.
 */
#define _GNU_SOURCE
#include "story/option.h"

#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernel/file.h"
#include "kernel/sys.h"
#include "machine/machine.h"
#include "story/about.h"
#include "story/state.h"

#ifndef VERSION
#define VERSION "unknown"
#endif

struct options option_given;

void option_usage(const char *fmt, ...)
{
	autofree char *message = NULL;
	va_list ap;
	va_start(ap, fmt);
	if (vasprintf(&message, fmt, ap) < 0)
		message = NULL;
	va_end(ap);
	dprintf(STDERR_FILENO, "%s: %s\n", lab->id, message ? message : fmt);
	_exit(2);
}

bool option_size(const char *string, long long *bytes)
{
	static const char units[] = "bkmg";
	char *end;
	if (!isdigit((unsigned char)*string))
		return false;
	errno = 0;
	long long value = strtoll(string, &end, 10);
	size_t digits = *end == '.' ? strspn(end + 1, "0123456789") : 0;
	double part = digits ? strtod(end, NULL) : 0; /* 1.5g, as docker has it */
	int shift = 0;
	end += digits ? digits + 1 : 0;
	if (*end) {
		const char *unit = strchr(units, tolower((unsigned char)*end));
		if (!unit)
			return false;
		shift = 10 * (int)(unit - units);
		/* Ki Mi Gi, and docker's KB and KiB, which mean the same there. */
		bool word = !strcmp(end + 1, "i") || !strcasecmp(end + 1, "ib") ||
			    !strcasecmp(end + 1, "b");
		if (word ? shift == 0 : end[1])
			return false;
	}
	if (errno || value >= LLONG_MAX >> shift)
		value = LLONG_MAX >> shift, part = 0; /* a size, but larger than any limit */
	*bytes = (value << shift) + (long long)(part * (1 << shift));
	return true;
}

static char *size_word(long long bytes)
{
	int shift = bytes && bytes % (1 << 20) == 0 ? 20 : bytes && bytes % 1024 == 0 ? 10 : 0;
	return text("%lld%s", bytes >> shift, shift == 20 ? "M" : shift == 10 ? "K" : "");
}

/* "0.5" is 500: thousandths, of which there are at most three digits. */
bool option_decimal(const char *string, long long *thousandths)
{
	size_t whole = strspn(string, "0123456789"), part = 0;
	if (string[whole] == '.')
		part = strspn(string + whole + 1, "0123456789");
	if (whole == 0 || whole > 15 || part > 3 || string[whole + (part ? part + 1 : 0)])
		return false;
	*thousandths = strtoll(string, NULL, 10) * 1000;
	for (size_t i = 0, worth = 100; i < part; i++, worth /= 10)
		*thousandths += (string[whole + 1 + i] - '0') * (long long)worth;
	return true;
}

static char *decimal_text(long long thousandths)
{
	char *value = text("%lld.%03lld", thousandths / 1000, thousandths % 1000);
	size_t length = strlen(value);
	while (value[length - 1] == '0')
		value[--length] = '\0';
	if (value[length - 1] == '.')
		value[length - 1] = '\0';
	return value;
}

static char *number_text(long long number)
{
	return text("%lld", number);
}

static void add(const char *name, struct lab_texts *texts, const char *value)
{
	enum { ROOM = sizeof texts->value / sizeof *texts->value };
	if (texts->count == ROOM)
		option_usage("%s %s: expected at most %d of them", name, value, ROOM);
	texts->value[texts->count++] = value;
}

static bool read_number(const char *value, long long *number)
{
	char *end;
	errno = 0;
	*number = strtoll(value, &end, 10);
	return !errno && isdigit((unsigned char)*value) && !*end;
}

static void set_number(const struct lab_option *option, const char *name, const char *value)
{
	static const struct {
		bool (*read)(const char *value, long long *number);
		char *(*print)(long long number);
		const char *before, *after;
	} kinds[] = {
		[LAB_SIZE] = {option_size, size_word, "a size",
			", such as 32M (units b k m g, powers of 1024)"},
		[LAB_NUMBER] = {read_number, number_text, "a whole number", ""},
		[LAB_DECIMAL] = {option_decimal, decimal_text, "a number",
			" with at most three decimals, such as 0.5"},
	};
	long long number;
	if (!kinds[option->type].read(value, &number) || number < option->min ||
		number > option->max) {
		autofree char *low = kinds[option->type].print(option->min);
		autofree char *high = kinds[option->type].print(option->max);
		option_usage("%s %s: expected %s from %s to %s%s", name, value,
			kinds[option->type].before, low, high, kinds[option->type].after);
	}
	*(long long *)option->value = number;
}

static void set_name(const struct lab_option *option, const char *name, const char *value)
{
	size_t length = strlen(value), good = 0;
	while (isalnum((unsigned char)value[good]) || value[good] == '-' || value[good] == '.')
		good++;
	if (good != length || (long long)length < option->min || (long long)length > option->max)
		option_usage("%s %s: expected %lld to %lld letters, digits, '-' or '.'", name,
			value, option->min, option->max);
	*(const char **)option->value = value;
}

static void set_text(const struct lab_option *option, const char *name, const char *value)
{
	if (option->wrong && option->wrong(value))
		option_usage("%s %s: expected %s", name, value, option->wrong(value));
	if (option->type == LAB_TEXT)
		*(const char **)option->value = value;
	else
		add(name, option->value, value);
}

/* The value of an option of the lab's own, or a usage error that names what was expected. */
static void set(const struct lab_option *option, const char *name, const char *value)
{
	switch (option->type) {
	case LAB_SIZE:
	case LAB_NUMBER:
	case LAB_DECIMAL:
		set_number(option, name, value);
		break;
	case LAB_NAME:
		set_name(option, name, value);
		break;
	case LAB_PATH_IN:
	case LAB_PATH_IN_OUT:
		if (access(value, R_OK))
			option_usage("%s %s: expected a file that can be read", name, value);
		*(const char **)option->value = value;
		break;
	case LAB_FLAG:
		*(bool *)option->value = true;
		break;
	case LAB_CHOICE:
		if (!*value || strchr(value, ' ') || !machine_has(option->choices, value))
			option_usage("%s %s: expected one of: %s", name, value, option->choices);
		*(const char **)option->value = value;
		break;
	case LAB_VOLUME:
	case LAB_NAMED_PATH:
	case LAB_TEXTS:
	case LAB_TEXT:
		set_text(option, name, value);
	}
}

static char *value_text(const struct lab_option *o)
{
	long long number = o->type <= LAB_DECIMAL ? *(long long *)o->value : 0;
	switch (o->type) {
	case LAB_SIZE:
		return number || !o->min ? size_word(number) : text("none");
	case LAB_NUMBER:
		return text("%lld", number);
	case LAB_DECIMAL:
		return number ? decimal_text(number) : text("none");
	case LAB_FLAG:
		return text("%s", *(bool *)o->value ? "on" : "off");
	case LAB_TEXTS:
	case LAB_VOLUME:
	case LAB_NAMED_PATH:
		return text("none");
	default:
		return text("%s", *(char **)o->value ? *(char **)o->value : "none");
	}
}

static void help_option(const struct lab_option *o)
{
	static const char *const values[] = {[LAB_SIZE] = " SIZE",
		[LAB_NUMBER] = " N",
		[LAB_DECIMAL] = " DECIMAL",
		[LAB_NAME] = " NAME",
		[LAB_PATH_IN] = " PATH",
		[LAB_PATH_IN_OUT] = " PATH",
		[LAB_FLAG] = "",
		[LAB_TEXT] = " TEXT",
		[LAB_TEXTS] = " TEXT...",
		[LAB_VOLUME] = " SRC:DST[:ro]...",
		[LAB_NAMED_PATH] = " NAME=PATH..."};
	autofree char *value = value_text(o),
		      *letter = o->letter ? text("-%c, ", o->letter) : text("%s", "");
	autofree char *choices = text("=%s", o->choices ? o->choices : "");
	for (char *space = choices; (space = strchr(space, ' '));)
		*space = '|';
	autofree char *name = text(
		"%s--%s%s", letter, o->name, o->type == LAB_CHOICE ? choices : values[o->type]);
	bool now = o->type != LAB_FLAG && o->type < LAB_TEXTS && strcmp(value, "0") != 0;
	printf("  %-26s %s%s%s%s\n", name, o->help, now ? " (now " : "", now ? value : "",
		now ? ")" : "");
}

static void help(void)
{
	autofree char *operands = text("%s", "");
	for (const struct lab_option *o = lab->operands; o && o->name; o++) {
		autofree char *before = operands;
		operands = text("%s [%s]", before, o->name);
	}
	printf("Usage: %s [OPTION...]%s [-- COMMAND [ARG...]]\n%s\n\n"
	       "With COMMAND no story: it runs in the place that the lab makes, and its\n"
	       "exit status is the lab's.\n\n"
	       "  --step[=no]                wait for Enter at each step; ? lists the keys\n"
	       "  --predict[=no]             ask before showing, and score; a terminal gets both\n"
	       "  --format=story|jsonl       prose, or one JSON object a line\n"
	       "  --color=auto|always|never  colours of the story\n"
	       "  --plain                    ASCII only, the cursor never moves\n"
	       "  --can-run[=PART]           0: this machine can; 77: what it lacks, what to do\n"
	       "  --about                    what this lab is and needs, as JSON\n"
	       "  --help, --version\n",
		lab->id, operands, lab->title);
	for (const struct lab_option *o = lab->operands; o && o->name; o++)
		printf("  %-26s %s\n", o->name, o->help);
	for (const struct lab_option *o = lab->options; o && o->name; o++)
		help_option(o);
	for (const struct lab_part *part = lab->parts; part && part->name; part++) {
		autofree char *name = text("--%s", part->name);
		if (part->boot_alone)
			printf("  %-26s only this part, in a lab VM that is booted for it\n", name);
	}
	puts("\nExit status: 0 all as predicted, 1 a check failed, 2 wrong usage, 3 broken,\n"
	     "77 cannot run here, 130 interrupted; with COMMAND its own, or 125 to 127.");
}

/* The value of --name, which may be the next word; argument is what stands behind a '='. */
static const char *value_of(const char *name, const char *argument, int argc, char *argv[], int *i)
{
	if (argument)
		return argument;
	if (*i + 1 >= argc || !strcmp(argv[*i + 1], "--"))
		option_usage("%s: expected a value after it", name);
	return argv[++*i];
}

/* --name VALUE or --name=VALUE at argv[*i]; false when it is none of these. */
static bool long_option(const struct lab_option *o, int argc, char *argv[], int *i)
{
	const char *word = argv[*i] + 2;
	for (; o && o->name; o++) {
		size_t length = strlen(o->name);
		if (strncmp(word, o->name, length) || (word[length] && word[length] != '='))
			continue;
		const char *argument = word[length] ? word + length + 1 : NULL;
		if (o->type == LAB_FLAG && argument)
			option_usage("--%s: expected --%s%s", word, o->name,
				o->value == &option_given.step || o->value == &option_given.predict
					? ", alone or with =no"
					: " without a value");
		autofree char *name = text("--%s", o->name);
		set(o, name, o->type == LAB_FLAG ? "" : value_of(name, argument, argc, argv, i));
		return true;
	}
	return false;
}

/* -x, -xVALUE, -x VALUE, and flags together: -it. */
static bool short_options(int argc, char *argv[], int *i)
{
	for (const char *letter = argv[*i] + 1; *letter; letter++) {
		const struct lab_option *o = lab->options;
		while (o && o->name && o->letter != *letter)
			o++;
		if (!o || !o->name)
			return false;
		autofree char *name = text("-%c", *letter);
		if (o->type != LAB_FLAG) {
			set(o, name, value_of(name, letter[1] ? letter + 1 : NULL, argc, argv, i));
			return true;
		}
		set(o, name, "");
	}
	return true;
}

/* --NAME of a part that wants a machine of its own: that part, and nothing else. */
static const char *part_alone(const char *name)
{
	for (const struct lab_part *part = lab->parts; part && part->name; part++)
		if (part->boot_alone && !strcmp(part->name, name))
			return part->name;
	return NULL;
}

/* --can-run=PART: a part that this lab has. */
static const char *part_named(const char *name)
{
	autofree char *list = text("%s", "");
	for (const struct lab_part *part = lab->parts; part && part->name; part++) {
		if (!strcmp(part->name, name))
			return part->name;
		autofree char *before = list;
		list = text("%s%s%s", before, *before ? ", " : "", part->name);
	}
	option_usage(
		"--can-run=%s: expected one of its parts: %s", name, *list ? list : "it has none");
}

/* --help, --about and --version: one of them ends the lab when the whole line has been read. */
static bool asked(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "--about") || !strcmp(word, "--version");
}

static _Noreturn void answer(const char *ask)
{
	if (!strcmp(ask, "help"))
		help();
	else if (!strcmp(ask, "about"))
		about_print();
	else
		printf("%s (Unboxed %s)\n", lab->id, VERSION);
	exit(fflush(stdout) ? 3 : 0);
}

static void take_command(char *command[])
{
	if (!*command)
		option_usage("expected a COMMAND after --");
	if (lab->story_only)
		option_usage(
			"no COMMAND runs in this part of the story; expected scripts/lab %.2s -- "
			"COMMAND",
			lab->id);
	lab_command = command;
}

/* Returns the operand that comes after it. */
static const struct lab_option *set_operand(const struct lab_option *operand, const char *word)
{
	if (!operand || !operand->name)
		option_usage("%s: expected an option; a COMMAND comes after --", word);
	set(operand, operand->name, word);
	return operand + 1;
}

void option_read(int argc, char *argv[], const char **can_run)
{
	const char *ask = NULL;
	const char *format = "story", *color = "auto";
	const struct lab_option common[] = {
		{.name = "step=no", .type = LAB_FLAG, .value = &option_given.no_step},
		{.name = "step", .type = LAB_FLAG, .value = &option_given.step},
		{.name = "predict=no", .type = LAB_FLAG, .value = &option_given.no_predict},
		{.name = "predict", .type = LAB_FLAG, .value = &option_given.predict},
		{.name = "plain", .type = LAB_FLAG, .value = &option_given.plain},
		{.name = "format", .type = LAB_CHOICE, .value = &format, .choices = "story jsonl"},
		{.name = "color",
			.type = LAB_CHOICE,
			.value = &color,
			.choices = "auto always never"},
		{0},
	};
	const struct lab_option *operand = lab->operands;
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i], *part;
		if (!strcmp(word, "--")) {
			take_command(argv + i + 1);
			break;
		}
		if (*word != '-') {
			operand = set_operand(operand, word);
			continue;
		}
		if (strncmp(word, "--", 2) && word[1] && short_options(argc, argv, &i))
			continue;
		if (asked(word))
			ask = word + 2;
		else if (!strcmp(word, "--can-run"))
			*can_run = "";
		else if (!strncmp(word, "--can-run=", 10))
			*can_run = part_named(word + 10);
		else if (!strncmp(word, "--", 2) && (part = part_alone(word + 2)))
			option_given.part = part;
		else if (strncmp(word, "--", 2) ||
			 !(long_option(common, argc, argv, &i) ||
				 long_option(lab->options, argc, argv, &i)))
			option_usage("unknown option %s; expected one of those of --help", word);
	}
	option_given.jsonl = !strcmp(format, "jsonl");
	option_given.color = !strcmp(color, "always")  ? COLOR_ALWAYS
			     : !strcmp(color, "never") ? COLOR_NEVER
						       : COLOR_AUTO;
	if (ask)
		answer(ask);
}
