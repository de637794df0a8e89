/* The logs of a VM in its run folder: console.log, the guest's console, and qemu.log. */
#ifndef UNBOXED_CLIENT_LOGS_H
#define UNBOXED_CLIENT_LOGS_H

/* Bytes that each log may hold. A guest that prints for ever would otherwise fill the disk. */
#define LOGS_MAX (1 << 20)

/* The VM itself has failed: prints a line with the reason and the last lines of the logs, cleans up
 * and exits. */
__attribute__((format(printf, 1, 2))) _Noreturn void logs_die(const char *format, ...);

#endif
