/*
 * What travels to the guest: an archive in the format newc of cpio(5), made in memory.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <search.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive.h"
#include "end.h"

#define MOST_BYTES (64LL * 1024 * 1024)

static FILE *archive;
static long long carried;

/* ==== Names ==== */

/* A name that the guest has or will have, and whether it is a folder there. */
struct name {
	bool folder;
	bool ours; /* it travels */
	char path[];
};

static void *names;

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->path, ((const struct name *)b)->path);
}

/* Finds the name, or adds it: *added says which of the two. Paths have no slash in front. */
static struct name *know_name(const char *path, bool folder, bool *added)
{
	struct name *name = need(malloc(sizeof(*name) + strlen(path) + 1));

	name->folder = folder;
	name->ours = archive != NULL;
	strcpy(name->path, path);
	struct name **found = need(tsearch(name, &names, compare_names));

	*added = *found == name;
	if (!*added)
		free(name);
	return *found;
}

static bool guest_has(const char *path)
{
	struct name *name = need(malloc(sizeof(*name) + strlen(path) + 1));
	bool found;

	strcpy(name->path, path);
	found = tfind(name, &names, compare_names) != NULL;
	free(name);
	return found;
}

void archive_know_names(const char *list)
{
	FILE *file = fopen(list, "re");
	char *line = NULL;
	size_t room = 0;
	bool added;

	if (!file)
		die(STATUS_VM, "reading the names of the guest from %s: %m", list);
	for (ssize_t n; (n = getline(&line, &room, file)) > 2;) {
		line[n - 1] = '\0';
		know_name(line + 2, line[0] == 'd', &added);
	}
	free(line);
	fclose(file);
}

/* ==== Entries ==== */

static void pad(long long size)
{
	for (; size % 4; size++)
		fputc(0, archive);
}

static void write_head(const char *path, mode_t mode, time_t mtime, long long size)
{
	static unsigned int inode = 1;
	size_t len = strlen(path) + 1;

	fprintf(archive, "070701%08x%08x%08x%08x%08x%08x%08llx%08x%08x%08x%08x%08zx%08x", inode++,
		mode, 0, 0, 1, (unsigned int)mtime, size, 0, 0, 0, 0, len, 0);
	fwrite(path, 1, len, archive);
	pad(110 + (long long)len);
}

static void write_file(const char *from, const char *to, const struct stat *st)
{
	static char block[65536];
	long long left = st->st_size;
	int fd = open(from, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(STATUS_USAGE, "%s cannot travel: %m", from);
	write_head(to, st->st_mode & 0107777, st->st_mtime, left);
	while (left > 0) {
		ssize_t n = read(fd, block,
			left < (long long)sizeof(block) ? left : (long long)sizeof(block));

		if (n <= 0)
			die(STATUS_VM, "%s changed while it was read", from);
		fwrite(block, 1, n, archive);
		left -= n;
	}
	close(fd);
	pad(st->st_size);
}

static void write_link(const char *from, const char *to, const struct stat *st)
{
	char target[PATH_MAX];
	ssize_t n = readlink(from, target, sizeof(target));
	size_t len = n < 0 ? 0 : n;

	if (n < 0)
		die(STATUS_USAGE, "%s cannot travel: %m", from);
	write_head(to, S_IFLNK | 0777, st->st_mtime, n);
	fwrite(target, 1, len, archive);
	pad(n);
}

static void write_parents(const char *path)
{
	char parent[PATH_MAX];
	bool added;

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
		if (!know_name(parent, true, &added)->folder)
			die(STATUS_USAGE,
				"/%s cannot travel: expected a folder /%s in the lab VM, found a file",
				path, parent);
		if (added)
			write_head(parent, S_IFDIR | 0755, 0, 0);
	}
}

static void add_tree(const char *from, const char *to, enum travel how, bool top);

static void add_folder(const char *from, const char *to, enum travel how)
{
	char a[PATH_MAX], b[PATH_MAX];
	DIR *dir = opendir(from);
	struct dirent *entry;

	if (!dir)
		die(STATUS_USAGE, "%s cannot travel: %m", from);
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (snprintf(a, sizeof(a), "%s/%s", from, entry->d_name) >= (int)sizeof(a) ||
			snprintf(b, sizeof(b), "%s/%s", to, entry->d_name) >= (int)sizeof(b))
			die(STATUS_USAGE, "%s cannot travel: a path in it has more than %d bytes",
				from, PATH_MAX - 1);
		add_tree(a, b, how, false);
	}
	closedir(dir);
}

/* Adds this machine's path from as the guest's /to. top: it is a path that was asked for, and then
 * a link is followed; what is below it and is neither a file, a folder nor a link is left out. What
 * travels already, asked for before or found below a folder, is not added again. */
static void add_tree(const char *from, const char *to, enum travel how, bool top)
{
	struct stat st;
	bool added;

	if (fstatat(AT_FDCWD, from, &st, top ? 0 : AT_SYMLINK_NOFOLLOW) != 0)
		die(STATUS_USAGE, "%s cannot travel: %m", from);
	bool folder = S_ISDIR(st.st_mode);

	if (!folder && !S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode)) {
		if (top)
			die(STATUS_USAGE,
				"%s cannot travel: expected a file or a folder, found neither",
				from);
		return;
	}
	if (top)
		write_parents(to);
	struct name *name = know_name(to, folder, &added);

	if (!added && how == CARRY && !name->ours && !(name->folder && folder))
		die(STATUS_USAGE,
			"/%s cannot travel: the lab VM has a file of that name; copy yours to another path first",
			to);
	if (!added && !folder)
		return;
	if (!folder)
		carried += st.st_size;
	if (carried > MOST_BYTES)
		die(STATUS_USAGE, "%s cannot travel: expected at most 64 MiB in all, got more",
			from);

	if (S_ISREG(st.st_mode)) {
		write_file(from, to, &st);
	} else if (S_ISLNK(st.st_mode)) {
		write_link(from, to, &st);
	} else {
		if (added)
			write_head(to, st.st_mode & 047777, st.st_mtime, 0);
		add_folder(from, to, how);
	}
}

