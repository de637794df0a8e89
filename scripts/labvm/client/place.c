/*
 * The run folder of a lab VM, and how everything ends: on success, on an error, on a signal, and
 * when this process is killed.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

#define TAIL_LINES 12

struct vm vm = {.alive = -1, .watcher_pipe = -1, .signals = -1, .port = -1};

long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

void remove_folder(const char *path)
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

static void remove_folders(void)
{
	if (vm.unfinished)
		remove_folder(vm.unfinished);
	if (vm.run[0])
		remove_folder(vm.run);
}

void kill_qemu(void)
{
	if (vm.qemu > 0) {
		kill(vm.qemu, SIGKILL);
		waitpid(vm.qemu, &vm.qemu_status, 0);
		vm.qemu = 0;
	}
}

static void clean_up(void)
{
	terminal_cooked();
	kill_qemu();
	if (vm.watcher > 0) {
		close(vm.watcher_pipe);
		waitpid(vm.watcher, NULL, 0);
		vm.watcher = 0;
	}
	/* The watcher has done it, unless it was killed. */
	remove_folders();
}

_Noreturn void end(int status)
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
	fprintf(stderr, "vm: the end of %s%s:\n%s%s", size < LOG_MAX ? "" : "the first MiB of ",
		name, from, text[n - 1] == '\n' ? "" : "\n");
}

__attribute__((format(printf, 1, 0))) static void say(const char *format, va_list args)
{
	terminal_cooked();
	fputs("vm: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

_Noreturn void die(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	end(status);
}

_Noreturn void die_vm(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	print_tail("qemu.log");
	print_tail("console.log");
	end(STATUS_VM);
}

void tell(const char *format, ...)
{
	const char *wanted = getenv("V");
	va_list args;

	if (!wanted || !*wanted)
		return;
	fputs("vm: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

void *need(void *memory)
{
	if (!memory)
		die(STATUS_VM, "out of memory");
	return memory;
}

/* In /tmp anybody may have made it first: a folder of somebody else's is not ours to trust. */
bool ours(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	       !(st.st_mode & 077);
}

/* The one that mkdtemp(3) has made before, because somebody else has taken the name without it. */
static bool spare_place(char *place, size_t size)
{
	char name[32];
	size_t length =
		(size_t)snprintf(name, sizeof(name), "unboxed-%u-", geteuid()) + strlen("XXXXXX");
	struct dirent *entry;
	DIR *dir = opendir("/tmp");
	bool found = false;

	while (dir && !found && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, name, strlen(name)) != 0 ||
			strlen(entry->d_name) != length)
			continue;
		snprintf(place, size, "/tmp/%.30s", entry->d_name);
		found = ours(place);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* Where run folders are: the n-th place that this user has, or false. */
static bool run_place(int n, char *place, size_t size)
{
	const char *own = getenv("XDG_RUNTIME_DIR");
	struct stat st;
	bool have_own = own && own[0] == '/' && strlen(own) < 40 && stat(own, &st) == 0 &&
			st.st_uid == geteuid() && access(own, W_OK) == 0;

	if (!have_own)
		n++;
	if (n == 2)
		return spare_place(place, size);
	snprintf(place, size, "%s/unboxed-%u", n == 0 ? own : "/tmp", geteuid());
	return n < 2;
}

/* An open file description's lock, which its owner's death frees, and which can be asked for
 * without being taken: fcntl(2). */
static bool alive_lock(int fd, int command, struct flock *lock)
{
	*lock = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
	return fcntl(fd, command, lock) == 0;
}

bool is_alive(const char *run)
{
	char path[128];
	struct flock lock;
	int fd;

	snprintf(path, sizeof(path), "%s/alive", run);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool held = alive_lock(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;

	close(fd);
	return held;
}

void each_run(void (*each)(const char *run, void *data), void *data)
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

void make_run_folder(void)
{
	char place[64], path[128];
	struct flock lock;
	bool found = false;

	each_run(sweep_run, NULL);
	for (int n = 0; !found && run_place(n, place, sizeof(place)); n++) {
		mkdir(place, 0700);
		found = ours(place);
	}
	if (!found) {
		snprintf(place, sizeof(place), "/tmp/unboxed-%u-XXXXXX", geteuid());
		if (!mkdtemp(place))
			die(STATUS_VM, "making %s: %m", place);
	}
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
	if (vm.alive < 0 || !alive_lock(vm.alive, F_OFD_SETLK, &lock))
		die(STATUS_VM, "locking %s: %m", path);
}

/*
 * SIGKILL leaves us no last word. The watcher waits for the end of the pipe, which is our end
 * however it comes, gives the terminal back and removes the folder; QEMU is killed by the kernel
 * then (PR_SET_PDEATHSIG).
 */
void start_watcher(void)
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
		remove_folders();
		_exit(0);
	}
	close(pair[0]);
	vm.watcher_pipe = pair[1];
}

/* ==== Signals and processes ==== */

void take_signals(void)
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
	/* A file's limit is an error, and no end. */
	signal(SIGXFSZ, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	vm.signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (vm.signals < 0)
		die(STATUS_VM, "signalfd: %m");
}

int next_signal(void)
{
	struct signalfd_siginfo info;

	return read(vm.signals, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

void reap_qemu(void)
{
	if (vm.feeder > 0 && waitpid(vm.feeder, NULL, WNOHANG) == vm.feeder)
		vm.feeder = 0;
	if (vm.qemu > 0 && waitpid(vm.qemu, &vm.qemu_status, WNOHANG) == vm.qemu)
		vm.qemu = 0;
}

void in_child(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
}

void in_helper(void)
{
	in_child();
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* The watcher waits for its last writer's end. */
	close(vm.watcher_pipe);
}

void handle_early_signals(void)
{
	for (int sig; (sig = next_signal());) {
		if (sig == SIGTSTP)
			kill(getpid(), SIGSTOP);
		if (sig == SIGINT || sig == SIGTERM || sig == SIGHUP || sig == SIGQUIT)
			end(128 + sig);
	}
	reap_qemu();
}
