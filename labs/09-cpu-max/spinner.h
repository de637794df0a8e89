/*
 * Processes that only burn CPU, and the measuring of what they got: plumbing of
 * main.c and more.c. All times are in usec.
 */
#pragma once

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"
#include "story/noise.h"

enum {
	CELLS = 200,        /* so many parts has a window */
	STILL_USEC = 5000,  /* two looks at the clock so far apart: it stood still between them */
	STOLEN_USEC = 2000, /* the same, and yet it ran: a host took our CPU without our kernel */
};

static long long window = 2000000; /* for so long it is measured */

/* What a spinner has seen in its window, in a page that it shares with the lab. */
struct seen {
	long long length;      /* until the last of its threads had ended it */
	long long ran;         /* all its threads together, as the next two */
	long long still;       /* they did not run */
	long long stolen;      /* of what they ran */
	long long cell[CELLS]; /* what its first thread ran in each 200th of the window */
};

struct spinner {
	const char *group;
	const char *limiter; /* whose cpu.stat counts the throttling; the group's own where NULL */
	int threads;         /* 0 is 1 */
	const cpu_set_t *each; /* each thread on a CPU of its own among these; NULL: anywhere */
	long long predicted;   /* its CPU time in a window */
	long long
		stands; /* how long each thread does not run in it; 0: nothing is expected of it */

	pid_t pid;
	struct gate go, done;
	struct seen *seen;
	long long end;                                    /* of the window, for its threads */
	long long length, used, throttles, throttled_for; /* the last window, by cpu.stat */
};

static long long usec(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

/* The nth CPU of a set, or -1. */
static int nth_cpu(const cpu_set_t *set, int n)
{
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, set) && n-- == 0)
			return cpu;
	return -1;
}

/*
 * A name for top(1). It is also what lets strace(1) with --seccomp-bpf go: until
 * a process has made a call that is traced, it is stopped at each of all others.
 */
static void own_name(void)
{
	file_try_write("/proc/thread-self/comm", "spinner"); /* for ps; no part of the story */
}

static void own_cpu(const struct spinner *s, int n)
{
	cpu_set_t one;
	CPU_ZERO(&one);
	if (s->each)
		CPU_SET(nth_cpu(s->each, n), &one);
	if (s->each && sched_setaffinity(0, sizeof one, &one))
		die("sched_setaffinity");
}

/* From then on it ran for so long: a host that takes a CPU parts two looks by more than a cell. */
static void note(struct seen *seen, long long at, long long ran)
{
	while (ran > 0 && at < window) {
		long long i = at * CELLS / window,
			  rest = ((i + 1) * window + CELLS - 1) / CELLS - at;
		long long part = ran < rest ? ran : rest;
		seen->cell[i] += part;
		at += part;
		ran -= part;
	}
}

/* A thread's window: burns, and notes when it had the CPU. cpu: what it had at its begin. */
static void burn(struct spinner *s, long long cpu, bool noting)
{
	struct seen *seen = s->seen;
	long long begin = s->end - window, now = begin, stood = 0, stolen = 0;
	while (now < s->end) {
		long long ran = usec(CLOCK_THREAD_CPUTIME_ID) - cpu;
		long long then = usec(CLOCK_MONOTONIC);
		long long still = then - now - ran, left = s->end - now;
		if (noting)
			note(seen, now - begin, ran);
		stolen += ran > STOLEN_USEC ? ran : 0;
		/* Less than nothing when what it ran was not yet seen the last time. */
		if (llabs(still) > STILL_USEC)
			stood += still < left ? still : left;
		cpu += ran;
		now = then;
	}
	__atomic_add_fetch(&seen->still, stood, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&seen->stolen, stolen, __ATOMIC_SEQ_CST);
}

static void *further_thread(void *spinner)
{
	struct spinner *s = spinner;
	own_name();
	own_cpu(s, 1);
	burn(s, 0, false);
	return NULL;
}

/* The child's body: burns a window whenever the gate opens. */
static _Noreturn void spin(struct spinner *s)
{
	struct seen *seen = s->seen;
	pthread_attr_t small; /* The C library keeps it, for it aborts where it cannot unmap one. */
	own_name();
	own_cpu(s, 0);
	if ((errno = pthread_attr_init(&small)) ||
		(errno = pthread_attr_setstacksize(&small, 256 << 10)))
		die("pthread_attr_setstacksize");
	for (;;) {
		pthread_t threads[16] = {0};
		gate_wait(&s->go);
		memset(seen, 0, sizeof *seen);
		long long before = usec(CLOCK_PROCESS_CPUTIME_ID);
		long long begin = usec(CLOCK_MONOTONIC), cpu = usec(CLOCK_THREAD_CPUTIME_ID);
		s->end = begin + window;
		for (int i = 1; i < s->threads; i++)
			if ((errno = pthread_create(&threads[i], &small, further_thread, s)) != 0)
				die("pthread_create");
		burn(s, cpu, true);
		for (int i = 1; i < s->threads; i++)
			pthread_join(threads[i], NULL);
		seen->length = usec(CLOCK_MONOTONIC) - begin;
		seen->ran = usec(CLOCK_PROCESS_CPUTIME_ID) - before;
		gate_open(&s->done);
	}
}

