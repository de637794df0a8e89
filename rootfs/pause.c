/*
 * pause: says a word and waits, as the Pod's process of that name does in Kubernetes. Without what
 * a C library keeps for itself, so that many of them tell what a container costs, and not what its
 * program does.
 */
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

_Noreturn void _start(void);

_Noreturn void _start(void)
{
	syscall(SYS_write, STDOUT_FILENO, "pause\n", 6);
	for (;;)
		syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
}
