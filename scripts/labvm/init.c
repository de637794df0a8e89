/*
 * /init: PID 1 of the lab VM.
 *
 * Mounts what a system mounts, loads the few drivers it talks through, and then serves sessions:
 * one command each, over one virtio-serial port each (wire.h says how). It is C because a fork
 * costs 20 to 30 ms where there is no KVM, and a shell script forks for everything.
 *
 * Up to WIRE_BEGIN nothing happens that would have to differ from one VM to the next, for the
 * machine may be saved there and restored many times.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/random.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#ifdef __x86_64__
#include <sys/io.h>
#endif

#include "wire.h"

#define CGROUP "/sys/fs/cgroup"
/* Modules that are loaded at the start, in this order, and then removed. */
#define DRIVERS "/boot"

/* The disks, in the order in which the client gives them to QEMU. */
#define SYSTEM_DISK "/dev/vda"
#define LABS_DISK "/dev/vdb"

/* How long output of a dead command's children is waited for: since the last byte, and in all. */
#define DRAIN_IDLE_MS 300
#define DRAIN_MAX_MS 2000
/* What a command whose client died has between SIGHUP and SIGKILL. */
#define DOOM_MS 1000

enum { TTY, OUT, ERR, STREAMS };

static const uint32_t stream_frame[STREAMS] = {WIRE_TTY, WIRE_STDOUT, WIRE_STDERR};

struct session {
	int port;       /* -1 until the port has appeared */
	bool connected; /* somebody on the host has the socket open */
	bool deaf;      /* what was read made no sense: wait for the hang-up */

	uint8_t in[WIRE_FRAME]; /* what was read from the port and is not a whole frame yet */
	size_t in_len;

	uint8_t out[WIRE_FRAME]; /* the one frame that the port would not take */
	size_t out_len;
	bool synced_due, begun_due;
	bool failed_due; /* its command could not be started */
	uint8_t nonce[WIRE_NONCE];
	uint32_t credit_due;

	char *request;
	size_t request_len;

	pid_t pid;            /* the command; 0 when there is none */
	int status;           /* -1 while it runs */
	int from[STREAMS];    /* what its output is read from */
	size_t owed[STREAMS]; /* bytes that were there when it ended: these are not given up */
	int slave; /* the terminal's other end, held so that it outlives a command that closes it */
	int to;    /* its stdin: a pipe, or the terminal */
	bool to_tty;
	bool to_end; /* stdin ends behind what is queued */
	uint8_t queue[WIRE_CREDIT_START];
	size_t queue_at, queue_len;
	/* ms: when the command ended, when output last moved, since when the port takes no more */
	long long ended, moved, stuck;
};

static struct session sessions[WIRE_PORTS];

/* WIRE_BEGIN has come. Before it only the client that owns the VM is answered, and nothing is run.
 */
static bool begun;
/* What could not be provided. */
static char lacks[128];

/* Sessions whose client is gone: hung up already, to be killed when their time is over. */
static struct {
	pid_t sid;
	long long when;
} doomed[64];

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* To the kernel's log: that is the console, and the host shows its tail when the VM fails. */
__attribute__((format(printf, 1, 2))) static void complain(const char *format, ...)
{
	char text[512];
	va_list args;
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (fd >= 0) {
		dprintf(fd, "<3>init: %s\n", text);
		close(fd);
	}
}

/* ==== The end ==== */

static _Noreturn void finish(void)
{
#ifdef __x86_64__
	if (ioperm(WIRE_EXIT_PORT, 1, 1) == 0)
		outb(WIRE_EXIT_BYTE, WIRE_EXIT_PORT);
#endif
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

/* ==== A system to live in ==== */

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (!done)
		complain("writing '%s' to %s: %m", text, path);
	if (fd >= 0)
		close(fd);
	return done;
}

static void mount_at(const char *type, const char *path, unsigned long flags, const char *options)
{
	mkdir(path, 0755);
	if (mount(type, path, type, flags, options) != 0)
		complain("mounting %s on %s: %m", type, path);
}

static void link_to(const char *target, const char *path)
{
	if (symlink(target, path) != 0)
		complain("linking %s: %m", path);
}

static int run(char *const argv[])
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return status;
}

