/*
 * lab.h: the life of a lab, its narration and its checks.
 *
 * A lab is a linear main(): lab_begin(), then steps that predict, call the
 * kernel and hold what it did beside the prediction, then lab_end(). None of
 * these functions makes a system call that teaches. Where one cannot do its
 * work it stops the lab as broken (status 3), so none returns an error.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "kernel/undo.h"
#include "machine/probe.h"
#include "story/check.h"
#include "story/group.h"
#include "story/json.h"
#include "story/option.h"
#include "story/tmp.h"

/* ---- Metadata: one struct a program, printed by --about ---------------- */

/* A part of a lab with needs of its own; unmet, the part is one skipped check. */
struct lab_part {
	const char *name;   /* as in --can-run=NAME and the check "part NAME" */
	const char *title;  /* the act of its step */
	const char *expect; /* as lab_step() has it */
	struct probe_needs needs;
	bool boot_alone; /* wants a machine that was booted for it alone: lab_asked() */
	bool hazard;     /* on the host only when WHERE=host was typed */
};

/* A question of --predict; the right choice is the one whose value was observed. */
struct lab_choice {
	const char *value;         /* as lab_answer() reports the observation */
	const char *text;          /* as the student reads it */
	const char *misconception; /* what one who picks this wrongly believes */
};

struct lab_question {
	const char *name;
	const char *text;
	struct lab_choice choices[4]; /* ends at the first without a value */
};

/* The prose of a lab, kept beside its code in words.h. */
struct lab_words {
	const char *try_now[3];               /* commands that can be pasted where the lab ran */
	const char *docker;                   /* what Docker calls it */
	const char *kubernetes;               /* what Kubernetes calls it */
	const char *next;                     /* what to type next */
	const struct lab_question *questions; /* ends at the first without a name */
};

struct lab {
	const char *id; /* "01-pid-ns", "01-pid-ns/more" */
	const char *title;
	const char *goal;
	const char *manual;  /* manual pages: "pid_namespaces(7) unshare(2)" */
	const char *teaches; /* calls with their flags: "unshare:CLONE_NEWPID setns" */
	const char *after;   /* ids that it builds on: "01-pid-ns" */
	struct probe_needs needs;
	const struct lab_part *parts;      /* ends at the first without a name */
	const struct lab_option *options;  /* ends at the first without a name */
	const struct lab_option *operands; /* in their order, each may be missing; ends likewise */
	const struct lab_words *words;
	const char *quick;  /* the options of its shortest run: "--seconds=1" */
	bool story_only;    /* has no place in which a COMMAND could run */
	bool own_root;      /* COMMAND is looked up in a root of the lab's own */
	bool boot_alone;    /* wants a machine that was booted for it alone */
	bool place_host;    /* makes sense on the host only */
	bool hazard;        /* on the host only when WHERE=host was typed */
	bool exclusive_cpu; /* measures time: holds the machine-wide lock */
};

/* ---- Life --------------------------------------------------------------- */

/*
 * Reads the command line, answers --help, --version, --about and --can-run, and
 * prints the title. Wrong usage ends with 2 before anything is done; a machine
 * that cannot run it with 77.
 */
void lab_begin(const struct lab *lab, int argc, char *argv[]);

/*
 * The first half of lab_begin(), for a lab that has to know its options before
 * its needs, or has other work than a story: reads the command line, and
 * answers --help, --version and --about. Returns false when --can-run was asked,
 * which is lab_begin()'s to answer.
 */
bool lab_parse(const struct lab *lab, int argc, char *argv[]);

/*
 * Prints the table and the summary, runs the undo stack.
 * Returns the exit status: 0 all as predicted, 1 a check failed, 3 broken.
 */
int lab_end(void);

/*
 * lab_end() where the story cannot go on, because a check has failed. Where none has, the lab is
 * broken: what has ended has not said why, and checks that were not done are no pass.
 */
int lab_end_early(void);

/* The user's COMMAND, NULL-terminated, or NULL when the story was asked for. */
extern char **lab_command;

/*
 * Hands-on, in the isolated child: exec COMMAND, looked up on PATH and then in
 * the folder of eat, spin and forks. Ends with 126 or 127 when it cannot.
 */
_Noreturn void lab_exec_command(void);

/* The same for any command, with the PATH as it is. */
_Noreturn void lab_exec(char *command[]);

/*
 * Hands-on, in the lab: waits for COMMAND, runs the undo stack and ends with
 * COMMAND's status. The terminal's Ctrl-C is for COMMAND alone, as system(3)
 * has it; SIGTERM and SIGHUP to the lab end both.
 */
_Noreturn void lab_exit_as(pid_t command);

/*
 * Opens a step: what is done, and what should come of it, which the story prints as "Expect: ...".
 * expect may be NULL, where there is nothing to be predicted.
 */
void lab_step(const char *act, const char *expect);

/* A line of explanation inside a step. */
__attribute__((format(printf, 1, 2))) void lab_note(const char *fmt, ...);

/*
 * Opens the part called name of this lab's metadata. Returns false, after one
 * skipped check with reason and remedy, when its needs are not met here, or
 * when it is a hazard and this is neither the lab VM nor WHERE=host.
 */
bool lab_part(const char *name);

/*
 * A part with boot_alone changes its machine for good. It runs only when it was
 * asked for, by the option --NAME, and then alone: lab_part() skips it unless
 * the kernel was booted with the word lab.alone in the lab VM, which scripts/lab
 * does for that option.
 */
bool lab_asked(const char *name);

/*
 * What --step shows at the next wait: a command that works where the lab runs. A terminal gets
 * --step and --predict, unless CI is set: each step's act, then a line of input, then what comes of
 * it.
 */
__attribute__((format(printf, 1, 2))) void lab_look(const char *fmt, ...);

/*
 * The wait of this step, at the moment when there is something to look at (at
 * its end where a lab does not say). pid is a process in the place that the
 * lab has made, into which the key s opens a shell; 0 for none.
 */
void lab_wait(pid_t pid);

/* Puts the question called name below the act of the step that comes, with --predict. */
void lab_predict(const char *name);

/* Scores the answer to it by what the kernel did in this run. */
__attribute__((format(printf, 2, 3))) void lab_answer(const char *name, const char *fmt, ...);

/* ---- The end ---------------------------------------------------------------- */

/* A row of the closing table: what | without | with | who decided. */
void lab_row(const char *what, const char *without, const char *with, const char *who);

/* ---- Samples ------------------------------------------------------------ */

/*
 * One value of a series that grows towards limit; unit as in "bytes". On a
 * terminal the samples are drawn as they come; else one line a tenth.
 */
void lab_sample(const char *series, long long value, long long limit, const char *unit);

/*
 * A stretch of time, cut into cells: value[i], of at most limit, is how much of
 * cell i was used. The story draws them all at once, used (#) or not (.), with a
 * bar before the first one and, from first on, every so many units. What the rounding of a cell
 * leaves over goes to the next one, so the used cells add up to the values. In JSON lines each
 * value is a sample. Returns the number of used cells.
 */
int lab_cells(const char *series, const long long value[], int count, long long limit,
	const char *unit, long long every, long long first);

/* True when the samples are being watched on a terminal: worth a slower pace. */
bool lab_watched(void);

/*
 * Holds the one lock of this machine for measuring time, until the descriptor
 * that it returns is closed: flock(2) on a folder that every user can open.
 */
int lab_lock_cpu(void);

/*
 * Where it is false a lab that is broken before COMMAND does not ask what this machine lacks: in a
 * container it would ask another one.
 */
extern bool lab_asks_missing;
