/* Checksums that find damage. They are no protection against malice, and need be none, because the
 * files are in a folder that only the user can write to. */
#ifndef UNBOXED_CLIENT_CHECKSUM_H
#define UNBOXED_CLIENT_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The checksum of data, going on from the checksum of what came before it. */
uint64_t checksum_of(const void *data, size_t size, uint64_t sum);
/* The checksum of a sparse file. Whether zeros are stored or are a hole makes no difference. Every
 * page that is not all zeros is also written to the file copy, unless copy is -1. False when a file
 * cannot be read or written. */
bool checksum_of_sparse(int fd, int copy, uint64_t *sum);

#endif
