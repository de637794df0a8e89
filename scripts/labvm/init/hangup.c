/* The processes of a session whose client has gone: SIGHUP first, SIGKILL a second later. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../clock.h"
#include "hangup.h"

/* From SIGHUP to SIGKILL. */
#define GRACE_MS 1000

static struct {
	pid_t sid; /* 0: this entry is free */
	long long when;
} leaving[64];

/* The session id of a process, or -1 when the process has gone. */
static pid_t session_of(pid_t pid)
{
	char path[64], stat[512];
	pid_t sid;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, stat, sizeof(stat) - 1);

	if (fd >= 0)
		close(fd);
	stat[n < 0 ? 0 : n] = '\0';
	/* The process's name stands in parentheses and may itself hold parentheses. */
	char *rest = strrchr(stat, ')');

	return rest && sscanf(rest, ") %*c %*d %*d %d", &sid) == 1 ? sid : -1;
}

/* A command's process group is not enough, because a shell makes a group for each of its jobs. The
 * command called setsid(2), so whatever it started has its session id. */
static void kill_session(pid_t sid, int sig)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		pid_t pid = atoi(entry->d_name);

		if (pid > 1 && session_of(pid) == sid)
			kill(pid, sig);
	}
	if (proc)
		closedir(proc);
}

void hangup_session(pid_t sid)
{
	kill_session(sid, SIGHUP);
	/* A stopped process takes no signal but SIGCONT and SIGKILL. */
	kill_session(sid, SIGCONT);
	for (size_t i = 0; i < sizeof(leaving) / sizeof(leaving[0]); i++) {
		if (leaving[i].sid == 0) {
			leaving[i].sid = sid;
			leaving[i].when = clock_ms() + GRACE_MS;
			return;
		}
	}
	kill_session(sid, SIGKILL);
}

bool hangup_kill_overdue(void)
{
	long long now = clock_ms();
	bool waiting = false;

	for (size_t i = 0; i < sizeof(leaving) / sizeof(leaving[0]); i++) {
		if (leaving[i].sid && leaving[i].when <= now) {
			kill_session(leaving[i].sid, SIGKILL);
			leaving[i].sid = 0;
		}
		waiting |= leaving[i].sid != 0;
	}
	return waiting;
}
