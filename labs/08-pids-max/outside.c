/*
 * outside.c: the watcher, and forks that are counted.
 */
#define _GNU_SOURCE
#include "outside.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "kernel/cg.h"
#include "kernel/proc.h"
#include "kernel/sys.h"

enum { WATCH_MS = 10000 };

struct watcher watcher_start(const char *group)
{
	struct gate ready;
	int lab_there[2]; /* poll(2) reports a hang-up when the last process of the lab has ended */
	gate_init(&ready);
	if (pipe2(lab_there, O_CLOEXEC))
		die("pipe2");
	pid_t pid = FORK();
	if (pid == 0) {
		struct pollfd gone = {.fd = lab_there[0], .events = POLLIN};
		close(lab_there[1]);
		gate_open(&ready);
		int told;
		do
			told = poll(&gone, 1, WATCH_MS);
		while (told > 0 && read(lab_there[0], &(char){0}, 1) == 1);
		cg_kill_all(group);
		_exit(told == 0);
	}
	gate_wait(&ready);
	return (struct watcher){.pid = pid, .tell = lab_there[1]};
}

void watcher_tell(const struct watcher *watcher)
{
	if (write(watcher->tell, "", 1) != 1)
		die("write to the watcher");
}

bool watcher_has_acted(const struct watcher *watcher)
{
	return child_ended(watcher->pid, 0);
}

void watcher_stop(const struct watcher *watcher)
{
	MUST(kill(watcher->pid, SIGKILL));
	child_wait(watcher->pid);
}

long long forks_outside(int *made)
{
	struct timespec from, to;
	*made = 0;
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (int i = 0; i < FORKS; i++) {
		pid_t child = fork();
		if (child == 0)
			_exit(0);
		if (child > 0)
			*made += child_wait(child) == 0;
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	return (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
}
