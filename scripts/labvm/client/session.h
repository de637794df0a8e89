/* One command in the guest: its streams, its signals, its window size and its status. */
#ifndef UNBOXED_CLIENT_SESSION_H
#define UNBOXED_CLIENT_SESSION_H

#include "terminal.h"

/* Runs a command in the guest that the port is connected to. Returns the command's status, or -1
 * when the connection broke. A stream that nobody reads any more is closed in ends. */
int session_run(struct ends *ends, char *argv[]);

#endif
