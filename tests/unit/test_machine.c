/*
 * machine.c and rules.c on recorded machines: the other facts, and what cannot be read.
 */
#define _GNU_SOURCE
#include "recorded.h"

/* ---- Namespaces and containers -------------------------------------------------- */

/* Who owns a group, whose group owns it, and who is neither. */
static void a_group_by_its_mode_bits(void **state)
{
	(void)state;
	uid_t owner = geteuid() ? geteuid() : 1000;
	gid_t group = geteuid() ? getegid() : 1000;
	static const char *const files[] = {"", "/cgroup.procs", "/cgroup.subtree_control"};
	static const struct {
		bool same_user, same_group;
		mode_t mode;
		bool ours;
	} groups[] = {
		{true, true, 0200, true},
		{true, true, 0022, false},
		{false, true, 0020, true},
		{false, true, 0202, false},
		{false, false, 0002, true},
		{false, false, 0220, false},
	};
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		char status[256], path[PATH_MAX];
		unsigned int uid = owner + !groups[i].same_user;
		unsigned int gid = group + !groups[i].same_group;
		load("v2-user");
		snprintf(status, sizeof(status),
			"Pid:\t79\nUid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", uid, uid, uid,
			uid, gid, gid, gid, gid);
		put_text("proc/self/status", status, 0644);
		for (size_t f = 0; f < 3; f++) {
			snprintf(path, sizeof(path), "%s/sys/fs/cgroup%s", root, files[f]);
			assert_int_equal(chown(path, owner, group), 0);
			assert_int_equal(chmod(path, groups[i].mode | 0555), 0);
		}
		machine_read(&m, root);
		assert_int_equal(m.uid, uid);
		assert_int_equal(m.group_ours, groups[i].ours);
	}
	/* A group without its files is nobody's. */
	load("v2-delegated");
	assert_true(m.group_ours);
	char gone[2 * PATH_MAX];
	snprintf(gone, sizeof(gone), "%s%s/cgroup.subtree_control", root, m.group);
	assert_int_equal(unlink(gone), 0);
	machine_read(&m, root);
	assert_false(m.group_ours);
}

static void facts_from_odd_places(void **state)
{
	(void)state;
	static const struct {
		const char *list;
		int count;
	} cpus[] = {{"0-1,4", 3}, {"0-65535", 65536}, {"0-65536", 0}, {"0;1", 0}, {"1-0", 0},
		{"-1", 0}};
	for (size_t i = 0; i < sizeof(cpus) / sizeof(cpus[0]); i++) {
		char status[64];
		snprintf(status, sizeof(status), "Cpus_allowed_list:\t%s\n", cpus[i].list);
		put_text("proc/self/status", status, 0644);
		machine_read(&m, root);
		assert_int_equal(m.cpus, cpus[i].count);
	}
	/* The lab VM's scratch disk; its other disks are its own, and elsewhere none is ours. */
	put_text("dev/vda", "", 0644);
	put_text("etc/unboxed-vm", "", 0644);
	machine_read(&m, root);
	assert_string_equal(m.block, "");
	put_text("dev/ram0", "", 0644);
	machine_read(&m, root);
	assert_string_equal(m.block, "/dev/ram0");
	/* Without a home there is one place less for the kernel of the lab VM, and no harm. */
	unsetenv("HOME");
	machine_read(&m, root);
	assert_string_equal(m.lab_kernel, "");
	char name[200];
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_false(machine_module(&m, root, name));
}

/* ---- Windows --------------------------------------------------------------------- */

static void wsl_2_is_hybrid(void **state)
{
	(void)state;
	load("wsl2");
	assert_int_equal(m.wsl, 2);
	assert_int_equal(m.cgroup, MACHINE_CGROUP_HYBRID);
	assert_int_equal(m.proc_masked, 0);
	assert_rule(PROBE_CONTROLLER, "memory", 0, "bound to v1",
		"kernelCommandLine=cgroup_no_v1=all", "wsl --shutdown");
	assert_rule(PROBE_KERNEL, "6.6", 0, "Linux 6.6 or later is needed, this is 5.15.167.4",
		"wsl --update", NULL);
	assert_rule(PROBE_MODULE, "veth", 0, "no kernel module veth", "wsl --update", NULL);
}

