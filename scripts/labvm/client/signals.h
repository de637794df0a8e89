/* The signals that the client gets. */
#ifndef UNBOXED_CLIENT_SIGNALS_H
#define UNBOXED_CLIENT_SIGNALS_H

/* From now on signals are read from a descriptor, one after another. */
void signals_take(void);
/* That descriptor, for poll(2). */
int signals_fd(void);
/* The number of a signal that has come, or 0 when there is none. */
int signals_next(void);
/* In a child: signals do again what they do in a program that has just started. */
void signals_restore(void);

#endif
