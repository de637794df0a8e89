/*
 * machine.c and rules.c on recorded machines: their namespaces and containers.
 */
#define _GNU_SOURCE
#include "recorded.h"

static void apparmor_restricts_user_namespaces(void **state)
{
	(void)state;
	load("ubuntu-24.04");
	assert_int_equal(m.userns_apparmor, 1);
	assert_int_equal(m.userns_clone, 1);
	static const enum probe_need needs[] = {PROBE_USER_NS, PROBE_MAP, PROBE_TMPFS, PROBE_PROC};
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		assert_rule(needs[i], "", i & 1 ? EACCES : EPERM, i & 1 ? "(EACCES)" : "(EPERM)",
			"sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
			"sudo sysctl kernel.apparmor_restrict_unprivileged_userns=1");
	/* Root is not restricted: another reason is to be looked for. */
	m.uid = 0;
	m.root = true;
	rules_explain(PROBE_TMPFS, "", EPERM, &m, &miss);
	assert_null(strstr(miss.remedy, "AppArmor"));
}

static void user_namespaces_switched_off(void **state)
{
	(void)state;
	load("userns-clone");
	assert_int_equal(m.userns_clone, 0);
	assert_int_equal(m.userns_apparmor, -1);
	assert_rule(PROBE_USER_NS, "", EPERM, "no user namespace for an ordinary user (EPERM)",
		"sudo sysctl kernel.unprivileged_userns_clone=1",
		"sudo sysctl kernel.unprivileged_userns_clone=0");
}

static void user_namespaces_used_up(void **state)
{
	(void)state;
	load("v2-session");
	m.userns_max = 0;
	assert_rule(PROBE_USER_NS, "", ENOSPC, "(ENOSPC)",
		"sudo sysctl user.max_user_namespaces=10000",
		"sudo sysctl user.max_user_namespaces=0");
	m.userns_max = 15000;
	assert_rule(PROBE_USER_NS, "", ENOSPC, "(ENOSPC)", "user.max_user_namespaces=100000",
		"user.max_user_namespaces=15000");
	assert_rule(PROBE_LIMITS, "", EROFS, "may not be written (EROFS)", "findmnt", NULL);
	assert_int_equal(m.uid, 1000);
	m.uid = 0;
	assert_rule(PROBE_USER_NS, "", ENOSPC, "no user namespace (ENOSPC)",
		"user.max_user_namespaces=100000", "user.max_user_namespaces=15000");
	assert_rule(PROBE_NAMESPACE, "net", ENOSPC, "no net namespace of our own (ENOSPC)",
		"user.max_net_namespaces", "back");
}

/* "=1" is not added where "=0" stands, and what was 0 becomes 0 again. */
static void a_kind_of_namespaces_of_which_none_is_allowed(void **state)
{
	(void)state;
	load("no-net-ns");
	assert_int_equal(machine_ns_max(&m, "net"), 0);
	assert_int_equal(machine_ns_max(&m, "uts"), -1);
	assert_rule(PROBE_NAMESPACE, "net", ENOSPC, "no net namespace of our own (ENOSPC)",
		"none is allowed: sudo sysctl user.max_net_namespaces=10000",
		"sudo sysctl user.max_net_namespaces=0");
	put_text("proc/sys/user/max_net_namespaces", "63000\n", 0644);
	machine_read(&m, root);
	assert_rule(PROBE_NAMESPACE, "net", ENOSPC, "(ENOSPC)",
		"in use: sudo sysctl user.max_net_namespaces=100000",
		"sudo sysctl user.max_net_namespaces=63000");
}

/* As by unshare --map-root-user: what is missing is to be had outside, and nothing by sudo. */
static void root_of_a_user_namespace_only(void **state)
{
	(void)state;
	static const char leave[] = "leave the user namespace in which we are root";
	load("unshare-r");
	assert_int_equal(m.uid, 0);
	assert_true(m.sys_admin);
	assert_false(m.root);
	assert_rule(PROBE_ROOT, "", 0, "not root of this machine", leave, NULL);
	assert_rule(PROBE_CONTROLLER, "memory", 0, "not delegated to us", leave, NULL);
	assert_rule(PROBE_BLOCK, "/dev/ram0", EACCES, "may not be read (EACCES)", leave, NULL);
	m.uid = 1000; /* as whom a lab is tried that wants an ordinary user */
	assert_rule(PROBE_USER_NS, "", EPERM, "no user namespace", leave, NULL);
}

static void a_kernel_without_namespaces(void **state)
{
	(void)state;
	load("v2-session");
	assert_rule(
		PROBE_NAMESPACE, "ipc", EINVAL, "no ipc namespace", "boot a newer kernel", NULL);
	assert_rule(PROBE_USER_NS, "", EINVAL, "(EINVAL)", "boot a newer kernel", NULL);
	assert_rule(PROBE_PROC, "", ETIMEDOUT, "(ETIMEDOUT)", "longer than 10 s", NULL);
	assert_rule(PROBE_PROC, "", ECHILD, "(ECHILD)", "try again", NULL);
	assert_rule(PROBE_USER_NS, "", EPERM, "(EPERM)", "leave the chroot", NULL);
	assert_rule(PROBE_TMPFS, "", EACCES, "no tmpfs may be mounted", "dmesg", NULL);
	assert_rule(
		PROBE_NAMESPACE, "time", EINVAL, "no time namespace", "boot a newer kernel", NULL);
	assert_rule(PROBE_OVERLAY, "", EPERM, "no overlay may be mounted", "dmesg", NULL);
	assert_rule(PROBE_OVERLAY, "", ENODEV, "(ENODEV)", "sudo modprobe overlay",
		"sudo modprobe -r overlay");
	m.seccomp = 2;
	assert_rule(PROBE_NAMESPACE, "pid", EPERM, "(EPERM)", "a seccomp filter", NULL);
}