/* Their names say the order. None: this kernel has them built in. */
static void load_drivers(void)
{
	struct dirent **names;
	int count = scandir(DRIVERS, &names, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		char path[280];

		snprintf(path, sizeof(path), DRIVERS "/%s", names[i]->d_name);
		free(names[i]);
		if (!strstr(path, ".ko"))
			continue;
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) != 0 && errno != EEXIST))
			complain("loading %s: %m", path);
		if (fd >= 0)
			close(fd);
		unlink(path);
	}
	if (count >= 0)
		free(names);
	rmdir(DRIVERS);
}

static bool mount_disk(const char *disk)
{
	if (mount(disk, "/mnt", "ext4", MS_RDONLY, NULL) == 0)
		return true;
	complain("mounting %s: %m", disk);
	return false;
}

/*
 * /usr holds what is too large to be unpacked at each boot. Its lower layer is the first disk; what
 * is written goes to a layer in memory.
 */
static void mount_usr(void)
{
	if (access(SYSTEM_DISK, F_OK) != 0 || !mount_disk(SYSTEM_DISK))
		return;
	mkdir("/.usr", 0755);
	mkdir("/.usr/upper", 0755);
	mkdir("/.usr/work", 0755);
	if (mount("usr", "/usr", "overlay", 0,
		    "lowerdir=/mnt/usr:/usr,upperdir=/.usr/upper,workdir=/.usr/work") != 0) {
		complain("mounting /usr: %m");
		/* A kernel without overlays: then it is only read, and has no programs of ours. */
		mount("/mnt/usr", "/usr", NULL, MS_BIND, NULL);
	}
	umount("/mnt");
}

static void loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) != 0)
		complain("bringing lo up: %m");
	if (fd >= 0)
		close(fd);
}

/*
 * The kernel's first root cannot be pivoted, because nothing is above it. Its files bound over
 * itself can. The helpers that the kernel starts (modprobe) keep seeing the first root, so what
 * they need is mounted before.
 */
static void make_root_pivotable(void)
{
	if (mount("/", "/mnt", NULL, MS_BIND | MS_REC, NULL) != 0 || chdir("/mnt") != 0 ||
		mount(".", "/", NULL, MS_MOVE, NULL) != 0 || chroot(".") != 0 || chdir("/") != 0)
		complain("making the root pivotable: %m");
}

static void enable_controllers(void)
{
	char line[512] = "", word[64];
	FILE *file = fopen(CGROUP "/cgroup.controllers", "re");

	if (file && !fgets(line, sizeof(line), file))
		line[0] = '\0';
	if (file)
		fclose(file);
	for (char *save, *name = strtok_r(line, " \n", &save); name;
		name = strtok_r(NULL, " \n", &save)) {
		snprintf(word, sizeof(word), "+%s", name);
		write_file(CGROUP "/cgroup.subtree_control", word);
	}
}

/* Reads the kernel's command line into line, and returns what stands behind word; NULL: it is not
 * there. */
static char *asked(const char *word, char line[4096])
{
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, line, 4095);

	if (fd >= 0)
		close(fd);
	line[n < 0 ? 0 : n] = '\0';
	char *found = strstr(line, word);

	return found ? found + strlen(word) : NULL;
}

/*
 * The kernel patches its own code when the first group with a controller or a quota comes, and when
 * the last one goes. An emulator with a thread for each CPU may be translating that very code, and
 * go on with what it was for ever: QEMU 7.2 did, and the CPU hung. So a group that stays has all of
 * it from the start. Not where v1 is to have the controllers.
 */
static void hold_code(void)
{
	char line[4096];

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2 || asked("lab.alone", line))
		return;
	if (mkdir(CGROUP "/held", 0755) != 0)
		complain("making the group held: %m");
	write_file(CGROUP "/held/cpu.max", "1000000 1000000");
}

/* The disk holds what was built last, at the paths of the repository. /lab itself can be written.
 */
