/*
 * One command in the guest: its streams, its signals, its window size and its status travel in
 * frames over one virtio-serial port (wire.h).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

#define GUEST_PATH \
	"PATH=/lab/build/labs:/lab/build/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define GUEST_CWD "/lab"

/* How long a command may go on after the client was told to end. */
#define TERM_MS 5000
/* A connection that meets a guest still busy with the client before it is made anew after this. */
#define SYNC_MS 5000
/* From WIRE_QUIT to QEMU's end. */
#define QUIT_MS 5000

/* Escape from a guest that hangs: so many Ctrl-] in a row. */
#define ESCAPE_KEY 0x1d
#define ESCAPE_TIMES 3

/* VEOF of the guest's terminal. */
#define END_KEY 0x04
/* A shared terminal is looked at so often, to see whether it can be read again. */
#define SHARED_MS 300

/* ==== A connection ==== */

/* Bytes for the guest that the socket has not taken yet. */
static struct {
	char *data;
	size_t len, room;
} outgoing;

static struct {
	uint8_t data[2 * WIRE_FRAME];
	size_t len;
} incoming;

static bool flush_outgoing(void)
{
	while (outgoing.len) {
		ssize_t n = send(vm.port, outgoing.data, outgoing.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		outgoing.len -= n;
		memmove(outgoing.data, outgoing.data + n, outgoing.len);
	}
	return true;
}

static void send_frame(uint32_t type, const void *data, size_t len)
{
	struct wire_head head = {type, len};

	if (outgoing.len + sizeof(head) + len > outgoing.room) {
		outgoing.room = 2 * outgoing.room + sizeof(head) + len;
		outgoing.data = need(realloc(outgoing.data, outgoing.room));
	}
	memcpy(outgoing.data + outgoing.len, &head, sizeof(head));
	if (len)
		memcpy(outgoing.data + outgoing.len + sizeof(head), data, len);
	outgoing.len += sizeof(head) + len;
}

static void drop_incoming(size_t n)
{
	incoming.len -= n;
	memmove(incoming.data, incoming.data + n, incoming.len);
}

/* False when the other end is gone. */
static bool receive(void)
{
	ssize_t n = recv(vm.port, incoming.data + incoming.len,
		sizeof(incoming.data) - incoming.len, MSG_DONTWAIT);

	if (n > 0)
		incoming.len += n;
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static bool connect_port(const char *run, int port)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/%d", run, port);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	vm.port = fd;
	outgoing.len = incoming.len = 0;
	return true;
}

void close_port(void)
{
	if (vm.port >= 0)
		close(vm.port);
	vm.port = -1;
}

/*
 * The VM of another client (attach) may still be busy with the end of the client before us; a new
 * connection shows it that one is gone.
 */
bool synchronize(const char *run, int port, bool own, long long limit)
{
	struct {
		struct wire_head head;
		uint8_t nonce[WIRE_NONCE];
	} echo = {{WIRE_SYNCED, WIRE_NONCE}, {0}};
	long long start = now_ms(), connected = 0;
	uint8_t *found;

	if (getrandom(echo.nonce, sizeof(echo.nonce), 0) != sizeof(echo.nonce))
		die(STATUS_VM, "getrandom: %m");
	for (;;) {
		struct pollfd fd[2] = {{vm.signals, POLLIN, 0}, {0}};

		handle_early_signals();
		if ((own && !vm.qemu) || now_ms() - start > limit) {
			close_port();
			return false;
		}
		if (!own && vm.port >= 0 && now_ms() - connected > SYNC_MS)
			close_port();
		if (vm.port < 0 && connect_port(run, port)) {
			connected = now_ms();
			send_frame(WIRE_SYNC, echo.nonce, sizeof(echo.nonce));
		}
		if (vm.port < 0 && !own && !is_alive(run))
			return false;
		fd[1] = (struct pollfd){vm.port, POLLIN | (outgoing.len ? POLLOUT : 0), 0};
		poll(fd, 2, vm.port < 0 ? 2 : 500);
		if (vm.port < 0)
			continue;
		if (!flush_outgoing() || (fd[1].revents & (POLLIN | POLLHUP) && !receive())) {
			close_port();
			continue;
		}
		found = memmem(incoming.data, incoming.len, &echo, sizeof(echo));
		if (found) {
			drop_incoming(found - incoming.data + sizeof(echo));
			return true;
		}
		if (incoming.len > sizeof(echo))
			drop_incoming(incoming.len - sizeof(echo));
	}
}

bool begin(bool labs_changed, long long limit)
{
	struct wire_begin facts = {0};
	struct wire_head head;
	long long start = now_ms();
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	facts.labs_changed = labs_changed;
	facts.seconds = now.tv_sec;
	facts.nanoseconds = now.tv_nsec;
	if (getrandom(facts.seed, sizeof(facts.seed), 0) != sizeof(facts.seed))
		die(STATUS_VM, "getrandom: %m");
	send_frame(WIRE_BEGIN, &facts, sizeof(facts));
	while (vm.qemu && now_ms() - start <= limit) {
		struct pollfd fd[2] = {{vm.signals, POLLIN, 0},
			{vm.port, POLLIN | (outgoing.len ? POLLOUT : 0), 0}};

		poll(fd, 2, 500);
		handle_early_signals();
		if (!flush_outgoing() || (fd[1].revents & (POLLIN | POLLHUP) && !receive()))
			return false;
		if (incoming.len < sizeof(head))
			continue;
		memcpy(&head, incoming.data, sizeof(head));
		if (head.type != WIRE_BEGUN || head.len > WIRE_DATA)
			return false;
		if (incoming.len < sizeof(head) + head.len)
			continue;
		if (head.len > 0)
			die_vm("the lab VM says: %.*s", (int)head.len,
				(const char *)incoming.data + sizeof(head));
		drop_incoming(sizeof(head));
		return true;
	}
	return false;
}

/* ==== A session ==== */

struct request {
	char *data;
	size_t len;
};

static void add_string(struct request *r, const char *text)
{
	size_t len = strlen(text) + 1;

	if (r->len + len > WIRE_REQUEST_MAX)
		die(STATUS_USAGE, "the command and its environment are longer than 1 MiB");
	memcpy(r->data + r->len, text, len);
	r->len += len;
}

static void add_number(struct request *r, int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", n);
	add_string(r, text);
}

static bool passes(const char *variable)
{
	static const char *const names_of[] = {"TERM=", "NO_COLOR=", "LANG=", "LC_", "LAB_"};

	for (size_t i = 0; i < sizeof(names_of) / sizeof(names_of[0]); i++)
		if (strncmp(variable, names_of[i], strlen(names_of[i])) == 0)
			return true;
	return false;
}

static void send_request(const struct ends *ends, char *argv[])
{
	static const char *const fixed[] = {GUEST_PATH, "HOME=/root", "USER=root", "LOGNAME=root"};
	struct request r = {need(malloc(WIRE_REQUEST_MAX)), 0};
	struct winsize size = {.ws_row = 24, .ws_col = 80};
	int argc = 0;

	if (ends->tty >= 0)
		ioctl(ends->tty, TIOCGWINSZ, &size);
	while (argv[argc])
		argc++;
	add_string(&r, ends->mode);
	add_string(&r, ends->whole ? "1" : "0");
	add_number(&r, size.ws_row);
	add_number(&r, size.ws_col);
	add_string(&r, GUEST_CWD);
	add_number(&r, argc);
	for (int i = 0; i < argc; i++)
		add_string(&r, argv[i]);
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		add_string(&r, fixed[i]);
	for (char **variable = environ; *variable; variable++)
		if (passes(*variable))
			add_string(&r, *variable);
	for (size_t at = 0; at < r.len; at += WIRE_DATA)
		send_frame(
			WIRE_REQUEST, r.data + at, r.len - at < WIRE_DATA ? r.len - at : WIRE_DATA);
	send_frame(WIRE_START, NULL, 0);
	free(r.data);
}

static void send_size(const struct ends *ends)
{
	struct winsize size;

	if (ends->tty >= 0 && ioctl(ends->tty, TIOCGWINSZ, &size) == 0)
		send_frame(
			WIRE_WINSIZE, (uint16_t[]){size.ws_row, size.ws_col}, 2 * sizeof(uint16_t));
}

struct session {
	struct ends *ends;
	bool stdin_open;
	uint32_t credit;
	int escapes;
	long long give_up; /* when a command that was told to end is ended; 0: it was not told */
	int told;
	int status; /* -1 until the guest has said it */
	/* The frame whose bytes are being written. */
	int to;
	const uint8_t *data;
	size_t len, whole;
};

static void session_signals(struct session *s)
{
	for (int sig; (sig = next_signal());) {
		switch (sig) {
		case SIGWINCH:
			send_size(s->ends);
			break;
		case SIGTSTP:
			terminal_cooked();
			kill(getpid(), SIGSTOP);
			break;
		case SIGCONT:
			update_terminal(s->ends);
			send_size(s->ends);
			break;
		case SIGCHLD:
			reap_qemu();
			break;
		case SIGTERM:
		case SIGHUP:
			if (!s->give_up) {
				s->give_up = now_ms() + TERM_MS;
				s->told = sig;
			}
			/* fall through */
		default:
			send_frame(WIRE_SIGNAL, (uint8_t[]){sig}, 1);
		}
	}
	if (s->give_up && now_ms() >= s->give_up)
		end(128 + s->told);
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
		/* Ctrl-D: more may follow, as for a shell whose command has read to here. */
		data[0] = END_KEY;
		n = 1;
	}
	if (n <= 0) {
		s->stdin_open = false;
		send_frame(WIRE_STDIN_END, NULL, 0);
		return;
	}
	for (ssize_t i = 0; terminal && i < n; i++) {
		s->escapes = data[i] == ESCAPE_KEY ? s->escapes + 1 : 0;
		if (s->escapes == ESCAPE_TIMES)
			die(128 + SIGINT, "ended by Ctrl-]");
	}
	s->credit -= n;
	send_frame(WIRE_STDIN, data, n);
}

