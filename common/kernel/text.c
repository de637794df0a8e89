/*
 * text.c: strings that are made of others.
 */
#define _GNU_SOURCE
#include "kernel/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

char *joined(const char *first, ...)
{
	size_t size = 1;
	va_list ap;
	va_start(ap, first);
	for (const char *word = first; word; word = va_arg(ap, const char *))
		size += strlen(word);
	va_end(ap);
	char *result = malloc(size), *end = result;
	if (!result)
		die("out of memory");
	*end = '\0';
	va_start(ap, first);
	for (const char *word = first; word; word = va_arg(ap, const char *))
		end = stpcpy(end, word);
	va_end(ap);
	return result;
}
