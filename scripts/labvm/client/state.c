/*
 * Saved states: a machine that has booted and has done nothing yet, as two files. One is its
 * memory, which each restored machine maps privately, so that all of them share the pages that none
 * has written. The other is what QEMU sends when it migrates. A state is written once and never
 * changed.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

#define FORMAT "a saved state of the lab VM, 1\n"

/* All states together, in bytes. */
#define STATES_MAX 600000000LL
#define SAVE_MS 20000
#define GIVE_UP_SECONDS (24 * 60 * 60)

#define PAGE 4096

/* Room for the path of a file in a folder. */
#define INSIDE (PATH_MAX + 32)

/* ==== Checksums: against damage, not against malice, for the folder is the user's own ==== */

/* Four lanes, because a multiplication has to wait for the one before it. */
static uint64_t sum_of(const void *data, size_t size, uint64_t sum)
{
	static const uint64_t prime = 0x9e3779b97f4a7c15;
	uint64_t lane[4] = {sum, sum + 1, sum + 2, sum + 3}, word[4];
	const char *at = data;

	for (; size > 0; at += sizeof(word)) {
		size_t n = size < sizeof(word) ? size : sizeof(word);

		if (n < sizeof(word))
			memset(word, 0, sizeof(word));
		memcpy(word, at, n);
		size -= n;
		for (int i = 0; i < 4; i++) {
			lane[i] = (lane[i] ^ word[i]) * prime;
			lane[i] ^= lane[i] >> 29;
		}
	}
	for (int i = 0; i < 4; i++) {
		sum = (sum ^ lane[i]) * prime;
		sum ^= sum >> 32;
	}
	return sum;
}

static bool all_zero(const char *page)
{
	return page[0] == 0 && memcmp(page, page + 1, PAGE - 1) == 0;
}

/*
 * The checksum of a sparse file, which depends on neither its holes nor its zeros. What is not zero
 * is written to the file copy too, when that is one. False when a file cannot be read or written.
 */
static bool sum_sparse(int fd, int copy, uint64_t *sum)
{
	static char block[64 * PAGE];
	off_t at = 0, end;

	*sum = 0;
	while ((at = lseek(fd, at, SEEK_DATA)) >= 0) {
		end = lseek(fd, at, SEEK_HOLE);
		at -= at % PAGE;
		while (at < end) {
			ssize_t n = pread(fd, block, sizeof(block), at);

			if (n <= 0 || n % PAGE != 0)
				return false;
			for (ssize_t i = 0; i < n; i += PAGE) {
				if (all_zero(block + i))
					continue;
				*sum = sum_of(block + i, PAGE, *sum + at + i);
				if (copy >= 0 && pwrite(copy, block + i, PAGE, at + i) != PAGE)
					return false;
			}
			at += n;
		}
	}
	return errno == ENXIO; /* no more data */
}

/* ==== What a machine depends on ==== */

