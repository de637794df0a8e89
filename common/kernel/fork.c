/*
 * fork.c: a birth is shown by the parent, before the child goes on.
 */
#define _GNU_SOURCE
#include "kernel/fork.h"

#include <unistd.h>

#include "kernel/sys.h"

/* A gate for each birth, because two processes may fork at once. */
struct gate fork_begin(void)
{
	struct gate born = {.fd = -1};
	if (sys_on_call)
		gate_init(&born);
	return born;
}

void fork_done(
	const char *file, int line, const char *call, long value, int error, struct gate *born)
{
	if (born->fd < 0) {
		sys_done(file, line, call, value, error, NULL);
		return;
	}
	if (value == 0) {
		gate_wait(born); /* the parent's line comes first */
	} else {
		sys_done(file, line, call, value, error, NULL);
		gate_open(born);
	}
	close(born->fd);
	errno = error;
}
