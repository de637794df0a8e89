/*
 * proc.c: children, gates and /proc.
 */
#define _GNU_SOURCE
#include <sched.h>

#include "kernel/proc.h"
#include "kernel/sys.h"
#include "run.h"
#include "story/option.h"
#include "story/out.h"

static const struct lab lab_here = {.id = "01-test", .title = "t", .goal = "g"};

static void start(void)
{
	begin(&lab_here, "--format=jsonl", NULL);
	dprintf(1, "\n");
}

/*
 * Between the poll and the read of a waiter another one may have been quicker:
 * with steal_from set the next poll says on thief that it begins, and takes
 * away what it finds.
 */
static int steal_from = -1, thief[2];

static int hurry = 1; /* so many times as fast is the time of a poll over */

int poll(struct pollfd *fds, nfds_t count, int ms)
{
	if (ms > 0)
		ms /= hurry;
	struct timespec limit = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
	uint64_t one;
	if (steal_from < 0)
		return (int)syscall(SYS_ppoll, fds, count, ms < 0 ? NULL : &limit, NULL, 0);
	struct pollfd gate = {.fd = steal_from, .events = POLLIN};
	steal_from = -1;
	if (write(thief[1], "p", 1) != 1 || syscall(SYS_ppoll, &gate, 1, NULL, NULL, 0) != 1 ||
		read(gate.fd, &one, sizeof one) != sizeof one)
		_exit(99);
	fds[0].revents = POLLIN;
	return 1;
}

/* ---- child_wait(), child_ended() ---- */

static void waits(void)
{
	static const int statuses[] = {0, 1, 7, 255}, signals[] = {SIGKILL, SIGTERM, SIGABRT};
	start();
	for (int i = 0; i < 4; i++) {
		pid_t child = fork();
		if (child == 0)
			_exit(statuses[i]);
		dprintf(1, "%d ", child_wait(child));
	}
	for (int i = 0; i < 3; i++) {
		pid_t child = fork();
		if (child == 0) {
			signal(signals[i], SIG_DFL);
			raise(signals[i]);
			_exit(0);
		}
		dprintf(1, "%d ", child_wait(child));
	}
}

static void a_childs_status_or_signal(void **state)
{
	(void)state;
	assert_has(run(waits), out, "\n0 1 7 255 137 143 134 ");
}

/* Its one check is made, and then it is killed: what would have come is missed. */
static void done_or_killed(void)
{
	start();
	pid_t child = fork();
	if (child == 0)
		_exit(7);
	dprintf(1, "%d ", child_done(child));
	child = fork();
	if (child == 0) {
		expect_int("made", 1, 1);
		raise(SIGKILL);
	}
	child_done(child);
	dprintf(1, "not here");
}

static void a_child_that_was_killed_has_not_done_its_part(void **state)
{
	(void)state;
	struct run *r = run(done_or_killed);
	assert_status(r, 3);
	assert_has(r, out, "\n7 ");
	assert_has(r, err, "was to end by itself, and was killed by signal 9\n");
	assert_lacks(r, out, "not here");
}

static void wait_for_nobody(void)
{
	start();
	child_wait(getppid());
}

/* A person who looks for longer than a child may take, which is half a second here. */
static void slow_person(void)
{
	int keys[2];
	hurry = 50;
	begin(&lab_here, "--step", NULL);
	lab_step("one", NULL);
	if (pipe(keys))
		_exit(99);
	pid_t person = fork();
	if (person == 0) {
		usleep(1500 * 1000);
		_exit(write(keys[1], "\n", 1) != 1);
	}
	pid_t child = fork();
	if (child == 0) {
		dup2(keys[0], STDIN_FILENO);
		lab_wait(getpid());
		_exit(0);
	}
	dprintf(1, "status %d", child_wait(child));
	dprintf(1, " and %d", child_wait(person));
}

static void a_wait_of_step_in_a_child_may_be_long(void **state)
{
	(void)state;
	assert_has(run(slow_person), out, "status 0 and 0");
}

static void who_is_no_child_cannot_be_waited_for(void **state)
{
	(void)state;
	struct run *r = run(wait_for_nobody);
	assert_status(r, 3);
	assert_has(r, err, "broken: waitid(");
	assert_has(r, err, "ECHILD");
}

/* With a child beside it, for which waitpid(-1) would wait. */
static void wait_for_a_fork_that_failed(void)
{
	start();
	pid_t other = fork();
	if (other == 0)
		child_idle();
	undo_kill(other);
	errno = EAGAIN;
	child_wait(-1);
}

