#include "hostile.h"

/* Whatever somebody starts in these mounts is the program's. */
int main(int argc, char **argv)
{
	static const char script[] =
		"#!/bin/busybox sh\necho 0 >/proc/sys/kernel/panic; touch /lab/owned /tmp/owned; exit 0\n";
	mount("x", "/mnt", "tmpfs", 0, "mode=755");
	for (const char *const *name =
			(const char *const[]){"sh", "cat", "nsenter", "sleep", "bash", NULL};
		*name; name++) {
		char path[64];
		snprintf(path, sizeof path, "/mnt/%s", *name);
		close(open(path, O_WRONLY | O_CREAT, 0755));
		put(path, script);
	}
	mount("/mnt", "/usr/bin", NULL, MS_BIND, NULL);
	mount("/mnt", "/bin", NULL, MS_BIND, NULL);
	mount("/mnt", "/proc", NULL, MS_BIND, NULL);
	mount("/mnt", "/sys/fs/cgroup", NULL, MS_BIND, NULL);
	return become_command(argc, argv);
}
