/* Small files of the kernel's. */
#ifndef UNBOXED_INIT_FILE_H
#define UNBOXED_INIT_FILE_H

#include <stdbool.h>

/* Writes text to a file that exists, with one write(2). When that fails, it reports so and returns
 * false. */
bool file_write(const char *path, const char *text);

#endif
