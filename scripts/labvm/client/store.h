/* The folder in which all saved states are, each in a folder of its own. */
#ifndef UNBOXED_CLIENT_STORE_H
#define UNBOXED_CLIENT_STORE_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes that all states together may take on the disk, and so one of them too. */
#define STORE_MAX 600000000LL

/* Chooses the folder, which need not exist yet. Call it before the watcher is started, because the
 * watcher removes an unfinished state too. */
void store_use(const char *folder);
/* Whether the folder is this user's alone. Otherwise it says so: nothing in it can be trusted. */
bool store_is_private(void);

/* Opens the file name in a state's folder, as open(2) does; -1 with errno when that fails. */
int store_open(const char *state, const char *name, int flags);
/* Reads the whole file and puts a NUL behind it. NULL when it cannot be read. Free it. */
char *store_read(const char *state, const char *name, size_t *size);
/* Writes a file that does not exist yet, and waits until it is on the disk. */
bool store_write(const char *state, const char *name, const char *data, size_t size);
/* Throws a state away, in one step for other clients. */
void store_discard(const char *state);

/* Begins a new state: makes the folder of all states, locks it, and makes an empty folder in it.
 * Returns that folder, or NULL when this is not possible, which it then explains. */
const char *store_begin(void);
/* Gives the new state its name, after removing states that are in the way of its size. errno says
 * why it returns false. */
bool store_publish(const char *state);
/* Ends what store_begin() began, and removes the folder when it was not published. */
void store_finish(void);

#endif
