/*
 * probe.c on this machine: whatever it finds, it leaves nothing.
 */
#define _GNU_SOURCE
#include <glob.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "kernel/file.h"
#include "kernel/sys.h"
#include "recorded.h"

static void the_probe_tells_what_this_machine_lacks(void **state)
{
	(void)state;
	struct probe_missing two[2];
	struct probe_needs nothing = {.root = false};
	struct probe_needs easy = {.kernel = "2.6", .cpus = 1, .memory = 1};
	struct probe_needs too_much = {.kernel = "99.0",
		.cpus = 1 << 20,
		.memory = 1LL << 60,
		.controllers = " nosuch  neither ",
		.modules = "no_such_module"};

	assert_int_equal(probe_needs(&nothing, NULL, 0), 0);
	assert_int_equal(probe_needs(&easy, two, 2), 0);
	/* More are missing than there is room for. */
	assert_int_equal(probe_needs(&too_much, two, 2), 6);
	assert_contains(two[0].what, "Linux 99.0 or later");
	assert_contains(two[1].what, "nosuch");

	machine_read(&m, "/");
	char now[32], next[32];
	snprintf(now, sizeof(now), "%d.%d", m.kernel_major, m.kernel_minor);
	snprintf(next, sizeof(next), "%d.%d", m.kernel_major, m.kernel_minor + 1);
	assert_int_equal(probe_needs(&(struct probe_needs){.kernel = now}, two, 2), 0);
	assert_int_equal(probe_needs(&(struct probe_needs){.kernel = next}, two, 2), 1);
}

static void facts_that_no_trial_is_needed_for(void **state)
{
	(void)state;
	struct probe_missing one;
	machine_read(&m, "/");
	assert_int_equal(probe_needs(&(struct probe_needs){.root = true}, &one, 1), !m.root);
	assert_int_equal(probe_needs(&(struct probe_needs){.swap = true}, &one, 1), !m.swap);
	assert_int_equal(probe_needs(&(struct probe_needs){.block = true}, &one, 1), !m.block[0]);
	assert_int_equal(
		probe_needs(&(struct probe_needs){.cpus = m.cpus + 1}, &one, 1), m.cpus < INT_MAX);
}

static void a_trial_that_cannot_begin_is_no_answer(void **state)
{
	(void)state;
	struct probe_missing one;
	struct rlimit all, none;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = all.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	int count = probe_needs(&(struct probe_needs){.namespaces = true}, &one, 1), error = errno;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
	assert_int_equal(count, -1);
	assert_int_equal(error, EMFILE);
}

static void the_probe_leaves_nothing(void **state)
{
	(void)state;
	static const struct probe_needs needs = {.namespaces = true,
		.proc_mount = true,
		.limits = true,
		.time = true,
		.overlay = true,
		.controllers = "memory pids cpu io hugetlb",
		.modules = "veth no_such_module"};
	struct probe_missing many[16], again[16];
	char before[PATH_MAX], after[PATH_MAX];
	autofree char *mounts = file_read("/proc/self/mountinfo");

	assert_true(readlink("/proc/self/ns/mnt", before, sizeof(before)) > 0);
	int count = probe_needs(&needs, many, 16);
	assert_in_range(count, 1, 8);
	for (int i = 0; i < count; i++)
		assert_string_not_equal(many[i].remedy, "");
	/* The same again: what it made is gone, and we are where we were. */
	assert_int_equal(probe_needs(&needs, again, 16), count);
	for (int i = 0; i < count; i++)
		assert_string_equal(again[i].what, many[i].what);
	assert_true(readlink("/proc/self/ns/mnt", after, sizeof(after)) > 0);
	assert_memory_equal(before, after, strlen("mnt:[4026531840]"));
	autofree char *mounts_after = file_read("/proc/self/mountinfo");
	assert_string_equal(mounts_after, mounts);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	machine_read(&m, "/");
	snprintf(after, sizeof(after), "%.4000s/lab00-*", m.group);
	glob_t found;
	assert_int_equal(glob(after, 0, NULL, &found), GLOB_NOMATCH);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)
	static const struct CMUnitTest tests[] = {
		TEST(the_probe_tells_what_this_machine_lacks),
		TEST(facts_that_no_trial_is_needed_for),
		TEST(a_trial_that_cannot_begin_is_no_answer),
		TEST(the_probe_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
