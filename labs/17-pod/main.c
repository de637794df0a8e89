/*
 * A Pod, from its manifest to the kernel. In the order of its life:
 *
 *   manifest.c   what a manifest says, and how it is read
 *   sandbox.c    groups, volumes, pause, and a container that joins it: begin there
 *   kubelet.c    the loop: who has ended, why, and who is started again
 *   pod.h        names the other files
 *
 * namespaces(7), setns(2), cgroups(7)
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>

#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "pod.h"
#include "words.h"

/*
 * The example is part of the program, because the lab VM has the labs without their sources.
 */
#define EXAMPLE "labs/17-pod/pod.yaml"
__asm__(".section .rodata\n"
	"example: .incbin \"" EXAMPLE "\"\n"
	"example_end: .balign 8\n"
	"example_size: .quad example_end - example\n"
	".previous");
/* Hidden: on arm64 both would otherwise have one entry in the table of addresses, the example's. */
extern const char example[] __attribute__((visibility("hidden")));
extern const size_t example_size __attribute__((visibility("hidden")));

static const char *file;
static bool only_explain;
static const char *pod_name, *validate = "strict";
static long long pids, restarts = 3;
static struct lab_texts images;

static const char *wrong_image(const char *value)
{
	size_t name = strcspn(value, "=");
	return name && value[name] && !access(value + name + 1, X_OK)
		       ? NULL
		       : "NAME=DIR, such as web=/srv/web, a folder that is there";
}

static const char *wrong_pod(const char *value)
{
	return *value ? NULL : "the name of a Pod";
}

static const struct lab_option lab_options[] = {
	{"explain", LAB_FLAG, &only_explain,
		.help = "print what each line of the manifest becomes"},
	{"pod-pids-limit", LAB_NUMBER, &pids, 1, 4194304, "the Pod's limit of tasks, pids.max"},
	{"pod", LAB_TEXT, &pod_name, .help = "which Pod of MANIFEST", .wrong = wrong_pod},
	{"validate", LAB_CHOICE, &validate, .help = "a field that Kubernetes has not",
		.choices = "strict warn"},
	{"image", LAB_NAMED_PATH, &images, .help = "an image and its folder", .wrong = wrong_image},
	{"restarts", LAB_NUMBER, &restarts, 0, 100, "end MANIFEST's Pod after so many"},
	{0},
};

static const struct lab_option operands[] = {
	{"MANIFEST", LAB_PATH_IN, &file, .help = "a Pod in YAML to run instead of the story"},
	{0},
};

static const struct lab lab = {
	.id = "17-pod",
	.title = "A Pod, from its manifest to the kernel",
	.goal = "A Pod is a set of containers that share the namespaces of a process that does "
		"nothing. Line by line its manifest becomes system calls and files of cgroups.",
	.manual = "clone(2) setns(2) namespaces(7) cgroups(7) pidfd_open(2)",
	.teaches =
		"clone3:CLONE_NEWNET clone3:CLONE_NEWIPC clone3:CLONE_NEWUTS clone3:CLONE_PARENT "
		"setns:CLONE_NEWNET pidfd_open file:cpu.weight file:memory.max file:memory.events "
		"file:cgroup.kill",
	.after = "16-container",
	.needs = {.root = true,
		.proc_mount = true,
		.overlay = true,
		.controllers = "cpu memory pids",
		.modules = "veth bridge",
		.kernel = "5.7"},
	.options = lab_options,
	.operands = operands,
	.words = &words,
	.own_root = true,
};

static struct manifest manifest;

/* Reads at most one byte more than a manifest may have, which manifest_read() then reports. */
static const char *read_file(const char *path, size_t *size)
{
	FILE *in = fopen(path, "re");
	char *data = malloc(MANIFEST_MAX + 1);
	*size = in && data ? fread(data, 1, MANIFEST_MAX + 1, in) : 0;
	if (!in || !data || ferror(in))
		option_usage("%s: expected a file that can be read", path);
	fclose(in);
	return data;
}

/* With an error it ends the program with status 2. */
static void read_manifest(const char *name, const char *data, size_t size)
{
	if (manifest_read(&manifest, data, size, pod_name, !strcmp(validate, "warn")) &&
		(can_run_here(&manifest, images.value) || only_explain))
		return;
	fprintf(stderr, "%s:%d:%d: %s\n", name, manifest.error.at.line, manifest.error.at.column,
		manifest.error.message);
	manifest_free(&manifest);
	exit(2);
}

