/*
 * mounts.h: a mount namespace of the caller's own, for the labs after 02, which makes it by hand.
 */
#pragma once

/*
 * Calls unshare(2) with CLONE_NEWNS, makes every mount in the copy private, so that no mount of
 * ours reaches the host, and reads both back: a lab whose mount table is the host's, or still
 * shared, is broken and mounts nothing. The story shows both calls. The mounts need no undo: they
 * end with the last process in the namespace. mount_namespaces(7)
 */
#define mounts_unshare() mounts_unshare_at(__FILE__, __LINE__)
void mounts_unshare_at(const char *file, int line);
