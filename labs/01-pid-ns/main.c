/*
 * Who is PID 1? A PID namespace numbers its processes from 1. A process that
 * calls unshare(CLONE_NEWPID) stays in its old namespace. Its next child is PID 1 in
 * the new one, and has an ordinary PID in the old one. pid_namespaces(7)
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>

#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"
#include "words.h"

static const struct lab lab = {
	.id = "01-pid-ns",
	.title = "Who is PID 1?",
	.goal = "A container's main process is PID 1 inside and has an ordinary PID outside. "
		"Both numbers are real, one in each PID namespace.",
	.manual = "pid_namespaces(7) unshare(2) fork(2) mount(2) proc(5)",
	.teaches = "unshare:CLONE_NEWPID unshare:CLONE_NEWNS fork mount:proc",
	.after = "03-uts-ns",
	.needs = {.namespaces = true, .proc_mount = true},
	.words = &words,
};

/* A process waits at a gate until another one opens it, so that the steps stay in order. */
static struct gate ready, a_go, b_go, there;
static int held[2]; /* a pipe: once only A's processes can write, poll() tells when all ended */

/* The story and hands_on() call this. unshare --mount-proc makes the same calls; see lab 02. */
static bool mount_own_proc(void)
{
	ino_t before = ns_inode(0, "mnt");
	SYS(unshare(CLONE_NEWNS));
	/* In the machine's own mount table the next two calls would change the machine. */
	if (!expect_differ("own mount table", before, ns_inode(0, "mnt")))
		return false;
	SYS(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	SYS(mount("proc", "/proc", "proc", 0, NULL));
	return true;
}

/* Forks a process that does nothing, and returns its PID when it runs. */
static pid_t start_process(void)
{
	pid_t child = FORK();
	if (child == 0) {
		gate_open(&there);
		child_idle();
	}
	gate_wait(&there);
	return child;
}

/* PID 1 of container A. It waits at a_go until main() has printed the next step. */
static _Noreturn void container_a(pid_t lab_pid)
{
	autofree char *outside = text("/proc/%d", lab_pid);

	expect_int("getpid() in the first child", 1, getpid());
	expect_int("getppid() in the first child", 0, getppid());
	gate_open(&ready);

	gate_wait(&a_go);
	/* The next number in A: 2, or more when you have opened a shell in there. */
	autofree char *last = file_try_read("/proc/sys/kernel/ns_last_pid");
	pid_t next = last ? atoi(last) + 1 : 2;
	autofree char *all = text("1 %d %d", next, next + 1);
	expect_int("A: its second process", next, start_process());
	expect_int("A: its third process", next + 1, start_process());
	gate_open(&ready);

	gate_wait(&a_go);
	expect_errno("the old /proc lists the lab, outside", 0, access(outside, F_OK));
	if (mount_own_proc()) {
		autofree char *listed = proc_pids();
		expect_str("a fresh /proc lists exactly", all, listed);
	}
	gate_open(&ready);
	child_idle();
}

static _Noreturn void container_b(void)
{
	expect_int("B: its first process", 1, getpid());
	expect_int("B: its second process", 2, start_process());
	expect_errno("B: kill(2, 0) hits its own 2", 0, kill(2, 0));
	expect_errno("B: kill(3, 0) finds nobody", ESRCH, kill(3, 0));
	gate_open(&ready);
	gate_wait(&b_go);
	_exit(0);
}

/* The control. In step 4 it starts container B: the lab has asked for a namespace already. */
static _Noreturn void plain_child(pid_t lab_pid)
{
	expect_int("control: getppid() in it", lab_pid, getppid());
	gate_open(&ready);

	gate_wait(&b_go);
	SYS(unshare(CLONE_NEWPID));
	pid_t first = FORK();
	if (first == 0)
		container_b();
	child_done(first);
	_exit(0);
}

static _Noreturn void hands_on(void)
{
	SYS(unshare(CLONE_NEWPID));
	pid_t first = FORK();
	if (first == 0 && mount_own_proc())
		lab_exec_command();
	lab_exit_as(first);
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	if (geteuid() != 0) {
		SYS(unshare(CLONE_NEWUSER)); /* lab 05 shows what this does */
		ns_map_root();
		lab_note("You are an ordinary user, so this runs in a user namespace (lab 05).");
	}
	if (lab_command)
		hands_on();
	gate_init(&ready), gate_init(&a_go), gate_init(&b_go), gate_init(&there);
	if (pipe2(held, O_CLOEXEC))
		die("pipe2");
	pid_t self = getpid();
	ino_t own_ns = ns_inode(0, "pid");

	lab_step("Control: fork a plain child.",
		"it shares our PID namespace, so getppid() returns our PID");
	pid_t plain = FORK();
	if (plain == 0)
		plain_child(self);
	undo_kill(plain);
	gate_wait(&ready);

	lab_predict("caller");
	lab_step("Ask for a new PID namespace.", "our own PID and our own namespace do not change");
	SYS(unshare(CLONE_NEWPID));
	expect_int("our PID after unshare", self, getpid());
	expect_int("our /proc/self/ns/pid", own_ns, ns_inode(0, "pid"));
	lab_answer("caller", getpid() == self ? "same" : "1");

	lab_step("Fork. The first child is container A.",
		"it is PID 1 inside and has an ordinary PID outside");
	pid_t a = FORK();
	if (a == 0)
		container_a(self);
	undo_kill(a);
	close(held[1]);
	gate_wait(&ready);
	autofree char *seen = proc_status(a, "NSpid");
	autofree char *both = text("%d 1", a);
	expect_str("NSpid: outside, inside", both, seen);
	expect_int("our ns/pid_for_children", ns_inode(0, "pid_for_children"), ns_inode(a, "pid"));
	expect_differ("its namespace beside ours", own_ns, ns_inode(a, "pid"));
	lab_look("grep NSpid /proc/%d/status", a);
	lab_look("ls -l /proc/%d/ns/pid /proc/%d/ns/pid", self, a);
	lab_wait(a);

	lab_step("Start a second container, B, and further processes in both.",
		"both have a PID 2, and only A has a PID 3");
	gate_open(&a_go);
	gate_wait(&ready);
	gate_open(&b_go);
	gate_wait(&ready);
	lab_look("lsns --type pid");
	lab_wait(a);
	gate_open(&b_go);
	child_done(plain);

	lab_predict("proc");
	lab_step("In A, read the old /proc, then mount a new one and read that.",
		"the old /proc lists the processes outside, the new one only A's");
	autofree char *us_in_a = text("/proc/%d/root/proc/%d", a, self); /* below A's /proc */
	lab_answer("proc", access(us_in_a, F_OK) ? "own" : "theirs");
	gate_open(&a_go);
	gate_wait(&ready);
	lab_look("nsenter --target=%d %s--pid --mount ps", a, ns_join);
	lab_wait(a);

	lab_predict("dies");
	lab_step("Kill PID 1 of A from outside.",
		"the kernel kills its children too, and no process can start in the namespace");
	SYS(kill(a, SIGKILL), a);
	/* child_wait() adds 128 to the signal, as a shell does. */
	expect_int("PID 1 ended with 128 + SIGKILL", 137, child_wait(a));
	struct pollfd readable = {.fd = held[0]}; /* POLLHUP: no writer is left */
	expect_int("its children are gone (pipe closed)", 1, poll(&readable, 1, 5000));
	lab_answer("dies", readable.revents & POLLHUP ? "die" : "adopted");
	pid_t late = fork(); /* it would start in A's namespace, as all our later children */
	if (late == 0)
		_exit(0);
	expect_errno("fork() without a PID 1", ENOMEM, late);

	lab_row("first child's PID", "ordinary", "1", "CLONE_NEWPID");
	lab_row("its getppid()", "the lab", "0: out of sight", "CLONE_NEWPID");
	lab_row("who is PID 2", "one process", "one in each namespace", "CLONE_NEWPID");
	lab_row("what ps lists", "all processes", "those inside", "mount of proc");
	lab_row("PID 1 is killed", "-", "all die; no fork()", "the kernel");
	return lab_end();
}
