/* What PID 1 reports: lines in the kernel's log. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "log.h"

void log_error(const char *format, ...)
{
	int reason = errno;
	char text[512];
	va_list args;
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	errno = reason; /* %m means the caller's failure, and open() may have failed too. */
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (fd >= 0) {
		dprintf(fd, "<3>init: %s\n", text);
		close(fd);
	}
}
