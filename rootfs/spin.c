/* spin [SECONDS] [--threads N]: burn CPU; without SECONDS until killed. */
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double seconds = INFINITY;

static void *burn(void *unused)
{
	struct timespec from, now;
	clock_gettime(CLOCK_MONOTONIC, &from);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while (now.tv_sec - from.tv_sec + (now.tv_nsec - from.tv_nsec) / 1e9 < seconds);
	return unused;
}

int main(int argc, char *argv[])
{
	double threads = 1, n;
	for (int i = 1; i < argc; i++) {
		int named = !strcmp(argv[i], "--threads") && i + 1 < argc;
		char *end, *text = argv[i += named];
		n = strtod(text, &end);
		if (!isdigit(*text) || *end || n > 1e9 || (named && (n < 1 || n != (int)n)))
			errx(2, "expected: spin [SECONDS] [--threads N], got '%s'", text);
		*(named ? &threads : &seconds) = n;
	}
	for (int i = 1; i < threads; i++)
		if ((errno = pthread_create(&(pthread_t){0}, NULL, burn, NULL)) != 0)
			err(1, "thread %d refused", i + 1);
	dprintf(1, "spin: threads %g, seconds %g\n", threads, seconds);
	return burn(NULL) != NULL;
}
