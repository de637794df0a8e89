/*
 * reserved.c: which paths of a container are the kernel's, by their names alone.
 */
#include "container.h"

#include <string.h>

bool below(const char *path, const char *folder)
{
	size_t length = strlen(folder);
	return path && !strncmp(path, folder, length) && (!path[length] || path[length] == '/');
}

/* runc allows these too, because lxcfs provides its own files for them. */
bool may_be_covered(const char *path)
{
	static const char *const files[] = {"/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo",
		"/proc/stat", "/proc/swaps", "/proc/uptime", "/proc/loadavg", "/proc/slabinfo",
		"/proc/net/dev", "/proc/sys/kernel/ns_last_pid"};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		if (!strcmp(path, files[i]))
			return true;
	return false;
}

const char not_reserved[] = "a place other than /dev, and none at or below /proc and /sys";

/* Nothing of a user's is mounted there: it would hide the masks, or let them be undone. By the
 * name alone, before there is a container; mount_in_root() looks at what the name leads to. */
bool is_reserved(const char *path)
{
	return ((below(path, "/proc") || below(path, "/sys")) && !may_be_covered(path)) ||
	       !strcmp(path, "/dev");
}
