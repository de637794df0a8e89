/* The command line of the client: see main.c for what it means. */
#ifndef UNBOXED_CLIENT_OPTIONS_H
#define UNBOXED_CLIENT_OPTIONS_H

#include <stdbool.h>

#include "qemu.h"

struct plan {
	const char *banner, *note, *states, *names;
	bool whole_states;
	long long limit; /* ms */
	struct machine machine;
	char **same, **command; /* each ends with NULL */
	/* The words before --qemu: --carry, --also and --bring are taken from them, in their order.
	 */
	char **words, **words_end;
};

/* Takes the words behind "run" apart, and opens the disks. */
void options_parse(struct plan *plan, char *argv[]);
/* Calls each(value, data) for each time that the option was given. False when one returned false.
 */
bool options_each(const struct plan *plan, const char *option,
	bool (*each)(const char *value, void *data), void *data);
/* Says that the client is not for hands, and exits. */
_Noreturn void options_usage(void);

#endif
