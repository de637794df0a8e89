/*
 * recorded.h: machines/NAME.txt is unpacked into a folder that is then read as if it
 * were the root of this machine.
 */
#pragma once

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "machine/machine.h"
#include "machine/probe.h"

static struct machine m;
static struct probe_missing miss;
static char root[256];

/* ---- Unpacking ------------------------------------------------------------- */

/* Makes root/PATH with its folders. A mode that closes a folder comes in close_folders(). */
static inline void put_file(const char *path, const char *data, size_t size, mode_t mode)
{
	char full[PATH_MAX];
	int len = snprintf(full, sizeof(full), "%s/%s", root, path);
	assert_in_range(len, 1, sizeof(full) - 1);
	for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(full, 0755) < 0)
			assert_int_equal(errno, EEXIST);
		*slash = '/';
	}
	if (full[len - 1] == '/')
		return;
	unlink(full); /* an earlier one may be closed to us */
	FILE *f = fopen(full, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(full, mode), 0);
}

static inline void put_text(const char *path, const char *text, mode_t mode)
{
	put_file(path, text, strlen(text), mode);
}

/* "==> PATH [MODE] <==": cuts the line, and says where the file's text begins. */
static inline char *cut_header(char *line, char **path, unsigned int *mode)
{
	char *end = strstr(line, " <==\n");
	assert_non_null(end);
	*end = '\0';
	*path = line + strlen("==> ");
	char *space = strchr(*path, ' ');
	*mode = end[-1] == '/' ? 0755 : 0644;
	if (space) {
		*space = '\0';
		*mode = (unsigned int)strtoul(space + 1, NULL, 8);
		assert_int_not_equal(*mode, 0);
	}
	return end + strlen(" <==\n");
}

static inline char *slurp(const char *path)
{
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	char *text = calloc(1, 1 << 20);
	size_t size = fread(text, 1, (1 << 20) - 1, f);
	assert_in_range(size, 1, (1 << 20) - 2);
	fclose(f);
	return text;
}

/* Two rounds: what lies in a folder must be made before the folder is closed. */
static inline void unpack(const char *name)
{
	char path[2 * PATH_MAX], *file;
	const char *here = strrchr(__FILE__, '/');
	unsigned int mode;

	snprintf(path, sizeof(path), "%.*s../machines/%s.txt",
		here ? (int)(here - __FILE__) + 1 : 0, __FILE__, name);
	char *text = slurp(path);
	for (int round = 0; round < 2; round++) {
		char *copy = strdup(text), *next;
		for (char *line = strstr(copy, "==> "); line; line = next) {
			char *data = cut_header(line, &file, &mode);
			next = strstr(data, "\n==> ");
			/* tail(1) parts two files by a newline that belongs to neither. */
			size_t size = next ? (size_t)(next - data) : strlen(data);
			if (next)
				next++;
			if (round == 0)
				put_file(file, data, size, mode);
			else if (file[strlen(file) - 1] == '/') {
				snprintf(path, sizeof(path), "%s/%s", root, file);
				assert_int_equal(chmod(path, mode), 0);
			}
		}
		free(copy);
	}
	free(text);
}

static inline int open_folder(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	return type == FTW_D ? chmod(path, 0755) : 0;
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int make_root(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "%s/test_machine.XXXXXX", getenv("TMPDIR") ?: "/tmp");
	setenv("HOME", "/home/ada", 1);
	unsetenv("XDG_CACHE_HOME");
	return mkdtemp(root) ? 0 : -1;
}

static inline int remove_root(void **state)
{
	(void)state;
	nftw(root, open_folder, 8, FTW_PHYS);
	return nftw(root, remove_one, 8, FTW_PHYS | FTW_DEPTH);
}

static inline void load(const char *name)
{
	remove_root(NULL); /* a test may load several */
	make_root(NULL);
	unpack(name);
	machine_read(&m, root);
}

/* ---- Asserting -------------------------------------------------------------- */

static inline void assert_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' does not contain '%s'", text, part);
}

/* The rule's three texts contain these parts; undo NULL: there is nothing to take back. */
static inline void assert_rule(enum probe_need need, const char *arg, int err, const char *what,
	const char *remedy, const char *undo)
{
	rules_explain(need, arg, err, &m, &miss);
	assert_contains(miss.what, what);
	assert_contains(miss.remedy, remedy);
	if (undo)
		assert_contains(miss.undo, undo);
	else
		assert_string_equal(miss.undo, "");
}
