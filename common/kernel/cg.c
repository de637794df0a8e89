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
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "kernel/file.h"
#include "kernel/sys.h"
#include "machine/machine.h"
#include "story/state.h"

enum { GONE_MS = 5000 };

/* ---- Plain files of a group ---- */

void cg_write(const char *group, const char *file, const char *value)
{
	autofree char *path = text("%s/%s", group, file);
	file_write(path, value);
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

/* Until nothing is in it any more; even after SIGKILL that can take a second. */
static void wait_empty(int folder)
{
	int fd = openat(folder, "cgroup.events", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	char content[256];
	struct pollfd changed = {.fd = fd, .events = POLLPRI};
	ssize_t n;
	while ((n = pread(fd, content, sizeof content - 1, 0)) > 0) {
		content[n] = '\0';
		if (!strstr(content, "populated 1") || poll(&changed, 1, GONE_MS) <= 0)
			break;
	}
	close(fd);
}

static void remove_tree(int parent, const char *name)
{
	int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (folder < 0)
		return;
	/* getdents64(2), because readdir(3) allocates and a signal handler may be running this. */
	_Alignas(struct dirent64) char buffer[2048];
	ssize_t n;
	while ((n = getdents64(folder, buffer, sizeof buffer)) > 0) {
		for (ssize_t at = 0; at < n;) {
			struct dirent64 *entry = (struct dirent64 *)(buffer + at);
			at += entry->d_reclen;
			if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
				remove_tree(folder, entry->d_name);
		}
	}
	close(folder);
	unlinkat(parent, name, AT_REMOVEDIR);
}

static void remove_group(const char *group)
{
	rmdir(group); /* which does it when nobody is in it, and nothing below */
	for (int tries = 0; tries < TRIES && !undo_gone(group); tries++) {
		int folder = open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (folder < 0)
			continue;
		write_at(folder, "cgroup.freeze", "0");
		write_at(folder, "cgroup.kill", "1");
		wait_empty(folder);
		close(folder);
		remove_tree(AT_FDCWD, group);
	}
}

static void remove_or_tell(const char *group)
{
	remove_group(group);
	undo_expect_gone(group);
}

void undo_cgroup(const char *group)
{
	undo(remove_or_tell, group);
	mark_group(group, "group");
}

void cg_kill(const char *group)
{
	cg_write(group, "cgroup.kill", "1");
	if (!cg_wait_key(group, "cgroup.events", "populated", 0, GONE_MS))
		die("%s is still populated after cgroup.kill", group);
}

void cg_destroy(const char *group)
{
	remove_group(group);
	if (!undo_gone(group))
		die("rmdir, access %s", group);
}

/* ---- Groups ---- */

/* "+memory +pids" of "memory pids", allocated. */
static char *with_signs(const char *controllers, char sign)
{
	autofree char *words = text("%s", controllers);
	char *all = text("%s", "");
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) {
		autofree char *before = all;
		all = text("%s%s%c%s", before, *before ? " " : "", sign, word);
	}
	return all;
}

void cg_enable(const char *group, const char *controllers)
{
	autofree char *all = with_signs(controllers, '+');
	if (*all)
		cg_write(group, "cgroup.subtree_control", all);
}

/* Moves every process of one group to another. */
static void move_all(const char *from, const char *to)
{
	autofree char *pids = cg_read(from, "cgroup.procs");
	for (char *pid = strtok(pids, "\n"); pid; pid = strtok(NULL, "\n"))
		cg_write(to, "cgroup.procs", pid);
}

/* Moves every process in the group leaf to parent; a piece at a time, as both are being changed. */
static void move_up(int leaf, int parent)
{
	char list[2048];
	size_t kept = 0;
	ssize_t n;
	int procs = openat(leaf, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	while (procs >= 0 && (n = read(procs, list + kept, sizeof list - 1 - kept)) > 0) {
		list[kept + (size_t)n] = '\0';
		char *pid = list;
		for (char *end; (end = strchr(pid, '\n')); pid = end + 1) {
			*end = '\0';
			/* "0", in another PID namespace, would be ourselves. */
			if (strcmp(pid, "0"))
				write_at(parent, "cgroup.procs", pid);
		}
		/* A piece can end within a number, whose beginning is another process's. */
		kept = strlen(pid);
		memmove(list, pid, kept);
	}
	if (procs >= 0)
		close(procs);
}

void cg_leave_leaf(const char *path, const char *switch_off)
{
	int leaf = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int parent = leaf < 0 ? -1 : openat(leaf, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent >= 0)
		write_at(parent, "cgroup.subtree_control", switch_off);
	for (int tries = 0; parent >= 0 && tries < TRIES; tries++) {
		move_up(leaf, parent);
		if (!rmdir(path))
			break;
	}
	if (parent >= 0)
		close(parent);
	if (leaf >= 0)
		close(leaf);
}

/*
 * A lab that needs controllers was not begun where others were in its group: who is
 * there now it has started itself. Before a COMMAND, or for a part, nobody has looked.
 */
static bool by_leaf(const struct machine *machine, const char *name)
{
	enum machine_controller state = machine_controller(machine, name);
	return state == MACHINE_CONTROLLER_LEAF ||
	       (state == MACHINE_CONTROLLER_BUSY && lab->needs.controllers && !lab_command);
}

/* Those of the lab's needs, and those of its parts' that are to be had here. Allocated. */
static char *controllers_wanted(const struct machine *machine)
{
	char *wanted = text("%s", lab->needs.controllers ? lab->needs.controllers : "");
	for (const struct lab_part *part = lab->parts; part && part->name; part++) {
		autofree char *words =
			text("%s", part->needs.controllers ? part->needs.controllers : "");
		for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) {
			if (machine_has(wanted, word) ||
				(machine_controller(machine, word) != MACHINE_CONTROLLER_READY &&
					!by_leaf(machine, word)))
				continue;
			autofree char *before = wanted;
			wanted = text("%s%s%s", before, *before ? " " : "", word);
		}
	}
	return wanted;
}

static char *controllers; /* that are enabled for this run */

/* The mark of a leaf is these words, and what then has to be written to switch them off. */
static const char of_leaf[] = "leaf ";
static char *leaf_mark;

static void leave_leaf(const char *leaf)
{
	cg_leave_leaf(leaf, leaf_mark + strlen(of_leaf));
}

/* A group of this run in home, allocated. A namesake is another run's, in another PID namespace. */
static char *new_group(const char *home, const char *kind)
{
	char *path = text("%s/lab%.2s-%d%s", home, lab->id, getpid(), kind);
	if (!mkdir(path, 0755))
		return path;
	if (errno != EEXIST)
		die("mkdir %s", path);
	autofree char *taken = path;
	path = text("%s-XXXXXX", taken);
	if (!mkdtemp(path) || chmod(path, 0755))
		die("mkdir, chmod %s", path);
	return path;
}

static bool enabled_in(const char *group, const char *wanted)
{
	autofree char *path = text("%s/cgroup.subtree_control", group);
	autofree char *list = file_try_read(path), *words = text("%s", wanted ? wanted : "");
	bool all = list && *words;
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
		all = all && machine_has(list, word);
	return all;
}

const char *lab_home(void)
{
	static struct machine machine;
	static const char *told;
	if (told || machine.group[0])
		return told ? told : machine.group;
	/* A COMMAND does not wait for what the runner has just found out: cg_sweep(). */
	told = lab_command ? getenv("LAB_GROUP") : NULL;
	if (told && enabled_in(told, lab->needs.controllers)) {
		controllers = text("%s", lab->needs.controllers);
		return told;
	}
	told = NULL;
	machine_here(&machine);
	controllers = controllers_wanted(&machine);
	autofree char *words = text("%s", controllers);
	bool leaf = false;
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
		leaf |= by_leaf(&machine, word);
	if (leaf) {
		sigset_t before;
		autofree char *off = with_signs(controllers, '-');
		leaf_mark = text("%s%s", of_leaf, off);
		undo_hold(&before);
		autofree char *name = new_group(machine.group, "-leaf");
		undo(leave_leaf, name);
		mark_group(name, leaf_mark);
		undo_release(&before);
		move_all(machine.group, name);
		cg_enable(machine.group, controllers);
	}
	return machine.group;
}

/* This run's own group, made at the first call. */
static const char *run_group(void)
{
	static char *path;
	if (path)
		return path;
	const char *home = lab_home();
	sigset_t before;
	undo_hold(&before);
	path = new_group(home, "");
	undo_cgroup(path);
	undo_release(&before);
	return path;
}

char *cg_create(const char *name)
{
	static bool enabled; /* for what is below it */
	const char *run = run_group();
	if (!name)
		return text("%s", run);
	if (!enabled)
		cg_enable(run, controllers);
	enabled = true;
	char *group = text("%s/%s", run, name);
	if (mkdir(group, 0755))
		die("mkdir %s", group);
	return group;
}

/* ---- What a killed run left ---- */

static void sweep_kind(const char *group, bool leaves, const struct ended *run)
{
	DIR *dir = opendir(group);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		char words[256];
		if (strncmp(entry->d_name, "lab", 3) != 0)
			continue;
		autofree char *path = text("%s/%s", group, entry->d_name);
		autoclose int lock = mark_group_left(path, words, sizeof words);
		bool is_leaf = lock >= 0 && !strncmp(words, of_leaf, strlen(of_leaf));
		if (lock == NO_MARK)
			mark_missed(dirfd(dir), entry->d_name, run);
		if (lock < 0 || is_leaf != leaves)
			continue;
		if (is_leaf)
			cg_leave_leaf(path, words + strlen(of_leaf));
		else
			remove_group(path);
	}
	if (dir)
		closedir(dir);
}

void cg_sweep(const struct ended *run)
{
	/* Read once: a lab may have moved us into its leaf since. */
	static struct machine machine;
	static bool known;
	if (!known)
		machine_read(&machine, "/");
	known = true;
	if (!machine.group[0])
		return;
	/* Controllers can only be switched off, for the leaf, when no group uses them. */
	sweep_kind(machine.group, false, run);
	sweep_kind(machine.group, true, run);
	if (machine.group_ours)
		setenv("LAB_GROUP", machine.group, 1);
}

/* ---- The lock of those who measure time ---- */

int cpu_lock(void)
{
	static struct machine machine;
	machine_here(&machine);
	const char *folder = machine.cgroup_mount[0] ? machine.cgroup_mount : "/sys";
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		die("open %s", folder);
	while (flock(fd, LOCK_EX))
		if (errno != EINTR)
			die("flock %s", folder);
	return fd;
}
