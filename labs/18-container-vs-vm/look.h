/*
 * look.h: what is to be seen of them in our own /proc: which processes they are,
 * and what those cost. proc_pid_cmdline(5), proc_pid_status(5), proc_pid_smaps(5)
 */
#pragma once

#include "series.h"

/* Is it a shell that runs the line? Not what has started it, whose arguments have the line, too. */
static bool runs_the_line(pid_t pid)
{
	char arguments[1024];
	autofree char *path = text("/proc/%d/cmdline", pid);
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, arguments, sizeof arguments - 1);
	arguments[n < 0 ? 0 : n] = '\0';
	const char *name = strrchr(arguments, '/') ? strrchr(arguments, '/') + 1 : arguments;
	return n > 0 && !strcmp(name, "sh") && memmem(arguments, (size_t)n, mark, strlen(mark));
}

static pid_t a_shell; /* one of those that were counted last */

/* How many shells run it; if pids, those with so many numbers: one here, one inside ... */
static int shells_in_proc(int pids)
{
	autofree char *list = proc_pids();
	int found = 0;
	a_shell = 0;
	for (char *rest = list; *rest;) {
		pid_t pid = (pid_t)strtol(rest, &rest, 10);
		if (!runs_the_line(pid))
			continue;
		autofree char *numbers = proc_status(pid, "NSpid");
		int count = 1;
		for (char *space = numbers; (space = strchr(space, ' ')); space++)
			count++;
		if (pids && count != pids)
			continue;
		a_shell = pid;
		found++;
	}
	return found;
}

/* Its Pss and that of all that it has started: of a page that n processes share, each has 1/n. */
static long long pss_of(pid_t pid, int *processes)
{
	autofree char *path = text("/proc/%d/smaps_rollup", pid), *rollup = file_read(path);
	autofree char *list = text("/proc/%d/task/%d/children", pid, pid),
		      *children = file_read(list);
	const char *line = strstr(rollup, "\nPss:");
	long long sum = line ? strtoll(line + 5, NULL, 10) * 1024 : 0;
	++*processes;
	for (char *rest = children, *end; strtol(rest, &end, 10) > 0; rest = end)
		sum += pss_of(atoi(rest), processes);
	return sum;
}
