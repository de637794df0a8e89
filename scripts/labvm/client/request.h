/* The request for a command in the guest (wire.h). */
#ifndef UNBOXED_CLIENT_REQUEST_H
#define UNBOXED_CLIENT_REQUEST_H

#include "terminal.h"

/* Queues the request for this command, with the variables of our environment that pass. argv ends
 * with NULL; empty, it asks for a login shell. */
void request_send(const struct ends *ends, char *argv[]);

#endif
