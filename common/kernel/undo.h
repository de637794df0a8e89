/*
 * undo.h: what has to be taken back although the process may end at any moment.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * Pushes fn(arg), run last in first out at the end, when the lab is broken and
 * on SIGINT, SIGTERM and SIGHUP; never in a child of the process that pushed
 * it. fn runs inside a signal handler too: async-signal-safe calls only,
 * signal-safety(7). arg is copied.
 */
void undo(void (*fn)(const char *arg), const char *arg);
#define MARK ".unboxed"            /* a file that says whose a folder is: it goes last */
void undo_rmdir(const char *path); /* removes the folder and the plain files in it */
void undo_kill(pid_t pid);         /* SIGKILL, until child_wait() has seen its end; once */

/* ---- For the library ---- */

void undo_init(bool keys_are_ignored); /* the terminal's two, which are a COMMAND's */
void undo_run(void);
void undo_hold(sigset_t *before); /* no signal, from making a thing until undo() knows of it */
void undo_release(const sigset_t *before);
void undo_if_over(void);            /* ends with 130 when one of us has found that it is over */
void undo_signals_of_command(void); /* as the lab itself found them */
enum { TRIES = 3 };                 /* to remove something, as long as it is still there */
void undo_rmdir_now(const char *path);
bool undo_gone(const char *path);
void undo_expect_gone(const char *path); /* else says so, and the run is broken */
void undo_forget(pid_t pid);             /* it has ended: never kill that number again */
