/*
 * rules.c: each rule looks at what failed, at the kernel's answer and at
 * the facts of the machine, and touches nothing, so that recorded machines test
 * them. The order of the causes matters: the most certain one comes first.
 */
#define _GNU_SOURCE
#include "machine/rules.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The files and the kernel options of cgroup v2's controllers, cgroup-v2.rst. */
static const struct {
	const char *name, *file, *option;
} controllers[] = {
	{"memory", "memory.max", "CONFIG_MEMCG"},
	{"cpu", "cpu.max", "CONFIG_CFS_BANDWIDTH"},
	{"pids", "pids.max", "CONFIG_CGROUP_PIDS"},
	{"io", "io.max", "CONFIG_BLK_DEV_THROTTLING"},
	{"cpuset", "cpuset.cpus", "CONFIG_CPUSETS"},
};

const char *rules_controller_file(const char *controller)
{
	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++)
		if (strcmp(controllers[i].name, controller) == 0)
			return controllers[i].file;
	return NULL;
}

static const char *controller_option(const char *controller)
{
	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++)
		if (strcmp(controllers[i].name, controller) == 0)
			return controllers[i].option;
	return "it";
}

/* What does not fit is cut: a group's path may be longer than any line. */
__attribute__((format(printf, 3, 4))) static void put(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(buf, size, fmt, ap);
	va_end(ap);
}

#define WHAT(...) put(out->what, sizeof(out->what), __VA_ARGS__)
#define REMEDY(...) put(out->remedy, sizeof(out->remedy), __VA_ARGS__)
#define UNDO(...) put(out->undo, sizeof(out->undo), __VA_ARGS__)

/* " (EPERM)", or nothing when no call was made. */
static const char *reason(int err)
{
	static char text[32];
	const char *name = strerrorname_np(err);
	text[0] = '\0';
	if (err)
		put(text, sizeof(text), " (%s)", name ? name : "unknown error");
	return text;
}

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* ---- Containers ----------------------------------------------------------- */

/* A container is left by starting it again with other options of docker or podman run. */
static void start_container_with(
	const struct machine *m, const char *options, struct probe_missing *out)
{
	if (is(m->container, "other"))
		REMEDY("start this container with more rights, as docker does it with: docker run %s",
			options);
	else
		REMEDY("start the container with: %s run %s", m->container, options);
	UNDO("start the container without these options");
}

/* ---- User namespaces and what is done in them ------------------------------ */

static void what_namespace(
	enum probe_need need, const char *arg, int err, bool user, struct probe_missing *out)
{
	if (need == PROBE_USER_NS)
		WHAT("no user namespace%s%s", user ? " for an ordinary user" : "", reason(err));
	else if (need == PROBE_LIMITS)
		WHAT("the limits of a user namespace, /proc/sys/user, may not be written%s",
			reason(err));
	else if (need == PROBE_MAP)
		WHAT("a user namespace, but no id map may be written to it%s", reason(err));
	else if (need == PROBE_NAMESPACE)
		WHAT("no %s namespace of our own%s", arg, reason(err));
	else if (need == PROBE_TMPFS)
		WHAT("no tmpfs may be mounted in namespaces of our own%s", reason(err));
	else if (need == PROBE_OVERLAY)
		WHAT("no overlay may be mounted in namespaces of our own%s", reason(err));
	else
		WHAT("no fresh /proc may be mounted in namespaces of our own%s", reason(err));
}

/* The kernel said no (EPERM, EACCES, EROFS): who it may have been, the most certain one first. */
static void rule_refused(
	enum probe_need need, int err, const struct machine *m, struct probe_missing *out)
{
	bool user = m->uid != 0;

