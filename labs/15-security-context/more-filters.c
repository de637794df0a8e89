/*
 * More of 15-security-context: what a seccomp filter can do besides refusing a call, why a second
 * filter takes nothing back, and who may install one. seccomp(2), prctl(2)
 */
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"
#include "words.h"

enum { USER = 1000 };

static const struct lab lab = {
	.id = "15-security-context/more-filters",
	.title = "Filters kill, add up, and stay",
	.goal = "A filter can also kill the caller. Every filter of a process runs at each call, the "
		"strictest answer wins, and no process can remove one.",
	.manual = "seccomp(2) prctl(2)",
	.teaches = "seccomp:SECCOMP_SET_MODE_FILTER prctl:PR_SET_NO_NEW_PRIVS",
	.after = "15-security-context",
	.needs = {.root = true},
	.words = &more_filters_words,
	.story_only = true,
};

static struct gate done;

static int seccomp(unsigned int operation, unsigned int flags, void *args)
{
	return (int)syscall(SYS_seccomp, operation, flags, args);
}

/* Installs a filter that has one answer for this call and allows all others. To keep it short it
 * does not look at the architecture, as a filter that protects something has to: filter.c. */
static int filter_call(unsigned int number, unsigned int answer)
{
	struct sock_filter instructions[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, answer),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {sizeof instructions / sizeof *instructions, instructions};
	return seccomp(SECCOMP_SET_MODE_FILTER, 0, &filter);
}

static void look_at(pid_t child)
{
	lab_look("grep -E 'Uid|NoNew|Seccomp' /proc/%d/status", child);
	lab_wait(child);
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	gate_init(&done);
	autofree char *privs = proc_status(0, "NoNewPrivs");
	bool sandbox = strcmp(privs, "0");

	lab_step("A child installs a filter that kills who calls personality(), and calls it.",
		"signal SIGSYS ends the child: status 128 + 31");
	pid_t child = FORK();
	if (child == 0) {
		expect_errno("before: personality(), which only asks", 0, personality(0xffffffff));
		prctl(PR_SET_DUMPABLE, 0); /* SIGSYS would leave a core file */
		SYS(filter_call(SYS_personality, SECCOMP_RET_KILL_PROCESS));
		personality(0xffffffff);
		_exit(0);
	}
	expect_int("seccomp: status of the caller", 159, child_wait(child));

	lab_step(
		"Another child refuses itself unshare(), and then installs a filter that allows it.",
		"both filters run, and the refusal wins");
	child = FORK();
	if (child == 0) {
		SYS(filter_call(SYS_unshare, SECCOMP_RET_ERRNO | EPERM));
		expect_errno("one filter: unshare(0)", EPERM, unshare(0));
		SYS(filter_call(SYS_unshare, SECCOMP_RET_ALLOW));
		expect_errno("and one that allows it: unshare(0)", EPERM, unshare(0));
		gate_open(&done);
		child_idle();
	}
	undo_kill(child);
	gate_wait(&done);
	look_at(child);

	lab_step("An ordinary user installs a filter, without and then with no_new_privs.",
		"EACCES first: a filter could mislead a set-uid program");
	child = FORK();
	if (child == 0) {
		SYS(setresuid(USER, USER, USER));
		if (sandbox)
			check_skip("a user's filter", "no_new_privs is already set",
				"leave the sandbox");
		else
			expect_errno("a user's filter", EACCES,
				filter_call(SYS_unshare, SECCOMP_RET_ERRNO | EPERM));
		SYS(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
		expect_errno("a user's filter, with no_new_privs", 0,
			filter_call(SYS_unshare, SECCOMP_RET_ERRNO | EPERM));
		expect_errno(
			"no_new_privs off again", EINVAL, prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
		gate_open(&done);
		child_idle();
	}
	undo_kill(child);
	gate_wait(&done);
	look_at(child);

	lab_row("a call that is filtered", "works", "EPERM, or SIGSYS", "the filter");
	lab_row("a second filter", "-", "takes nothing back", "seccomp()");
	lab_row("a user's filter", "EACCES", "is installed", "PR_SET_NO_NEW_PRIVS");
	return lab_end();
}
