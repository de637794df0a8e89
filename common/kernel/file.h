/*
 * file.h: whole small files. Each function succeeds or stops the lab as broken.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "kernel/text.h"

/* The file as an allocated string, without a newline at its end. */
char *file_read(const char *path);

/* As file_read(), but NULL with errno set when it cannot be read. */
char *file_try_read(const char *path);

/*
 * One write(2) of all of value to a file that exists, as the kernel's files want it. The story
 * shows a write to a file in /proc or /sys.
 */
#define file_write(path, value) file_write_at(__FILE__, __LINE__, path, value)
void file_write_at(const char *file, int line, const char *path, const char *value);

/* As file_write(): 0, or -1 with errno set. */
int file_try_write(const char *path, const char *value);

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

/* One write(2) where the kernel allows it, resumed where it does not; false when fd is gone. */
bool file_write_all(int fd, const void *data, size_t size);
