/*
 * rules_cgroup.c: the rules for the controllers of cgroup v2.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "machine/remedy.h"

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
		REMEDY("boot the machine under this container with%s %s",
			m->unified_off[0] ? "out" : "",
			m->unified_off[0] ? m->unified_off : "systemd.unified_cgroup_hierarchy=1");
		UNDO("boot it as it was booted now");
	} else if (m->systemd && m->unified_off[0]) {
		REMEDY("take %s out of /etc/default/grub, then: sudo update-grub && sudo reboot",
			m->unified_off);
		UNDO("put it back into /etc/default/grub, then: sudo update-grub && sudo reboot");
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

	if (root_inside(m)) {
		REMEDY("%s", leave_it);
	} else if (m->systemd && m->uid == 0) {
		REMEDY("systemd-run --scope -p Delegate=yes COMMAND");
	} else if (m->systemd && !m->user_manager_runs) {
		REMEDY("systemd runs no manager for our user: sudo loginctl enable-linger $USER && "
		       "export XDG_RUNTIME_DIR=/run/user/$(id -u)");
		UNDO("sudo loginctl disable-linger $USER");
	} else if (m->systemd && !machine_has(m->user_manager, name)) {
		REMEDY("put sudo in front, or: sudo mkdir -p /etc/systemd/system/user@.service.d && printf "
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

void rule_controller(const char *name, int err, const struct machine *m, struct probe_missing *out)
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
