/*
 * sys.c: system calls as the story shows them, and the end of a lab that is
 * broken.
 */
#define _GNU_SOURCE
#include "kernel/sys.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct sys_shared of_one;
struct sys_shared *sys_shared = &of_one;
const char *sys_name = "lab";

static void end_broken(const char *reason)
{
	if (reason)
		dprintf(STDERR_FILENO, "%s: broken: %s\n", sys_name, reason);
	_exit(3);
}

void (*sys_on_die)(const char *reason) = end_broken;
void (*sys_on_call)(const char *place, const char *call, long value, int error);

const char *errno_name(int error)
{
	const char *name = error ? strerrorname_np(error) : "success";
	return name ? name : "an unknown errno";
}

void die(const char *fmt, ...)
{
	int error = errno;
	autofree char *message = NULL, *reason = NULL;
	va_list ap;
	va_start(ap, fmt);
	if (vasprintf(&message, fmt, ap) < 0)
		message = NULL;
	va_end(ap);
	if (!message || asprintf(&reason, "%s%s%s", message, error ? ": " : "",
				error ? errno_name(error) : "") < 0)
		reason = message;
	sys_on_die(reason ? reason : fmt);
	_exit(3);
}

/* call with the values of its variables in the place of their names, allocated. */
static char *with_values(const char *call, const struct sys_variable *variables)
{
	char *shown = NULL;
	size_t shown_size, size;
	FILE *to = open_memstream(&shown, &shown_size);
	for (const char *at = call; to && *at; at += size) {
		const struct sys_variable *v = at > call && strchr("( ", at[-1]) ? variables : NULL;
		while (v && v->name &&
			(strncmp(at, v->name, strlen(v->name)) ||
				!strchr(",)", at[strlen(v->name)])))
			v++;
		size = v && v->name ? strlen(v->name) : 1;
		if (!v || !v->name)
			fputc(*at, to);
		else if (v->string)
			fprintf(to, "\"%s\"", v->string);
		else
			fprintf(to, "%lld", v->number);
	}
	if (!to || fclose(to))
		die("out of memory");
	return shown;
}

void sys_done(const char *file, int line, const char *call, long value, int error,
	const struct sys_variable *variables)
{
	if (!sys_on_call && value != -1)
		return;
	autofree char *place = NULL, *shown = with_values(call, variables);
	if (asprintf(&place, "%s:%d", file, line) < 0)
		die("out of memory");
	if (sys_on_call)
		sys_on_call(place, shown, value, error);
	errno = error;
	if (value == -1)
		die("%s  %s", place, shown);
}

void sys_wrote(const char *file, int line, const char *name, const char *value, long written)
{
	autofree char *call = NULL;
	int error = errno;
	if (asprintf(&call, "write(%s, \"%s\")", name, value) < 0)
		die("out of memory");
	sys_done(file, line, call, written, error, NULL);
}
