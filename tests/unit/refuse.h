/*
 * refuse.h: system calls that fail in this process from here on, by a seccomp filter.
 */
#pragma once

#include <fcntl.h>
#include <seccomp.h>

#include "run.h"

/*
 * From here on each of these calls fails in this process; with 0 it succeeds, without effect.
 * openat() of what is there: what gcov has counted has to be written.
 */
static inline void fails(int with, ...)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	struct scmp_arg_cmp there = SCMP_A2(SCMP_CMP_MASKED_EQ, O_CREAT, 0);
	va_list ap;
	va_start(ap, with);
	for (const char *name; filter && (name = va_arg(ap, const char *));)
		if (seccomp_syscall_resolve_name(name) >= 0 && /* arm64 has some no more */
			seccomp_rule_add_array(filter, SCMP_ACT_ERRNO((uint16_t)with),
				seccomp_syscall_resolve_name(name), !strcmp(name, "openat"),
				&there))
			_exit(98);
	va_end(ap);
	if (!filter || seccomp_load(filter))
		_exit(99);
	seccomp_release(filter);
}