static void wsl_1_can_do_nothing(void **state)
{
	(void)state;
	load("wsl1");
	assert_int_equal(m.wsl, 1);
	assert_int_equal(m.cgroup, MACHINE_CGROUP_NONE);
	assert_rule(PROBE_USER_NS, "", EINVAL, "no user namespace", "wsl --set-version", "1");
	assert_rule(
		PROBE_CONTROLLER, "memory", 0, "no cgroup2 file system", "wsl --set-version", "1");
}

/* ---- The rest of the machine -------------------------------------------------------- */

static void swap_is_noticed(void **state)
{
	(void)state;
	load("swap");
	assert_true(m.swap);
	load("lab-vm");
	assert_false(m.swap);
	/* What is taken away is what was made, and nobody's /swapfile. */
	assert_rule(PROBE_SWAP, "", 0, "swap is off", "swapon /swap-unboxed",
		"sudo swapoff /swap-unboxed && sudo rm /swap-unboxed");
	assert_rule(PROBE_UPTIME, "12", 0, "this 32-bit kernel panics", "wait 12 seconds", NULL);
	assert_rule(PROBE_BLOCK, "", 0, "no scratch block device", "WHERE=vm", NULL);
	assert_rule(PROBE_BLOCK, "/dev/ram0", EACCES, "/dev/ram0 may not be read (EACCES)", "sudo",
		NULL);
}

static void pages_of_64_kib(void **state)
{
	(void)state;
	load("pages-64k");
	assert_int_equal(m.page_size, 65536);
	assert_true(m.swap);
	assert_int_equal(m.kernel_major, 6);
	assert_int_equal(m.kernel_minor, 1);
	assert_int_equal(m.cpus, 4);
	assert_int_equal(m.mem_available, 13107200LL * 1024);
	assert_rule(PROBE_CPUS, "8", 0, "8 CPUs are needed, we may run on 4", "CPUs", NULL);
	assert_rule(PROBE_MEMORY, "34359738368", 0, "32768 MiB of memory are needed, 12800 MiB",
		"end what uses", NULL);
	assert_rule(PROBE_ROOT, "", 0, "not root", "sudo", NULL);
}

static void no_kvm(void **state)
{
	(void)state;
	load("pages-64k");
	assert_false(m.kvm);
	assert_false(m.kvm_usable);
}

static void kvm_that_lies(void **state)
{
	(void)state;
	load("kvm-lies");
	assert_true(m.kvm);
	assert_true(m.kvm_usable);
	assert_string_equal(m.accel, "tcg");
	assert_string_equal(m.qemu, "/usr/bin/" MACHINE_QEMU);
	assert_string_equal(m.lab_kernel, "/home/ada/.cache/unboxed/kernel/current");
	/* A verdict that was made under another kernel is none. */
	put_text("proc/sys/kernel/osrelease", "6.1.0-99-amd64\n", 0644);
	machine_read(&m, root);
	assert_string_equal(m.accel, "");
	put_text("proc/sys/kernel/osrelease", "x\n", 0644);
	put_text("home/ada/.cache/unboxed/accel", "maybe x y\n", 0644);
	machine_read(&m, root);
	assert_string_equal(m.accel, "");
	/* XDG_CACHE_HOME goes first, and a relative one does not count. */
	put_text("cache/unboxed/accel", "kvm x y\n", 0644);
	setenv("XDG_CACHE_HOME", "/cache", 1);
	machine_read(&m, root);
	assert_string_equal(m.accel, "kvm");
	setenv("XDG_CACHE_HOME", "cache", 1);
	machine_read(&m, root);
	assert_string_equal(m.accel, "");
}

