#include "../neighbour.c"
int main(void)
{
	return 0;
}
