/*
 * curve.c: a series that climbs towards its limit. On a terminal a picture of
 * some rows, drawn again at most four times a second; else one line a tenth.
 */
#define _GNU_SOURCE
#include "story/curve.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernel/file.h"
#include "kernel/sys.h"

enum { HEIGHT = 5, SAMPLES = 512, MARGIN = 10, REDRAW_MS = 250 };

static struct {
	bool live, blocks;
	int width;
	char series[64], unit[16];
	long long limit, value[SAMPLES];
	int count;  /* of the samples that are kept */
	long total; /* of all there were */
	int tenth;
	pid_t owner; /* a child must not close its parent's picture */
	bool drawn;
	struct timespec last;
} curve;

void curve_init(bool live, bool blocks, int width)
{
	curve.live = live;
	curve.blocks = blocks;
	curve.width = width;
}

static char *amount(long long value)
{
	if (!strcmp(curve.unit, "usec"))
		return text("%lld ms", value / 1000);
	if (!strcmp(curve.unit, "bytes"))
		return text("%.1f MiB", (double)value / (1 << 20));
	return text("%lld %s", value, curve.unit);
}

static long elapsed_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - curve.last.tv_sec) * 1000 +
	       (now.tv_nsec - curve.last.tv_nsec) / 1000000;
}

static void draw(void)
{
	static const char *const eighths[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	autofree char *picture = NULL;
	size_t size;
	autofree char *top = amount(curve.limit);
	int margin = (int)strlen(top) < MARGIN ? MARGIN : (int)strlen(top);
	int columns = curve.width - margin - 3;
	FILE *to = open_memstream(&picture, &size);
	if (!to)
		die("out of memory");
	if (curve.drawn)
		fprintf(to, "\033[%dA", HEIGHT + 1);
	for (int row = HEIGHT - 1; row >= 0; row--) {
		fprintf(to, "\r\033[K%*s |", margin, row == HEIGHT - 1 ? top : row == 0 ? "0" : "");
		int shown = curve.count < columns ? curve.count : columns;
		for (int x = 0; x < shown; x++) {
			/* More samples than columns: the picture is squeezed, its last column is
			 * the last sample. */
			long long value = curve.value[(long)(x + 1) * curve.count / shown - 1];
			int level =
				(int)((double)value * HEIGHT * 8 / (double)curve.limit) - row * 8;
			level = level < 0 ? 0 : level > 8 ? 8 : level;
			fputs(curve.blocks ? eighths[level] : level > 3 ? "#" : " ", to);
		}
		fputc('\n', to);
	}
	autofree char *now = amount(curve.value[curve.count - 1]);
	fprintf(to, "\r\033[K%*s %s %s\n", MARGIN, "", curve.series, now);
	fclose(to);
	file_write_all(STDOUT_FILENO, picture, size);
	curve.drawn = true;
	clock_gettime(CLOCK_MONOTONIC, &curve.last);
}

static void say_tenths(void)
{
	long long last = curve.value[curve.count - 1];
	while (curve.tenth < 10 && (double)last * 10 >= (curve.tenth + 1) * (double)curve.limit) {
		curve.tenth++;
		autofree char *mark = amount((long long)((double)curve.limit * curve.tenth / 10));
		autofree char *line = text("   %s has passed %d %% of its limit: %s\n",
			curve.series, curve.tenth * 10, mark);
		file_write_all(STDOUT_FILENO, line, strlen(line));
	}
}

void curve_add(const char *series, long long value, long long limit, const char *unit)
{
	if (strcmp(series, curve.series))
		curve_end();
	snprintf(curve.series, sizeof curve.series, "%s", series);
	snprintf(curve.unit, sizeof curve.unit, "%s", unit);
	curve.limit = limit > 0 ? limit : 1;
	if (curve.count == SAMPLES) {
		/* Every second one makes room: the picture has fewer columns than that. */
		for (int i = 0; i < SAMPLES / 2; i++)
			curve.value[i] = curve.value[2 * i + 1];
		curve.count = SAMPLES / 2;
	}
	curve.value[curve.count++] = value;
	curve.total++;
	curve.owner = getpid();
	if (!curve.live)
		say_tenths();
	else if (!curve.drawn || elapsed_ms() >= REDRAW_MS)
		draw();
}

void curve_end(void)
{
	if (curve.count == 0 || curve.owner != getpid())
		return;
	if (curve.live)
		draw();
	autofree char *limit = amount(curve.limit);
	autofree char *line =
		curve.live
			? text("%s", "")
			: text("   %ld samples; the last was %s %s.\n", curve.total,
				  (double)curve.value[curve.count - 1] >= 0.9 * (double)curve.limit
					  ? "within a tenth of"
					  : "below",
				  limit);
	file_write_all(STDOUT_FILENO, line, strlen(line));
	curve.count = curve.tenth = 0;
	curve.total = 0;
	curve.drawn = false;
	curve.series[0] = '\0';
}

int curve_cells(const long long value[], int count, long long limit, const char *unit,
	long long every, long long first, bool show)
{
	autofree char *picture = NULL;
	size_t size;
	int used = 0, column = 0, group = (int)(every / limit);
	int columns = curve.width - MARGIN - 3;
	long long over = 0; /* what the cells before have left over */
	curve_end();
	snprintf(curve.unit, sizeof curve.unit, "%s", unit);
	FILE *to = open_memstream(&picture, &size);
	if (!to)
		die("out of memory");
	for (int i = 0; i < count; i++) {
		bool bar = i == 0 || (i * limit >= first && (i * limit - first) % every < limit);
		/* A line ends where it is full, or where the next group would not fit. */
		if (i == 0 || column + bar >= columns ||
			(bar && group < columns && column + group >= columns)) {
			autofree char *at = amount(i * limit);
			fprintf(to, "%s%*s ", i ? "\n" : "", MARGIN, at);
			column = 0;
		}
		if (bar)
			column += fprintf(to, "|");
		bool on = 2 * (value[i] + over) >= limit;
		over += value[i] - on * limit;
		used += on;
		column++;
		fputs(curve.blocks ? on ? "█" : "░" : on ? "#" : ".", to);
	}
	fputc('\n', to);
	fclose(to);
	if (show)
		file_write_all(STDOUT_FILENO, picture, size);
	curve.series[0] = '\0';
	return used;
}
