/* The sessions: one for each port, with at most one command at a time. */
#ifndef UNBOXED_INIT_SESSION_H
#define UNBOXED_INIT_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../wire.h"

/* The streams that a command's output comes from. */
enum { TTY, OUT, ERR, STREAMS };

struct session {
	int port;       /* -1 until the port has appeared */
	bool connected; /* a client has the port's socket open on the host */
	bool deaf;      /* the client sent nonsense, so nothing more is read until it hangs up */

	uint8_t in[WIRE_FRAME]; /* bytes from the port that are not a whole frame yet */
	size_t in_len;

	/* The one frame that the port did not take, and what else the client has to be told. */
	uint8_t out[WIRE_FRAME];
	size_t out_len;
	bool synced_due, begun_due;
	bool failed_due; /* the command could not be started */
	uint8_t nonce[WIRE_NONCE];
	uint32_t credit_due;

	char *request; /* the pieces of WIRE_REQUEST that have come */
	size_t request_len;

	pid_t pid;            /* the command; 0 when there is none */
	int status;           /* -1 while it runs */
	int from[STREAMS];    /* the descriptors that its output is read from */
	size_t owed[STREAMS]; /* bytes that were in the pipes when it ended: all of them are sent */
	int slave; /* the terminal's other end, kept open for a command that closes its own */
	int to;    /* its stdin: a pipe, or the terminal */
	bool to_tty;
	bool to_end; /* stdin ends behind what is in queue */
	uint8_t queue[WIRE_CREDIT_START];
	size_t queue_at, queue_len;
	/* In ms: when the command ended, when output last came, since when the port is full. */
	long long ended, moved, stuck;
};

extern struct session sessions[WIRE_PORTS];

/* Marks every descriptor of every session as closed. */
void session_init_all(void);
/* Closes *fd, when it is open, and sets it to -1. */
void session_close_fd(int *fd);
/* Closes what the command was connected to, so that the session can take another one. */
void session_forget_command(struct session *s);
/* Hangs up on the command of a client that has gone, and forgets what the client had sent. */
void session_end(struct session *s);

#endif
