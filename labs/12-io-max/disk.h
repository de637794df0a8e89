/*
 * disk.h: the scratch disk of this lab, and what its groups have moved. The lab overwrites
 * the disk. So it takes the one that the lab VM makes for it, or one that the user has
 * confirmed: --device PATH and --scratch.
 */
#pragma once

#include <stdbool.h>

#include "story/lab.h"

#define DISK "a whole disk, not in use"

enum { DISK_SIZE = 32 << 20 }; /* The labs write to its first bytes only. */

extern const char *disk_path; /* --device */
extern bool disk_scratch;     /* --scratch: everything on it may be lost */
extern char *disk_numbers;    /* "1:0", its name in io.max and io.stat */

/* Between lab_parse() and lab_begin(): a wrong --device ends the lab with a usage error. */
void disk_check_option(struct lab *lab);

/* After lab_begin(): finds the lab VM's disk where none was named, and its numbers. */
void disk_find(void);

/* What a path is: DISK, or why it is none. open(2) on O_EXCL */
const char *disk_kind(const char *path);

/* Keeps other runs of this lab from writing to the disk until the descriptor is closed; flock(2).
 */
int disk_lock(void);

/* A number of the disk's line in io.max or io.stat, such as "rbps"; 0 where there is none. */
long long io_max(const char *group, const char *key);
long long io_stat(const char *group, const char *key);
