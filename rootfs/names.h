/* The name of an error where the C library does not know it: of those that these programs meet. */
#ifndef ROOTFS_NAMES_H
#define ROOTFS_NAMES_H

#include <errno.h>
#include <string.h>

#ifndef __GLIBC__
static inline const char *strerrorname_np(int error)
{
	return error == ENOMEM ? "ENOMEM" : error == EAGAIN ? "EAGAIN" : strerror(error);
}
#endif

#endif
