/*
 * sys.h: system calls in the open, errors, clean-up by scope.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * Runs call, shows it with its place, its value and the PID that made it, and
 * yields its value. -1 stops the lab as broken, with errno. A call whose
 * failure is the lesson stays bare and goes to expect_errno().
 */
#define SYS(call) \
	({ \
		__auto_type sys_value = (call); \
		sys_done(__FILE__, __LINE__, #call, (long)sys_value, errno); \
		sys_value; \
	})

/*
 * SYS() for a call that returns twice, such as clone3(2): the parent shows it, and the child goes
 * on when it has been shown.
 */
#define FORKED(call) \
	({ \
		__auto_type sys_value = (call); \
		sys_forked(__FILE__, __LINE__, #call, (long)sys_value, errno); \
		sys_value; \
	})
#define FORK() FORKED(fork())

/* As SYS(), for the many of which the story shows none. */
#define MUST(call) \
	({ \
		__auto_type must_value = (call); \
		if (must_value == -1) \
			die("%s:%d  %s", __FILE__, __LINE__, #call); \
		must_value; \
	})

void sys_done(const char *file, int line, const char *call, long value, int error);
void sys_forked(const char *file, int line, const char *call, long value, int error);

/*
 * The lab is broken: prints the message and, when errno is set, its name, runs
 * the undo stack and ends with 3 (hands-on: with 125). In a child it ends the
 * child, and lab_end() of the parent returns 3.
 */
__attribute__((format(printf, 1, 2))) _Noreturn void die(const char *fmt, ...);

/* machine_read() of this machine; that a file of it could not be read stops the lab as broken. */
struct machine;
void machine_here(struct machine *machine);

/* Hands-on die() asks what this machine lacks; not in a container, where it would ask another one.
 */
extern bool die_asks;

/* The name of an errno, "EPERM"; "success" for 0. errno(3) */
const char *errno_name(int error);

/* A variable that closes or frees what it holds at the end of its scope. */
#define autoclose __attribute__((cleanup(close_at_end), unused))
#define autofree __attribute__((cleanup(free_at_end), unused))

static inline void close_at_end(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void free_at_end(void *pointer)
{
	free(*(void **)pointer);
}
