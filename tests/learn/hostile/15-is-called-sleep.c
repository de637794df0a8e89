#include "hostile.h"

/* It is called as COMMAND is, and watches who looks. */
int main(int argc, char **argv)
{
	if (strcmp(argv[0], "sleep"))
		execv("/proc/self/exe", argv + argc - 2);
	for (;;)
		pause();
}
