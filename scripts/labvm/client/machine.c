/*
 * QEMU: started with the devices that the guest talks through, asked by QMP, and told to save or to
 * restore the machine by its migration. (docs/interop/qmp-intro and docs/devel/migration of QEMU.)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"

/* Paths inside QEMU's comma-separated options are relative to the run folder, or descriptors: a
 * comma or a colon in a path of the user's would end the option that it stands in. */
#define MIGRATION "migration"

static int monitor = -1; /* the socket to QMP */

/* What QEMU has said. An answer is a line of its own, and begins as these do. */
static char said[65536];
static size_t said_len;

/* ==== The start ==== */

static struct {
	char **word;
	int count, room;
} arguments;

__attribute__((format(printf, 1, 2))) static void add(const char *format, ...)
{
	va_list args;

	if (arguments.count == arguments.room) {
		arguments.room = 2 * arguments.room + 64;
		arguments.word =
			need(realloc(arguments.word, arguments.room * sizeof(*arguments.word)));
	}
	va_start(args, format);
	if (vasprintf(&arguments.word[arguments.count++], format, args) < 0)
		die(STATUS_VM, "out of memory");
	va_end(args);
}

static void add_all(char **words)
{
	while (*words)
		add("%s", *words++);
}

static void forget_arguments(void)
{
	while (arguments.count > 0)
		free(arguments.word[--arguments.count]);
}

static void add_disk(const char *name, int fd)
{
	if (fd < 0)
		return;
	add("-blockdev");
	add("driver=raw,node-name=%s,read-only=on,file.driver=file,file.filename=/proc/self/fd/%d",
		name, fd);
	add("-device");
	add("virtio-blk-pci,drive=%s,serial=%s", name, name);
}

static void add_devices(const struct machine *machine, enum start how, int memory, int qmp_end)
{
	add("-object");
	if (memory < 0)
		add("memory-backend-ram,id=memory,size=%dM", machine->memory);
	else
		add("memory-backend-file,id=memory,size=%dM,share=%s,mem-path=/proc/self/fd/%d",
			machine->memory, how == RESTORE ? "off" : "on", memory);
	add("-serial");
	add("file:console.log");
	/* Before the disks: its index is in the names of the guest's ports. */
	add("-device");
	add("virtio-serial-pci,max_ports=%d", WIRE_PORTS + 1);
	for (int i = 0; i < WIRE_PORTS; i++) {
		add("-chardev");
		add("socket,id=lab%d,path=%d,server=on,wait=off", i, i);
		add("-device");
		add("virtserialport,chardev=lab%d,name=lab.%d,nr=%d", i, i, i + 1);
	}
	add_disk("system", machine->system);
	add_disk("labs", machine->labs);
	if (how == BOOT)
		return;
	add("-chardev");
	add("socket,id=qmp,fd=%d", qmp_end);
	add("-mon");
	add("chardev=qmp,mode=control");
	if (how == RESTORE) {
		add("-incoming");
		add("defer");
	}
}

