/* forks N: hold N children alive at once, then end them. */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "names.h"

int main(int argc, char *argv[])
{
	char *end;
	long n = argc == 2 ? strtol(argv[1], &end, 10) : -1;
	if (n < 0 || *end || end == argv[1])
		errx(2, "expected: forks N, N a whole number");

	/* The children wait for the end of a pipe, which is ours, however it comes. */
	int pair[2];
	long held = 0;
	pid_t child = -1;
	if (pipe(pair) == 0)
		for (; held < n && (child = fork()) > 0; held++)
			;
	if (child == 0) {
		char byte;
		close(pair[1]);
		return read(pair[0], &byte, 1) != 0;
	}
	if (held < n)
		printf("forks: child %ld refused: %s\n", held + 1, strerrorname_np(errno));
	else
		printf("forks: %ld children held at once\n", n);
	close(pair[1]);
	while (wait(NULL) > 0)
		;
	return held < n;
}
