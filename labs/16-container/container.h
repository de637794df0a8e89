/*
 * container.h: what a container is to be, and once it runs, what it is.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "powers.h"
#include "program.h"
#include "root.h"

struct container {
	char id[65]; /* 64 hex digits */
	const char *name, *hostname;
	struct root root;
	struct powers powers;
	const char *workdir;
	char **environment, **command;
	long long memory, cpus, pids; /* bytes, thousandths, tasks; 0: no limit */
	bool bridge, tty, init, grouped;
	int output; /* where its stderr goes; 0: where ours goes */
	bool quiet; /* the story has shown such a life before */
	int number; /* of its address; 0: the next one that is free */
	/* Once it runs: */
	char *group; /* the folder of its group; NULL without one */
	pid_t pid;
	int pidfd, channel, terminal; /* the last: the pty's master, or -1 */
	char address[16];
};
