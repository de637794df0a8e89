/*
 * lab.c: the life of a lab.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>

#include "kernel/child.h"
#include "kernel/file.h"
#include "kernel/sys.h"
#include "machine/machine.h"
#include "machine/probe.h"
#include "story/option.h"
#include "story/out.h"
#include "story/state.h"

enum { MISSING = 8 };

bool lab_asks_missing = true;

/* ---- Begin and end ---- */

/* What a part with boot_alone lacks here; NULL for nothing. */
static const char *not_alone(const struct lab_part *part)
{
	autofree char *words = file_try_read("/proc/cmdline");
	if (!part->boot_alone || (words && machine_has(words, "lab.alone") && lab_in_vm))
		return NULL;
	return "this machine was not booted for it alone";
}

/* A dangerous lab or part is not for a machine with anything on it, unless that was typed. */
static bool too_dangerous(bool hazard)
{
	const char *where = getenv("WHERE");
	return hazard && !lab_in_vm && (!where || strcmp(where, "host"));
}

static const char *const dangerous[] = {
	"it is dangerous, and this is not the lab VM",
	"scripts/lab takes it there; WHERE=host runs it here",
};

/* The command that boots one; allocated. */
static char *alone_by(const struct lab_part *part)
{
	return text("scripts/lab %.2s%s --%s, not in the lab VM", lab->id,
		strchr(lab->id, '/') ? "/more" : "", part->name);
}

static const char *can_run; /* NULL: not asked; "": the lab; else a part of it */

/*
 * A standard descriptor that is closed stays closed to who reads and writes (O_PATH), but its
 * number is taken: no file that is opened later becomes the standard input or output of a COMMAND.
 */
static void take_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", O_PATH | O_CLOEXEC);
}

/* What die() does in a lab. */
static void end_broken(const char *reason)
{
	if (reason) {
		undo_if_over(); /* what is missing then is what a child was to do that ended so */
		dprintf(STDERR_FILENO, "%s: broken: %s\n", lab->id, reason);
		__atomic_add_fetch(&sys_shared->broken, 1, __ATOMIC_SEQ_CST);
	}
	undo_run();
	if (lab_asks_missing && lab_command && probe_print(&lab->needs, STDERR_FILENO) > 0)
		_exit(77);
	_exit(lab_command ? 125 : 3);
}

bool lab_parse(const struct lab *the_lab, int argc, char *argv[])
{
	lab = the_lab;
	sys_name = lab->id;
	sys_on_die = end_broken;
	take_standard_descriptors();
	option_read(argc, argv, &can_run);
	return !can_run;
}

static int missing_or_die(const struct probe_needs *needs, int fd)
{
	int count = probe_print(needs, fd);
	if (count < 0)
		die("fork, pipe2, open, read: to try out what this lab needs");
	return count;
}

