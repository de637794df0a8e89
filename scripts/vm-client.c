/*
 * vm-client: the host's end of the lab VM. scripts/vm decides what is booted; this starts QEMU,
 * talks to the guest's /init (rootfs/wire.h says how) and leaves nothing behind.
 *
 *	vm-client run [OPTION]... --qemu QEMU [ARG]... -- [COMMAND [ARG]...]
 *		--banner TEXT	said on stderr when that is a terminal
 *		--limit SECONDS	a guest that is silent for so long has failed
 *		--part FILE	the next cpio archive of the boot archive
 *		--put FILE PATH	FILE (a folder: all in it), when it exists, is PATH in the guest
 *		--carry PATH	PATH is at the same place in the guest; the guest must not have it
 *		--also PATH	likewise, but what the guest has already stays
 *		--bring PATH	copied back when the command has ended
 *	vm-client attach -- [COMMAND [ARG]...]
 *
 * Everything said is said on stderr. Status: the command's; 125 when the VM failed; 2 for a PATH
 * that cannot travel.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <search.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "../rootfs/wire.h"

#define GUEST_PATH \
	"PATH=/lab/build/labs:/lab/build/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define GUEST_CWD "/lab"
#define CARRY_MAX (64LL * 1024 * 1024)

enum { STATUS_USAGE = 2, STATUS_VM = 125 };

/* How long a command may go on after the client was told to end. */
#define TERM_MS 5000
/* A connection that meets a guest still busy with the client before it is made anew after this. */
#define SYNC_MS 5000
/* From WIRE_QUIT to QEMU's end. */
#define QUIT_MS 5000

#define TAIL_LINES 12

/* Escape from a guest that hangs: so many Ctrl-] in a row. */
#define ESCAPE_KEY 0x1d
#define ESCAPE_TIMES 3

/* VEOF of the guest's terminal. */
#define END_KEY 0x04
/* A shared terminal is looked at so often, to see whether it can be read again. */
#define SHARED_MS 300

static struct {
	char run[80]; /* the run folder; "" when there is none */
	int alive;    /* its lock, held as long as the VM may run */
	pid_t qemu;   /* 0 when it has ended */
	int qemu_status;
	pid_t watcher;
	int watcher_pipe;
	int signals; /* signalfd */
	int port;    /* socket of the session */
	struct terminal {
		bool raw;
		struct termios found, set;
	} terminal; /* of fd 0 */
} vm = {.alive = -1, .watcher_pipe = -1, .signals = -1, .port = -1};

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* ==== The run folder and its end ==== */

static void remove_folder(const char *path)
{
	char inside[PATH_MAX];
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		snprintf(inside, sizeof(inside), "%s/%s", path, entry->d_name);
		unlink(inside);
	}
	if (dir)
		closedir(dir);
	rmdir(path);
}

/* The watcher has to know it as well. */
static void set_raw(bool raw)
{
	vm.terminal.raw = raw;
	if (write(vm.watcher_pipe, &vm.terminal, sizeof(vm.terminal)) < 0)
		return; /* it was killed, or it is the watcher that asks */
}

/* As it was found, unless somebody has changed it since. It waits for nothing: output may stand. */
static void terminal_cooked(void)
{
	const struct termios *set = &vm.terminal.set;
	struct termios now;

	if (vm.terminal.raw && tcgetattr(0, &now) == 0 && now.c_iflag == set->c_iflag &&
		now.c_oflag == set->c_oflag && now.c_lflag == set->c_lflag)
		tcsetattr(0, TCSANOW, &vm.terminal.found);
	if (vm.terminal.raw)
		set_raw(false);
}

/* Ends what was started and waits until nothing of it is left. */
static void clean_up(void)
{
	terminal_cooked();
	if (vm.qemu > 0) {
		kill(vm.qemu, SIGKILL);
		waitpid(vm.qemu, NULL, 0);
		vm.qemu = 0;
	}
	if (vm.watcher > 0) {
		close(vm.watcher_pipe);
		waitpid(vm.watcher, NULL, 0);
		vm.watcher = 0;
	}
	/* The watcher has done it, unless it was killed. */
	if (vm.run[0])
		remove_folder(vm.run);
}

