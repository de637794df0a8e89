/*
 * More of 01-pid-ns: which signals reach PID 1, who adopts orphans, and why a PID
 * namespace limits nothing. pid_namespaces(7)
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>

#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"
#include "words.h"

enum { BUSY = 200 }; /* no share could be measured, because others used the CPU */

static const struct lab lab = {
	.id = "01-pid-ns/more",
	.title = "What is special about PID 1",
	.goal = "PID 1 cannot be killed from inside. It adopts every orphan and must reap it. "
		"A PID namespace hides processes and limits nothing.",
	.manual = "pid_namespaces(7) kill(2) waitid(2) signal(7)",
	.teaches = "unshare:CLONE_NEWPID unshare:CLONE_NEWNS fork kill waitid:WNOWAIT mount:proc",
	.after = "01-pid-ns",
	.needs = {.namespaces = true, .proc_mount = true},
	.words = &more_words,
	.story_only = true,
};

static struct gate ready, go;

/* Done three times: returns the first child of a new PID namespace, which is PID 1 in it. */
static pid_t first_child(void)
{
	SYS(unshare(CLONE_NEWPID));
	return FORK();
}

static volatile sig_atomic_t received;

static void on_term(int number)
{
	received = number;
}

static _Noreturn void immune(pid_t lab_pid)
{
	struct sigaction handler = {.sa_handler = on_term}, none = {.sa_handler = SIG_DFL};
	/* Outside of a PID namespace the next calls could hit processes of the machine. */
	if (!expect_int("it is PID 1", 1, getpid()))
		_exit(1);
	expect_errno("kill(-1, 0): it is alone", ESRCH, kill(-1, 0));
	expect_errno("kill(the lab's PID, 0)", lab_pid > 1 ? ESRCH : 0, kill(lab_pid, 0));
	SYS(sigaction(SIGTERM, &none, NULL));
	pid_t child = FORK();
	if (child == 0) {
		SYS(kill(1, SIGTERM));
		SYS(kill(1, SIGKILL));
		_exit(0);
	}
	child_done(child);
	expect_int("SIGTERM and SIGKILL from inside: alive as", 1, getpid());
	SYS(sigaction(SIGTERM, &handler, NULL));
	SYS(kill(1, SIGTERM));
	expect_int("with a handler it gets SIGTERM", SIGTERM, received);
	gate_open(&ready);
	child_idle();
}

/* Done twice, outside and inside: makes a child of a child and lets the parent in between end. */
static void orphan(const char *what, pid_t parent, bool adopted_by_it)
{
	pid_t child = FORK();
	if (child == 0) {
		if (MUST(fork()) == 0) {
			gate_wait(&go);
			if (adopted_by_it)
				expect_int(what, parent, getppid());
			else
				expect_differ(what, parent, getppid());
			gate_open(&ready);
			_exit(0);
		}
		_exit(0);
	}
	child_done(child);
	gate_open(&go);
	gate_wait(&ready);
}

