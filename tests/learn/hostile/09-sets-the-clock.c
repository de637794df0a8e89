#include "hostile.h"

#include <sys/time.h>
#include <sys/timex.h>

int main(int argc, char **argv)
{
	struct timeval then = {0};
	struct timex change = {.modes = ADJ_FREQUENCY, .freq = 100};
	if (settimeofday(&then, NULL) == 0 || adjtimex(&change) >= 0)
		printf("the clock is set\n");
	return become_command(argc, argv);
}
