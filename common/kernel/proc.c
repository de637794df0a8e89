/*
 * proc.c: what /proc tells of processes and of memory.
 */
#define _GNU_SOURCE
#include "kernel/proc.h"

#include <dirent.h>
#include <string.h>
#include <sys/syscall.h>

#include "kernel/file.h"
#include "kernel/sys.h"
#include "kernel/text.h"

int proc_pidfd(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0); /* glibc wraps it from 2.36 only */
	if (fd < 0)
		die("pidfd_open(%d)", pid);
	return fd;
}

char *proc_status(pid_t pid, const char *key)
{
	autofree char *path = pid ? text("/proc/%d/status", pid) : text("/proc/self/status");
	autofree char *status = file_read(path);
	size_t length = strlen(key);
	for (char *line = strtok(status, "\n"); line; line = strtok(NULL, "\n"))
		if (!strncmp(line, key, length) && line[length] == ':') {
			for (char *tab = line; (tab = strchr(tab, '\t'));)
				*tab = ' ';
			return text("%s", line + length + 1 + strspn(line + length + 1, " "));
		}
	errno = 0;
	die("%s has no line %s", path, key);
}

static int by_number(const struct dirent **a, const struct dirent **b)
{
	return atoi((*a)->d_name) - atoi((*b)->d_name);
}

static int is_pid(const struct dirent *entry)
{
	return entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
}

char *proc_pids(void)
{
	struct dirent **entries;
	int count = scandir("/proc", &entries, is_pid, by_number);
	if (count < 0)
		die("read /proc");
	char *list = text("%s", "");
	for (int i = 0; i < count; i++) {
		autofree char *before = list;
		list = text("%s%s%s", before, i ? " " : "", entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return list;
}

long long proc_meminfo(const char *key)
{
	autofree char *meminfo = file_read("/proc/meminfo");
	size_t length = strlen(key);
	for (char *line = strtok(meminfo, "\n"); line; line = strtok(NULL, "\n"))
		if (!strncmp(line, key, length) && line[length] == ':')
			return strtoll(line + length + 1, NULL, 10) * 1024;
	errno = 0;
	die("/proc/meminfo has no line %s", key);
}
