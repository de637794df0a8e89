/*
 * ns.h: id maps of a user namespace, user_namespaces(7).
 */
#pragma once

/*
 * After unshare(CLONE_NEWUSER): writes setgroups, uid_map and gid_map, so that
 * the caller, whoever it is outside, is root inside. Lab 05 does it by hand.
 */
void ns_map_root(void);

/*
 * What nsenter(1) needs besides, to follow us: "--user --preserve-credentials "
 * after ns_map_root(), else "".
 */
extern const char *ns_join;