static _Noreturn void end(int status)
{
	clean_up();
	exit(status);
}

static void print_tail(const char *name)
{
	char path[128], text[2400];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", vm.run, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	off_t size = lseek(fd, 0, SEEK_END);
	ssize_t n = pread(fd, text, sizeof(text) - 1,
		size > (off_t)sizeof(text) ? size - (off_t)sizeof(text) + 1 : 0);

	close(fd);
	if (n <= 0)
		return;
	text[n] = '\0';
	char *from = text + n;
	int lines = 0;

	while (from > text && lines <= TAIL_LINES)
		lines += *--from == '\n';
	if (*from == '\n')
		from++;
	fprintf(stderr, "vm: the end of %s:\n%s%s", name, from, text[n - 1] == '\n' ? "" : "\n");
}

__attribute__((format(printf, 2, 3))) static _Noreturn void die(int status, const char *format, ...)
{
	va_list args;

	terminal_cooked();
	fputs("vm: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	end(status);
}

/* The VM itself failed: the reason in one line, then what it said last. */
__attribute__((format(printf, 1, 2))) static _Noreturn void die_vm(const char *format, ...)
{
	va_list args;

	terminal_cooked();
	fputs("vm: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	print_tail("qemu.log");
	print_tail("console.log");
	end(STATUS_VM);
}

/* Where run folders are: the n-th place that this user has, or false. */
static bool run_place(int n, char *place, size_t size)
{
	const char *own = getenv("XDG_RUNTIME_DIR");
	struct stat st;
	bool have_own = own && own[0] == '/' && strlen(own) < 40 && stat(own, &st) == 0 &&
			st.st_uid == geteuid() && access(own, W_OK) == 0;

	if (n > (have_own ? 1 : 0))
		return false;
	snprintf(place, size, "%s/unboxed-%u", have_own && n == 0 ? own : "/tmp", geteuid());
	return true;
}

/* In /tmp anybody may have made it first: a folder of somebody else's is not ours to trust. */
static bool ours(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	       !(st.st_mode & 077);
}

static bool is_alive(const char *run)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/alive", run);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool free = flock(fd, LOCK_EX | LOCK_NB) == 0;

	close(fd);
	return !free;
}

/* Calls each(path, data) for every run folder of this user. */
static void each_run(void (*each)(const char *run, void *data), void *data)
{
	char place[64], path[128];
	struct dirent *entry;

	for (int n = 0; run_place(n, place, sizeof(place)); n++) {
		DIR *dir = ours(place) ? opendir(place) : NULL;

		while (dir && (entry = readdir(dir))) {
			if (strncmp(entry->d_name, "vm-", 3) != 0 || strlen(entry->d_name) > 20)
				continue;
			snprintf(path, sizeof(path), "%s/%.20s", place, entry->d_name);
			each(path, data);
		}
		if (dir)
			closedir(dir);
	}
}

static void sweep_run(const char *run, void *unused)
{
	pid_t pid = atoi(strrchr(run, '-') + 1);

	(void)unused;
	/* A folder whose lock is not there yet belongs to a client that is just starting. */
	if (pid > 0 && kill(pid, 0) != 0 && errno == ESRCH && !is_alive(run))
		remove_folder(run);
}

static void make_run_folder(void)
{
	char place[64], path[128];

	each_run(sweep_run, NULL);
	run_place(0, place, sizeof(place));
	mkdir(place, 0700);
	if (!ours(place))
		die(STATUS_VM,
			"%s is not a folder that is yours alone: remove it, or set XDG_RUNTIME_DIR",
			place);
	snprintf(vm.run, sizeof(vm.run), "%s/vm-%d", place, getpid());
	remove_folder(vm.run);
	if (mkdir(vm.run, 0700) != 0) {
		int reason = errno;

		snprintf(path, sizeof(path), "%s", vm.run);
		vm.run[0] = '\0';
		die(STATUS_VM, "making %s: %s", path, strerror(reason));
	}
	snprintf(path, sizeof(path), "%s/alive", vm.run);
	vm.alive = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (vm.alive < 0 || flock(vm.alive, LOCK_EX | LOCK_NB) != 0)
		die(STATUS_VM, "locking %s: %m", path);
}

/*
 * SIGKILL leaves us no last word. This process waits for the end of the pipe, which is our end
 * however it comes, gives the terminal back and removes the folder; QEMU is killed by the kernel
 * then (PR_SET_PDEATHSIG).
 */
static void start_watcher(void)
{
	int pair[2];
	ssize_t n;

	if (pipe2(pair, O_CLOEXEC) != 0)
		die(STATUS_VM, "pipe: %m");
	vm.watcher = fork();
	if (vm.watcher < 0)
		die(STATUS_VM, "fork: %m");
	if (vm.watcher == 0) {
		sigset_t all;

		setsid();
		sigfillset(&all);
		sigprocmask(SIG_BLOCK, &all, NULL);
		/* A pipe of the caller's must not stay open because of us. */
		for (int fd = isatty(0); fd < 3; fd++)
			close(fd);
		close(pair[1]);
		do
			n = read(pair[0], &vm.terminal, sizeof(vm.terminal));
		while (n > 0 || (n < 0 && errno == EINTR));
		terminal_cooked();
		if (vm.run[0])
			remove_folder(vm.run);
		_exit(0);
	}
	close(pair[0]);
	vm.watcher_pipe = pair[1];
}

/* ==== The boot archive ==== */

static FILE *archive;
static long long carried;

/* Every name that the guest has so far, and whether it is a folder. */
struct name {
	bool folder;
	char path[];
};

static void *names;

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->path, ((const struct name *)b)->path);
}

