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

void mounts_unshare(void)
{
	long before = ns_inode(0, "mnt");
	SYS(unshare(CLONE_NEWNS));
	if (ns_inode(0, "mnt") != before) /* else it would be the host's that is changed */
		SYS(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	autofree char *table = ns_mount_table(before);
	errno = 0;
	if (strcmp(table, "own, private") != 0)
		die("the mount table: expected \"own, private\", observed \"%s\"", table);
}
