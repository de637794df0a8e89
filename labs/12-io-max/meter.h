/*
 * meter.h: a process that reads or writes block after block, and how many blocks it gets in
 * a second. All times are in microseconds.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "kernel/proc.h"
#include "story/noise.h"

extern long long window; /* how long a worker is measured */

/* What the worker counts, in a page that it shares with the lab. */
struct seen {
	long long warm, begin, end; /* begin is 0 as long as it is warming up */
	long long count;            /* blocks in the window */
	long long total;            /* blocks ever; io.stat is compared with it */
};

struct worker {
	const char *group;
	bool writes;
	size_t size;          /* of a block */
	long long limit;      /* the blocks in a second that a limit allows, or would allow */
	bool free;            /* no limit applies: the worker is expected to be far faster */
	void (*before)(void); /* what the lab does before each window, or NULL */

	pid_t pid;
	struct gate go, done;
	struct seen *seen;
	long long rate; /* blocks in a second, in the last window */
};

/* A size of which at least 64 blocks fit into a second, and no larger than 64 KiB. */
size_t block_size(long long bytes_per_second);

/* Before the worker is forked. */
void worker_prepare(struct worker *w);

/*
 * In the worker: window_open() waits for the lab; then each block is one turn of
 * "while (window_is_open(w)) { ...; window_count(w); }" at window_offset().
 */
void window_open(struct worker *w);
bool window_is_open(const struct worker *w);
off_t window_offset(const struct worker *w);
void window_count(const struct worker *w);

long long now_usec(void);

/*
 * In the lab: measures one window, under the lock of all that measure time; a second one when
 * the first was not as predicted. noise.h tells a busy machine from a wrong prediction.
 */
enum noise worker_measure(struct worker *w);

/*
 * Checks the rate, in units of which a block has so many: close to the limit, or without one at
 * least twice as fast. A machine that was too busy makes it one skipped check.
 */
void expect_rate(enum noise noise, const char *what, const struct worker *w, long long unit);
