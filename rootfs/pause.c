/*
 * pause: says a word and waits until a signal ends it, as the Pod's process of that name does in
 * Kubernetes. It is PID 1 where the Pod shares its PIDs, so the kernel reaps for it what has lost
 * its parent (wait(2), NOTES). There is nothing of a C library in it, so that many of them tell
 * what a container costs, and not what its program does. syscall(2) has the table of registers.
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

/* Returns what the kernel does: -errno where it has failed. */
static long call(long number, long a, long b, long c, long d)
{
#if defined __x86_64__
	register long fourth __asm__("r10") = d;
	__asm__ volatile("syscall"
			 : "+a"(number)
			 : "D"(a), "S"(b), "d"(c), "r"(fourth)
			 : "rcx", "r11", "memory");
	return number;
#elif defined __i386__
	__asm__ volatile("int $0x80" : "+a"(number) : "b"(a), "c"(b), "d"(c), "S"(d) : "memory");
	return number;
#elif defined __aarch64__
	register long which __asm__("x8") = number, first __asm__("x0") = a,
			    second __asm__("x1") = b, third __asm__("x2") = c,
			    fourth __asm__("x3") = d;
	__asm__ volatile("svc 0"
			 : "+r"(first)
			 : "r"(which), "r"(second), "r"(third), "r"(fourth)
			 : "memory");
	return first;
#endif
}

static void end(int signal)
{
	(void)signal;
	call(SYS_exit_group, 0, 0, 0, 0);
}

/* As the kernel has it, which is not as the C library has it: rt_sigaction(2). */
struct action {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void); /* to return from a handler, and end() does not */
	uint64_t mask;
};

static const struct action ignored = {SIG_IGN, SA_RESTORER, _start, 0};
static const struct action ended = {end, SA_RESTORER, _start, 0};

static void act(int signal, const struct action *action)
{
	call(SYS_rt_sigaction, signal, (long)action, 0, sizeof action->mask);
}

_Noreturn void _start(void)
{
	act(SIGCHLD, &ignored);
	act(SIGTERM, &ended);
	act(SIGINT, &ended);
	call(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0); /* nobody looks into it: ptrace(2) */
	call(SYS_write, STDOUT_FILENO, (long)"pause\n", 6, 0);
	call(SYS_close, STDOUT_FILENO, 0, 0, 0);
	for (;;)
		call(SYS_ppoll, 0, 0, 0, 0);
}
