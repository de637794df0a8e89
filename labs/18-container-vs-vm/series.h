/*
 * series.h: a series of programs that are started at once, and what one of them costs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* ---- series.c ---- */

enum { MOST = 500 };

struct program {
	pid_t pid; /* 0 when it has ended */
	int out;   /* the end of its stdout that we read */
	char text[512];
	size_t length;
	long long started, printed; /* microseconds */
	char boot_id[40], release[64];
};

struct series {
	int count;
	struct program one[MOST];
	int hold; /* the other end of their stdin: a program that reads ends when this is closed */
	long long available, fell; /* MemAvailable before, and by how much it fell; bytes */
};

extern struct series series; /* the one that runs now */
extern char mark[32];        /* the first word of the line that each program prints */

void program_start(struct program *one, char *const argv[], int in);
void series_start(int count, char *const argv[]); /* returns when all have printed their line */
void series_end(bool of_themselves);              /* else they are killed */

long long first_line(bool slowest); /* from start to line, of the median or the slowest; usec */
int boot_id_readers(const char *boot_id); /* how many programs have read this one */
int different_boot_ids(void);
const char *release_of_all(void); /* the kernel's release that all have read */

/* ---- costs.c ---- */

/* How many shells of the series are in our /proc; with pids, those that have so many PIDs. */
int shells_in_proc(int pids);
extern pid_t a_shell; /* one of those that were counted last */

extern struct figures {
	char label[32];
	int count, processes;
	long long first, pss, fell; /* usec of the median; bytes of each */
} figures[16];
void measure(const char *one, const char *many, const char *how);
const struct figures *last_figures(void);

char *time_text(long long usec); /* allocated, as is the next */
char *size_text(long long bytes);
void plot_bar(const char *label, long long value, long long unit, const char *amount);
void compare(const struct figures *containers, const struct figures *vms); /* vms may be NULL */
