/* The loop that serves all sessions. */
#ifndef UNBOXED_INIT_SERVE_H
#define UNBOXED_INIT_SERVE_H

/* Opens the ports and serves the clients that connect to them. It ends only with the VM. */
_Noreturn void serve(void);

#endif
