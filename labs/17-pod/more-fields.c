/*
 * Fields of the manifest that change what a Pod shares: one PID namespace for all its containers, a
 * user namespace for the Pod, a limit for the whole Pod, and what the kernel is told to spare.
 * pid_namespaces(7), user_namespaces(7), cgroup-v2.rst
 */
#define _GNU_SOURCE
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "pod.h"
#include "words.h"

static const struct lab_part parts[] = {
	{.name = "negative",
		.title = "Start a Guaranteed Pod, as root.",
		.expect = "its oom_score_adj is -997, which only root may set",
		.needs = {.root = true}},
	{0},
};

static const struct lab lab = {
	.id = "17-pod/more-fields",
	.title = "Fields that change what a Pod shares",
	.goal = "shareProcessNamespace, hostUsers and spec.resources are fields of a manifest. Each "
		"becomes a flag of clone3() or a file of a group, and each has consequences.",
	.manual = "clone(2) setns(2) pid_namespaces(7) user_namespaces(7) cgroups(7)",
	.teaches = "clone3:CLONE_NEWUSER clone3:CLONE_NEWPID setns:CLONE_NEWPID file:uid_map",
	.after = "17-pod",
	.needs = {.root = true,
		.proc_mount = true,
		.overlay = true,
		.controllers = "cpu memory pids",
		.modules = "veth bridge",
		.kernel = "5.7"},
	.parts = parts,
	.words = &fields_words,
	.own_root = true,
	.story_only = true,
};

static void show_containers(const struct sandbox *s)
{
	lab_look("ls -l /proc/%d/ns /proc/%d/ns", s->containers[0].pid, s->containers[1].pid);
	lab_wait(s->containers[0].pid);
}

/* Does a container find the other's environment in its /proc? 0 when it does: grep's status. */
static int reads_environment(const struct pod_container *r)
{
	return run_in(r,
		(char *[]){"sh", "-c", "grep -qa PASSWORD=hidden /proc/[0-9]*/environ", NULL},
		NULL);
}

static int ended(const struct sandbox *s)
{
	int count = 0;
	for (size_t i = 0; i < s->count; i++)
		count += child_ended(s->containers[i].pid, 0);
	return count;
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	read_host_namespaces();
	life_told = true;

	lab_step("Control: start a Pod without these fields.", NULL);
	struct sandbox *web = run_pod(POD("web", "other", TWO(SLEEP, SLEEP)), 0);

	lab_step("Start a Pod with shareProcessNamespace.",
		"each container can read the environment of the other");
	struct sandbox *shared = run_pod(
		POD("shared", "other", "  shareProcessNamespace: true\n" TWO(SLEEP, SLEEP)), 0);
	autofree char *with_pid =
		namespaces_of_both(shared->containers[0].pid, shared->containers[1].pid);
	autofree char *pids = proc_status(shared->pause, "NSpid"),
		      *pause_is_1 = text("%d 1", shared->pause);
	expect_str("shared: namespaces", "ipc net pid user uts", with_pid);
	expect_str("shared: pause is PID 1", pause_is_1, pids);
	autofree char *of_name =
		namespaces_of_both(web->containers[0].pid, shared->containers[0].pid);
	expect_str("with web, of its metadata.namespace", "user", of_name);
	expect_int("shared: one reads two's environment", 0,
		reads_environment(&shared->containers[0]));
	expect_int("not shared: it finds none", 1, reads_environment(&web->containers[0]));
	autofree char *root_of_1 = NULL, *capabilities = proc_status(shared->pause, "CapBnd");
	run_in(&shared->containers[0], (char *[]){"ls", "-A", "/proc/1/root/", NULL}, &root_of_1);
	root_of_1[strcspn(root_of_1, "\n")] = '\0';
	expect_str("shared: pause's root holds", "nothing", *root_of_1 ? root_of_1 : "nothing");
	expect_str("shared: pause's capabilities", "0000000000000000", capabilities);
	show_containers(shared);

	lab_step("Kill pause in that Pod.",
		"pause is its PID 1, so the kernel kills all its containers");
	MUST(kill(shared->pause, SIGKILL));
	child_ended(shared->containers[0].pid, 5000);
	child_ended(shared->containers[1].pid, 5000);
	expect_int("shared: containers that have ended", 2, ended(shared));
	expect_int("the other Pod: that have ended", 0, ended(web));

	lab_step("Start a Pod with hostUsers: false.",
		"root in it is an id that nobody has outside");
	struct sandbox *users =
		run_pod(POD("users", "other", "  hostUsers: false\n" TWO(SLEEP, SLEEP)), 0);
	autofree char *map_file = text("/proc/%d/uid_map", users->containers[0].pid),
		      *map = file_read(map_file);
	autofree char *uids = proc_status(users->containers[0].pid, "Uid");
	long long inside = -1, first = -1, count = 0;
	sscanf(map, "%lld %lld %lld", &inside, &first, &count);
	expect_int("users: ids that it has", 65536, count);
	expect_int("users: its root outside", first, atoll(uids));
	expect_range("users: that nobody has", 0x70000000, INT_MAX, first);
	expect_differ("users: its user namespace", ns_inode(0, "user"),
		ns_inode(users->containers[0].pid, "user"));
	show_containers(users);

	lab_step("Let two containers together exceed the limit of their Pod.",
		"the kernel kills, although each of them is below that limit");
	struct sandbox *whole = run_pod(
		POD("whole", "other",
			"  restartPolicy: Never\n  resources: {limits: {memory: 64Mi}}\n" TWO(
				"eat, 40M, '--hold'", "eat, 40M, '--hold'")),
		0);
	expect_int(
		"whole: the Pod's memory.max", 64 << 20, cg_read_long(whole->group, "memory.max"));
	bool killed = cg_wait_key(whole->group, "memory.events", "oom_kill", 1, 20000);
	expect_int("whole: the kernel has killed in it", true, killed);
	for (size_t i = 0; i < whole->count && killed; i++)
		child_ended(whole->containers[i].pid, 1000);
	expect_range("whole: containers that have ended", 1, 2,
		ended(whole)); /* whose they are, it chooses */

	if (lab_part("negative")) {
		struct sandbox *safe =
			run_pod(POD("safe", "other",
					"  containers:\n"
					"  - {name: one, image: busybox, command: [" SLEEP "],\n"
					"     resources: {limits: {cpu: 100m, memory: 32Mi}}}\n"),
				0);
		autofree char *file = text("/proc/%d/oom_score_adj", safe->containers[0].pid),
			      *score = file_read(file);
		expect_str("safe: QoS class", "Guaranteed", qos_names[pod_qos(safe->pod)]);
		expect_int("safe: oom_score_adj", -997, atoi(score));
	}

	lab_row("another's environment", "not visible", "readable", "one PID namespace");
	lab_row("pause is killed", "all live on", "all are killed", "PID 1");
	lab_row("root of the Pod, outside", "root", "an unused id", "hostUsers: false");
	lab_row("both over the limit", "-", "one is killed", "the Pod's memory.max");
	return lab_end();
}
