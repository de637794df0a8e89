#include "@FOLDER@/fifo"
int main(void)
{
	return 0;
}