static void a_fork_that_failed_is_not_waited_for(void **state)
{
	(void)state;
	struct run *r = run(wait_for_a_fork_that_failed);
	assert_status(r, 3);
	assert_has(r, err, "broken: no child to wait for: EAGAIN");
}

static void ended(void)
{
	start();
	pid_t child = fork();
	if (child == 0)
		child_idle();
	dprintf(1, "%d", child_ended(child, 0));
	dprintf(1, "%d", child_ended(child, 20));
	kill(child, SIGKILL);
	dprintf(1, "%d", child_ended(child, 10000));
	dprintf(1, "%d", child_ended(child, 0)); /* not reaped */
	dprintf(1, " %d", child_wait(child));
}

static void the_end_of_a_child_is_seen_and_not_taken(void **state)
{
	(void)state;
	assert_has(run(ended), out, "\n0011 137");
}

static void pidfd_of_nobody(void)
{
	start();
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	child_wait(child);
	proc_pidfd(child);
}

static void no_pidfd_of_who_is_gone(void **state)
{
	(void)state;
	struct run *r = run(pidfd_of_nobody);
	assert_status(r, 3);
	assert_has(r, err, "broken: pidfd_open(");
	assert_has(r, err, "ESRCH");
}

static void child_before_the_beginning(void)
{
	child_born();
	dprintf(1, "stdin %d", fcntl(STDIN_FILENO, F_GETFD) >= 0);
}

static void stdin_stays(void **state)
{
	(void)state;
	assert_out(run(child_before_the_beginning), "stdin 1");
}

/* ---- Gates ---- */

static void both_ways(void)
{
	struct gate there, back;
	start();
	gate_init(&there);
	gate_init(&back);
	pid_t child = fork();
	if (child == 0) {
		for (int i = 0; i < 50; i++) {
			gate_wait(&there);
			dprintf(1, "b");
			gate_open(&back);
		}
		_exit(7);
	}
	for (int i = 0; i < 50; i++) {
		dprintf(1, "a");
		gate_open(&there);
		gate_wait(&back);
	}
	dprintf(1, " %d", child_wait(child));
}

static void gates_hold_both_ways(void **state)
{
	(void)state;
	char expected[128] = "\n";
	for (int i = 0; i < 50; i++)
		strcat(expected, "ab");
	strcat(expected, " 7");
	struct run *r = run(both_ways);
	assert_status(r, 0);
	assert_has(r, out, expected);
}

static void opened_before(void)
{
	struct gate gate;
	start();
	gate_init(&gate);
	for (int i = 0; i < 3; i++)
		gate_open(&gate);
	for (int i = 0; i < 3; i++)
		gate_wait(&gate);
	/* Three for three: nothing is left. */
	struct pollfd more = {.fd = gate.fd, .events = POLLIN};
	dprintf(1, "left %d", poll(&more, 1, 0));
}

static void each_opening_counts_once(void **state)
{
	(void)state;
	struct run *r = run(opened_before);
	assert_status(r, 0);
	assert_has(r, out, "left 0");
}

enum { WAITERS = 8 };

static void crowd(void)
{
	struct gate gate;
	int passed[2];
	char who;
	start();
	gate_init(&gate);
	if (pipe(passed))
		_exit(99);
	for (int i = 0; i < WAITERS; i++) {
		if (fork() == 0) {
			gate_wait(&gate);
			if (write(passed[1], "x", 1) != 1)
				_exit(99);
			_exit(0);
		}
	}
	for (int i = 0; i < WAITERS; i++) {
		gate_open(&gate);
		if (read(passed[0], &who, 1) != 1) /* one for each opening ... */
			_exit(98);
		while (wait(NULL) < 0)
			;
		struct pollfd more = {.fd = passed[0], .events = POLLIN};
		if (poll(&more, 1, 0)) /* ... and no more */
			_exit(97);
	}
	_exit(42);
}

static void one_of_many_passes_at_each_opening(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++)
		assert_status(run(crowd), 42);
}

/* ---- Nobody waits for ever ---- */

static int way;

static void lab_is_killed(void)
{
	struct gate gate, there;
	start();
	gate_init(&gate);
	gate_init(&there);
	for (int i = 0; i < 4; i++) {
		pid_t child = fork();
		if (child == 0) {
			if (way == 1 && fork() > 0)
				_exit(0); /* a grandchild waits, and nobody waits for it */
			gate_open(&there);
			if (way == 2)
				child_idle();
			gate_wait(&gate);
			_exit(0);
		}
	}
	for (int i = 0; i < 4; i++)
		gate_wait(&there);
	raise(SIGKILL);
}

