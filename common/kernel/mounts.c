/*
 * mounts.c: unshare the mount table, make it private, read it back.
 */
#define _GNU_SOURCE
#include "kernel/mounts.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "kernel/ns.h"
#include "kernel/sys.h"

void mounts_unshare_at(const char *file, int line)
{
	ino_t before = ns_inode(0, "mnt");
	int rc = unshare(CLONE_NEWNS);
	sys_done(file, line, "unshare(CLONE_NEWNS)", rc, errno, NULL);
	if (ns_inode(0, "mnt") != before) { /* else it would be the host's that is changed */
		rc = mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
		sys_done(file, line, "mount(NULL, \"/\", NULL, MS_REC | MS_PRIVATE, NULL)", rc,
			errno, NULL);
	}
	autofree char *table = ns_mount_table(before);
	errno = 0;
	if (strcmp(table, "own, private") != 0)
		die("the mount table: expected \"own, private\", observed \"%s\"", table);
}
