/* What comes back from the guest. */
#ifndef UNBOXED_CLIENT_BRING_H
#define UNBOXED_CLIENT_BRING_H

#include <stdbool.h>

/* Copies path from the guest to the same place here, and says on stderr what stays behind. False
 * when it could not be copied. */
bool bring(const char *path);

#endif
