/* QEMU's process: started with the devices that the guest talks through, watched, ended. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../wire.h"
#include "end.h"
#include "logs.h"
#include "qemu.h"
#include "run_folder.h"
#include "signals.h"
#include "watcher.h"

static pid_t qemu;       /* 0 when it does not run */
static pid_t feeder;     /* the process of qemu_feed(); 0 when it has ended */
static int wait_status;  /* of a QEMU that has ended */
static int monitor = -1; /* our end of the socket */
static bool exit_port;   /* the guest has a device that ends QEMU */

/* ==== Its arguments: a comma or a colon in a path would end the option that the path is in. So
 * paths are relative to the run folder, where QEMU runs, or name descriptors. ==== */

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

/* Puts the NULL behind the last word that execvp(3) wants. */
static void end_arguments(void)
{
	add("%s", ""); /* makes room */
	free(arguments.word[--arguments.count]);
	arguments.word[arguments.count] = NULL;
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
	/* Before the disks: the device's index is in the names of the guest's ports. */
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
	add("-qmp"); /* of QEMU 7 and 11; 11 warns of -mon */
	add("chardev:qmp");
	if (how == RESTORE) {
		add("-incoming");
		add("defer");
	}
}

/* ==== Its start ==== */

static _Noreturn void become_qemu(pid_t parent)
{
	const struct rlimit log_limit = {LOGS_MAX, LOGS_MAX};

	signals_restore();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1); /* the client died before prctl(2) */
	/* A Ctrl-C on the terminal is for the guest's command, and not for QEMU. */
	setsid();
	/* A guest may print for ever. QEMU ignores SIGXFSZ, as we do, so only its writes to a log
	 * that is full fail. Where setrlimit(2) fails, the caller's own limit is lower. */
	setrlimit(RLIMIT_FSIZE, &log_limit);
	if (chdir(run_folder_path()) != 0)
		_exit(1);
	dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
	dup2(open("qemu.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), 1);
	dup2(1, 2);
	execvp(arguments.word[0], arguments.word);
	dprintf(2, "%s: %s\n", arguments.word[0], strerror(errno));
	_exit(127);
}

static void pass_on(int fd)
{
	if (fd >= 0)
		fcntl(fd, F_SETFD, 0);
}

int qemu_clean_status(void)
{
	return exit_port ? WIRE_EXIT_STATUS : 0;
}

void qemu_start(const struct machine *machine, enum start how, int memory)
{
	static bool killed_at_end;
	int pair[2] = {-1, -1};
	pid_t parent = getpid();

	if (monitor >= 0)
		close(monitor);
	monitor = -1;
	if (how != BOOT && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		die(STATUS_VM, "socketpair: %m");
	for (char **word = machine->qemu; *word; word++)
		exit_port |= strstr(*word, "isa-debug-exit") != NULL;
	add_all(machine->qemu);
	if (how != RESTORE)
		add_all(machine->boot);
	add_devices(machine, how, memory, pair[1]);
	end_arguments();

	if (!killed_at_end)
		end_also(qemu_kill);
	killed_at_end = true;
	qemu = fork();
	if (qemu < 0)
		die(STATUS_VM, "fork: %m");
	if (qemu == 0) {
		pass_on(memory);
		pass_on(machine->system);
		pass_on(machine->labs);
		pass_on(pair[1]);
		become_qemu(parent);
	}
	forget_arguments();
	if (pair[1] >= 0)
		close(pair[1]);
	monitor = pair[0];
}

int qemu_monitor(void)
{
	return monitor;
}

bool qemu_feed(int fd, const char *data, size_t size)
{
	feeder = fork();
	if (feeder == 0) {
		watcher_leave();
		for (ssize_t n; size > 0 && (n = write(fd, data, size)) > 0; data += n)
			size -= n;
		_exit(0);
	}
	return feeder > 0;
}

/* ==== Its end ==== */

void qemu_reap(void)
{
	if (feeder > 0 && waitpid(feeder, NULL, WNOHANG) == feeder)
		feeder = 0;
	if (qemu > 0 && waitpid(qemu, &wait_status, WNOHANG) == qemu)
		qemu = 0;
}

bool qemu_runs(void)
{
	return qemu > 0;
}

int qemu_status(void)
{
	return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

int qemu_signal(void)
{
	return qemu == 0 && WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
}

void qemu_kill(void)
{
	if (qemu <= 0)
		return;
	kill(qemu, SIGKILL);
	waitpid(qemu, &wait_status, 0);
	qemu = 0;
}

void qemu_attend(void)
{
	for (int sig; (sig = signals_next());) {
		if (sig == SIGTSTP)
			kill(getpid(), SIGSTOP);
		if (sig == SIGINT || sig == SIGTERM || sig == SIGHUP || sig == SIGQUIT)
			end_with(128 + sig);
	}
	qemu_reap();
}
