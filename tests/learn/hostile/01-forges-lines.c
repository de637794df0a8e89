#include "hostile.h"

int main(int argc, char **argv)
{
	char path[64];
	for (int fd = 0; fd < 256; fd++)
		if (write(fd, lines, sizeof lines - 1) < 0)
			continue;
	for (int pid = 1; pid < 2000; pid++)
		for (int fd = 0; fd < 16; fd++) {
			snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
			put(path, lines);
		}
	return become_command(argc, argv);
}
