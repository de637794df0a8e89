/*
 * fork.c: a birth is shown by the parent, before the child goes on.
 */
#define _GNU_SOURCE
#include "kernel/fork.h"

#include "kernel/gate.h"
#include "kernel/sys.h"

static struct gate born; /* holds a child until its birth has been printed */

void fork_init(void)
{
	gate_init(&born);
}

void fork_done(const char *file, int line, const char *call, long value, int error)
{
	if (sys_on_call && value == 0) {
		gate_wait(&born); /* the parent's line comes first */
		return;
	}
	sys_done(file, line, call, value, error);
	if (sys_on_call)
		gate_open(&born);
}
