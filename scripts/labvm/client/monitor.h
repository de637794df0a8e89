/* QEMU's monitor (QMP), through which it saves and restores the machine. */
#ifndef UNBOXED_CLIENT_MONITOR_H
#define UNBOXED_CLIENT_MONITOR_H

#include <stdbool.h>
#include <stddef.h>

/* Each function returns false, or NULL, when QEMU has not done it within limit milliseconds. */

/* Begins to talk to the monitor of the QEMU that was started last. */
bool monitor_open(long long limit);
/* Stops the machine and returns its state as QEMU sends it, in memory to be freed. *shared says
 * that the guest's memory is a file and not to be sent; it becomes false when this QEMU cannot
 * leave it out. */
char *monitor_save(size_t *size, bool *shared, long long limit);
/* Lets the machine go on after monitor_save(). */
bool monitor_continue(long long limit);
/* Opens the monitor, gives QEMU a state that was saved, and waits until the machine runs. */
bool monitor_restore(const char *data, size_t size, bool shared, long long limit);

#endif
