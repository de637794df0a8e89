/*
 * group.c: the sweep takes what a killed run has left, and nothing else.
 */
#define _GNU_SOURCE
#include "real_group.h"

static const struct ended nobody;

/* A process that holds no lock of ours, as a COMMAND does not. */
static pid_t stays_in(const char *group)
{
	pid_t pid = cg_spawn(group);
	if (pid == 0) {
		syscall(SYS_close_range, 3U, ~0U, 0U);
		for (;;)
			pause();
	}
	if (pid < 0)
		_exit(98);
	undo_kill(pid);
	return pid;
}

/* The mark of a run that is over. */
static void was_marked(const char *group, const char *words)
{
	pid_t pid = fork();
	if (pid == 0) {
		mark_group(group, words);
		_exit(0);
	}
	child_wait(pid);
}

static void sweeps(void)
{
	static char dead[PATH_MAX], below[PATH_MAX], alive[PATH_MAX], leaf[PATH_MAX],
		like_a_run[PATH_MAX], like_a_leaf[PATH_MAX];
	move_here();
	group_sweep(&nobody); /* which now knows that this is our group */
	group_of("lab93-99999-leaf", leaf);
	cg_write(leaf, "cgroup.procs", "0");
	cg_enable(folder, "pids");
	group_of("lab91-99999", dead);
	group_of("lab91-99999/web", below);
	group_of("lab92-99999", alive);
	group_of("lab10-99999", like_a_run);
	group_of("lab42-77777-leaf", like_a_leaf);
	pid_t in_dead = stays_in(below), in_alive = stays_in(alive), in_leaf = stays_in(leaf),
	      stranger = stays_in(like_a_run);
	was_marked(dead, "group");
	mark_group(alive, "group");
	group_sweep(&nobody);
	was_marked(leaf, "leaf -pids");
	autofree char *before = cg_read(folder, "cgroup.subtree_control");
	group_sweep(&nobody);
	autofree char *after = cg_read(folder, "cgroup.subtree_control");
	autofree char *procs = cg_read(folder, "cgroup.procs");
	autofree char *number = text("%d", in_leaf);
	dprintf(STDERR_FILENO, "dead %d alive %d leaf %d moved %d on '%s' then '%s'\n",
		!access(dead, F_OK), !access(alive, F_OK), !access(leaf, F_OK),
		strstr(procs, number) != NULL, before, after);
	dprintf(STDERR_FILENO, "killed %d %d %d %d like a run %d like a leaf %d",
		child_ended(in_dead, 0), child_ended(in_alive, 0), child_ended(in_leaf, 0),
		child_ended(stranger, 0), !access(like_a_run, F_OK), !access(like_a_leaf, F_OK));
	undo_run();
}

static void the_sweep_takes_what_has_the_mark_of_a_dead_run(void **state)
{
	NEEDS_GROUP;
	if (!folder_is_given("pids"))
		skip();
	struct run *r = run(sweeps);
	assert_status(r, 0);
	assert_string_equal(r->err, "dead 0 alive 1 leaf 0 moved 1 on 'pids' then ''\n"
				    "killed 1 0 0 0 like a run 1 like a leaf 1");
}

/* What a lab makes, when it is killed, and while a child of it lives. */
static void is_killed(void)
{
	int stays[2];
	cg_write(folder, "cgroup.procs", "0");
	begin(&of_pids, "--format=jsonl", NULL);
	autofree char *group = group_create("web");
	if (pipe(stays))
		_exit(99);
	if (fork() == 0) {
		char byte;
		close(stays[1]);
		if (read(stays[0], &byte, 1) == 0) /* which has now seen the lab's end */
			group_sweep(&nobody);
		dprintf(STDERR_FILENO, "there %d", !access(group, F_OK));
		raise(SIGKILL);
	}
	raise(SIGKILL);
}

static void sweeps_here(void)
{
	cg_write(folder, "cgroup.procs", "0");
	group_sweep(&nobody);
	autofree char *here = file_read("/proc/self/cgroup");
	autofree char *on = cg_read(folder, "cgroup.subtree_control");
	dprintf(STDERR_FILENO, "in a leaf %d on '%s'", strstr(here, "-leaf") != NULL, on);
}

static void who_is_killed_leaves_what_the_sweep_takes(void **state)
{
	NEEDS_GROUP;
	if (!folder_is_given("pids"))
		skip();
	struct stat st;
	struct run *r = run(is_killed);
	assert_status(r, 137);
	assert_string_equal(r->err, "there 1");
	assert_string_equal(run(sweeps_here)->err, "in a leaf 0 on ''");
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_nlink, 2);
}

/* What was made, and not yet marked; what is older, or has somebody in it, is not the run's. */
static void was_about_to_mark(void)
{
	static char made[PATH_MAX], busy[PATH_MAX];
	struct ended run = {.pid = getpid()};
	move_here();
	clock_gettime(CLOCK_REALTIME_COARSE, &run.since);
	autofree char *name = text("lab91-%d", run.pid), *other = text("lab92-%d-leaf", run.pid);
	group_of(name, made);
	group_of(other, busy);
	pid_t stranger = stays_in(busy);
	run.since.tv_sec++;
	group_sweep(&run);
	dprintf(STDERR_FILENO, "older %d ", !access(made, F_OK));
	run.since.tv_sec--;
	group_sweep(&nobody);
	dprintf(STDERR_FILENO, "another's %d ", !access(made, F_OK));
	group_sweep(&run);
	dprintf(STDERR_FILENO, "its own %d busy %d killed %d", !access(made, F_OK),
		!access(busy, F_OK), child_ended(stranger, 0));
	undo_run();
}

static void who_was_killed_before_the_mark_leaves_nothing(void **state)
{
	NEEDS_GROUP;
	assert_string_equal(
		run(was_about_to_mark)->err, "older 1 another's 1 its own 0 busy 1 killed 0");
}

int main(void)
{
#define IN_GROUP(f) cmocka_unit_test_setup_teardown(f, make_group, drop_group)
	static const struct CMUnitTest tests[] = {
		IN_GROUP(the_sweep_takes_what_has_the_mark_of_a_dead_run),
		IN_GROUP(who_is_killed_leaves_what_the_sweep_takes),
		IN_GROUP(who_was_killed_before_the_mark_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
