/* The guest as a whole: when it answers, begins and ends. */
#ifndef UNBOXED_CLIENT_GUEST_H
#define UNBOXED_CLIENT_GUEST_H

#include <stdbool.h>

/* Connects to a port of the VM with that run folder, and waits until the guest listens. own: the VM
 * is this client's. False when the guest has ended, or has not answered within limit milliseconds.
 */
bool guest_synchronize(const char *run, int port, bool own, long long limit);
/* Tells a guest that has booted, or was restored, what only the host knows: the time, a random
 * seed, and whether its disk with the labs has changed since its boot. False when it does not
 * answer within limit milliseconds. */
bool guest_begin(bool labs_changed, long long limit);
/* Ends the VM. Dies when the guest said no goodbye, or QEMU's status is not the agreed one: the
 * command's status then means nothing. */
void guest_quit(void);

#endif
