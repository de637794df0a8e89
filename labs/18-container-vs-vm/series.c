/*
 * series.c: programs that are started all at once. Each prints one line and then waits. The lab
 * measures when the line came. fork(2), execve(2), poll(2)
 */
#define _GNU_SOURCE
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
#include "series.h"
#include "story/lab.h"

enum { SILENCE_MS = 180000 };

struct series series;
char mark[32];

static long long microseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

/* ---- Their end: no program of a series outlives the lab ---- */

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

void series_end(bool of_themselves)
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
		close(series.one[i].out);
	series.count = 0;
}

/* ---- Their beginning ---- */

/* The stderr of the programs. */
static char *log_path(void)
{
	return text("%s/stderr", tmp_folder());
}

void program_start(struct program *one, char *const argv[], int in)
{
	int words[2];
	pid_t parent = getpid();
	autofree char *path = log_path();
	autoclose int log = MUST(open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
	MUST(pipe2(words, O_CLOEXEC));
	*one = (struct program){.out = words[0], .started = microseconds()};
	one->pid = MUST(fork());
	if (one->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent) /* the parent ended before prctl(), so no signal comes */
			_exit(1);
		MUST(dup2(in, STDIN_FILENO));
		MUST(dup2(words[1], STDOUT_FILENO));
		MUST(dup2(log, STDERR_FILENO)); /* last, so that errors before are still seen */
		execve(argv[0], argv, environ);
		dprintf(STDERR_FILENO, "%s: %s\n", argv[0], errno_name(errno));
		_exit(127);
	}
	close(words[1]);
}

static _Noreturn void die_before_line(const struct program *one, const char *why)
{
	autofree char *path = log_path(), *log = file_try_read(path);
	const char *line = log && strrchr(log, '\n') ? strrchr(log, '\n') + 1 : log ? log : "";
	errno = 0;
	die("%s before its first line: %.*s %s", why, (int)one->length, one->text, line);
}

/* "MARK BOOT_ID RELEASE" at the beginning of a line; a kernel may have printed lines before it. */
static bool has_printed_line(struct program *one)
{
	for (char *line = one->text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, mark, strlen(mark)) && strchr(line, '\n') &&
			sscanf(line + strlen(mark), " %39s %63s", one->boot_id, one->release) == 2)
			return true;
	}
	return false;
}

/* Reads what they print within ms milliseconds. How many have not printed their line yet. */
static int read_lines(int ms)
{
	struct pollfd fds[MOST] = {0};
	int waiting = 0, count = series.count;
	for (int i = 0; i < count; i++) {
		fds[i] = (struct pollfd){series.one[i].printed ? -1 : series.one[i].out, POLLIN, 0};
		waiting += !series.one[i].printed;
	}
	int ready = waiting ? poll(fds, (nfds_t)count, ms) : 0;
	long long now = microseconds();
	if (!ready && waiting && ms)
		die_before_line(&series.one[count - 1], "no output for three minutes");
	for (int i = 0; i < count && ready > 0; i++) {
		struct program *one = &series.one[i];
		if (!fds[i].revents)
			continue;
		if (one->length > sizeof one->text / 2) { /* make room by dropping the older half */
			one->length /= 2;
			memmove(one->text, one->text + one->length, one->length);
		}
		ssize_t n =
			read(one->out, one->text + one->length, sizeof one->text - 1 - one->length);
		if (n <= 0)
			die_before_line(one, "it ended");
		one->length += (size_t)n;
		one->text[one->length] = '\0';
		if (has_printed_line(one)) {
			one->printed = now;
			waiting--;
		}
	}
	return waiting;
}

void series_start(int count, char *const argv[])
{
	static bool to_be_undone;
	int hold[2];
	if (!to_be_undone)
		undo(series_kill, "");
	to_be_undone = true;
	autoclose int lock = lab_lock_cpu(); /* no other lab measures time meanwhile */
	MUST(pipe2(hold, O_CLOEXEC));
	series = (struct series){.hold = hold[1], .available = proc_meminfo("MemAvailable")};
	for (int i = 0; i < count; i++) {
		program_start(&series.one[i], argv, hold[0]);
		series.count++;
		read_lines(0);
	}
	close(hold[0]);
	while (read_lines(SILENCE_MS))
		;
	series.fell = series.available - proc_meminfo("MemAvailable");
}

/* ---- What they printed, and when ---- */

static int by_time(const void *a, const void *b)
{
	long long x = *(const long long *)a, y = *(const long long *)b;
	return (x > y) - (x < y);
}

long long first_line(bool slowest)
{
	long long took[MOST] = {0};
	for (int i = 0; i < series.count; i++)
		took[i] = series.one[i].printed - series.one[i].started;
	qsort(took, (size_t)series.count, sizeof *took, by_time);
	return took[slowest ? series.count - 1 : series.count / 2];
}

int boot_id_readers(const char *boot_id)
{
	int readers = 0;
	for (int i = 0; i < series.count; i++)
		readers += !strcmp(series.one[i].boot_id, boot_id);
	return readers;
}

int different_boot_ids(void)
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

const char *release_of_all(void)
{
	for (int i = 1; i < series.count; i++)
		if (strcmp(series.one[i].release, series.one[0].release))
			return "different ones";
	return series.one[0].release;
}
