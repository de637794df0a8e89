/* One command in the guest: its streams, its signals, its window size and its status. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../clock.h"
#include "../wire.h"
#include "end.h"
#include "logs.h"
#include "port.h"
#include "qemu.h"
#include "request.h"
#include "session.h"
#include "signals.h"

/* How long a command may go on after the client was told to end. */
#define TERM_MS 5000

/* So many Ctrl-] in a row leave a guest that hangs. */
#define ESCAPE_KEY 0x1d
#define ESCAPE_TIMES 3

/* VEOF of the guest's terminal. */
#define END_KEY 0x04
/* No event says that a shared terminal can be read again, so it is looked at so often. */
#define SHARED_MS 300

struct session {
	struct ends *ends;
	bool stdin_open;
	uint32_t credit; /* bytes of stdin that the guest still takes */
	int escapes;
	long long give_up; /* the end of TERM_MS; 0 while nobody has told the client to end */
	int told;          /* the signal that did */
	int status;        /* -1 until the guest has sent it */
	/* The frame whose bytes are being written, what is left of them, and where they go: 0 is
	 * the terminal. */
	struct frame frame;
	int to;
	const uint8_t *data;
	size_t len;
};

static void send_size(const struct ends *ends)
{
	struct winsize size;

	if (ends->tty >= 0 && ioctl(ends->tty, TIOCGWINSZ, &size) == 0)
		port_send(
			WIRE_WINSIZE, (uint16_t[]){size.ws_row, size.ws_col}, 2 * sizeof(uint16_t));
}

static void handle_signals(struct session *s)
{
	for (int sig; (sig = signals_next());) {
		switch (sig) {
		case SIGWINCH:
			send_size(s->ends);
			break;
		case SIGTSTP:
			terminal_restore();
			kill(getpid(), SIGSTOP);
			break;
		case SIGCONT:
			terminal_update(s->ends);
			send_size(s->ends);
			break;
		case SIGCHLD:
			qemu_reap();
			break;
		case SIGTERM:
		case SIGHUP:
			if (!s->give_up) {
				s->give_up = clock_ms() + TERM_MS;
				s->told = sig;
			}
			/* fall through */
		default:
			port_send(WIRE_SIGNAL, (uint8_t[]){sig}, 1);
		}
	}
	if (s->give_up && clock_ms() >= s->give_up)
		end_with(128 + s->told);
}

static void read_stdin(struct session *s, bool hung_up)
{
	char data[16384];
	bool terminal = s->ends->mode[0] == 't';
	size_t most = s->credit < sizeof(data) ? s->credit : sizeof(data);
	ssize_t n = read(s->ends->fd[0], data, most);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == 0 && terminal && !hung_up) {
		/* This was Ctrl-D. It ends what the guest's command reads now, and a shell that
		 * started the command may read on. */
		data[0] = END_KEY;
		n = 1;
	}
	if (n <= 0) {
		s->stdin_open = false;
		port_send(WIRE_STDIN_END, NULL, 0);
		return;
	}
	for (ssize_t i = 0; terminal && i < n; i++) {
		s->escapes = data[i] == ESCAPE_KEY ? s->escapes + 1 : 0;
		if (s->escapes == ESCAPE_TIMES)
			die(128 + SIGINT, "ended by Ctrl-]");
	}
	s->credit -= n;
	port_send(WIRE_STDIN, data, n);
}

static int output_fd(const struct session *s)
{
	return s->to == 0 ? s->ends->tty : s->ends->fd[s->to];
}

/* The caller shares these descriptors with other processes, so they cannot be made nonblocking. */
static void write_output(struct session *s)
{
	int fd = output_fd(s);
	/* After poll(2) has promised room, a write of at most PIPE_BUF bytes does not block. */
	size_t most = s->len < PIPE_BUF ? s->len : PIPE_BUF;
	ssize_t n = fd < 0 ? (ssize_t)s->len : write(fd, s->data, most);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		/* Nobody reads this stream any more. The command then gets the SIGPIPE that it
		 * would get here. */
		if (s->to != 0) {
			port_send(WIRE_CLOSED, (uint8_t[]){s->to}, 1);
			if (fd > 2)
				close(fd);
			s->ends->fd[s->to] = -1;
		}
		n = s->len;
	}
	s->data += n;
	s->len -= n;
	if (s->len == 0)
		port_drop(&s->frame);
}

