/* The kernel modules through which the guest reaches its devices. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "drivers.h"
#include "log.h"

#define DRIVERS "/boot"

static void load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) != 0 && errno != EEXIST))
		log_error("loading %s: %m", path);
	if (fd >= 0)
		close(fd);
}

void drivers_load(void)
{
	struct dirent **names;
	/* The names are numbered in the order of loading, since a module needs others before it.
	 * There is no folder when the kernel has its drivers built in. */
	int count = scandir(DRIVERS, &names, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		char path[280];

		snprintf(path, sizeof(path), DRIVERS "/%s", names[i]->d_name);
		free(names[i]);
		if (!strstr(path, ".ko"))
			continue;
		load(path);
		unlink(path);
	}
	if (count >= 0)
		free(names);
	rmdir(DRIVERS);
}
