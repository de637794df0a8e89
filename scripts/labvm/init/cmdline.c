/* The kernel's command line, read from /proc. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cmdline.h"

char *cmdline_after(const char *word, char line[CMDLINE_MAX])
{
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, line, CMDLINE_MAX - 1);

	if (fd >= 0)
		close(fd);
	line[n < 0 ? 0 : n] = '\0';
	char *found = strstr(line, word);

	return found ? found + strlen(word) : NULL;
}
