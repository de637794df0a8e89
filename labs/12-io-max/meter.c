#include "meter.h"

#include <poll.h>
#include <sys/mman.h>
#include <time.h>

#include "disk.h"
#include "kernel/cg.h"
#include "kernel/sys.h"
#include "story/lab.h"

enum {
	WARM_USEC = 250000, /* The kernel lets a tenth of a second's worth pass at once. */
	NAP_USEC = 10000,   /* The lab sleeps so long again and again, and reads the clock. */
	LATE_USEC = 3000,   /* When it wakes up later than this, the machine had no CPU free. */
	FASTER = 2,         /* Without a limit the rate is at least twice as high. */
	MOST = 16,          /* At 16 times the limit the window ends early. */
};

long long window = 2000000;

long long now_usec(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

size_t block_size(long long bytes_per_second)
{
	size_t size = 65536;
	while (size > 4096 && (long long)size * 64 > bytes_per_second)
		size /= 2;
	return size;
}

void worker_prepare(struct worker *w)
{
	gate_init(&w->go), gate_init(&w->done);
	w->seen = mmap(
		NULL, sizeof *w->seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (w->seen == MAP_FAILED)
		die("mmap");
}

void window_open(struct worker *w)
{
	gate_wait(&w->go);
	w->seen->begin = w->seen->count = 0;
	w->seen->warm = now_usec() + WARM_USEC;
}

bool window_is_open(const struct worker *w)
{
	struct seen *seen = w->seen;
	long long now = now_usec();
	if (!seen->begin && now >= seen->warm) {
		seen->begin = now;
		seen->count = 0;
	}
	seen->end = now;
	return !seen->begin ||
	       (now - seen->begin < window &&
		       (!w->free || seen->count < MOST * w->limit * window / 1000000));
}

off_t window_offset(const struct worker *w)
{
	return (off_t)((size_t)w->seen->total % (DISK_SIZE / w->size) * w->size);
}

void window_count(const struct worker *w)
{
	w->seen->count++;
	w->seen->total++;
}

/* Sleeps until the window is over. Returns how much longer it slept than it had asked for. */
static long long sleep_through(const struct worker *w)
{
	struct pollfd done = {.fd = w->done.fd, .events = POLLIN};
	long long late = 0, before = now_usec(), slept;
	while (poll(&done, 1, NAP_USEC / 1000) == 0 && !child_ended(w->pid, 0)) {
		slept = now_usec() - before;
		late += slept > NAP_USEC + LATE_USEC ? slept - NAP_USEC : 0;
		before = now_usec();
	}
	return late;
}

enum noise worker_measure(struct worker *w)
{
	autoclose int lock = lab_lock_cpu();
	enum noise noise = NOISE_WRONG;
	for (int tries = 0; tries < 2 && noise != NOISE_NONE; tries++) {
		const struct seen *seen = w->seen;
		if (w->before)
			w->before();
		gate_open(&w->go);
		long long late = sleep_through(w);
		gate_wait(&w->done);
		long long length = seen->end > seen->begin ? seen->end - seen->begin : 1;
		w->rate = seen->count * 1000000 / length;
		noise = noise_of_rate(
			w->free ? FASTER * w->limit : w->limit, w->free, seen->count, length, late);
	}
	return noise;
}

void expect_rate(enum noise noise, const char *what, const struct worker *w, long long unit)
{
	if (noise == NOISE_BUSY)
		check_skip(what, "machine too busy", "run it again when it is idle");
	else if (w->free)
		expect_range(what, FASTER, 1000000, w->rate / w->limit);
	else
		expect_range(what, w->limit * unit * (100 - NOISE_PERCENT) / 100,
			w->limit * unit * (100 + NOISE_PERCENT) / 100, w->rate * unit);
}
