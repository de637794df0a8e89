/* The clock that both ends of the lab VM measure time limits with. */
#ifndef UNBOXED_LABVM_CLOCK_H
#define UNBOXED_LABVM_CLOCK_H

#include <time.h>

/* Milliseconds on CLOCK_MONOTONIC, which no change of the date moves. */
static inline long long clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

#endif
