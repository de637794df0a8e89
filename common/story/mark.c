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
#include "story/mark.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "kernel/file.h"
#include "kernel/sys.h"
#include "kernel/text.h"
#include "kernel/undo.h"

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

/* fd when its lock is free. */
static int locked(int fd, bool marked)
{
	if (marked && !flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	if (fd >= 0)
		close(fd);
	return marked ? ALIVE : NO_MARK;
}

int mark_folder_left(int folder, const char *name)
{
	char content[64];
	struct stat st;
	/* Somebody else's may be anything, a FIFO too. */
	int fd = openat(folder, MARK, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	bool is_file = fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode);
	ssize_t n = is_file ? read(fd, content, sizeof content) : -1;
	return locked(fd, n == (ssize_t)strlen(name) && !memcmp(content, name, (size_t)n));
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
	ssize_t n = fd < 0 ? -1 : fgetxattr(fd, attribute, words, size - 1);
	words[n < 0 ? 0 : n] = '\0';
	return locked(fd, n >= 0);
}

void mark_missed(int parent, const char *name, const struct ended *run)
{
	struct stat st;
	pid_t pid;
	int length = 0;
	if (sscanf(name, "lab%*2d-%d%n", &pid, &length) != 1 || pid != run->pid ||
		(name[length] && name[length] != '-') ||
		fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) || st.st_uid != geteuid() ||
		st.st_ctim.tv_sec < run->since.tv_sec ||
		(st.st_ctim.tv_sec == run->since.tv_sec && st.st_ctim.tv_nsec < run->since.tv_nsec))
		return;
	/* Of a folder the mark may be there, and not yet written. */
	autoclose int folder =
		openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (folder >= 0 && !fstatat(folder, MARK, &st, AT_SYMLINK_NOFOLLOW) && st.st_size == 0)
		unlinkat(folder, MARK, 0);
	unlinkat(parent, name, AT_REMOVEDIR);
}