static struct name *make_name(const char *path, bool folder)
{
	struct name *name = malloc(sizeof(*name) + strlen(path) + 1);

	if (!name)
		die(STATUS_VM, "out of memory");
	name->folder = folder;
	strcpy(name->path, path);
	return name;
}

/* Finds the name, or adds it: *added says which. Paths are without a leading slash. */
static struct name *know_name(const char *path, bool folder, bool *added)
{
	struct name *name = make_name(path, folder), **found = tsearch(name, &names, compare_names);

	if (!found)
		die(STATUS_VM, "out of memory");
	*added = *found == name;
	if (!*added)
		free(name);
	return *found;
}

static void write_entry(
	const char *path, mode_t mode, time_t mtime, long long size, const char *data)
{
	static unsigned int inode = 1;
	size_t len = strlen(path) + 1;

	fprintf(archive, "070701%08x%08x%08x%08x%08x%08x%08llx%08x%08x%08x%08x%08zx%08x", inode++,
		mode, 0, 0, 1, (unsigned int)mtime, size, 0, 0, 0, 0, len, 0);
	fwrite(path, 1, len, archive);
	for (size_t at = 110 + len; at % 4; at++)
		fputc(0, archive);
	if (data) {
		fwrite(data, 1, size, archive);
		for (long long at = size; at % 4; at++)
			fputc(0, archive);
	}
}

static void write_file(const char *from, const char *to, const struct stat *st, int status)
{
	static char block[65536];
	long long left = st->st_size;
	int fd = open(from, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(status, "%s cannot travel: %m", from);
	write_entry(to, st->st_mode & 0107777, st->st_mtime, left, NULL);
	while (left > 0) {
		ssize_t n = read(fd, block,
			left < (long long)sizeof(block) ? left : (long long)sizeof(block));

		if (n <= 0)
			die(STATUS_VM, "%s changed while it was read", from);
		fwrite(block, 1, n, archive);
		left -= n;
	}
	close(fd);
	for (long long at = st->st_size; at % 4; at++)
		fputc(0, archive);
}

static void know_parents(const char *path)
{
	char parent[PATH_MAX];
	bool added;

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
		if (!know_name(parent, true, &added)->folder)
			die(STATUS_USAGE, "/%s cannot travel: /%s is no folder in the lab VM", path,
				parent);
		if (added)
			write_entry(parent, S_IFDIR | 0755, 0, 0, NULL);
	}
}

enum travel { PUT, CARRY, ALSO };