static void kvm_that_works(void **state)
{
	(void)state;
	load("ubuntu-24.04");
	assert_string_equal(m.accel, "kvm");
}

static void kvm_closed_and_no_qemu(void **state)
{
	(void)state;
	load("kvm-closed");
	assert_true(m.kvm);
	assert_false(m.kvm_usable);
	assert_string_equal(m.qemu, "");
	assert_string_equal(m.lab_kernel, "");
	put_text("var/cache/unboxed/kernel/current/", "", 0);
	machine_read(&m, root);
	assert_string_equal(m.lab_kernel, "/var/cache/unboxed/kernel/current");
}

static void modules_are_found_in_each_place(void **state)
{
	(void)state;
	static const char dep[] = "kernel/net/802/stp.ko.xz: kernel/net/llc/llc.ko.xz\n"
				  "kernel/drivers/net/veth.ko.zst:\n";
	load("v2-session");
	assert_false(m.modules);
	assert_false(machine_module(&m, root, "veth"));
	assert_rule(PROBE_MODULE, "veth", EOPNOTSUPP, "no kernel module veth",
		"/lib/modules/6.1.0-37-amd64 is gone", NULL);
	put_text("lib/modules/6.1.0-37-amd64/modules.dep", dep, 0644);
	put_text("lib/modules/6.1.0-37-amd64/modules.builtin", "kernel/fs/fuse/fuse.ko\n", 0644);
	put_text("proc/modules", "overlay 1 0 - Live 0x0\n", 0644);
	put_text("sys/module/bridge/", "", 0);
	machine_read(&m, root);
	assert_true(m.modules);
	assert_true(machine_module(&m, root, "veth"));
	assert_true(machine_module(&m, root, "stp"));
	assert_true(machine_module(&m, root, "fuse"));
	assert_true(machine_module(&m, root, "overlay"));
	assert_true(machine_module(&m, root, "bridge"));
	assert_false(machine_module(&m, root, "llc")); /* only named as needed by another */
	assert_false(machine_module(&m, root, "over"));
	assert_false(machine_module(&m, root, "eth"));
	assert_rule(PROBE_MODULE, "zram", EPERM, "no kernel module zram", "sudo modprobe zram",
		"sudo modprobe -r zram");
}

/* ---- Errors -------------------------------------------------------------------------- */

static void an_empty_machine_is_unknown(void **state)
{
	(void)state;
	machine_read(&m, root);
	assert_string_equal(m.release, "");
	assert_int_equal(m.kernel_major, 0);
	assert_int_equal(m.uid, -1);
	assert_int_equal(m.seccomp, -1);
	assert_int_equal(m.page_size, 0);
	assert_int_equal(m.mem_available, -1);
	assert_int_equal(m.cpus, 0);
	assert_int_equal(m.userns_clone, -1);
	assert_int_equal(m.userns_max, -1);
	assert_false(m.root);
	assert_false(m.swap);
	assert_false(m.kvm);
	assert_int_equal(m.cgroup, MACHINE_CGROUP_NONE);
	assert_int_equal(machine_controller(&m, "memory"), MACHINE_CONTROLLER_NO_MOUNT);
	assert_rule(PROBE_CONTROLLER, "memory", 0, "no cgroup2 file system is mounted",
		"sudo mount -t cgroup2", "sudo umount");
	assert_rule(PROBE_MEMORY, "1048576", 0, "1 MiB of memory are needed, and", "end", NULL);
	assert_rule(PROBE_KERNEL, "6.6", 0, "this is unknown", "/proc/sys/kernel/osrelease", NULL);
	machine_read(&m, "/nonexistent");
	assert_int_equal(m.uid, -1);
}