static bool mount_labs(void)
{
	static const char *const parts[] = {
		"scripts", "tests", "build/labs", "build/bin", "build/rootfs/tree", "GUIDE.md"};
	char from[64], to[64];
	bool done = true;
	struct stat st;

	if (access(LABS_DISK, F_OK) != 0)
		return true;
	if (!mount_disk(LABS_DISK))
		return false;
	mkdir("/lab", 0755);
	/* A mount of its own, so that all that is mounted below it can be taken away at once. */
	if (mount("/lab", "/lab", NULL, MS_BIND, NULL) != 0)
		complain("mounting /lab: %m");
	mkdir("/lab/build", 0755);
	mkdir("/lab/build/rootfs", 0755);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		snprintf(from, sizeof(from), "/mnt/%s", parts[i]);
		snprintf(to, sizeof(to), "/lab/%s", parts[i]);
		if (stat(from, &st) != 0)
			continue;
		if (S_ISDIR(st.st_mode))
			mkdir(to, 0755);
		else
			close(open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
		if (mount(from, to, NULL, MS_BIND, NULL) != 0) {
			complain("mounting %s: %m", to);
			done = false;
		}
	}
	umount("/mnt");
	return done;
}

/* Drops everything cached from the disk, including the first block, where the kernel looked for
 * partitions. */
static bool mount_labs_again(void)
{
	umount2("/lab", MNT_DETACH);
	int fd = open(LABS_DISK, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		ioctl(fd, BLKFLSBUF);
		close(fd);
	}
	return mount_labs();
}

/* What a machine can have on demand: lab.provide=WORD,WORD on the kernel's command line. */
static void provide(void)
{
	char line[4096], *words = asked("lab.provide=", line);

	if (!words)
		return;
	words[strcspn(words, " \n")] = '\0';
	if (run((char *[]){"/bin/busybox", "sh", "/sbin/guest", words, NULL}) != 0)
		snprintf(lacks, sizeof(lacks), "%s cannot be had with this kernel", words);
}