/* Copies from (this machine's) to the guest's /to. At the top a link is followed. */
static void add_tree(const char *from, const char *to, enum travel how, bool top)
{
	struct stat st;
	char a[PATH_MAX], b[PATH_MAX];
	bool added;

	if (fstatat(AT_FDCWD, from, &st, top ? 0 : AT_SYMLINK_NOFOLLOW) != 0) {
		if (how == PUT)
			return;
		die(STATUS_USAGE, "%s cannot travel: %m", from);
	}
	bool folder = S_ISDIR(st.st_mode);

	if (!folder && !S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode)) {
		if (top)
			die(STATUS_USAGE, "%s cannot travel: it is no file and no folder", from);
		return;
	}
	if (top)
		know_parents(to);
	struct name *name = know_name(to, folder, &added);

	if (!added && how == CARRY && !(name->folder && folder))
		die(STATUS_USAGE, "/%s cannot travel: the lab VM has a file of that name", to);
	if (!added && !folder)
		return;
	if (how != PUT && !folder)
		carried += st.st_size;
	if (carried > CARRY_MAX)
		die(STATUS_USAGE, "%s cannot travel: more than 64 MiB", from);

	if (S_ISREG(st.st_mode)) {
		write_file(from, to, &st, how == PUT ? STATUS_VM : STATUS_USAGE);
	} else if (S_ISLNK(st.st_mode)) {
		ssize_t n = readlink(from, a, sizeof(a) - 1);

		write_entry(to, S_IFLNK | 0777, st.st_mtime, n < 0 ? 0 : n, a);
	} else {
		DIR *dir = opendir(from);
		struct dirent *entry;

		if (!dir)
			die(how == PUT ? STATUS_VM : STATUS_USAGE, "%s cannot travel: %m", from);
		if (added)
			write_entry(to, st.st_mode & 047777, st.st_mtime, 0, NULL);
		while ((entry = readdir(dir))) {
			if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
				continue;
			if (snprintf(a, sizeof(a), "%s/%s", from, entry->d_name) >=
					(int)sizeof(a) ||
				snprintf(b, sizeof(b), "%s/%s", to, entry->d_name) >=
					(int)sizeof(b))
				die(STATUS_USAGE, "%s cannot travel: a path in it is too long",
					from);
			add_tree(a, b, how, false);
		}
		closedir(dir);
	}
}

static void carry(const char *path, enum travel how)
{
	static const char *const not [] = {"proc", "sys", "dev"};

	for (size_t i = 0; i < sizeof(not ) / sizeof(not [0]); i++) {
		size_t len = strlen(not [i]);

		if (strncmp(path + 1, not [i], len) == 0 &&
			(path[1 + len] == '/' || path[1 + len] == '\0'))
			die(STATUS_USAGE, "%s cannot travel: /%s is the kernel's", path, not [i]);
	}
	add_tree(path, path + 1, how, true);
}

/* Learns the names in a cpio archive, which is at data. */
static void know_archive(const char *data, size_t size)
{
	char field[9] = "";
	bool added;

	for (size_t at = 0; at + 110 < size;) {
		unsigned long value[13];

		if (memcmp(data + at, "070701", 6) != 0) {
			/* Zeros fill the space between two archives. */
			at += 4;
			continue;
		}
		for (int i = 0; i < 13; i++) {
			memcpy(field, data + at + 6 + 8 * i, 8);
			value[i] = strtoul(field, NULL, 16);
		}
		const char *name = data + at + 110;

		if (strcmp(name, "TRAILER!!!") != 0)
			know_name(name, S_ISDIR(value[1]), &added);
		at = (at + 110 + value[11] + 3) & ~3UL;
		at = (at + value[6] + 3) & ~3UL;
	}
}

static void add_part(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *data = fd >= 0 && fstat(fd, &st) == 0 ? malloc(st.st_size + 1) : NULL;
	ssize_t n = 0, got = 0;

	while (data && got < st.st_size && (n = read(fd, data + got, st.st_size - got)) > 0)
		got += n;
	if (!data || got < st.st_size)
		die(STATUS_VM, "reading %s: %m", path);
	data[got] = '\0';
	know_archive(data, got);
	fwrite(data, 1, got, archive);
	for (long at = ftell(archive); at % 4; at++)
		fputc(0, archive);
	free(data);
	close(fd);
}

