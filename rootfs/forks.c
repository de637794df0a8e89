/* forks N: hold N children alive at once, then end them. */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char *argv[])
{
	char *end;
	long n = argc == 2 ? strtol(argv[1], &end, 10) : -1;
	if (n < 0 || *end || end == argv[1])
		errx(2, "expected: forks N, N a whole number");

	pid_t *child = calloc(n + 1, sizeof(*child)), parent = getpid();
	long held = 0;
	for (; child && held < n && (child[held] = fork()) > 0; held++)
		;
	if (child && held < n && child[held] == 0) {
		/* The parent may be dead before prctl() asked to hear of it. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		return getppid() == parent ? pause() : 0;
	}
	if (held < n)
		printf("forks: child %ld refused: %s\n", held + 1, strerrorname_np(errno));
	else
		printf("forks: %ld children held at once\n", n);

	for (long i = 0; i < held; i++)
		kill(child[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	return held < n;
}
