/*
 * curve.h: samples of one series as a picture or as words. Used by out.c only.
 */
#pragma once

#include <stdbool.h>

/* live: redraw on a terminal; blocks: with UTF-8 block characters. */
void curve_init(bool live, bool blocks, int width);
void curve_add(const char *series, long long value, long long limit, const char *unit);
/* As lab_cells(), which see; drawn only if show. */
int curve_cells(const long long value[], int count, long long limit, const char *unit,
	long long every, long long first, bool show);
void curve_end(void); /* closes the picture, if one is open */
