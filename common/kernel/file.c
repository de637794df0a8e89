/*
 * file.c: whole small files.
 */
#define _GNU_SOURCE
#include "kernel/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/sys.h"
#include "story/state.h"

char *text(const char *fmt, ...)
{
	char *result;
	va_list ap;
	va_start(ap, fmt);
	int length = vasprintf(&result, fmt, ap);
	va_end(ap);
	if (length < 0)
		die("out of memory");
	return result;
}

void text_json(FILE *to, const char *string)
{
	fputc('"', to);
	for (const unsigned char *c = (const unsigned char *)string; *c; c++) {
		if (*c == '"' || *c == '\\')
			fprintf(to, "\\%c", *c);
		else if (*c < 0x20 || *c == 0x7f)
			fprintf(to, "\\u%04x", *c);
		else
			fputc(*c, to);
	}
	fputc('"', to);
}

char *file_try_read(const char *path)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	size_t size = 0, room = 4096;
	char *content = malloc(room);
	for (;;) {
		ssize_t n = content ? read(fd, content + size, room - size - 1) : -1;
		if (n < 0 && errno == EINTR && content)
			continue;
		if (n < 0) {
			free(content);
			return NULL;
		}
		if (n == 0)
			break;
		size += (size_t)n;
		if (size == room - 1) {
			char *larger = realloc(content, room *= 2);
			if (!larger)
				free(content);
			content = larger;
		}
	}
	while (size > 0 && content[size - 1] == '\n')
		size--;
	content[size] = '\0';
	return content;
}

char *file_read(const char *path)
{
	char *content = file_try_read(path);
	if (!content)
		die("read %s", path);
	return content;
}

bool file_write_all(int fd, const void *data, size_t size)
{
	const char *rest = data;
	while (size > 0) {
		ssize_t n = write(fd, rest, size);
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			rest += n;
			size -= (size_t)n;
		}
	}
	return true;
}

int file_try_write(const char *path, const char *value)
{
	autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	/* One write: the kernel's files take each write as a whole command. */
	return write(fd, value, strlen(value)) == (ssize_t)strlen(value) ? 0 : -1;
}

void file_write(const char *path, const char *value)
{
	if (file_try_write(path, value))
		die("write \"%s\" to %s", value, path);
}

const char *file_tmpdir(void)
{
	static char path[64];
	sigset_t before;
	if (path[0])
		return path;
	undo_hold(&before);
	snprintf(path, sizeof path, "/tmp/lab%.2s-%d-XXXXXX", lab->id, getpid());
	if (!mkdtemp(path))
		die("mkdir %s", path);
	undo_rmdir(path);
	mark_folder(path);
	undo_release(&before);
	return path;
}

static bool is_this_program(const char *path)
{
	struct stat a, b;
	return !stat(path, &a) && !stat("/proc/self/exe", &b) && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

char *file_program(void)
{
	static const char self[] = "/proc/self/exe";
	const char *named = getenv(FILE_PROGRAM);
	char program[PATH_MAX];
	ssize_t length = readlink(self, program, sizeof program - 1);
	if (length < 0)
		die("readlink %s", self);
	program[length] = '\0';
	/* The kernel's word comes first: anybody may have set a variable. */
	if (!is_this_program(program) && named && named[0] == '/' && is_this_program(named))
		return text("%s", named);
	return text("%s", program);
}

char *file_rootfs(void)
{
	autofree char *program = file_program();
	for (int up = 0; up < 2 && strrchr(program, '/'); up++) /* from build/labs/NN-name */
		*strrchr(program, '/') = '\0';
	char *tree = text("%s/rootfs/tree", program);
	if (access(tree, F_OK))
		die("access %s (type: make)", tree);
	return tree;
}

void file_sweep(const struct ended *run)
{
	DIR *dir = opendir("/tmp");
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		struct stat st;
		pid_t pid = 0;
		if (sscanf(entry->d_name, "lab%*2d-%d", &pid) != 1)
			continue;
		autoclose int folder = openat(
			dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		/* The lab that we have run ourselves may have become another user: lab 05. */
		if (folder < 0 || fstat(folder, &st) || (st.st_uid != geteuid() && pid != run->pid))
			continue;
		autoclose int lock = mark_folder_left(folder, entry->d_name);
		if (lock >= 0) {
			autofree char *path = text("/tmp/%s", entry->d_name);
			undo_rmdir_now(path);
		} else if (lock == NO_MARK) {
			mark_missed(dirfd(dir), entry->d_name, run);
		}
	}
	if (dir)
		closedir(dir);
}
