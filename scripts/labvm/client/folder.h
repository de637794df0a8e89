/* Folders that belong to this user alone. */
#ifndef UNBOXED_CLIENT_FOLDER_H
#define UNBOXED_CLIENT_FOLDER_H

#include <stdbool.h>

/* Whether path is a folder of this user's that nobody else may enter. */
bool folder_is_private(const char *path);
/* Removes a folder and the files in it. Folders in it stay, and then it stays too. */
void folder_remove(const char *path);

#endif
