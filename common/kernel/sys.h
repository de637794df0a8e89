/*
 * sys.h: system calls in the open, errors, clean-up by scope. All else in common/ stands on it, and
 * it on nothing: what it does not know itself, the end of a lab and its story, is registered here.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * Runs call, shows it with its place, its value and the PID that made it, and
 * yields its value. -1 stops the lab as broken, with errno. A call whose
 * failure is the lesson stays bare and goes to expect_errno(). After the call
 * stand at most three of its variables, strings or integers, whose values the
 * story shows in the place of their names: SYS(setns(fd, 0), fd).
 */
#define SYS(call, ...) \
	({ \
		__auto_type sys_value = (call); \
		sys_done(__FILE__, __LINE__, #call, (long)sys_value, errno, \
			SYS_VARIABLES(__VA_ARGS__)); \
		sys_value; \
	})

#define SYS_VARIABLES(...) \
	((const struct sys_variable[]){ \
		SYS_PICK(0, ##__VA_ARGS__, SYS_3, SYS_2, SYS_1, SYS_0)(__VA_ARGS__){NULL}})
#define SYS_PICK(unused, a, b, c, name, ...) name
#define SYS_0()
#define SYS_1(a) \
	{#a, _Generic((a), char *: (a), const char *: (a), default: NULL), \
		_Generic((a), char *: 0, const char *: 0, default: (a))},
#define SYS_2(a, b) SYS_1(a) SYS_1(b)
#define SYS_3(a, b, c) SYS_2(a, b) SYS_1(c)

/* As SYS(), for the many of which the story shows none. */
#define MUST(call) \
	({ \
		__auto_type must_value = (call); \
		if (must_value == -1) \
			die("%s:%d  %s", __FILE__, __LINE__, #call); \
		must_value; \
	})

/* A variable of a call's: a string, or a number where string is NULL. The last has no name. */
struct sys_variable {
	const char *name, *string;
	long long number;
};

/* variables may be NULL. */
void sys_done(const char *file, int line, const char *call, long value, int error,
	const struct sys_variable *variables);

/* Shows a write(2) of value to a file of the kernel's, which returned written. */
void sys_wrote(const char *file, int line, const char *name, const char *value, long written);

/*
 * The lab is broken: sys_on_die() has the message, with the name of errno when that
 * is set. In a child it ends the child, and lab_end() of the parent returns 3.
 */
__attribute__((format(printf, 1, 2))) _Noreturn void die(const char *fmt, ...);

/* The name of an errno, "EPERM"; "success" for 0. errno(3) */
const char *errno_name(int error);

/* ---- What is registered ---- */

/*
 * Ends the process with the reason why it is broken, NULL where another process of the lab has
 * said it already. By itself it prints the reason and ends with 3.
 */
extern void (*sys_on_die)(const char *reason);

/* Is told of each call that SYS() shows, and of each such write; NULL: nobody is. */
extern void (*sys_on_call)(const char *place, const char *call, long value, int error);

/* ---- What the processes of a lab have to know of one another ---- */

struct sys_shared {
	volatile bool over; /* somebody typed q, or nobody reads: one of us had SIGPIPE */
	volatile bool held; /* in a wait: a person takes as long as it takes */
	int broken;         /* how many of us are */
};
extern struct sys_shared
	*sys_shared;         /* of one process alone, until a lab puts it in a shared page */
extern const char *sys_name; /* "01-pid-ns" */

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

#include "kernel/fork.h" /* FORK(), which every lab that shows calls has beside SYS() */
