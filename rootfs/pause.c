/*
 * pause: says a word and waits until a signal ends it, as the Pod's process of that name does in
 * Kubernetes. It is PID 1 where the Pod shares its PIDs, so the kernel reaps for it what has lost
 * its parent. Without what a C library keeps for itself, so that many of them tell what a container
 * costs, and not what its program does: a call that failed would end it, as it has no errno.
 * wait(2), NOTES; rt_sigaction as the kernel has it: its structure is not the C library's
 */
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SA_RESTORER
#define SA_RESTORER 0x04000000
#endif

_Noreturn void _start(void);

struct action {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void); /* to return from a handler, and these do not */
	uint64_t mask;
};

static void end(int signal)
{
	(void)signal;
	syscall(SYS_exit_group, 0);
}

_Noreturn void _start(void)
{
	struct action reap = {.handler = SIG_IGN},
		      leave = {.handler = end, .flags = SA_RESTORER, .restorer = _start};
	syscall(SYS_rt_sigaction, SIGCHLD, &reap, NULL, sizeof reap.mask);
	syscall(SYS_rt_sigaction, SIGTERM, &leave, NULL, sizeof leave.mask);
	syscall(SYS_rt_sigaction, SIGINT, &leave, NULL, sizeof leave.mask);
	syscall(SYS_prctl, PR_SET_NAME, "pause");
	syscall(SYS_write, STDOUT_FILENO, "pause\n", 6);
	syscall(SYS_close, STDOUT_FILENO);
	for (;;)
		syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
}
