#include "hostile.h"

/* A group of its own, with process 1 in it, which is then killed. */
int main(int argc, char **argv)
{
	mkdir("/sys/fs/cgroup/mine", 0755);
	put("/sys/fs/cgroup/mine/cgroup.procs", "1");
	put("/sys/fs/cgroup/mine/cgroup.kill", "1");
	return become_command(argc, argv);
}
