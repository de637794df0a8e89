#include "@ROOT@/labs/01-pid-ns/solution.c"
int main(void)
{
	return 0;
}
