/*
 * Exercise 06: exercise PID COMMAND [ARG...]
 *
 * Run COMMAND beside process PID, as docker run --network container:ID does: in the network
 * namespace and the UTS namespace of PID. All its other namespaces stay as they are. setns(2),
 * namespaces(7)
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 3)
		errx(2, "expected PID COMMAND [ARG...]");
	char path[64];

	snprintf(path, sizeof path, "/proc/%s/ns/net", argv[1]);
	/* hole: open the file of each namespace in /proc/PID/ns, and enter both */
	int net = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof path, "/proc/%s/ns/uts", argv[1]);
	int uts = open(path, O_RDONLY | O_CLOEXEC);
	if (net < 0 || uts < 0)
		err(1, "open %s", path);
	if (setns(net, CLONE_NEWNET) || setns(uts, CLONE_NEWUTS))
		err(1, "setns");
	/* end */

	execvp(argv[2], argv + 2);
	err(127, "%s", argv[2]);
}
