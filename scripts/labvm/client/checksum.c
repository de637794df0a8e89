/* Checksums that find damage. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "checksum.h"

#define PAGE 4096

/* Each multiplication in a lane waits for the one before it, so four lanes are four times as fast.
 */
uint64_t checksum_of(const void *data, size_t size, uint64_t sum)
{
	static const uint64_t prime = 0x9e3779b97f4a7c15;
	uint64_t lane[4] = {sum, sum + 1, sum + 2, sum + 3}, word[4];
	const char *at = data;

	for (; size > 0; at += sizeof(word)) {
		size_t n = size < sizeof(word) ? size : sizeof(word);

		if (n < sizeof(word))
			memset(word, 0, sizeof(word));
		memcpy(word, at, n);
		size -= n;
		for (int i = 0; i < 4; i++) {
			lane[i] = (lane[i] ^ word[i]) * prime;
			lane[i] ^= lane[i] >> 29;
		}
	}
	for (int i = 0; i < 4; i++) {
		sum = (sum ^ lane[i]) * prime;
		sum ^= sum >> 32;
	}
	return sum;
}

static bool all_zero(const char *page)
{
	return page[0] == 0 && memcmp(page, page + 1, PAGE - 1) == 0;
}

bool checksum_of_sparse(int fd, int copy, uint64_t *sum)
{
	static char block[64 * PAGE];
	off_t at = 0, end;

	*sum = 0;
	while ((at = lseek(fd, at, SEEK_DATA)) >= 0) {
		end = lseek(fd, at, SEEK_HOLE);
		at -= at % PAGE;
		while (at < end) {
			ssize_t n = pread(fd, block, sizeof(block), at);

			if (n <= 0 || n % PAGE != 0)
				return false;
			for (ssize_t i = 0; i < n; i += PAGE) {
				if (all_zero(block + i))
					continue;
				*sum = checksum_of(block + i, PAGE, *sum + at + i);
				if (copy >= 0 && pwrite(copy, block + i, PAGE, at + i) != PAGE)
					return false;
			}
			at += n;
		}
	}
	return errno == ENXIO; /* lseek(2) has found no more data */
}
