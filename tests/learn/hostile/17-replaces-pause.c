#include "hostile.h"

/* PID COMMAND: not COMMAND joins pause, but pause what COMMAND is in. */
int main(int argc, char **argv)
{
	int pause_pid = argc > 1 ? atoi(argv[1]) : 0;
	if (pause_pid > 1)
		kill(pause_pid, SIGKILL);
	if (unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS))
		perror("unshare");
	return become_command(argc, argv);
}