/* Writes some of the frame at hand. The caller's descriptors are shared and stay blocking. */
static void write_output(struct session *s)
{
	int fd = s->to == 0 ? s->ends->tty : s->ends->fd[s->to];
	/* What poll() promised is that this much does not block. */
	size_t most = s->len < PIPE_BUF ? s->len : PIPE_BUF;
	ssize_t n = fd < 0 ? (ssize_t)s->len : write(fd, s->data, most);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		/* Nobody reads it: the command must learn that as it would here. */
		if (s->to != 0) {
			send_frame(WIRE_CLOSED, (uint8_t[]){s->to}, 1);
			if (fd > 2)
				close(fd);
			s->ends->fd[s->to] = -1;
		}
		n = s->len;
	}
	s->data += n;
	s->len -= n;
	if (s->len == 0)
		drop_incoming(s->whole);
}

/* exit(3) would take 256 for 0, which is success. */
static int exit_status(const uint8_t *digits, size_t len)
{
	int status = 0;

	for (size_t i = 0; i < len && status <= 255; i++)
		status = digits[i] >= '0' && digits[i] <= '9' ? 10 * status + digits[i] - '0' : 256;
	if (len == 0 || status > 255)
		die_vm("the lab VM sent nonsense: a status of '%.*s'", (int)(len < 16 ? len : 16),
			(const char *)digits);
	return status;
}

