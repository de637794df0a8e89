/* The run folders: one for each VM that runs, with its sockets and its logs. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "end.h"
#include "folder.h"
#include "run_folder.h"

static char own[RUN_FOLDER_MAX];

const char *run_folder_path(void)
{
	return own;
}

/* A parent that an earlier client has made with mkdtemp(3), because the foreseeable name was taken.
 */
static bool spare_parent(char *parent, size_t size)
{
	char name[32];
	size_t length =
		(size_t)snprintf(name, sizeof(name), "unboxed-%u-", geteuid()) + strlen("XXXXXX");
	struct dirent *entry;
	DIR *dir = opendir("/tmp");
	bool found = false;

	while (dir && !found && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, name, strlen(name)) != 0 ||
			strlen(entry->d_name) != length)
			continue;
		snprintf(parent, size, "/tmp/%.30s", entry->d_name);
		found = folder_is_private(parent);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* The n-th folder in which this user may have run folders. False when there are only n. */
static bool nth_parent(int n, char *parent, size_t size)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	struct stat st;
	bool usable = runtime && runtime[0] == '/' && strlen(runtime) < 40 &&
		      stat(runtime, &st) == 0 && st.st_uid == geteuid() &&
		      access(runtime, W_OK) == 0;

	if (!usable)
		n++;
	if (n == 2)
		return spare_parent(parent, size);
	snprintf(parent, size, "%s/unboxed-%u", n == 0 ? runtime : "/tmp", geteuid());
	return n < 2;
}

/* The lock belongs to the open file description. The kernel releases it when the client dies, and
 * anybody can ask for it without taking it: fcntl(2). */
static bool alive_lock(int fd, int command, struct flock *lock)
{
	*lock = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
	return fcntl(fd, command, lock) == 0;
}

bool run_folder_is_alive(const char *run)
{
	char path[128];
	struct flock lock;
	int fd;

	snprintf(path, sizeof(path), "%s/alive", run);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool held = alive_lock(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;

	close(fd);
	return held;
}

/* Who this program is: with the path of the tree in it. -1 and errno when it cannot be read. */
static ssize_t program(char *path, size_t size)
{
	ssize_t length = readlink("/proc/self/exe", path, size - 1);

	if (length >= 0)
		path[length] = '\0';
	return length;
}

bool run_folder_is_of_this_tree(const char *run)
{
	char link[128], theirs[PATH_MAX], ours[PATH_MAX];

	snprintf(link, sizeof(link), "%s/client", run);
	ssize_t length = readlink(link, theirs, sizeof(theirs) - 1);

	if (length < 0 || program(ours, sizeof(ours)) < 0)
		return false;
	theirs[length] = '\0';
	return strcmp(ours, theirs) == 0;
}

void run_folder_each(void (*each)(const char *run, void *data), void *data)
{
	char parent[64], path[128];
	struct dirent *entry;

	for (int n = 0; nth_parent(n, parent, sizeof(parent)); n++) {
		DIR *dir = folder_is_private(parent) ? opendir(parent) : NULL;

		while (dir && (entry = readdir(dir))) {
			if (strncmp(entry->d_name, "vm-", 3) != 0 || strlen(entry->d_name) > 20)
				continue;
			snprintf(path, sizeof(path), "%s/%.20s", parent, entry->d_name);
			each(path, data);
		}
		if (dir)
			closedir(dir);
	}
}

static void remove_stale(const char *run, void *unused)
{
	pid_t pid = atoi(strrchr(run, '-') + 1);

	(void)unused;
	/* A client that is just starting has made the folder, and has not locked it yet. */
	if (pid > 0 && kill(pid, 0) != 0 && errno == ESRCH && !run_folder_is_alive(run))
		folder_remove(run);
}

static void find_parent(char *parent, size_t size)
{
	for (int n = 0; nth_parent(n, parent, size); n++) {
		mkdir(parent, 0700);
		if (folder_is_private(parent))
			return;
	}
	snprintf(parent, size, "/tmp/unboxed-%u-XXXXXX", geteuid());
	if (!mkdtemp(parent))
		die(STATUS_VM, "making a folder for the lab VM, %s: %m", parent);
}

/* With the last of them goes the folder in which they were. */
static void remove_own(void)
{
	char parent[RUN_FOLDER_MAX];

	folder_remove(own);
	snprintf(parent, sizeof(parent), "%.*s", (int)(strrchr(own, '/') - own), own);
	rmdir(parent);
}

/* False when the parent has just gone with somebody's last run folder. */
static bool make_own(void)
{
	char parent[64];

	find_parent(parent, sizeof(parent));
	snprintf(own, sizeof(own), "%s/vm-%d", parent, getpid());
	folder_remove(own);
	if (mkdir(own, 0700) == 0)
		return true;
	if (errno != ENOENT)
		die(STATUS_VM, "making a folder for the lab VM, %s: %m", own);
	return false;
}

void run_folder_make(void)
{
	char path[128], client[PATH_MAX];
	struct flock lock;
	int alive;

	run_folder_each(remove_stale, NULL);
	while (!make_own())
		;
	end_also(remove_own);
	snprintf(path, sizeof(path), "%s/client", own);
	if (program(client, sizeof(client)) < 0 || symlink(client, path) != 0)
		die(STATUS_VM, "making a link to the client, %s: %m", path);
	snprintf(path, sizeof(path), "%s/alive", own);
	/* It stays open for as long as the client runs. */
	alive = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (alive < 0 || !alive_lock(alive, F_OFD_SETLK, &lock))
		die(STATUS_VM, "locking %s: %m", path);
}
