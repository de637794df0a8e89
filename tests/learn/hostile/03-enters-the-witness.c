#include "hostile.h"

int main(int argc, char **argv)
{
	static const char *const kinds[] = {"user", "mnt", "uts", "pid", "net", "ipc", "cgroup"};
	char path[64];
	for (int pid = 1; pid < 100; pid++)
		for (int i = 0; pid != getpid() && i < 7; i++) {
			snprintf(path, sizeof path, "/proc/%d/ns/%s", pid, kinds[i]);
			int fd = open(path, O_RDONLY);
			if (fd >= 0 && setns(fd, 0) == 0)
				printf("entered %s\n", path);
		}
	return become_command(argc, argv);
}