void lab_begin(const struct lab *the_lab, int argc, char *argv[])
{
	if (!lab)
		lab_parse(the_lab, argc, argv);
	void *page = mmap(
		NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		die("mmap");
	shared = page;
	sys_shared = &shared->sys;
	lab_in_vm = !access("/etc/unboxed-vm", F_OK);
	if (!lab_in_vm && errno != ENOENT)
		die("access /etc/unboxed-vm");
	const struct probe_needs *needs = &lab->needs;
	bool hazard = lab->hazard;
	int missing = 0, to = can_run ? STDOUT_FILENO : STDERR_FILENO;
	for (const struct lab_part *part = lab->parts; part && part->name && can_run; part++) {
		if (strcmp(part->name, can_run))
			continue;
		needs = &part->needs;
		hazard |= part->hazard;
		autofree char *remedy = alone_by(part);
		if (not_alone(part))
			missing += dprintf(to, "%s; %s\n", not_alone(part), remedy) > 0;
	}
	if (too_dangerous(hazard))
		missing += dprintf(to, "%s; %s\n", dangerous[0], dangerous[1]) > 0;
	if (can_run || missing) {
		missing += missing_or_die(needs, to);
		exit(missing ? 77 : 0);
	}
	undo_init(lab_command);
	child_init();
	out_where();
	if (lab_command) /* which tells nothing of what it does, and shows no births */
		return;
	sys_on_call = out_call;
	out_init();
	step_init();
	if (missing_or_die(needs, STDERR_FILENO))
		exit(77);
	out_lab();
}

int lab_end(void)
{
	lab_wait(0);
	undo_run();
	int *count = shared->count;
	enum verdict verdict = sys_shared->broken ? BROKEN
			       : count[FAIL]      ? FAIL
			       : count[PASS]      ? PASS
						  : SKIP;
	if (verdict == SKIP && !count[SKIP])
		verdict = BROKEN; /* nothing was held beside anything: no pass */
	out_end(verdict);
	static const int status[] = {[PASS] = 0, [FAIL] = 1, [SKIP] = 77, [BROKEN] = 3};
	return status[verdict];
}

int lab_end_early(void)
{
	errno = 0;
	if (!shared->count[FAIL] && !sys_shared->broken)
		die("it cannot go on, though no check has failed");
	return lab_end();
}

/* execvp(3) says EACCES also when a folder of PATH may not be entered: is there such a file at all?
 */
static bool on_path(const char *name)
{
	const char *path = getenv("PATH");
	autofree char *folders = text("%s", path ? path : "");
	char *rest;
	for (char *folder = strtok_r(folders, ":", &rest); folder;
		folder = strtok_r(NULL, ":", &rest)) {
		autofree char *file = text("%s/%s", folder, name);
		if (access(file, F_OK) == 0)
			return true;
	}
	return false;
}

void lab_exec_command(void)
{
	/* eat, spin and forks lie beside the labs; last on PATH, they shadow nothing. */
	autofree char *self = file_program();
	char *slash = strrchr(self, '/');
	if (slash) {
		*slash = '\0';
		const char *path = getenv("PATH");
		autofree char *longer =
			text("%s%s%s/../rootfs/bin", path ? path : "/usr/bin:/bin", ":", self);
		setenv("PATH", longer, 1);
	}
	lab_exec(lab_command);
}

void lab_exec(char *command[])
{
	undo_signals_of_command();
	execvp(command[0], command);
	int error = errno;
	if (error == EACCES && !strchr(command[0], '/') && !on_path(command[0]))
		error = ENOENT;
	dprintf(STDERR_FILENO, "%s: %s: %s\n", lab->id, command[0],
		error == ENOENT ? "not found" : errno_name(error));
	_exit(error == ENOENT ? 127 : 126);
}

void lab_exit_as(pid_t command)
{
	undo_kill(command); /* should we be ended before it */
	int status = child_wait_command(command);
	undo_run();
	_exit(status);
}

/* ---- Narration ---- */

void lab_note(const char *fmt, ...)
{
	autofree char *line = NULL;
	va_list ap;
	va_start(ap, fmt);
	if (vasprintf(&line, fmt, ap) < 0)
		die("out of memory");
	va_end(ap);
	if (!lab_command)
		out_note(line);
}

bool lab_part(const char *name)
{
	const struct lab_part *part = lab->parts;
	while (part && part->name && strcmp(part->name, name))
		part++;
	errno = 0;
	if (!part || !part->name)
		die("this lab has no part %s", name);
	lab_step(part->title, part->expect);
	struct probe_missing missing[MISSING];
	autofree char *what = text("part %s", name), *remedy = alone_by(part);
	if (not_alone(part)) {
		check_skip(what, not_alone(part), remedy);
		return false;
	}
	if (too_dangerous(part->hazard)) {
		check_skip(what, dangerous[0], "WHERE=vm runs it there; WHERE=host runs it here");
		return false;
	}
	int count = probe_needs(&part->needs, missing, MISSING);
	if (count < 0)
		die("fork, pipe2, open, read: to try out what part %s needs", name);
	if (count)
		check_skip(what, missing[0].what, missing[0].remedy);
	return count == 0;
}

bool lab_asked(const char *name)
{
	return option_given.part && !strcmp(option_given.part, name);
}

void lab_row(const char *what, const char *without, const char *with, const char *who)
{
	out_row((const char *const[]){what, without, with, who});
}

void lab_sample(const char *series, long long value, long long limit, const char *unit)
{
	if (!lab_command)
		out_sample(series, value, limit, unit);
}

int lab_cells(const char *series, const long long value[], int count, long long limit,
	const char *unit, long long every, long long first)
{
	return out_cells(series, value, count, limit, unit, every, first);
}

bool lab_watched(void)
{
	return out_drawing();
}

/* ---- The lock of those who measure time ---- */

int lab_lock_cpu(void)
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
