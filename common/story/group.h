/*
 * group.h: the cgroup that is this run's.
 */
#pragma once

#include "story/mark.h"

/*
 * The folder of the cgroup v2 group in which this lab may make groups, called
 * labNN-PID, with the controllers of its needs. Where it takes that, our own
 * processes go into a leaf group first, and back at the end; machine.h has the
 * rule. Lab 07 goes on by hand from here, the later ones with cg.h.
 */
const char *group_home(void);

/*
 * Makes the group NAME inside this run's own group labNN-PID, in which the
 * controllers of the lab's needs are enabled, and those of its parts' that are
 * to be had here; both are removed at the end,
 * with whatever runs in them. NULL: the run's own group, for processes of a run
 * that makes no other. Allocated. The story shows that the controllers are enabled.
 */
#define group_create(name) group_create_at(__FILE__, __LINE__, name)
char *group_create_at(const char *at, int line, const char *name);

/* Pushes its removal, with what is in it and below: cgroup.kill, rmdir(2); undo() */
void group_undo(const char *group);

/*
 * Removes the groups of runs that are over, in our group, as tmp_sweep() does the
 * folders; their mark is an extended attribute. Our group goes into the
 * environment, as LAB_GROUP, for group_home() of a hands-on run.
 */
void group_sweep(const struct ended *run);
