/*
 * hierarchy.h: the end of a hierarchy of cgroup v1, which outlives its last mount as long as a
 * group is left in it. cgroups(7), /proc/cgroups
 */
#pragma once

#include <stdbool.h>

/* The number of the devices controller's hierarchy; 0 when it has none, as with cgroup v2. */
int hierarchy_number(void);

/* devices.list of a group in it, a comma after each rule, or "nothing". Allocated */
char *hierarchy_list(const char *group);

extern bool hierarchy_ours; /* it began with the mount of ours on /mnt, and has to end with it */

/* Removes the group, and ends the hierarchy when it is ours. For undo() */
void hierarchy_end(const char *group);
