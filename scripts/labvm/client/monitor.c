/*
 * QEMU's monitor (QMP), through which it saves and restores the machine. Both are what QEMU calls a
 * migration: docs/interop/qmp-intro and docs/devel/migration in its source.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../clock.h"
#include "end.h"
#include "monitor.h"
#include "qemu.h"
#include "run_folder.h"
#include "signals.h"

/* The socket that a state goes through, in the run folder. */
#define MIGRATION "migration"

/* What QEMU has said. Each answer and each event is a line of its own. */
static char said[65536];
static size_t said_len;

/* ==== Commands ==== */

/* Reads what has come. False when QEMU has ended. */
static bool hear(long long until)
{
	struct pollfd fd[2] = {{signals_fd(), POLLIN, 0}, {qemu_monitor(), POLLIN, 0}};
	long long wait = until - clock_ms();

	qemu_attend();
	poll(fd, 2, wait < 0 ? 0 : wait < 500 ? (int)wait : 500);
	qemu_attend();
	if (!fd[1].revents)
		return qemu_runs();
	ssize_t n =
		recv(qemu_monitor(), said + said_len, sizeof(said) - 1 - said_len, MSG_DONTWAIT);

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	said_len += n;
	said[said_len] = '\0';
	return true;
}

/* Waits until QEMU has said this word, in an event or in an answer. */
static bool wait_for(const char *word, long long limit)
{
	long long until = clock_ms() + limit;

	for (;;) {
		said[said_len] = '\0';
		if (strstr(said, word))
			return true;
		if (clock_ms() > until || !hear(until))
			return false;
	}
}

/* Sends a command, which is one JSON object, and waits for its answer. False when that is an error.
 */
static bool command(const char *object, long long limit)
{
	long long until = clock_ms() + limit;
	size_t line = said_len, len = strlen(object);

	if (sizeof(said) - said_len < 4096) /* makes room: nobody waits for those events any more */
		line = said_len = 0;
	if (send(qemu_monitor(), object, len, MSG_NOSIGNAL) != (ssize_t)len)
		return false;
	for (;;) {
		char *end = memchr(said + line, '\n', said_len - line);

		if (!end) {
			if (clock_ms() > until || !hear(until))
				return false;
			continue;
		}
		if (strncmp(said + line, "{\"return\"", 9) == 0)
			return true;
		if (strncmp(said + line, "{\"error\"", 8) == 0) {
			tell("%s: QEMU says %.*s", object, (int)(end - said - line), said + line);
			return false;
		}
		line = end + 1 - said;
	}
}

bool monitor_open(long long limit)
{
	said_len = 0;
	return wait_for("\"QMP\"", limit) && command("{\"execute\": \"qmp_capabilities\"}", limit);
}

bool monitor_continue(long long limit)
{
	return command("{\"execute\": \"cont\"}", limit);
}

/* With this capability QEMU leaves out memory that is a shared file. */
static bool leave_memory_out(long long limit)
{
	return command(
		"{\"execute\": \"migrate-set-capabilities\", \"arguments\": {\"capabilities\": "
		"[{\"capability\": \"x-ignore-shared\", \"state\": true}]}}",
		limit);
}

/* ==== The state ==== */

/* A socket that is bound to, or connected to, the path of the migration. */
static int migration_socket(int (*attach)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/" MIGRATION, run_folder_path());
	if (attach == bind)
		unlink(address.sun_path);
	if (fd >= 0 && attach(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Reads until the other end closes. NULL when it has not by then. */
static char *read_all(int fd, size_t *size, long long until)
{
	size_t room = 1 << 20;
	char *data = need(malloc(room));

	for (*size = 0;;) {
		struct pollfd ready = {fd, POLLIN, 0};

		poll(&ready, 1, 100);
		qemu_attend();
		if (*size == room)
			data = need(realloc(data, room *= 2));
		ssize_t n = recv(fd, data + *size, room - *size, MSG_DONTWAIT);

		if (n == 0)
			return data;
		if (n > 0)
			*size += n;
		if (n < 0 && (errno != EAGAIN || clock_ms() > until || !qemu_runs())) {
			free(data);
			return NULL;
		}
	}
}

/* Waits for QEMU to connect, and reads all that it sends. */
static char *receive_state(int listening, size_t *size, long long until)
{
	struct pollfd ready = {listening, POLLIN, 0};
	char *data = NULL;
	int fd = -1;

	while (fd < 0 && qemu_runs() && clock_ms() < until) {
		qemu_attend();
		if (poll(&ready, 1, 100) == 1)
			fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	}
	if (fd >= 0) {
		data = read_all(fd, size, until);
		close(fd);
	}
	return data;
}

/* Waits until QEMU says that it has sent everything. The end of what it sent does not say so. */
static bool was_completed(long long until, long long limit)
{
	while (clock_ms() < until) {
		said_len = 0;
		if (!command("{\"execute\": \"query-migrate\"}", limit) ||
			strstr(said, "\"failed\""))
			return false;
		if (strstr(said, "\"completed\""))
			return true;
		poll(NULL, 0, 5);
	}
	return false;
}

char *monitor_save(size_t *size, bool *shared, long long limit)
{
	long long until = clock_ms() + limit;
	int listening = migration_socket(bind);
	char *data = NULL;

	if (listening < 0)
		return NULL;
	if (listen(listening, 1) == 0) {
		*shared = *shared && leave_memory_out(limit);
		if (command("{\"execute\": \"migrate\", \"arguments\": {\"uri\": \"unix:" MIGRATION
			    "\"}}",
			    limit))
			data = receive_state(listening, size, until);
	}
	close(listening);
	if (data && was_completed(until, limit))
		return data;
	free(data);
	return NULL;
}

static bool send_state(const char *data, size_t size)
{
	int fd = migration_socket(connect);
	bool sent = fd >= 0 && qemu_feed(fd, data, size);

	if (fd >= 0)
		close(fd);
	return sent;
}

bool monitor_restore(const char *data, size_t size, bool shared, long long limit)
{
	return monitor_open(limit) && (!shared || leave_memory_out(limit)) &&
	       command("{\"execute\": \"migrate-incoming\", \"arguments\": {\"uri\": "
		       "\"unix:" MIGRATION "\"}}",
		       limit) &&
	       send_state(data, size) && wait_for("\"RESUME\"", limit);
}