static void waiters_end_with_the_lab(void **state)
{
	(void)state;
	for (way = 0; way < 3; way++)
		assert_status(run(lab_is_killed), 137); /* and nobody holds its stdout after it */
}

static void too_slow(void)
{
	struct gate gate;
	char byte;
	start();
	gate_init(&gate);
	if (pipe(thief))
		_exit(99);
	pid_t child = fork();
	if (child == 0) {
		steal_from = gate.fd;
		gate_wait(&gate);
		dprintf(1, "passed");
		_exit(42);
	}
	if (read(thief[0], &byte, 1) != 1)
		_exit(98);
	gate_open(&gate);
	struct pollfd stolen = {.fd = gate.fd, .events = POLLIN};
	while (poll(&stolen, 1, 0) > 0)
		sched_yield();
	if (way == 1)
		raise(SIGKILL);
	gate_open(&gate);
	_exit(child_wait(child));
}

static void who_comes_second_waits_on(void **state)
{
	(void)state;
	way = 0; /* for the next opening */
	struct run *r = run_with(too_slow, (struct how){.seconds = 5});
	assert_status(r, 42);
	assert_has(r, out, "passed");
	way = 1; /* or for the end of the lab */
	r = run_with(too_slow, (struct how){.seconds = 5});
	assert_status(r, 137);
	assert_lacks(r, out, "passed");
}

static void lab_is_broken(void)
{
	struct gate gate;
	start();
	gate_init(&gate);
	pid_t waiter = fork();
	if (waiter == 0) {
		gate_wait(&gate);
		_exit(0);
	}
	pid_t breaker = fork();
	if (breaker == 0) {
		errno = 0;
		die("on purpose");
	}
	dprintf(1, "breaker %d ", child_wait(breaker));
	dprintf(1, "waiter %d ", child_wait(waiter));
	gate_wait(&gate); /* nor does the lab itself */
}

static void a_broken_lab_ends_its_waiters(void **state)
{
	(void)state;
	struct run *r = run(lab_is_broken);
	assert_status(r, 3);
	assert_has(r, out, "breaker 3 waiter 3 ");
	assert_int_equal(times(r->err, "broken:"), 1); /* and that is the cause */
}

static void nobody_reads(void)
{
	struct gate gate;
	start();
	gate_init(&gate);
	pid_t writer = fork();
	if (writer == 0) {
		raise(SIGPIPE);
		_exit(0);
	}
	dprintf(1, "writer %d ", child_wait_command(writer));
	gate_wait(&gate); /* which only that child would have opened */
}

static void waits_for_who_cannot_write(void)
{
	start();
	pid_t writer = fork();
	if (writer == 0)
		raise(SIGPIPE);
	child_wait(writer);
}

static void a_lab_that_nobody_reads_ends(void **state)
{
	(void)state;
	struct run *r = run(nobody_reads);
	assert_status(r, 130);
	assert_has(r, out, "writer 130 ");
	assert_lacks(r, err, "broken:");
	r = run(waits_for_who_cannot_write);
	assert_status(r, 130);
	assert_string_equal(r->err, "");
}

/* ---- What a child has opened is its own ---- */

static void grandchild(void)
{
	start();
	pid_t child = fork();
	if (child == 0) {
		int ends[2];
		if (pipe(ends)) /* the lowest numbers that are free */
			_exit(99);
		pid_t below = fork();
		if (below == 0)
			_exit(write(ends[1], "x", 1) == 1 && fcntl(ends[0], F_GETFD) == 0 ? 42
											  : 43);
		_exit(child_wait(below));
	}
	_exit(child_wait(child));
}

static void a_grandchild_has_its_parents_files(void **state)
{
	(void)state;
	assert_status(run(grandchild), 42);
}

/* ---- /proc ---- */

static void statuses(void)
{
	start();
	char *by_zero = proc_status(0, "Pid"), *by_pid = proc_status(getpid(), "Pid");
	char *parent = proc_status(getpid(), "PPid"), *uids = proc_status(0, "Uid");
	char *name = proc_status(0, "Name");
	dprintf(1, "%d%d%d ", atoi(by_zero) == getpid(), atoi(by_pid) == getpid(),
		atoi(parent) == getppid());
	char expected[64];
	snprintf(expected, sizeof expected, "%d %d %d %d", getuid(), geteuid(), geteuid(),
		geteuid());
	dprintf(1, "%d %s", !strcmp(uids, expected), name);
	free(by_zero);
	free(by_pid);
	free(parent);
	free(uids);
	free(name);
}

