/*
 * ns.c: id maps.
 */
#define _GNU_SOURCE
#include "kernel/ns.h"

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "kernel/file.h"
#include "kernel/proc.h"
#include "kernel/sys.h"

const char *ns_join = "";

/* Before any namespace of the lab's own: inside they would read 65534. */
static uid_t outer_uid;
static gid_t outer_gid;

__attribute__((constructor)) static void remember(void)
{
	outer_uid = geteuid();
	outer_gid = getegid();
}

void ns_map_root(void)
{
	char map[64];
	file_write("/proc/self/setgroups", "deny");
	snprintf(map, sizeof map, "0 %u 1", outer_uid);
	file_write("/proc/self/uid_map", map);
	snprintf(map, sizeof map, "0 %u 1", outer_gid);
	file_write("/proc/self/gid_map", map);
	ns_join = "--user --preserve-credentials ";
}

char *ns_mount_table(long before)
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
