/* A second command, in a VM that another client runs. */
#ifndef UNBOXED_CLIENT_ATTACH_H
#define UNBOXED_CLIENT_ATTACH_H

#include "terminal.h"

/* Runs the command in the VM of this user's that was started last. Returns the command's status. */
int attach(struct ends *ends, char *argv[]);

#endif
