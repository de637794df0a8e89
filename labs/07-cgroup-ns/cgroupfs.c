/*
 * cgroupfs.c: reads the files of a cgroup.
 */
#include "cgroupfs.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "kernel/file.h"
#include "kernel/sys.h"
#include "story/lab.h"

char *cgroupfs_read(const char *group, const char *file)
{
	autofree char *path = text("%s/%s", group, file);
	return file_read(path);
}

long long cgroupfs_number(const char *group, const char *file, const char *key)
{
	autofree char *content = cgroupfs_read(group, file);
	size_t length = strlen(key);
	for (char *at = content; *key && (at = strstr(at, key)); at += length)
		if (at[length] == ' ' || at[length] == '=')
			return strtoll(at + length + 1, NULL, 10);
	return *key ? -1 : strtoll(content, NULL, 10);
}

char *cgroupfs_path_of(pid_t pid)
{
	/* In /proc/PID/cgroup, cgroup v2 has the line "0::PATH"; v1 has the other lines. */
	autofree char *path = pid ? text("/proc/%d/cgroup", pid) : text("/proc/self/cgroup");
	autofree char *lines = file_read(path);
	char *v2 = strstr(lines, "0::");
	return text("%.*s", v2 ? (int)strcspn(v2 + 3, "\n") : 0, v2 ? v2 + 3 : "");
}

bool cgroupfs_event(const char *group, const char *event)
{
	autofree char *path = text("%s/cgroup.events", group);
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	for (;;) {
		char events[256] = "";
		struct pollfd changed = {.fd = fd, .events = POLLPRI};
		if (pread(fd, events, sizeof events - 1, 0) > 0 && strstr(events, event))
			return true;
		if (poll(&changed, 1, 10000) == 0)
			return false;
	}
}

bool cgroupfs_kill_each(const char *group, pid_t one, pid_t other)
{
	autofree char *button = text("%s/cgroup.kill", group);
	autofree char *freeze = text("%s/cgroup.freeze", group);
	if (access(button, F_OK) == 0)
		return false;
	lab_note(
		"This kernel has no cgroup.kill; Linux 5.14 brought it. The older way is to freeze "
		"the tree, so that nothing is born in it, to kill each process, and to thaw it.");
	SYS(file_try_write(freeze, "1"), freeze);
	expect_int("the older way: frozen 1 comes", true, cgroupfs_event(group, "frozen 1"));
	SYS(kill(one, SIGKILL));
	SYS(kill(other, SIGKILL));
	SYS(file_try_write(freeze, "0"), freeze);
	return true;
}
