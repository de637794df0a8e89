/*
 * limits.h: the group of a container, and its limits, each a file and a word. Labs
 * 07 to 10; Documentation/admin-guide/cgroup-v2.rst
 */
#pragma once

#include "container.h"
#include "devices.h"
#include "kernel/cg.h"

struct limit {
	const char *option, *asked; /* as it was typed, about */
	const char *file;
	char *value; /* NULL: no limit */
};

enum { PERIOD = 100000, LIMITS = 4 }; /* microseconds, as Docker has it */

static inline void limits_of(const struct container *c, struct limit limit[LIMITS])
{
	static char memory[24], cpus[24], pids[24];
	long long page = sysconf(_SC_PAGESIZE);
	snprintf(memory, sizeof memory, "%lld", c->memory);
	snprintf(cpus, sizeof cpus, "%lld.%03lld", c->cpus / 1000, c->cpus % 1000);
	snprintf(pids, sizeof pids, "%lld", c->pids);
	limit[0] = (struct limit){"--memory", memory, "memory.max",
		c->memory ? text("%lld", c->memory / page * page) : NULL};
	/* Else what is over the limit goes there, and nothing is killed: --memory-swap of the same
	 * size. */
	limit[1] =
		(struct limit){"--memory", memory, "memory.swap.max", c->memory ? text("0") : NULL};
	limit[2] = (struct limit){"--cpus", cpus, "cpu.max",
		c->cpus ? text("%lld %d", c->cpus * PERIOD / 1000, PERIOD) : NULL};
	limit[3] = (struct limit){
		"--pids-limit", pids, "pids.max", c->pids ? text("%lld", c->pids) : NULL};
}

/* The group, ready before anybody is in it. Returns its folder's descriptor. */
static inline int limits_make(struct container *c)
{
	struct limit limit[LIMITS];
	limits_of(c, limit);
	c->group = group_create(lab_command ? NULL : c->id); /* the story has more than one */
	for (int i = 0; i < LIMITS; i++)
		if (limit[i].value && (strcmp(limit[i].file, "memory.swap.max") ||
					      cg_has(c->group, limit[i].file)))
			cg_write(c->group, limit[i].file, limit[i].value);
	int group = MUST(open(c->group, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (!c->root.user_namespace) /* only root may load one */
		allow_devices(group);
	return group;
}
