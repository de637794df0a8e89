/*
 * option.c: the command line that every lab has, and what it says about itself.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "file.h"
#include "state.h"
#include "sys.h"

#ifndef VERSION
#define VERSION "unknown"
#endif

struct options options;

__attribute__((format(printf, 1, 2))) _Noreturn static void usage(const char *fmt, ...)
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

bool size_parse(const char *string, long long *bytes)
{
	static const char units[] = "bkmg";
	char *end;
	if (!isdigit((unsigned char)*string))
		return false;
	errno = 0;
	long long value = strtoll(string, &end, 10);
	int shift = 0;
	if (*end) {
		const char *unit = strchr(units, tolower((unsigned char)*end));
		if (!unit)
			return false;
		shift = 10 * (int)(unit - units);
		/* Ki Mi Gi, and docker's KB and KiB, which mean the same there. */
		if (!strcmp(end + 1, "i") || !strcasecmp(end + 1, "ib") ||
			!strcasecmp(end + 1, "b")) {
			if (shift == 0)
				return false;
		} else if (end[1]) {
			return false;
		}
	}
	if (errno || value > LLONG_MAX >> shift)
		value = LLONG_MAX >> shift; /* a size, but larger than any limit */
	*bytes = value << shift;
	return true;
}

static char *size_text(long long bytes)
{
	int shift = bytes && bytes % (1 << 20) == 0 ? 20 : bytes && bytes % 1024 == 0 ? 10 : 0;
	return text("%lld%s", bytes >> shift, shift == 20 ? "M" : shift == 10 ? "K" : "");
}

/* "0.5" is 500: thousandths, of which there are at most three digits. */
bool decimal_parse(const char *string, long long *thousandths)
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

/* The value of an option of the lab's own, or a usage error that names what was expected. */
static void set(const struct lab_option *option, const char *value)
{
	long long number;
	char *end;
	switch (option->type) {
	case LAB_SIZE: {
		autofree char *low = size_text(option->min), *high = size_text(option->max);
		if (!size_parse(value, &number) || number < option->min || number > option->max)
			usage("--%s %s: expected a size from %s to %s, such as 32M (units b k m g, powers of "
			      "1024)",
				option->name, value, low, high);
		*(long long *)option->value = number;
		break;
	}
	case LAB_NUMBER:
		errno = 0;
		number = strtoll(value, &end, 10);
		if (errno || !isdigit((unsigned char)*value) || *end || number < option->min ||
			number > option->max)
			usage("--%s %s: expected a whole number from %lld to %lld", option->name,
				value, option->min, option->max);
		*(long long *)option->value = number;
		break;
	case LAB_DECIMAL: {
		autofree char *low = decimal_text(option->min), *high = decimal_text(option->max);
		if (!decimal_parse(value, &number) || number < option->min || number > option->max)
			usage("--%s %s: expected a number from %s to %s with at most three decimals, such "
			      "as 0.5",
				option->name, value, low, high);
		*(long long *)option->value = number;
		break;
	}
	case LAB_NAME: {
		size_t length = strlen(value), good = 0;
		while (isalnum((unsigned char)value[good]) || value[good] == '-' ||
			value[good] == '.')
			good++;
		if (good != length || (long long)length < option->min ||
			(long long)length > option->max)
			usage("--%s %s: expected %lld to %lld letters, digits, '-' or '.'",
				option->name, value, option->min, option->max);
		*(const char **)option->value = value;
		break;
	}
	case LAB_PATH_IN:
	case LAB_PATH_IN_OUT:
		if (access(value, R_OK))
			usage("--%s %s: expected a file that can be read", option->name, value);
		*(const char **)option->value = value;
	}
}

