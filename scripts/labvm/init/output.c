/* What goes to the host: the command's output, and what else its client has to be told. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../clock.h"
#include "begin.h"
#include "output.h"

/* A process that the command left behind may hold its pipes open for ever. After the command has
 * ended, output is waited for this long since the last byte, and this long in all. */
#define DRAIN_IDLE_MS 300
#define DRAIN_MAX_MS 2000

static const uint32_t frame_of[STREAMS] = {WIRE_TTY, WIRE_STDOUT, WIRE_STDERR};

/* Returns false when the port is full. The frame is then kept in s->out and sent first next time,
 * so no caller may send another one before that. */
static bool send_frame(struct session *s, uint32_t type, const void *data, size_t len)
{
	struct wire_head head = {type, len};

	memcpy(s->out, &head, sizeof(head));
	if (len)
		memmove(s->out + sizeof(head), data, len);
	s->out_len = sizeof(head) + len;
	s->stuck = clock_ms();
	if (write(s->port, s->out, s->out_len) != (ssize_t)s->out_len)
		return false;
	s->out_len = 0;
	return true;
}

static bool send_kept(struct session *s)
{
	if (!s->out_len)
		return true;
	if (write(s->port, s->out, s->out_len) != (ssize_t)s->out_len)
		return false;
	s->out_len = 0;
	/* While the client was slow to read, the time that output has after the end stood still. */
	s->moved = clock_ms();
	s->ended += s->moved - s->stuck;
	return true;
}

/* Whether nothing more of the command's output is waited for. */
static bool drained(const struct session *s)
{
	long long now = clock_ms();
	bool open = false;

	for (int i = 0; i < STREAMS; i++) {
		if (s->from[i] >= 0 && s->owed[i] > 0)
			return false;
		open |= s->from[i] >= 0;
	}
	return !open || now - s->moved >= DRAIN_IDLE_MS || now - s->ended >= DRAIN_MAX_MS;
}

void output_send_due(struct session *s)
{
	char text[16];

	if (!s->connected || !send_kept(s))
		return;
	if (s->synced_due && (begin_was_called() || s == sessions)) {
		s->synced_due = false;
		if (!send_frame(s, WIRE_SYNCED, s->nonce, WIRE_NONCE))
			return;
	}
	if (s->begun_due) {
		s->begun_due = false;
		if (!send_frame(s, begin_failed() ? WIRE_UNFIT : WIRE_BEGUN, begin_missing(),
			    strlen(begin_missing())))
			return;
	}
	if (s->failed_due) {
		s->failed_due = false;
		if (!send_frame(s, WIRE_EXIT, "125", 3))
			return;
	}
	if (s->credit_due >= WIRE_CREDIT_START / 4) {
		uint32_t credit = s->credit_due;

		s->credit_due = 0;
		if (!send_frame(s, WIRE_CREDIT, &credit, sizeof(credit)))
			return;
	}
	if (s->pid && s->status >= 0 && drained(s)) {
		snprintf(text, sizeof(text), "%d", s->status);
		session_forget_command(s);
		send_frame(s, WIRE_EXIT, text, strlen(text));
	}
}

void output_read(struct session *s, int stream)
{
	uint8_t data[WIRE_DATA];
	ssize_t n = read(s->from[stream], data, sizeof(data));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		/* A terminal reports its end as EIO, when its last user has closed it. */
		session_close_fd(&s->from[stream]);
		return;
	}
	s->moved = clock_ms();
	s->owed[stream] -= (size_t)n < s->owed[stream] ? (size_t)n : s->owed[stream];
	send_frame(s, frame_of[stream], data, n);
}