/* ==== Paths that are asked for ==== */

enum { LINK = ALSO + 1 };

/* What is to be added. Sorted by place, a folder comes before what is asked for below it. */
struct wish {
	const char *path; /* as it was asked for; NULL of a link on the way */
	const char *place;
	int how;
};

static struct wish *wishes;
static size_t wish_count;

static void wish(const char *path, const char *place, int how)
{
	wishes = need(realloc(wishes, (wish_count + 1) * sizeof(*wishes)));
	wishes[wish_count++] = (struct wish){path, place, how};
}

/* A path that is being resolved: the part that is, and what is left of it. */
struct walk {
	char done[PATH_MAX], todo[PATH_MAX];
};

/* Goes on where the link walk->done/name leads. False when it is no link, or the guest has that
 * name. */
static bool follow_link(struct walk *walk, const char *name)
{
	char link[PATH_MAX], target[PATH_MAX], rest[PATH_MAX];
	ssize_t n;

	if (snprintf(link, sizeof(link), "%s/%s", walk->done, name) >= (int)sizeof(link) ||
		guest_has(link + 1))
		return false;
	n = readlink(link, target, sizeof(target));
	strcpy(rest, walk->todo);
	if (n < 0 || snprintf(walk->todo, sizeof(walk->todo), "%.*s/%s", (int)n, target, rest) >=
			     (int)sizeof(walk->todo))
		return false;
	wish(NULL, need(strdup(link)), LINK);
	if (target[0] == '/')
		walk->done[0] = '\0';
	return true;
}

/* Where the path lies, to be freed. Each link on the way to it travels, so that several paths to
 * one file are in the guest what they are here. */
static char *resolve(const char *path)
{
	struct walk walk = {.done = ""};
	char name[NAME_MAX + 1];
	int links = 0;

	snprintf(walk.todo, sizeof(walk.todo), "%s", path);
	for (;;) {
		size_t from = strspn(walk.todo, "/"), len = strcspn(walk.todo + from, "/");

		if (len == 0)
			return need(strdup(walk.done));
		if (len > NAME_MAX || strlen(walk.done) + 1 + len >= sizeof(walk.done))
			die(STATUS_USAGE, "%s cannot travel: its path is too long", path);
		snprintf(name, sizeof(name), "%.*s", (int)len, walk.todo + from);
		memmove(walk.todo, walk.todo + from + len, strlen(walk.todo + from + len) + 1);
		if (strcmp(name, "..") == 0)
			*(walk.done[0] ? strrchr(walk.done, '/') : walk.done) = '\0';
		else if (links < 40 && follow_link(&walk, name)) /* as many as the kernel follows */
			links++;
		else if (strcmp(name, ".") != 0)
			strcat(strcat(walk.done, "/"), name);
	}
}

void archive_add(const char *path, enum travel how)
{
	static const char *const kernels[] = {"proc", "sys", "dev"};
	char *place = how == CARRY ? resolve(path) : need(strdup(path));

	for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
		size_t len = strlen(kernels[i]);

		if (strncmp(place + 1, kernels[i], len) == 0 &&
			(place[1 + len] == '/' || place[1 + len] == '\0'))
			die(STATUS_USAGE,
				"%s cannot travel: the kernel makes the files in /%s; copy them to another path first",
				path, kernels[i]);
	}
	wish(path, place, how);
}

const char *archive_place(const char *path)
{
	for (size_t i = 0; i < wish_count; i++)
		if (wishes[i].path && strcmp(wishes[i].path, path) == 0)
			return wishes[i].place;
	return path;
}

static int compare_places(const void *a, const void *b)
{
	return strcmp(((const struct wish *)a)->place, ((const struct wish *)b)->place);
}

static void grant(const struct wish *w)
{
	struct stat st;
	bool added;

	if (w->how != LINK) {
		add_tree(w->place, w->place + 1, w->how, true);
		return;
	}
	write_parents(w->place + 1);
	know_name(w->place + 1, false, &added);
	if (!added)
		return;
	if (lstat(w->place, &st) != 0)
		die(STATUS_USAGE, "%s cannot travel: %m", w->place);
	write_link(w->place, w->place + 1, &st);
}

int archive_finish(void)
{
	if (!wish_count)
		return -1;
	int fd = memfd_create("carried", MFD_CLOEXEC);

	archive = fd < 0 ? NULL : fdopen(fd, "w");
	if (!archive)
		die(STATUS_VM, "making the archive: %m");
	qsort(wishes, wish_count, sizeof(*wishes), compare_places);
	for (size_t i = 0; i < wish_count; i++)
		grant(&wishes[i]);
	write_head("TRAILER!!!", 0, 0, 0);
	if (fflush(archive) != 0 || ferror(archive))
		die(STATUS_VM, "writing the archive: %m");
	lseek(fileno(archive), 0, SEEK_SET);
	return fileno(archive);
}
