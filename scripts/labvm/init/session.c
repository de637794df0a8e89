/* The sessions: one for each port, with at most one command at a time. */
#include <unistd.h>

#include "hangup.h"
#include "session.h"

struct session sessions[WIRE_PORTS];

void session_init_all(void)
{
	for (struct session *s = sessions; s < sessions + WIRE_PORTS; s++) {
		s->port = s->to = s->slave = -1;
		s->from[TTY] = s->from[OUT] = s->from[ERR] = -1;
	}
}

void session_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void session_forget_command(struct session *s)
{
	/* When stdin is the terminal, s->to is a duplicate of s->from[TTY], so both are closed. */
	for (int i = 0; i < STREAMS; i++)
		session_close_fd(&s->from[i]);
	session_close_fd(&s->to);
	session_close_fd(&s->slave);
	s->to_end = s->to_tty = false;
	s->queue_at = s->queue_len = 0;
	s->credit_due = 0;
	s->pid = 0;
	s->request_len = 0;
}

void session_end(struct session *s)
{
	if (s->pid)
		hangup_session(s->pid);
	session_forget_command(s);
	s->in_len = s->out_len = 0;
	s->synced_due = s->begun_due = s->failed_due = s->deaf = false;
}
