/*
 * All of it together: what docker run does. Begin with life.c, which makes the calls of a
 * container's life in their order. container.h lists the other files. This one tells the story.
 *
 * namespaces(7), cgroups(7), capabilities(7)
 */
/* link: json-c */
#define _GNU_SOURCE
#include <fcntl.h>
#include <json_object.h>
#include <json_pointer.h>
#include <json_tokener.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "container.h"
#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "machine/machine.h"
#include "words.h"

static const struct lab_part parts[] = {
	{.name = "stats",
		.title = "Read a file in the container's group and ask stats.",
		.expect = "memory.current grows, and MEM USAGE does not",
		.needs = {.block = true}},
	{0},
};

static struct lab lab = {
	.id = "16-container",
	.title = "All of it together",
	.goal = "A container is a process with its own namespaces, a cgroup, a layered root and fewer "
		"privileges. Each of these is a system call or a file of the kernel.",
	.manual = "clone(2) namespaces(7) cgroups(7) pivot_root(2) capabilities(7) seccomp(2)",
	.teaches =
		"clone3:CLONE_NEWNS clone3:CLONE_NEWPID clone3:CLONE_NEWIPC clone3:CLONE_NEWUTS "
		"clone3:CLONE_NEWNET clone3:CLONE_INTO_CGROUP unshare:CLONE_NEWCGROUP sethostname "
		"mount:overlay pivot_root umount2 capset seccomp file:memory.max",
	.after = "06-net-ns 10-oom-demo 13-devices 14-overlay-fs 15-security-context",
	.needs = {.root = true,
		.proc_mount = true,
		.overlay = true,
		.controllers = "cpu memory pids",
		.modules = "veth bridge",
		.kernel = "5.7",
		.memory = 256 << 20},
	.parts = parts,
	.operands = container_operands,
	.words = &words,
	.own_root = true,
};

/* A COMMAND needs less than the story: an ordinary user can run one, in a user namespace. */
static void needs_of_command(const struct container *c)
{
	lab.needs.root = c->privileges.user != 0 || c->privileges.group != 0 || c->joined ||
			 c->withheld || c->root.unmasked;
	/* What reaches the host is for the lab VM, or for who has typed WHERE=host. */
	lab.hazard = c->joined || c->withheld || c->root.unmasked;
	lab.needs.memory = 0;
	lab.needs.controllers = !c->grouped ? NULL
				: c->cpuset ? "cpu cpuset memory pids"
					    : "cpu memory pids";
	if (!c->bridge)
		lab.needs.modules = NULL;
}

static long long limit; /* bytes */

/* ---- One container, seen from outside ---- */

/* How many namespaces of this process are not those of the lab. */
static int namespaces_of_its_own(pid_t pid)
{
	static const char *const names[] = {"mnt", "pid", "ipc", "uts", "net", "cgroup"};
	int count = 0;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		count += ns_inode(pid, names[i]) != ns_inode(0, names[i]);
	return count;
}

static const char *exists(const char *path)
{
	return access(path, F_OK) ? errno_name(errno) : "there";
}

/* What a function prints, which runs in a child, because it may join namespaces. Allocated. */
static char *output_of(int (*says)(const struct running *), const struct running *seen)
{
	int said[2];
	char answer[4096];
	size_t length = 0;
	fflush(stdout);
	MUST(pipe2(said, O_CLOEXEC));
	pid_t child = MUST(fork());
	if (child == 0) {
		MUST(dup2(said[1], STDOUT_FILENO));
		int status = says(seen);
		fflush(stdout);
		_exit(status);
	}
	close(said[1]);
	for (ssize_t n; (n = read(said[0], answer + length, sizeof answer - length)) > 0;)
		length += (size_t)n;
	close(said[0]);
	child_wait(child);
	return text("%.*s", (int)length, answer);
}

static int print_hostname(const struct running *seen)
{
	autoclose int pidfd = MUST((int)syscall(SYS_pidfd_open, seen->pid, 0));
	struct utsname is;
	MUST(setns(pidfd, CLONE_NEWUTS));
	return uname(&is) || fputs(is.nodename, stdout) < 0;
}

/* The number at a JSON pointer, RFC 6901; -1 when there is none. */
static long long json_number(const char *printed, const char *pointer)
{
	struct json_object *json = json_tokener_parse(printed), *number;
	bool found = !json_pointer_get(json, pointer, &number) &&
		     json_object_is_type(number, json_type_int);
	long long value = found ? json_object_get_int64(number) : -1;
	json_object_put(json);
	return value;
}

/* A process of the group reads the scratch device, and the group is charged for the page cache. */
static int read_in(const char *group, int device, int megabytes)
{
	static char buffer[1 << 20];
	pid_t child = MUST(cg_spawn(group));
	if (child == 0) {
		for (int i = 0; i < megabytes; i++)
			if (read(device, buffer, sizeof buffer) != sizeof buffer)
				_exit(1);
		_exit(0);
	}
	return child_wait(child);
}

