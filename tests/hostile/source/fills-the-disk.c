char a[4000000000] = {1};
int main(void)
{
	return a[0];
}