/* The scheduler's Fit plugin compares the requests with the node; nothing does so here. */
static void warn_pending(const char *name, const struct pod *p)
{
	struct sysinfo machine;
	sysinfo(&machine);
	long long memory = (long long)machine.totalram * machine.mem_unit;
	long long cpus = 1000LL * get_nprocs();
	if (pod_amount(p, false, CPU) > cpus)
		fprintf(stderr,
			"%s:%d:%d: warning: requests %lld thousandths of a CPU, and this machine has "
			"%lld: a Pod stays Pending (Insufficient cpu) on a node of this size, and runs "
			"here\n",
			name, p->at.line, p->at.column, pod_amount(p, false, CPU), cpus);
	if (pod_amount(p, false, MEMORY) > memory)
		fprintf(stderr,
			"%s:%d:%d: warning: requests %lld bytes of memory, and this machine has %lld: "
			"a Pod stays Pending (Insufficient memory) on a node of this size, and runs "
			"here\n",
			name, p->at.line, p->at.column, pod_amount(p, false, MEMORY), memory);
}

/* What is left out stands beside its line in --explain. */
static void print_warnings(const char *name)
{
	for (size_t i = 0; i < manifest.warnings.count; i++) {
		const struct problem *w = &manifest.warnings.item[i];
		if (!w->left_out || !only_explain)
			fprintf(stderr, "%s:%d:%d: warning: %s\n", name, w->at.line, w->at.column,
				w->message);
	}
	warn_pending(name, manifest.pod);
}

static struct sandbox pod;

/* COMMAND has its own session, so Ctrl-C reaches this process, which passes the signal on. */
static void keys_forward(const struct pod_container *r, int keys)
{
	struct pollfd fds[] = {{r->pidfd, POLLIN, 0}, {keys, POLLIN, 0}};
	struct signalfd_siginfo key;
	while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
		if (fds[0].revents)
			return;
		if (fds[1].revents && read(keys, &key, sizeof key) == sizeof key)
			syscall(SYS_pidfd_send_signal, r->pidfd, key.ssi_signo, NULL, 0);
	}
}

/* COMMAND runs instead of the first container's command; the other containers run beside it. */
static _Noreturn void hands_on(void)
{
	init_containers(&pod);
	sigset_t set; /* before there is a COMMAND, so that none comes too early */
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int keys = MUST(signalfd(-1, &set, SFD_CLOEXEC));
	for (size_t i = pod.regular; i-- > 0;)
		pod_container_start(&pod, &pod.containers[i], i ? NULL : lab_command);
	if (!pod.containers[0].pid)
		sys_on_die(NULL); /* the reason has been told */
	keys_forward(&pod.containers[0], keys);
	lab_exit_as(pod.containers[0].pid);
}

/* ---- The user's manifest: it runs until nothing runs any more, or to its number of restarts ----
 */

/* Microseconds in which all of its processes waited for memory: psi.rst. 0: this kernel does not
 * say. */
static long long stalled_us(const char *group)
{
	autofree char *path = text("%s/memory.pressure", group);
	autofree char *pressure = file_try_read(path);
	const char *full = pressure ? strstr(pressure, "full ") : NULL;
	const char *total = full ? strstr(full, "total=") : NULL;
	return total ? atoll(total + strlen("total=")) : 0;
}

/* A limit may leave no room for the program's own pages. Then the kernel reads them and takes them
 * away again without an end, and kills nobody. */
static void tell_stalled(const struct pod_container *r, int i)
{
	enum { WINDOW_S = 10, PART = 25 };
	static struct {
		pid_t pid;
		time_t since;
		long long before;
	} seen[64];
	time_t now = time(NULL);
	if (seen[i].pid == r->pid && now - seen[i].since < WINDOW_S)
		return;
	long long us = stalled_us(r->group), part = 0;
	if (seen[i].pid == r->pid)
		part = (us - seen[i].before) / 10000 / (now - seen[i].since);
	if (part > PART)
		lab_note("%s: for %d seconds it has waited for memory, %lld %% of the time "
			 "(memory.pressure, full). Raise limits.memory: the kernel takes the "
			 "program's pages away as fast as it reads them. Ctrl-C ends the lab.",
			r->spec->name, WINDOW_S, part);
	seen[i].pid = r->pid;
	seen[i].since = now;
	seen[i].before = us;
}

