/*
 * plot.h: bars of plain letters. From a millisecond to seconds, and from a few KiB
 * to hundreds of MiB, a bar that grows evenly would show the largest only: so each
 * letter more is twice as much.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "lab.h"

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

/* One letter for unit or less, and one more each time that it doubles. */
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