/* Statuses above 255 are refused, because exit(3) would make success (0) of 256. */
static int exit_status(const struct frame *frame)
{
	int status = 0;

	for (size_t i = 0; i < frame->len && status <= 255; i++) {
		uint8_t digit = frame->data[i];

		status = digit >= '0' && digit <= '9' ? 10 * status + digit - '0' : 256;
	}
	if (frame->len == 0 || status > 255)
		logs_die("expected a status from 0 to 255 of the lab VM, got '%.*s'",
			(int)(frame->len < 16 ? frame->len : 16), (const char *)frame->data);
	return status;
}

/* Obeys whole frames until one has output to write. */
static void take_frames(struct session *s)
{
	while (s->len == 0 && s->status < 0) {
		enum arrival arrival = port_frame(&s->frame);

		if (arrival == NONSENSE)
			logs_die("expected a frame of at most %zu bytes of the lab VM, got more",
				WIRE_DATA);
		if (arrival == PART)
			return;
		switch (s->frame.type) {
		case WIRE_TTY:
		case WIRE_STDOUT:
		case WIRE_STDERR:
			s->to = s->frame.type == WIRE_TTY      ? 0
				: s->frame.type == WIRE_STDOUT ? 1
							       : 2;
			s->data = s->frame.data;
			s->len = s->frame.len;
			if (s->len)
				return;
			break;
		case WIRE_CREDIT:
			if (s->frame.len == sizeof(uint32_t)) {
				uint32_t more;

				memcpy(&more, s->frame.data, sizeof(more));
				s->credit += more;
			}
			break;
		case WIRE_EXIT:
			s->status = exit_status(&s->frame);
			break;
		}
		port_drop(&s->frame);
	}
}

/* What to wait for: fd[] is signals, the port, stdin, output. Returns poll(2)'s timeout. */
static int choose(const struct session *s, struct pollfd fd[4])
{
	const struct ends *ends = s->ends;

	fd[0] = (struct pollfd){signals_fd(), POLLIN, 0};
	fd[1] = port_poll(s->len == 0);
	fd[2] = (struct pollfd){-1, POLLIN, 0};
	fd[3] = (struct pollfd){s->len ? output_fd(s) : -1, POLLOUT, 0};
	if (s->stdin_open && s->credit && port_is_flushed() && terminal_may_read(ends))
		fd[2].fd = ends->fd[0];
	if (s->give_up)
		return 100;
	if (s->len && fd[3].fd < 0)
		return 0;
	if (s->stdin_open && fd[2].fd < 0 && ends->mode[0] == 't' && !ends->whole)
		return SHARED_MS;
	return -1;
}

int session_run(struct ends *ends, char *argv[])
{
	struct session s = {.ends = ends,
		.stdin_open = ends->mode[0] != 'c',
		.status = -1,
		.credit = WIRE_CREDIT_START};

	request_send(ends, argv);
	terminal_update(ends);
	while (s.status < 0) {
		struct pollfd fd[4];
		int wait = choose(&s, fd);

		poll(fd, 4, wait);
		handle_signals(&s);
		if (fd[2].revents && terminal_may_read(ends))
			read_stdin(&s, fd[2].revents & POLLHUP);
		if (!port_flush())
			break;
		/* While output is left to write, the port is not read, so its end is not noticed:
		 * what the guest sent before it ended still counts. */
		if (!s.len && fd[1].revents && !port_receive())
			break;
		if (s.len && (fd[3].revents || fd[3].fd < 0))
			write_output(&s);
		take_frames(&s);
	}
	terminal_restore();
	return s.status;
}
