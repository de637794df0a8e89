/*
 * noise.h: a measurement is not as predicted. Did the kernel do that, or a busy machine?
 *
 * The labs that measure time collect the numbers; here is only the arithmetic. All times are in
 * microseconds.
 */
#pragma once

#include <stdbool.h>

enum { NOISE_PERCENT = 15 }; /* a measurement so close to its prediction is as predicted */

enum noise {
	NOISE_NONE,  /* as predicted */
	NOISE_BUSY,  /* not as predicted, but a busy machine explains it: it proves nothing */
	NOISE_WRONG, /* not as predicted, and a busy machine does not explain it */
};

/* True when observed differs from expected by at most percent of expected. */
bool noise_near(long long expected, long long observed, int percent);

/* The CPU time of one process in a window, by its own clocks and by its group's cpu.stat. */
struct noise_cpu {
	long long predicted;       /* its CPU time in a window */
	long long predicted_still; /* how long each thread does not run; 0: that does not matter */

	int threads;      /* 1 or more */
	long long length; /* from the start of its window until its last thread had ended it */
	long long ran;    /* the CPU time of all its threads */
	long long still;  /* how long they did not run, added up */
	long long stolen; /* of what they ran: a hypervisor had taken the CPU, unknown to the kernel
			   */
	long long noted;  /* the CPU time that its first thread has noted within the window */

	bool own_group; /* nothing else runs in its group, so the next two are about it alone */
	long long group_length; /* between the two times when the lab read cpu.stat */
	long long group_ran;    /* by how much usage_usec has grown */
};

/*
 * Judges processes that were measured in the same window. idle is how long the CPUs that they may
 * use had nothing to do meanwhile. The machine explains less CPU time than predicted when these
 * CPUs were not idle for half of what is missing. It explains a small difference when a hypervisor
 * took that much, or when the process and its group were not measured over the same time.
 */
enum noise noise_of_cpu(
	const struct noise_cpu process[], int count, long long window, long long idle);

/*
 * Judges a rate: count events in length, where predicted of them a second were expected, or, with
 * at_least, that many or more. late is how much longer than it had asked for a sleeping observer
 * slept in that time. The machine explains a rate that is too low when the observer was late for
 * half of the missing time. It never explains a rate that is too high.
 */
enum noise noise_of_rate(
	long long predicted, bool at_least, long long count, long long length, long long late);