static void build_system(void)
{
	char line[4096];

	umask(0);
	mount_at("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	if (asked("lab.probe", line))
		finish();
	mount_at("sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount_at("devtmpfs", "/dev", MS_NOSUID, "mode=755");
	/* Whatever the kernel gave us as fd 0 to 2, nothing later may become one of them. */
	for (int fd = open("/dev/null", O_RDWR); fd >= 0 && fd < 2;)
		fd = dup(fd);

	load_drivers();
	mount_usr();
	make_root_pivotable();

	mount_at("devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "gid=5,mode=620,ptmxmode=666");
	mount_at("tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777");
	mount_at("mqueue", "/dev/mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount_at("tmpfs", "/tmp", MS_NOSUID | MS_NODEV, "mode=1777");
	mount_at("tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=755");
	mount_at("cgroup2", CGROUP, MS_NOSUID | MS_NODEV | MS_NOEXEC, "nsdelegate");
	enable_controllers();
	hold_code();
	link_to("/proc/self/fd", "/dev/fd");
	link_to("/proc/self/fd/0", "/dev/stdin");
	link_to("/proc/self/fd/1", "/dev/stdout");
	link_to("/proc/self/fd/2", "/dev/stderr");
	umask(022);
	/* The kernel's first root is a tmpfs, and open to all like one. */
	chmod("/", 0755);
	/* The archive was made without root, so all in it is root's. */
	if (chown("/home/student", 1000, 1000) != 0)
		complain("giving student a home: %m");

	write_file("/proc/sys/kernel/hostname", "labvm");
	loopback_up();
	/* A pattern that names no regular file: a crash leaves its status, not a core. */
	write_file("/proc/sys/kernel/core_pattern", "/dev/null");
	close(open("/etc/unboxed-vm", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	mount_labs();
	provide();
}

/* ==== What only the host knows ==== */

/* What the client has just brought is what counts: two machines that were restored from one state
 * would otherwise draw the same random numbers. random(4) */
static bool reseed(const struct wire_begin *facts)
{
	_Alignas(struct rand_pool_info) char
		entropy[sizeof(struct rand_pool_info) + sizeof(facts->seed)];
	struct rand_pool_info *info = (struct rand_pool_info *)entropy;
	int fd = open("/dev/urandom", O_RDWR | O_CLOEXEC);

	info->entropy_count = 8 * sizeof(facts->seed);
	info->buf_size = sizeof(facts->seed);
	memcpy(info->buf, facts->seed, sizeof(facts->seed));
	bool done = fd >= 0 && ioctl(fd, RNDADDENTROPY, info) == 0 && ioctl(fd, RNDRESEEDCRNG) == 0;

	if (!done)
		complain("seeding the random numbers: %m");
	if (fd >= 0)
		close(fd);
	return done;
}

static bool begin(const struct wire_begin *facts)
{
	struct timespec now = {facts->seconds, facts->nanoseconds};
	bool done = reseed(facts);

	if (clock_settime(CLOCK_REALTIME, &now) != 0) {
		complain("setting the clock: %m");
		done = false;
	}
	return (!facts->labs_changed || mount_labs_again()) && done;
}

/* ==== Processes of a session ==== */

/* The session's leader made it with setsid(), so its processes are those with this session id. */
static void kill_session(pid_t sid, int sig)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		char path[64], stat[512];
		pid_t pid = atoi(entry->d_name), session;

		if (pid <= 1)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? 0 : read(fd, stat, sizeof(stat) - 1);

		if (fd >= 0)
			close(fd);
		stat[n < 0 ? 0 : n] = '\0';
		/* The name in parentheses may itself hold any character. */
		char *rest = strrchr(stat, ')');

		if (rest && sscanf(rest, ") %*c %*d %*d %d", &session) == 1 && session == sid)
			kill(pid, sig);
	}
	if (proc)
		closedir(proc);
}

static void doom(pid_t sid)
{
	kill_session(sid, SIGHUP);
	kill_session(sid, SIGCONT);
	for (size_t i = 0; i < sizeof(doomed) / sizeof(doomed[0]); i++) {
		if (doomed[i].sid == 0) {
			doomed[i].sid = sid;
			doomed[i].when = now_ms() + DOOM_MS;
			return;
		}
	}
	kill_session(sid, SIGKILL);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void forget_command(struct session *s)
{
	/* stdin may be the terminal's own descriptor: a copy, so each is closed once. */
	for (int i = 0; i < STREAMS; i++)
		close_fd(&s->from[i]);
	close_fd(&s->to);
	close_fd(&s->slave);
	s->to_end = s->to_tty = false;
	s->queue_at = s->queue_len = 0;
	s->credit_due = 0;
	s->pid = 0;
	s->request_len = 0;
}

static void send_signal(const struct session *s, int sig)
{
	pid_t group = s->from[TTY] >= 0 ? tcgetpgrp(s->from[TTY]) : s->pid;

	if (s->pid > 0 && s->status < 0)
		kill(group > 1 ? -group : -s->pid, sig);
}

/* ==== Frames to the host ==== */

/* False when the port will not take it now; it is then kept and goes first next time. So nobody
 * calls this while one is kept: what comes then is due. */
static bool send_frame(struct session *s, uint32_t type, const void *data, size_t len)
{
	struct wire_head head = {type, len};

	memcpy(s->out, &head, sizeof(head));
	if (len)
		memmove(s->out + sizeof(head), data, len);
	s->out_len = sizeof(head) + len;
	s->stuck = now_ms();
	if (write(s->port, s->out, s->out_len) != (ssize_t)s->out_len)
		return false;
	s->out_len = 0;
	return true;
}

static bool output_open(const struct session *s)
{
	return s->from[TTY] >= 0 || s->from[OUT] >= 0 || s->from[ERR] >= 0;
}

/* All the command wrote is on its way, or what holds its pipes open has had its time. */
static bool drained(const struct session *s)
{
	long long now = now_ms();

	if (!output_open(s))
		return true;
	for (int i = 0; i < STREAMS; i++)
		if (s->from[i] >= 0 && s->owed[i] > 0)
			return false;
	return now - s->moved >= DRAIN_IDLE_MS || now - s->ended >= DRAIN_MAX_MS;
}

/* What the session owes the host, in order; stops where the port is full. */
static void send_due(struct session *s)
{
	char text[16];

	if (!s->connected)
		return;
	if (s->out_len) {
		if (write(s->port, s->out, s->out_len) != (ssize_t)s->out_len)
			return;
		s->out_len = 0;
		/* A slow reader must not use up the time that output has after the command's end.
		 */
		s->moved = now_ms();
		s->ended += s->moved - s->stuck;
	}
	if (s->synced_due && (begun || s == sessions)) {
		s->synced_due = false;
		if (!send_frame(s, WIRE_SYNCED, s->nonce, WIRE_NONCE))
			return;
	}
	if (s->begun_due) {
		s->begun_due = false;
		if (!send_frame(s, WIRE_BEGUN, lacks, strlen(lacks)))
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
		forget_command(s);
		send_frame(s, WIRE_EXIT, text, strlen(text));
	}
}

static void read_output(struct session *s, int stream)
{
	uint8_t data[WIRE_DATA];
	ssize_t n = read(s->from[stream], data, sizeof(data));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		/* A terminal says EIO when its last user is gone. */
		close_fd(&s->from[stream]);
		return;
	}
	s->moved = now_ms();
	s->owed[stream] -= (size_t)n < s->owed[stream] ? (size_t)n : s->owed[stream];
	send_frame(s, stream_frame[stream], data, n);
}

/* ==== Starting a command ==== */

static int open_terminal(int *slave, const struct winsize *size, bool whole)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	struct termios mode;

	if (master < 0 || unlockpt(master) != 0)
		return -1;
	*slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*slave < 0 || tcgetattr(*slave, &mode) != 0)
		return -1;
	mode.c_iflag |= IUTF8;
	if (!whole) {
		mode.c_oflag &= ~OPOST;
		mode.c_lflag &= ~ECHO;
	}
	tcsetattr(*slave, TCSANOW, &mode);
	ioctl(*slave, TIOCSWINSZ, size);
	return master;
}

static _Noreturn void become(
	char *argv[], int argc, char *env[], const char *cwd, const int fd[3], int slave)
{
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
	environ = env;

	/* The lab folder is not there when nothing was built yet: then the root has to do. */
	if (chdir(cwd) != 0 && chdir("/") != 0)
		_exit(126);
	if (argc == 0) {
		execl("/bin/bash", "-bash", NULL);
		execl("/bin/sh", "-sh", NULL);
		argv = (char *[]){"sh", NULL};
	} else {
		execvp(argv[0], argv);
	}
	int status = errno == ENOENT || errno == ENOTDIR ? 127 : 126;

	dprintf(2, "vm: %s: %s\n", argv[0],
		status == 127 ? "not found in the lab VM" : strerror(errno));
	_exit(status);
}

/* The next string of the request; "" behind its end. */
static char *next_string(char **at, const char *end)
{
	char *text = *at;

	if (text >= end)
		return "";
	*at += strlen(text) + 1;
	return text;
}

static void start_command(struct session *s)
{
	char *at = s->request, *end = at + s->request_len;

	if (s->pid || !s->request_len || end[-1] != '\0') {
		s->deaf = true;
		return;
	}
	const char *mode = next_string(&at, end);
	bool whole = *next_string(&at, end) == '1';
	struct winsize size = {.ws_row = atoi(next_string(&at, end))};

	size.ws_col = atoi(next_string(&at, end));
	const char *cwd = next_string(&at, end);
	int argc = atoi(next_string(&at, end)), strings = 0;

	for (char *p = at; p < end; p += strlen(p) + 1)
		strings++;
	if (strlen(mode) != 3 || argc < 0 || argc > strings) {
		s->deaf = true;
		return;
	}
	/* Stdin that was meant for the command before this one. */
	s->queue_len = 0;
	s->to_end = false;
	/* argv, its NULL, the environment, its NULL. */
	char **vector = calloc(strings + 2, sizeof(*vector));
	int child[3] = {-1, -1, -1}, pair[2];
	bool ok = vector != NULL;

	for (int i = 0; ok && i < strings; i++)
		vector[i + (i >= argc)] = next_string(&at, end);

	if (ok && strchr(mode, 't')) {
		s->from[TTY] = open_terminal(&s->slave, &size, whole);
		ok = s->from[TTY] >= 0;
	}
	for (int i = 0; ok && i < 3; i++) {
		if (mode[i] == 't') {
			child[i] = s->slave;
		} else if (mode[i] == 'p' && (ok = pipe2(pair, O_CLOEXEC) == 0)) {
			int ours = pair[i == 0];

			child[i] = pair[i != 0];
			fcntl(ours, F_SETFL, O_NONBLOCK);
			*(i == 0 ? &s->to : &s->from[OUT + i - 1]) = ours;
		}
	}
	if (ok && mode[0] == 't') {
		s->to = fcntl(s->from[TTY], F_DUPFD_CLOEXEC, 3);
		s->to_tty = true;
		ok = s->to >= 0;
	}

	s->status = -1;
	s->pid = ok ? fork() : -1;
	if (s->pid == 0)
		become(vector, argc, vector + argc + 1, cwd, child, s->slave);
	for (int i = 0; i < 3; i++)
		if (child[i] >= 0 && child[i] != s->slave)
			close(child[i]);
	free(vector);
	if (s->pid < 0) {
		complain("starting a command: %m");
		forget_command(s);
		s->failed_due = true;
	}
}

/* ==== Frames from the host ==== */

static void end_session(struct session *s)
{
	if (s->pid)
		doom(s->pid);
	forget_command(s);
	s->in_len = s->out_len = 0;
	s->synced_due = s->begun_due = s->failed_due = s->deaf = false;
}

static _Noreturn void quit(const struct session *s)
{
	struct wire_head bye = {WIRE_BYE, 0};
	struct pollfd fd = {s->port, 0, 0};

	/*
	 * A write returns before QEMU has seen it, and the byte on the exit port would overtake it.
	 * The host hangs up when it has read our goodbye.
	 */
	if (write(s->port, &bye, sizeof(bye)) != sizeof(bye))
		complain("saying goodbye: %m");
	poll(&fd, 1, 2000);
	finish();
}

static void begin_due(struct session *s, const uint8_t *data)
{
	struct wire_begin facts;

	memcpy(&facts, data, sizeof(facts));
	begun = true;
	if (!begin(&facts))
		snprintf(lacks, sizeof(lacks), "it could not begin; its console says why");
	s->begun_due = true;
}

static void handle_frame(struct session *s, uint32_t type, const uint8_t *data, size_t len)
{
	uint16_t size[2];

	if (!begun && type != WIRE_SYNC && type != WIRE_BEGIN && type != WIRE_QUIT) {
		s->deaf = true;
		return;
	}
	switch (type) {
	case WIRE_SYNC:
		if (len != WIRE_NONCE)
			break;
		/* A client that died and a new one can follow so fast that no hang-up was seen. */
		end_session(s);
		memcpy(s->nonce, data, WIRE_NONCE);
		s->synced_due = true;
		return;
	case WIRE_REQUEST:
		if (s->pid || s->request_len + len > WIRE_REQUEST_MAX)
			break;
		if (!s->request && !(s->request = malloc(WIRE_REQUEST_MAX)))
			break;
		memcpy(s->request + s->request_len, data, len);
		s->request_len += len;
		return;
	case WIRE_START:
		start_command(s);
		return;
	case WIRE_STDIN:
		if (s->queue_len + len > sizeof(s->queue))
			break;
		if (s->to < 0)
			return;
		/* The front that was written already makes room. */
		memmove(s->queue, s->queue + s->queue_at, s->queue_len);
		s->queue_at = 0;
		memcpy(s->queue + s->queue_len, data, len);
		s->queue_len += len;
		return;
	case WIRE_STDIN_END:
		s->to_end = true;
		return;
	case WIRE_WINSIZE:
		if (len != sizeof(size))
			break;
		memcpy(size, data, sizeof(size));
		if (s->from[TTY] >= 0)
			ioctl(s->from[TTY], TIOCSWINSZ,
				&(struct winsize){.ws_row = size[0], .ws_col = size[1]});
		return;
	case WIRE_SIGNAL:
		if (len != 1)
			break;
		send_signal(s, data[0]);
		return;
	case WIRE_CLOSED:
		if (len != 1 || (data[0] != 1 && data[0] != 2))
			break;
		close_fd(&s->from[data[0] == 1 ? OUT : ERR]);
		return;
	case WIRE_BEGIN:
		if (len != sizeof(struct wire_begin))
			break;
		begin_due(s, data);
		return;
	case WIRE_QUIT:
		quit(s);
	}
	s->deaf = true;
}

static void read_port(struct session *s)
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
		handle_frame(s, head.type, s->in + sizeof(head), head.len);
		/* A new WIRE_SYNC has thrown away what was read, itself included. */
		if (s->in_len < whole)
			continue;
		s->in_len -= whole;
		memmove(s->in, s->in + whole, s->in_len);
	}
	if (s->deaf)
		s->in_len = 0;
}

