/* Small files of the kernel's, written with one write(2) each. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "log.h"

bool file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (!done)
		log_error("writing '%s' to %s: %m", text, path);
	if (fd >= 0)
		close(fd);
	return done;
}