	if (user && need == PROBE_USER_NS && m->userns_clone == 0) {
		REMEDY("sudo sysctl kernel.unprivileged_userns_clone=1");
		UNDO("sudo sysctl kernel.unprivileged_userns_clone=0");
	} else if (user && m->userns_apparmor == 1) {
		REMEDY("AppArmor restricts them: "
		       "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0");
		UNDO("sudo sysctl kernel.apparmor_restrict_unprivileged_userns=1");
	} else if (((need == PROBE_PROC && m->proc_masked > 0) ||
			   (need == PROBE_LIMITS && m->container[0]))) {
		if (is(m->container, "podman"))
			start_container_with(m, "--security-opt unmask=ALL", out);
		else
			start_container_with(m, "--security-opt systempaths=unconfined", out);
	} else if (err == EROFS) {
		REMEDY("mount it writable (findmnt -T /proc/sys shows how it is mounted)");
	} else if (m->container[0] && user) {
		start_container_with(m,
			"--security-opt seccomp=unconfined --security-opt apparmor=unconfined",
			out);
	} else if (m->container[0]) {
		start_container_with(
			m, "--cap-add SYS_ADMIN --security-opt apparmor=unconfined", out);
	} else if (m->seccomp == 2) {
		REMEDY("a seccomp filter forbids it: start it outside of the sandbox (a service, a "
		       "flatpak, a snap) that set the filter");
	} else if (!user && !m->root) {
		REMEDY("we are root without CAP_SYS_ADMIN: become root with all capabilities, or an "
		       "ordinary user");
	} else if (need == PROBE_USER_NS) {
		REMEDY("leave the chroot, if this is one, or else a security module forbids it (look at: "
		       "sudo dmesg)");
	} else {
		REMEDY("a security module may forbid it (look at: sudo dmesg)");
	}
}

static void rule_namespace(enum probe_need need, const char *arg, int err, const struct machine *m,
	struct probe_missing *out)
{
	bool refused = err == EPERM || err == EACCES || err == EROFS;
	bool user = m->uid != 0; /* then all of it hangs on a user namespace */

	what_namespace(need, arg, err, user, out);
	if (m->wsl == 1) {
		REMEDY("WSL 1 has no Linux kernel: in Windows, wsl --set-version DISTRIBUTION 2");
		UNDO("in Windows, wsl --set-version DISTRIBUTION 1");
	} else if (err == ETIMEDOUT) {
		REMEDY("it took longer than %d s: try again when the machine is less busy",
			PROBE_SECONDS);
	} else if (err == ECHILD) {
		REMEDY("the trial was killed (short of memory? sudo dmesg tells): try again");
	} else if (err == ENOSPC && need == PROBE_USER_NS) {
		REMEDY("sudo sysctl user.max_user_namespaces=%d",
			m->userns_max > 9999 ? 100000 : 10000);
		UNDO("sudo sysctl user.max_user_namespaces=%lld",
			m->userns_max < 0 ? 0 : m->userns_max);
	} else if (err == ENOSPC && need == PROBE_NAMESPACE) {
		REMEDY("all that are allowed are in use: sudo sysctl user.max_%s_namespaces=100000",
			arg);
		UNDO("set user.max_%s_namespaces back to what it was", arg);
	} else if (err == ENODEV && need == PROBE_OVERLAY) {
		REMEDY("sudo modprobe overlay");
		UNDO("sudo modprobe -r overlay");
	} else if (err == EINVAL || err == ENOSYS || err == ENODEV) {
		REMEDY("boot a newer kernel, built with namespaces (zgrep _NS= /proc/config.gz)");
	} else if (refused) {
		rule_refused(need, err, m, out);
	} else {
		REMEDY("a security module may forbid it (look at: sudo dmesg)");
	}
}

static void rule_root(const struct machine *m, struct probe_missing *out)
{
	WHAT("we are not root of this machine");
	if (m->uid != 0)
		REMEDY("put sudo in front");
	else if (!m->first_user)
		REMEDY("leave the user namespace in which we are root, and become root outside");
	else if (m->container[0])
		start_container_with(
			m, "--cap-add SYS_ADMIN --security-opt apparmor=unconfined", out);
	else
		REMEDY("become root with all capabilities (CAP_SYS_ADMIN is missing)");
}

/* ---- Controllers ------------------------------------------------------------ */

