/*
 * group.c: the cgroup that is this run's, and what killed runs have left.
 */
#define _GNU_SOURCE
#include "story/group.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/sys.h"
#include "kernel/undo.h"
#include "machine/machine.h"
#include "story/mark.h"
#include "story/state.h"

static void remove_or_tell(const char *group)
{
	cg_remove(group);
	undo_expect_gone(group);
}

void group_undo(const char *group)
{
	undo(remove_or_tell, group);
	mark_group(group, "group");
}

/* Moves every process of one group to another: our own, which is no part of the story. */
static void move_all(const char *from, const char *to)
{
	autofree char *pids = cg_read(from, "cgroup.procs");
	autofree char *procs = text("%s/cgroup.procs", to);
	for (char *pid = strtok(pids, "\n"); pid; pid = strtok(NULL, "\n"))
		if (file_try_write(procs, pid))
			die("write \"%s\" to %s", pid, procs);
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

const char *group_home(void)
{
	static struct machine machine;
	static const char *told;
	if (told || machine.group[0])
		return told ? told : machine.group;
	/* A COMMAND does not wait for what the runner has just found out: group_sweep(). */
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
		autofree char *off = cg_signed(controllers, '-');
		leaf_mark = text("%s%s", of_leaf, off);
		undo_hold(&before);
		autofree char *name = new_group(machine.group, "-leaf");
		undo(leave_leaf, name);
		mark_group(name, leaf_mark);
		undo_release(&before);
		move_all(machine.group, name);
		autofree char *on = cg_signed(controllers, '+');
		autofree char *file = text("%s/cgroup.subtree_control", machine.group);
		if (file_try_write(file, on))
			die("write \"%s\" to %s", on, file);
	}
	return machine.group;
}

/* This run's own group, made at the first call. */
static const char *run_group(void)
{
	static char *path;
	if (path)
		return path;
	const char *home = group_home();
	sigset_t before;
	undo_hold(&before);
	path = new_group(home, "");
	group_undo(path);
	undo_release(&before);
	return path;
}

char *group_create_at(const char *at, int line, const char *name)
{
	static bool enabled; /* for what is below it */
	const char *run = run_group();
	if (!name)
		return text("%s", run);
	if (!enabled)
		cg_enable_at(at, line, run, controllers);
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
			cg_remove(path);
	}
	if (dir)
		closedir(dir);
}

void group_sweep(const struct ended *run)
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
