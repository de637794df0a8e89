#include "hostile.h"

int main(int argc, char **argv)
{
	if (setuid(0) == 0)
		printf("became root\n");
	if (unshare(CLONE_NEWNS) == 0 || mount("x", "/tmp", "tmpfs", 0, NULL) == 0)
		printf("mounted\n");
	if (sethostname("owned", 5) == 0)
		printf("named\n");
	put("/proc/sys/kernel/core_pattern", "|/tmp/helper");
	put("/proc/sys/net/ipv4/ip_forward", "1");
	put("/sys/fs/cgroup/pids.max", "max");
	put("/sys/fs/cgroup/memory.max", "max");
	put("/sys/fs/cgroup/cgroup.freeze", "0");
	return become_command(argc, argv);
}
