/*
 * A process that reads or writes block after block, and the measuring of how
 * many it gets: plumbing of main.c and more.c. All times are in usec.
 */
#pragma once

#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

#include "kernel/cg.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"

enum {
	WARM_USEC = 250000, /* a new limit gives a tenth of a second's worth at once */
	NAP_USEC = 10000,   /* for so long the lab sleeps again and again, and looks at the clock */
	LATE_USEC = 3000,   /* woken so much later: nobody here was given the CPU */
	FASTER = 2,         /* so many times the limit is the least without it */
	MOST = 16,          /* and at so many it is enough */
};

static long long window = 2000000; /* for so long it is measured */

/* What the process has counted, in a page that it shares with the lab. */
struct seen {
	long long warm, begin, end; /* begin is 0 until it is warm */
	long long count;            /* blocks in the window */
	long long total;            /* blocks ever, by which io.stat can be checked */
};

struct worker {
	const char *group;
	bool writes;
	size_t size;          /* of a block */
	long long limit;      /* blocks in a second that are, or would be, allowed */
	bool free;            /* nothing limits it: it must be faster */
	void (*before)(void); /* what the lab does before each window, or NULL */

	pid_t pid;
	struct gate go, done;
	struct seen *seen;
	long long rate; /* blocks in a second, in the last window */
};

static long long usec(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

/* Blocks of which at least 64 fit into a second, and no larger than 64 KiB. */
static size_t block_size(long long bytes_per_second)
{
	size_t size = 65536;
	while (size > 4096 && (long long)size * 64 > bytes_per_second)
		size /= 2;
	return size;
}

/* Before the process is born in its group. */
static void prepare(struct worker *w)
{
	gate_init(&w->go), gate_init(&w->done);
	w->seen = mmap(
		NULL, sizeof *w->seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (w->seen == MAP_FAILED)
		die("mmap");
}

/* ---- In that process ---- */

static void window_opens(struct worker *w)
{
	gate_wait(&w->go);
	w->seen->begin = w->seen->count = 0;
	w->seen->warm = usec() + WARM_USEC;
}

/* Before each block, and so right after the one before it. */
static bool window_is_open(const struct worker *w)
{
	struct seen *seen = w->seen;
	long long now = usec();
	if (!seen->begin && now >= seen->warm) {
		seen->begin = now;
		seen->count = 0;
	}
	seen->end = now;
	return !seen->begin ||
	       (now - seen->begin < window &&
		       (!w->free || seen->count < MOST * w->limit * window / 1000000));
}

/* Where the next block is. */
static off_t window_place(const struct worker *w, size_t place)
{
	return (off_t)((size_t)w->seen->total % (place / w->size) * w->size);
}

static void window_count(const struct worker *w)
{
	w->seen->count++;
	w->seen->total++;
}

/* ---- In the lab ---- */

/* Sleeps until the window is over; how much later than it wanted it was woken, in all. */
static long long late(const struct worker *w)
{
	struct pollfd done = {.fd = w->done.fd, .events = POLLIN};
	long long sum = 0, before = usec(), slept;
	while (poll(&done, 1, NAP_USEC / 1000) == 0 && !child_ended(w->pid, 0)) {
		slept = usec() - before;
		sum += slept > NAP_USEC + LATE_USEC ? slept - NAP_USEC : 0;
		before = usec();
	}
	return sum;
}

/*
 * A window under the lock; a second one when the first was not as predicted.
 * False when the machine had no CPU to give even then: it was too slow, and the
 * lab, which did nothing but sleep meanwhile, was late for half as long as is
 * missing. What is too fast is never the machine's fault.
 */
static bool measure(struct worker *w)
{
	autoclose int lock = lab_lock_cpu();
	bool as_predicted = false, quiet = false;
	for (int tries = 0; tries < 2 && !as_predicted; tries++) {
		const struct seen *seen = w->seen;
		if (w->before)
			w->before();
		gate_open(&w->go);
		long long lost = late(w);
		gate_wait(&w->done);
		long long length = seen->end > seen->begin ? seen->end - seen->begin : 1;
		long long least = w->free ? FASTER * w->limit : w->limit;
		long long missing = length - seen->count * 1000000 / least;
		w->rate = seen->count * 1000000 / length;
		as_predicted =
			missing * 100 <= length * 15 && (w->free || -missing * 100 <= length * 15);
		quiet = as_predicted || missing < 0 || missing > 2 * lost;
	}
	return quiet;
}

/* The rate in units of so many to the block must be what the limit says, or far more without. */
static void judge(bool quiet, const char *what, const struct worker *w, long long unit)
{
	if (!quiet)
		check_skip(what, "machine too busy", "run it again when it is idle");
	else if (w->free)
		expect_range(what, FASTER, 1000000, w->rate / w->limit);
	else
		expect_range(what, w->limit * unit * 85 / 100, w->limit * unit * 115 / 100,
			w->rate * unit);
}
