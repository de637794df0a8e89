/*
 * refuse.h: system calls that fail in this process from here on, by a seccomp filter.
 */
#pragma once

#include <fcntl.h>
#include <seccomp.h>

#include "run.h"

/* What the C library calls instead of them where the machine has 32 bits; the first word of
 * socketcall(2). */
static const struct {
	const char *name, *other;
	int first;
} of_32_bits[] = {{"mmap", "mmap2", 0}, {"newfstatat", "fstatat64", 0}, {"newfstatat", "statx", 0},
	{"ppoll", "ppoll_time64", 0}, {"setresuid", "setresuid32", 0},
	{"socket", "socketcall", 1 /* SYS_SOCKET */},
	{"recvfrom", "socketcall", 10 /* SYS_RECV */}};

/* arm64 has some of the names no more. */
static inline void refuse(scmp_filter_ctx filter, int with, const char *name, unsigned count,
	struct scmp_arg_cmp only)
{
	int call = seccomp_syscall_resolve_name(name);
	if (call >= 0 &&
		seccomp_rule_add_array(filter, SCMP_ACT_ERRNO((uint16_t)with), call, count, &only))
		_exit(98);
}

/*
 * From here on each of these calls fails in this process; with 0 it succeeds, without effect.
 * openat() of what is there: what gcov has counted has to be written.
 */
static inline void fails(int with, ...)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	va_list ap;
	va_start(ap, with);
	for (const char *name; filter && (name = va_arg(ap, const char *));) {
		refuse(filter, with, name, !strcmp(name, "openat"),
			SCMP_A2(SCMP_CMP_MASKED_EQ, O_CREAT, 0));
		for (size_t i = 0; i < sizeof of_32_bits / sizeof *of_32_bits; i++)
			if (!strcmp(of_32_bits[i].name, name))
				refuse(filter, with, of_32_bits[i].other, of_32_bits[i].first != 0,
					SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)of_32_bits[i].first));
	}
	va_end(ap);
	if (!filter || seccomp_load(filter))
		_exit(99);
	seccomp_release(filter);
}
