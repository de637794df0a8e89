#include "hostile.h"

#ifdef __x86_64__
#include <sys/io.h>
#endif

int main(int argc, char **argv)
{
#ifdef __x86_64__
	/* The port by which the lab VM ends. */
	if (ioperm(0xf4, 1, 1) == 0)
		outb(0, 0xf4);
	if (iopl(3) == 0)
		printf("iopl\n");
#endif
	int fd = open("/exercise", O_RDONLY);
	if (syscall(SYS_finit_module, fd, "", 0) == 0 || errno != EPERM)
		printf("init_module: %s\n", strerror(errno));
	return become_command(argc, argv);
}