/* ==== Signals and the terminal ==== */

static void take_signals(void)
{
	static const int wanted[] = {
		SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGCONT, SIGTSTP, SIGCHLD};
	struct sigaction action;
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		/* nohup, or a shell without job control, has asked that we ignore it. */
		if (sigaction(wanted[i], NULL, &action) == 0 && action.sa_handler == SIG_IGN &&
			wanted[i] != SIGCHLD)
			continue;
		sigaddset(&set, wanted[i]);
	}
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	vm.signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (vm.signals < 0)
		die(STATUS_VM, "signalfd: %m");
}

static int next_signal(void)
{
	struct signalfd_siginfo info;

	return read(vm.signals, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

static void reap_qemu(void)
{
	if (vm.qemu > 0 && waitpid(vm.qemu, &vm.qemu_status, WNOHANG) == vm.qemu)
		vm.qemu = 0;
}

static void in_child(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
}

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
		outgoing.data = realloc(outgoing.data, outgoing.room);
		if (!outgoing.data)
			die(STATUS_VM, "out of memory");
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

static void close_port(void)
{
	if (vm.port >= 0)
		close(vm.port);
	vm.port = -1;
}

/* A signal before there is a command to send it to ends us. */
static void handle_early_signals(void)
{
	for (int sig; (sig = next_signal());) {
		if (sig == SIGTSTP)
			kill(getpid(), SIGSTOP);
		if (sig == SIGINT || sig == SIGTERM || sig == SIGHUP || sig == SIGQUIT)
			end(128 + sig);
	}
	reap_qemu();
}

/*
 * Connects to a port and waits until the guest has read our random bytes, which is when it listens.
 * The VM of somebody else (attach) may still be busy with the end of the client before us; a new
 * connection shows it that one is gone.
 */
static void synchronize(const char *run, int port, bool own, int limit)
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
		if (own && !vm.qemu)
			die_vm("QEMU ended with status %d before the lab VM answered",
				WIFEXITED(vm.qemu_status) ? WEXITSTATUS(vm.qemu_status)
							  : 128 + WTERMSIG(vm.qemu_status));
		if (now_ms() - start > limit * 1000LL) {
			if (own)
				die_vm("the lab VM did not answer within %d s", limit);
			die(STATUS_VM, "the lab VM does not answer");
		}
		if (!own && vm.port >= 0 && now_ms() - connected > SYNC_MS)
			close_port();
		if (vm.port < 0 && connect_port(run, port)) {
			connected = now_ms();
			send_frame(WIRE_SYNC, echo.nonce, sizeof(echo.nonce));
		}
		if (vm.port < 0 && !own && !is_alive(run))
			die(STATUS_VM, "the lab VM has ended");
		fd[1] = (struct pollfd){vm.port, POLLIN | (outgoing.len ? POLLOUT : 0), 0};
		poll(fd, 2, vm.port < 0 ? 10 : 500);
		if (vm.port < 0)
			continue;
		if (!flush_outgoing() || (fd[1].revents & (POLLIN | POLLHUP) && !receive())) {
			close_port();
			continue;
		}
		found = memmem(incoming.data, incoming.len, &echo, sizeof(echo));
		if (found) {
			drop_incoming(found - incoming.data + sizeof(echo));
			return;
		}
		if (incoming.len > sizeof(echo))
			drop_incoming(incoming.len - sizeof(echo));
	}
}

/* ==== A session ==== */

/* The caller's end of a session: fd 0 to 2 and what each is (see the request in wire.h). */
struct ends {
	int fd[3];
	char mode[4];
	int tty; /* where terminal output goes */
	/* Stdin and output are both a terminal: the guest does all its processing. Else others use
	 * it too, as a pager does at the end of our pipe, and its modes are theirs. */
	bool whole;
};

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
	struct request r = {malloc(WIRE_REQUEST_MAX), 0};
	struct winsize size = {.ws_row = 24, .ws_col = 80};
	int argc = 0;

	if (!r.data)
		die(STATUS_VM, "out of memory");
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

