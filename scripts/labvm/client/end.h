/* How the client ends, and what it says on stderr. */
#ifndef UNBOXED_CLIENT_END_H
#define UNBOXED_CLIENT_END_H

#include <stdarg.h>

/* The client's own exit statuses. The others are the command's. */
enum { STATUS_USAGE = 2, STATUS_VM = 125 };

/* Adds a function to those that clean up at the end. The last one that was added runs first. */
void end_also(void (*clean_up)(void));
/* Gives the terminal back and runs those functions. */
void end_clean_up(void);
/* Cleans up and exits. */
_Noreturn void end_with(int status);

/* Prints a line about what went wrong. The caller decides how to end. */
__attribute__((format(printf, 1, 0))) void end_say(const char *format, va_list args);
/* Prints a line about what went wrong, cleans up and exits. */
__attribute__((format(printf, 2, 3))) _Noreturn void die(int status, const char *format, ...);
/* Prints a line when the variable V is set. */
__attribute__((format(printf, 1, 2))) void tell(const char *format, ...);
/* Returns what malloc(3) returned, and dies when that is NULL. */
void *need(void *memory);

#endif
