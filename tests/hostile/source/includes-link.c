#include "@FOLDER@/link"
int main(void)
{
	return 0;
}