static void what_controller(const char *name, int err, enum machine_controller state,
	const struct machine *m, struct probe_missing *out)
{
	const char *mount = m->cgroup_mount;
	const char *group = m->group + (m->group[0] ? strlen(mount) : 0);

	if (!group[0])
		group = "/";
	switch (state) {
	case MACHINE_CONTROLLER_NO_MOUNT:
		WHAT("cgroup v2: no %s controller, no cgroup2 file system is mounted", name);
		break;
	case MACHINE_CONTROLLER_V1:
		WHAT("cgroup v2: the %s controller is bound to v1 (this machine is %s)", name,
			m->cgroup == MACHINE_CGROUP_HYBRID ? "hybrid" : "v1");
		break;
	case MACHINE_CONTROLLER_DISABLED:
		WHAT("cgroup v2: the %s controller is switched off by a boot parameter", name);
		break;
	case MACHINE_CONTROLLER_NONE:
		WHAT("cgroup v2: this kernel has no %s controller", name);
		break;
	case MACHINE_CONTROLLER_NO_GROUP:
		WHAT("cgroup v2: no %s controller, our group is not below %s", name, mount);
		break;
	case MACHINE_CONTROLLER_READ_ONLY:
		WHAT("cgroup v2: no %s controller for us, %s is read-only", name, mount);
		break;
	case MACHINE_CONTROLLER_NOT_OURS:
		WHAT("cgroup v2: our group %s is not delegated to us, so no %s controller", group,
			name);
		break;
	case MACHINE_CONTROLLER_NOT_GIVEN:
		WHAT("cgroup v2: no %s controller for us, our group %s is not given it", name,
			group);
		break;
	case MACHINE_CONTROLLER_ROOT_OFF:
		WHAT("cgroup v2: no %s controller for us, the root group has not enabled it", name);
		break;
	case MACHINE_CONTROLLER_BUSY:
		WHAT("cgroup v2: no %s controller for us, in our group %s sit %d other processes (EBUSY)",
			name, group, m->group_others);
		break;
	case MACHINE_CONTROLLER_READY:
	case MACHINE_CONTROLLER_LEAF:
		WHAT("cgroup v2: %s seems ours, but a group below %s cannot be used%s", name, group,
			reason(err));
		break;
	}
}

static void boot_with_v2(const struct machine *m, struct probe_missing *out)
{
	if (m->wsl == 2) {
		REMEDY("in Windows put kernelCommandLine=cgroup_no_v1=all under [wsl2] in "
		       "%%USERPROFILE%%\\.wslconfig, then: wsl --shutdown");
		UNDO("take that line out of .wslconfig, then: wsl --shutdown");
	} else if (m->container[0]) {
		REMEDY("boot the machine under this container with systemd.unified_cgroup_hierarchy=1");
		UNDO("boot it without that parameter");
	} else if (m->systemd) {
		REMEDY("add systemd.unified_cgroup_hierarchy=1 to GRUB_CMDLINE_LINUX in "
		       "/etc/default/grub, then: sudo update-grub && sudo reboot");
		UNDO("take it out of /etc/default/grub, then: sudo update-grub && sudo reboot");
	} else {
		REMEDY("boot with the kernel parameter cgroup_no_v1=all and mount cgroup2");
		UNDO("boot without that parameter");
	}
}

/* v2 is there, but not for us: a group of our own, with the controller in it, is the way. */
static void get_a_group(const char *name, const struct machine *m, struct probe_missing *out)
{
	const char *mount = m->cgroup_mount;

	if (m->systemd && m->uid == 0) {
		REMEDY("systemd-run --scope -p Delegate=yes COMMAND");
	} else if (m->systemd && !m->user_manager_runs) {
		REMEDY("systemd runs no manager for our user: sudo loginctl enable-linger $USER && "
		       "export XDG_RUNTIME_DIR=/run/user/$(id -u)");
		UNDO("sudo loginctl disable-linger $USER");
	} else if (m->systemd && !machine_has(m->user_manager, name)) {
		REMEDY("sudo mkdir -p /etc/systemd/system/user@.service.d && printf "
		       "'[Service]\\nDelegate=cpu cpuset io memory pids\\n' | sudo tee "
		       "/etc/systemd/system/user@.service.d/unboxed.conf && "
		       "sudo systemctl daemon-reload, then log out and in again");
		UNDO("sudo rm /etc/systemd/system/user@.service.d/unboxed.conf && "
		     "sudo systemctl daemon-reload");
	} else if (m->systemd) {
		REMEDY("systemd-run --user --scope -p Delegate=yes COMMAND");
	} else if (m->container[0]) {
		start_container_with(m, "--privileged --cgroupns=private", out);
	} else if (!m->all[0]) {
		/* The real root group is out of sight: below what we see nobody can give it. */
		REMEDY("outside of this cgroup namespace, in the group above ours: "
		       "echo +%s | sudo tee cgroup.subtree_control",
			name);
		UNDO("there: echo -%s | sudo tee cgroup.subtree_control", name);
	} else {
		REMEDY("sudo sh -c \"echo +%s > %s/cgroup.subtree_control && mkdir -p %s/unboxed && "
		       "chown -R %lld %s/unboxed && echo $$ > %s/unboxed/cgroup.procs\"",
			name, mount, mount, m->uid, mount, mount);
		UNDO("leave this shell, then: sudo rmdir %s/unboxed", mount);
	}
}

