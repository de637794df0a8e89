/* How a machine comes to run: restored from a saved state, booted and saved, or booted. */
#ifndef UNBOXED_CLIENT_BOOT_H
#define UNBOXED_CLIENT_BOOT_H

#include "options.h"
#include "state.h"

/* Returns when the machine runs, answers and has begun (guest_begin). Dies when it does not. state
 * is the machine's state; it is used only when the plan has a folder for states. */
void boot_machine(const struct plan *plan, struct state *state);

#endif
