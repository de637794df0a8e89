/* The network of the VM, which is the loopback device alone. */
#ifndef UNBOXED_INIT_NETWORK_H
#define UNBOXED_INIT_NETWORK_H

/* Brings the loopback device up. */
void network_start(void);

#endif
