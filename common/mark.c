/*
 * mark.c: what says that a folder or a group is a run's, and that this run is over.
 *
 * A name says neither: anybody can have made it, and the PID in it is another
 * process's in another PID namespace. So what a run makes has a mark, a folder a
 * file with the folder's name and a group an extended attribute; and the run holds
 * a lock on it, flock(2), which its children share and which is free when the last
 * of them has ended. The lock is taken first: what has the mark is locked, or left.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "file.h"
#include "state.h"
#include "sys.h"

static const char attribute[] = "user.unboxed"; /* of a group's folder, since Linux 5.7 */

/* Neither closes the descriptor: the end of the run does. */
void mark_folder(const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	autofree char *file = text("%s/%s", path, MARK);
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		die("open %s", file);
	if (flock(fd, LOCK_EX | LOCK_NB))
		die("flock %s", file);
	if (!file_write_all(fd, name, strlen(name)))
		die("write %s", file);
}

int mark_folder_left(int folder, const char *name)
{
	char content[64];
	/* Somebody else's may be anything, a FIFO too. */
	int fd = openat(folder, MARK, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	if (fd < 0)
		return -1;
	ssize_t n = !fstat(fd, &st) && S_ISREG(st.st_mode) ? read(fd, content, sizeof content) : -1;
	if (n != (ssize_t)strlen(name) || memcmp(content, name, (size_t)n) != 0 ||
		flock(fd, LOCK_EX | LOCK_NB)) {
		close(fd);
		return -1;
	}
	return fd;
}

void mark_group(const char *path, const char *words)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* One that has no mark is removed by the run itself, or not at all. */
	if (fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB))
		fsetxattr(fd, attribute, words, strlen(words), 0);
}

int mark_group_left(const char *path, char *words, size_t size)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -1;
	ssize_t n = fgetxattr(fd, attribute, words, size - 1);
	if (n < 0 || flock(fd, LOCK_EX | LOCK_NB)) {
		close(fd);
		return -1;
	}
	words[n] = '\0';
	return fd;
}
