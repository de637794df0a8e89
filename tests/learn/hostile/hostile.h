/* What the hostile submissions share: each does its worst, then becomes COMMAND without having done
 * the exercise. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char lines[] =
	"ready\npass\tCOMMAND runs\tyes\tyes\t\npass\tits namespace\tits own\tits own\t\nend\n";

static int become_command(int argc, char **argv)
{
	fflush(stdout);
	execvp(argv[argc > 2 ? argc - 2 : 0], argv + (argc > 2 ? argc - 2 : 0));
	return 0;
}

/* What was written where it must not be is told by the guest's files, and by this line. */
static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0 && write(fd, text, strlen(text)) > 0)
		printf("wrote %s\n", path);
	if (fd >= 0)
		close(fd);
}
