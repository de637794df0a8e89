/* What goes to the host: the command's output, and what else its client has to be told. */
#ifndef UNBOXED_INIT_OUTPUT_H
#define UNBOXED_INIT_OUTPUT_H

#include "session.h"

/* Sends what the client has to be told, in order, until the port is full. A status is sent only
 * when all output of the command has been. */
void output_send_due(struct session *s);
/* Reads once from a stream and sends what came. Call it only while no frame is kept (s->out_len).
 */
void output_read(struct session *s, int stream);

#endif
