/*
 * proc.c: children, gates and /proc.
 */
#define _GNU_SOURCE
#include "kernel/proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kernel/file.h"
#include "kernel/sys.h"
#include "story/state.h"

enum { SLICE_MS = 200, PATIENCE_MS = 25000 };

int command_wait(pid_t pid)
{
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid(%d)", pid);
	undo_forget(pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int pidfd_of(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0); /* glibc wraps it from 2.36 only */
	if (fd < 0)
		die("pidfd_open(%d)", pid);
	return fd;
}

bool child_ended(pid_t pid, int ms)
{
	autoclose int fd = pidfd_of(pid);
	struct pollfd end = {.fd = fd, .events = POLLIN};
	int ready;
	while ((ready = poll(&end, 1, ms)) < 0)
		if (errno != EINTR)
			die("poll the pidfd of %d", pid);
	return ready > 0;
}

int child_wait(pid_t pid)
{
	if (pid <= 0) /* a fork() that failed: to wait for any child could be for ever */
		die("no child to wait for");
	siginfo_t unused;
	if (waitid(P_PID, (id_t)pid, &unused, WEXITED | WNOHANG | WNOWAIT))
		die("waitid(%d)", pid);
	/*
	 * In slices, so that a lab that is stopped for long, with its children, is not late;
	 * nor is one of whose children --step has made a wait.
	 */
	for (int waited = 0; !child_ended(pid, SLICE_MS); waited += shared->held ? 0 : SLICE_MS) {
		errno = 0;
		if (waited >= PATIENCE_MS)
			die("process %d was to end, and has not after %d s", pid,
				PATIENCE_MS / 1000);
	}
	int status = command_wait(pid);
	undo_if_over();
	return status;
}

int child_done(pid_t pid)
{
	int status = child_wait(pid);
	errno = 0;
	if (status > 128)
		die("process %d was to end by itself, and was killed by signal %d", pid,
			status - 128);
	return status;
}

/*
 * Nothing is ever written to it, and no child keeps the end for writing: its
 * hang-up is the end of the lab's first process, however that came.
 */
static int lab_alive[2] = {-1, -1};
static bool first = true;

void proc_child(void)
{
	if (lab_alive[1] >= 0)
		close(lab_alive[1]);
	lab_alive[1] = -1; /* the number will be another file's, in us and in our children */
	first = false;
}

void proc_init(void)
{
	if (pipe2(lab_alive, O_CLOEXEC))
		die("pipe2");
	pthread_atfork(NULL, NULL, proc_child);
}

void child_idle(void)
{
	struct pollfd lab_gone = {.fd = lab_alive[0]};
	while (poll(&lab_gone, 1, -1) < 0)
		;
	_exit(0);
}

void gate_init(struct gate *gate)
{
	gate->fd = eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
	if (gate->fd < 0)
		die("eventfd");
}

void gate_wait(struct gate *gate)
{
	uint64_t one;
	struct pollfd fds[] = {{.fd = gate->fd, .events = POLLIN}, {.fd = lab_alive[0]}};
	/* Another may have been faster, so that being told is not yet having passed. */
	for (int waited = 0; read(gate->fd, &one, sizeof one) != sizeof one; waited += SLICE_MS) {
		if (errno != EAGAIN && errno != EINTR)
			die("read of a gate");
		if (poll(fds, 2, SLICE_MS) < 0)
			fds[1].revents = 0;
		if (fds[1].revents & POLLHUP)
			_exit(130);
		undo_if_over();
		if (shared->count[BROKEN] && !first)
			_exit(3);
		if (shared->count[BROKEN])
			die_as_told();
		errno = 0;
		if (first && waited >= PATIENCE_MS)
			die("no process came to open a gate");
	}
}

void gate_open(struct gate *gate)
{
	if (!file_write_all(gate->fd, &(uint64_t){1}, sizeof(uint64_t)))
		die("write to a gate");
}

char *proc_status(pid_t pid, const char *key)
{
	autofree char *path = pid ? text("/proc/%d/status", pid) : text("/proc/self/status");
	autofree char *status = file_read(path);
	size_t length = strlen(key);
	for (char *line = strtok(status, "\n"); line; line = strtok(NULL, "\n"))
		if (!strncmp(line, key, length) && line[length] == ':') {
			for (char *tab = line; (tab = strchr(tab, '\t'));)
				*tab = ' ';
			return text("%s", line + length + 1 + strspn(line + length + 1, " "));
		}
	errno = 0;
	die("%s has no line %s", path, key);
}

static int by_number(const struct dirent **a, const struct dirent **b)
{
	return atoi((*a)->d_name) - atoi((*b)->d_name);
}

static int is_pid(const struct dirent *entry)
{
	return entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
}

char *proc_pids(void)
{
	struct dirent **entries;
	int count = scandir("/proc", &entries, is_pid, by_number);
	if (count < 0)
		die("read /proc");
	char *list = text("%s", "");
	for (int i = 0; i < count; i++) {
		autofree char *before = list;
		list = text("%s%s%s", before, i ? " " : "", entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return list;
}

long long proc_meminfo(const char *key)
{
	autofree char *meminfo = file_read("/proc/meminfo");
	size_t length = strlen(key);
	for (char *line = strtok(meminfo, "\n"); line; line = strtok(NULL, "\n"))
		if (!strncmp(line, key, length) && line[length] == ':')
			return strtoll(line + length + 1, NULL, 10) * 1024;
	errno = 0;
	die("/proc/meminfo has no line %s", key);
}

long ns_inode(pid_t pid, const char *name)
{
	autofree char *path =
		pid ? text("/proc/%d/ns/%s", pid, name) : text("/proc/self/ns/%s", name);
	struct stat st;
	if (stat(path, &st))
		die("stat %s", path);
	return (long)st.st_ino;
}
