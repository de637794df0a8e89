/*
 * trial.c: a program with or without namespaces, in a group with a limit or in none: what it sees
 * of processes, and how much memory it gets. The calls are those of life.c, and nothing but these.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>

#include "container.h"
#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"

/* In the child: all that /proc lists, or itself alone. */
static char *visible_processes(bool namespaces, pid_t lab_pid)
{
	if (namespaces) { /* a /proc of its own, on a mount table of its own: lab 01 */
		autofree char *table = NULL;
		if (ns_inode(0, "mnt") != host_ns[MNT])
			MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
		table = ns_mount_table(host_ns[MNT]);
		if (strcmp(table, "own, private"))
			return text("no mount table of its own");
		MUST(mount("proc", "/proc", "proc", 0, NULL));
	}
	autofree char *list = proc_pids(), *padded = text(" %s ", list);
	autofree char *ours = text(" %d ", lab_pid);
	return text("%s", strstr(padded, ours) ? "all" : !strcmp(list, "1") ? "its own" : list);
}

void run_trial(struct trial *t, long long limit)
{
	int said[2];
	char sees[64] = "";
	pid_t lab_pid = getpid();
	autofree char *group = group_create(t->name), *bytes = text("%lld", limit);
	autofree char *is_limited = text("%s: its memory.max", t->name);
	if (t->group) {
		cg_write(group, "memory.max", bytes);
		if (cg_has(group, "memory.swap.max"))
			cg_write(group, "memory.swap.max", "0");
		expect_int(is_limited, limit, cg_read_long(group, "memory.max"));
	}
	autoclose int folder = MUST(open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct clone_args args = {
		.flags = (t->namespaces ? CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
						  CLONE_NEWNET
					: 0) |
			 (t->group ? CLONE_INTO_CGROUP : 0),
		.cgroup = t->group ? (uint64_t)folder : 0,
		.exit_signal = SIGCHLD,
	};
	MUST(pipe2(said, O_CLOEXEC));
	pid_t child = MUST(clone3(&args));
	if (child == 0) {
		autofree char *list = visible_processes(t->namespaces, lab_pid);
		if (write(said[1], list, strlen(list)) < 0)
			_exit(1);
		size_t twice = 2 * (size_t)limit;
		char *memory = mmap(
			NULL, twice, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED || (long long)twice != 2 * limit) /* too few addresses */
			_exit(2);
		memset(memory, 1, twice);
		_exit(0);
	}
	undo_kill(child);
	close(said[1]);
	ssize_t n = read(said[0], sees, sizeof sees - 1);
	close(said[0]);
	int status = child_wait(child);
	t->sees = text("%.*s", n > 0 ? (int)n : 0, sees);
	t->gets = status == 0 ? "all"
		  : status == 137 && cg_read_key(group, "memory.events", "oom_kill")
			  ? "the limit"
			  : "something else";
}

void expect_trial(struct trial *t, const char *sees, const char *gets)
{
	autofree char *what = text("%s: it sees", t->name),
		      *how_much = text("%s: it gets", t->name);
	expect_str(what, sees, t->sees);
	expect_str(how_much, gets, t->gets);
}
