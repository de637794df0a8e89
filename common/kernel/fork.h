/*
 * fork.h: calls that return twice, as the story shows them.
 */
#pragma once

/*
 * SYS() for a call that returns twice, such as clone3(2): the parent shows it, and the child goes
 * on when it has been shown.
 */
#define FORKED(call) \
	({ \
		__auto_type sys_value = (call); \
		fork_done(__FILE__, __LINE__, #call, (long)sys_value, errno); \
		sys_value; \
	})
#define FORK() FORKED(fork())

void fork_init(void); /* once, before the first of them */
void fork_done(const char *file, int line, const char *call, long value, int error);