static bool told_enough(const struct sandbox *s)
{
	static int told[64];
	bool enough = false;
	for (size_t i = 0; i < s->count && i < 64; i++) {
		const struct pod_container *r = &s->containers[i];
		if (r->reason && !r->pid && told[i] == r->restarts) {
			lab_note("%s: %s, status %d, restarts %d%s%s", r->spec->name, r->reason,
				r->status, r->restarts, r->due >= 0 ? "; " : "",
				r->due >= 0 ? restart_words(r) : "");
			told[i]++;
		}
		if (r->pid)
			tell_stalled(r, (int)i);
		enough |= r->restarts >= restarts && r->reason && !r->pid && r->due >= 0;
	}
	return enough;
}

static int run_manifest(void)
{
	logs = true;
	lab_step("Run the Pod.", "the groups have the values of Kubernetes' formulas");
	if (!init_containers(&pod))
		return lab_end();
	for (size_t i = 0; i < pod.regular; i++) {
		struct pod_container *r = &pod.containers[i];
		struct group_values v = container_values(pod.pod, r->spec);
		autofree char *what = text("%s: cpu.weight", r->spec->name);
		pod_container_start(&pod, r, NULL);
		if (!r->pid)
			continue;
		expect_int(what, v.weight, cg_read_long(r->group, "cpu.weight"));
		lab_look("cat %s/memory.max", r->group);
	}
	lab_wait(pod.containers[0].pid);
	kubelet(&pod, told_enough, -1);
	told_enough(&pod); /* of the sidecars, which have ended last */
	return lab_end();
}

/* ---- What the story waits for in the loop, each at most so long ---- */

enum { PATIENCE_MS = 20000 };

static bool all_run(const struct sandbox *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (!s->containers[i].pid)
			return false;
	return true;
}

/* The second container has ended once, and all run again. */
static bool is_restarted(const struct sandbox *s)
{
	return s->containers[1].restarts == 1 && all_run(s);
}

static pid_t old_pause;

static bool is_new_sandbox(const struct sandbox *s)
{
	return s->pause != old_pause && all_run(s);
}

/* What server answers to another container at localhost, once it listens. Allocated. */
static char *ask_localhost(const struct pod_container *r)
{
	char *said, *command[] = {"timeout", "20", "sh", "-c",
			    "until wget -q -O - http://localhost:8080; do sleep 0.1; done", NULL};
	run_in(r, command, &said);
	said[strcspn(said, "\n")] = '\0';
	return said;
}

static void show_sandbox(const struct sandbox *s)
{
	lab_look("find %s/ -name cgroup.procs | xargs grep .", s->group);
	for (size_t i = 0; i < s->count; i++)
		if (s->containers[i].pid)
			lab_look("ls -l /proc/%d/ns", s->containers[i].pid);
	lab_wait(s->containers[0].pid);
}

