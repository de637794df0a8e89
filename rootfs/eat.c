/* eat SIZE [--no-touch] [--hold]: take memory; without a touch the kernel has only promised it. */
#define _GNU_SOURCE
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "names.h"

int main(int argc, char *argv[])
{
	int touch = 1, hold = 0, bad = argc < 2;
	for (int i = 2; i < argc; i++)
		if (!strcmp(argv[i], "--no-touch"))
			touch = 0;
		else if (!strcmp(argv[i], "--hold"))
			hold = 1;
		else
			bad = 1;
	unsigned long long n;
	char unit[3] = "b", rest = 0;
	/* %llu alone would take a sign. */
	if (bad || !isdigit(*argv[1]) || sscanf(argv[1], "%llu%2s%c", &n, unit, &rest) < 1)
		errx(2, "expected: eat SIZE [--no-touch] [--hold], SIZE such as 64M");
	const char *place = strchr("bkmg", unit[0] | 0x20);
	int bits = place ? (int)(place - strchr("bkmg", 'b')) * 10 : 0;
	if (!place || rest || (unit[1] && (unit[1] != 'i' || !bits)) || n >= 1ULL << (63 - bits))
		errx(2, "expected SIZE such as 64M (b k m g, Ki Mi Gi), got '%s'", argv[1]);

	unsigned long long bytes = n << bits;
	size_t size = bytes, page = sysconf(_SC_PAGESIZE);
	char *memory = MAP_FAILED;
	errno = ENOMEM; /* What has no address in 32 bits is refused as the kernel refuses it. */
	if (size == bytes)
		memory = mmap(
			NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED && bytes)
		errx(1, "mmap of %llu bytes refused: %s", bytes, strerrorname_np(errno));
	for (size_t at = 0; touch && at < size; at += page)
		memory[at] = 1;
	printf("eat: %zu bytes allocated%s\n", size, touch ? " and touched" : ", none touched");
	fflush(stdout);
	return hold ? pause() : 0;
}