static void describe_file(FILE *text, const char *name, const struct stat *st)
{
	fprintf(text, "%s: %lld bytes, %lld.%09ld, inode %llu of %llx\n", name,
		(long long)st->st_size, (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
		(unsigned long long)st->st_ino, (unsigned long long)st->st_dev);
}

/* With KVM the guest sees this processor and this kernel. */
static void describe_host(FILE *text)
{
	static const char *const fields[] = {"vendor_id", "model name", "microcode", "flags"};
	struct utsname host;
	char *line = NULL;
	size_t room = 0;
	FILE *info = fopen("/proc/cpuinfo", "re");

	if (uname(&host) == 0)
		fprintf(text, "%s %s\n", host.release, host.version);
	while (info && getline(&line, &room, info) > 1)
		for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
			if (strncmp(line, fields[i], strlen(fields[i])) == 0)
				fputs(line, text);
	free(line);
	if (info)
		fclose(info);
}

void state_of(
	struct state *state, const char *states, const struct machine *machine, char *const same[])
{
	struct stat st;
	size_t size;
	bool kvm = false;
	FILE *text = need(open_memstream(&state->shape, &size));

	fputs(FORMAT, text);
	for (char **word = machine->qemu; *word; word++) {
		fprintf(text, "%s\n", *word);
		kvm |= strstr(*word, "kvm") != NULL;
	}
	for (char **word = machine->boot; *word; word++)
		fprintf(text, "%s\n", *word);
	for (; *same; same++)
		if (stat(*same, &st) == 0)
			describe_file(text, *same, &st);
	if (fstat(machine->system, &st) == 0)
		describe_file(text, "system", &st);
	fprintf(text, "%d MiB, %d ports\n", machine->memory, WIRE_PORTS);
	if (kvm)
		describe_host(text);
	if (fclose(text) != 0)
		need(NULL);
	/* Not our PID, because other PID namespaces may share the folder. */
	uint32_t unique;

	if (getrandom(&unique, sizeof(unique), 0) != sizeof(unique))
		die(STATUS_VM, "getrandom: %m");
	if (asprintf(&state->states, "%s", states) < 0 ||
		asprintf(&state->folder, "%s/%016" PRIx64, states, sum_of(state->shape, size, 0)) <
			0 ||
		asprintf(&vm.unfinished, "%s/new-%08" PRIx32, states, unique) < 0)
		need(NULL);
	state->memory = -1;
	state->data = NULL;
	state->doubt = NULL;
	if (fstat(machine->labs, &st) == 0)
		state->labs = sum_of((uint64_t[]){st.st_size, st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
					     st.st_ino, st.st_dev},
			5 * sizeof(uint64_t), 0);
}

/* ==== Use ==== */

static int open_in(const char *folder, const char *name, int flags)
{
	char path[INSIDE];

	snprintf(path, sizeof(path), "%s/%.20s", folder, name);
	return open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/* The whole file, with a NUL behind it, or NULL. */
static char *read_in(const char *folder, const char *name, size_t *size)
{
	int fd = open_in(folder, name, O_RDONLY);
	struct stat st;
	char *data = NULL;

	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size <= STATES_MAX) {
		data = need(malloc(st.st_size + 1));
		ssize_t n = read(fd, data, st.st_size);

		*size = n < 0 ? 0 : n;
		data[*size] = '\0';
	}
	if (fd >= 0)
		close(fd);
	return data;
}

static void state_close(struct state *state)
{
	if (state->memory >= 0)
		close(state->memory);
	state->memory = -1;
	free(state->data);
	state->data = NULL;
}

/* One rename, so that nobody finds half of it; what an end in the middle leaves is stale by its
 * name. */
static void discard(const char *folder)
{
	char away[INSIDE];

	snprintf(away, sizeof(away), "%s-old", vm.unfinished);
	if (rename(folder, away) == 0)
		remove_folder(away);
}

bool state_open(struct state *state)
{
	size_t size;
	int length = 0;
	uint64_t labs;

	if (access(state->folder, F_OK) != 0)
		return false;
	if (!ours(state->states)) {
		tell("%s is not a folder that only you can enter: it is not used", state->states);
		return false;
	}
	char *sums = read_in(state->folder, "sums", &size);
	bool whole = sums &&
		     sscanf(sums, "%" SCNx64 " %" SCNx64 " %" SCNx64 "\n%n", &state->sums[0],
			     &state->sums[1], &labs, &length) == 3 &&
		     strcmp(sums + length, state->shape) == 0;

	free(sums);
	state->data = whole ? read_in(state->folder, "state", &state->size) : NULL;
	if (!state->data) {
		state_drop(state, "is not complete");
		return false;
	}
	state->labs_changed = labs != state->labs;
	/* QEMU opens it for writing, and maps it so that nothing is written. */
	state->memory = open_in(state->folder, "memory", O_RDWR);
	if (state->memory < 0 && errno != ENOENT) {
		tell("%s/memory: %m", state->folder);
		state_close(state);
		return false;
	}
	/* Records the last use: the least recently used goes first. */
	utimensat(AT_FDCWD, state->folder, NULL, 0);
	return true;
}

pid_t state_check(const struct state *state)
{
	uint64_t sum = 0;
	pid_t pid = fork();

	if (pid < 0)
		die(STATUS_VM, "fork: %m");
	if (pid > 0)
		return pid;
	in_helper();
	bool sound = (state->memory < 0 || sum_sparse(state->memory, -1, &sum)) &&
		     sum == state->sums[0] && sum_of(state->data, state->size, 0) == state->sums[1];

	_exit(sound ? 0 : 1);
}

enum verdict state_verdict(pid_t check)
{
	int status;

	for (;;) {
		struct pollfd signals = {vm.signals, POLLIN, 0};
		pid_t pid = waitpid(check, &status, WNOHANG);

		if (pid == check && WIFEXITED(status))
			return WEXITSTATUS(status) == 0 ? SOUND : DAMAGED;
		if (pid != 0)
			return UNKNOWN;
		poll(&signals, 1, 10);
		handle_early_signals();
	}
}

void state_drop(struct state *state, const char *reason)
{
	tell("the saved state %s %s; it is thrown away, and the machine boots",
		strrchr(state->folder, '/') + 1, reason);
	state_close(state);
	discard(state->folder);
}

/* A file beside the state's folder. */
static char *given_up(const struct state *state)
{
	char *path;

	if (asprintf(&path, "%s.boot", state->folder) < 0)
		need(NULL);
	return path;
}

void state_give_up(const struct state *state)
{
	char *path = given_up(state);

	tell("a machine that was just saved cannot be restored; it boots for a day");
	close(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
	free(path);
}

bool state_given_up(const struct state *state)
{
	char *path = given_up(state);
	struct stat st;
	bool recent = stat(path, &st) == 0 && time(NULL) - st.st_mtime < GIVE_UP_SECONDS;

	free(path);
	return recent;
}

/* ==== Saving ==== */

static bool make_folders(const char *states)
{
	char path[PATH_MAX];

	for (const char *slash = states; (slash = strchr(slash + 1, '/'));) {
		snprintf(path, sizeof(path), "%.*s", (int)(slash - states), states);
		mkdir(path, 0700);
	}
	mkdir(states, 0700);
	return ours(states);
}

/* Bytes that a state takes on the disk, and when it was used last. */
static long long state_weight(const char *folder, struct timespec *used)
{
	static const char *const names[] = {"memory", "state", "sums"};
	char path[INSIDE];
	struct stat st;
	long long weight = 0;

	*used = (struct timespec){0};
	if (stat(folder, &st) == 0)
		*used = st.st_mtim;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		if (stat(path, &st) == 0)
			weight += st.st_blocks * 512LL;
	}
	return weight;
}

static bool older(struct timespec a, struct timespec b)
{
	return a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec < b.tv_nsec);
}

