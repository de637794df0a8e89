/* A pseudo-terminal for a command. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>

#include "terminal.h"

int terminal_open(int *slave, const struct winsize *size, bool whole)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	struct termios mode;

	if (master < 0 || unlockpt(master) != 0)
		return -1;
	*slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*slave < 0 || tcgetattr(*slave, &mode) != 0)
		return -1;
	mode.c_iflag |= IUTF8;
	if (!whole) {
		mode.c_oflag &= ~OPOST;
		mode.c_lflag &= ~ECHO;
	}
	tcsetattr(*slave, TCSANOW, &mode);
	ioctl(*slave, TIOCSWINSZ, size);
	return master;
}
