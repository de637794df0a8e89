/* The run folders: one for each VM that runs, with its sockets and its logs. */
#ifndef UNBOXED_CLIENT_RUN_FOLDER_H
#define UNBOXED_CLIENT_RUN_FOLDER_H

#include <stdbool.h>

/* Short enough for a socket in it, whose whole path may have 107 bytes: unix(7). */
#define RUN_FOLDER_MAX 80

/* Makes this client's run folder, and removes those of clients that were killed. */
void run_folder_make(void);
/* The path of this client's run folder; "" when there is none. */
const char *run_folder_path(void);
/* Whether the client that made this run folder still runs. */
bool run_folder_is_alive(const char *run);
/* Whether that client was the program that this one is, so that the VM is of the same tree. */
bool run_folder_is_of_this_tree(const char *run);
/* Calls each(path, data) for every run folder of this user. */
void run_folder_each(void (*each)(const char *run, void *data), void *data);

#endif
