/*
 * option.h: the command line that every lab has, and the options of its own.
 */
#pragma once

#include <stdbool.h>

enum lab_option_type {
	LAB_SIZE,        /* long long: bytes, as docker reads them (b k m g, Ki Mi Gi) */
	LAB_NUMBER,      /* long long */
	LAB_DECIMAL,     /* long long: thousandths, "0.5" is 500 */
	LAB_NAME,        /* const char *: letters, digits, '-' and '.' */
	LAB_PATH_IN,     /* const char *: a file or folder that travels into the lab VM */
	LAB_PATH_IN_OUT, /* const char *: one that is brought back as well */
	LAB_FLAG,        /* bool: it takes no value */
	LAB_CHOICE,      /* const char *: one of choices */
	LAB_TEXT,        /* const char *: what wrong() has nothing against */
	LAB_TEXTS,       /* struct lab_texts: the same, and each time that it is given adds one */
	LAB_VOLUME,      /* struct lab_texts: SRC:DST[:ro], of which SRC travels */
	LAB_NAMED_PATH   /* struct lab_texts: NAME=PATH, of which PATH travels */
};

/* The values of an option that may be given more than once. */
struct lab_texts {
	int count;
	const char *value[32];
};

/* An option of the lab's own: --name VALUE or --name=VALUE; or an operand. */
struct lab_option {
	const char *name; /* of an operand as usage texts have it: "MANIFEST" */
	enum lab_option_type type;
	void *value;        /* where the value is; what stands there is the default */
	long long min, max; /* LAB_SIZE, _NUMBER, _DECIMAL: both inclusive; LAB_NAME: length */
	const char *help;
	char letter;         /* -x is the same; letters of flags may stand together, -it */
	const char *choices; /* "none bridge" */
	const char *(*wrong)(const char *value); /* what was expected instead, or NULL */
};

/* For the rest of what a command line can have wrong: one line on stderr, and status 2. */
__attribute__((format(printf, 1, 2))) _Noreturn void option_usage(const char *fmt, ...);

/* ---- For the library ---- */

/* What every lab's command line has. */
struct options {
	bool step, no_step, predict, no_predict, jsonl, plain;
	enum { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER } color;
	const char *part; /* the one that was asked for; lab_asked() */
};
extern struct options option_given;

/* Parses, answers --help, --version and --about; sets can_run to NULL, "" or a part. */
void option_read(int argc, char *argv[], const char **can_run);

/* "0.5" in thousandths; false when it is no such number. */
bool option_decimal(const char *text, long long *thousandths);

/* A size in bytes; false when it is not one. */
bool option_size(const char *text, long long *bytes);
