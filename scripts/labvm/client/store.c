/*
 * The folder in which all saved states are, each in a folder of its own. A state is written under
 * another name and renamed when it is complete. After that it is never changed.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "end.h"
#include "folder.h"
#include "store.h"

/* Room for the path of a file in a folder. */
#define INSIDE (PATH_MAX + 32)

static const char *store;
static char *unfinished; /* the folder of the state that this client may be saving */
static int lock = -1;

static void remove_unfinished(void)
{
	folder_remove(unfinished);
}

void store_use(const char *folder)
{
	/* A random number and not our PID, because other PID namespaces may share the folder. */
	uint32_t unique;

	store = folder;
	if (getrandom(&unique, sizeof(unique), 0) != sizeof(unique))
		die(STATUS_VM, "getrandom: %m");
	if (asprintf(&unfinished, "%s/new-%08" PRIx32, folder, unique) < 0)
		need(NULL);
	end_also(remove_unfinished);
}

bool store_is_private(void)
{
	if (folder_is_private(store))
		return true;
	tell("expected %s to be a folder that only you can enter; no saved state is used", store);
	return false;
}

/* ==== Files of a state ==== */

int store_open(const char *state, const char *name, int flags)
{
	char path[INSIDE];

	snprintf(path, sizeof(path), "%s/%.20s", state, name);
	return open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

char *store_read(const char *state, const char *name, size_t *size)
{
	int fd = store_open(state, name, O_RDONLY);
	struct stat st;
	char *data = NULL;

	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size <= STORE_MAX) {
		data = need(malloc(st.st_size + 1));
		ssize_t n = read(fd, data, st.st_size);

		*size = n < 0 ? 0 : n;
		data[*size] = '\0';
	}
	if (fd >= 0)
		close(fd);
	return data;
}

bool store_write(const char *state, const char *name, const char *data, size_t size)
{
	int fd = store_open(state, name, O_WRONLY | O_CREAT | O_EXCL);
	bool done = fd >= 0;

	while (done && size > 0) {
		ssize_t n = write(fd, data, size);

		done = n > 0;
		data += done ? n : 0;
		size -= done ? n : 0;
	}
	done = done && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return done;
}

/* After the rename nobody finds half of the state. If we are killed before it is removed, the name
 * tells the next client that saves to remove it. */
void store_discard(const char *state)
{
	char away[INSIDE];

	snprintf(away, sizeof(away), "%s-old", unfinished);
	if (rename(state, away) == 0)
		folder_remove(away);
}

/* ==== A new state ==== */

static bool make_folders(void)
{
	char path[PATH_MAX];

	for (const char *slash = store; (slash = strchr(slash + 1, '/'));) {
		snprintf(path, sizeof(path), "%.*s", (int)(slash - store), store);
		mkdir(path, 0700);
	}
	mkdir(store, 0700);
	return store_is_private();
}

const char *store_begin(void)
{
	if (!make_folders())
		return NULL;
	lock = store_open(store, "lock", O_RDWR | O_CREAT);
	if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0)
		tell("nothing is saved: another client is saving a state, or %s cannot be written",
			store);
	else if (mkdir(unfinished, 0700) != 0)
		tell("nothing is saved: making %s: %m", unfinished);
	else
		return unfinished;
	store_finish();
	return NULL;
}

/* Bytes that a state takes on the disk, and when it was used last. */
static long long weight_of(const char *state, struct timespec *used)
{
	static const char *const names[] = {"memory", "state", "sums"};
	char path[INSIDE];
	struct stat st;
	long long weight = 0;

	*used = (struct timespec){0};
	if (stat(state, &st) == 0)
		*used = st.st_mtim;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", state, names[i]);
		if (stat(path, &st) == 0)
			weight += st.st_blocks * 512LL;
	}
	return weight;
}

static bool older(struct timespec a, struct timespec b)
{
	return a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec < b.tv_nsec);
}

/* Adds up the weight of all states, and finds the one that was least recently used; "" when there
 * is none. Removes what clients that were killed have left: we hold the lock, so no other client is
 * saving. */
static long long weigh_all(char oldest[INSIDE])
{
	const char *own = strrchr(unfinished, '/') + 1;
	struct timespec used, oldest_used = {0};
	long long total = 0;
	DIR *dir = opendir(store);
	struct dirent *entry;
	char path[INSIDE];

	oldest[0] = '\0';
	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%.20s", store, entry->d_name);
		if (strncmp(entry->d_name, "new-", 4) == 0 && strcmp(entry->d_name, own) != 0)
			folder_remove(path);
		if (strlen(entry->d_name) != 16)
			continue;
		total += weight_of(path, &used);
		if (!oldest[0] || older(used, oldest_used)) {
			strcpy(oldest, path);
			oldest_used = used;
		}
	}
	if (dir)
		closedir(dir);
	return total;
}

bool store_publish(const char *state)
{
	struct timespec unused;
	long long weight = weight_of(unfinished, &unused);
	char oldest[INSIDE];

	if (weight > STORE_MAX) {
		errno = EFBIG;
		return false;
	}
	while (weight + weigh_all(oldest) > STORE_MAX && oldest[0])
		store_discard(oldest);
	/* Another client may have saved the same machine before us. Its state is as good. */
	return rename(unfinished, state) == 0 || errno == ENOTEMPTY || errno == EEXIST;
}

void store_finish(void)
{
	int reason = errno;

	folder_remove(unfinished);
	if (lock >= 0)
		close(lock);
	lock = -1;
	errno = reason;
}
