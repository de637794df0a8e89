/* Saved states: what a machine depends on, and how it is opened, checked and saved. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../wire.h"
#include "checksum.h"
#include "end.h"
#include "monitor.h"
#include "signals.h"
#include "state.h"
#include "store.h"
#include "watcher.h"

#define FORMAT "a saved state of the lab VM, 1\n"

#define SAVE_MS 20000
#define GIVE_UP_SECONDS (24 * 60 * 60)

/* ==== What a machine depends on ==== */

static void describe_file(FILE *text, const char *name, const struct stat *st)
{
	fprintf(text, "%s: %lld bytes, %lld.%09ld, inode %llu of %llx\n", name,
		(long long)st->st_size, (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
		(unsigned long long)st->st_ino, (unsigned long long)st->st_dev);
}

/* With KVM the guest sees the host's processor, and depends on the host's kernel. */
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

static char *shape_of(const struct machine *machine, char *const same[], size_t *size)
{
	char *shape;
	struct stat st;
	bool kvm = false;
	FILE *text = need(open_memstream(&shape, size));

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
	return shape;
}

void state_of(
	struct state *state, const char *states, const struct machine *machine, char *const same[])
{
	struct stat st;
	size_t size;

	*state = (struct state){.memory = -1};
	state->shape = shape_of(machine, same, &size);
	if (asprintf(&state->folder, "%s/%016" PRIx64, states, checksum_of(state->shape, size, 0)) <
		0)
		need(NULL);
	store_use(states);
	if (fstat(machine->labs, &st) == 0)
		state->labs = checksum_of((uint64_t[]){st.st_size, st.st_mtim.tv_sec,
						  st.st_mtim.tv_nsec, st.st_ino, st.st_dev},
			5 * sizeof(uint64_t), 0);
}

/* ==== Use ==== */

static void state_close(struct state *state)
{
	if (state->memory >= 0)
		close(state->memory);
	state->memory = -1;
	free(state->data);
	state->data = NULL;
}

bool state_open(struct state *state)
{
	size_t size;
	int length = 0;
	uint64_t labs;

	if (access(state->folder, F_OK) != 0 || !store_is_private())
		return false;
	char *sums = store_read(state->folder, "sums", &size);
	bool whole = sums &&
		     sscanf(sums, "%" SCNx64 " %" SCNx64 " %" SCNx64 "\n%n", &state->sums[0],
			     &state->sums[1], &labs, &length) == 3 &&
		     strcmp(sums + length, state->shape) == 0;

	free(sums);
	state->data = whole ? store_read(state->folder, "state", &state->size) : NULL;
	if (!state->data) {
		state_drop(state, "is not complete");
		return false;
	}
	state->labs_changed = labs != state->labs;
	/* QEMU wants to open it for writing, and then maps it so that nothing is written. */
	state->memory = store_open(state->folder, "memory", O_RDWR);
	if (state->memory < 0 && errno != ENOENT) {
		tell("the saved state is not used: %s/memory: %m", state->folder);
		state_close(state);
		return false;
	}
	/* The folder's time is that of the last use. The least recently used state goes first. */
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
	watcher_leave();
	bool sound = (state->memory < 0 || checksum_of_sparse(state->memory, -1, &sum)) &&
		     sum == state->sums[0] &&
		     checksum_of(state->data, state->size, 0) == state->sums[1];

	_exit(sound ? 0 : 1);
}

enum verdict state_verdict(pid_t check)
{
	int status;

	for (;;) {
		struct pollfd signals = {signals_fd(), POLLIN, 0};
		pid_t pid = waitpid(check, &status, WNOHANG);

		if (pid == check && WIFEXITED(status))
			return WEXITSTATUS(status) == 0 ? SOUND : DAMAGED;
		if (pid != 0)
			return UNKNOWN;
		poll(&signals, 1, 10);
		qemu_attend();
	}
}

void state_drop(struct state *state, const char *reason)
{
	tell("the saved state %s %s; it is thrown away, and the machine boots",
		strrchr(state->folder, '/') + 1, reason);
	state_close(state);
	store_discard(state->folder);
}

/* The note is a file beside the state's folder. */
static char *note_of(const struct state *state)
{
	char *path;

	if (asprintf(&path, "%s.boot", state->folder) < 0)
		need(NULL);
	return path;
}

void state_give_up(const struct state *state)
{
	char *path = note_of(state);

	tell("a machine that was just saved cannot be restored; for a day it boots each time");
	close(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
	free(path);
}

bool state_given_up(const struct state *state)
{
	char *path = note_of(state);
	struct stat st;
	bool recent = stat(path, &st) == 0 && time(NULL) - st.st_mtime < GIVE_UP_SECONDS;

	free(path);
	return recent;
}

/* ==== Saving ==== */

static bool write_memory(const char *folder, int memory, uint64_t *sum)
{
	struct stat st;
	int fd = store_open(folder, "memory", O_RDWR | O_CREAT | O_EXCL);
	bool done = fd >= 0 && fstat(memory, &st) == 0 && ftruncate(fd, st.st_size) == 0 &&
		    checksum_of_sparse(memory, fd, sum) && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return done;
}

static bool write_sums(const char *folder, const struct state *state)
{
	char *sums;
	int length = asprintf(&sums, "%016" PRIx64 " %016" PRIx64 " %016" PRIx64 "\n%s",
		state->sums[0], state->sums[1], state->labs, state->shape);

	if (length < 0)
		return false;
	bool done = store_write(folder, "sums", sums, length);

	free(sums);
	return done;
}

static bool write_state(const char *folder, struct state *state, int memory)
{
	bool shared = memory >= 0;
	char *data = monitor_save(&state->size, &shared, SAVE_MS);

	if (!data) {
		errno = ENOTSUP;
		return false;
	}
	state->sums[0] = 0;
	state->sums[1] = checksum_of(data, state->size, 0);
	bool done = store_write(folder, "state", data, state->size) &&
		    (!shared || write_memory(folder, memory, &state->sums[0])) &&
		    write_sums(folder, state);

	free(data);
	return done;
}

bool state_save(struct state *state, int memory)
{
	const char *folder = store_begin();

	if (!folder)
		return false;
	bool done = write_state(folder, state, memory) && store_publish(state->folder);

	if (!done)
		tell("saving the machine: %m");
	store_finish();
	return done;
}
