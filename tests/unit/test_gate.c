/*
 * gate.c: who waits at a gate, and what ends the wait.
 */
#define _GNU_SOURCE
#include <sched.h>

#include "lab_here.h"

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

int poll(struct pollfd *fds, nfds_t count, int ms)
{
	struct timespec limit = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
	uint64_t one;
	if (steal_from < 0)
		return (int)syscall(RUN_PPOLL, fds, count, ms < 0 ? NULL : &limit, NULL, 0);
	struct pollfd gate = {.fd = steal_from, .events = POLLIN};
	steal_from = -1;
	if (write(thief[1], "p", 1) != 1 || syscall(RUN_PPOLL, &gate, 1, NULL, NULL, 0) != 1 ||
		read(gate.fd, &one, sizeof one) != sizeof one)
		_exit(99);
	fds[0].revents = POLLIN;
	return 1;
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
	struct run *r = run(too_slow);
	assert_status(r, 42);
	assert_has(r, out, "passed");
	way = 1; /* or for the end of the lab */
	r = run(too_slow);
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(gates_hold_both_ways),
		cmocka_unit_test(each_opening_counts_once),
		cmocka_unit_test(one_of_many_passes_at_each_opening),
		cmocka_unit_test(waiters_end_with_the_lab),
		cmocka_unit_test(who_comes_second_waits_on),
		cmocka_unit_test(a_broken_lab_ends_its_waiters),
		cmocka_unit_test(a_lab_that_nobody_reads_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
