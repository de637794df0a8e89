#define _GNU_SOURCE
#include "hierarchy.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "kernel/file.h"
#include "kernel/sys.h"

bool hierarchy_ours;

/* What /proc/cgroups has behind the controller: the hierarchy, and how many groups are in it. */
static const char *numbers(void)
{
	static const char name[] = "\ndevices\t";
	static char table[4096];
	autoclose int fd = open("/proc/cgroups", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, table, sizeof table - 1);
	table[n > 0 ? n : 0] = '\0';
	char *line = strstr(table, name);
	return line ? line + strlen(name) : "0\t1\t";
}

int hierarchy_number(void)
{
	return atoi(numbers());
}

/* Waits until this stands there: behind the hierarchy's number, or in its place. */
static void wait_for(const char *wanted)
{
	for (int tries = 250; tries; tries--) {
		const char *at = numbers();
		if (!strncmp(*wanted == '\t' ? strchr(at, '\t') : at, wanted, strlen(wanted)))
			return;
		poll(NULL, 0, 20);
	}
}

char *hierarchy_list(const char *group)
{
	autofree char *path = text("%s/devices.list", group), *list = file_read(path);
	for (char *end = list; (end = strchr(end, '\n'));)
		*end = ',';
	return text("%s", *list ? list : "nothing");
}

/* The kernel frees a group, and then the hierarchy, a moment later, without an event to wait for.
 */
void hierarchy_end(const char *group)
{
	rmdir(group);
	if (!hierarchy_ours)
		return;
	hierarchy_ours = false;
	wait_for("\t1\t");
	umount2("/mnt", 0);
	wait_for("0\t");
}
