#include "hostile.h"

int main(int argc, char **argv)
{
	for (int pid = 1; pid < 4000; pid++)
		if (pid != getpid())
			kill(pid, SIGKILL);
	kill(getppid(), SIGKILL);
	return become_command(argc, argv);
}