static _Noreturn void become_qemu(pid_t parent)
{
	const struct rlimit log_limit = {LOG_MAX, LOG_MAX};

	in_child();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	/* Away from the terminal's signals: those are for the guest's command. */
	setsid();
	/* A guest may print for ever. QEMU ignores SIGXFSZ as we do, so only its writes to a full
	 * log fail. Where setrlimit(2) fails, the caller's own limit is lower. */
	setrlimit(RLIMIT_FSIZE, &log_limit);
	if (chdir(vm.run) != 0)
		_exit(1);
	dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
	dup2(open("qemu.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), 1);
	dup2(1, 2);
	execvp(arguments.word[0], arguments.word);
	dprintf(2, "%s: %s\n", arguments.word[0], strerror(errno));
	_exit(127);
}

void start_qemu(const struct machine *machine, enum start how, int memory)
{
	const int passed[] = {memory, machine->system, machine->labs};
	int pair[2] = {-1, -1};
	pid_t parent = getpid();

	if (monitor >= 0)
		close(monitor);
	monitor = -1;
	said_len = 0;
	if (how != BOOT && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		die(STATUS_VM, "socketpair: %m");
	add_all(machine->qemu);
	if (how != RESTORE)
		add_all(machine->boot);
	add_devices(machine, how, memory, pair[1]);
	add("%s", ""); /* makes room for the NULL */
	free(arguments.word[--arguments.count]);
	arguments.word[arguments.count] = NULL;

	vm.qemu = fork();
	if (vm.qemu < 0)
		die(STATUS_VM, "fork: %m");
	if (vm.qemu == 0) {
		for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
			if (passed[i] >= 0)
				fcntl(passed[i], F_SETFD, 0);
		if (pair[1] >= 0)
			fcntl(pair[1], F_SETFD, 0);
		become_qemu(parent);
	}
	forget_arguments();
	if (pair[1] >= 0)
		close(pair[1]);
	monitor = pair[0];
}

/* ==== QMP ==== */

/* Reads what there is. False when QEMU has ended. */
static bool hear(long long until)
{
	struct pollfd fd[2] = {{vm.signals, POLLIN, 0}, {monitor, POLLIN, 0}};
	long long wait = until - now_ms();

	handle_early_signals();
	poll(fd, 2, wait < 0 ? 0 : wait < 500 ? (int)wait : 500);
	handle_early_signals();
	if (!fd[1].revents)
		return vm.qemu;
	ssize_t n = recv(monitor, said + said_len, sizeof(said) - 1 - said_len, MSG_DONTWAIT);

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	said_len += n;
	said[said_len] = '\0';
	return true;
}

/* Whether QEMU has said word since it was started: an event, or part of an answer. */
static bool qmp_said(const char *word, long long limit)
{
	long long until = now_ms() + limit;

	for (;;) {
		said[said_len] = '\0';
		if (strstr(said, word))
			return true;
		if (now_ms() > until || !hear(until))
			return false;
	}
}

/* Sends a QMP command, one JSON object, and waits for its answer. False when it is an error, or
 * when none comes within limit milliseconds. */
static bool qmp(const char *command, long long limit)
{
	long long until = now_ms() + limit;
	size_t line = said_len, len = strlen(command);

	if (sizeof(said) - said_len < 4096) /* events that nobody waits for any more */
		line = said_len = 0;
	if (send(monitor, command, len, MSG_NOSIGNAL) != (ssize_t)len)
		return false;
	for (;;) {
		char *end = memchr(said + line, '\n', said_len - line);

		if (!end) {
			if (now_ms() > until || !hear(until))
				return false;
			continue;
		}
		if (strncmp(said + line, "{\"return\"", 9) == 0)
			return true;
		if (strncmp(said + line, "{\"error\"", 8) == 0) {
			tell("%s: QEMU says %.*s", command, (int)(end - said - line), said + line);
			return false;
		}
		line = end + 1 - said;
	}
}

bool qmp_open(long long limit)
{
	return qmp_said("\"QMP\"", limit) && qmp("{\"execute\": \"qmp_capabilities\"}", limit);
}

/* Memory that is a file of its own then stays out of what is sent. */
static bool leave_memory_out(long long limit)
{
	return qmp("{\"execute\": \"migrate-set-capabilities\", \"arguments\": {\"capabilities\": "
		   "[{\"capability\": \"x-ignore-shared\", \"state\": true}]}}",
		limit);
}

/* ==== Saving and restoring ==== */

static int migration_socket(int (*attach)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/" MIGRATION, vm.run);
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
		handle_early_signals();
		if (*size == room)
			data = need(realloc(data, room *= 2));
		ssize_t n = recv(fd, data + *size, room - *size, MSG_DONTWAIT);

		if (n == 0)
			return data;
		if (n > 0)
			*size += n;
		if (n < 0 && (errno != EAGAIN || now_ms() > until || !vm.qemu)) {
			free(data);
			return NULL;
		}
	}
}

char *migrate_out(size_t *size, bool *shared, long long limit)
{
	long long until = now_ms() + limit;
	int listening = migration_socket(bind);
	char *data = NULL;

	if (listening < 0)
		return NULL;
	if (listen(listening, 1) == 0) {
		*shared = *shared && leave_memory_out(limit);
		if (qmp("{\"execute\": \"migrate\", \"arguments\": {\"uri\": \"unix:" MIGRATION
			"\"}}",
			    limit)) {
			struct pollfd ready = {listening, POLLIN, 0};
			int fd = -1;

			while (fd < 0 && vm.qemu && now_ms() < until) {
				handle_early_signals();
				if (poll(&ready, 1, 100) == 1)
					fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
			}
			data = fd < 0 ? NULL : read_all(fd, size, until);
			if (fd >= 0)
				close(fd);
		}
	}
	close(listening);
	/* The end of what was sent is not yet the word that all of it was. */
	while (data && now_ms() < until) {
		said_len = 0;
		if (!qmp("{\"execute\": \"query-migrate\"}", limit) || strstr(said, "\"failed\""))
			break;
		if (strstr(said, "\"completed\""))
			return data;
		poll(NULL, 0, 5);
	}
	free(data);
	return NULL;
}

bool machine_goes_on(long long limit)
{
	return qmp("{\"execute\": \"cont\"}", limit);
}

/* A process of its own writes it, because QEMU reads when it likes. */
static bool feed(const char *data, size_t size)
{
	int fd = migration_socket(connect);
	pid_t pid = fd < 0 ? -1 : fork();

	if (pid == 0) {
		in_helper();
		for (ssize_t n; size > 0 && (n = write(fd, data, size)) > 0; data += n)
			size -= n;
		_exit(0);
	}
	if (fd >= 0)
		close(fd);
	vm.feeder = pid;
	return pid > 0;
}

bool migrate_in(const char *data, size_t size, bool shared, long long limit)
{
	return qmp_open(limit) && (!shared || leave_memory_out(limit)) &&
	       qmp("{\"execute\": \"migrate-incoming\", \"arguments\": {\"uri\": \"unix:" MIGRATION
		   "\"}}",
		       limit) &&
	       feed(data, size) && qmp_said("\"RESUME\"", limit);
}