static void write_stdin(struct session *s)
{
	ssize_t n = s->queue_len ? write(s->to, s->queue + s->queue_at, s->queue_len) : 0;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0) {
		/* The command reads no more. Its credit stays where it is: the host need not go on.
		 */
		close_fd(&s->to);
		s->queue_len = 0;
		return;
	}
	s->queue_at += n;
	s->queue_len -= n;
	s->credit_due += n;
	if (s->queue_len == 0 && s->to_end) {
		if (s->to_tty && write(s->to, "\004", 1) != 1)
			complain("ending a terminal's input: %m");
		close_fd(&s->to);
	}
}

/* ==== The loop ==== */

static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (struct session *s = sessions; s < sessions + WIRE_PORTS; s++) {
			if (s->pid != pid || s->status >= 0)
				continue;
			s->status =
				WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
			s->ended = s->moved = now_ms();
			close_fd(&s->slave);
			for (int i = 0; i < STREAMS; i++) {
				int there = 0;

				if (s->from[i] >= 0)
					ioctl(s->from[i], FIONREAD, &there);
				s->owed[i] = there;
			}
		}
	}
}

/*
 * A port without a client is always readable (its end of file) and always hung up, so it is not
 * polled; the kernel sends SIGIO when a client comes.
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
		end_session(s);
		/* The next client may have come before SIGIO was asked for. */
		watch_port(s);
	}
}

