/* The loop that serves all sessions. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cmdline.h"
#include "command.h"
#include "hangup.h"
#include "input.h"
#include "output.h"
#include "serve.h"
#include "session.h"

/* The descriptors of a session that are polled: its port, the command's stdin, its output. */
enum { PORT, STDIN, OUTPUT, EACH = OUTPUT + STREAMS };

/*
 * A port that no client has open is always readable (end of file) and always hung up, so polling it
 * would never wait. Instead the kernel sends SIGIO when a client opens it.
 */
static void watch_port(struct session *s)
{
	struct pollfd fd = {s->port, POLLIN, 0};
	int flags = O_RDWR | O_NONBLOCK;

	if (s->port < 0)
		return;
	bool connected = poll(&fd, 1, 0) >= 0 && !(fd.revents & POLLHUP);

	if (connected == s->connected)
		return;
	s->connected = connected;
	fcntl(s->port, F_SETFL, connected ? flags : flags | O_ASYNC);
	if (!connected) {
		session_end(s);
		/* The next client may have come before SIGIO was asked for. */
		watch_port(s);
	}
}

/* Of QEMU's ports the first is number 1, because its number 0 is a console. lab.ports=4 is a
 * machine in a browser, which has so many, from number 0 on. */
static int first_port = 1, port_count = WIRE_PORTS;

static void count_ports(void)
{
	char line[CMDLINE_MAX];
	const char *count = cmdline_after("lab.ports=", line);

	if (!count)
		return;
	first_port = 0;
	port_count = atoi(count) < WIRE_PORTS ? atoi(count) : WIRE_PORTS;
}

/* The ports appear one by one after the driver has found the device. True when all are open. */
static bool open_ports(void)
{
	bool all = true;

	for (int i = 0; i < port_count; i++) {
		struct session *s = &sessions[i];
		char path[32];

		if (s->port >= 0)
			continue;
		snprintf(path, sizeof(path), "/dev/vport0p%d", first_port + i);
		s->port = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		if (s->port < 0) {
			all = false;
			continue;
		}
		fcntl(s->port, F_SETOWN, getpid());
		fcntl(s->port, F_SETFL, O_RDWR | O_NONBLOCK | O_ASYNC);
	}
	return all;
}

/* How long poll(2) may wait, in ms; -1 is for ever. */
static int next_timer(void)
{
	int next = hangup_kill_overdue() ? 100 : -1;

	/* A command that has ended may have output that is still to come. */
	for (struct session *s = sessions; s < sessions + WIRE_PORTS; s++)
		if (s->pid && s->status >= 0)
			next = 20;
	return next;
}

static void choose(struct session *s, struct pollfd fd[EACH])
{
	if (!s->connected)
		watch_port(s);
	fd[PORT] = (struct pollfd){
		s->connected ? s->port : -1, POLLIN | (s->out_len ? POLLOUT : 0), 0};
	fd[STDIN] = (struct pollfd){s->queue_len || s->to_end ? s->to : -1, POLLOUT, 0};
	/* While a frame waits for the port, no more output is read, and the command waits. */
	for (int i = 0; i < STREAMS; i++)
		fd[OUTPUT + i] = (struct pollfd){s->out_len ? -1 : s->from[i], POLLIN, 0};
}

static void serve_one(struct session *s, const struct pollfd fd[EACH])
{
	if (fd[PORT].revents)
		input_read_port(s);
	if (fd[PORT].revents & POLLHUP)
		watch_port(s);
	if (fd[STDIN].revents && s->to >= 0)
		input_write_stdin(s);
	output_send_due(s);
	for (int i = 0; i < STREAMS; i++)
		if (fd[OUTPUT + i].revents && s->from[i] == fd[OUTPUT + i].fd && !s->out_len)
			output_read(s, i);
	output_send_due(s);
}

/* A descriptor that SIGCHLD and SIGIO are read from. */
static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGIO);
	/* A write to a command that has gone must fail, and not kill PID 1. */
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigdelset(&set, SIGPIPE);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

_Noreturn void serve(void)
{
	static struct pollfd fd[1 + WIRE_PORTS * EACH];
	int signals = open_signals();
	bool all_ports = false;

	count_ports();

	for (;;) {
		int wait = next_timer();
		struct signalfd_siginfo info;

		if (!all_ports) {
			all_ports = open_ports();
			wait = all_ports ? wait : 5;
		}
		fd[0] = (struct pollfd){signals, POLLIN, 0};
		for (int i = 0; i < WIRE_PORTS; i++)
			choose(&sessions[i], fd + 1 + i * EACH);
		poll(fd, 1 + WIRE_PORTS * EACH, wait);

		/* Which signals came does not matter: what each could mean is looked at below. */
		while (read(signals, &info, sizeof(info)) > 0)
			;
		command_reap();
		for (int i = 0; i < WIRE_PORTS; i++)
			serve_one(&sessions[i], fd + 1 + i * EACH);
	}
}
