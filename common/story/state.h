/*
 * state.h: what the files of this library share among themselves. No lab
 * includes it.
 */
#pragma once

#include <signal.h>

#include "story/lab.h"

enum verdict { PASS, FAIL, SKIP, BROKEN };
extern const char *const verdict_names[];

/* Lives in a page that children share, so that their checks count. */
struct shared {
	int count[4]; /* by verdict */
	int step;
	bool waited;        /* this step has had its wait */
	volatile bool held; /* and is in it: a person takes as long as it likes */
	int score, questions;
	const struct lab_question *question; /* that was asked and has no answer yet */
	int choice;                          /* what was picked, from 0 */
	int failed_length;
	char failed[512];   /* the checks that failed, as far as they fit */
	volatile bool over; /* somebody typed q, or nobody reads: one of us had SIGPIPE */
};

extern bool lab_in_vm; /* as it was in the beginning: a lab may mount on /etc */
extern struct shared *shared;
extern const struct lab *lab;

/* The command line. */
struct options {
	bool step, predict, jsonl, plain;
	enum { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER } color;
	const char *part; /* the one that was asked for; lab_asked() */
};
extern struct options options;

/* Parses, answers --help, --version and --about; sets can_run to NULL, "" or a part. */
void options_read(int argc, char *argv[], const char **can_run);
void about_print(void);

/* "0.5" in thousandths; false when it is no such number. */
bool decimal_parse(const char *text, long long *thousandths);

/* A size in bytes; false when it is not one. */
bool size_parse(const char *text, long long *bytes);

/* ---- out.c: one event, two formats ---- */

void out_init(void);
void out_where(void);
void out_lab(void);
void out_step(int number, const char *act, const char *expect);
void out_note(const char *line);
void out_ask(const char *line);
void out_prediction(const char *question, const char *predicted, const char *observed);
void out_call(const char *place, const char *call, long value, int error);
void out_check(const char *what, const char *expected, const char *observed, enum verdict verdict);
void out_sample(const char *series, long long value, long long limit, const char *unit);
int out_cells(const char *series, const long long value[], int count, long long limit,
	const char *unit, long long every, long long first);
void out_wait(pid_t pid, const char *commands);
void out_row(const char *const cell[4]);
void out_end(enum verdict verdict);
void out_error(const char *message);
void out_line(const char *line); /* story only */
bool out_drawing(void);

/* ---- sys.c ---- */

void sys_init(void);
_Noreturn void die_as_told(void); /* die() where one of us has said already why */

/* Prints to fd a line for each thing that is missing here; their number, or -1 as probe_needs(). */
int missing_print(const struct lab_needs *needs, int fd);

/* ---- undo.c ---- */

void undo_init(void);
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

/* ---- cg.c ---- */

/* Moves its processes up again, after switch_off has been written to the upper subtree_control. */
void cg_leave_leaf(const char *path, const char *switch_off);

/* ---- mark.c ---- */

#define MARK ".unboxed" /* a file in a folder of a run's */

/* What has just been made; words stand in the mark. Not every kernel has marks for groups. */
void mark_folder(const char *path);
void mark_group(const char *path, const char *words);

/* The lock of what a run has left, which is then ours; of anything else one of these. */
enum { NO_MARK = -1, ALIVE = -2 };
int mark_folder_left(int folder, const char *name);
int mark_group_left(const char *path, char *words, size_t size); /* with its words */

/* Removes what has no mark, if it is of the lab that was killed before that, and empty. */
struct ended;
void mark_missed(int parent, const char *name, const struct ended *run);

/* ---- proc.c ---- */

void proc_init(void);
int pidfd_of(pid_t pid); /* closed on exec; pidfd_open(2) */