static void help(void)
{
	printf("Usage: %s [OPTION...] [-- COMMAND [ARG...]]\n%s\n\n"
	       "With COMMAND no story: it runs in the place that the lab makes, and its\n"
	       "exit status is the lab's.\n\n"
	       "  --step                     wait for Enter after each step (s: shell, q: quit)\n"
	       "  --predict                  ask before showing, and score\n"
	       "  --format=story|jsonl       prose, or one JSON object a line\n"
	       "  --color=auto|always|never  colours of the story\n"
	       "  --plain                    ASCII only, the cursor never moves\n"
	       "  --can-run[=PART]           0: this machine can; 77: what it lacks, what to do\n"
	       "  --about                    what this lab is and needs, as JSON\n"
	       "  --help, --version\n",
		lab->id, lab->title);
	for (const struct lab_option *o = lab->options; o && o->name; o++) {
		autofree char *value = NULL;
		if (o->type == LAB_SIZE)
			value = size_text(*(long long *)o->value);
		else if (o->type == LAB_NUMBER)
			value = text("%lld", *(long long *)o->value);
		else if (o->type == LAB_DECIMAL)
			value = *(long long *)o->value ? decimal_text(*(long long *)o->value)
						       : text("none");
		else
			value = text("%s", *(char **)o->value ? *(char **)o->value : "none");
		autofree char *name = text("--%s %s", o->name,
			o->type == LAB_SIZE      ? "SIZE"
			: o->type == LAB_NUMBER  ? "N"
			: o->type == LAB_DECIMAL ? "DECIMAL"
			: o->type == LAB_NAME    ? "NAME"
						 : "PATH");
		printf("  %-26s %s (now %s)\n", name, o->help, value);
	}
	for (const struct lab_part *part = lab->parts; part && part->name; part++) {
		autofree char *name = text("--%s", part->name);
		if (part->boot_alone)
			printf("  %-26s only this part, in a lab VM that is booted for it\n", name);
	}
	puts("\nExit status: 0 all as predicted, 1 a check failed, 2 wrong usage, 3 broken,\n"
	     "77 cannot run here, 130 interrupted; with COMMAND its own, or 125 to 127.");
}

/* The value of --name or --name=VALUE at argv[*i]; NULL when it is another option. */
static const char *value_of(const char *name, int argc, char *argv[], int *i)
{
	size_t length = strlen(name);
	const char *word = argv[*i] + 2;
	if (strncmp(word, name, length) || (word[length] && word[length] != '='))
		return NULL;
	if (word[length] == '=')
		return word + length + 1;
	if (*i + 1 >= argc || !strcmp(argv[*i + 1], "--"))
		usage("--%s: expected a value after it", name);
	return argv[++*i];
}

static bool one_of(const char *name, const char *value, const char *const choices[], int *index)
{
	autofree char *list = text("%s", choices[0]);
	for (int i = 0; choices[i]; i++) {
		if (!strcmp(value, choices[i])) {
			*index = i;
			return true;
		}
		autofree char *before = list;
		list = i ? text("%s, %s", before, choices[i]) : text("%s", before);
	}
	usage("--%s=%s: expected one of %s", name, value, list);
}

static const struct lab_option *own_option(int argc, char *argv[], int *i)
{
	for (const struct lab_option *o = lab->options; o && o->name; o++) {
		const char *value = value_of(o->name, argc, argv, i);
		if (value) {
			set(o, value);
			return o;
		}
	}
	return NULL;
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
	usage("--can-run=%s: expected one of its parts: %s", name, *list ? list : "it has none");
}

void options_read(int argc, char *argv[], const char **can_run)
{
	static const char *const formats[] = {"story", "jsonl", NULL};
	static const char *const colors[] = {"auto", "always", "never", NULL};
	enum { NOTHING, HELP, ABOUT, PRINT_VERSION } ask = NOTHING;
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i], *value;
		int index;
		if (!strcmp(word, "--")) {
			if (i + 1 == argc)
				usage("expected a COMMAND after --");
			if (lab->story_only)
				usage("no COMMAND runs in this part of the story; expected scripts/lab %.2s -- "
				      "COMMAND",
					lab->id);
			lab_command = argv + i + 1;
			break;
		}
		if (strncmp(word, "--", 2))
			usage("%s: expected an option; a COMMAND comes after --", word);
		if (!strcmp(word, "--step"))
			options.step = true;
		else if (!strcmp(word, "--predict"))
			options.predict = true;
		else if (!strcmp(word, "--plain"))
			options.plain = true;
		else if (!strcmp(word, "--help"))
			ask = HELP;
		else if (!strcmp(word, "--about"))
			ask = ABOUT;
		else if (!strcmp(word, "--version"))
			ask = PRINT_VERSION;
		else if (!strcmp(word, "--can-run"))
			*can_run = "";
		else if (!strncmp(word, "--can-run=", 10))
			*can_run = part_named(word + 10);
		else if ((value = value_of("format", argc, argv, &i)))
			options.jsonl = one_of("format", value, formats, &index) && index == 1;
		else if ((value = value_of("color", argc, argv, &i)))
			options.color =
				one_of("color", value, colors, &index) ? (unsigned)index : 0;
		else if ((value = part_alone(word + 2)))
			options.part = value;
		else if (!own_option(argc, argv, &i))
			usage("unknown option %s; expected one of those of --help", word);
	}
	if (ask == HELP)
		help();
	else if (ask == ABOUT)
		about_print();
	else if (ask == PRINT_VERSION)
		printf("%s (Unboxed %s)\n", lab->id, VERSION);
	if (ask != NOTHING)
		exit(fflush(stdout) ? 3 : 0);
}