static _Noreturn void reaper(void)
{
	siginfo_t info;
	ino_t before = ns_inode(0, "mnt");
	SYS(unshare(CLONE_NEWNS));
	if (!expect_differ("own mount table", before, ns_inode(0, "mnt")))
		_exit(1);
	SYS(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	SYS(mount("proc", "/proc", "proc", 0, NULL));
	orphan("inside: its new parent", 1, true);

	/* WNOWAIT: wait until it has ended, but do not reap it yet. */
	SYS(waitid(P_PID, 3, &info, WEXITED | WNOWAIT));
	autofree char *state = proc_status(3, "State");
	expect_str("State of the ended orphan", "Z (zombie)", state);
	SYS(waitid(P_PID, 3, &info, WEXITED));
	expect_errno("after waitid(): kill(3, 0)", ESRCH, kill(3, 0));
	_exit(0);
}

/* Spins for a quarter of a second. The exit status is the percentage of one CPU that it got. */
static _Noreturn void spin(void)
{
	struct timespec start, now, used;
	long long ns, waited[2];
	for (int i = 0; i < 2; i++) {
		/* schedstat holds the time on a CPU, then the time of waiting for one; proc(5) */
		autofree char *schedstat = file_read("/proc/thread-self/schedstat");
		if (sscanf(schedstat, "%*s %lld", &waited[i]) != 1)
			die("/proc/thread-self/schedstat: %s", schedstat);
		if (i == 0)
			clock_gettime(CLOCK_MONOTONIC, &start);
		do {
			clock_gettime(CLOCK_MONOTONIC, &now);
			ns = (now.tv_sec - start.tv_sec) * 1000000000LL + now.tv_nsec -
			     start.tv_nsec;
		} while (i == 0 && ns < 250000000);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	if ((waited[1] - waited[0]) * 10 > ns)
		_exit(BUSY);
	_exit((int)((used.tv_sec * 1000000000LL + used.tv_nsec) * 100 / ns));
}

static int share(bool inside)
{
	for (int i = 0;; i++) {
		pid_t child = FORK();
		if (child == 0) {
			pid_t first = inside ? first_child() : 0;
			if (first == 0)
				spin();
			_exit(child_wait(first));
		}
		int percent = child_wait(child);
		if (percent != BUSY || i == 1)
			return percent;
	}
}

static void whole_cpu(void)
{
	autoclose int lock = lab_lock_cpu();
	int outside = share(false), inside = share(true);
	if (outside == BUSY || inside == BUSY) {
		check_skip("share of a CPU", "machine too busy", "run it again when it is idle");
		return;
	}
	expect_range("outside: percent of a CPU", 85, 115, outside);
	expect_range("inside, alone: percent of a CPU", 85, 115, inside);
	lab_row("CPU", "a whole one", "a whole one", "nothing: no limit");
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	if (geteuid() != 0) {
		SYS(unshare(CLONE_NEWUSER)); /* lab 05 shows what this does */
		ns_map_root();
		lab_note("You are an ordinary user, so this runs in a user namespace (lab 05).");
	}
	gate_init(&ready), gate_init(&go);
	pid_t self = getpid();

	lab_step("Control: send SIGTERM to an ordinary process without a handler.",
		"the signal ends the process");
	pid_t child = FORK();
	if (child == 0) {
		sigaction(SIGTERM, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
		raise(SIGTERM);
		_exit(0);
	}
	expect_int("control: 128 + SIGTERM", 143, child_wait(child));

	lab_step("Send the same signals to PID 1 from inside, then SIGKILL from outside.",
		"from inside they do nothing; from outside SIGKILL ends PID 1");
	pid_t runtime = FORK();
	if (runtime == 0) {
		pid_t first = first_child();
		if (first == 0)
			immune(self);
		undo_kill(first);
		gate_wait(&ready);
		expect_errno("outside: kill(its PID, 0) sees it", 0, kill(first, 0));
		lab_look("grep -E 'NSpid|SigCgt' /proc/%d/status", first);
		lab_wait(first);
		SYS(kill(first, SIGKILL), first);
		expect_int("SIGKILL from outside", 137, child_wait(first));
		_exit(0);
	}
	child_done(runtime);

	lab_step("Let a parent end before its child, outside and inside.",
		"inside, PID 1 adopts the orphan, a zombie until PID 1 reaps it");
	orphan("control: outside, not adopted by us", self, false);
	runtime = FORK();
	if (runtime == 0) {
		pid_t first = first_child();
		if (first == 0)
			reaper();
		_exit(child_done(first));
	}
	child_done(runtime);

	lab_row("SIGKILL from inside", "kills", "PID 1 lives", "the kernel");
	lab_row("SIGTERM, no handler", "kills: 143", "PID 1 lives", "the kernel");
	lab_row("an orphan's parent", "init or a subreaper", "PID 1", "CLONE_NEWPID");
	lab_row("kill() of a PID outside", "allowed", "ESRCH", "CLONE_NEWPID");

	lab_step("Measure the CPU time of a process outside, and of one alone in its namespace.",
		"both get a whole CPU: the namespace limits nothing");
	whole_cpu();
	return lab_end();
}
