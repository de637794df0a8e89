/*
 * measure: times commands, for make bench. It is small, because a child begins
 * its life with the size of its parent, and that shows in ru_maxrss.
 *
 * measure ROUNDS GAP FILE   FILE has lines "NAME<TAB>WORD WORD ...". Each round runs
 *     every command once, in an order of its own, GAP milliseconds apart: what one leaves
 *     to be torn down would otherwise always fall on the same next one. "%" in a word is
 *     a number that is never the same. A line for each run:
 *     NAME, microseconds, those of CPU, the process's page faults, its children's, the
 *     peak KiB of the largest of them, and the round's number
 * measure live LEVELS WORD...   LEVELS as in "1,10,100": as many live at once. Each
 *     COMMAND says a word and stays, in a child of the process that is started here
 *
 * getrusage(2), proc_pid_stat(5), proc_meminfo(5)
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { COMMANDS = 128, WORDS = 64, MOST = 2000 };

struct command {
	char *name, *word[WORDS];
	int failed;
};

static int unique;

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Its standard output goes to fd out, all else to /dev/null. */
static pid_t start(char *const word[], int out, int null)
{
	static char numbered[WORDS][512];
	char *argv[WORDS] = {NULL};
	unique++;
	for (int i = 0; word[i]; i++) {
		char *mark = strchr(word[i], '%');
		argv[i] = word[i];
		if (mark) {
			snprintf(numbered[i], sizeof numbered[i], "%.*s%d%s", (int)(mark - word[i]),
				word[i], unique, mark + 1);
			argv[i] = numbered[i];
		}
	}
	pid_t pid;
	posix_spawn_file_actions_t files;
	if (!argv[0])
		errx(3, "a command without a word");
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, null, 0);
	posix_spawn_file_actions_adddup2(&files, out, 1);
	posix_spawn_file_actions_adddup2(&files, null, 2);
	errno = posix_spawn(&pid, argv[0], &files, NULL, argv, environ);
	if (errno)
		err(3, "%s", argv[0]);
	posix_spawn_file_actions_destroy(&files);
	return pid;
}

/* Of a process that has ended and was not waited for yet: its own page faults, its children's. */
static void faults(pid_t pid, unsigned long *own, unsigned long *of_children)
{
	char path[32], line[512];
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, line, sizeof line - 1);
	close(fd);
	line[n > 0 ? n : 0] = '\0';
	char *after = strrchr(line, ')');
	*own = *of_children = 0;
	if (after)
		sscanf(after + 2, "%*c %*d %*d %*d %*d %*d %*u %lu %lu", own, of_children);
}

static int run(struct command *c, int null, int round)
{
	struct rusage usage;
	siginfo_t info;
	int status;
	unsigned long own, of_children;
	double begin = now();
	pid_t pid = start(c->word, null, null);
	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	double end = now();
	faults(pid, &own, &of_children);
	wait4(pid, &status, 0, &usage);
	long cpu = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec;
	cpu = cpu * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
	if (round && status == 0)
		printf("%s\t%.1f\t%ld\t%lu\t%lu\t%ld\t%d\n", c->name, end - begin, cpu, own,
			of_children, usage.ru_maxrss, round);
	return status;
}

/* The same orders in every run, for random(3) begins with the same seed. */
static void shuffle(int order[], int count)
{
	for (int left = count; left > 1; left--) {
		int at = (int)(random() % left), last = order[left - 1];
		order[left - 1] = order[at];
		order[at] = last;
	}
}

