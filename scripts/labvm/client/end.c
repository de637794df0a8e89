/* How the client ends, and what it says on stderr. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>

#include "end.h"
#include "terminal.h"

/* The run folder, an unfinished state, the watcher and QEMU clean up: four, and room for more. */
static void (*clean_ups[8])(void);
static size_t count;

void end_also(void (*clean_up)(void))
{
	if (count == sizeof(clean_ups) / sizeof(clean_ups[0]))
		die(STATUS_VM, "end_also: expected at most %zu functions, got one more", count);
	clean_ups[count++] = clean_up;
}

void end_clean_up(void)
{
	terminal_restore();
	while (count > 0)
		clean_ups[--count]();
}

_Noreturn void end_with(int status)
{
	end_clean_up();
	exit(status);
}

void end_say(const char *format, va_list args)
{
	/* In raw mode a newline would not return to the left edge. */
	terminal_restore();
	fputs("vm: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

_Noreturn void die(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	end_say(format, args);
	va_end(args);
	end_with(status);
}

void tell(const char *format, ...)
{
	const char *wanted = getenv("V");
	va_list args;

	if (!wanted || !*wanted)
		return;
	fputs("vm: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

void *need(void *memory)
{
	if (!memory)
		die(STATUS_VM, "out of memory");
	return memory;
}
