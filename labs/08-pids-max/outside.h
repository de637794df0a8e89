/*
 * outside.h: what goes on outside of the box: a watcher that ends a fork bomb which burns for too
 * long, and forks that are counted.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct watcher {
	pid_t pid;
	int tell; /* a pipe to it; a process that may outlive the lab has to close it */
};

/*
 * Starts the watcher and waits until it is ready. It kills all in group, by cg_kill_all(), ten
 * seconds after its start or the last watcher_tell(), and at once when the lab has ended.
 */
struct watcher watcher_start(const char *group);

void watcher_tell(const struct watcher *watcher);

/* True when the ten seconds are over, so that the bomb no longer burns. */
bool watcher_has_acted(const struct watcher *watcher);

void watcher_stop(const struct watcher *watcher);

enum { FORKS = 100 };

/* Forks FORKS times. Returns the milliseconds that it took; *made is how many forks worked. */
long long forks_outside(int *made);
