/* The file systems of the VM. */
#ifndef UNBOXED_INIT_MOUNTS_H
#define UNBOXED_INIT_MOUNTS_H

#include <stdbool.h>

/* Makes the folder path when it is missing, and mounts a file system of that type on it. */
void mounts_add(const char *type, const char *path, unsigned long flags, const char *options);
/* Lays the disk with the tools over /usr. */
void mounts_add_usr(void);
/* Gives the mount table a root that pivot_root(2) accepts as the old one. */
void mounts_make_root_pivotable(void);
/* Mounts what was built on the host below /lab. False when a part could not be mounted. */
bool mounts_add_labs(void);
/* The same, after the host has changed the disk under a machine that was saved and restored. */
bool mounts_renew_labs(void);

#endif
