#include "hostile.h"

/* COMMAND's parent waits in vfork(2), and a process that is traced waits for its tracer. */
int main(int argc, char **argv)
{
	if (fork() == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
	}
	if (vfork() == 0) {
		if (syscall(SYS_vfork) == 0)
			for (;;)
				pause();
		_exit(0);
	}
	return become_command(argc, argv);
}