static void rule_no_mount(const struct machine *m, struct probe_missing *out)
{
	if (m->cgroup == MACHINE_CGROUP_V1) {
		boot_with_v2(m, out);
	} else if (m->container[0]) {
		start_container_with(m, "--privileged --cgroupns=private", out);
	} else {
		REMEDY("sudo mount -t cgroup2 cgroup2 /sys/fs/cgroup");
		UNDO("sudo umount /sys/fs/cgroup");
	}
}

static void rule_read_only(const struct machine *m, struct probe_missing *out)
{
	if (m->container[0]) {
		start_container_with(m, "--privileged --cgroupns=private", out);
	} else {
		REMEDY("sudo mount -o remount,rw %s", m->cgroup_mount);
		UNDO("sudo mount -o remount,ro %s", m->cgroup_mount);
	}
}

/* By the facts it is ours, and a group that was made could not have it. */
static void rule_trial(
	const char *name, int err, const struct machine *m, struct probe_missing *out)
{
	if (err == ENOENT)
		REMEDY("boot a kernel that was built with %s", controller_option(name));
	else if (err == EAGAIN)
		REMEDY("remove groups below ours: cgroup.max.descendants is reached");
	else if (err == ECHILD)
		REMEDY("the trial was killed (short of memory? sudo dmesg tells): try again");
	else if (err == ETIMEDOUT)
		REMEDY("it took longer than %d s: try again when the machine is less busy",
			PROBE_SECONDS);
	else
		get_a_group(name, m, out);
}

static void rule_controller(
	const char *name, int err, const struct machine *m, struct probe_missing *out)
{
	enum machine_controller state = machine_controller(m, name);

	what_controller(name, err, state, m, out);
	if (m->wsl == 1) {
		REMEDY("WSL 1 has no Linux kernel: in Windows, wsl --set-version DISTRIBUTION 2");
		UNDO("in Windows, wsl --set-version DISTRIBUTION 1");
		return;
	}
	switch (state) {
	case MACHINE_CONTROLLER_NO_MOUNT:
		rule_no_mount(m, out);
		break;
	case MACHINE_CONTROLLER_V1:
		boot_with_v2(m, out);
		break;
	case MACHINE_CONTROLLER_DISABLED:
		REMEDY("take cgroup_disable=%s out of the boot parameters (on a Raspberry Pi add "
		       "cgroup_enable=%s to them) and reboot",
			name, name);
		UNDO("put the boot parameters back and reboot");
		break;
	case MACHINE_CONTROLLER_NONE:
		REMEDY("boot a kernel that was built with %s", controller_option(name));
		break;
	case MACHINE_CONTROLLER_NO_GROUP:
		if (m->container[0])
			start_container_with(m, "--privileged --cgroupns=private", out);
		else
			REMEDY("start it in a shell whose group (cat /proc/self/cgroup) is below that "
			       "mount: outside of this cgroup or mount namespace");
		break;
	case MACHINE_CONTROLLER_READ_ONLY:
		rule_read_only(m, out);
		break;
	case MACHINE_CONTROLLER_ROOT_OFF:
		REMEDY("echo +%s | sudo tee %s/cgroup.subtree_control", name, m->cgroup_mount);
		UNDO("echo -%s | sudo tee %s/cgroup.subtree_control", name, m->cgroup_mount);
		break;
	case MACHINE_CONTROLLER_NOT_OURS:
	case MACHINE_CONTROLLER_NOT_GIVEN:
	case MACHINE_CONTROLLER_BUSY:
		get_a_group(name, m, out);
		break;
	case MACHINE_CONTROLLER_READY:
	case MACHINE_CONTROLLER_LEAF:
		rule_trial(name, err, m, out);
		break;
	}
}

