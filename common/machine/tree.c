/*
 * tree.c: text below a root folder.
 */
#include "machine/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/xattr.h>
#include <unistd.h>

/* False when the path does not fit: it then counts as not there. */
__attribute__((format(printf, 3, 4))) bool tree_put(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < size)
		return true;
	buf[0] = '\0';
	return false;
}

static bool tree_path(const struct tree *t, char full[PATH_MAX], const char *path)
{
	return tree_put(full, PATH_MAX, "%s%s", t->real ? "" : t->root, path);
}

bool tree_has(const struct tree *t, const char *path)
{
	char full[PATH_MAX];
	struct stat st;
	return tree_path(t, full, path) && stat(full, &st) == 0;
}

/* That a file is not there, or not for us, is what this machine is; that it is out of something is
 * not. */
static void not_read(const struct tree *t)
{
	if (!*t->error && (errno == EIO || errno == EMFILE || errno == ENFILE || errno == ENOMEM))
		*t->error = errno;
}

struct tree_lines tree_lines(const struct tree *t, const char *path)
{
	char full[PATH_MAX];
	struct tree_lines l = {.t = t};
	if (tree_path(t, full, path) && !(l.file = fopen(full, "re")))
		not_read(t);
	return l;
}

bool tree_next(struct tree_lines *l)
{
	if (!l->file)
		return false;
	if (getline(&l->line, &l->room, l->file) > 0)
		return true;
	if (!feof(l->file))
		not_read(l->t);
	return false;
}

void tree_end(const struct tree_lines *l)
{
	free(l->line);
	if (l->file)
		fclose(l->file);
}

/*
 * Reads the first line that begins with key ("" takes the first line of all),
 * less key and the blanks round the rest; as much of it as fits whole words.
 */
bool tree_field(const struct tree *t, const char *path, const char *key, char *buf, size_t size)
{
	struct tree_lines l = tree_lines(t, path);
	bool found = false;

	buf[0] = '\0';
	while (!found && tree_next(&l)) {
		if (strncmp(l.line, key, strlen(key)) != 0)
			continue;
		found = true;
		char *rest = l.line + strlen(key);
		rest += strspn(rest, " \t");
		rest[strcspn(rest, "\n")] = '\0';
		size_t len = strlen(rest);
		if (len >= size) {
			len = size - 1;
			while (len > 0 && rest[len] != ' ')
				len--;
		}
		while (len > 0 && (rest[len - 1] == ' ' || rest[len - 1] == '\t'))
			len--;
		memcpy(buf, rest, len);
		buf[len] = '\0';
	}
	tree_end(&l);
	return found;
}

long long tree_number(const struct tree *t, const char *path, const char *key, long long unknown)
{
	char word[64];
	char *end;
	if (!tree_field(t, path, key, word, sizeof(word)))
		return unknown;
	long long n = strtoll(word, &end, 10);
	return end == word || (*end && *end != ' ') ? unknown : n;
}

bool tree_word(const char *list, const char *word)
{
	size_t len = strlen(word);
	if (len == 0)
		return false;
	for (const char *p = list; (p = strstr(p, word)); p += len)
		if ((p == list || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0'))
			return true;
	return false;
}

/* Adds words that commas or spaces part; those that no longer fit are left out. */
void tree_words(char *list, size_t size, const char *words)
{
	while (*words) {
		size_t len = strcspn(words, ", ");
		size_t used = strlen(list);
		char word[64];
		if (len > 0 && len < sizeof(word)) {
			memcpy(word, words, len);
			word[len] = '\0';
			if (!tree_word(list, word) && used + len + 2 <= size)
				snprintf(list + used, size - used, "%s%s", used ? " " : "", word);
		}
		words += len + (words[len] != '\0');
	}
}

/*
 * May we write to it? This machine is asked, which knows of access lists and
 * read-only mounts. A recorded one is judged by the mode bits, as inode(7) has
 * them, because whoever unpacked it may write everything.
 */
bool tree_may_write(const struct tree *t, const char *path)
{
	char full[PATH_MAX], gid[24];
	struct stat st;

	if (!tree_path(t, full, path))
		return false;
	if (t->real)
		return faccessat(AT_FDCWD, full, W_OK, AT_EACCESS) == 0;
	if (stat(full, &st) < 0)
		return false;
	if (t->m->uid == 0 && t->m->first_user)
		return true;
	if (st.st_uid == t->m->uid)
		return st.st_mode & S_IWUSR;
	snprintf(gid, sizeof(gid), "%u", st.st_gid);
	if (st.st_gid == t->gid || tree_word(t->groups, gid))
		return st.st_mode & S_IWGRP;
	return st.st_mode & S_IWOTH;
}

/*
 * systemd marks the groups that it hands over for good with an extended
 * attribute of 1: user.delegate, before version 251 trusted.delegate (systemd's
 * "Control Group APIs and Delegation"). A recorded tree keeps it as a file.
 */
static bool marked(const struct tree *t, const char *group)
{
	char path[PATH_MAX];
	char value[8] = "";

	if (!t->real)
		return tree_put(path, sizeof(path), "%s@user.delegate", group) &&
		       tree_number(t, path, "", 0) == 1;
	return (getxattr(group, "trusted.delegate", value, sizeof(value) - 1) > 0 ||
		       getxattr(group, "user.delegate", value, sizeof(value) - 1) > 0) &&
	       value[0] == '1';
}

/* All that lies below a group that was handed over is handed over. */
bool tree_delegated(const struct tree *t, const char *mount, const char *group)
{
	char path[PATH_MAX];

	tree_put(path, sizeof(path), "%s", group);
	while (strlen(path) > strlen(mount)) {
		if (marked(t, path))
			return true;
		*strrchr(path, '/') = '\0';
	}
	return false;
}
