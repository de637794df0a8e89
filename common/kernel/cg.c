/*
 * cg.c: cgroup v2 by its files.
 */
#define _GNU_SOURCE
#include "kernel/cg.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "kernel/file.h"
#include "kernel/sys.h"
#include "kernel/undo.h"

enum { GONE_MS = 10000 };

/* ---- Plain files of a group ---- */

void cg_write_at(const char *at, int line, const char *group, const char *file, const char *value)
{
	autofree char *path = text("%s/%s", group, file);
	if (file_try_write(path, value))
		die("write \"%s\" to %s", value, path);
	sys_wrote(at, line, file, value, (long)strlen(value));
}

char *cg_read(const char *group, const char *file)
{
	autofree char *path = text("%s/%s", group, file);
	return file_read(path);
}

bool cg_has(const char *group, const char *file)
{
	autofree char *path = text("%s/%s", group, file);
	if (!access(path, F_OK))
		return true;
	if (errno != ENOENT)
		die("access %s", path);
	return false;
}

long long cg_read_long(const char *group, const char *file)
{
	autofree char *value = cg_read(group, file);
	char *end;
	if (!strcmp(value, "max"))
		return LLONG_MAX;
	errno = 0;
	long long number = strtoll(value, &end, 10);
	if (errno || end == value || *end)
		die("%s/%s is no number: %s", group, file, value);
	return number;
}

static bool find_key(char *content, const char *key, long long *value)
{
	size_t length = strlen(key);
	for (char *line = strtok(content, "\n"); line; line = strtok(NULL, "\n")) {
		if (!strncmp(line, key, length) && line[length] == ' ') {
			*value = strtoll(line + length + 1, NULL, 10);
			return true;
		}
	}
	return false;
}

long long cg_read_key(const char *group, const char *file, const char *key)
{
	autofree char *content = cg_read(group, file);
	long long value;
	errno = 0;
	if (!find_key(content, key, &value))
		die("%s/%s has no key %s", group, file, key);
	return value;
}

static long long clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

bool cg_wait_key(const char *group, const char *file, const char *key, long long value, int ms)
{
	autofree char *path = text("%s/%s", group, file);
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die("open %s", path);
	for (long long end = clock_ms() + ms;;) {
		/* Reading arms the next notification, so none between read and poll is lost. */
		char content[4096];
		ssize_t n = pread(fd, content, sizeof content - 1, 0);
		if (n < 0)
			die("read %s", path);
		content[n] = '\0';
		long long observed;
		if (find_key(content, key, &observed) &&
			(value ? observed >= value : observed == 0))
			return true;
		long long left = end - clock_ms();
		struct pollfd changed = {.fd = fd, .events = POLLPRI};
		if (left <= 0 || poll(&changed, 1, (int)left) == 0)
			return false;
	}
}

/* ---- Removal: system calls only, for undo() ---- */

