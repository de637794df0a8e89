/*
 * terminal.c: --tty, a terminal of the container's own, whose master the waiting process holds; and
 * the signals that the waiting process forwards. pty(7), pidfd_getfd(2), signalfd(2)
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <termios.h>

#include "container.h"
#include "kernel/file.h"
#include "kernel/sys.h"

/* A name in a container may lead anywhere: it is a terminal's master if it is devpts' own 5:2. */
static void expect_ptmx(int master)
{
	struct stat st;
	struct statfs fs;
	MUST(fstat(master, &st));
	MUST(fstatfs(master, &fs));
	errno = 0;
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2) || fs.f_type != DEVPTS_SUPER_MAGIC)
		die("/dev/pts/ptmx in the container: expected devpts' device 5:2");
}

/* A terminal of its own: what it types comes to us by the master, which is handed over. */
void terminal_open(int channel)
{
	int unlock = 0, master = MUST(open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC));
	expect_ptmx(master);
	MUST(ioctl(master, TIOCSPTLCK, &unlock));
	int slave = MUST(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
	MUST(ioctl(slave, TIOCSCTTY, 0));
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		MUST(dup2(slave, fd));
	if (write(channel, &master, sizeof master) < 0 || read(channel, &master, 1) < 1)
		_exit(125); /* the runtime has ended */
}

/* The master of the pty that it has opened: pidfd_getfd(2) */
void terminal_take(struct container *c)
{
	int number;
	if (c->tty && read(c->channel, &number, sizeof number) == sizeof number) {
		c->terminal = MUST((int)syscall(SYS_pidfd_getfd, c->pidfd, number, 0));
		expect_ptmx(c->terminal);
		MUST(write(c->channel, "", 1));
	}
}

static struct termios cooked;

static void terminal_restore(const char *unused)
{
	(void)unused;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &cooked);
}

static void terminal_size(int terminal)
{
	struct winsize size;
	if (!ioctl(STDIN_FILENO, TIOCGWINSZ, &size))
		ioctl(terminal, TIOCSWINSZ, &size);
}

/* Copies what can be read from one to the other; false at the end of either. */
static bool pass(int from, int to)
{
	char buffer[4096];
	ssize_t n = read(from, buffer, sizeof buffer);
	return n > 0 ? file_write_all(to, buffer, (size_t)n) : n < 0 && errno == EINTR;
}

static const int forwarded[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};

/* Called before the container exists, so that no signal is lost. */
int signals_catch(void)
{
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof forwarded / sizeof *forwarded; i++)
		sigaddset(&set, forwarded[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return MUST(signalfd(-1, &set, SFD_CLOEXEC));
}

/* Until the container has ended: forwards signals and input to it, and copies its output. */
void container_supervise(struct container *c, int signals, pid_t parent)
{
	struct pollfd fds[] = {{c->pidfd, POLLIN, 0}, {signals, POLLIN, 0},
		{c->terminal, POLLIN, 0}, {c->terminal < 0 ? -1 : STDIN_FILENO, POLLIN, 0}};
	if (c->terminal >= 0 && isatty(STDIN_FILENO)) {
		struct termios raw;
		MUST(tcgetattr(STDIN_FILENO, &cooked));
		raw = cooked;
		cfmakeraw(&raw);
		undo(terminal_restore, "");
		tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
		terminal_size(c->terminal);
	}
	while (poll(fds, 4, -1) >= 0 || errno == EINTR) {
		if (fds[2].revents && !pass(c->terminal, STDOUT_FILENO))
			fds[2].fd = -1;
		else if (fds[2].revents)
			continue; /* read all of its output before its end */
		if (fds[0].revents)
			return;
		if (fds[3].revents && !pass(STDIN_FILENO, c->terminal))
			fds[3].fd = -1;
		struct signalfd_siginfo info;
		if (!fds[1].revents || read(signals, &info, sizeof info) != sizeof info)
			continue;
		int signal = (int)info.ssi_signo;
		if (signal == SIGWINCH)
			terminal_size(c->terminal);
		else if (getppid() != parent) /* the runner has ended, so nobody would clean up */
			signal = SIGKILL;
		syscall(SYS_pidfd_send_signal, c->pidfd, signal, NULL, 0);
	}
}
