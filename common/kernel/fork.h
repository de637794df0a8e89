/*
 * fork.h: calls that return twice, as the story shows them.
 */
#pragma once

#include "kernel/gate.h"

/*
 * SYS() for a call that returns twice, such as clone3(2): the parent shows it, and the child goes
 * on when it has been shown.
 */
#define FORKED(call) \
	({ \
		struct gate fork_gate = fork_begin(); \
		__auto_type sys_value = (call); \
		fork_done(__FILE__, __LINE__, #call, (long)sys_value, errno, &fork_gate); \
		sys_value; \
	})
#define FORK() FORKED(fork())

struct gate fork_begin(void);
void fork_done(
	const char *file, int line, const char *call, long value, int error, struct gate *born);