/* Takes whole frames until one has output to write. */
static void take_frames(struct session *s)
{
	struct wire_head head;

	while (s->len == 0 && s->status < 0 && incoming.len >= sizeof(head)) {
		memcpy(&head, incoming.data, sizeof(head));
		const uint8_t *data = incoming.data + sizeof(head);

		if (head.len > WIRE_DATA)
			die_vm("the lab VM sent nonsense");
		s->whole = sizeof(head) + head.len;
		if (incoming.len < s->whole)
			return;
		if (head.type == WIRE_TTY || head.type == WIRE_STDOUT || head.type == WIRE_STDERR) {
			s->to = head.type == WIRE_TTY ? 0 : head.type == WIRE_STDOUT ? 1 : 2;
			s->data = data;
			s->len = head.len;
			if (head.len)
				return;
		} else if (head.type == WIRE_CREDIT && head.len == sizeof(uint32_t)) {
			uint32_t more;

			memcpy(&more, data, sizeof(more));
			s->credit += more;
		} else if (head.type == WIRE_EXIT) {
			s->status = exit_status(data, head.len);
		}
		drop_incoming(s->whole);
	}
}

int run_session(struct ends *ends, char *argv[])
{
	struct session s = {.ends = ends,
		.stdin_open = ends->mode[0] != 'c',
		.status = -1,
		.credit = WIRE_CREDIT_START};

	send_request(ends, argv);
	update_terminal(ends);
	while (s.status < 0) {
		struct pollfd fd[4] = {{vm.signals, POLLIN, 0},
			{vm.port, (s.len ? 0 : POLLIN) | (outgoing.len ? POLLOUT : 0), 0},
			{-1, POLLIN, 0}, {-1, POLLOUT, 0}};
		int wait = -1;

		if (s.stdin_open && s.credit && !outgoing.len && may_read(ends))
			fd[2].fd = ends->fd[0];
		if (s.len)
			fd[3].fd = s.to == 0 ? ends->tty : ends->fd[s.to];
		if (s.give_up)
			wait = 100;
		else if (s.len && fd[3].fd < 0)
			wait = 0;
		else if (s.stdin_open && fd[2].fd < 0 && ends->mode[0] == 't' && !ends->whole)
			wait = SHARED_MS;
		poll(fd, 4, wait);

		session_signals(&s);
		if (fd[2].revents && may_read(ends))
			read_stdin(&s, fd[2].revents & POLLHUP);
		if (!flush_outgoing())
			break;
		/* What it said before it went still counts, so this is only looked at when that is
		 * written. */
		if (!s.len && fd[1].revents && !receive())
			break;
		if (s.len && (fd[3].revents || fd[3].fd < 0))
			write_output(&s);
		take_frames(&s);
	}
	terminal_cooked();
	return s.status;
}

