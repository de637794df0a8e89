/*
 * What comes back from the guest. A program that is root there must not become root here. So set-id
 * bits, devices and owners stay behind, and no file is replaced by one of another kind.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bring.h"
#include "end.h"
#include "session.h"
#include "signals.h"

#define SET_ID (S_ISUID | S_ISGID)

/* The length of the work folder's path, which no message shows. nftw(3) passes no data on. */
static size_t work_length;

/* nftw(3) calls it for each file that was unpacked. */
static int take_power_away(const char *path, const struct stat *st, int type, struct FTW *unused)
{
	const char *name = path + work_length;

	(void)type;
	(void)unused;
	if (S_ISBLK(st->st_mode) || S_ISCHR(st->st_mode) || S_ISFIFO(st->st_mode) ||
		S_ISSOCK(st->st_mode)) {
		fprintf(stderr,
			"vm: bringing %s: expected a file or a folder, found neither; it stays behind\n",
			name);
		return unlink(path);
	}
	if (S_ISLNK(st->st_mode) || !(st->st_mode & SET_ID))
		return 0;
	fprintf(stderr, "vm: bringing %s: without its set-id bits\n", name);
	return chmod(path, st->st_mode & 07777 & ~SET_ID);
}

static const char *kind(mode_t mode)
{
	return S_ISDIR(mode)   ? "a folder"
	       : S_ISREG(mode) ? "a file"
	       : S_ISLNK(mode) ? "a link"
			       : "a device";
}

/* Puts new in the place of path, in one step, so that path is never missing. */
static bool replace(const char *new, const char *path)
{
	struct stat was, is;

	if (lstat(new, &is) != 0)
		return false;
	if (lstat(path, &was) == 0 && (was.st_mode & S_IFMT) != (is.st_mode & S_IFMT)) {
		fprintf(stderr,
			"vm: bringing %s: it was %s and is %s in the lab VM; it is left as it was\n",
			path, kind(was.st_mode), kind(is.st_mode));
		return false;
	}
	if (renameat2(AT_FDCWD, new, AT_FDCWD, path, RENAME_EXCHANGE) == 0 ||
		rename(new, path) == 0)
		return true;
	fprintf(stderr, "vm: bringing %s: %m\n", path);
	return false;
}

/* Starts tar(1), which unpacks in the folder what is written to *to. Returns its PID, or -1. */
static pid_t unpack(const char *folder, int *to)
{
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) != 0)
		die(STATUS_VM, "pipe: %m");
	pid_t tar = fork();

	if (tar == 0) {
		signals_restore();
		dup2(pair[0], 0);
		/* bring() says what went wrong, and says it once. */
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 2);
		execlp("tar", "tar", "-x", "-o", "-C", folder, "-f", "-", NULL);
		_exit(127);
	}
	close(pair[0]);
	*to = pair[1];
	return tar;
}

static void remove_tree(const char *path)
{
	pid_t pid = fork();

	if (pid == 0) {
		signals_restore();
		execlp("rm", "rm", "-rf", path, NULL);
		_exit(127);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

/* A second command in the guest packs path. Here tar unpacks it in a folder beside path, so that
 * one rename(2) can put it there. */
bool bring(const char *path)
{
	char parent[PATH_MAX], work[PATH_MAX + 32], inside[2 * PATH_MAX], name[NAME_MAX + 3];
	struct ends ends = {.fd = {-1, -1, -1}, .mode = "cpc", .tty = -1};
	int unpacked = -1;
	bool done = false;

	snprintf(parent, sizeof(parent), "%.*s", (int)(strrchr(path, '/') - path), path);
	snprintf(name, sizeof(name), "./%s", strrchr(path, '/') + 1);
	snprintf(work, sizeof(work), "%s/.unboxed-XXXXXX", parent);
	if (!mkdtemp(work)) {
		fprintf(stderr, "vm: bringing %s: making a folder beside it: %m\n", path);
		return false;
	}
	work_length = strlen(work) + 1;
	pid_t tar = unpack(work, &ends.fd[1]);

	if (!parent[0])
		strcpy(parent, "/");
	int status = session_run(&ends,
		(char *[]){"/bin/busybox", "tar", "-c", "-f", "-", "-C", parent, name, NULL});

	if (ends.fd[1] >= 0)
		close(ends.fd[1]);
	if (tar > 0)
		waitpid(tar, &unpacked, 0);
	snprintf(inside, sizeof(inside), "%s/%s", work, name + 2);
	if (status != 0)
		fprintf(stderr,
			"vm: bringing %s: expected it in the lab VM, and it is not there or cannot be read\n",
			path);
	else if (unpacked != 0)
		fprintf(stderr, "vm: bringing %s: tar failed here\n", path);
	else if (nftw(work, take_power_away, 16, FTW_PHYS) != 0)
		fprintf(stderr, "vm: bringing %s: taking set-id bits and devices away: %m\n", path);
	else
		done = replace(inside, path);
	remove_tree(work);
	return done;
}
