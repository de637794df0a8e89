/*
 * run.h: a function in a process of its own, as a lab is one. Its output, its
 * status and the moment when the last of its children let go are held.
 *
 * Nothing in such a function may use cmocka's asserts, which jump: it prints
 * what it saw, and the test looks at that.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "story/lab.h"

enum { RUN_SECONDS = 60, RUN_OUT = 1 << 18, RUN_ERR = 1 << 15, RUN_PACKETS = 256 };

struct run {
	int status; /* or 128 + signal */
	bool late;  /* somebody still held stdout or stderr when the time was over */
	size_t out_size, err_size;
	int packets; /* how.packets: number of write(2)s on stdout, and where each begins */
	size_t start[RUN_PACKETS];
	char out[RUN_OUT], err[RUN_ERR];
};

struct how {
	const char *input; /* on stdin, then its end */
	int columns;       /* stdout is a terminal of that width */
	bool terminal;     /* stdin is that terminal too */
	bool talks;        /* and each line of input waits for a prompt, "> " */
	bool packets;      /* stdout keeps the borders between writes */
};

/* Where the machine has 32 bits, the calls for a time_t of 64 have numbers of their own. */
#ifdef SYS_clock_gettime64
#define RUN_CLOCK_GETTIME SYS_clock_gettime64
#define RUN_PPOLL SYS_ppoll_time64
#else
#define RUN_CLOCK_GETTIME SYS_clock_gettime
#define RUN_PPOLL SYS_ppoll
#endif

