/*
 * explain.h: each option beside the call or the kernel file that it becomes, as
 * strace(1) shows the call: "WORDS", then "FILE <- VALUE" or a call.
 */
#pragma once

#include "container.h"
#include "limits.h"

static void explain_line(const char *option, const char *value, const char *becomes)
{
	autofree char *words =
		text("%s%s%s", option, value && *value ? " " : "", value ? value : "");
	printf("%-30s %s%s%s\n", words, strlen(words) > 30 ? "\n" : "",
		strlen(words) > 30 ? "                               " : "", becomes);
}

#define EXPLAIN(option, value, ...) \
	do { \
		autofree char *becomes = text(__VA_ARGS__); \
		explain_line(option, value, becomes); \
	} while (0)

static void explain_root(const struct container *c)
{
	const struct root *r = &c->root;
	if (asked.keep)
		EXPLAIN("--keep", asked.keep, "mount(\"overlay\"): upperdir=%s/upper", r->keep);
	EXPLAIN(asked.rootfs ? "--rootfs" : "(the image)", asked.rootfs ? asked.rootfs : "",
		"mount(\"overlay\"): lowerdir=%s", r->image);
	for (int i = 0; i < r->volume_count; i++) {
		const struct volume *v = &r->volumes[i];
		EXPLAIN("--volume", asked.volumes.value[i], "mount(\"%s\", \"%s\", MS_BIND|MS_REC)",
			v->source, v->target + 1);
		if (v->read_only)
			EXPLAIN("", "", "mount(\"%s\", MS_RDONLY|MS_REMOUNT|MS_BIND)",
				v->target + 1);
	}
}

static int explain(const struct container *c)
{
	struct limit limit[LIMITS];
	limits_of(c, limit);
	for (int i = 0; i < LIMITS; i++)
		if (limit[i].value)
			EXPLAIN(limit[i].option, "", "%s <- %s", limit[i].file, limit[i].value);
	explain_root(c);
	return fflush(stdout) ? 3 : 0;
}
