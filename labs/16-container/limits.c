/*
 * limits.c: the files of the container's group. life.c writes each of them, and --explain prints
 * the same row. cgroup-v2.rst
 */
#define _GNU_SOURCE
#include <math.h>

#include "container.h"
#include "kernel/file.h"
#include "kernel/sys.h"

static char *memory_max(const struct container *c)
{
	long long page = sysconf(_SC_PAGESIZE); /* the kernel rounds down to whole pages */
	return c->memory ? text("%lld", c->memory / page * page) : NULL;
}

/* With swap, what is over the limit would go there and nothing would be killed. */
static char *memory_swap_max(const struct container *c)
{
	return c->memory && !c->swap ? text("0") : NULL;
}

/* The option counts memory and swap together, the file only swap. */
static char *memory_swap_asked(const struct container *c)
{
	if (!c->swap)
		return NULL;
	return c->swap < 0 ? text("max") : text("%lld", c->swap - c->memory);
}

static char *memory_low(const struct container *c)
{
	long long page = sysconf(_SC_PAGESIZE);
	return c->reservation ? text("%lld", c->reservation / page * page) : NULL;
}

static char *cpu_max(const struct container *c)
{
	return c->cpus ? text("%lld %d", c->cpus / CPU_PART, CPU_PERIOD) : NULL;
}

static char *cpu_max_of_quota(const struct container *c)
{
	long long period = c->cpu_period ? c->cpu_period : CPU_PERIOD;
	if (!c->cpu_quota)
		return NULL;
	return c->cpu_quota > 0 ? text("%lld %lld", c->cpu_quota, period)
				: text("max %lld", period);
}

static char *cpu_max_of_period(const struct container *c)
{
	return c->cpu_period && !c->cpu_quota ? text("max %lld", c->cpu_period) : NULL;
}

/* 2 to 262144 shares become a weight from 1 to 10000, as runc and the kubelet reckon. */
static char *cpu_weight(const struct container *c)
{
	return c->cpu_shares ? text("%lld", 1 + (c->cpu_shares - 2) * 9999 / 262142) : NULL;
}

/*
 * The curve of runc 1.3.2 and crun 1.23, by which the defaults, 1024 and 100, are each other's:
 * ConvertCPUSharesToCgroupV2Value() in opencontainers/cgroups. At both ends it is the line above.
 */
static char *cpu_weight_newer(const struct container *c)
{
	double l = log2((double)c->cpu_shares);
	return c->cpu_shares <= 2 || c->cpu_shares >= 262144
		       ? cpu_weight(c)
		       : text("%.0f", ceil(pow(10, (l * l + 125 * l) / 612 - 7.0 / 34)));
}

static char *cpuset_cpus(const struct container *c)
{
	return c->cpuset ? text("%s", c->cpuset) : NULL;
}

static char *pids_max(const struct container *c)
{
	return c->pids > 0 ? text("%lld", c->pids) : NULL;
}

const struct limit container_limits[LIMITS] = {
	{"memory", "memory.max", memory_max},
	{"memory", "memory.swap.max", memory_swap_max},
	{"memory-swap", "memory.swap.max", memory_swap_asked},
	{"memory-reservation", "memory.low", memory_low},
	{"cpus", "cpu.max", cpu_max},
	{"cpu-quota", "cpu.max", cpu_max_of_quota},
	{"cpu-period", "cpu.max", cpu_max_of_period},
	{"cpu-shares", "cpu.weight", cpu_weight, cpu_weight_newer},
	{"cpuset-cpus", "cpuset.cpus", cpuset_cpus},
	{"pids-limit", "pids.max", pids_max},
};
