/* The moment at which a VM becomes the one that a command runs in (WIRE_BEGIN in wire.h). */
#ifndef UNBOXED_INIT_BEGIN_H
#define UNBOXED_INIT_BEGIN_H

#include <stdbool.h>

#include "../wire.h"

/* Takes over what only the host knows: the time, a random seed, and whether the disk with the labs
 * has changed since the boot. */
void begin_with(const struct wire_begin *facts);
/* Whether begin_with() was called. Until then the machine may still be saved and restored. */
bool begin_was_called(void);
/* Whether that could not be done: then the machine is of no use. */
bool begin_failed(void);
/* Notes for the host something that this machine was asked for and cannot have. */
__attribute__((format(printf, 1, 2))) void begin_lacks(const char *format, ...);
/* What is missing, in words; "" when nothing is. */
const char *begin_missing(void);

#endif
