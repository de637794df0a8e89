/*
 * file.h: whole small files. Each function succeeds or stops the lab as broken.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>

/* An allocated string as printf(3) makes it. */
__attribute__((format(printf, 1, 2))) char *text(const char *fmt, ...);

/* The string in quotes, as JSON has it; RFC 8259 */
void text_json(FILE *to, const char *string);

/* The file as an allocated string, without a newline at its end. */
char *file_read(const char *path);

/* As file_read(), but NULL with errno set when it cannot be read. */
char *file_try_read(const char *path);

/* One write(2) of all of value to a file that exists, as the kernel's files want it. */
void file_write(const char *path, const char *value);

/* As file_write(): 0, or -1 with errno set. */
int file_try_write(const char *path, const char *value);

/*
 * A new folder /tmp/labNN-PID-XXXXXX of this run, mode 0700, removed at its end.
 * The same one at every call. In it is a file .unboxed, the mark of a run; mkdtemp(3)
 */
const char *file_tmpdir(void);

/*
 * Where this program lies, from / on and without links. Allocated. A program that has executed
 * itself from a mount that no path leads to has named its file in the environment before.
 */
#define FILE_PROGRAM "LAB_PROGRAM"
char *file_program(void);

/*
 * The busybox tree that make builds, the root of the labs' containers: the
 * folder ../rootfs/tree beside the program's. Allocated. No run may write to it.
 */
char *file_rootfs(void);

/* The lab that a runner has run. */
struct ended {
	pid_t pid; /* 0: none */
	struct timespec
		since; /* when it was started, CLOCK_REALTIME_COARSE, as in an inode's times */
};

/*
 * Removes the folders of runs that are over: those in /tmp that are ours, or that lab's, have a
 * run's mark, and whose lock nobody holds. Never fails. That lab may have been killed before it
 * could mark what it had just made: what has its PID, is empty and is no older than it.
 */
void file_sweep(const struct ended *run);

/* One write(2) where the kernel allows it, resumed where it does not; false when fd is gone. */
bool file_write_all(int fd, const void *data, size_t size);