/* Raw exactly while the terminal is ours to read: a background job leaves it alone. */
static void update_terminal(const struct ends *ends)
{
	if (!ends->whole || tcgetpgrp(0) != getpgrp() || vm.terminal.raw ||
		tcgetattr(0, &vm.terminal.found) != 0)
		return;
	vm.terminal.set = vm.terminal.found;
	cfmakeraw(&vm.terminal.set);
	/* First, so that there is no moment in which the watcher does not know it. */
	set_raw(true);
	if (tcsetattr(0, TCSADRAIN, &vm.terminal.set) != 0)
		set_raw(false);
}

/* A terminal that we share is read by lines; a pager, which reads keys, has it for itself. */
static bool may_read(const struct ends *ends)
{
	struct termios mode;

	if (ends->mode[0] != 't' || vm.terminal.raw)
		return true;
	if (ends->whole)
		return false;
	if (tcgetattr(0, &mode) != 0)
		return true; /* hung up: read() says so */
	return mode.c_lflag & ICANON && tcgetpgrp(0) == getpgrp();
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

/* Runs one command in the guest. Its status, or -1 when the connection broke. */
static int run_session(struct ends *ends, char *argv[])
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

/* What our own fd 0 to 2 are. Must be asked before anything else is opened. */
static void own_ends(struct ends *ends)
{
	ends->tty = -1;
	for (int i = 0; i < 3; i++) {
		ends->fd[i] = i;
		ends->mode[i] = isatty(i) ? 't' : 'p';
		if (fcntl(i, F_GETFD) < 0) {
			ends->mode[i] = 'c';
			/* The number must not become that of something else. */
			open("/dev/null", O_RDWR);
		}
	}
	for (int i = 0; i < 3; i++)
		if (ends->mode[i] == 't' && (ends->tty < 0 || i > 0))
			ends->tty = i == 2 && ends->mode[1] == 't' ? 1 : i;
	ends->whole = ends->mode[0] == 't' && ends->mode[1] == 't';
	if (ends->mode[0] == 't') {
		/* Who reads beside us may have taken what poll() saw: read() must not wait then,
		 * and theirs must. Where we may not open it, as after su(1), it can. */
		int own = open("/proc/self/fd/0", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

		if (own >= 0)
			ends->fd[0] = own;
	}
	ends->mode[3] = '\0';
}

/* ==== attach ==== */

struct newest {
	char run[128];
	struct timespec made;
};

static void look_at_run(const char *run, void *data)
{
	struct newest *newest = data;
	struct stat st;
	char path[160];

	snprintf(path, sizeof(path), "%s/alive", run);
	if (!is_alive(run) || stat(path, &st) != 0)
		return;
	if (newest->run[0] && (st.st_mtim.tv_sec < newest->made.tv_sec ||
				      (st.st_mtim.tv_sec == newest->made.tv_sec &&
					      st.st_mtim.tv_nsec < newest->made.tv_nsec)))
		return;
	snprintf(newest->run, sizeof(newest->run), "%s", run);
	newest->made = st.st_mtim;
}

static int attach(struct ends *ends, char *argv[])
{
	struct newest newest = {.run = ""};
	char path[160];

	each_run(look_at_run, &newest);
	if (!newest.run[0])
		die(STATUS_VM,
			"no lab VM of yours is running; a lab that runs on this machine is looked at from any terminal");
	for (int port = 1; port < WIRE_PORTS; port++) {
		/* QEMU would let a second client wait in line: the lock says whether there is a
		 * first. */
		snprintf(path, sizeof(path), "%s/%d.lock", newest.run, port);
		int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

		if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0) {
			if (lock >= 0)
				close(lock);
			continue;
		}
		start_watcher();
		synchronize(newest.run, port, false, 180);
		int status = run_session(ends, argv);

		if (status < 0)
			die(STATUS_VM, "the lab VM has ended");
		return status;
	}
	die(STATUS_VM, "the lab VM has %d shells attached already: end one first", WIRE_PORTS - 1);
}

/* ==== bring ==== */

static int run_program(char *const argv[])
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		in_child();
		execvp(argv[0], argv);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status)
									       : -1;
}

