/*
 * cg.c and spawn.c: first on a plain folder that looks like a group, then on
 * real groups of our own; those tests are skipped where none can be made.
 */
#define _GNU_SOURCE
#include "kernel/cg.h"

#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "fails.h"
#include "kernel/file.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "machine/machine.h"
#include "machine/probe.h"
#include "run.h"
#include "story/option.h"
#include "story/out.h"

static const struct lab lab_here = {.id = "91-test", .title = "t", .goal = "g"};
static char folder[PATH_MAX];
static struct machine machine;

static void start(void)
{
	begin(&lab_here, "--format=jsonl", NULL);
}

/* A file that changes all the time, as memory.events of a group that is full does. */
static bool always_changes;

int poll(struct pollfd *fds, nfds_t count, int ms)
{
	struct timespec limit = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
	if (always_changes) {
		fds->revents = POLLPRI;
		return 1;
	}
	return (int)syscall(SYS_ppoll, fds, count, ms < 0 ? NULL : &limit, NULL, 0);
}

/* ---- A plain folder ---- */

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/unit-cg-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	put_file(folder, "memory.max", "33554432\n", 0600);
	put_file(folder, "pids.max", "max\n", 0600);
	put_file(folder, "cpu.max", "50000 100000\n", 0600);
	put_file(folder, "memory.events", "low 0\nhigh 12\nmax 345\noom 1\noom_kill 2\n", 0600);
	put_file(folder, "cgroup.subtree_control", "", 0600);
	return 0;
}

static int drop_folder(void **state)
{
	(void)state;
	undo_rmdir_now(folder);
	return access(folder, F_OK) ? 0 : -1;
}

static void values_are_read(void **state)
{
	(void)state;
	autofree char *max = cg_read(folder, "memory.max");
	autofree char *cpu = cg_read(folder, "cpu.max");
	assert_string_equal(max, "33554432");
	assert_string_equal(cpu, "50000 100000");
	assert_int_equal(cg_read_long(folder, "memory.max"), 33554432);
	assert_true(cg_read_long(folder, "pids.max") == LLONG_MAX);
	put_file(folder, "n", "-7", 0600);
	assert_int_equal(cg_read_long(folder, "n"), -7);
	put_file(folder, "n", "9223372036854775807", 0600);
	assert_true(cg_read_long(folder, "n") == LLONG_MAX);
	assert_int_equal(cg_read_key(folder, "memory.events", "low"), 0);
	assert_int_equal(cg_read_key(folder, "memory.events", "max"), 345);
	assert_int_equal(cg_read_key(folder, "memory.events", "oom"), 1);
	assert_int_equal(cg_read_key(folder, "memory.events", "oom_kill"), 2);
	assert_true(cg_has(folder, "memory.max"));
	assert_false(cg_has(folder, "cgroup.kill"));
	assert_false(cg_has("/none/such", "memory.max"));
}

static const char *file, *key;

static void reads_long(void)
{
	start();
	errno = EIO;
	cg_read_long(folder, file);
}

static void what_is_no_number_is_named(void **state)
{
	(void)state;
	static const char *const values[] = {"", "maximum", "12 34", "12x", "x", "max\nmax", "1.5"};
	file = "garbage";
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		put_file(folder, "garbage", values[i], 0600);
		struct run *r = run(reads_long);
		assert_status(r, 3);
		assert_has(r, err, "/garbage is no number: ");
		assert_has(r, err, values[i]);
		assert_lacks(r, err, "EIO");
	}
	put_file(folder, "garbage", "99999999999999999999", 0600);
	struct run *r = run(reads_long);
	assert_status(r, 3);
	assert_has(r, err, "ERANGE");
	file = "none";
	r = run(reads_long);
	assert_status(r, 3);
	assert_has(r, err, "broken: read /tmp/unit-cg-");
	assert_has(r, err, "/none: ENOENT\n");
}

static void reads_key(void)
{
	start();
	errno = EIO;
	cg_read_key(folder, "memory.events", key);
}

