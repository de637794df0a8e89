#include "hostile.h"

int main(void)
{
	signal(SIGXFSZ, SIG_IGN);
	for (;;)
		fputs(lines, stdout);
}
