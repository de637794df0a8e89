/* What comes from the host: frames, and in them the command's stdin. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "begin.h"
#include "command.h"
#include "halt.h"
#include "input.h"
#include "log.h"

/* How long the host is waited for after the goodbye. */
#define GOODBYE_MS 2000

/* ==== Frames: each function returns false when no client of ours sends such a frame ==== */

static bool take_sync(struct session *s, const uint8_t *data, size_t len)
{
	if (len != WIRE_NONCE)
		return false;
	/* A new client can connect so soon after the old one died that no hang-up was seen. */
	session_end(s);
	memcpy(s->nonce, data, WIRE_NONCE);
	s->synced_due = true;
	return true;
}

static bool take_request(struct session *s, const uint8_t *data, size_t len)
{
	if (s->pid || s->request_len + len > WIRE_REQUEST_MAX)
		return false;
	if (!s->request && !(s->request = malloc(WIRE_REQUEST_MAX)))
		return false;
	memcpy(s->request + s->request_len, data, len);
	s->request_len += len;
	return true;
}

static bool take_stdin(struct session *s, const uint8_t *data, size_t len)
{
	if (s->queue_len + len > sizeof(s->queue))
		return false;
	if (s->to < 0)
		return true;
	/* The bytes that were written already make room at the front. */
	memmove(s->queue, s->queue + s->queue_at, s->queue_len);
	s->queue_at = 0;
	memcpy(s->queue + s->queue_len, data, len);
	s->queue_len += len;
	return true;
}

static bool take_size(const struct session *s, const uint8_t *data, size_t len)
{
	uint16_t size[2];

	if (len != sizeof(size))
		return false;
	memcpy(size, data, sizeof(size));
	if (s->from[TTY] >= 0)
		ioctl(s->from[TTY], TIOCSWINSZ,
			&(struct winsize){.ws_row = size[0], .ws_col = size[1]});
	return true;
}

static bool take_signal(const struct session *s, const uint8_t *data, size_t len)
{
	if (len != 1)
		return false;
	command_signal(s, data[0]);
	return true;
}

static bool take_closed(struct session *s, const uint8_t *data, size_t len)
{
	if (len != 1 || (data[0] != 1 && data[0] != 2))
		return false;
	session_close_fd(&s->from[data[0] == 1 ? OUT : ERR]);
	return true;
}

static bool take_begin(struct session *s, const uint8_t *data, size_t len)
{
	struct wire_begin facts;

	if (len != sizeof(facts))
		return false;
	memcpy(&facts, data, sizeof(facts));
	begin_with(&facts);
	s->begun_due = true;
	return true;
}

static _Noreturn void quit(const struct session *s)
{
	struct wire_head bye = {WIRE_BYE, 0};
	struct pollfd fd = {s->port, 0, 0};

	/* A write(2) returns before QEMU has passed the bytes on, and the byte on the exit port
	 * would overtake them. The host hangs up when it has read the goodbye. */
	if (write(s->port, &bye, sizeof(bye)) != sizeof(bye))
		log_error("saying goodbye: %m");
	poll(&fd, 1, GOODBYE_MS);
	halt_machine();
}

static bool obey(struct session *s, uint32_t type, const uint8_t *data, size_t len)
{
	/* Until then the machine may yet be saved, and a command would be saved with it. */
	if (!begin_was_called() && type != WIRE_SYNC && type != WIRE_BEGIN && type != WIRE_QUIT)
		return false;
	switch (type) {
	case WIRE_SYNC:
		return take_sync(s, data, len);
	case WIRE_REQUEST:
		return take_request(s, data, len);
	case WIRE_START:
		return command_start(s);
	case WIRE_STDIN:
		return take_stdin(s, data, len);
	case WIRE_STDIN_END:
		s->to_end = true;
		return true;
	case WIRE_WINSIZE:
		return take_size(s, data, len);
	case WIRE_SIGNAL:
		return take_signal(s, data, len);
	case WIRE_CLOSED:
		return take_closed(s, data, len);
	case WIRE_BEGIN:
		return take_begin(s, data, len);
	case WIRE_QUIT:
		quit(s);
	}
	return false;
}

void input_read_port(struct session *s)
{
	struct wire_head head;
	ssize_t n = read(s->port, s->in + s->in_len, sizeof(s->in) - s->in_len);

	if (n <= 0)
		return;
	s->in_len += n;
	while (!s->deaf && s->in_len >= sizeof(head)) {
		memcpy(&head, s->in, sizeof(head));
		if (head.len > WIRE_DATA) {
			s->deaf = true;
			break;
		}
		size_t whole = sizeof(head) + head.len;

		if (s->in_len < whole)
			return;
		if (!obey(s, head.type, s->in + sizeof(head), head.len))
			s->deaf = true;
		/* WIRE_SYNC has thrown away all that was read, the frame itself included. */
		if (s->in_len < whole)
			continue;
		s->in_len -= whole;
		memmove(s->in, s->in + whole, s->in_len);
	}
	if (s->deaf)
		s->in_len = 0;
}

/* ==== Stdin ==== */

void input_write_stdin(struct session *s)
{
	ssize_t n = s->queue_len ? write(s->to, s->queue + s->queue_at, s->queue_len) : 0;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0) {
		/* The command reads no more. The host gets no credit for these bytes, so it stops
		 * reading its own stdin, as it would for a command there. */
		session_close_fd(&s->to);
		s->queue_len = 0;
		return;
	}
	s->queue_at += n;
	s->queue_len -= n;
	s->credit_due += n;
	if (s->queue_len == 0 && s->to_end) {
		if (s->to_tty && write(s->to, "\004", 1) != 1)
			log_error("ending a terminal's input: %m");
		session_close_fd(&s->to);
	}
}
