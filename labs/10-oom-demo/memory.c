#include "memory.h"

#include <limits.h>
#include <string.h>
#include <sys/mman.h>

#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"

size_t default_limit(void)
{
	size_t pages = 1024 * (size_t)sysconf(_SC_PAGESIZE);
	return pages > 32 << 20 ? pages : 32 << 20;
}

long long largest_limit(void)
{
	long long most = proc_meminfo("MemTotal") / 3;
	return (most < LONG_MAX / 2 ? most : LONG_MAX / 2) >> 20 << 20;
}

bool limit_memory_and_swap(const char *group, const char *what, size_t bytes, const char *swap)
{
	autofree char *value = text("%zu", bytes);
	cg_write(group, "memory.max", value);
	if (cg_has(group, "memory.swap.max"))
		cg_write(group, "memory.swap.max", swap);
	return expect_int(what, (long long)bytes, cg_read_long(group, "memory.max"));
}

long long memory_event(const char *group, const char *key)
{
	return cg_read_key(group, "memory.events", key);
}

char *map_anonymous(size_t size)
{
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		die("mmap");
	return memory;
}

int touch_in(const char *group, size_t size)
{
	pid_t child = FORKED(cg_spawn(group));
	if (child == 0) {
		memset(map_anonymous(size), 1, size);
		_exit(0);
	}
	undo_kill(child);
	return child_wait(child);
}
