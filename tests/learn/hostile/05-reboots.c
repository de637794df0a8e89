#include "hostile.h"

int main(int argc, char **argv)
{
	reboot(RB_AUTOBOOT);
	reboot(RB_POWER_OFF);
	return become_command(argc, argv);
}