/* Before a spinner is born in its group. */
static void prepare(struct spinner *s)
{
	gate_init(&s->go), gate_init(&s->done);
	s->seen = mmap(
		NULL, sizeof *s->seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s->seen == MAP_FAILED)
		die("mmap");
}

/* The group's own account: read before (-1) and after (+1) a window. */
static void account(struct spinner *s, int sign)
{
	const char *limiter = s->limiter ? s->limiter : s->group;
	if (sign < 0)
		s->length = s->used = s->throttles = s->throttled_for = 0;
	s->length += sign * usec(CLOCK_MONOTONIC);
	s->used += sign * cg_read_key(s->group, "cpu.stat", "usage_usec");
	s->throttles += sign * cg_read_key(limiter, "cpu.stat", "nr_throttled");
	s->throttled_for += sign * cg_read_key(limiter, "cpu.stat", "throttled_usec");
}

/* For how long these CPUs had nothing to do since the machine was booted; proc_stat(5) */
static long long idle(const cpu_set_t *cpus)
{
	autofree char *stat = file_read("/proc/stat");
	long long sum = 0, ticks;
	int cpu;
	for (char *line = strtok(stat, "\n"); line; line = strtok(NULL, "\n"))
		if (line[3] != ' ' && sscanf(line, "cpu%d %*d %*d %*d %lld", &cpu, &ticks) == 2 &&
			CPU_ISSET(cpu, cpus))
			sum += ticks;
	return sum * 1000000 / sysconf(_SC_CLK_TCK);
}

/* What its first thread ran within its window. */
static long long noted(const struct seen *seen)
{
	long long sum = 0;
	for (int i = 0; i < CELLS; i++)
		sum += seen->cell[i];
	return sum;
}

/* What noise.h has to know of the spinner's last window. */
static struct noise_cpu measured(const struct spinner *s, bool own_group)
{
	const struct seen *seen = s->seen;
	return (struct noise_cpu){
		.predicted = s->predicted,
		.predicted_still = s->stands,
		.threads = s->threads ? s->threads : 1,
		.length = seen->length,
		.ran = seen->ran,
		.still = seen->still,
		.stolen = seen->stolen,
		.noted = noted(seen),
		.own_group = own_group,
		.group_length = s->length,
		.group_ran = s->used,
	};
}

/* Sleeps through a window, and returns for how long it slept more than it had asked for. */
static long long machine_stood(void)
{
	long long stood = 0;
	for (long long now = usec(CLOCK_MONOTONIC), end = now + window; now < end;) {
		poll(NULL, 0, 20);
		long long then = usec(CLOCK_MONOTONIC), late = then - now - 20000;
		stood += late > STILL_USEC ? late : 0;
		now = then;
	}
	return stood;
}

/*
 * Measures a window of each of n spinners at the same time, and once more when the first was not as
 * predicted. cpus is where they may run. False when the machine was too busy both times: noise.h
 */
static bool measure(struct spinner *const s[], int n, const cpu_set_t *cpus)
{
	autoclose int lock = lab_lock_cpu();
	enum noise noise = NOISE_BUSY;
	for (int tries = 0; tries < 2 && noise != NOISE_NONE; tries++) {
		struct noise_cpu process[2];
		long long left = -idle(cpus);
		for (int i = 0; i < n; i++)
			account(s[i], -1);
		for (int i = 0; i < n; i++)
			gate_open(&s[i]->go);
		long long stood = machine_stood();
		for (int i = 0; i < n; i++)
			gate_wait(&s[i]->done);
		left += idle(cpus);
		for (int i = 0; i < n; i++) {
			account(s[i], 1);
			process[i] = measured(s[i], n < 2 || s[0]->group != s[1]->group);
		}
		noise = noise_of_cpu(process, n, window, left);
		/* Of a machine that stood for a tenth of the window nothing can be said. */
		if (noise == NOISE_WRONG && stood * 10 > window)
			noise = NOISE_BUSY;
	}
	return noise != NOISE_BUSY;
}

/* Checks a measured value, but skips the check when the machine was too busy. */
static void expect_measured_range(
	bool quiet, const char *what, long long low, long long high, long long seen)
{
	if (quiet)
		expect_range(what, low, high, seen);
	else
		check_skip(what, "machine too busy", "run it again when it is idle");
}

/* The same: the value has to be within 15 % of the predicted one. */
static void expect_measured(bool quiet, const char *what, long long predicted, long long observed)
{
	expect_measured_range(quiet, what, predicted * (100 - NOISE_PERCENT) / 100,
		predicted * (100 + NOISE_PERCENT) / 100, observed);
}

/* A check for which two CPUs are needed, where there is only one. */
static void skip_on_one_cpu(const char *what)
{
	check_skip(what, "there is one CPU", "give this machine two CPUs");
}
