#include "hostile.h"

/* ps would see one process, in a folder that is no proc. */
int main(int argc, char **argv)
{
	unshare(CLONE_NEWPID | CLONE_NEWNS);
	if (fork())
		return wait(NULL), 0;
	mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	mount("x", "/proc", "tmpfs", 0, NULL);
	mkdir("/proc/1", 0755);
	return become_command(argc, argv);
}
