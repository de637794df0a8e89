/* The watcher: a process that cleans up when the client is killed with SIGKILL. */
#ifndef UNBOXED_CLIENT_WATCHER_H
#define UNBOXED_CLIENT_WATCHER_H

/* Starts it. If the client is killed, the watcher does what the client was to do at its end
 * (end_also) up to this moment. */
void watcher_start(void);
/* In a child that runs our own code on: it leaves the terminal, ends when the client does, and the
 * watcher does not wait for it. */
void watcher_leave(void);

#endif
