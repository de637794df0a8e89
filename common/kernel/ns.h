/*
 * ns.h: id maps of a user namespace, user_namespaces(7), and who makes one.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#ifndef CLONE_NEWTIME /* glibc has it from 2.36, time_namespaces(7) */
#define CLONE_NEWTIME 0x00000080
#endif

/*
 * After unshare(CLONE_NEWUSER): writes setgroups, uid_map and gid_map, so that
 * the caller, whoever it is outside, is root inside; the story shows the three writes. Lab 05 does
 * it by hand.
 */
#define ns_map_root() ns_map_root_at(__FILE__, __LINE__)
void ns_map_root_at(const char *file, int line);

/*
 * What nsenter(1) needs besides, to follow us: "--user --preserve-credentials "
 * after ns_map_root(), else "".
 */
extern const char *ns_join;

/* Root of the machine, and not of a user namespace as in unshare(1) --map-root-user. */
bool ns_real_root(void);

/*
 * What has become of the mount table after unshare(CLONE_NEWNS) and a change of
 * its propagation: "own, private". "the old one" where ns_inode(0, "mnt") is
 * still before; "shared" or "slave" where one mount or more is. Allocated. To be
 * read back before anything is mounted; mount_namespaces(7). Lab 02 does it by hand.
 */
char *ns_mount_table(ino_t before);

/*
 * For root, who needs no user namespace: becomes, for good, the ordinary user
 * who typed sudo, else 1000, without any group but its own. 0, or -1 with errno
 * set. setresuid(2), setgroups(2)
 */
int ns_become_ordinary(void);

/* The number in /proc/PID/ns/NAME, which tells namespaces apart; namespaces(7) */
ino_t ns_inode(pid_t pid, const char *name);
