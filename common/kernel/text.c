/*
 * text.c: a string as printf(3) makes it.
 */
#define _GNU_SOURCE
#include "kernel/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernel/sys.h"

char *text(const char *fmt, ...)
{
	char line[256], *result;
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int length = vsnprintf(line, sizeof line, fmt, ap);
	/* Nearly each text is short, and vasprintf() would allocate it twice. */
	if (length >= 0 && (size_t)length < sizeof line)
		result = strdup(line);
	else if (vasprintf(&result, fmt, again) < 0)
		result = NULL;
	va_end(again);
	va_end(ap);
	if (!result)
		die("out of memory");
	return result;
}
