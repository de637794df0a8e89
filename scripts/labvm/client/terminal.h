/* The caller's descriptors, and its terminal. */
#ifndef UNBOXED_CLIENT_TERMINAL_H
#define UNBOXED_CLIENT_TERMINAL_H

#include <stdbool.h>

/* The caller's end of a session: fd 0 to 2, and what each of them is. */
struct ends {
	int fd[3];
	char mode[4]; /* a letter for each: t, p or c, as in the request of wire.h */
	int tty;      /* where the output of the guest's terminal goes */
	/* Whether stdin and stdout are both a terminal, so that the guest's terminal does all
	 * the processing. Otherwise the terminal is shared, with a pager at the end of our pipe
	 * for example, and its modes are the other program's. */
	bool whole;
};

/* Finds out what fd 0 to 2 are. Call it before anything else is opened. */
void terminal_find_ends(struct ends *ends);
/* Makes the terminal raw while we are its foreground job; in the background it stays as it is. */
void terminal_update(const struct ends *ends);
/* Gives the terminal the modes back that it had, unless another program has set others since. */
void terminal_restore(void);
/* Whether stdin may be read now. From a shared terminal only whole lines are read. */
bool terminal_may_read(const struct ends *ends);

/* From now on each change of the modes is written to this pipe, for terminal_learn(). */
void terminal_report_to(int pipe);
/* Reads one such change, so that terminal_restore() works in this process too. False at the pipe's
 * end. */
bool terminal_learn(int pipe);

#endif
