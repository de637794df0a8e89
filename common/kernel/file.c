/*
 * file.c: whole small files.
 */
#define _GNU_SOURCE
#include "kernel/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/sys.h"
#include "kernel/text.h"

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

void file_write_at(const char *file, int line, const char *path, const char *value)
{
	if (file_try_write(path, value))
		die("write \"%s\" to %s", value, path);
	if (!strncmp(path, "/proc/", 6) || !strncmp(path, "/sys/", 5))
		sys_wrote(file, line, path, value, (long)strlen(value));
}

static bool is_this_program(const char *path)
{
	struct stat a, b;
	return !stat(path, &a) && !stat("/proc/self/exe", &b) && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

char *file_program(void)
{
	static char *known; /* asked once: it stays the same until exec() */
	char program[PATH_MAX] = "";
	const char *named = getenv(FILE_PROGRAM);
	if (!known && readlink("/proc/self/exe", program, sizeof program - 1) < 0)
		die("readlink /proc/self/exe");
	/* The kernel's word comes first: anybody may have set a variable. */
	if (!known && !is_this_program(program) && named && *named == '/' && is_this_program(named))
		known = text("%s", named);
	else if (!known)
		known = text("%s", program);
	return text("%s", known);
}

char *file_rootfs(void)
{
	autofree char *program = file_program();
	for (int up = 0; up < 2 && strrchr(program, '/'); up++) /* from build/labs/NN-name */
		*strrchr(program, '/') = '\0';
	char *tree = text("%s/rootfs/tree", program);
	if (access(tree, F_OK))
		die("access %s (type: make all)", tree);
	return tree;
}