/* Writes value to folder/file; 0 or -1. */
static int write_at(int folder, const char *file, const char *value)
{
	int fd = openat(folder, file, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ssize_t n = write(fd, value, strlen(value));
	close(fd);
	return n < 0 ? -1 : 0;
}

/* Until word is (not) in cgroup.events any more; even after SIGKILL that can take a second. */
static void wait_event(int folder, const char *word, bool there)
{
	int fd = openat(folder, "cgroup.events", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	char content[256];
	struct pollfd changed = {.fd = fd, .events = POLLPRI};
	ssize_t n;
	while ((n = pread(fd, content, sizeof content - 1, 0)) > 0) {
		content[n] = '\0';
		if (!strstr(content, word) != there || poll(&changed, 1, GONE_MS) <= 0)
			break;
	}
	close(fd);
}

/* For each PID in its cgroup.procs; a piece at a time, as the list may be changed meanwhile. */
static void each_process(int group, void (*act)(int with, const char *pid), int with)
{
	char list[2048];
	size_t kept = 0;
	ssize_t n;
	int procs = openat(group, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	while (procs >= 0 && (n = read(procs, list + kept, sizeof list - 1 - kept)) > 0) {
		list[kept + (size_t)n] = '\0';
		char *pid = list;
		for (char *end; (end = strchr(pid, '\n')); pid = end + 1) {
			*end = '\0';
			/* "0", in another PID namespace, would be ourselves. */
			if (strcmp(pid, "0"))
				act(with, pid);
		}
		/* A piece can end within a number, whose beginning is another process's. */
		kept = strlen(pid);
		memmove(list, pid, kept);
	}
	if (procs >= 0)
		close(procs);
}

/* For each group that is right below. */
static void each_below(int parent, const char *name, void (*act)(int parent, const char *name))
{
	autoclose int folder =
		openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	/* getdents64(2), because readdir(3) allocates and a signal handler may be running this. */
	_Alignas(struct dirent64) char buffer[2048];
	ssize_t n;
	while ((n = getdents64(folder, buffer, sizeof buffer)) > 0) {
		for (ssize_t at = 0; at < n;) {
			struct dirent64 *entry = (struct dirent64 *)(buffer + at);
			at += entry->d_reclen;
			if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
				act(folder, entry->d_name);
		}
	}
}

static void kill_process(int signal, const char *pid)
{
	int number = atoi(pid);
	if (number > 0)
		kill(number, signal);
}

/* In the group and in all below. */
static void kill_processes(int parent, const char *name)
{
	each_below(parent, name, kill_processes);
	autoclose int group = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	each_process(group, kill_process, SIGKILL);
}

/* The group and all below. Where nobody is in it, and nothing below, no look is needed. */
static void remove_groups(int parent, const char *name)
{
	if (unlinkat(parent, name, AT_REMOVEDIR)) {
		each_below(parent, name, remove_groups);
		unlinkat(parent, name, AT_REMOVEDIR);
	}
}

void cg_kill_all(const char *group)
{
	int folder = open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return;
	if (write_at(folder, "cgroup.kill", "1") && errno == ENOENT) {
		write_at(folder, "cgroup.freeze", "1");
		wait_event(folder, "frozen 1", true);
		kill_processes(AT_FDCWD, group);
		write_at(folder, "cgroup.freeze", "0");
	}
	close(folder);
}

void cg_remove(const char *group)
{
	if (rmdir(group)) /* which does it when nobody is in it, and nothing below */
		remove_groups(AT_FDCWD, group);
	for (int tries = 0; tries < TRIES && !undo_gone(group); tries++) {
		int folder = open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (folder < 0)
			continue;
		write_at(folder, "cgroup.freeze", "0");
		cg_kill_all(group);
		wait_event(folder, "populated 1", false);
		close(folder);
		remove_groups(AT_FDCWD, group);
	}
}

void cg_kill_at(const char *at, int line, const char *group)
{
	if (cg_has(group, "cgroup.kill")) {
		cg_write_at(at, line, group, "cgroup.kill", "1");
	} else {
		cg_write_at(at, line, group, "cgroup.freeze", "1");
		cg_kill_all(group);
		sys_done(at, line, "kill(each in cgroup.procs, SIGKILL)", 0, 0, NULL);
		cg_write_at(at, line, group, "cgroup.freeze", "0");
	}
	if (!cg_wait_key(group, "cgroup.events", "populated", 0, GONE_MS))
		die("%s is still populated after SIGKILL to all", group);
}

void cg_destroy(const char *group)
{
	cg_remove(group);
	if (!undo_gone(group))
		die("rmdir, access %s", group);
}

/* ---- Groups ---- */

char *cg_signed(const char *controllers, char sign)
{
	autofree char *words = text("%s", controllers);
	char *all = text("%s", "");
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) {
		autofree char *before = all;
		all = text("%s%s%c%s", before, *before ? " " : "", sign, word);
	}
	return all;
}

void cg_enable_at(const char *at, int line, const char *group, const char *controllers)
{
	autofree char *all = cg_signed(controllers, '+');
	if (*all)
		cg_write_at(at, line, group, "cgroup.subtree_control", all);
}

static void move_up(int parent, const char *pid)
{
	write_at(parent, "cgroup.procs", pid);
}

void cg_leave_leaf(const char *path, const char *switch_off)
{
	int leaf = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int parent = leaf < 0 ? -1 : openat(leaf, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent >= 0)
		write_at(parent, "cgroup.subtree_control", switch_off);
	for (int tries = 0; parent >= 0 && tries < TRIES; tries++) {
		each_process(leaf, move_up, parent);
		if (!rmdir(path))
			break;
	}
	if (parent >= 0)
		close(parent);
	if (leaf >= 0)
		close(leaf);
}
