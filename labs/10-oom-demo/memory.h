/*
 * memory.h: how much memory the programs of this lab allow a group, and a child that
 * uses some. more.c and more-reclaim.c need all of it, main.c the default limit only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* 32 MiB, or 1024 pages where pages are large: such kernels charge in larger batches. */
size_t default_limit(void);

/* A third of the machine's memory, because the story touches twice the limit; 1 GiB in 32 bits. */
long long largest_limit(void);

/*
 * Writes memory.max and, where the kernel has it, memory.swap.max ("0" or "max"). Returns
 * false, after a failed check called what, when memory.max does not read back.
 */
bool limit_memory_and_swap(const char *group, const char *what, size_t bytes, const char *swap);

/* A line of the group's memory.events, such as "oom_kill". */
long long memory_event(const char *group, const char *key);

/* Maps size bytes of anonymous memory. The kernel charges nothing before they are touched. */
char *map_anonymous(size_t size);

/* A child in group touches size bytes and ends. Returns its exit status. */
int touch_in(const char *group, size_t size);
