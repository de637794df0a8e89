/*
 * machine.c and probe_rules.c on recorded machines: machines/NAME.txt is unpacked
 * into a folder that is then read as if it were the root of this machine.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "machine/machine.h"
#include "machine/probe.h"

static struct machine m;
static struct probe_missing miss;
static char root[256];

/* ---- Unpacking ------------------------------------------------------------- */

/* Makes root/PATH with its folders. A mode that closes a folder comes in close_folders(). */
static void put_file(const char *path, const char *data, size_t size, mode_t mode)
{
	char full[PATH_MAX];
	int len = snprintf(full, sizeof(full), "%s/%s", root, path);
	assert_in_range(len, 1, sizeof(full) - 1);
	for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(full, 0755) < 0)
			assert_int_equal(errno, EEXIST);
		*slash = '/';
	}
	if (full[len - 1] == '/')
		return;
	unlink(full); /* an earlier one may be closed to us */
	FILE *f = fopen(full, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(full, mode), 0);
}

static void put_text(const char *path, const char *text, mode_t mode)
{
	put_file(path, text, strlen(text), mode);
}

/* "==> PATH [MODE] <==": cuts the line, and says where the file's text begins. */
static char *cut_header(char *line, char **path, unsigned int *mode)
{
	char *end = strstr(line, " <==\n");
	assert_non_null(end);
	*end = '\0';
	*path = line + strlen("==> ");
	char *space = strchr(*path, ' ');
	*mode = end[-1] == '/' ? 0755 : 0644;
	if (space) {
		*space = '\0';
		*mode = (unsigned int)strtoul(space + 1, NULL, 8);
		assert_int_not_equal(*mode, 0);
	}
	return end + strlen(" <==\n");
}

static char *slurp(const char *path)
{
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	char *text = calloc(1, 1 << 20);
	size_t size = fread(text, 1, (1 << 20) - 1, f);
	assert_in_range(size, 1, (1 << 20) - 2);
	fclose(f);
	return text;
}

/* Two rounds: what lies in a folder must be made before the folder is closed. */
static void unpack(const char *name)
{
	char path[2 * PATH_MAX], *file;
	const char *here = strrchr(__FILE__, '/');
	unsigned int mode;

	snprintf(path, sizeof(path), "%.*s../machines/%s.txt",
		here ? (int)(here - __FILE__) + 1 : 0, __FILE__, name);
	char *text = slurp(path);
	for (int round = 0; round < 2; round++) {
		char *copy = strdup(text), *next;
		for (char *line = strstr(copy, "==> "); line; line = next) {
			char *data = cut_header(line, &file, &mode);
			next = strstr(data, "\n==> ");
			/* tail(1) parts two files by a newline that belongs to neither. */
			size_t size = next ? (size_t)(next - data) : strlen(data);
			if (next)
				next++;
			if (round == 0)
				put_file(file, data, size, mode);
			else if (file[strlen(file) - 1] == '/') {
				snprintf(path, sizeof(path), "%s/%s", root, file);
				assert_int_equal(chmod(path, mode), 0);
			}
		}
		free(copy);
	}
	free(text);
}

static int open_folder(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	return type == FTW_D ? chmod(path, 0755) : 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int make_root(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "%s/test_machine.XXXXXX", getenv("TMPDIR") ?: "/tmp");
	setenv("HOME", "/home/ada", 1);
	unsetenv("XDG_CACHE_HOME");
	return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
	(void)state;
	nftw(root, open_folder, 8, FTW_PHYS);
	return nftw(root, remove_one, 8, FTW_PHYS | FTW_DEPTH);
}

static void load(const char *name)
{
	remove_root(NULL); /* a test may load several */
	make_root(NULL);
	unpack(name);
	machine_read(&m, root);
}

/* ---- Asserting -------------------------------------------------------------- */

static void assert_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' does not contain '%s'", text, part);
}

/* The rule's three texts contain these parts; undo NULL: there is nothing to take back. */
static void assert_rule(enum probe_need need, const char *arg, int err, const char *what,
	const char *remedy, const char *undo)
{
	rules_explain(need, arg, err, &m, &miss);
	assert_contains(miss.what, what);
	assert_contains(miss.remedy, remedy);
	if (undo)
		assert_contains(miss.undo, undo);
	else
		assert_string_equal(miss.undo, "");
}

/* ---- cgroups ------------------------------------------------------------------ */

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
		"systemd.unified_cgroup_hierarchy=1", "boot it without");
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
		"unified_cgroup_hierarchy=1", "without");
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
		"Delegate=cpu cpuset io memory pids", "unboxed.conf");
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

/* ---- Namespaces and containers -------------------------------------------------- */

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

static void a_kernel_without_namespaces(void **state)
{
	(void)state;
	load("v2-session");
	assert_rule(PROBE_NAMESPACE, "ipc", EINVAL, "no ipc namespace", "boot a kernel", NULL);
	assert_rule(PROBE_USER_NS, "", EINVAL, "(EINVAL)", "boot a kernel", NULL);
	assert_rule(PROBE_PROC, "", ETIMEDOUT, "(ETIMEDOUT)", "longer than 10 s", NULL);
	assert_rule(PROBE_PROC, "", ECHILD, "(ECHILD)", "try again", NULL);
	assert_rule(PROBE_USER_NS, "", EPERM, "(EPERM)", "leave the chroot", NULL);
	assert_rule(PROBE_TMPFS, "", EACCES, "no tmpfs may be mounted", "dmesg", NULL);
	assert_rule(PROBE_NAMESPACE, "time", EINVAL, "no time namespace", "boot a kernel", NULL);
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
	m.root = false;
	assert_rule(PROBE_NAMESPACE, "mnt", EPERM, "no mnt namespace", "root without CAP_SYS_ADMIN",
		NULL);
}

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
	assert_rule(PROBE_SWAP, "", 0, "swap is off", "swapon", "swapoff");
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
		"docker-user", "podman-rootless", "wsl1", "wsl2"};
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

/* ---- The probe itself, on this machine: whatever it finds, it leaves nothing ----------- */

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
	assert_int_equal(access("/tmp/proc", F_OK), -1);
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
	const struct CMUnitTest tests[] = {
		TEST(v1_has_no_group_for_us),
		TEST(hybrid_is_told_from_v2_by_the_controllers),
		TEST(hybrid_by_systemd_is_left_by_a_boot_parameter),
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
		TEST(apparmor_restricts_user_namespaces),
		TEST(user_namespaces_switched_off),
		TEST(user_namespaces_used_up),
		TEST(a_kernel_without_namespaces),
		TEST(docker_as_root),
		TEST(docker_as_an_ordinary_user),
		TEST(podman_without_root),
		TEST(a_container_of_another_kind),
		TEST(a_group_out_of_reach_in_a_container),
		TEST(root_without_its_powers),
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
		TEST(the_probe_tells_what_this_machine_lacks),
		TEST(facts_that_no_trial_is_needed_for),
		TEST(a_trial_that_cannot_begin_is_no_answer),
		TEST(the_probe_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
