/*
 * child.c: what becomes of a child, and what it has.
 */
#define _GNU_SOURCE
#include "lab_here.h"

static void start(void)
{
	begin(&lab_here, "--format=jsonl", NULL);
	dprintf(1, "\n");
}

static int hurry = 1; /* a poll's time passes so many times as fast */

int poll(struct pollfd *fds, nfds_t count, int ms)
{
	if (ms > 0)
		ms /= hurry;
	struct timespec limit = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
	return (int)syscall(RUN_PPOLL, fds, count, ms < 0 ? NULL : &limit, NULL, 0);
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
		cmocka_unit_test(a_grandchild_has_its_parents_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
