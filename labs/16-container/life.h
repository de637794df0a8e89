/*
 * life.h: a container's life in its order: a group, a process in new namespaces
 * that is born in it, the cable, the root, the powers, COMMAND; and beside it the
 * process that waits, which Docker calls the shim. clone(2), pidfd_open(2), pty(7)
 */
#pragma once

#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>

#include "limits.h"
#include "options.h"

/* What a container must not be in: read before anything is done. */
static const char *const checked[] = {"mnt", "uts", "net", "cgroup"};
enum { MNT, UTS, NET, CGROUP, CHECKED };
static long outside[CHECKED];

static inline void remember_outside(void)
{
	for (int i = 0; i < CHECKED; i++)
		outside[i] = ns_inode(0, checked[i]);
}

/* Read back before anything is done that would be done to the host. */
static inline void expect_inside(const struct container *c)
{
	autofree char *shared = text("none"), *what = text("%s: the host's own in it", c->name);
	for (int i = 0; i < CHECKED; i++)
		if (ns_inode(0, checked[i]) == outside[i])
			shared = text("%s", checked[i]);
	if (!expect_str(what, "none", shared))
		_exit(1);
}

static inline int clone3(struct clone_args *args)
{
	int pid = (int)syscall(SYS_clone3, args, sizeof *args);
	if (pid == 0)
		child_born();
	return pid;
}

/* ---- Inside ---- */

/* A name in a container may lead anywhere: it is a terminal's master if it is devpts' own 5:2. */
static inline void expect_ptmx(int master)
{
	struct stat st;
	struct statfs fs;
	MUST(fstat(master, &st));
	MUST(fstatfs(master, &fs));
	errno = 0;
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2) || fs.f_type != DEVPTS_SUPER_MAGIC)
		die("/dev/pts/ptmx in the container: expected devpts' device 5:2");
}

/* A terminal of its own: what it types comes to us by the master, which is handed over. */
static inline void terminal_open(int channel)
{
	int unlock = 0, master = MUST(open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC));
	expect_ptmx(master);
	MUST(ioctl(master, TIOCSPTLCK, &unlock));
	int slave = MUST(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
	MUST(ioctl(slave, TIOCSCTTY, 0));
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		MUST(dup2(slave, fd));
	if (write(channel, &master, sizeof master) < 0 || read(channel, &master, 1) < 1)
		_exit(125); /* there is nobody who would have it */
}

/* PID 1 that forwards what it is told and reaps whatever ends, as tini and catatonit do: this
 * program once more. */
static inline _Noreturn void init_main(char **words)
{
	sigset_t all;
	int status;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	pid_t command = MUST(fork());
	if (command == 0) {
		sigprocmask(SIG_UNBLOCK, &all, NULL);
		lab_exec(words);
	}
	for (;;) {
		int got = sigwaitinfo(&all, NULL); /* -1, EINTR: it was stopped, and goes on */
		if (got > 0 && got != SIGCHLD)
			kill(command, got);
		for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
			if (pid == command)
				_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status)
							  : WEXITSTATUS(status));
	}
}

/* COMMAND with that before it. */
static inline char **init_command(char **command)
{
	int words = 0;
	while (command[words])
		words++;
	char **longer = calloc((size_t)words + 3, sizeof *longer);
	if (!longer)
		die("out of memory");
	longer[0] = text("%s", init_path);
	longer[1] = text("--");
	for (int i = 0; i < words; i++)
		longer[i + 2] = command[i];
	return longer;
}

/* The last steps, each of which takes something away for good; channel -1: no terminal of its own.
 */
static inline _Noreturn void command_exec(
	const struct powers *powers, int channel, char **environment, char **command, bool init)
{
	sigset_t none;
	MUST(setsid()); /* no terminal of the host's: into that it could type */
	if (channel >= 0)
		terminal_open(channel);
	powers_drop(powers);
	MUST(prctl(PR_SET_PDEATHSIG, SIGKILL)); /* we are nothing without who waits */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	environ = environment;
	lab_command = command;
	if (init) {
		execv(init_path, init_command(command));
		init_main(command); /* it is linked to files that are not in there */
	}
	lab_exec(command);
}

static inline _Noreturn void container_main(struct container *c)
{
	char address[sizeof c->address];
	size_t length = strlen(c->hostname);
	if (c->quiet)
		lab_command = c->command;
	if (c->output)
		MUST(dup2(c->output, STDERR_FILENO));
	/* Not among clone3()'s: that one would begin where its caller is, not in the new group. */
	SYS(unshare(CLONE_NEWCGROUP));
	expect_inside(c);
	SYS(sethostname(c->hostname, length));
	if (c->bridge)
		network_ipv4_only();
	root_make(&c->root);

	if (MUST(read(c->channel, address, sizeof address)) != sizeof address)
		_exit(125); /* who was to plug the cable is gone */
	network_up(address);
	c->channel = close_descriptors(c->channel); /* until exec(): container_executes() */
	enter_workdir(c->workdir);
	command_exec(&c->powers, c->tty ? c->channel : -1, c->environment, c->command, c->init);
}

/* ---- Outside ---- */