static inline long long run_ms(void)
{
	struct timespec now;
	syscall(RUN_CLOCK_GETTIME, CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* fd[0] is the outer end of a new terminal, fd[1] the one for a program; no echo, no CR. */
static inline void run_terminal(int fd[2], int columns)
{
	struct termios mode;
	struct winsize size = {.ws_row = 24, .ws_col = (unsigned short)columns};
	fd[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(fd[0] >= 0);
	assert_int_equal(grantpt(fd[0]) | unlockpt(fd[0]), 0);
	fd[1] = open(ptsname(fd[0]), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(fd[1] >= 0);
	assert_int_equal(tcgetattr(fd[1], &mode), 0);
	mode.c_oflag &= ~(tcflag_t)OPOST;
	mode.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	assert_int_equal(tcsetattr(fd[1], TCSANOW, &mode), 0);
	assert_int_equal(ioctl(fd[1], TIOCSWINSZ, &size), 0);
}

static inline _Noreturn void run_child(void (*fn)(void), int in, int out, int err)
{
	static const char *const unset[] = {"NO_COLOR", "LAB_WHY", "LC_ALL", "LC_CTYPE", "LANG",
		"XDG_CACHE_HOME", "CI", "STEP", "PREDICT", "LAB_LECTURE"};
	static const int signals[] = {
		SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGSYS, SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE};
	setpgid(0, 0);
	for (size_t i = 0; i < sizeof unset / sizeof *unset; i++)
		unsetenv(unset[i]);
	setenv("LAB_WHERE", "host", 1);
	setenv("TERM", "xterm", 1);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		signal(signals[i], SIG_DFL);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	fn();
	_exit(0);
}

/* What can be read from one of the two ends; false at its end. */
static inline bool run_take(struct run *r, int fd, bool is_out)
{
	char *to = is_out ? r->out : r->err;
	size_t *size = is_out ? &r->out_size : &r->err_size, room = is_out ? RUN_OUT : RUN_ERR;
	assert_true(*size < room - 1);
	ssize_t n = read(fd, to + *size, room - 1 - *size);
	if (n <= 0)
		return false;
	if (is_out && r->packets < RUN_PACKETS)
		r->start[r->packets] = *size;
	r->packets += is_out;
	*size += (size_t)n;
	return true;
}

/* The next line of input, once what was written last is a prompt. */
static inline void run_talk(const struct run *r, int fd, const char **input)
{
	if (!*input || !**input || r->out_size < 2 ||
		memcmp(r->out + r->out_size - 2, "> ", 2) != 0)
		return;
	size_t length = strcspn(*input, "\n") + 1;
	assert_int_equal(write(fd, *input, length), length);
	*input += length;
}

static inline struct run *run_with(void (*fn)(void), struct how how)
{
	static struct run r;
	int in[2], out[2], err[2];
	memset(&r, 0, sizeof r);
	fflush(NULL);
	if (how.columns)
		run_terminal(out, how.columns);
	else if (how.packets)
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, out), 0);
	else
		assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(in[1]);
		close(out[0]);
		close(err[0]);
		run_child(fn, how.terminal ? out[1] : in[0], out[1], err[1]);
	}
	setpgid(pid, pid); /* by both, so that neither is too late */
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	close(out[1]);
	close(err[1]);
	if (how.input && !how.talks) {
		ssize_t size = (ssize_t)strlen(how.input);
		assert_int_equal(
			write(how.terminal ? out[0] : in[1], how.input, (size_t)size), size);
	}
	close(in[0]);
	close(in[1]);

	long long end = run_ms() + 1000LL * RUN_SECONDS;
	struct pollfd fds[] = {{.fd = out[0], .events = POLLIN}, {.fd = err[0], .events = POLLIN}};
	while ((fds[0].fd >= 0 || fds[1].fd >= 0) && !r.late) {
		long long left = end - run_ms();
		r.late = left <= 0 || poll(fds, 2, (int)left) == 0;
		for (int i = 0; i < 2 && !r.late; i++)
			if (fds[i].fd >= 0 && fds[i].revents && !run_take(&r, fds[i].fd, i == 0))
				fds[i].fd = -1;
			else if (i == 0 && how.talks && fds[0].revents)
				run_talk(&r, out[0], &how.input);
	}
	struct pollfd gone = {.fd = pidfd, .events = POLLIN};
	long long left = end - run_ms();
	if (poll(&gone, 1, left > 0 ? (int)left : 0) == 0)
		r.late = true;
	kill(-pid, SIGKILL); /* its group: not yet reaped, so it is ours */
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	r.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	close(pidfd);
	close(out[0]);
	close(err[0]);
	return &r;
}

static inline struct run *run(void (*fn)(void))
{
	return run_with(fn, (struct how){0});
}

/* lab_begin() with the words up to NULL; the array outlives the call, as main()'s does. */
static inline void begin(const struct lab *the_lab, ...)
{
	static char *argv[16];
	int argc = 0;
	va_list ap;
	argv[argc++] = (char *)(uintptr_t) "lab";
	va_start(ap, the_lab);
	while ((argv[argc] = va_arg(ap, char *)))
		argc++;
	va_end(ap);
	lab_begin(the_lab, argc, argv);
}

/* ---- Asserts that show the whole run ---- */

static inline void run_show(const struct run *r)
{
	print_error("status %d%s\n---- stdout\n%s\n---- stderr\n%s\n----\n", r->status,
		r->late ? ", and a process was still there" : "", r->out, r->err);
}

/* A call may stand for the run: it is made once. */
#define assert_status(r, expected) \
	do { \
		const struct run *ran = (r); \
		if (ran->status != (expected) || ran->late) { \
			run_show(ran); \
			fail_msg("expected status %d", expected); \
		} \
	} while (0)

#define assert_has(r, stream, needle) \
	do { \
		const struct run *ran = (r); \
		if (!strstr(ran->stream, needle)) { \
			run_show(ran); \
			fail_msg("std%s lacks: %s", #stream, needle); \
		} \
	} while (0)

#define assert_lacks(r, stream, needle) \
	do { \
		const struct run *ran = (r); \
		if (strstr(ran->stream, needle)) { \
			run_show(ran); \
			fail_msg("std%s has: %s", #stream, needle); \
		} \
	} while (0)

#define assert_out(r, expected) \
	do { \
		const struct run *ran = (r); \
		if (strcmp(ran->out, expected)) { \
			run_show(ran); \
			fail_msg("expected stdout: %s", expected); \
		} \
	} while (0)

static inline int times(const char *haystack, const char *needle)
{
	int n = 0;
	for (const char *at = haystack; (at = strstr(at, needle)); at += strlen(needle))
		n++;
	return n;
}

/* ---- JSON, RFC 8259: the end of the value that begins at c, or NULL ---- */

static inline const char *json_skip(const char *c)
{
	return c + strspn(c, " \t\r\n");
}

static inline const char *json_string_end(const char *c)
{
	if (*c++ != '"')
		return NULL;
	for (; *c != '"'; c++) {
		if ((unsigned char)*c < 0x20)
			return NULL;
		if (*c != '\\')
			continue;
		c++;
		if (*c == 'u' && strspn(c + 1, "0123456789abcdefABCDEF") >= 4)
			c += 4;
		else if (!*c || !strchr("\"\\/bfnrt", *c))
			return NULL;
	}
	return c + 1;
}

static inline const char *json_end(const char *c)
{
	static const char *const words[] = {"true", "false", "null"};
	c = json_skip(c);
	for (int i = 0; i < 3; i++)
		if (!strncmp(c, words[i], strlen(words[i])))
			return c + strlen(words[i]);
	if (*c == '"')
		return json_string_end(c);
	if (*c != '{' && *c != '[') {
		char *end;
		if (*c != '-' && (*c < '0' || *c > '9'))
			return NULL;
		strtod(c, &end);
		return end > c ? end : NULL;
	}
	char close_with = *c == '{' ? '}' : ']';
	c = json_skip(c + 1);
	if (*c == close_with)
		return c + 1;
	for (;;) {
		if (close_with == '}') {
			c = json_string_end(json_skip(c));
			if (!c || *(c = json_skip(c)) != ':')
				return NULL;
			c++;
		}
		c = json_end(c);
		if (!c)
			return NULL;
		c = json_skip(c);
		if (*c == close_with)
			return c + 1;
		if (*c++ != ',')
			return NULL;
	}
}

/* Each line of text is one JSON object; their number, -1 when one is not. */
static inline int json_lines(const char *text)
{
	int n = 0;
	for (; *text; n++) {
		if (*text != '{')
			return -1;
		text = json_end(text);
		if (!text || *text++ != '\n')
			return -1;
	}
	return n;
}

/* A folder of the test's own, and what is in it, without a shell. */
static inline void put_file(const char *folder, const char *name, const char *content, mode_t mode)
{
	char path[4096];
	assert_in_range(snprintf(path, sizeof path, "%s/%s", folder, name), 1, sizeof path - 1);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/* The number of a process that was there and has been reaped. */
static inline pid_t gone_pid(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return pid;
}
