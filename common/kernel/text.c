/*
 * text.c: a string as printf(3) makes it.
 */
#define _GNU_SOURCE
#include "kernel/text.h"

#include <stdarg.h>
#include <stdio.h>

#include "kernel/sys.h"

char *text(const char *fmt, ...)
{
	char *result;
	va_list ap;
	va_start(ap, fmt);
	int length = vasprintf(&result, fmt, ap);
	va_end(ap);
	if (length < 0)
		die("out of memory");
	return result;
}
