/*
 * values.c: what the value of an option may be. Each wrong_NAME() returns what was expected
 * instead, or NULL when there is nothing wrong with the value.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "container.h"
#include "kernel/file.h"
#include "kernel/sys.h"

const char *wrong_name(const char *value)
{
	size_t good = 0;
	while (isalnum((unsigned char)value[good]) ||
		(good && value[good] && strchr("_.-", value[good])))
		good++;
	return good >= 2 && good <= 63 && !value[good]
		       ? NULL
		       : "2 to 63 letters, digits, '_', '.' or '-', a "
			 "letter or digit first";
}

const char *wrong_ip(const char *value)
{
	return network_number(value) ? NULL
				     : "an address from " NETWORK ".0.2 to " NETWORK ".255.254";
}

/* "1000" or "1000:100": both at most 65535, whatever is mapped. */
bool user_parse(const char *value, uid_t *user, gid_t *group)
{
	int end = 0, more = 0;
	unsigned long uid, gid = 0;
	bool digits = isdigit((unsigned char)*value) && strlen(value) <= 12;
	if (!digits || sscanf(value, "%5lu%n", &uid, &end) != 1 || uid > 65535)
		return false;
	if (value[end] == ':' && isdigit((unsigned char)value[end + 1]) &&
		sscanf(value + end + 1, "%5lu%n", &gid, &more) == 1)
		end += 1 + more;
	*user = (uid_t)uid;
	*group = (gid_t)gid;
	return !value[end] && gid <= 65535;
}

const char *wrong_user(const char *value)
{
	uid_t user;
	gid_t group;
	return user_parse(value, &user, &group) ? NULL : "UID or UID:GID, numbers from 0 to 65535";
}

const char *wrong_capability(const char *value)
{
	uint64_t set;
	return capability_parse(value, &set)
		       ? NULL
		       : "ALL or a capability's name, such as NET_ADMIN; capabilities(7)";
}

const char *wrong_env(const char *value)
{
	return *value && *value != '=' ? NULL : "NAME=VALUE, or the NAME of a variable that is set";
}

const char *wrong_workdir(const char *value)
{
	return *value == '/' ? NULL : "a path in the container, from / on";
}

/* A path in the container that can hold a mount: not its root, and nothing that leads out of it. */
static bool mountable(const char *path, size_t length)
{
	autofree char *slashed = text("%.*s/", (int)length, path);
	return *path == '/' && strspn(slashed, "/.") < strlen(slashed) && !strstr(slashed, "/../");
}

const char *wrong_tmpfs(const char *value)
{
	autofree char *path = text("%.*s", (int)strcspn(value, ":"), value);
	return !mountable(path, strlen(path))
		       ? "PATH or PATH:OPTIONS, such as /run:size=64m; tmpfs(5)"
	       : is_reserved(path) ? not_reserved
				   : NULL;
}

/* "SRC:DST[:ro]" in its three parts; SRC as it is without links, allocated, NULL when it is not
 * there. */
bool volume_parse(const char *value, struct bind_mount *volume)
{
	const char *target = strchr(value, ':');
	size_t length = target ? strcspn(target + 1, ":") : 0;
	const char *mode = target ? target + 1 + length : "";
	if (!target || !mountable(target + 1, length) ||
		(*mode && strcmp(mode, ":ro") && strcmp(mode, ":rw")))
		return false;
	autofree char *source = text("%.*s", (int)(target - value), value);
	*volume = (struct bind_mount){.source = realpath(source, NULL),
		.target = text("%.*s", (int)length, target + 1),
		.read_only = !strcmp(mode, ":ro"),
		.recursive = true};
	return true;
}

const char *wrong_volume(const char *value)
{
	struct bind_mount volume;
	if (!volume_parse(value, &volume))
		return "SRC:DST or SRC:DST:ro, DST from / on";
	return !volume.source               ? "SRC to be a file or folder that is there"
	       : is_reserved(volume.target) ? not_reserved
					    : NULL;
}
