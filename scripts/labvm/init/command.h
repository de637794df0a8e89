/* The command of a session: started, signaled, waited for. */
#ifndef UNBOXED_INIT_COMMAND_H
#define UNBOXED_INIT_COMMAND_H

#include "session.h"

/* Starts the command that s->request describes. False when the request is not one that a client
 * makes. A command that cannot be started is noted as s->failed_due. */
bool command_start(struct session *s);
/* Sends the signal to the terminal's foreground process group, or to the command's own group. */
void command_signal(const struct session *s, int sig);
/* Waits for every process that has ended, and notes the status of the commands among them. */
void command_reap(void);

#endif
