/*
 * figures.h: what was measured, as lines, as bars of plain letters and as a table.
 */
#pragma once

#include "look.h"

enum { BAR = 20, LABEL = 18 };

/* allocated */
static char *time_text(long long usec)
{
	return usec < 10000     ? text("%.1f ms", (double)usec / 1e3)
	       : usec < 1000000 ? text("%lld ms", usec / 1000)
				: text("%.1f s", (double)usec / 1e6);
}

/* allocated */
static char *size_text(long long bytes)
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

static struct figures {
	char label[32];
	int count, processes;
	long long first, pss, fell; /* of the one in the middle; of each */
} figures[16];
static int measured;

static const struct figures *last_figures(void)
{
	return &figures[measured - 1];
}

static void measure(const char *one, const char *many, const char *how)
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
 * From a millisecond to seconds, and from some KiB to hundreds of MiB, a bar that grew
 * evenly would show the largest only: one letter for unit or less, and one more each
 * time that it doubles.
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

static void plot_bar(const char *label, long long value, long long unit, const char *amount)
{
	static const char used[] = "####################", rest[] = "....................";
	int length = bar_length(value, unit), name = (int)strlen(label);
	lab_note("%s%.*s |%.*s%.*s %s", label, name < LABEL ? LABEL - name : 0, rest, length, used,
		BAR - length, rest, amount);
}

/* The largest series of each; there may be none of virtual machines. */
static void compare(const struct figures *c, const struct figures *v)
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
	lab_row("a kernel of its own", "no: a container", "yes: a VM", "clone3(), QEMU");
	lab_row("boot ids", ids, vm_ids, "who has booted");
	lab_row("its shell in our /proc", "there: two PIDs", v ? "not there" : not_run, "NSpid");
	lab_row("to the first line", first, vm_first, "a clone, a boot");
	lab_row("Pss of each", pss, vm_pss, "smaps_rollup");
	lab_row("MemAvailable, for each", gain, vm_gain, "/proc/meminfo");
}
