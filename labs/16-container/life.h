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
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>

#include "container.h"
#include "limits.h"

/* What a container must not be in: read before anything is done. */
static struct {
	long mnt, uts, net;
} host_ns;

static void remember_host(void)
{
	host_ns.mnt = ns_inode(0, "mnt");
	host_ns.uts = ns_inode(0, "uts");
	host_ns.net = ns_inode(0, "net");
}

static int clone3(struct clone_args *args)
{
	int pid = (int)syscall(SYS_clone3, args, sizeof *args);
	if (pid == 0)
		proc_child();
	return pid;
}

/* ---- Inside ---- */

/* A terminal of its own: what it types comes to us by the master, which is handed over. */
static void terminal_open(int channel)
{
	char name[32];
	int unlock = 0, number, master = MUST(open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC));
	MUST(ioctl(master, TIOCSPTLCK, &unlock));
	MUST(ioctl(master, TIOCGPTN, &number));
	snprintf(name, sizeof name, "/dev/pts/%d", number);
	int slave = MUST(open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
	MUST(ioctl(slave, TIOCSCTTY, 0));
	MUST(dup2(slave, 0)), MUST(dup2(slave, 1)), MUST(dup2(slave, 2));
	if (write(channel, &master, sizeof master) < 0 || read(channel, &master, 1) < 1)
		_exit(125); /* there is nobody who would have it */
}

/* PID 1 that forwards what it is told and reaps whatever ends, as tini and catatonit do. */
static void init_before(void)
{
	sigset_t all;
	siginfo_t info;
	int status;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	pid_t command = MUST(fork());
	if (command == 0) {
		sigprocmask(SIG_UNBLOCK, &all, NULL);
		return;
	}
	for (;;) {
		if (sigwaitinfo(&all, &info) != SIGCHLD) {
			kill(command, info.si_signo);
			continue;
		}
		for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
			if (pid == command)
				_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status)
							  : WEXITSTATUS(status));
	}
}

static _Noreturn void container_main(struct container *c)
{
	char address[sizeof c->address];
	sigset_t none;
	if (!expect_differ("its hostname's namespace", host_ns.uts, ns_inode(0, "uts")) ||
		!expect_differ("its network namespace", host_ns.net, ns_inode(0, "net")))
		_exit(lab_command ? 125 : 1);
	/* Not among clone3()'s: that one would begin where its caller is, not in the new group. */
	SYS(unshare(CLONE_NEWCGROUP));
	SYS(sethostname(c->hostname, strlen(c->hostname)));
	root_make(&c->root);

	if (read(c->channel, address, sizeof address) != sizeof address)
		_exit(125); /* who was to plug the cable is gone */
	network_up(address);
	if (strcmp(c->workdir, "/"))
		make_folders(c->workdir), MUST(chdir(c->workdir));
	MUST(setsid()); /* no terminal of the host's: into that it could type */
	if (c->tty)
		terminal_open(c->channel);
	powers_drop(&c->powers);
	MUST(prctl(PR_SET_PDEATHSIG, SIGKILL)); /* we are nothing without who waits */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (c->init)
		init_before();
	environ = c->environment;
	lab_command = c->command;
	lab_exec(c->command);
}

/* ---- Outside ---- */

static void container_start(struct container *c)
{
	int channel[2], running = 0;
	container_name(c);
	c->root.outside = host_ns.mnt;
	c->root.user_namespace = *ns_join;
	autoclose int group = c->grouped ? limits_make(c) : -1;
	if (c->bridge) {
		running = network_host(c->grouped ? lab_home() : NULL);
		if (!expect_differ("the bridge's namespace", host_ns.net, ns_inode(0, "net")))
			die("no network namespace that plays the host");
	}
	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel));

	struct clone_args args = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET |
			 CLONE_PIDFD | (c->grouped ? CLONE_INTO_CGROUP : 0),
		.pidfd = (uint64_t)(uintptr_t)&c->pidfd,
		.cgroup = (uint64_t)group,
		.exit_signal = SIGCHLD,
	};
	c->pid = SYS(clone3(&args));
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
		if (!number)
			die("--ip %s is another container's", asked.ip);
		autofree char *address = network_address(number);
		snprintf(c->address, sizeof c->address, "%s", address);
	}
	if (write(c->channel, c->address, sizeof c->address) < 0 && errno != EPIPE)
		die("write to the container");
	int number;
	if (c->tty && read(c->channel, &number, sizeof number) == sizeof number) {
		c->terminal = MUST((int)syscall(SYS_pidfd_getfd, c->pidfd, number, 0));
		MUST(write(c->channel, "", 1));
	}
}

static struct termios cooked;

static void terminal_restore(const char *unused)
{
	(void)unused;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &cooked);
}

static void terminal_size(int terminal)
{
	struct winsize size;
	if (!ioctl(STDIN_FILENO, TIOCGWINSZ, &size))
		ioctl(terminal, TIOCSWINSZ, &size);
}

/* What is there, from one to the other; false at an end. */
static bool pass(int from, int to)
{
	char buffer[4096];
	ssize_t n = read(from, buffer, sizeof buffer);
	return n > 0 ? file_write_all(to, buffer, (size_t)n) : n < 0 && errno == EINTR;
}

static const int forwarded[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};

/* Before there is a container, so that none comes too early. */
static int signals_catch(void)
{
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof forwarded / sizeof *forwarded; i++)
		sigaddset(&set, forwarded[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return MUST(signalfd(-1, &set, SFD_CLOEXEC));
}

/* Until it has ended: what the terminal and others say goes to it, its words come to us. */
static void container_attend(struct container *c, int signals, pid_t parent)
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
static void container_report(const struct container *c)
{
	if (c->group && cg_has(c->group, "memory.events") &&
		cg_read_key(c->group, "memory.events", "oom_kill") > 0) {
		autofree char *max = cg_read(c->group, "memory.max");
		dprintf(STDERR_FILENO,
			"%s: OOM: memory.events has oom_kill %lld, memory.max is %s\n",
			"16-container", cg_read_key(c->group, "memory.events", "oom_kill"), max);
	}
}

static _Noreturn void container_run(struct container *c)
{
	pid_t parent = getppid();
	int signals = signals_catch();
	container_start(c);
	container_attend(c, signals, parent);
	container_report(c);
	lab_exit_as(c->pid);
}