static void expect_stats(const char *group)
{
	enum { READS = 8, MIB = 1 << 20 };
	static struct machine machine;
	machine_here(&machine);
	/* A device has one page cache for all, which lives as long as somebody has it open: lab 10.
	 */
	autoclose int device = MUST(open(machine.block, O_RDONLY | O_CLOEXEC));
	MUST(flock(device, LOCK_EX));
	errno = posix_fadvise(device, 0, 0, POSIX_FADV_DONTNEED);
	if (errno)
		die("posix_fadvise %s", machine.block);
	long long used = memory_used(group), current = cg_read_long(group, "memory.current");
	expect_int("stats: the file is read", 0, read_in(group, device, READS));
	expect_range("stats: memory.current grew, MiB", READS - 1, READS + 1,
		(cg_read_long(group, "memory.current") - current) / MIB);
	expect_range("stats: MEM USAGE grew, MiB", -1, 1, (memory_used(group) - used) / MIB);
}

static void show_container(const struct container *c)
{
	lab_look("ls -l /proc/%d/ns", c->pid);
	lab_look("grep -E 'CapBnd|NoNew|Seccomp:' /proc/%d/status", c->pid);
	lab_look("cat /proc/%d/root/etc/hostname; head -3 /proc/%d/mountinfo", c->pid, c->pid);
	lab_wait(c->pid);
}

/* Everything before the story: options that print and end, --init's own main(), and COMMAND. */
static struct container read_command_line(int argc, char *argv[])
{
	char **line = container_line(argc, argv);
	int length = 0;
	while (line[length])
		length++;
	lab.options = container_options();
	bool act = lab_parse(&lab, length, line); /* false: only --can-run was asked for */
	if (!strcmp(argv[0], init_path))
		init_main(lab_command); /* in a container, its PID 1: --init */
	struct container c = container_asked();
	if (act && asked.explain) {
		explain_container(&c, option_rows);
		explain_others();
		exit(fflush(stdout) ? 3 : 0);
	}
	if (act && asked.verb)
		exit(run_verb(&lab, length, line));
	limit = c.memory ? c.memory : 32 << 20;
	limit -= limit % sysconf(_SC_PAGESIZE);
	if (lab_command) {
		refuse_folder_stdio();
		needs_of_command(&c);
		if (act && !asked.rootfs && !asked.volumes.count)
			image_hint(&c);
		if (act && asked.detach)
			detach();
		if (act)
			host_open(&c);
	} else if (3 * limit > lab.needs.memory) {
		lab.needs.memory =
			3 * limit; /* a program without a group touches two thirds of it */
	}
	return c;
}

