/*
 * The caller's descriptors, and its terminal: raw while the guest's terminal does the processing,
 * and given back as it was found.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include "client.h"

/* The watcher has to know it as well. */
static void set_raw(bool raw)
{
	vm.terminal.raw = raw;
	if (write(vm.watcher_pipe, &vm.terminal, sizeof(vm.terminal)) < 0)
		return; /* it was killed, or it is the watcher that asks */
}

/* As it was found, unless somebody has changed it since. It waits for nothing: output may stand. */
void terminal_cooked(void)
{
	const struct termios *set = &vm.terminal.set;
	struct termios now;

	if (vm.terminal.raw && tcgetattr(0, &now) == 0 && now.c_iflag == set->c_iflag &&
		now.c_oflag == set->c_oflag && now.c_lflag == set->c_lflag)
		tcsetattr(0, TCSANOW, &vm.terminal.found);
	if (vm.terminal.raw)
		set_raw(false);
}

void update_terminal(const struct ends *ends)
{
	if (!ends->whole || tcgetpgrp(0) != getpgrp() || vm.terminal.raw ||
		tcgetattr(0, &vm.terminal.found) != 0)
		return;
	vm.terminal.set = vm.terminal.found;
	cfmakeraw(&vm.terminal.set);
	/* First, so that there is no moment in which the watcher does not know it. */
	set_raw(true);
	if (tcsetattr(0, TCSADRAIN, &vm.terminal.set) != 0)
		set_raw(false);
}

/* A pager, which reads keys, has a shared terminal for itself. */
bool may_read(const struct ends *ends)
{
	struct termios mode;

	if (ends->mode[0] != 't' || vm.terminal.raw)
		return true;
	if (ends->whole)
		return false;
	if (tcgetattr(0, &mode) != 0)
		return true; /* hung up: read() says so */
	return mode.c_lflag & ICANON && tcgetpgrp(0) == getpgrp();
}

void own_ends(struct ends *ends)
{
	ends->tty = -1;
	for (int i = 0; i < 3; i++) {
		ends->fd[i] = i;
		ends->mode[i] = isatty(i) ? 't' : 'p';
		if (fcntl(i, F_GETFD) < 0) {
			ends->mode[i] = 'c';
			/* The number must not become that of something else. */
			open("/dev/null", O_RDWR);
		}
	}
	for (int i = 0; i < 3; i++)
		if (ends->mode[i] == 't' && (ends->tty < 0 || i > 0))
			ends->tty = i == 2 && ends->mode[1] == 't' ? 1 : i;
	ends->whole = ends->mode[0] == 't' && ends->mode[1] == 't';
	if (ends->mode[0] == 't') {
		/* Who reads beside us may have taken what poll() saw: read() must not wait then,
		 * and theirs must. Where we may not open it, as after su(1), it can. */
		int own = open("/proc/self/fd/0", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

		if (own >= 0)
			ends->fd[0] = own;
	}
	ends->mode[3] = '\0';
}