static void what_cannot_be_read_is_told(void **state)
{
	(void)state;
	char path[PATH_MAX + 64];
	put_text("proc/self/mountinfo", "", 0644);
	machine_read(&m, root);
	assert_int_equal(m.error, 0);
	snprintf(path, sizeof(path), "%s/proc/self/mountinfo", root);
	assert_return_code(unlink(path), errno);
	assert_return_code(
		symlink("/proc/self/mem", path), errno); /* nothing is mapped at 0: EIO */
	machine_read(&m, root);
	assert_int_equal(m.error, EIO);
	assert_string_equal(m.cgroup_mount, "");
}

static void garbage_is_unknown(void **state)
{
	(void)state;
	static const char *const files[] = {"proc/self/status", "proc/self/mountinfo",
		"proc/self/cgroup", "proc/self/uid_map", "proc/self/smaps", "proc/meminfo",
		"proc/swaps", "proc/cmdline", "proc/sys/kernel/osrelease",
		"proc/sys/user/max_user_namespaces"};
	static const char *const texts[] = {"", "\n\n\n", ":::\n::\n - \n", "\0\0x\n",
		"Uid:\tx\nGid:\nCapEff:\t\nSeccomp:\tno\nCpus_allowed_list:\t3-1,,x\nPid:\t-5\n",
		"1 2 3 / /sys/fs/cgroup rw - cgroup2\n1 2 3 / rw - cgroup2 x rw\n - cgroup2 c rw\n",
		"0:\n0::\n1:memory\n:\n", "KernelPageSize:\nMemAvailable: lots\n/\n", "6.x\n"};

	for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++) {
		for (size_t f = 0; f < sizeof(files) / sizeof(files[0]); f++)
			put_file(files[f], texts[t], t == 3 ? 4 : strlen(texts[t]), 0644);
		machine_read(&m, root);
		assert_int_equal(m.uid, -1);
		assert_false(m.root);
		assert_int_equal(m.cpus, 0);
		assert_int_equal(m.kernel_major, 0);
		assert_int_equal(m.mem_available, -1);
		assert_int_equal(m.userns_max, t == 5 ? 1 : -1);
		assert_string_equal(m.cgroup_mount, "");
	}
}

static void long_lines_do_no_harm(void **state)
{
	(void)state;
	static char line[300000];
	char want[PATH_MAX];

	/* A list of controllers longer than its place is cut between two of them. */
	load("v2-delegated");
	memset(line, 'x', sizeof(line));
	memcpy(line, "memory pids ", 12);
	put_file("sys/fs/cgroup/d/cgroup.controllers", line, sizeof(line), 0644);
	machine_read(&m, root);
	assert_string_equal(m.controllers, "memory pids");

	/* A mount point or group that is longer than a path can be is not there. */
	memset(line, 'm', sizeof(line));
	memcpy(line, "9 1 0:2 / /", 11);
	strcpy(line + sizeof(line) - 40, " rw - cgroup2 none rw\n");
	put_text("proc/self/mountinfo", line, 0644);
	machine_read(&m, root);
	assert_string_equal(m.cgroup_mount, "");
	assert_string_equal(m.group, "");

	/* The longest group whose files still have paths gives rules that are cut, not broken. */
	load("v2-session");
	strcpy(m.group, "/sys/fs/cgroup/");
	memset(m.group + strlen(m.group), 'g', sizeof(m.group) - strlen(m.group) - 1);
	rules_explain(PROBE_CONTROLLER, "memory", 0, &m, &miss);
	assert_int_equal(strlen(miss.what), sizeof(miss.what) - 1);
	assert_contains(miss.remedy, "Delegate=yes");
	snprintf(want, sizeof(want), "cgroup v2: our group /ggg");
	assert_memory_equal(miss.what, want, strlen(want));
}

