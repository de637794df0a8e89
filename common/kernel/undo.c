/*
 * undo.c: what must be taken back although the process may end at any moment.
 */
#define _GNU_SOURCE
#include "kernel/undo.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/file.h"
#include "kernel/proc.h"
#include "kernel/sys.h"

#if !__GLIBC_PREREQ(2, 36)
#define P_PIDFD 3 /* waitid(2) */
#endif

enum { ENTRIES = 32, ARGUMENT = 500 };

struct entry {
	void (*fn)(const char *arg);
	pid_t pid; /* of undo_kill(), else 0 */
	char arg[ARGUMENT];
};

/*
 * MADV_WIPEONFORK, madvise(2): a child finds this page empty, so that it can
 * never run its parent's clean-up, however it ends.
 */
static struct stack {
	volatile sig_atomic_t depth;
	struct entry entry[ENTRIES];
} * stack;

static void interrupted(int signal)
{
	/* A child that ends by it is waited for at a gate, perhaps. */
	if (signal == SIGPIPE)
		sys_shared->over = true;
	undo_run();
	_exit(130);
}

/* While a COMMAND runs the terminal's two keys are its own. */
static const int keys[] = {SIGINT, SIGQUIT};
static struct sigaction found[2];

void undo_signals_of_command(void)
{
	for (int i = 0; i < 2; i++)
		sigaction(keys[i], &found[i], NULL);
}

void undo_init(bool keys_are_ignored)
{
	/* die() looks at the stack: it is one, or none. */
	void *page = mmap(
		NULL, sizeof *stack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED || madvise(page, sizeof *stack, MADV_WIPEONFORK))
		die("mmap, madvise: the undo stack");
	stack = page;

	struct sigaction action = {.sa_handler = interrupted};
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
	sigfillset(&action.sa_mask);
	for (int i = 0; i < 2; i++)
		sigaction(keys[i],
			keys_are_ignored ? &(struct sigaction){.sa_handler = SIG_IGN} : NULL,
			&found[i]);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		/* What the caller ignores stays ignored: nohup, a shell's background job. */
		struct sigaction old;
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler == SIG_DFL)
			sigaction(signals[i], &action, NULL);
	}
}

static void push(void (*fn)(const char *arg), const char *arg, pid_t pid)
{
	errno = 0;
	if (stack->depth == ENTRIES)
		die("more than %d things to undo", ENTRIES);
	if (strlen(arg) >= ARGUMENT)
		die("too long to undo: %s", arg);
	struct entry *entry = &stack->entry[stack->depth];
	entry->fn = fn;
	entry->pid = pid;
	strcpy(entry->arg, arg);
	stack->depth++; /* last: a signal in between must find whole entries only */
}

void undo(void (*fn)(const char *arg), const char *arg)
{
	push(fn, arg, 0);
}

void undo_hold(sigset_t *before)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, before);
}

void undo_release(const sigset_t *before)
{
	sigprocmask(SIG_SETMASK, before, NULL);
}

void undo_run(void)
{
	sigset_t before;
	/* A signal would end the process before the entry that has just been taken off was done. */
	undo_hold(&before);
	while (stack && stack->depth > 0) {
		struct entry *entry = &stack->entry[stack->depth - 1];
		stack->depth--; /* first: an entry that ends in die() must not be done again */
		entry->fn(entry->arg);
	}
	undo_release(&before);
}

void undo_if_over(void)
{
	if (sys_shared->over) {
		undo_run();
		_exit(130);
	}
}

void undo_forget(pid_t pid)
{
	sigset_t before;
	undo_hold(&before); /* none may meet a stack that is being moved */
	for (int i = 0; stack && i < stack->depth; i++) {
		if (stack->entry[i].pid != pid)
			continue;
		close(atoi(stack->entry[i].arg));
		for (int above = i + 1; above < stack->depth; above++)
			stack->entry[above - 1] = stack->entry[above];
		stack->depth--;
		i--;
	}
	undo_release(&before);
}

static void kill_by_pidfd(const char *arg)
{
	int fd = atoi(arg);
	struct pollfd end = {.fd = fd, .events = POLLIN};
	/* Where a filter refuses that call the number has to do: while it lives it is its own. */
	if (syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) && poll(&end, 1, 0) == 0)
		kill(atoi(strchr(arg, ' ')), SIGKILL);
	while (poll(&end, 1, 5000) < 0 && errno == EINTR)
		;
	/* WNOHANG: one that could not be killed is no reason to stay. */
	waitid(P_PIDFD, (id_t)fd, &(siginfo_t){0}, WEXITED | WNOHANG);
	close(fd);
}

void undo_kill(pid_t pid)
{
	/* Who is there has not been waited for, so that the number is still its own. */
	for (int i = 0; i < stack->depth; i++)
		if (stack->entry[i].pid == pid)
			return;
	/* A pidfd, because the number may be another process's by then: pidfd_open(2). */
	char arg[32];
	int fd = proc_pidfd(pid);
	snprintf(arg, sizeof arg, "%d %d", fd, pid);
	push(kill_by_pidfd, arg, pid);
}

bool undo_gone(const char *path)
{
	return access(path, F_OK) && errno == ENOENT;
}

void undo_expect_gone(const char *path)
{
	for (int tries = 0; tries < TRIES; tries++)
		if (undo_gone(path))
			return;
	/* printf(3) is not for signal handlers. */
	const char *const words[] = {sys_name, ": broken: ", path, " cannot be removed\n"};
	char line[ARGUMENT + 100] = "";
	size_t length = 0;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		strncat(line, words[i], sizeof line - 1 - length);
		length = strlen(line);
	}
	file_write_all(STDERR_FILENO, line, length);
	__atomic_add_fetch(&sys_shared->broken, 1, __ATOMIC_SEQ_CST);
}

/* A pass may skip what moved up while it removed; a folder that is empty ends it. */
void undo_rmdir_now(const char *path)
{
	for (int tries = 0; tries < TRIES && !undo_gone(path); tries++) {
		int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (folder < 0)
			continue;
		_Alignas(struct dirent64) char buffer[2048];
		ssize_t n;
		while ((n = getdents64(folder, buffer, sizeof buffer)) > 0) {
			for (ssize_t at = 0; at < n;) {
				struct dirent64 *entry = (struct dirent64 *)(buffer + at);
				at += entry->d_reclen;
				if (entry->d_type != DT_DIR && strcmp(entry->d_name, MARK))
					unlinkat(folder, entry->d_name, 0);
			}
		}
		unlinkat(folder, MARK, 0); /* last: without it nobody else goes on with this */
		close(folder);
		rmdir(path);
	}
}

static void rmdir_or_tell(const char *path)
{
	undo_rmdir_now(path);
	undo_expect_gone(path);
}

void undo_rmdir(const char *path)
{
	undo(rmdir_or_tell, path);
}
