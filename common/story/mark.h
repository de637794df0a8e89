/*
 * mark.h: what says that a folder or a group is a run's, and that this run is over.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>
#include <time.h>

/* The lab that a runner has run. */
struct ended {
	pid_t pid; /* 0: none */
	struct timespec
		since; /* when it was started, CLOCK_REALTIME_COARSE, as in an inode's times */
};

/* What has just been made; words stand in the mark. Not every kernel has marks for groups. */
void mark_folder(const char *path);
void mark_group(const char *path, const char *words);

/* The lock of what a run has left, which is then ours; of anything else one of these. */
enum { NO_MARK = -1, ALIVE = -2 };
int mark_folder_left(int folder, const char *name);
int mark_group_left(const char *path, char *words, size_t size); /* with its words */

/* Removes what has no mark, if it is of the lab that was killed before that, and empty. */
void mark_missed(int parent, const char *name, const struct ended *run);
