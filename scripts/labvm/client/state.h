/*
 * Saved states: a machine that has booted and has run nothing yet, as two files. One is the guest's
 * memory. Each restored machine maps that file privately, so that all of them share the pages that
 * none has written. The other file is what QEMU sends when it migrates.
 */
#ifndef UNBOXED_CLIENT_STATE_H
#define UNBOXED_CLIENT_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "qemu.h"

struct state {
	char *folder;      /* its own folder, which need not exist yet */
	char *shape;       /* what the machine depends on, in words */
	int memory;        /* a descriptor of the memory's file; -1: the memory is in data */
	char *data;        /* what QEMU sent */
	size_t size;       /* of data */
	uint64_t sums[2];  /* the checksums of the memory and of data */
	uint64_t labs;     /* a checksum of what stat(2) says about the disk with the labs */
	bool labs_changed; /* that disk is not the one that the state was saved with */
	const char *doubt; /* why the state could not be restored, or NULL */
};

/* Describes the state of this machine, in the folder of all states. same[] are files up to a NULL:
 * the state is only for a machine with these files, as stat(2) describes them. */
void state_of(
	struct state *state, const char *states, const struct machine *machine, char *const same[]);

/* Opens the state. False when there is none. One that is incomplete is thrown away. */
bool state_open(struct state *state);
/* Starts a process that compares the state's files with their checksums, and returns its PID. */
pid_t state_check(const struct state *state);
enum verdict { SOUND, DAMAGED, UNKNOWN };
/* Waits for that process. */
enum verdict state_verdict(pid_t check);
/* Closes the state and throws it away for this reason. */
void state_drop(struct state *state, const char *reason);

/* Saves the machine that runs now. memory: a descriptor of the file that is its memory; -1: QEMU
 * holds the memory. False when that was not possible. The machine may be stopped afterwards. */
bool state_save(struct state *state, int memory);

/* Notes that a state was saved and could not be restored: for a day this machine boots each time,
 * and no state of it is saved. */
void state_give_up(const struct state *state);
/* Whether that was noted less than a day ago. */
bool state_given_up(const struct state *state);

#endif