/* ---- The rest ----------------------------------------------------------------- */

static void rule_module(
	const char *name, int err, const struct machine *m, struct probe_missing *out)
{
	WHAT("no kernel module %s%s", name, reason(err));
	if (m->container[0]) {
		REMEDY("load it on the machine under this container: sudo modprobe %s", name);
		UNDO("there: sudo modprobe -r %s", name);
	} else if (m->wsl == 2) {
		REMEDY("get a newer kernel: in Windows, wsl --update && wsl --shutdown");
	} else if (!m->modules) {
		REMEDY("/lib/modules/%s is gone, as after an update of the kernel: sudo reboot",
			m->release);
	} else {
		REMEDY("install the rest of the kernel's modules (Ubuntu: sudo apt install "
		       "linux-modules-extra-%s), then: sudo modprobe %s",
			m->release, name);
		UNDO("sudo modprobe -r %s", name);
	}
}

static void rule_memory(const char *arg, const struct machine *m, struct probe_missing *out)
{
	long long need = strtoll(arg, NULL, 10) >> 20;

	if (m->mem_available < 0)
		WHAT("%lld MiB of memory are needed, and /proc/meminfo does not say what is available",
			need);
	else
		WHAT("%lld MiB of memory are needed, %lld MiB are available", need,
			m->mem_available >> 20);
	REMEDY("end what uses the memory (ps aux --sort -rss | head)");
}

static void rule_block(int err, const char *arg, struct probe_missing *out)
{
	if (err)
		WHAT("the scratch block device %s may not be read%s", arg, reason(err));
	else
		WHAT("no scratch block device: only the lab VM has one that holds nothing of value");
	REMEDY("%s", err ? "put sudo in front" : "WHERE=vm");
}

static void rule_kernel(const char *arg, const struct machine *m, struct probe_missing *out)
{
	WHAT("Linux %s or later is needed, this is %s", arg,
		m->release[0] ? m->release : "unknown");
	if (!m->release[0])
		REMEDY("mount /proc so that /proc/sys/kernel/osrelease can be read");
	else if (m->wsl)
		REMEDY("in Windows, wsl --update && wsl --shutdown");
	else
		REMEDY("boot a newer kernel");
}

void rules_explain(enum probe_need need, const char *arg, int err, const struct machine *m,
	struct probe_missing *out)
{
	memset(out, 0, sizeof(*out));
	switch (need) {
	case PROBE_ROOT:
		rule_root(m, out);
		break;
	case PROBE_USER_NS:
	case PROBE_MAP:
	case PROBE_LIMITS:
	case PROBE_NAMESPACE:
	case PROBE_TMPFS:
	case PROBE_OVERLAY:
	case PROBE_PROC:
		rule_namespace(need, arg, err, m, out);
		break;
	case PROBE_CONTROLLER:
		rule_controller(arg, err, m, out);
		break;
	case PROBE_MODULE:
		rule_module(arg, err, m, out);
		break;
	case PROBE_KERNEL:
		rule_kernel(arg, m, out);
		break;
	case PROBE_CPUS:
		WHAT("%s CPUs are needed, we may run on %d", arg, m->cpus);
		REMEDY("give this machine more CPUs, or this shell (taskset -pc $$ shows which it has)");
		break;
	case PROBE_MEMORY:
		rule_memory(arg, m, out);
		break;
	case PROBE_SWAP:
		WHAT("swap is off");
		REMEDY("sudo fallocate -l 1G /swapfile && sudo chmod 600 /swapfile && "
		       "sudo mkswap /swapfile && sudo swapon /swapfile");
		UNDO("sudo swapoff /swapfile && sudo rm /swapfile");
		break;
	case PROBE_UPTIME:
		WHAT("this 32-bit kernel panics when a disk is limited in its first 300 seconds");
		REMEDY("wait %s seconds", arg);
		break;
	case PROBE_BLOCK:
		rule_block(err, arg, out);
	}
}
