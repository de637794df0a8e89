/*
 * Exercise 11: exercise SECONDS COMMAND [ARG...]
 *
 * Run COMMAND so that its machine seems to have been up SECONDS longer. CRIU does this
 * when it moves a container here. The date and time of day stay. time_namespaces(7)
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

int main(int argc, char **argv)
{
	if (argc < 3)
		errx(2, "expected SECONDS COMMAND [ARG...]");
	char line[64];
	snprintf(line, sizeof line, "boottime %s 0\n", argv[1]);

	/* hole: make a time namespace for the children; write its offset while nobody is inside */
	if (unshare(CLONE_NEWTIME))
		err(1, "unshare");
	int fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, line, strlen(line)) < 0)
		err(1, "timens_offsets");
	close(fd);
	/* end */

	pid_t child = fork();
	if (child < 0)
		err(1, "fork");
	if (child == 0) {
		execvp(argv[2], argv + 2);
		err(127, "%s", argv[2]);
	}
	int status;
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