static void a_mount_point_with_blanks(void **state)
{
	(void)state;
	static const char mountinfo[] =
		"30 23 0:26 / /my\\040cgroups rw,relatime - cgroup2 cgroup2 rw\n"
		"31 23 0:26 /a /bind rw,relatime shared:1 master:2 - cgroup2 cgroup2 rw\n";
	put_text("proc/self/mountinfo", mountinfo, 0644);
	put_text("proc/self/cgroup", "0::/a/b\n", 0644);
	machine_read(&m, root);
	assert_string_equal(m.cgroup_mount, "/my cgroups");
	assert_string_equal(m.group, "");
	/* The bind mount of our group's parent shows it as well, and the first one does not. */
	put_text("bind/b/cgroup.procs", "", 0644);
	machine_read(&m, root);
	assert_string_equal(m.cgroup_mount, "/bind");
	assert_string_equal(m.group, "/bind/b");
	put_text("my cgroups/a/b/cgroup.procs", "", 0644);
	machine_read(&m, root);
	assert_string_equal(m.group, "/my cgroups/a/b");
	/* /ab is not below /a. */
	put_text("proc/self/cgroup", "0::/ab\n", 0644);
	put_text("bindb/cgroup.procs", "", 0644);
	machine_read(&m, root);
	assert_string_equal(m.group, "");
}

static void words_are_whole_words(void **state)
{
	(void)state;
	assert_true(machine_has("cpu memory pids", "cpu"));
	assert_true(machine_has("cpuset cpu", "cpu"));
	assert_true(machine_has("cpu", "cpu"));
	assert_false(machine_has("cpuset memory", "cpu"));
	assert_false(machine_has("xcpu", "cpu"));
	assert_false(machine_has("", "cpu"));
	assert_false(machine_has("cpu", ""));
}

/* "WHAT; REMEDY; undo: UNDO" must come apart again: no text has a ';' or a newline. */
static void texts_are_lines_without_semicolons(void **state)
{
	(void)state;
	static const char *const machines[] = {"v1", "hybrid", "debian-10", "lab-vm",
		"v2-systemd-root", "v2-session", "v2-no-manager", "v2-user", "v2-busy",
		"v2-user-scope", "v2-read-only", "cgroup-ns", "raspberry", "ubuntu-24.04", "docker",
		"docker-user", "podman-rootless", "wsl1", "wsl2", "unshare-r", "no-net-ns",
		"ubuntu-22.04", "debian-12-v1"};
	static const int errors[] = {0, EPERM, EACCES, EINVAL, ENOSPC, ENOENT, EBUSY, EAGAIN,
		ETIMEDOUT, EOPNOTSUPP, 4000};

	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		load(machines[i]);
		for (int need = PROBE_ROOT; need <= PROBE_BLOCK; need++)
			for (size_t e = 0; e < sizeof(errors) / sizeof(errors[0]); e++) {
				rules_explain((enum probe_need)need, "io", errors[e], &m, &miss);
				assert_string_not_equal(miss.what, "");
				assert_string_not_equal(miss.remedy, "");
				assert_null(strpbrk(miss.what, ";\n"));
				assert_null(strpbrk(miss.remedy, ";\n"));
				assert_null(strpbrk(miss.undo, ";\n"));
			}
	}
}

static void each_controller_has_its_file(void **state)
{
	(void)state;
	assert_string_equal(rules_controller_file("memory"), "memory.max");
	assert_string_equal(rules_controller_file("cpuset"), "cpuset.cpus");
	assert_null(rules_controller_file("misc"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)
	static const struct CMUnitTest tests[] = {
		TEST(a_group_by_its_mode_bits),
		TEST(facts_from_odd_places),
		TEST(wsl_2_is_hybrid),
		TEST(wsl_1_can_do_nothing),
		TEST(swap_is_noticed),
		TEST(pages_of_64_kib),
		TEST(no_kvm),
		TEST(kvm_that_lies),
		TEST(kvm_that_works),
		TEST(kvm_closed_and_no_qemu),
		TEST(modules_are_found_in_each_place),
		TEST(an_empty_machine_is_unknown),
		TEST(what_cannot_be_read_is_told),
		TEST(garbage_is_unknown),
		TEST(long_lines_do_no_harm),
		TEST(a_mount_point_with_blanks),
		TEST(words_are_whole_words),
		TEST(texts_are_lines_without_semicolons),
		TEST(each_controller_has_its_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
