/* The cgroup tree of the VM. */
#ifndef UNBOXED_INIT_CGROUPS_H
#define UNBOXED_INIT_CGROUPS_H

/* Mounts the cgroup2 tree and enables every controller for the groups below its root. */
void cgroups_start(void);

#endif
