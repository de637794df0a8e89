/*
 * Exercise 10: exercise GROUP REQUESTS SEED
 *
 * A service with a cache was killed one night. It answers each request from a block
 * of memory that is expensive to build, never frees a block, and ends with 137.
 * It runs in GROUP, which has a memory.max. Make it survive there: keep only as many
 * blocks as fit below the limit, and evict the oldest one. The cache has to stay
 * useful: use at least half of the limit for it. cgroup-v2.rst on memory.max
 */
#define _GNU_SOURCE
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK (64 << 10)
#define KEYS 4096

static char *cache[KEYS]; /* the block of each key, or NULL */
static int order[KEYS];   /* the keys that have a block; the oldest is at first */
static int first, count;

/* Reads the number in a file of GROUP; -1 stands for "max". */
static long long number_in(const char *group, const char *file)
{
	char path[4096];
	long long number = -1;
	snprintf(path, sizeof path, "%s/%s", group, file);
	FILE *stream = fopen(path, "r");
	if (!stream)
		err(1, "%s", path);
	if (fscanf(stream, "%lld", &number) != 1)
		number = -1;
	fclose(stream);
	return number;
}

/* Returns how many blocks the cache may hold. */
static int room(const char *group)
{
	int blocks = KEYS;
	/* hole: compute how many blocks fit below memory.max; leave room for the program itself */
	long long limit = number_in(group, "memory.max");
	if (limit > 0)
		blocks = (int)(limit * 3 / 4 / BLOCK);
	/* end */
	return blocks < KEYS ? blocks : KEYS;
}

static const char *look_up(int key, int most)
{
	if (!cache[key]) {
		/* hole: when the cache is full, evict the oldest block */
		if (count == most) {
			free(cache[order[first]]);
			cache[order[first]] = NULL;
			first = (first + 1) % KEYS;
			count--;
		}
		/* end */
		cache[key] = malloc(BLOCK);
		if (!cache[key])
			err(1, "malloc");
		memset(cache[key], 1 + key % 100, BLOCK);
		order[(first + count++) % KEYS] = key;
	}
	return cache[key];
}

int main(int argc, char **argv)
{
	if (argc != 4)
		errx(2, "expected GROUP REQUESTS SEED");
	int most = room(argv[1]), requests = atoi(argv[2]);
	unsigned int next = (unsigned int)atoi(argv[3]);
	long long sum = 0;

	for (int i = 0; i < requests; i++) {
		next = (next * 1103515245 + 12345) % 2147483648;
		sum += look_up((int)(next / 65536 % KEYS), most)[i % BLOCK];
	}
	printf("%lld\n", sum);
	return 0;
}