/* The master of the pty that it has opened: pidfd_getfd(2) */
static inline void terminal_take(struct container *c)
{
	int number;
	if (c->tty && read(c->channel, &number, sizeof number) == sizeof number) {
		c->terminal = MUST((int)syscall(SYS_pidfd_getfd, c->pidfd, number, 0));
		expect_ptmx(c->terminal);
		MUST(write(c->channel, "", 1));
	}
}

static inline void container_start(struct container *c)
{
	int channel[2], running = 0;
	container_name(c);
	c->root.user_namespace = *ns_join;
	autoclose int group = c->grouped ? limits_make(c) : -1;
	if (c->bridge) {
		running = network_host(c->grouped ? group_home() : NULL, outside[NET]);
		outside[NET] =
			ns_inode(0, "net"); /* the bridge's place is not the container's either */
	}
	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel));

	struct clone_args args = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET |
			 CLONE_PIDFD | (c->grouped ? CLONE_INTO_CGROUP : 0),
		.pidfd = (uint64_t)(uintptr_t)&c->pidfd,
		.cgroup = (uint64_t)group,
		.exit_signal = SIGCHLD,
	};
	c->pid = FORKED(clone3(&args));
	if (c->pid == 0) {
		close(channel[0]);
		c->channel = channel[1];
		container_main(c);
	}
	undo_kill(c->pid);
	close(channel[1]);
	c->channel = channel[0];
	c->terminal = -1;
	if (c->bridge) {
		int number = network_plug(c->pid, c->number, running);
		errno = 0;
		if (number < 0)
			return; /* it has ended already, and said why */
		if (!number)
			die("the address %s is another container's", asked.ip ? asked.ip : "");
		autofree char *address = network_address(number);
		snprintf(c->address, sizeof c->address, "%s", address);
	}
	if (write(c->channel, c->address, sizeof c->address) < 0 && errno != EPIPE)
		die("write to the container");
	terminal_take(c);
}

/* Until it has become COMMAND: exec() closes its end of the channel. */
static inline void container_executes(const struct container *c)
{
	char end;
	while (read(c->channel, &end, 1) < 0 && errno == EINTR)
		;
}

static struct termios cooked;

static inline void terminal_restore(const char *unused)
{
	(void)unused;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &cooked);
}

static inline void terminal_size(int terminal)
{
	struct winsize size;
	if (!ioctl(STDIN_FILENO, TIOCGWINSZ, &size))
		ioctl(terminal, TIOCSWINSZ, &size);
}

/* What is there, from one to the other; false at an end. */
static inline bool pass(int from, int to)
{
	char buffer[4096];
	ssize_t n = read(from, buffer, sizeof buffer);
	return n > 0 ? file_write_all(to, buffer, (size_t)n) : n < 0 && errno == EINTR;
}

static const int forwarded[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};

/* Before there is a container, so that none comes too early. */
static inline int signals_catch(void)
{
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof forwarded / sizeof *forwarded; i++)
		sigaddset(&set, forwarded[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return MUST(signalfd(-1, &set, SFD_CLOEXEC));
}

/* Until it has ended: what the terminal and others say goes to it, its words come to us. */
static inline void container_attend(struct container *c, int signals, pid_t parent)
{
	struct pollfd fds[] = {{c->pidfd, POLLIN, 0}, {signals, POLLIN, 0},
		{c->terminal, POLLIN, 0}, {c->terminal < 0 ? -1 : STDIN_FILENO, POLLIN, 0}};
	if (c->terminal >= 0) {
		struct termios raw;
		MUST(tcgetattr(STDIN_FILENO, &cooked));
		raw = cooked;
		cfmakeraw(&raw);
		undo(terminal_restore, "");
		tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
		terminal_size(c->terminal);
	}
	while (poll(fds, 4, -1) >= 0 || errno == EINTR) {
		if (fds[2].revents && !pass(c->terminal, STDOUT_FILENO))
			fds[2].fd = -1;
		else if (fds[2].revents)
			continue; /* its last words before its end */
		if (fds[0].revents)
			return;
		if (fds[3].revents && !pass(STDIN_FILENO, c->terminal))
			fds[3].fd = -1;
		struct signalfd_siginfo info;
		if (!fds[1].revents || read(signals, &info, sizeof info) != sizeof info)
			continue;
		int signal = (int)info.ssi_signo;
		if (signal == SIGWINCH)
			terminal_size(c->terminal);
		else if (getppid() != parent) /* the runner is gone, and nobody would sweep */
			signal = SIGKILL;
		syscall(SYS_pidfd_send_signal, c->pidfd, signal, NULL, 0);
	}
}

/* Says what the status alone does not: memory.events is the witness, lab 10. */
static inline void container_report(const struct container *c)
{
	long long kills = c->group ? cg_read_key(c->group, "memory.events", "oom_kill") : 0;
	if (kills > 0) {
		autofree char *max = cg_read(c->group, "memory.max");
		dprintf(STDERR_FILENO,
			"16-container: OOM: memory.events has oom_kill %lld, memory.max is %s\n",
			kills, max);
	}
}

static inline _Noreturn void container_run(struct container *c)
{
	pid_t parent = getppid();
	int signals = signals_catch();
	container_start(c);
	container_attend(c, signals, parent);
	container_report(c);
	lab_exit_as(c->pid);
}
