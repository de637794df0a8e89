/*
 * sys.c: system calls as the story shows them, and the end of a lab that is
 * broken.
 */
#define _GNU_SOURCE
#include "kernel/sys.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernel/file.h"
#include "kernel/proc.h"
#include "machine/machine.h"
#include "machine/probe.h"
#include "story/state.h"

enum { MISSING = 8 };

static struct gate born; /* holds a child until its birth has been printed */

void sys_init(void)
{
	gate_init(&born);
}

bool die_asks = true;

const char *errno_name(int error)
{
	const char *name = error ? strerrorname_np(error) : "success";
	return name ? name : "an unknown errno";
}

int missing_print(const struct lab_needs *needs, int fd)
{
	struct probe_missing missing[MISSING];
	int count = probe_needs(needs, missing, MISSING);
	for (int i = 0; i < count && i < MISSING; i++) {
		const struct probe_missing *m = &missing[i];
		dprintf(fd, "%s; %s%s%s\n", m->what, m->remedy, *m->undo ? "; undo: " : "",
			m->undo);
	}
	return count;
}

void machine_here(struct machine *machine)
{
	machine_read(machine, "/");
	errno = machine->error;
	if (errno)
		die("open, read: the files that tell what this machine is");
}

void die(const char *fmt, ...)
{
	int error = errno;
	autofree char *message = NULL;
	va_list ap;
	va_start(ap, fmt);
	if (vasprintf(&message, fmt, ap) < 0)
		message = NULL;
	va_end(ap);
	undo_if_over(); /* what is missing then is what a child was to do that ended so */
	dprintf(STDERR_FILENO, "%s: broken: %s%s%s\n", lab ? lab->id : "lab",
		message ? message : fmt, error ? ": " : "", error ? errno_name(error) : "");
	if (shared)
		__atomic_add_fetch(&shared->count[BROKEN], 1, __ATOMIC_SEQ_CST);
	die_as_told();
}

void die_as_told(void)
{
	undo_run();
	if (die_asks && lab_command && lab && missing_print(&lab->needs, STDERR_FILENO) > 0)
		_exit(77);
	_exit(lab_command ? 125 : 3);
}

void sys_done(const char *file, int line, const char *call, long value, int error)
{
	if (lab_command && value != -1)
		return;
	autofree char *place = text("%s:%d", file, line);
	if (!lab_command)
		out_call(place, call, value, error);
	errno = error;
	if (value == -1)
		die("%s  %s", place, call);
}

void sys_forked(const char *file, int line, const char *call, long value, int error)
{
	if (!lab_command && value == 0) {
		gate_wait(&born); /* the parent's line comes first */
		return;
	}
	sys_done(file, line, call, value, error);
	if (!lab_command)
		gate_open(&born);
}
