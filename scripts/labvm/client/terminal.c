/*
 * The caller's descriptors, and its terminal: raw while the guest's terminal does the processing,
 * and given back as it was found.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include "terminal.h"

static struct {
	bool raw;
	struct termios found, set;
} terminal; /* of fd 0 */

static int reports = -1;

static void set_raw(bool raw)
{
	terminal.raw = raw;
	/* Nobody reads it when the watcher was killed, and in the watcher there is no such pipe. */
	if (write(reports, &terminal, sizeof(terminal)) < 0)
		return;
}

void terminal_report_to(int pipe)
{
	reports = pipe;
}

bool terminal_learn(int pipe)
{
	ssize_t n;

	do
		n = read(pipe, &terminal, sizeof(terminal));
	while (n < 0 && errno == EINTR);
	return n > 0;
}

/* TCSANOW, because TCSADRAIN would wait for ever on a terminal whose output was stopped. */
void terminal_restore(void)
{
	const struct termios *set = &terminal.set;
	struct termios now;

	if (terminal.raw && tcgetattr(0, &now) == 0 && now.c_iflag == set->c_iflag &&
		now.c_oflag == set->c_oflag && now.c_lflag == set->c_lflag)
		tcsetattr(0, TCSANOW, &terminal.found);
	if (terminal.raw)
		set_raw(false);
}

void terminal_update(const struct ends *ends)
{
	if (!ends->whole || tcgetpgrp(0) != getpgrp() || terminal.raw ||
		tcgetattr(0, &terminal.found) != 0)
		return;
	terminal.set = terminal.found;
	cfmakeraw(&terminal.set);
	/* The report goes first: if we are killed in between, the watcher knows what to undo. */
	set_raw(true);
	if (tcsetattr(0, TCSADRAIN, &terminal.set) != 0)
		set_raw(false);
}

bool terminal_may_read(const struct ends *ends)
{
	struct termios mode;

	if (ends->mode[0] != 't' || terminal.raw)
		return true;
	if (ends->whole)
		return false;
	if (tcgetattr(0, &mode) != 0)
		return true; /* it has hung up, which read(2) will report */
	/* A pager turns ICANON off and reads single keys. Those are not for the guest. */
	return mode.c_lflag & ICANON && tcgetpgrp(0) == getpgrp();
}

void terminal_find_ends(struct ends *ends)
{
	ends->tty = -1;
	for (int i = 0; i < 3; i++) {
		ends->fd[i] = i;
		ends->mode[i] = isatty(i) ? 't' : 'p';
		if (fcntl(i, F_GETFD) < 0) {
			ends->mode[i] = 'c';
			/* This occupies the number, so that no file of ours gets it. */
			open("/dev/null", O_RDWR);
		}
	}
	for (int i = 0; i < 3; i++)
		if (ends->mode[i] == 't' && (ends->tty < 0 || i > 0))
			ends->tty = i == 2 && ends->mode[1] == 't' ? 1 : i;
	ends->whole = ends->mode[0] == 't' && ends->mode[1] == 't';
	if (ends->mode[0] == 't') {
		/* Another reader of the terminal may take the bytes that poll(2) promised us. Our
		 * read(2) must not wait then, but O_NONBLOCK on fd 0 would hold for the other
		 * reader too. So we open the terminal again. After su(1) we may not, and read
		 * from fd 0. */
		int again = open("/proc/self/fd/0", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

		if (again >= 0)
			ends->fd[0] = again;
	}
	ends->mode[3] = '\0';
}
