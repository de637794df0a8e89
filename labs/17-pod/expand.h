/*
 * expand.h: $(NAME) in env, command and args, as Kubernetes expands it ("Define
 * Dependent Environment Variables"): by the container's own variables, in env by
 * those above. A name that is none of them stays as it is, and $$ is one $.
 */
#pragma once

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/sys.h"
#include "pod.h"

/* The value of NAME, length bytes of it, among the first count; the last one counts. NULL: none has
 * it. */
static inline const char *variable(
	const struct pairs *env, size_t count, const char *name, size_t length)
{
	while (count-- > 0) {
		const struct pair *v = &env->item[count];
		if (strlen(v->name) == length && !strncmp(v->name, name, length))
			return v->value ? v->value : "";
	}
	return NULL;
}

/* from, by the first count variables of env. To be freed; NULL where it becomes longer than max
 * bytes. */
static inline char *expanded(const char *from, const struct pairs *env, size_t count, size_t max)
{
	char *to;
	size_t size;
	FILE *out = open_memstream(&to, &size);
	if (!out)
		die("out of memory");
	bool fits = true;
	while (*from && fits) {
		size_t length = strncmp(from, "$(", 2) ? 0 : strcspn(from, ")");
		if (length && from[length]) {
			const char *value = variable(env, count, from + 2, length - 2);
			fprintf(out, "%.*s", value ? INT_MAX : (int)length + 1,
				value ? value : from);
			from += length + 1;
		} else {
			fputc(*from, out);
			from += from[0] == '$' && from[1] == '$' ? 2 : 1;
		}
		fits = ftell(out) <= (long)max;
	}
	fclose(out);
	if (fits)
		return to;
	free(to);
	return NULL;
}
