#include "hostile.h"

int main(int argc, char **argv)
{
	static const char *const files[] = {
		"mem", "environ", "maps", "root/etc/unboxed-vm", "exe", "cwd", "stack"};
	char path[64], byte;
	for (int pid = 1; pid < 4000; pid++)
		for (int i = 0; pid != getpid() && i < 7; i++) {
			snprintf(path, sizeof path, "/proc/%d/%s", pid, files[i]);
			int fd = open(path, O_RDONLY);
			if (fd >= 0 && read(fd, &byte, 1) == 1)
				printf("read %s\n", path);
			close(fd);
		}
	return become_command(argc, argv);
}
