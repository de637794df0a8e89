/* Any text as an option's size or decimal number: refused, or not below zero. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "story/option.h"
#include "story/out.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[256];
	long long value;
	if (size >= sizeof text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (option_size(text, &value) && value < 0)
		abort();
	if (option_decimal(text, &value) && value < 0)
		abort();
	return 0;
}
