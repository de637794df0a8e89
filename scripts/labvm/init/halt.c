/* The end of the VM: a byte on QEMU's exit port, or power-off where there is no such port. */
#define _GNU_SOURCE
#include <sys/reboot.h>
#include <unistd.h>
#if defined(__x86_64__) || defined(__i386__)
#include <sys/io.h>
#endif

#include "../wire.h"
#include "halt.h"

_Noreturn void halt_machine(void)
{
#if defined(__x86_64__) || defined(__i386__)
	if (ioperm(WIRE_EXIT_PORT, 1, 1) == 0)
		outb(WIRE_EXIT_BYTE, WIRE_EXIT_PORT);
#endif
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}