/* Ports appear one by one after the driver has met the device. */
static bool open_ports(void)
{
	bool all = true;

	for (int i = 0; i < WIRE_PORTS; i++) {
		struct session *s = &sessions[i];
		char path[32];

		if (s->port >= 0)
			continue;
		snprintf(path, sizeof(path), "/dev/vport0p%d", i + 1);
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

static int run_timers(void)
{
	long long now = now_ms();
	int next = -1;

	for (size_t i = 0; i < sizeof(doomed) / sizeof(doomed[0]); i++) {
		if (doomed[i].sid && doomed[i].when <= now) {
			kill_session(doomed[i].sid, SIGKILL);
			doomed[i].sid = 0;
		}
		if (doomed[i].sid)
			next = 100;
	}
	for (struct session *s = sessions; s < sessions + WIRE_PORTS; s++)
		if (s->pid && s->status >= 0)
			next = 20;
	return next;
}

static void serve_one(struct session *s, struct pollfd fd[2 + STREAMS])
{
	if (fd[0].revents)
		read_port(s);
	if (fd[0].revents & POLLHUP)
		watch_port(s);
	if (fd[1].revents && s->to >= 0)
		write_stdin(s);
	send_due(s);
	for (int i = 0; i < STREAMS; i++)
		if (fd[2 + i].revents && s->from[i] == fd[2 + i].fd && !s->out_len)
			read_output(s, i);
	send_due(s);
}

static _Noreturn void serve(int signals)
{
	enum { EACH = 2 + STREAMS };
	static struct pollfd fd[1 + WIRE_PORTS * EACH];
	bool all_ports = false;

	for (;;) {
		int wait = run_timers();

		if (!all_ports) {
			all_ports = open_ports();
			wait = all_ports ? wait : 5;
		}
		fd[0] = (struct pollfd){signals, POLLIN, 0};
		for (int i = 0; i < WIRE_PORTS; i++) {
			struct session *s = &sessions[i];
			struct pollfd *p = fd + 1 + i * EACH;

			if (!s->connected)
				watch_port(s);
			p[0] = (struct pollfd){s->connected ? s->port : -1,
				POLLIN | (s->out_len ? POLLOUT : 0), 0};
			p[1] = (struct pollfd){s->queue_len || s->to_end ? s->to : -1, POLLOUT, 0};
			for (int k = 0; k < STREAMS; k++)
				p[2 + k] = (struct pollfd){s->out_len ? -1 : s->from[k], POLLIN, 0};
		}
		poll(fd, 1 + WIRE_PORTS * EACH, wait);

		struct signalfd_siginfo info;

		while (read(signals, &info, sizeof(info)) > 0)
			;
		reap();
		for (int i = 0; i < WIRE_PORTS; i++)
			serve_one(&sessions[i], fd + 1 + i * EACH);
	}
}

int main(void)
{
	sigset_t set;

	for (struct session *s = sessions; s < sessions + WIRE_PORTS; s++) {
		s->port = s->to = s->slave = -1;
		s->from[TTY] = s->from[OUT] = s->from[ERR] = -1;
	}
	build_system();

	/* Writing to a command that is gone must be an error, not the end of PID 1. */
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGIO);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigdelset(&set, SIGPIPE);
	serve(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}