/* Removes what clients that were killed have left (we hold the lock, so nobody else is saving) and
 * the least recently used states, until the others and the new one fit. */
static void make_room(const char *states, long long wanted)
{
	const char *own = strrchr(vm.unfinished, '/') + 1;
	char path[INSIDE], oldest[INSIDE];
	struct timespec used, oldest_used = {0};
	long long total;

	do {
		DIR *dir = opendir(states);
		struct dirent *entry;

		oldest[0] = '\0';
		total = wanted;
		while (dir && (entry = readdir(dir))) {
			snprintf(path, sizeof(path), "%s/%.20s", states, entry->d_name);
			if (strncmp(entry->d_name, "new-", 4) == 0 &&
				strcmp(entry->d_name, own) != 0)
				remove_folder(path);
			if (strlen(entry->d_name) != 16)
				continue;
			total += state_weight(path, &used);
			if (!oldest[0] || older(used, oldest_used)) {
				strcpy(oldest, path);
				oldest_used = used;
			}
		}
		if (dir)
			closedir(dir);
		if (total > STATES_MAX && oldest[0])
			discard(oldest);
	} while (total > STATES_MAX && oldest[0]);
}

static bool write_in(const char *folder, const char *name, const char *data, size_t size)
{
	int fd = open_in(folder, name, O_WRONLY | O_CREAT | O_EXCL);
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

static bool write_memory(const char *folder, int memory, uint64_t *sum)
{
	struct stat st;
	int fd = open_in(folder, "memory", O_RDWR | O_CREAT | O_EXCL);
	bool done = fd >= 0 && fstat(memory, &st) == 0 && ftruncate(fd, st.st_size) == 0 &&
		    sum_sparse(memory, fd, sum) && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return done;
}

static bool write_state(struct state *state, int memory)
{
	bool shared = memory >= 0, done;
	char *data = migrate_out(&state->size, &shared, SAVE_MS), *sums = NULL;
	int length = 0;

	if (!data) {
		errno = ENOTSUP;
		return false;
	}
	state->sums[0] = 0;
	state->sums[1] = sum_of(data, state->size, 0);
	done = write_in(vm.unfinished, "state", data, state->size) &&
	       (!shared || write_memory(vm.unfinished, memory, &state->sums[0])) &&
	       (length = asprintf(&sums, "%016" PRIx64 " %016" PRIx64 " %016" PRIx64 "\n%s",
			state->sums[0], state->sums[1], state->labs, state->shape)) > 0 &&
	       write_in(vm.unfinished, "sums", sums, length);
	free(sums);
	free(data);
	return done;
}

bool state_save(struct state *state, int memory)
{
	struct timespec unused;
	bool done = false;
	int lock = -1;

	if (!make_folders(state->states)) {
		tell("%s is not a folder that only you can enter: nothing is saved", state->states);
	} else if ((lock = open_in(state->states, "lock", O_RDWR | O_CREAT)) < 0 ||
		   flock(lock, LOCK_EX | LOCK_NB) != 0) {
		tell("another client is saving a state, or %s cannot be written", state->states);
	} else if (mkdir(vm.unfinished, 0700) == 0) {
		if (write_state(state, memory)) {
			long long weight = state_weight(vm.unfinished, &unused);

			errno = EFBIG;
			if (weight <= STATES_MAX) {
				make_room(state->states, weight);
				done = rename(vm.unfinished, state->folder) == 0 ||
				       errno == ENOTEMPTY || errno == EEXIST;
			}
		}
		if (!done)
			tell("saving the machine: %m");
		remove_folder(vm.unfinished);
	} else {
		tell("making %s: %m", vm.unfinished);
	}
	if (lock >= 0)
		close(lock);
	return done;
}
