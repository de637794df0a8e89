/* The processes of a session whose client has gone. */
#ifndef UNBOXED_INIT_HANGUP_H
#define UNBOXED_INIT_HANGUP_H

#include <stdbool.h>
#include <sys/types.h>

/* Sends SIGHUP, as a terminal that is closed does, to every process with this session id, and notes
 * that the rest is to be killed a second later. */
void hangup_session(pid_t sid);
/* Kills what has outlived that second. Returns whether there is somebody left to wait for. */
bool hangup_kill_overdue(void);

#endif
