#include "hostile.h"

#include <ftw.h>

static int spoil(const char *path, const struct stat *is, int type, struct FTW *walk)
{
	(void)walk;
	if (type == FTW_F && S_ISREG(is->st_mode) && strncmp(path, "/proc/", 6) &&
		strncmp(path, "/sys/", 5) && strncmp(path, "/tmp/", 5) && strcmp(path, "/exercise"))
		put(path, "check() { expect it yes yes ''; }\n");
	return 0;
}

int main(int argc, char **argv)
{
	mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL);
	mount(NULL, "/usr", NULL, MS_REMOUNT | MS_BIND, NULL);
	mount(NULL, "/bin", NULL, MS_REMOUNT | MS_BIND, NULL);
	put("/lab/scripts/learn/box", "echo end\n");
	nftw("/", spoil, 32, FTW_PHYS);
	return become_command(argc, argv);
}
