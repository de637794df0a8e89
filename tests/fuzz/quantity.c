/* Any text as a quantity: what is read is within its bounds, and rounded up. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>

#include "../../labs/17-pod/quantity.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[256];
	quantity q;
	if (size >= sizeof text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (quantity_read(text, &q) != QUANTITY_OK)
		return 0;
	quantity largest = {.whole = LLONG_MAX}, least = {.whole = -LLONG_MAX};
	if (quantity_compare(q, largest) > 0 || quantity_compare(q, least) < 0 ||
		quantity_compare((quantity){.whole = quantity_value(q)}, q) < 0)
		abort();
	return 0;
}
