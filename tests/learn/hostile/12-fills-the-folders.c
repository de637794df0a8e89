#include "hostile.h"

int main(int argc, char **argv)
{
	static const char *const folders[] = {"/tmp/f", "/mnt/f", "/dev/shm/f", "/dev/f", "/run/f"};
	static char block[1 << 20];
	char path[64];
	signal(SIGXFSZ, SIG_IGN);
	for (int i = 0; i < 5; i++)
		for (int file = 0; file < 200; file++) {
			snprintf(path, sizeof path, "%s%d", folders[i], file);
			int fd = open(path, O_WRONLY | O_CREAT, 0600);
			while (fd >= 0 && write(fd, block, sizeof block) > 0)
				;
		}
	return become_command(argc, argv);
}
