/*
 * series.h: programs that are started all at once, each of which says one line
 * and then waits: when it said it, and what they all cost. fork(2), execve(2),
 * poll(2), proc_pid_smaps(5)
 */
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"

enum { MOST = 500, SILENCE_MS = 180000 };

/* One of a series. */
struct one {
	pid_t pid; /* of what we have started; 0 when it has ended */
	int words; /* what it says comes from here */
	char said[512];
	size_t length;
	long long started, spoke; /* microseconds */
	char boot_id[40], release[64];
};

struct series {
	int count;
	struct one one[MOST];
	int hold; /* nothing is ever written to it: its hang-up ends who reads its stdin */
	long long available, fell; /* bytes of MemAvailable before, and by how much less after */
};

static struct series series; /* the one that runs now */
static char mark[32];        /* the first word of the line */

static long long microseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

/* ---- Their end: none outlives us, however we end ---- */

static void series_kill(const char *unused)
{
	(void)unused;
	for (int i = 0; i < series.count; i++) {
		pid_t pid = series.one[i].pid;
		if (pid <= 0)
			continue;
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		series.one[i].pid = 0;
	}
}

static void series_end(bool of_themselves)
{
	if (!series.count)
		return;
	close(series.hold);
	for (int i = 0; i < series.count && of_themselves; i++) {
		child_wait(series.one[i].pid);
		series.one[i].pid = 0;
	}
	series_kill("");
	for (int i = 0; i < series.count; i++)
		close(series.one[i].words);
	series.count = 0;
}

/* ---- Their beginning ---- */

/* Where a program says what went wrong with it. */
static char *log_path(void)
{
	return text("%s/stderr", tmp_folder());
}

static void start(struct one *one, char *const argv[], int in)
{
	int words[2];
	pid_t parent = getpid();
	autofree char *path = log_path();
	autoclose int log = MUST(open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
	MUST(pipe2(words, O_CLOEXEC));
	*one = (struct one){.words = words[0], .started = microseconds()};
	one->pid = MUST(fork());
	if (one->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent) /* too late to be told */
			_exit(1);
		MUST(dup2(in, STDIN_FILENO));
		MUST(dup2(words[1], STDOUT_FILENO));
		MUST(dup2(log, STDERR_FILENO)); /* the last: until then it says what failed */
		execve(argv[0], argv, environ);
		dprintf(STDERR_FILENO, "%s: %s\n", argv[0], errno_name(errno));
		_exit(127);
	}
	close(words[1]);
}

static _Noreturn void never_spoke(const struct one *one, const char *why)
{
	autofree char *path = log_path(), *log = file_try_read(path);
	const char *line = log && strrchr(log, '\n') ? strrchr(log, '\n') + 1 : log ? log : "";
	errno = 0;
	die("%s before its first line: %.*s %s", why, (int)one->length, one->said, line);
}

/* MARK BOOT_ID RELEASE, at the beginning of a line; before it a kernel may have said something. */
static bool has_spoken(struct one *one)
{
	for (char *line = one->said; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, mark, strlen(mark)) && strchr(line, '\n') &&
			sscanf(line + strlen(mark), " %39s %63s", one->boot_id, one->release) == 2)
			return true;
	}
	return false;
}

/* Hears who speaks within ms; how many have not spoken yet. */
static int hear(int ms)
{
	struct pollfd fds[MOST] = {0};
	int waiting = 0, count = series.count;
	for (int i = 0; i < count; i++) {
		fds[i] = (struct pollfd){series.one[i].spoke ? -1 : series.one[i].words, POLLIN, 0};
		waiting += !series.one[i].spoke;
	}
	int ready = waiting ? poll(fds, (nfds_t)count, ms) : 0;
	long long now = microseconds();
	if (!ready && waiting && ms)
		never_spoke(&series.one[count - 1], "three minutes of silence");
	for (int i = 0; i < count && ready > 0; i++) {
		struct one *one = &series.one[i];
		if (!fds[i].revents)
			continue;
		if (one->length > sizeof one->said / 2) { /* what is old may go */
			one->length /= 2;
			memmove(one->said, one->said + one->length, one->length);
		}
		ssize_t n = read(
			one->words, one->said + one->length, sizeof one->said - 1 - one->length);
		if (n <= 0)
			never_spoke(one, "it ended");
		one->length += (size_t)n;
		one->said[one->length] = '\0';
		if (has_spoken(one)) {
			one->spoke = now;
			waiting--;
		}
	}
	return waiting;
}

/* count times argv; returns when all have spoken. */
static void series_start(int count, char *const argv[])
{
	static bool to_be_undone;
	int hold[2];
	if (!to_be_undone)
		undo(series_kill, "");
	to_be_undone = true;
	autoclose int lock = lab_lock_cpu(); /* others measure time, too */
	MUST(pipe2(hold, O_CLOEXEC));
	series = (struct series){.hold = hold[1], .available = proc_meminfo("MemAvailable")};
	for (int i = 0; i < count; i++) {
		start(&series.one[i], argv, hold[0]);
		series.count++;
		hear(0);
	}
	close(hold[0]);
	while (hear(SILENCE_MS))
		;
	series.fell = series.available - proc_meminfo("MemAvailable");
}

/* ---- What they said, and when ---- */

static int by_time(const void *a, const void *b)
{
	long long x = *(const long long *)a, y = *(const long long *)b;
	return (x > y) - (x < y);
}

/* From its start to its first line: of the one in the middle, and of the slowest. */
static long long first_line(bool slowest)
{
	long long took[MOST] = {0};
	for (int i = 0; i < series.count; i++)
		took[i] = series.one[i].spoke - series.one[i].started;
	qsort(took, (size_t)series.count, sizeof *took, by_time);
	return took[slowest ? series.count - 1 : series.count / 2];
}

/* How many have read this boot id. */
static int who_read(const char *boot_id)
{
	int readers = 0;
	for (int i = 0; i < series.count; i++)
		readers += !strcmp(series.one[i].boot_id, boot_id);
	return readers;
}

static int different_boot_ids(void)
{
	int different = 0;
	for (int i = 0; i < series.count; i++) {
		bool seen = false;
		for (int before = 0; before < i; before++)
			seen |= !strcmp(series.one[i].boot_id, series.one[before].boot_id);
		different += !seen;
	}
	return different;
}

/* The kernel's release that all have read. */
static const char *release_of_all(void)
{
	for (int i = 1; i < series.count; i++)
		if (strcmp(series.one[i].release, series.one[0].release))
			return "different ones";
	return series.one[0].release;
}
