/*
 * machine.c and rules.c on recorded machines: their control groups.
 */
#define _GNU_SOURCE
#include "recorded.h"

static void v1_has_no_group_for_us(void **state)
{
	(void)state;
	load("v1");
	assert_int_equal(m.cgroup, MACHINE_CGROUP_V1);
	assert_string_equal(m.cgroup_mount, "");
	assert_string_equal(m.group, "");
	assert_true(machine_has(m.v1, "memory"));
	assert_true(machine_has(m.v1, "pids"));
	assert_false(machine_has(m.v1, "name=systemd"));
	assert_int_equal(machine_controller(&m, "memory"), MACHINE_CONTROLLER_V1);
	assert_int_equal(machine_controller(&m, "io"), MACHINE_CONTROLLER_V1); /* blkio there */
	assert_int_equal(machine_controller(&m, "misc"), MACHINE_CONTROLLER_NO_MOUNT);
	assert_rule(PROBE_CONTROLLER, "memory", 0, "the memory controller is bound to v1",
		"systemd.unified_cgroup_hierarchy=1", "boot it as it was");
	m.container[0] = '\0';
	assert_rule(PROBE_CONTROLLER, "misc", 0, "no cgroup2 file system", "cgroup_no_v1=all",
		"boot without");
}

static void hybrid_is_told_from_v2_by_the_controllers(void **state)
{
	(void)state;
	load("hybrid");
	assert_int_equal(m.cgroup, MACHINE_CGROUP_HYBRID);
	assert_string_equal(m.cgroup_mount, "/sys/fs/cgroup/unified");
	assert_string_equal(m.group, "/sys/fs/cgroup/unified");
	assert_string_equal(m.controllers, "hugetlb");
	assert_true(m.group_root);
	assert_int_equal(machine_controller(&m, "memory"), MACHINE_CONTROLLER_V1);
	assert_int_equal(machine_controller(&m, "hugetlb"), MACHINE_CONTROLLER_ROOT_OFF);
	assert_rule(PROBE_CONTROLLER, "memory", 0, "bound to v1 (this machine is hybrid)",
		"unified_cgroup_hierarchy=1", "as it was");
	assert_rule(PROBE_CONTROLLER, "hugetlb", 0, "root group has not enabled it",
		"echo +hugetlb | sudo tee /sys/fs/cgroup/unified/cgroup.subtree_control",
		"echo -hugetlb");
}

static void hybrid_by_systemd_is_left_by_a_boot_parameter(void **state)
{
	(void)state;
	load("debian-10");
	assert_int_equal(m.cgroup, MACHINE_CGROUP_HYBRID);
	assert_true(m.systemd);
	assert_int_equal(m.proc_masked, 0); /* binfmt_misc lies on an empty folder */
	assert_string_equal(m.container, "");
	assert_rule(PROBE_CONTROLLER, "cpu", 0, "bound to v1", "sudo update-grub && sudo reboot",
		"take it out of /etc/default/grub");
}

static void v1_by_a_boot_parameter_is_left_without_it(void **state)
{
	(void)state;
	load("debian-12-v1");
	assert_string_equal(m.unified_off, "systemd.unified_cgroup_hierarchy=0");
	assert_rule(PROBE_CONTROLLER, "cpu", 0, "bound to v1",
		"take systemd.unified_cgroup_hierarchy=0 out of /etc/default/grub",
		"put it back into /etc/default/grub");
	strcpy(m.container, "docker");
	assert_rule(PROBE_CONTROLLER, "cpu", 0, "bound to v1",
		"under this container without systemd.unified_cgroup_hierarchy=0", "as it was");
	/* Of several the last one counts. */
	put_text("proc/cmdline",
		"systemd.unified_cgroup_hierarchy=no systemd.unified_cgroup_hierarchy=1\n", 0644);
	machine_read(&m, root);
	assert_string_equal(m.unified_off, "");
}

static void v2_as_root_in_the_root_group(void **state)
{
	(void)state;
	load("lab-vm");
	assert_int_equal(m.cgroup, MACHINE_CGROUP_V2);
	assert_true(m.root);
	assert_true(m.in_vm);
	assert_true(m.group_root);
	assert_true(m.group_ours);
	assert_string_equal(m.group, "/sys/fs/cgroup");
	assert_string_equal(m.v1, "");
	assert_int_equal(machine_controller(&m, "memory"), MACHINE_CONTROLLER_READY);
	assert_int_equal(machine_controller(&m, "pids"), MACHINE_CONTROLLER_READY);
	assert_int_equal(machine_controller(&m, "nosuch"), MACHINE_CONTROLLER_NONE);
	assert_rule(PROBE_CONTROLLER, "nosuch", 0, "this kernel has no nosuch controller", "kernel",
		NULL);
	assert_rule(PROBE_CONTROLLER, "memory", EAGAIN, "cannot be used (EAGAIN)",
		"cgroup.max.descendants", NULL);
	assert_rule(PROBE_CONTROLLER, "cpu", ENOENT, "(ENOENT)", "CONFIG_CFS_BANDWIDTH", NULL);
	assert_rule(PROBE_CONTROLLER, "cpu", ETIMEDOUT, "(ETIMEDOUT)", "less busy", NULL);
	assert_rule(PROBE_CONTROLLER, "cpu", ECHILD, "(ECHILD)", "try again", NULL);
	assert_rule(PROBE_CONTROLLER, "cpu", EBUSY, "(EBUSY)", "unboxed/cgroup.procs", "rmdir");
}

