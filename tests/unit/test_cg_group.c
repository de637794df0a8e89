/*
 * cg.c and spawn.c: a child is born in a group, and the group is killed and removed.
 */
#define _GNU_SOURCE
#include "fails.h"
#include "real_group.h"

static void spawns(void)
{
	start();
	pid_t pid = cg_spawn(folder);
	if (pid == 0) {
		autofree char *groups = file_read("/proc/self/cgroup");
		autofree char *status = proc_status(0, "PPid");
		expect_int("its parent", getppid(), atoi(status));
		dprintf(STDERR_FILENO, "%s\n", strstr(groups, "0::"));
		_exit(7);
	}
	dprintf(STDERR_FILENO, "status %d ", child_wait(pid));
	errno = 0;
	pid_t none = cg_spawn("/none/such");
	dprintf(STDERR_FILENO, "none %d %s ", none, errno_name(errno));
	none = cg_spawn("/tmp");
	if (none == 0)
		_exit(97);
	dprintf(STDERR_FILENO, "no group %d", none);
}

static void a_child_is_born_in_its_group(void **state)
{
	NEEDS_GROUP;
	struct run *r = run(spawns);
	assert_status(r, 0);
	char name[64];
	snprintf(name, sizeof name, "%s\n", strrchr(folder, '/'));
	assert_has(r, err, name);
	assert_has(r, err, "status 7 none -1 ENOENT no group -1");
	assert_has(r, out, "\"its parent\"");
	assert_lacks(r, out, "\"fail\"");
}

static void spawned_waiter(void)
{
	struct gate gate, there;
	start();
	gate_init(&gate);
	gate_init(&there);
	pid_t pid = cg_spawn(folder);
	if (pid == 0) {
		gate_open(&there);
		gate_wait(&gate);
		_exit(0);
	}
	gate_wait(&there);
	raise(SIGKILL);
}

static void who_was_spawned_ends_with_the_lab(void **state)
{
	NEEDS_GROUP;
	assert_status(run(spawned_waiter), 137);
}

static void kills(void)
{
	start();
	pid_t pid[3];
	for (int i = 0; i < 3; i++)
		pid[i] = idle_in(folder);
	int populated = cg_wait_key(folder, "cgroup.events", "populated", 1, 0);
	cg_kill(folder);
	int empty = cg_read_key(folder, "cgroup.events", "populated") == 0;
	for (int i = 0; i < 3; i++)
		dprintf(STDERR_FILENO, "%d ", child_wait(pid[i]));
	dprintf(STDERR_FILENO, "populated %d empty %d there %d", populated, empty,
		cg_has(folder, "cgroup.procs"));
	cg_kill(folder); /* an empty one too */
}

static void a_group_is_killed_and_stays(void **state)
{
	NEEDS_GROUP;
	struct run *r = run(kills);
	assert_status(r, 0);
	assert_string_equal(r->err, "137 137 137 populated 1 empty 1 there 1");
}

static void events_come(void)
{
	struct gate gate;
	start();
	gate_init(&gate);
	pid_t pid = cg_spawn(folder);
	if (pid == 0) {
		gate_wait(&gate);
		_exit(0);
	}
	pid_t opener = fork();
	if (opener == 0) {
		gate_open(&gate);
		_exit(0);
	}
	/* Whether it comes before or after the first look: it is seen. */
	bool seen = cg_wait_key(folder, "cgroup.events", "populated", 0, 10000);
	child_wait(opener);
	child_wait(pid);
	_exit(seen ? 42 : 43);
}

static void a_key_that_comes_is_seen(void **state)
{
	NEEDS_GROUP;
	for (int i = 0; i < 10; i++)
		assert_status(run(events_come), 42);
}

static void destroys(void)
{
	static char a[PATH_MAX], b[PATH_MAX], c[PATH_MAX];
	start();
	group_of("a", a);
	group_of("a/b", b);
	group_of("a/b/c", c);
	group_of("a/d", b);
	pid_t in_a = idle_in(a), in_c = idle_in(c);
	cg_write(c, "cgroup.freeze", "1"); /* one that cannot end by itself */
	cg_destroy(a);
	dprintf(STDERR_FILENO, "%d %d there %d", child_wait(in_a), child_wait(in_c),
		!access(a, F_OK));
	cg_destroy(a); /* has gone already */
}

static void a_group_goes_with_all_below(void **state)
{
	NEEDS_GROUP;
	struct run *r = run(destroys);
	assert_status(r, 0);
	assert_string_equal(r->err, "137 137 there 0");
}

static const char *call;
static int call_number, call_error;

static void destroys_anyway(void)
{
	start();
	static char group[PATH_MAX];
	group_of("held", group);
	pid_t pid = idle_in(group);
	fails_at(call, call_number, call_error);
	cg_destroy(group);
	dprintf(STDERR_FILENO, "%d there %d", child_wait(pid), !access(group, F_OK));
}

/* A call that fails once is no reason to leave it. */
static void a_group_goes_in_the_end(void **state)
{
	NEEDS_GROUP;
	static const struct {
		const char *call;
		int number;
	} harms[] = {{"open", 1}, {"openat", 1}, {"openat", 2}, {"openat", 3}, {"openat", 4}};
	call_error = EMFILE;
	for (size_t i = 0; i < sizeof harms / sizeof *harms; i++) {
		call = harms[i].call;
		call_number = harms[i].number;
		assert_string_equal(run(destroys_anyway)->err, "137 there 0");
	}
}

int main(void)
{
#define IN_GROUP(f) cmocka_unit_test_setup_teardown(f, make_group, drop_group)
	static const struct CMUnitTest tests[] = {
		IN_GROUP(a_child_is_born_in_its_group),
		IN_GROUP(who_was_spawned_ends_with_the_lab),
		IN_GROUP(a_group_is_killed_and_stays),
		IN_GROUP(a_key_that_comes_is_seen),
		IN_GROUP(a_group_goes_with_all_below),
		IN_GROUP(a_group_goes_in_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