/* ==== The end ==== */

void quit_vm(void)
{
#ifdef __x86_64__
	const int clean = WIRE_EXIT_STATUS;
#else
	const int clean = 0; /* it powers off; the goodbye tells that from a reboot */
#endif
	long long deadline = now_ms() + QUIT_MS;
	bool open = true, bye = false;
	struct wire_head head;

	send_frame(WIRE_QUIT, NULL, 0);
	while ((open || vm.qemu) && now_ms() < deadline) {
		struct pollfd fd[2] = {{vm.signals, POLLIN, 0},
			{open ? vm.port : -1, POLLIN | (outgoing.len ? POLLOUT : 0), 0}};

		poll(fd, 2, 100);
		while (next_signal())
			;
		reap_qemu();
		if (open)
			open = flush_outgoing() &&
			       (!(fd[1].revents & (POLLIN | POLLHUP)) || receive());
		while (incoming.len >= sizeof(head)) {
			memcpy(&head, incoming.data, sizeof(head));
			if (head.len > WIRE_DATA || incoming.len < sizeof(head) + head.len)
				break;
			bye |= head.type == WIRE_BYE;
			drop_incoming(sizeof(head) + head.len);
		}
		/* It ends when it sees that we have heard. */
		if (bye)
			open = false;
		if (!open)
			close_port();
	}
	if (vm.qemu || !bye || !WIFEXITED(vm.qemu_status) || WEXITSTATUS(vm.qemu_status) != clean)
		die_vm("the command ended, but the lab VM did not end cleanly");
}
