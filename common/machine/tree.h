/*
 * tree.h: text below a root folder, which is this machine's or a recorded one's.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#include "machine/machine.h"

/* Where we read: the root folder, and what of ourselves decides on modes. */
struct tree {
	const char *root;
	bool real; /* it is this machine and not a recorded one */
	const struct machine *m;
	int *error; /* of machine.error */
	long long gid;
	char groups[1024];
};

/* A file, line by line; one that cannot be read has none. */
struct tree_lines {
	const struct tree *t;
	FILE *file;
	char *line; /* the one that was read last */
	size_t room;
};

struct tree_lines tree_lines(const struct tree *t, const char *path);
bool tree_next(struct tree_lines *l);
void tree_end(const struct tree_lines *l);

/* printf(3) to buf; false when it does not fit, as a path then: it counts as not there. */
__attribute__((format(printf, 3, 4))) bool tree_put(char *buf, size_t size, const char *fmt, ...);

bool tree_has(const struct tree *t, const char *path);

/*
 * Reads the first line that begins with key ("" takes the first line of all),
 * less key and the blanks round the rest; as much of it as fits whole words.
 */
bool tree_field(const struct tree *t, const char *path, const char *key, char *buf, size_t size);
long long tree_number(const struct tree *t, const char *path, const char *key, long long unknown);

/* Is word one of the words of list, which spaces part? Adds words that commas or spaces part. */
bool tree_word(const char *list, const char *word);
void tree_words(char *list, size_t size, const char *words);

/* May we write to it? Did systemd hand this group, or one above it, over for good? */
bool tree_may_write(const struct tree *t, const char *path);
bool tree_delegated(const struct tree *t, const char *mount, const char *group);
