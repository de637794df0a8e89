/*
 * Run at build time: prints capabilities.h, the names that libcap has for the capabilities, in the
 * order of their numbers. So the runtime needs no libcap, which asks the kernel six questions at
 * each start. capabilities(7), cap_to_name(3)
 */
/* link: libcap */
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>

int main(void)
{
	puts("static const char *const capability_names[] = {");
	for (cap_value_t cap = 0; cap < 64; cap++) {
		char *name = cap_to_name(cap);
		if (!name || strncmp(name, "cap_", 4)) /* it has no name for this number */
			break;
		printf("\t\"%s\",\n", name);
		cap_free(name);
	}
	puts("};");
	return fflush(stdout) != 0;
}