static int in_turns(int rounds, int gap, const char *path, int null)
{
	static struct command command[COMMANDS];
	static char text[65536];
	int count = 0, fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (n < 0)
		err(3, "%s", path);
	close(fd);
	text[n] = '\0';
	char *rest = text;
	for (char *line; (line = strsep(&rest, "\n")) && count < COMMANDS;) {
		struct command *c = &command[count];
		c->name = strsep(&line, "\t");
		for (int i = 0; line && i < WORDS - 1;)
			if (*(c->word[i] = strsep(&line, " ")))
				i++;
		count += *c->name && c->word[0];
	}
	for (int i = 0; i < count; i++) { /* once, not told: files come into the cache */
		int status = run(&command[i], null, 0);
		command[i].failed = status;
		if (status)
			fprintf(stderr, "measure: %s: left out, its status is %d\n",
				command[i].name, status >> 8 ? status >> 8 : 128 + status);
	}
	int order[COMMANDS];
	for (int i = 0; i < count; i++)
		order[i] = i;
	for (int round = 0; round < rounds; round++) {
		shuffle(order, count);
		for (int i = 0; i < count; i++) {
			struct command *c = &command[order[i]];
			if (c->failed)
				continue;
			poll(NULL, 0, gap);
			run(c, null, round + 1);
		}
	}
	return fflush(stdout) != 0;
}

/* ---- Many at once ---- */

static pid_t runtime[MOST], payload[MOST];

/* KiB of memory that the kernel itself holds. */
static long kernel_memory(void)
{
	static const char *const keys[] = {
		"Slab:", "KernelStack:", "PageTables:", "Percpu:", "SecPageTables:"};
	static char text[8192];
	long sum = 0;
	int fd = open("/proc/meminfo", O_RDONLY);
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const char *at = strstr(text, keys[i]);
		sum += at ? atol(at + strlen(keys[i])) : 0;
	}
	return sum;
}

static long pss(pid_t pid)
{
	char path[48], text[2048];
	snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	const char *at = strstr(text, "\nPss:");
	return at ? atol(at + 5) : 0;
}

static pid_t child_of(pid_t pid)
{
	char path[64], text[64] = "";
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
	close(fd);
	return n > 0 ? atoi(text) : 0;
}

static void tell_level(int count, long before)
{
	long of_runtimes = 0, of_payloads = 0;
	for (int i = 0; i < count; i++) {
		of_runtimes += pss(runtime[i]);
		of_payloads += pss(payload[i]);
	}
	printf("kernel\t%d\t%.1f\n", count, (double)(kernel_memory() - before) / count);
	printf("pss\t%d\t%.1f\t%.1f\n", count, (double)of_payloads / count,
		(double)of_runtimes / count);
}

static int live(char *levels, char *const word[], int null)
{
	int count = 0, bad = 0;
	long before = kernel_memory();
	for (char *level; (level = strsep(&levels, ","));) {
		int to = atoi(level);
		for (; count < to && count < MOST; count++) {
			int said[2];
			char byte;
			if (pipe2(said, O_CLOEXEC))
				err(3, "pipe2");
			double begin = now();
			runtime[count] = start(word, said[1], null);
			close(said[1]);
			if (read(said[0], &byte, 1) != 1)
				errx(3, "container %d has not started", count + 1);
			printf("create\t%d\t%.1f\n", count + 1, now() - begin);
			close(said[0]);
			payload[count] = child_of(runtime[count]);
		}
		tell_level(count, before);
	}
	double begin = now();
	for (int i = 0; i < count; i++)
		kill(payload[i], SIGKILL);
	for (int i = 0, status; i < count; i++) {
		waitpid(runtime[i], &status, 0);
		bad += !WIFEXITED(status) || WEXITSTATUS(status) != 128 + SIGKILL;
	}
	printf("teardown\t%d\t%.1f\n", count, (now() - begin) / count);
	if (bad)
		fprintf(stderr, "measure: %d of %d have not ended as one that is killed does\n",
			bad, count);
	poll(NULL, 0, 1000);
	printf("kernel after\t%d\t%.1f\n", count, (double)(kernel_memory() - before) / count);
	return fflush(stdout) != 0;
}

int main(int argc, char *argv[])
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (argc > 3 && !strcmp(argv[1], "live"))
		return live(argv[2], argv + 3, null);
	if (argc == 4 && atoi(argv[1]) > 0)
		return in_turns(atoi(argv[1]), atoi(argv[2]), argv[3], null);
	errx(2, "expected ROUNDS GAP FILE, or live LEVELS WORD...");
}
