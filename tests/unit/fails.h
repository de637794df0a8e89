/*
 * fails.h: a function of the C library that fails at its nth call from here on,
 * in this process and in its children. What goes before works, and so does
 * what follows. The library's functions are called by these names.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NEVER_RETURNS = -1, ENDS_THE_PROCESS = -2 }; /* instead of an errno */

static const char *failing;
static int failing_call, failing_error;

static inline void fails_at(const char *function, int nth, int error)
{
	failing = function;
	failing_call = nth;
	failing_error = error;
}

static inline bool fails_now(const char *function)
{
	if (!failing || strcmp(failing, function) || --failing_call != 0)
		return false;
	while (failing_error == NEVER_RETURNS)
		pause();
	if (failing_error == ENDS_THE_PROCESS)
		_exit(0);
	errno = failing_error;
	return true;
}

pid_t __fork(void); /* glibc's own name for it */

pid_t fork(void)
{
	return fails_now("fork") ? -1 : __fork();
}

pid_t waitpid(pid_t pid, int *status, int flags)
{
	return fails_now("waitpid") ? -1 : (pid_t)syscall(SYS_wait4, pid, status, flags, NULL);
}

ssize_t read(int fd, void *to, size_t size)
{
	return fails_now("read") ? -1 : syscall(SYS_read, fd, to, size);
}

int open(const char *path, int flags, ...)
{
	va_list ap;
	va_start(ap, flags);
	mode_t mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	return fails_now("open") ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
	return fails_now("openat") ? -1 : (int)syscall(SYS_openat, folder, path, flags, 0);
}

int mkdir(const char *path, mode_t mode)
{
	return fails_now("mkdir") ? -1 : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

int unshare(int flags)
{
	return fails_now("unshare") ? -1 : (int)syscall(SYS_unshare, flags);
}

int mount(const char *source, const char *target, const char *type, unsigned long flags,
	const void *data)
{
	return fails_now("mount") ? -1 : (int)syscall(SYS_mount, source, target, type, flags, data);
}

int vasprintf(char **to, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int length = fails_now("vasprintf") ? -1 : vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	*to = length < 0 ? NULL : malloc((size_t)length + 1);
	return *to ? vsnprintf(*to, (size_t)length + 1, fmt, ap) : -1;
}

char *strdup(const char *text)
{
	char *copy = fails_now("strdup") ? NULL : malloc(strlen(text) + 1);
	return copy ? strcpy(copy, text) : NULL;
}
