#include "hostile.h"

#include <sys/sysmacros.h>

int main(int argc, char **argv)
{
	/* The disks, memory, the console, the port that the client listens to. */
	static const int numbers[][3] = {{S_IFBLK, 254, 0}, {S_IFBLK, 254, 16}, {S_IFCHR, 1, 1},
		{S_IFCHR, 1, 11}, {S_IFCHR, 5, 1}, {S_IFCHR, 247, 1}, {S_IFCHR, 247, 2}};
	char path[32];
	for (int i = 0; i < 7; i++) {
		snprintf(path, sizeof path, "/tmp/device%d", i);
		if (mknod(path, (mode_t)numbers[i][0] | 0666,
			    makedev(numbers[i][1], numbers[i][2])) == 0)
			printf("made %s\n", path);
		put(path, lines);
	}
	put("/dev/vda", "x");
	put("/dev/ram0", "x");
	return become_command(argc, argv);
}
