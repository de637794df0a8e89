/*
 * ns.c: namespaces by their files.
 */
#define _GNU_SOURCE
#include "kernel/ns.h"

#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/file.h"
#include "kernel/sys.h"
#include "kernel/text.h"

const char *ns_join = "";

/* Before any namespace of the lab's own: inside they would read 65534. */
static uid_t outer_uid;
static gid_t outer_gid;

__attribute__((constructor)) static void remember(void)
{
	outer_uid = geteuid();
	outer_gid = getegid();
}

void ns_map_root_at(const char *file, int line)
{
	autofree char *uid_map = text("0 %u 1", outer_uid), *gid_map = text("0 %u 1", outer_gid);
	file_write_at(file, line, "/proc/self/setgroups", "deny");
	file_write_at(file, line, "/proc/self/uid_map", uid_map);
	file_write_at(file, line, "/proc/self/gid_map", gid_map);
	ns_join = "--user --preserve-credentials ";
}

bool ns_real_root(void)
{
	autofree char *map = file_read("/proc/self/uid_map");
	unsigned count; /* of IDs that are the same outside, from 0 on */
	return geteuid() == 0 && sscanf(map, " 0 0 %u", &count) == 1 && count == UINT_MAX;
}

ino_t ns_inode(pid_t pid, const char *name)
{
	autofree char *path =
		pid ? text("/proc/%d/ns/%s", pid, name) : text("/proc/self/ns/%s", name);
	struct stat st;
	if (stat(path, &st))
		die("stat %s", path);
	return st.st_ino;
}

char *ns_mount_table(ino_t before)
{
	autofree char *table = file_read("/proc/self/mountinfo");
	return text("%s, %s", ns_inode(0, "mnt") == before ? "the old one" : "own",
		strstr(table, " shared:")   ? "shared"
		: strstr(table, " master:") ? "slave"
					    : "private");
}

/* sudo tells who typed it; whatever else stands there is not believed. */
static unsigned id_from(const char *variable)
{
	const char *value = getenv(variable);
	long id = value ? strtol(value, NULL, 10) : 0;
	return id > 0 && id < 65534 ? (unsigned)id : 1000;
}

int ns_become_ordinary(void)
{
	uid_t uid = id_from("SUDO_UID");
	gid_t gid = id_from("SUDO_GID");
	int death = 0;
	prctl(PR_GET_PDEATHSIG, &death);
	if (setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid))
		return -1;
	/* Both go with the privilege: /proc/self would be root's, the runner's end unheard. */
	if (prctl(PR_SET_DUMPABLE, 1) || prctl(PR_SET_PDEATHSIG, death))
		return -1;
	return 0;
}
