/*
 * real_group.h: a control group of the test's own, below the one that this process
 * is in. Where none can be made, a test that begins with NEEDS_GROUP is skipped.
 */
#pragma once

#include <limits.h>
#include <sys/stat.h>

#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "machine/machine.h"
#include "run.h"

static const struct lab lab_here = {.id = "91-test", .title = "t", .goal = "g"};
static const struct lab of_pids = {
	.id = "91-test", .title = "t", .goal = "g", .needs = {.controllers = "pids"}};
static char folder[PATH_MAX];
static struct machine machine;
static bool have_group;

static inline void start(void)
{
	begin(&lab_here, "--format=jsonl", NULL);
}

static inline int make_group(void **state)
{
	(void)state;
	machine_read(&machine, "/");
	have_group = machine.group[0] && machine.group_ours && !machine.cgroup_read_only &&
		     strlen(machine.group) < sizeof folder - 32;
	if (!have_group)
		return 0;
	strcpy(folder, machine.group);
	strcat(folder, "/unit-cg-XXXXXX");
	have_group = mkdtemp(folder) != NULL && cg_has(folder, "cgroup.kill");
	return 0;
}

static inline int drop_group(void **state)
{
	(void)state;
	if (!have_group)
		return 0;
	cg_destroy(folder);
	return access(folder, F_OK) ? 0 : -1;
}

#define NEEDS_GROUP \
	do { \
		(void)state; \
		if (!have_group) \
			skip(); \
	} while (0)

static inline void group_of(const char *name, char to[PATH_MAX])
{
	if (snprintf(to, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX || mkdir(to, 0755))
		_exit(99);
}

static inline pid_t idle_in(const char *group)
{
	pid_t pid = cg_spawn(group);
	if (pid == 0)
		child_idle();
	if (pid < 0)
		_exit(98);
	return pid;
}

/* Moves this process into the group, so that machine_read() finds that one. */
static inline void move_here(void)
{
	cg_write(folder, "cgroup.procs", "0");
	start();
}

static inline bool folder_is_given(const char *controller)
{
	char *given = cg_read(folder, "cgroup.controllers");
	bool is = machine_has(given, controller);
	free(given);
	return is;
}