static void a_key_that_is_not_there_is_named(void **state)
{
	(void)state;
	static const char *const keys[] = {"nope", "oo", "oom_kil", "", "0", "low 0"};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		key = keys[i];
		struct run *r = run(reads_key);
		assert_status(r, 3);
		assert_has(r, err, "/memory.events has no key ");
		assert_lacks(r, err, "EIO");
	}
}

static void writes(void)
{
	start();
	if (key)
		cg_enable(folder, key);
	else
		cg_write(folder, "none", "1");
}

static void writing(void **state)
{
	(void)state;
	cg_write(folder, "memory.max", "44444444");
	assert_int_equal(cg_read_long(folder, "memory.max"), 44444444);
	key = NULL;
	struct run *r = run(writes);
	assert_status(r, 3);
	assert_has(r, err, "broken: write \"1\" to /tmp/unit-cg-");
	assert_has(r, err, "/none: ENOENT\n");
	assert_false(cg_has(folder, "none"));
	cg_enable(folder, "memory");
	autofree char *control = cg_read(folder, "cgroup.subtree_control");
	assert_string_equal(control, "+memory");
	cg_enable(folder, ""); /* no controller: nothing to be written */
	put_file(folder, "cgroup.subtree_control", "", 0600);
	undo_rmdir_now(folder);
	key = "memory";
	r = run(writes);
	assert_status(r, 3);
	assert_has(r, err, "write \"+memory\" to ");
}

static void waiting_for_a_key(void **state)
{
	(void)state;
	long before = run_ms();
	assert_true(cg_wait_key(folder, "memory.events", "oom_kill", 2, 10000));
	assert_true(cg_wait_key(folder, "memory.events", "oom_kill", 1, 10000)); /* past it */
	assert_true(cg_wait_key(folder, "memory.events", "low", 0, 10000));
	assert_true(run_ms() - before < 9000); /* at once */
	before = run_ms();
	assert_false(cg_wait_key(folder, "memory.events", "oom_kill", 3, 30));
	assert_false(cg_wait_key(folder, "memory.events", "oom", 0, 30));
	assert_false(cg_wait_key(folder, "memory.events", "nope", 0, 30));
	assert_true(run_ms() - before >= 80); /* not before the bound */
	assert_false(cg_wait_key(folder, "memory.events", "oom_kill", 3, 0));
}

static void waits_on_what_changes(void)
{
	start();
	always_changes = true;
	_exit(cg_wait_key(folder, "memory.events", "oom_kill", 3, 50) ? 43 : 42);
}

static void the_bound_holds_while_the_file_changes(void **state)
{
	(void)state;
	assert_status(run_with(waits_on_what_changes, (struct how){.seconds = 5}), 42);
}

static void waits_on_nothing(void)
{
	start();
	cg_wait_key(folder, "none", "oom_kill", 3, 50);
}

static void waiting_on_a_file_that_is_not_there(void **state)
{
	(void)state;
	struct run *r = run(waits_on_nothing);
	assert_status(r, 3);
	assert_has(r, err, "broken: open /tmp/unit-cg-");
	assert_has(r, err, "/none: ENOENT\n");
}

/* More processes than one read(2) has room for; each is written as a whole. */
static void no_half_of_a_number_is_moved(void **state)
{
	(void)state;
	enum { MANY = 700, FIRST = 1000 };
	char list[5 * MANY + 8] = "", expected[4 * MANY + 1] = "", moved[4 * sizeof expected] = "";
	for (int i = FIRST; i < FIRST + MANY; i++) {
		snprintf(list + strlen(list), 6, "%d\n", i);
		snprintf(expected + strlen(expected), 5, "%d", i);
	}
	strcat(list, "0\n");
	autofree char *leaf = text("%s/leaf", folder), *procs = text("%s/cgroup.procs", folder);
	assert_int_equal(mkdir(leaf, 0700), 0);
	put_file(leaf, "cgroup.procs", list, 0600);
	assert_int_equal(mkfifo(procs, 0600), 0);
	int fifo = open(procs, O_RDWR | O_CLOEXEC);
	cg_leave_leaf(leaf, "-pids");
	undo_rmdir_now(leaf);
	assert_true(read(fifo, moved, sizeof moved - 1) > 0);
	close(fifo);
	for (int i = 0; i < TRIES; i++) /* because its folder cannot be removed */
		assert_false(strncmp(moved + i * 4 * MANY, expected, 4 * MANY));
	assert_int_equal(strlen(moved), TRIES * 4 * MANY);
	autofree char *off = cg_read(folder, "cgroup.subtree_control");
	assert_string_equal(off, "-pids");
}