static void v2_as_root_on_systemd_is_not_ours(void **state)
{
	(void)state;
	load("v2-systemd-root");
	assert_true(m.root);
	assert_true(m.systemd);
	assert_false(m.group_root);
	assert_false(m.group_ours);
	assert_int_equal(machine_controller(&m, "memory"), MACHINE_CONTROLLER_NOT_OURS);
	assert_rule(PROBE_CONTROLLER, "memory", 0,
		"our group /user.slice/user-0.slice/session-3.scope is not delegated to us",
		"systemd-run --scope -p Delegate=yes", NULL);
}

static void v2_as_root_in_a_delegated_scope(void **state)
{
	(void)state;
	load("v2-systemd-scope");
	assert_true(m.group_ours);
	assert_int_equal(m.group_others, 0);
	assert_int_equal(machine_controller(&m, "memory"), MACHINE_CONTROLLER_LEAF);

	/* What lies below the scope is ours with it: the leaf that we moved to. */
	static const char scope[] = "system.slice/run-r5f0c2c1c.scope";
	char text[PATH_MAX];
	snprintf(text, sizeof(text), "0::/%s/leaf\n", scope);
	put_text("proc/self/cgroup", text, 0644);
	snprintf(text, sizeof(text), "sys/fs/cgroup/%s/leaf/cgroup.procs", scope);
	put_text(text, "1423\n", 0644);
	snprintf(text, sizeof(text), "sys/fs/cgroup/%s/leaf/cgroup.subtree_control", scope);
	put_text(text, "", 0644);
	machine_read(&m, root);
	assert_true(m.group_ours);

	/* A mark of another value is none. */
	snprintf(text, sizeof(text), "sys/fs/cgroup/%s@user.delegate", scope);
	put_text(text, "0\n", 0644);
	machine_read(&m, root);
	assert_false(m.group_ours);
}

static void v2_delegated_by_hand(void **state)
{
	(void)state;
	load("v2-delegated");
	assert_int_equal(m.uid, 1000);
	assert_false(m.root);
	assert_string_equal(m.group, "/sys/fs/cgroup/d");
	assert_true(m.group_ours);
	assert_int_equal(m.group_others, 0);
	assert_int_equal(machine_controller(&m, "memory"), MACHINE_CONTROLLER_LEAF);
}

static void v2_with_an_ancestor_of_another_user(void **state)
{
	(void)state;
	load("v2-user-scope");
	put_text("proc/1398/status", "Pid:\t1398\nPPid:\t1\nUid:\t0\t0\t0\t0\n", 0644);
	char procs[PATH_MAX];
	snprintf(procs, sizeof(procs), "%.4000s/cgroup.procs", m.group + 1);
	put_text(procs, "1398\n1423\n0\n", 0666);
	machine_read(&m, root);
	/* sshd or sudo above us, and one of another PID namespace */
	assert_int_equal(m.group_others, 2);
	assert_int_equal(machine_controller(&m, "memory"), MACHINE_CONTROLLER_BUSY);
	assert_rule(PROBE_CONTROLLER, "memory", 0, "sit 2 other processes",
		"systemd-run --user --scope", NULL);
}

static void v2_busy_with_other_processes(void **state)
{
	(void)state;
	load("v2-busy");
	assert_true(m.group_ours);
	assert_int_equal(m.group_others, 1);
	assert_int_equal(machine_controller(&m, "memory"), MACHINE_CONTROLLER_BUSY);
	assert_rule(PROBE_CONTROLLER, "memory", 0, "1 other processes (EBUSY)",
		"echo +memory > /sys/fs/cgroup/cgroup.subtree_control",
		"sudo rmdir /sys/fs/cgroup/unboxed");
}