int main(int argc, char *argv[])
{
	bool asked_to_act = lab_parse(&lab, argc, argv);
	const char *name = EXAMPLE, *data = example;
	size_t size = example_size;
	if (file)
		data = read_file(name = file, &size);
	read_manifest(name, data, size);
	if (asked_to_act)
		print_warnings(name);
	if (asked_to_act && only_explain) {
		explain_manifest(&manifest, data, size, pod_name ? manifest.pod : NULL, pids);
		return 0;
	}
	if (lab_command)
		refuse_folder_stdio();
	lab_begin(&lab, argc, argv);
	program_expect_protected();
	read_host_namespaces();
	pod.pod = manifest.pod;
	pod.pids = pids;
	pod.restarts = restarts;

	lab_step("Start pause, a process that does nothing, in new namespaces.",
		"it shares none of the namespaces of a Pod with the host");
	autofree char *class = text("%s", qos_names[pod_qos(pod.pod)]);
	lab_note("%s has QoS class %s. Its group is in the slice of that class.", pod.pod->name,
		class);
	if (!sandbox_start(&pod)) {
		if (lab_command)
			die("pause has not come up");
		return lab_end_early();
	}
	if (lab_command)
		hands_on();
	lab_look("ls -l /proc/%d/ns", pod.pause);
	lab_wait(pod.pause);
	if (file)
		return run_manifest();

	lab_predict("share");
	lab_step("Start two containers, which join the namespaces of pause.",
		"they share network, IPC and hostname; PIDs and mounts are their own");
	if (!init_containers(&pod))
		return lab_end();
	struct pod_container *server = &pod.containers[0], *visitor = &pod.containers[1];
	pod_container_start(&pod, server, NULL);
	life_told = true;
	pod_container_start(&pod, visitor, NULL);
	autofree char *shared = namespaces_of_both(server->pid, visitor->pid);
	expect_str("shared by its containers", "ipc net user uts", shared);
	lab_answer("share", strstr(shared, "pid") ? "all" : "three");
	expect_str("its address, and pause's", pod.address, address_in(visitor->pid));
	autofree char *answer = ask_localhost(visitor);
	expect_str("visitor: localhost:8080 is server", "Hello from a Pod.", answer);
	show_sandbox(&pod);

	lab_step("Compare the files of the groups with Kubernetes' formulas.",
		"each request and each limit is in a file");
	struct group_values whole = pod_values(pod.pod),
			    one = container_values(pod.pod, server->spec);
	autofree char *quota = text("%lld %d", one.quota, CPU_PERIOD),
		      *max = cg_read(server->group, "cpu.max");
	autofree char *score_file = text("/proc/%d/oom_score_adj", server->pid),
		      *score = file_read(score_file);
	autofree char *slice = class_slice_of(server->pid);
	expect_str("server: its Pod is in", "kubepods-burstable.slice", slice);
	expect_int("server: cpu.weight, requests.cpu", one.weight,
		cg_read_long(server->group, "cpu.weight"));
	expect_str("server: cpu.max, limits.cpu", quota, max);
	expect_int("server: memory.max, limits.memory", one.memory,
		cg_read_long(server->group, "memory.max"));
	expect_int("server: oom_score_adj, its class",
		oom_score_adj(pod.pod, server->spec, proc_meminfo("MemTotal")), atoi(score));
	expect_int("the Pod: memory.max, the sum", whole.memory,
		cg_read_long(pod.group, "memory.max"));
	show_sandbox(&pod);

	lab_predict("oom");
	lab_step("Let the container visitor use more memory than its limit.",
		"the kernel kills in its group only, and the loop restarts it");
	ino_t net = ns_inode(visitor->pid, "net");
	autofree char *network = text("/proc/%d/ns/net", visitor->pid);
	/* Held open, because the kernel could give the same number to the next namespace. */
	autoclose int held = MUST(open(network, O_RDONLY | O_CLOEXEC));
	pid_t server_pid = server->pid, visitor_pid = visitor->pid;
	autofree char *twice = text("%lld", 2 * container_values(pod.pod, visitor->spec).memory);
	run_in(visitor, (char *[]){"eat", twice, NULL}, NULL);
	kubelet(&pod, is_restarted, PATIENCE_MS);
	expect_str("visitor: reason", "OOMKilled", visitor->reason ? visitor->reason : "none");
	expect_int("visitor: 128 + SIGKILL", 137, visitor->status);
	if (!expect_int("visitor: restarts", 1, visitor->restarts))
		return lab_end();
	expect_differ("visitor: its PID is another", visitor_pid, visitor->pid);
	expect_int("server: its PID is the same", server_pid, server->pid);
	expect_int("the Pod's network is the same", net, ns_inode(visitor->pid, "net"));
	lab_answer("oom", server->pid == server_pid ? "container" : "pod");
	show_sandbox(&pod);

	lab_predict("pause");
	lab_step("Kill pause.", "no container dies with it; then the loop makes a new sandbox");
	old_pause = pod.pause;
	server_pid = server->pid;
	SYS(kill(pod.pause, SIGKILL), pod.pause);
	child_ended(pod.pause, 5000);
	bool still = !child_ended(server->pid, 200) && !child_ended(visitor->pid, 0);
	lab_answer("pause", still ? "nobody" : "all");
	if (!expect_int("both containers run without it", true, still))
		return lab_end();
	expect_int("in the same network namespace", net, ns_inode(server->pid, "net"));
	kubelet(&pod, is_new_sandbox, PATIENCE_MS);
	expect_differ("server: now its PID is another", server_pid, server->pid);
	expect_differ("the new sandbox: its network", net, ns_inode(server->pid, "net"));
	show_sandbox(&pod);

	lab_row("net, ipc, uts", "one a container", "one a Pod", "setns()");
	lab_row("mnt, pid", "one a container", "one a container", "clone3()");
	lab_row("memory limit exceeded", "-", "that container: 137", "the kernel");
	lab_row("who starts it again", "-", "the loop", "kubelet.c");
	lab_row("pause is killed", "all live on", "all are restarted", "the loop");
	return lab_end();
}