/* Puts new in the place of path in one step, whatever was there. */
static bool replace(const char *new, const char *path)
{
	if (renameat2(AT_FDCWD, new, AT_FDCWD, path, RENAME_EXCHANGE) == 0)
		return true;
	return rename(new, path) == 0;
}

/* A second command in the guest packs path; tar unpacks it beside its place. */
static bool bring(const char *path)
{
	char parent[PATH_MAX], work[PATH_MAX + 32], inside[2 * PATH_MAX], name[NAME_MAX + 3];
	struct ends ends = {.fd = {-1, -1, -1}, .mode = "cpc", .tty = -1};
	int pair[2], status;
	bool done = false;

	snprintf(parent, sizeof(parent), "%.*s", (int)(strrchr(path, '/') - path), path);
	snprintf(name, sizeof(name), "./%s", strrchr(path, '/') + 1);
	snprintf(work, sizeof(work), "%s/.unboxed-XXXXXX", parent);
	if (!mkdtemp(work)) {
		fprintf(stderr, "vm: bringing %s: making a folder beside it: %m\n", path);
		return false;
	}
	if (pipe2(pair, O_CLOEXEC) != 0)
		die(STATUS_VM, "pipe: %m");
	pid_t tar = fork();

	if (tar == 0) {
		in_child();
		dup2(pair[0], 0);
		/* What went wrong is said below, once. */
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 2);
		execlp("tar", "tar", "-x", "-o", "-C", work, "-f", "-", NULL);
		_exit(127);
	}
	close(pair[0]);
	ends.fd[1] = pair[1];
	if (!parent[0])
		strcpy(parent, "/");
	status = run_session(&ends,
		(char *[]){"/bin/busybox", "tar", "-c", "-f", "-", "-C", parent, name, NULL});
	if (ends.fd[1] >= 0)
		close(ends.fd[1]);
	int unpacked = -1;

	if (tar > 0)
		waitpid(tar, &unpacked, 0);
	snprintf(inside, sizeof(inside), "%s/%s", work, name + 2);
	if (status != 0)
		fprintf(stderr,
			"vm: bringing %s: it is not in the lab VM or cannot be read there\n", path);
	else if (unpacked != 0)
		fprintf(stderr, "vm: bringing %s: tar failed here\n", path);
	else if (!replace(inside, path))
		fprintf(stderr, "vm: bringing %s: %m\n", path);
	else
		done = true;
	run_program((char *[]){"rm", "-rf", work, NULL});
	return done;
}

/* ==== run ==== */

struct plan {
	const char *banner;
	int limit;
	char **qemu, **command;        /* each ends with NULL */
	char **options, **options_end; /* those that name parts and paths, in pairs or threes */
};

/* How many values the option has. */
static int option_values(const char *option)
{
	return strcmp(option, "--put") == 0 ? 2 : 1;
}

static void make_archive(const struct plan *plan)
{
	static const char *const order[] = {"--part", "--put", "--carry", "--also"};
	char path[128];

	snprintf(path, sizeof(path), "%s/initrd", vm.run);
	archive = fopen(path, "we");
	if (!archive)
		die(STATUS_VM, "writing %s: %m", path);
	for (size_t pass = 0; pass < sizeof(order) / sizeof(order[0]); pass++)
		for (char **o = plan->options; o < plan->options_end; o += 1 + option_values(*o)) {
			if (strcmp(*o, order[pass]) != 0)
				continue;
			if (pass == 0)
				add_part(o[1]);
			else if (pass == 1)
				add_tree(o[1], o[2] + 1, PUT, true);
			else
				carry(o[1], pass == 2 ? CARRY : ALSO);
		}
	write_entry("TRAILER!!!", 0, 0, 0, NULL);
	if (ferror(archive) | fclose(archive))
		die(STATUS_VM, "writing %s: %m", path);
}