static void lines_of_status(void **state)
{
	(void)state;
	assert_has(run(statuses), out, "\n111 1 test_proc");
}

static const char *key;

static void no_key(void)
{
	start();
	errno = EIO;
	proc_status(0, key);
}

static void no_such_line_of_status(void **state)
{
	(void)state;
	static const char *const keys[] = {"Nope", "Vm", "VmRSS:", "pid", ""};
	for (int i = 0; i < 5; i++) {
		key = keys[i];
		struct run *r = run(no_key);
		assert_status(r, 3);
		assert_has(r, err, "broken: /proc/self/status has no line ");
		assert_lacks(r, err, "EIO"); /* of an earlier failure */
	}
}

static int what;

static void of_who_is_gone(void)
{
	start();
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	child_wait(child);
	switch (what) {
	case 0:
		proc_status(child, "Pid");
		break;
	case 1:
		ns_inode(child, "net");
		break;
	case 2:
		ns_inode(0, "nope");
		break;
	case 3:
		proc_meminfo("Nope");
		break;
	case 4:
		proc_meminfo("Mem");
	}
}

static void who_is_gone_breaks_the_lab(void **state)
{
	(void)state;
	static const char *const errors[] = {"/status: ENOENT\n", "/ns/net: ENOENT\n",
		"stat /proc/self/ns/nope: ENOENT\n", "/proc/meminfo has no line Nope\n",
		"/proc/meminfo has no line Mem\n"};
	for (what = 0; what < 5; what++) {
		struct run *r = run(of_who_is_gone);
		assert_status(r, 3);
		assert_has(r, err, errors[what]);
	}
}

static void pids(void)
{
	start();
	char *list = proc_pids();
	int last = 0, sorted = 1, self = 0;
	for (char *at = list; *at; at += strcspn(at, " "), at += *at == ' ') {
		sorted &= atoi(at) > last;
		last = atoi(at);
		self += last == getpid();
	}
	dprintf(1, "sorted %d self %d first %d end %d", sorted, self, atoi(list) == 1,
		list[strlen(list) - 1] != ' ');
	free(list);
}

static void pids_in_order(void **state)
{
	(void)state;
	struct run *r = run(pids);
	assert_status(r, 0);
	assert_has(r, out, "sorted 1 self 1 first 1 end 1");
}

static void numbers(void)
{
	start();
	dprintf(1, "%d%d%d%d",
		proc_meminfo("MemTotal") ==
			(long long)sysconf(_SC_PHYS_PAGES) * (long long)sysconf(_SC_PAGESIZE),
		ns_inode(0, "mnt") == ns_inode(getpid(), "mnt"),
		ns_inode(0, "mnt") == ns_inode(getppid(), "mnt"),
		ns_inode(0, "mnt") != ns_inode(0, "net"));
}

static void meminfo_and_namespaces(void **state)
{
	(void)state;
	assert_has(run(numbers), out, "\n1111");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(stdin_stays),
		cmocka_unit_test(a_childs_status_or_signal),
		cmocka_unit_test(a_child_that_was_killed_has_not_done_its_part),
		cmocka_unit_test(a_wait_of_step_in_a_child_may_be_long),
		cmocka_unit_test(who_is_no_child_cannot_be_waited_for),
		cmocka_unit_test(a_fork_that_failed_is_not_waited_for),
		cmocka_unit_test(the_end_of_a_child_is_seen_and_not_taken),
		cmocka_unit_test(no_pidfd_of_who_is_gone),
		cmocka_unit_test(gates_hold_both_ways),
		cmocka_unit_test(each_opening_counts_once),
		cmocka_unit_test(one_of_many_passes_at_each_opening),
		cmocka_unit_test(waiters_end_with_the_lab),
		cmocka_unit_test(who_comes_second_waits_on),
		cmocka_unit_test(a_broken_lab_ends_its_waiters),
		cmocka_unit_test(a_lab_that_nobody_reads_ends),
		cmocka_unit_test(a_grandchild_has_its_parents_files),
		cmocka_unit_test(lines_of_status),
		cmocka_unit_test(no_such_line_of_status),
		cmocka_unit_test(who_is_gone_breaks_the_lab),
		cmocka_unit_test(pids_in_order),
		cmocka_unit_test(meminfo_and_namespaces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
