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

/* A name that the guest has, and whether it is a folder there. */
struct name {
	bool folder;
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
	strcpy(name->path, path);
	struct name **found = need(tsearch(name, &names, compare_names));

	*added = *found == name;
	if (!*added)
		free(name);
	return *found;
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
 * a link is followed; what is below it and is neither a file, a folder nor a link is left out. */
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

	if (!added && how == CARRY && !(name->folder && folder))
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

void archive_add(const char *path, enum travel how)
{
	static const char *const kernels[] = {"proc", "sys", "dev"};

	for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
		size_t len = strlen(kernels[i]);

		if (strncmp(path + 1, kernels[i], len) == 0 &&
			(path[1 + len] == '/' || path[1 + len] == '\0'))
			die(STATUS_USAGE,
				"%s cannot travel: the kernel makes the files in /%s; copy them to another path first",
				path, kernels[i]);
	}
	if (!archive) {
		int fd = memfd_create("carried", MFD_CLOEXEC);

		archive = fd < 0 ? NULL : fdopen(fd, "w");
		if (!archive)
			die(STATUS_VM, "making the archive: %m");
	}
	add_tree(path, path + 1, how, true);
}

int archive_finish(void)
{
	if (!archive)
		return -1;
	write_head("TRAILER!!!", 0, 0, 0);
	if (fflush(archive) != 0 || ferror(archive))
		die(STATUS_VM, "writing the archive: %m");
	lseek(fileno(archive), 0, SEEK_SET);
	return fileno(archive);
}
