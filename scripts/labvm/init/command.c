/* The command of a session: started, signaled, waited for. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../clock.h"
#include "command.h"
#include "log.h"
#include "terminal.h"

/* The request, taken apart (wire.h). The strings stay where they are, in s->request. */
struct request {
	const char *mode; /* a letter for each of fd 0, 1, 2 */
	bool whole;
	struct winsize size;
	const char *cwd;
	int argc;
	char **argv, **env; /* one allocation, which argv points to; NULL when memory ran out */
};

/* Takes the next string of the request; "" behind its end. */
static char *next_string(char **at, const char *end)
{
	char *text = *at;

	if (text >= end)
		return "";
	*at += strlen(text) + 1;
	return text;
}

static bool parse(const struct session *s, struct request *r)
{
	char *at = s->request, *end = at + s->request_len;
	int strings = 0;

	if (!s->request_len || end[-1] != '\0')
		return false;
	r->mode = next_string(&at, end);
	r->whole = *next_string(&at, end) == '1';
	r->size = (struct winsize){.ws_row = atoi(next_string(&at, end))};
	r->size.ws_col = atoi(next_string(&at, end));
	r->cwd = next_string(&at, end);
	r->argc = atoi(next_string(&at, end));
	for (char *p = at; p < end; p += strlen(p) + 1)
		strings++;
	if (strlen(r->mode) != 3 || r->argc < 0 || r->argc > strings)
		return false;
	/* The arguments, a NULL, the environment, a NULL. */
	r->argv = calloc(strings + 2, sizeof(*r->argv));
	r->env = r->argv ? r->argv + r->argc + 1 : NULL;
	for (int i = 0; r->argv && i < strings; i++)
		r->argv[i + (i >= r->argc)] = next_string(&at, end);
	return true;
}

/* Makes a terminal and pipes as r->mode says. child[] gets the command's ends of them. */
static bool open_streams(struct session *s, const struct request *r, int child[3])
{
	int pair[2];

	if (strchr(r->mode, 't')) {
		s->from[TTY] = terminal_open(&s->slave, &r->size, r->whole);
		if (s->from[TTY] < 0)
			return false;
	}
	for (int i = 0; i < 3; i++) {
		if (r->mode[i] == 't') {
			child[i] = s->slave;
		} else if (r->mode[i] == 'p') {
			if (pipe2(pair, O_CLOEXEC) != 0)
				return false;
			int ours = pair[i == 0];

			child[i] = pair[i != 0];
			fcntl(ours, F_SETFL, O_NONBLOCK);
			*(i == 0 ? &s->to : &s->from[OUT + i - 1]) = ours;
		}
	}
	if (r->mode[0] == 't') {
		s->to = fcntl(s->from[TTY], F_DUPFD_CLOEXEC, 3);
		s->to_tty = true;
		return s->to >= 0;
	}
	return true;
}

/* Runs in the child. */
static _Noreturn void become(const struct request *r, const int fd[3], int slave)
{
	const char *name = r->argv[0];
	sigset_t none;

	setsid();
	if (slave >= 0)
		ioctl(slave, TIOCSCTTY, 0);
	for (int i = 0; i < 3; i++)
		if (fd[i] < 0)
			close(i);
		else
			dup2(fd[i], i);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	environ = r->env;

	/* /lab is missing while nothing has been built. The command then starts in the root. */
	if (chdir(r->cwd) != 0 && chdir("/") != 0)
		_exit(126);
	if (r->argc == 0) {
		execl("/bin/bash", "-bash", NULL);
		execl("/bin/sh", "-sh", NULL);
		name = "sh";
	} else {
		execvp(name, r->argv);
	}
	int status = errno == ENOENT || errno == ENOTDIR ? 127 : 126;

	dprintf(2, "vm: %s: %s\n", name,
		status == 127 ? "not found in the lab VM" : strerror(errno));
	_exit(status);
}

bool command_start(struct session *s)
{
	struct request request;
	int child[3] = {-1, -1, -1};

	if (s->pid || !parse(s, &request))
		return false;
	/* Stdin that is still queued was sent to the command before this one. */
	s->queue_len = 0;
	s->to_end = false;
	s->status = -1;
	s->pid = request.argv && open_streams(s, &request, child) ? fork() : -1;
	if (s->pid == 0)
		become(&request, child, s->slave);
	for (int i = 0; i < 3; i++)
		if (child[i] >= 0 && child[i] != s->slave)
			close(child[i]);
	if (s->pid < 0) {
		log_error("starting a command: %m");
		session_forget_command(s);
		s->failed_due = true;
	}
	free(request.argv);
	return true;
}

void command_signal(const struct session *s, int sig)
{
	pid_t group = s->from[TTY] >= 0 ? tcgetpgrp(s->from[TTY]) : s->pid;

	if (s->pid > 0 && s->status < 0)
		kill(group > 1 ? -group : -s->pid, sig);
}

static void note_end(struct session *s, int status)
{
	s->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	s->ended = s->moved = clock_ms();
	session_close_fd(&s->slave);
	for (int i = 0; i < STREAMS; i++) {
		int there = 0;

		if (s->from[i] >= 0)
			ioctl(s->from[i], FIONREAD, &there);
		s->owed[i] = there;
	}
}

void command_reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (struct session *s = sessions; s < sessions + WIRE_PORTS; s++)
			if (s->pid == pid && s->status < 0)
				note_end(s, status);
}
