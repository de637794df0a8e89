/*
 * privileges.c: the names of capabilities, and the seccomp filter. Lab 15; capabilities(7),
 * seccomp(2)
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>

#include "16-container/capabilities.h"
#include "16-container/filter.h"
#include "container.h"
#include "kernel/file.h"
#include "kernel/sys.h"

enum { CAPABILITIES = sizeof capability_names / sizeof *capability_names };

/* "NET_ADMIN", "cap_net_admin", "ALL": a set; false when there is no such capability. */
bool capability_parse(const char *name, uint64_t *set)
{
	autofree char *whole = text("%s%s", strncasecmp(name, "cap_", 4) ? "cap_" : "", name);
	*set = strcasecmp(name, "all") ? 0 : UINT64_MAX;
	for (int cap = 0; cap < CAPABILITIES; cap++)
		if (!strcasecmp(whole, capability_names[cap]))
			*set = 1ULL << cap;
	return *set != 0;
}

/* "CAP_CHOWN"; allocated. */
char *capability_name(int capability)
{
	char *upper = capability < CAPABILITIES ? text("%s", capability_names[capability])
						: text("%d", capability);
	for (char *c = upper; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return upper;
}

uint64_t capabilities_named(const char *const *names, size_t count)
{
	uint64_t all = 0, one;
	for (size_t i = 0; names && i < count && names[i]; i++)
		if (capability_parse(names[i], &one))
			all |= one;
	return all;
}

/*
 * The filter, and behind its head a few lines more: a call that a capability guards gets through
 * where that is kept. A jump counts from the line behind it.
 */
const struct sock_fprog *filter_of(const struct privileges *p)
{
	static struct sock_fprog filter;
	enum {
		DEFAULT = sizeof filter_default / sizeof *filter_default,
		GUARDED = sizeof filter_guarded / sizeof *filter_guarded
	};
	static struct sock_filter code[2 * GUARDED + DEFAULT];
	struct sock_filter *next = code + FILTER_HEAD;
	for (int i = 0; i < GUARDED; i++) {
		if (!(p->capabilities & 1ULL << filter_guarded[i].capability))
			continue;
		*next++ = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, filter_guarded[i].call, 0, 1);
		*next++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	if (next == code + FILTER_HEAD) {
		filter = (struct sock_fprog){
			DEFAULT, (struct sock_filter *)(uintptr_t)filter_default};
		return &filter;
	}
	memcpy(code, filter_default, FILTER_HEAD * sizeof *code);
	memcpy(next, filter_default + FILTER_HEAD,
		sizeof filter_default - FILTER_HEAD * sizeof *code);
	next += DEFAULT - FILTER_HEAD;
	filter = (struct sock_fprog){(unsigned short)(next - code), code};
	return &filter;
}
