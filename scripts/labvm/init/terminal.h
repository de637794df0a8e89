/* A pseudo-terminal for a command. */
#ifndef UNBOXED_INIT_TERMINAL_H
#define UNBOXED_INIT_TERMINAL_H

#include <stdbool.h>
#include <sys/ioctl.h>

/* Opens a pair. Returns the master and stores the slave, or returns -1. whole: this terminal does
 * all the processing; otherwise the host's does, and this one must not echo a second time. */
int terminal_open(int *slave, const struct winsize *size, bool whole);

#endif
