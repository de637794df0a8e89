/*
 * tmp.h: the folder of a run in /tmp.
 */
#pragma once

#include "story/mark.h"

/*
 * A new folder /tmp/labNN-PID-XXXXXX of this run, mode 0700, removed at its end.
 * The same one at every call. In it is a file .unboxed, the mark of a run; mkdtemp(3)
 */
const char *tmp_folder(void);

/*
 * Removes the folders of runs that are over: those in /tmp that are ours, or that lab's, have a
 * run's mark, and whose lock nobody holds. Never fails. That lab may have been killed before it
 * could mark what it had just made: what has its PID, is empty and is no older than it.
 */
void tmp_sweep(const struct ended *run);