static void start_qemu(const struct plan *plan)
{
	enum { PER_PORT = 4, OWN = 8 };
	char text[2 * WIRE_PORTS + 2][192], **argv;
	int argc = 0, n = 0;
	pid_t parent = getpid();

	while (plan->qemu[argc])
		argc++;
	argv = calloc(argc + OWN + PER_PORT * WIRE_PORTS, sizeof(*argv));
	if (!argv)
		die(STATUS_VM, "out of memory");
	memcpy(argv, plan->qemu, argc * sizeof(*argv));
	argv[argc++] = "-initrd";
	argv[argc++] = text[n];
	snprintf(text[n++], sizeof(text[0]), "%s/initrd", vm.run);
	argv[argc++] = "-serial";
	argv[argc++] = text[n];
	snprintf(text[n++], sizeof(text[0]), "file:%s/console.log", vm.run);
	argv[argc++] = "-device";
	argv[argc++] = "virtio-serial-pci,max_ports=9";
	for (int i = 0; i < WIRE_PORTS; i++) {
		argv[argc++] = "-chardev";
		argv[argc++] = text[n];
		snprintf(text[n++], sizeof(text[0]),
			"socket,id=lab%d,path=%s/%d,server=on,wait=off", i, vm.run, i);
		argv[argc++] = "-device";
		argv[argc++] = text[n];
		snprintf(text[n++], sizeof(text[0]),
			"virtserialport,chardev=lab%d,name=lab.%d,nr=%d", i, i, i + 1);
	}
	vm.qemu = fork();
	if (vm.qemu < 0)
		die(STATUS_VM, "fork: %m");
	if (vm.qemu == 0) {
		char log[128];

		in_child();
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		/* Away from the terminal's signals: those are for the guest's command. */
		setsid();
		snprintf(log, sizeof(log), "%s/qemu.log", vm.run);
		dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
		dup2(open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), 1);
		dup2(1, 2);
		execvp(argv[0], argv);
		dprintf(2, "%s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	free(argv);
}

/* Ends the VM. Its run counts only when it said goodbye and QEMU's status says so too. */
static void quit_vm(void)
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

static int run(const struct plan *plan, struct ends *ends)
{
	char path[128];

	make_run_folder();
	start_watcher();
	make_archive(plan);
	if (plan->banner && isatty(2))
		fprintf(stderr, "%s\n", plan->banner);
	start_qemu(plan);
	synchronize(vm.run, 0, true, plan->limit);
	/* It is in the guest's memory now. */
	snprintf(path, sizeof(path), "%s/initrd", vm.run);
	unlink(path);

	int status = run_session(ends, plan->command);

	if (status < 0) {
		/* QEMU closes its sockets a moment before it can be waited for. */
		for (int i = 0; i < 100 && vm.qemu; i++) {
			poll(NULL, 0, 10);
			reap_qemu();
		}
		die_vm("the lab VM ended before the command did");
	}
	for (char **o = plan->options; o < plan->options_end; o += 1 + option_values(*o))
		if (strcmp(*o, "--bring") == 0 && !bring(o[1]) && status == 0)
			status = STATUS_VM;
	quit_vm();
	return status;
}

static _Noreturn void usage(void)
{
	fputs("vm-client is called by scripts/vm, which says what it can do: scripts/vm --help\n",
		stderr);
	exit(STATUS_USAGE);
}

int main(int argc, char *argv[])
{
	struct plan plan = {.limit = 180};
	struct ends ends;
	int i = 2;

	own_ends(&ends);
	if (argc < 3)
		usage();
	take_signals();
	if (strcmp(argv[1], "attach") == 0 && strcmp(argv[2], "--") == 0)
		end(attach(&ends, argv + 3));
	if (strcmp(argv[1], "run") != 0)
		usage();
	for (; i + 1 < argc &&
		(strcmp(argv[i], "--banner") == 0 || strcmp(argv[i], "--limit") == 0);
		i += 2)
		if (argv[i][2] == 'b')
			plan.banner = argv[i + 1];
		else
			plan.limit = atoi(argv[i + 1]);
	plan.options = argv + i;
	while (i < argc && strcmp(argv[i], "--qemu") != 0)
		i += 1 + option_values(argv[i]);
	if (i >= argc)
		usage();
	plan.options_end = argv + i;
	plan.qemu = argv + i + 1;
	while (i < argc && strcmp(argv[i], "--") != 0)
		i++;
	if (i >= argc)
		usage();
	argv[i] = NULL;
	plan.command = argv + i + 1;
	end(run(&plan, &ends));
}
