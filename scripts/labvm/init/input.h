/* What comes from the host: frames, and in them the command's stdin. */
#ifndef UNBOXED_INIT_INPUT_H
#define UNBOXED_INIT_INPUT_H

#include "session.h"

/* Reads once from the port and obeys every frame that is whole. */
void input_read_port(struct session *s);
/* Writes what is queued to the command's stdin, as much as that takes. */
void input_write_stdin(struct session *s);

#endif
