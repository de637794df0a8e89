#define _GNU_SOURCE
#include "machine/remedy.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What does not fit is cut: a group's path may be longer than any line. */
void put(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(buf, size, fmt, ap);
	va_end(ap);
}

/* " (EPERM)", or nothing when no call was made. */
const char *reason(int err)
{
	static char text[32];
	const char *name = strerrorname_np(err);
	text[0] = '\0';
	if (err)
		put(text, sizeof(text), " (%s)", name ? name : "unknown error");
	return text;
}

bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* Root of a user namespace only, as by unshare(1) --map-root-user: what is missing is to be had
 * outside. */
bool root_inside(const struct machine *m)
{
	return !m->first_user && m->uid >= 0 && !m->container[0];
}

const char leave_it[] = "leave the user namespace in which we are root";

/* A container is left by starting it again with other options of docker or podman run. */
void start_container_with(const struct machine *m, const char *options, struct probe_missing *out)
{
	if (is(m->container, "other"))
		REMEDY("start this container with more rights, as docker does it with: docker run %s",
			options);
	else
		REMEDY("start the container with: %s run %s", m->container, options);
	UNDO("start the container without these options");
}
