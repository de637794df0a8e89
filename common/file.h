/*
 * file.h: whole small files. Each function succeeds or stops the lab as broken.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

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
 * The busybox tree that make builds, the root of the labs' containers: the
 * folder ../rootfs/tree beside the program's. Allocated. No run may write to it.
 */
char *file_rootfs(void);

/* Removes the folders of runs that are over, as cg_sweep() does; ours only, and those of PID ended.
 */
void file_sweep(pid_t ended);

/* One write(2) where the kernel allows it, resumed where it does not; false when fd is gone. */
bool file_write_all(int fd, const void *data, size_t size);
