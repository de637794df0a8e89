/*
 * rules.c: each rule looks at what failed, at the kernel's answer and at
 * the facts of the machine, and touches nothing, so that recorded machines test
 * them. The order of the causes matters: the most certain one comes first.
 */
#define _GNU_SOURCE
#include "machine/remedy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	else if (need == PROBE_HOSTNAME)
		WHAT("the hostname of a UTS namespace of our own may not be set%s", reason(err));
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
	} else if (need == PROBE_USER_NS && root_inside(m)) {
		REMEDY("%s", leave_it);
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
	} else if (!user && !m->sys_admin) {
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
		long long max = machine_ns_max(m, arg);
		REMEDY("%s: sudo sysctl user.max_%s_namespaces=%d",
			max ? "all that are allowed are in use" : "none is allowed", arg,
			max > 9999 ? 100000 : 10000);
		if (max < 0)
			UNDO("set user.max_%s_namespaces back to what it was", arg);
		else
			UNDO("sudo sysctl user.max_%s_namespaces=%lld", arg, max);
	} else if (err == ENODEV && need == PROBE_OVERLAY) {
		REMEDY("sudo modprobe overlay");
		UNDO("sudo modprobe -r overlay");
	} else if (err == EINVAL || err == ENOSYS || err == ENODEV) {
		REMEDY("boot a newer kernel, built with namespaces (zgrep _NS= /proc/config.gz)");
	} else if (refused && is(arg, "time") && !user && m->sys_admin && m->container[0]) {
		start_container_with(m, "--cap-add SYS_TIME", out);
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
		REMEDY("%s, and become root outside", leave_it);
	else if (m->container[0])
		start_container_with(
			m, "--cap-add SYS_ADMIN --security-opt apparmor=unconfined", out);
	else
		REMEDY("become root with all capabilities (CAP_SYS_ADMIN is missing)");
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

static void rule_block(int err, const char *arg, const struct machine *m, struct probe_missing *out)
{
	if (err)
		WHAT("the scratch block device %s may not be read%s", arg, reason(err));
	else
		WHAT("no scratch block device: only the lab VM has one that holds nothing of value");
	REMEDY("%s", !err ? "WHERE=vm" : root_inside(m) ? leave_it : "put sudo in front");
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
	case PROBE_HOSTNAME:
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
		/* A name of our own: /swapfile may be there, and somebody's. */
		REMEDY("sudo fallocate -l 1G /swap-unboxed && sudo chmod 600 /swap-unboxed && "
		       "sudo mkswap /swap-unboxed && sudo swapon /swap-unboxed");
		UNDO("sudo swapoff /swap-unboxed && sudo rm /swap-unboxed");
		break;
	case PROBE_UPTIME:
		WHAT("this 32-bit kernel panics when a disk is limited in its first 300 seconds");
		REMEDY("wait %s seconds", arg);
		break;
	case PROBE_BLOCK:
		rule_block(err, arg, m, out);
	}
}