/* ---- Real groups, below one of our own ---- */

static bool have_group;

static int make_group(void **state)
{
	(void)state;
	machine_read(&machine, "/");
	have_group = machine.group[0] && machine.group_ours && !machine.cgroup_read_only &&
		     strlen(machine.group) < sizeof folder - 32;
	if (!have_group)
		return 0;
	strcpy(folder, machine.group);
	strcat(folder, "/unit-cg-XXXXXX");
	have_group = mkdtemp(folder) != NULL && cg_has(folder, "cgroup.kill");
	return 0;
}

static int drop_group(void **state)
{
	(void)state;
	if (!have_group)
		return 0;
	cg_destroy(folder);
	return access(folder, F_OK) ? 0 : -1;
}

#define NEEDS_GROUP \
	do { \
		(void)state; \
		if (!have_group) \
			skip(); \
	} while (0)

static void group_of(const char *name, char to[PATH_MAX])
{
	if (snprintf(to, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX || mkdir(to, 0755))
		_exit(99);
}

static pid_t idle_in(const char *group)
{
	pid_t pid = cg_spawn(group);
	if (pid == 0)
		child_idle();
	if (pid < 0)
		_exit(98);
	return pid;
}

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

/* This process into the group, so that it is the one that machine_read() finds. */
static void move_here(void)
{
	cg_write(folder, "cgroup.procs", "0");
	start();
}

static int way;

static void creates(void)
{
	move_here();
	char *group = group_create("web");
	char expected[PATH_MAX + 64];
	snprintf(expected, sizeof expected, "%s/lab91-%d/web", folder, getpid());
	dprintf(STDERR_FILENO, "name %d there %d ", !strcmp(group, expected),
		cg_has(group, "cgroup.procs"));
	char *other = group_create("db");
	dprintf(STDERR_FILENO, "other %d ", cg_has(other, "cgroup.procs") && strcmp(other, group));
	free(other);
	pid_t pid = idle_in(group);
	free(group);
	expect_int("a", 1, 1);
	if (way == 1)
		free(group_create("web"));
	if (way == 2)
		raise(SIGTERM);
	int status = lab_end();
	dprintf(STDERR_FILENO, "child %d", child_wait(pid));
	_exit(status);
}

static void groups_of_the_run_are_removed_at_its_end(void **state)
{
	NEEDS_GROUP;
	static const int statuses[] = {0, 3, 130};
	for (way = 0; way < 3; way++) {
		struct run *r = run(creates);
		assert_status(r, statuses[way]);
		assert_has(r, err, "name 1 there 1 other 1 ");
		if (way == 0)
			assert_has(r, err, "child 137");
		if (way == 1)
			assert_has(r, err, "/web: EEXIST\n");
		/* One folder and no more: itself. */
		struct stat st;
		assert_int_equal(stat(folder, &st), 0);
		assert_int_equal(st.st_nlink, 2);
	}
}

static bool folder_is_given(const char *controller)
{
	char *given = cg_read(folder, "cgroup.controllers");
	bool is = machine_has(given, controller);
	free(given);
	return is;
}

/* The group is ours, but has processes: they go into a leaf, come back, and nothing else stays. */
static const struct lab of_pids = {
	.id = "91-test", .title = "t", .goal = "g", .needs = {.controllers = "pids"}};

static void makes_a_leaf(void)
{
	cg_write(folder, "cgroup.procs", "0");
	begin(&of_pids, "--format=jsonl", NULL);
	pid_t pid = fork(); /* which nobody has seen when it was tried out whether that can be */
	if (pid == 0)
		child_idle();
	undo_kill(pid);
	autofree char *group = group_create("web"), *here = file_read("/proc/self/cgroup");
	dprintf(STDERR_FILENO, "pids.max %d in a leaf %d ", cg_has(group, "pids.max"),
		strstr(here, "-leaf") != NULL);
	int status = lab_end();
	autofree char *after = file_read("/proc/self/cgroup");
	autofree char *on = cg_read(folder, "cgroup.subtree_control");
	dprintf(STDERR_FILENO, "after in a leaf %d on '%s'", strstr(after, "-leaf") != NULL, on);
	_exit(status);
}

static void who_is_in_the_group_goes_into_a_leaf(void **state)
{
	NEEDS_GROUP;
	if (!folder_is_given("pids"))
		skip();
	struct run *r = run(makes_a_leaf);
	assert_string_equal(r->err, "pids.max 1 in a leaf 1 after in a leaf 0 on ''");
	struct stat st;
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_nlink, 2);
}