int main(int argc, char *argv[])
{
	struct container c = read_command_line(argc, argv);
	lab_begin(&lab, argc, argv);
	program_expect_protected();
	read_host_namespaces();
	if (!ns_real_root()) {
		MUST(unshare(CLONE_NEWUSER)); /* lab 05 shows what this does */
		ns_map_root();
		dprintf(STDERR_FILENO,
			"You are an ordinary user, so this is a user namespace: root inside is you "
			"outside. Other users, device nodes and a device program need real root.\n");
	}
	if (lab_command)
		container_run(&c);

	lab_predict("namespaces");
	lab_step("Control: run a program in no group, first without and then with namespaces.",
		"namespaces hide the other processes and limit no memory");
	struct trial nothing = {.name = "nothing"},
		     hidden = {.name = "namespaces", .namespaces = true};
	lab_note("The program lists /proc and touches %lld MiB, twice the limit of step 2.",
		limit >> 19);
	run_trial(&nothing, limit);
	expect_trial(&nothing, "all", "all");
	run_trial(&hidden, limit);
	lab_answer("namespaces", strcmp(hidden.gets, "all") ? "limit" : "all");
	expect_trial(&hidden, "its own", "all");

	lab_predict("group");
	lab_step("Run it in a group with a limit, first without and then with namespaces.",
		"the group limits memory and hides no process");
	struct trial limited = {.name = "group", .group = true};
	struct trial both = {.name = "both", .namespaces = true, .group = true};
	run_trial(&limited, limit);
	lab_answer("group", strcmp(limited.sees, "all") ? "own" : "all");
	expect_trial(&limited, "all", "the limit");
	run_trial(&both, limit);
	expect_trial(&both, "its own", "the limit");

	lab_step("Start a container: namespaces, a group, a root, fewer privileges, COMMAND.",
		"it is in none of the host's namespaces");
	c.memory = limit;
	c.cpus = c.cpus ? c.cpus : 1500000000;
	c.command = (char *[]){"sleep", "1000", NULL};
	c.name = c.name ? c.name : "web";
	container_start(&c);
	container_await_exec(&c);
	if (child_ended(c.pid, 0)) /* it was in one of the host's namespaces, and has said so */
		return lab_end_early();
	show_container(&c);

	lab_step("Look at the container from outside.",
		"it is one process, and the kernel's files show each part of it");
	autofree char *pids = proc_status(c.pid, "NSpid"), *two = text("%d 1", c.pid);
	autofree char *bounding = proc_status(c.pid, "CapBnd"),
		      *filter = proc_status(c.pid, "Seccomp");
	autofree char *of_ours = proc_status(0, "CapBnd");
	autofree char *fewer =
		text("%016llx", c.privileges.capabilities & strtoull(of_ours, NULL, 16));
	struct running seen = {0};
	autofree char *procs = cg_read(c.group, "cgroup.procs"), *self = text("%d", c.pid);
	expect_int("web: namespaces of its own", 6, namespaces_of_its_own(c.pid));
	expect_str("web: its PID outside, inside", two, pids);
	expect_str("web: the one process of its group", self, procs);
	expect_int("web: memory.max", limit, cg_read_long(c.group, "memory.max"));
	expect_str("web: CapBnd", fewer, bounding);
	expect_str("web: Seccomp, 2 is a filter", "2", filter);
	if (!expect_str("web: its root, an overlay of", c.name,
		    running_by_root(c.pid, &seen) ? seen.name : "nobody"))
		return lab_end();
	show_container(&c);

	lab_step("Ask inspect. No program keeps a record of this container.",
		"inspect reports what the kernel's files contain");
	seen.group = c.group;
	autofree char *json = output_of(inspect, &seen),
		      *hostname = output_of(print_hostname, &seen);
	autofree char *quota = text("%lld %d", c.cpus / CPU_PART, CPU_PERIOD);
	autofree char *cpu_max = cg_read(c.group, "cpu.max"), *short_id = text("%.12s", seen.id);
	expect_str("web: its hostname",
		asked.container.hostname ? asked.container.hostname : short_id, hostname);
	expect_str("web: cpu.max", quota, cpu_max);
	expect_int("inspect: State.Pid", c.pid, json_number(json, "/0/State/Pid"));
	expect_int("inspect: Memory", limit, json_number(json, "/0/HostConfig/Memory"));
	expect_int("inspect: NanoCpus", c.cpus / CPU_PART * CPU_PART,
		json_number(json, "/0/HostConfig/NanoCpus"));
	expect_int("inspect: its net namespace", ns_inode(c.pid, "net"),
		json_number(json, "/0/Namespaces/net"));
	show_container(&c);

	lab_predict("gone");
	lab_step("Start a second container, which uses more memory than its limit.",
		"the kernel kills it, and its namespaces and its group are gone");
	struct container eater = c;
	autofree char *eat = text("exec eat %lld >/dev/null", 2 * limit);
	eater.command = (char *[]){"sh", "-c", eat, NULL};
	eater.name = "eater";
	eater.hostname = eater.root.keep = NULL;
	eater.number = 0;
	eater.quiet = true;
	container_start(&eater);
	int status = child_wait(eater.pid);
	expect_int("eater: 128 + SIGKILL", 137, status);
	expect_int("eater: memory.events, oom_kill", 1,
		cg_read_key(eater.group, "memory.events", "oom_kill"));
	autofree char *process = text("/proc/%d/ns", eater.pid);
	lab_answer("gone", access(process, F_OK) ? "gone" : "stay");
	expect_str("eater: its namespaces", "ENOENT", exists(process));
	cg_destroy(eater.group);
	expect_str("eater: its group, after rmdir", "ENOENT", exists(eater.group));
	expect_str("web: it has not noticed", "there", exists(c.group));
	show_container(&c);

	if (lab_part("stats"))
		expect_stats(c.group);
	lab_step("Send SIGKILL to the first process of the first container.",
		"it ends, and nothing of it is left");
	send_signal(&seen);
	expect_int("web: 128 + SIGKILL", 137, child_wait(c.pid));
	cg_destroy(c.group);
	expect_str("web: its group, after rmdir", "ENOENT", exists(c.group));

	lab_row("processes seen, no group", "all", "only its own", "CLONE_NEWPID, /proc");
	lab_row("processes seen, in a group", "all", "only its own", "CLONE_NEWPID, /proc");
	lab_row("memory, no namespace", "all", "the limit: 137", "memory.max");
	lab_row("memory, all namespaces", "all", "the limit: 137", "memory.max");
	lab_row("root's capabilities", "all", "14", "capset(), prctl()");
	lab_row("system calls", "all", "those on a list", "seccomp()");
	return lab_end();
}
