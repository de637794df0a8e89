#include "hostile.h"

int main(int argc, char **argv)
{
	for (int pid = 1; pid < 4000; pid++)
		if (pid != getpid() && ptrace(PTRACE_ATTACH, pid, 0, 0) == 0) {
			printf("traced %d\n", pid);
			waitpid(pid, NULL, __WALL);
			ptrace(PTRACE_KILL, pid, 0, 0);
		}
	return become_command(argc, argv);
}