/* What a part asks for is enabled too, where it is to be had. */
static void has_parts(void)
{
	static const struct lab_part parts[] = {
		{.name = "a", .title = "a", .needs = {.controllers = "pids nosuch memory"}},
		{.name = "b", .title = "b"},
		{0},
	};
	static const struct lab of_both = {.id = "91-test",
		.title = "t",
		.goal = "g",
		.needs = {.controllers = "pids"},
		.parts = parts};
	cg_write(folder, "cgroup.procs", "0");
	begin(&of_both, "--format=jsonl", NULL);
	autofree char *group = group_create("web"), *run_group = group_create(NULL);
	dprintf(STDERR_FILENO, "pids %d memory %d below the run's own %d",
		cg_has(group, "pids.max"), cg_has(group, "memory.max"),
		!strncmp(group, run_group, strlen(run_group)));
}

static void a_part_has_its_controllers(void **state)
{
	NEEDS_GROUP;
	if (!folder_is_given("pids") || !folder_is_given("memory"))
		skip();
	assert_string_equal(run(has_parts)->err, "pids 1 memory 1 below the run's own 1");
}

/* Before a COMMAND the runner's word is taken, where the controllers are on. */
static void is_told(void)
{
	setenv("LAB_GROUP", folder, 1);
	begin(&of_pids, "--", "true", NULL);
	dprintf(STDERR_FILENO, "as told %d", !strcmp(group_home(), folder));
}