static void docker_as_root(void **state)
{
	(void)state;
	load("docker");
	assert_string_equal(m.container, "docker");
	assert_int_equal(m.seccomp, 2);
	assert_int_equal(m.proc_masked, 6);
	assert_true(m.first_user);
	assert_false(m.root); /* without CAP_SYS_ADMIN */
	assert_true(m.cgroup_read_only);
	assert_int_equal(m.cgroup, MACHINE_CGROUP_V2);
	assert_string_equal(m.group, "/sys/fs/cgroup");
	assert_false(m.group_root); /* a namespace's root is not the machine's */
	assert_false(m.kvm);
	assert_rule(PROBE_CONTROLLER, "memory", 0, "read-only",
		"docker run --privileged --cgroupns=private", "without these options");
	assert_rule(PROBE_NAMESPACE, "mnt", EPERM, "no mnt namespace",
		"docker run --cap-add SYS_ADMIN", "without these options");
	assert_rule(PROBE_HOSTNAME, "", EPERM, "the hostname of a UTS namespace",
		"docker run --cap-add SYS_ADMIN", "without these options");
	assert_rule(PROBE_PROC, "", EPERM, "no fresh /proc",
		"--security-opt systempaths=unconfined", "without these options");
	assert_rule(PROBE_LIMITS, "", EROFS, "/proc/sys/user, may not be written (EROFS)",
		"--security-opt systempaths=unconfined", "without these options");
	assert_rule(
		PROBE_ROOT, "", 0, "not root of this machine", "--cap-add SYS_ADMIN", "without");
	assert_rule(PROBE_MODULE, "veth", EOPNOTSUPP, "no kernel module veth (EOPNOTSUPP)",
		"on the machine under this container: sudo modprobe veth", "modprobe -r veth");
}

static void docker_as_an_ordinary_user(void **state)
{
	(void)state;
	load("docker-user");
	assert_rule(PROBE_USER_NS, "", EPERM, "no user namespace", "seccomp=unconfined", "without");
	assert_rule(PROBE_PROC, "", EPERM, "no fresh /proc", "systempaths=unconfined", "without");
}

static void podman_without_root(void **state)
{
	(void)state;
	load("podman-rootless");
	assert_string_equal(m.container, "podman");
	assert_int_equal(m.uid, 0);
	assert_false(m.first_user);
	assert_false(m.root);
	assert_rule(PROBE_PROC, "", EPERM, "no fresh /proc", "podman run --security-opt unmask=ALL",
		"without");
	assert_rule(PROBE_ROOT, "", 0, "not root", "leave the user namespace", NULL);
	m.sys_admin = true; /* with --cap-add SYS_ADMIN; the offsets of the clocks take one more */
	assert_rule(PROBE_NAMESPACE, "time", EPERM, "no time namespace",
		"podman run --cap-add SYS_TIME", "without");
	/* A map of all ids is the first namespace's only when it maps them to themselves. */
	put_text("proc/self/uid_map", "0 1 4294967295\n", 0644);
	machine_read(&m, root);
	assert_false(m.first_user);
}

static void a_container_of_another_kind(void **state)
{
	(void)state;
	char path[PATH_MAX];
	load("docker");
	snprintf(path, sizeof(path), "%s/.dockerenv", root);
	assert_int_equal(remove(path), 0);
	machine_read(&m, root);
	assert_string_equal(m.container, "other"); /* by what is masked in its /proc */
	assert_rule(PROBE_NAMESPACE, "mnt", EPERM, "no mnt namespace",
		"start this container with more rights", "without these options");
}

/* What is said of a group where the usual remedy is out of reach. */
static void a_group_out_of_reach_in_a_container(void **state)
{
	(void)state;
	static const char privileged[] = "docker run --privileged --cgroupns=private";
	load("cgroup-ns");
	strcpy(m.container, "docker");
	assert_int_equal(machine_controller(&m, "memory"), MACHINE_CONTROLLER_NO_GROUP);
	assert_rule(PROBE_CONTROLLER, "memory", 0, "our group is not below", privileged, "without");
	load("v2-user");
	m.systemd = false;
	strcpy(m.container, "docker");
	assert_rule(PROBE_CONTROLLER, "memory", 0, "is not delegated to us", privileged, "without");
	m.container[0] = m.all[0] = '\0';
	assert_rule(PROBE_CONTROLLER, "memory", 0, "is not delegated to us",
		"in the group above ours: echo +memory", "there: echo -memory");
	load("v1");
	memset(&m, 0, sizeof(m));
	strcpy(m.container, "docker");
	assert_int_equal(machine_controller(&m, "memory"), MACHINE_CONTROLLER_NO_MOUNT);
	assert_rule(PROBE_CONTROLLER, "memory", 0, "no cgroup2 file system", privileged, "without");
}

static void root_without_its_powers(void **state)
{
	(void)state;
	load("v2-systemd-root");
	m.root = m.sys_admin = false;
	assert_rule(PROBE_NAMESPACE, "mnt", EPERM, "no mnt namespace", "root without CAP_SYS_ADMIN",
		NULL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)
	static const struct CMUnitTest tests[] = {
		TEST(apparmor_restricts_user_namespaces),
		TEST(user_namespaces_switched_off),
		TEST(user_namespaces_used_up),
		TEST(a_kind_of_namespaces_of_which_none_is_allowed),
		TEST(root_of_a_user_namespace_only),
		TEST(a_kernel_without_namespaces),
		TEST(docker_as_root),
		TEST(docker_as_an_ordinary_user),
		TEST(podman_without_root),
		TEST(a_container_of_another_kind),
		TEST(a_group_out_of_reach_in_a_container),
		TEST(root_without_its_powers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
