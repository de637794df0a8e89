/*
 * costs.c: which processes of a series are in our /proc, and what they cost; as lines, bars of
 * plain letters and a table. proc_pid_cmdline(5), proc_pid_status(5), proc_pid_smaps(5)
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "kernel/file.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "series.h"
#include "story/lab.h"

enum { BAR = 20, LABEL = 18 };

pid_t a_shell;
struct figures figures[16];
static int measured;

/* A shell that runs the line; not the program that started it, whose arguments contain the line
 * too. */
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

int shells_in_proc(int pids)
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

/* The Pss of a process and its descendants: of a page that n processes share, each counts 1/n. */
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

/* allocated */
char *time_text(long long usec)
{
	return usec < 10000     ? text("%.1f ms", (double)usec / 1e3)
	       : usec < 1000000 ? text("%lld ms", usec / 1000)
				: text("%.1f s", (double)usec / 1e6);
}

/* allocated */
char *size_text(long long bytes)
{
	return llabs(bytes) < 10 << 20 ? text("%lld KiB", bytes / 1024)
				       : text("%lld MiB", bytes / (1 << 20));
}

/* Of MemAvailable, with its sign; allocated */
static char *change_text(long long fell)
{
	autofree char *size = size_text(-fell);
	return text("%s%s", fell < 0 ? "+" : "", size);
}

const struct figures *last_figures(void)
{
	return &figures[measured - 1];
}

void measure(const char *one, const char *many, const char *how)
{
	struct figures *f = &figures[measured++];
	f->count = series.count;
	f->first = first_line(false);
	f->fell = series.fell / series.count;
	for (int i = 0; i < series.count; i++)
		f->pss += pss_of(series.one[i].pid, &f->processes) / series.count;
	snprintf(f->label, sizeof f->label, "%d %s%s", f->count, f->count == 1 ? one : many, how);
	autofree char *first = time_text(f->first), *last = time_text(first_line(true));
	autofree char *pss = size_text(f->pss), *gain = change_text(f->fell);
	lab_note("%s: %s, slowest %s; Pss %s, MemAvailable %s", f->label, first, last, pss, gain);
}

/*
 * The values range from a millisecond to seconds, and from KiB to hundreds of MiB. A linear bar
 * would show only the largest. So one letter stands for a unit or less, and each further one
 * doubles it.
 */
static int bar_length(long long value, long long unit)
{
	int length = 1;
	while (length < BAR && value > unit) {
		value = (value + 1) / 2;
		length++;
	}
	return length;
}

void plot_bar(const char *label, long long value, long long unit, const char *amount)
{
	static const char used[] = "####################", rest[] = "....................";
	int length = bar_length(value, unit), name = (int)strlen(label);
	lab_note("%s%.*s |%.*s%.*s %s", label, name < LABEL ? LABEL - name : 0, rest, length, used,
		BAR - length, rest, amount);
}

/* The closing table, of the largest series of each kind. */
void compare(const struct figures *c, const struct figures *v)
{
	static char *const not_run = "not run";
	char *ids = text("1 in %d", c->count), *first = time_text(c->first);
	char *pss = size_text(c->pss), *gain = change_text(c->fell);
	char *vm_ids = not_run, *vm_first = not_run, *vm_pss = not_run, *vm_gain = not_run;
	if (v) {
		autofree char *booted = time_text(v->first);
		vm_ids = text("%d in %d", v->count, v->count);
		vm_first = text("%s%s", booted, strchr(v->label, ','));
		vm_pss = size_text(v->pss), vm_gain = change_text(v->fell);
	}
	lab_row("its own kernel", "no: a container", "yes: a VM", "clone3(), QEMU");
	lab_row("boot ids", ids, vm_ids, "each boot");
	lab_row("shell in our /proc", "yes: two PIDs", v ? "no" : not_run, "NSpid");
	lab_row("to the first line", first, vm_first, "a clone, a boot");
	lab_row("Pss of each", pss, vm_pss, "smaps_rollup");
	lab_row("MemAvailable, for each", gain, vm_gain, "/proc/meminfo");
}