static void a_command_takes_the_runners_group(void **state)
{
	NEEDS_GROUP;
	if (!folder_is_given("pids"))
		skip();
	assert_has(run(is_told), err, "as told 0");
	cg_enable(folder, "pids");
	assert_has(run(is_told), err, "as told 1");
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

static bool in_folder;

static void probes(void)
{
	struct probe_missing missing[2];
	if (in_folder)
		cg_write(folder, "cgroup.procs", "0");
	fails_at(call, call_number, call_error);
	int count = probe_needs(&of_pids.needs, missing, 2);
	dprintf(STDERR_FILENO, "%d %s", count, count > 0 ? missing[0].what : "");
}

static void makes_no_leaf(void)
{
	cg_write(folder, "cgroup.procs", "0");
	begin(&of_pids, "--format=jsonl", NULL);
	fails_at("mkdir", 1, EROFS);
	free(group_create("web"));
}

static void a_leaf_that_cannot_be_is_told(void **state)
{
	NEEDS_GROUP;
	if (!folder_is_given("pids"))
		skip();
	static const struct {
		bool in_folder; /* a group of one's own, with a process; or where we are */
		const char *call;
		int number, error;
		const char *said;
	} harms[] = {
		{true, "fork", 99, EAGAIN, "0 "},
		{true, "mkdir", 1, EROFS, "(EROFS)"},
		{true, "open", 1, EACCES, "(EACCES)"},
		{true, "open", 2, EIO, "(EIO)"},
		{true, "fork", 2, EAGAIN, "(EAGAIN)"},
		{true, "waitpid", 1, EINTR, "(EINTR)"},
		{false, "fork", 99, EAGAIN, "0 "},
		{false, "open", 1, EACCES, "(EACCES)"},
	};
	for (size_t i = 0; i < sizeof harms / sizeof *harms; i++) {
		in_folder = harms[i].in_folder;
		call = harms[i].call;
		call_number = harms[i].number;
		call_error = harms[i].error;
		assert_has(run(probes), err, harms[i].said);
	}
	struct run *r = run(makes_no_leaf);
	assert_status(r, 3);
	assert_has(r, err, "-leaf: EROFS");
}

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

/* The number of a run in another PID namespace, whose groups are not ours. */
static void has_a_namesake(void)
{
	static char other[PATH_MAX], leaf[PATH_MAX];
	char name[64];
	cg_write(folder, "cgroup.procs", "0");
	snprintf(name, sizeof name, "lab91-%d", getpid());
	group_of(name, other);
	strcat(name, "-leaf");
	group_of(name, leaf);
	begin(&of_pids, "--format=jsonl", NULL);
	autofree char *group = group_create("web");
	dprintf(STDERR_FILENO, "its own %d ", cg_has(group, "pids.max"));
	undo_run();
	dprintf(STDERR_FILENO, "there %d %d", !access(other, F_OK), !access(leaf, F_OK));
}

static void a_group_that_is_taken_is_no_hindrance(void **state)
{
	NEEDS_GROUP;
	if (!folder_is_given("pids"))
		skip();
	assert_string_equal(run(has_a_namesake)->err, "its own 1 there 1 1");
}

/* ---- The lock ---- */

enum { LOCKED_BY_OTHERS = 44 };

static int lock_now(void)
{
	int fd = open(machine.cgroup_mount[0] ? machine.cgroup_mount : "/sys",
		O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		_exit(99);
	int rc = flock(fd, LOCK_EX | LOCK_NB);
	close(fd);
	return rc;
}

static void locks(void)
{
	machine_read(&machine, "/");
	start();
	if (lock_now()) /* a lab is measuring on this machine */
		_exit(LOCKED_BY_OTHERS);
	int fd = lab_lock_cpu();
	pid_t child = fork();
	if (child == 0)
		_exit(lock_now() ? 1 : 0);
	dprintf(STDERR_FILENO, "held %d on exec %d ", child_wait(child),
		(fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0);
	close(fd);
	child = fork();
	if (child == 0)
		_exit(lock_now() ? 1 : 0);
	dprintf(STDERR_FILENO, "after %d", child_wait(child));
}

static void one_lab_at_a_time_has_the_lock(void **state)
{
	(void)state;
	struct run *r = run(locks);
	if (r->status == LOCKED_BY_OTHERS)
		skip();
	assert_status(r, 0);
	assert_string_equal(r->err, "held 1 on exec 0 after 0");
}

int main(void)
{
#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, make_folder, drop_folder)
#define IN_GROUP(f) cmocka_unit_test_setup_teardown(f, make_group, drop_group)
	static const struct CMUnitTest tests[] = {
		IN_FOLDER(values_are_read),
		IN_FOLDER(what_is_no_number_is_named),
		IN_FOLDER(a_key_that_is_not_there_is_named),
		IN_FOLDER(writing),
		IN_FOLDER(waiting_for_a_key),
		IN_FOLDER(the_bound_holds_while_the_file_changes),
		IN_FOLDER(waiting_on_a_file_that_is_not_there),
		IN_FOLDER(no_half_of_a_number_is_moved),
		IN_GROUP(a_child_is_born_in_its_group),
		IN_GROUP(who_was_spawned_ends_with_the_lab),
		IN_GROUP(a_group_is_killed_and_stays),
		IN_GROUP(a_key_that_comes_is_seen),
		IN_GROUP(a_group_goes_with_all_below),
		IN_GROUP(groups_of_the_run_are_removed_at_its_end),
		IN_GROUP(who_is_in_the_group_goes_into_a_leaf),
		IN_GROUP(a_part_has_its_controllers),
		IN_GROUP(a_command_takes_the_runners_group),
		IN_GROUP(a_group_goes_in_the_end),
		IN_GROUP(a_leaf_that_cannot_be_is_told),
		IN_GROUP(the_sweep_takes_what_has_the_mark_of_a_dead_run),
		IN_GROUP(who_is_killed_leaves_what_the_sweep_takes),
		IN_GROUP(who_was_killed_before_the_mark_leaves_nothing),
		IN_GROUP(a_group_that_is_taken_is_no_hindrance),
		cmocka_unit_test(one_lab_at_a_time_has_the_lock),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