static void v2_in_the_scope_of_a_user(void **state)
{
	(void)state;
	load("v2-user-scope");
	assert_true(m.user_manager_runs);
	assert_string_equal(m.user_manager, "cpu memory pids");
	assert_true(m.group_ours);
	assert_int_equal(machine_controller(&m, "memory"), MACHINE_CONTROLLER_LEAF);
	/* systemd delegates io to users only when it is told to. */
	assert_int_equal(machine_controller(&m, "io"), MACHINE_CONTROLLER_NOT_GIVEN);
	assert_rule(PROBE_CONTROLLER, "io", 0, "is not given it",
		"/etc/systemd/system/user@.service.d/unboxed.conf", "sudo rm /etc/systemd");
}

static void v2_without_delegation(void **state)
{
	(void)state;
	load("v2-session");
	assert_false(m.group_ours);
	assert_int_equal(machine_controller(&m, "memory"), MACHINE_CONTROLLER_NOT_OURS);
	assert_rule(PROBE_CONTROLLER, "memory", 0, "session-3.scope is not delegated to us",
		"systemd-run --user --scope -p Delegate=yes", NULL);
	assert_rule(PROBE_CONTROLLER, "io", 0, "io controller",
		"put sudo in front, or: sudo mkdir -p /etc/systemd", "unboxed.conf");
	assert_contains(miss.remedy, "Delegate=cpu cpuset io memory pids");
	load("ubuntu-22.04");
	assert_rule(PROBE_CONTROLLER, "memory", 0, "not delegated", "systemd-run --user", NULL);
	assert_rule(PROBE_CONTROLLER, "cpu", 0, "not delegated", "put sudo in front, or", "rm");
}

static void v2_without_a_manager_for_the_user(void **state)
{
	(void)state;
	load("v2-no-manager");
	assert_false(m.user_manager_runs);
	assert_rule(PROBE_CONTROLLER, "pids", 0, "not delegated", "sudo loginctl enable-linger",
		"sudo loginctl disable-linger");
}

static void v2_without_systemd(void **state)
{
	(void)state;
	load("v2-user");
	assert_false(m.systemd);
	assert_true(m.group_root);
	assert_false(m.group_ours);
	assert_rule(PROBE_CONTROLLER, "memory", 0, "our group / is not delegated to us",
		"chown -R 1000 /sys/fs/cgroup/unboxed", "sudo rmdir");
}

static void v2_mounted_read_only(void **state)
{
	(void)state;
	load("v2-read-only");
	assert_true(m.cgroup_read_only);
	assert_false(m.group_ours);
	assert_int_equal(machine_controller(&m, "memory"), MACHINE_CONTROLLER_READ_ONLY);
	assert_rule(PROBE_CONTROLLER, "memory", 0, "/sys/fs/cgroup is read-only",
		"sudo mount -o remount,rw /sys/fs/cgroup", "remount,ro");
}

static void a_mount_from_outside_our_cgroup_namespace(void **state)
{
	(void)state;
	load("cgroup-ns");
	assert_string_equal(m.cgroup_mount, "/sys/fs/cgroup");
	assert_string_equal(m.group, "");
	assert_int_equal(machine_controller(&m, "memory"), MACHINE_CONTROLLER_NO_GROUP);
	assert_rule(PROBE_CONTROLLER, "memory", 0, "our group is not below /sys/fs/cgroup",
		"outside of this cgroup or mount namespace", NULL);
}

static void a_controller_switched_off_at_boot(void **state)
{
	(void)state;
	load("raspberry");
	assert_string_equal(m.disabled, "memory");
	assert_int_equal(machine_controller(&m, "memory"), MACHINE_CONTROLLER_DISABLED);
	assert_int_equal(machine_controller(&m, "pids"), MACHINE_CONTROLLER_LEAF);
	assert_rule(PROBE_CONTROLLER, "memory", 0, "switched off by a boot parameter",
		"cgroup_enable=memory", "put the boot parameters back");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)
	static const struct CMUnitTest tests[] = {
		TEST(v1_has_no_group_for_us),
		TEST(hybrid_is_told_from_v2_by_the_controllers),
		TEST(hybrid_by_systemd_is_left_by_a_boot_parameter),
		TEST(v1_by_a_boot_parameter_is_left_without_it),
		TEST(v2_as_root_in_the_root_group),
		TEST(v2_as_root_on_systemd_is_not_ours),
		TEST(v2_as_root_in_a_delegated_scope),
		TEST(v2_delegated_by_hand),
		TEST(v2_with_an_ancestor_of_another_user),
		TEST(v2_busy_with_other_processes),
		TEST(v2_in_the_scope_of_a_user),
		TEST(v2_without_delegation),
		TEST(v2_without_a_manager_for_the_user),
		TEST(v2_without_systemd),
		TEST(v2_mounted_read_only),
		TEST(a_mount_from_outside_our_cgroup_namespace),
		TEST(a_controller_switched_off_at_boot),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
