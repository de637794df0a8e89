#include "hostile.h"

int main(void)
{
	for (;;) {
		if (fork() == 0)
			for (char *block; (block = malloc(1 << 20));)
				memset(block, 1, 1 << 20);
		usleep(10000);
	}
}
