/*
 * All of it together: what docker run does, from the first call to the last. In
 * the order of a container's life:
 *
 *   container.h  what it is to be; options.h: in docker run's words
 *   program.h    what it must not get of this program: its file, its descriptors
 *   limits.h     its group and its limits; devices.h: which devices may be opened
 *   network.h    the bridge, and a cable to it
 *   life.h       clone3(2) into all of that, and who waits for its end
 *   root.h       its root: an overlay, /proc, /sys, /dev, volumes, masks
 *   powers.h     what its program may do: user, capabilities, filter
 *   running.h    ps, inspect, stats, exec and kill, from the kernel's own files
 *   explain.h    what each option becomes
 *
 * namespaces(7), cgroups(7), capabilities(7)
 */
/* link: libnl-route-3.0 libcap libseccomp */
#define _GNU_SOURCE
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/utsname.h>

#include "explain.h"
#include "life.h"
#include "running.h"
#include "words.h"

static const struct lab_part parts[] = {
	{.name = "stats",
		.title =
			"stats: a file that is read must not count as used, though memory.current does.",
		.needs = {.block = true}},
	{0},
};

static struct lab lab = {
	.id = "16-container",
	.title = "All of it together",
	.goal = "A container is a process with namespaces, a group, a root of layers and fewer "
		"powers. Each is a call or a file of the kernel, and there is no other part.",
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
		.kernel = "5.14",
		.memory = 256 << 20},
	.parts = parts,
	.options = container_options,
	.operands = container_operands,
	.words = &words,
	.own_root = true,
};

/* A COMMAND asks for less than the story: an ordinary user may start one, in a user namespace. */
static void needs_of_command(const struct container *c)
{
	lab.needs.root = c->powers.user != 0;
	lab.needs.memory = 0;
	if (!c->grouped)
		lab.needs.controllers = NULL;
	if (!c->bridge)
		lab.needs.modules = NULL;
}

/* ---- Two by two: what a program sees, and what it gets ---- */

static long long limit; /* bytes */

struct trial {
	const char *name;
	bool namespaces, group;
	const char *sees, *gets; /* in the end */
};

/* In the child: all that /proc lists, or itself alone. */
static char *list_processes(bool namespaces, pid_t lab_pid)
{
	if (namespaces) { /* a /proc of its own, on a mount table of its own: lab 01 */
		autofree char *table = NULL;
		if (ns_inode(0, "mnt") != outside[MNT])
			MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
		table = ns_mount_table(outside[MNT]);
		if (strcmp(table, "own, private"))
			return text("no mount table of its own");
		MUST(mount("proc", "/proc", "proc", 0, NULL));
	}
	autofree char *list = proc_pids(), *padded = text(" %s ", list);
	autofree char *ours = text(" %d ", lab_pid);
	return text("%s", strstr(padded, ours) ? "all" : !strcmp(list, "1") ? "its own" : list);
}

static void try_it(struct trial *t)
{
	int said[2];
	char sees[64] = "";
	pid_t lab_pid = getpid();
	autofree char *group = group_create(t->name), *bytes = text("%lld", limit);
	autofree char *is_limited = text("%s: its memory.max", t->name);
	if (t->group) {
		cg_write(group, "memory.max", bytes);
		if (cg_has(group, "memory.swap.max"))
			cg_write(group, "memory.swap.max", "0");
		expect_int(is_limited, limit, cg_read_long(group, "memory.max"));
	}
	autoclose int folder = MUST(open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct clone_args args = {
		.flags = (t->namespaces ? CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
						  CLONE_NEWNET
					: 0) |
			 (t->group ? CLONE_INTO_CGROUP : 0),
		.cgroup = t->group ? (uint64_t)folder : 0,
		.exit_signal = SIGCHLD,
	};
	MUST(pipe2(said, O_CLOEXEC));
	pid_t child = MUST(clone3(&args));
	if (child == 0) {
		autofree char *list = list_processes(t->namespaces, lab_pid);
		if (write(said[1], list, strlen(list)) < 0)
			_exit(1);
		char *memory = mmap(NULL, 2 * (size_t)limit, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED)
			_exit(2);
		memset(memory, 1, 2 * (size_t)limit);
		_exit(0);
	}
	undo_kill(child);
	close(said[1]);
	ssize_t n = read(said[0], sees, sizeof sees - 1);
	close(said[0]);
	int status = child_wait(child);
	t->sees = text("%.*s", n > 0 ? (int)n : 0, sees);
	t->gets = status == 0 ? "all"
		  : status == 137 && cg_read_key(group, "memory.events", "oom_kill")
			  ? "the limit"
			  : "something else";
}

static void expect_trial(struct trial *t, const char *sees, const char *gets)
{
	autofree char *what = text("%s: it sees", t->name),
		      *how_much = text("%s: it gets", t->name);
	expect_str(what, sees, t->sees);
	expect_str(how_much, gets, t->gets);
}

/* ---- One container, looked at from outside ---- */

/* How many of its namespaces are not ours. */
static int namespaces_of_its_own(pid_t pid)
{
	static const char *const names[] = {"mnt", "pid", "ipc", "uts", "net", "cgroup"};
	int count = 0;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		count += ns_inode(pid, names[i]) != ns_inode(0, names[i]);
	return count;
}

static const char *there(const char *path)
{
	return access(path, F_OK) ? errno_name(errno) : "there";
}

/* What says() writes, in a child of ours. Allocated. */
static char *said_by(int (*says)(const struct seen *), const struct seen *seen)
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

static int says_hostname(const struct seen *seen)
{
	autoclose int pidfd = MUST((int)syscall(SYS_pidfd_open, seen->pid, 0));
	struct utsname is;
	MUST(setns(pidfd, CLONE_NEWUTS));
	return uname(&is) || fputs(is.nodename, stdout) < 0;
}

/* The number that JSON has behind name; -1: none. */
static long long number_of(const char *json, const char *name)
{
	autofree char *key = text("\"%s\": ", name);
	const char *at = strstr(json, key);
	return at ? strtoll(at + strlen(key), NULL, 10) : -1;
}

/* Reads of the scratch device into the page cache, which the group is charged for. */
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
	/* Its cache is everybody's, and lives as long as it is open: lab 10. */
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

static void look(const struct container *c)
{
	lab_look("ls -l /proc/%d/ns", c->pid);
	lab_look("grep -E 'CapBnd|NoNew|Seccomp:' /proc/%d/status", c->pid);
	lab_look("cat /proc/%d/root/etc/hostname; head -3 /proc/%d/mountinfo", c->pid, c->pid);
	lab_wait(c->pid);
}

int main(int argc, char *argv[])
{
	bool asked_to_act = lab_parse(&lab, argc, argv);
	if (!strcmp(argv[0], init_path))
		init_main(lab_command); /* in a container, its PID 1: --init */
	struct container c = container_asked();
	if (asked_to_act && asked.explain)
		return explain(&c);
	if (asked_to_act && asked.verb)
		return running(&lab, argc, argv);
	limit = c.memory ? c.memory : 32 << 20;
	limit -= limit % sysconf(_SC_PAGESIZE);
	if (asked_to_act)
		program_protect(argv);
	if (lab_command) {
		need_no_folders();
		needs_of_command(&c);
	} else if (3 * limit > lab.needs.memory) {
		lab.needs.memory = 3 * limit; /* a program in no group touches two thirds of it */
	}
	lab_begin(&lab, argc, argv);
	program_must_be_protected();
	remember_outside();
	if (geteuid() != 0) {
		MUST(unshare(CLONE_NEWUSER)); /* lab 05 shows what this does */
		ns_map_root();
		dprintf(STDERR_FILENO,
			"As an ordinary user: root inside is you outside. No other user, no "
			"node and no device program is to be had.\n");
	}
	if (lab_command)
		container_run(&c);

	lab_step("Control: a program in no group. Namespaces must hide, and limit nothing.", NULL);
	struct trial nothing = {.name = "nothing"},
		     hidden = {.name = "namespaces", .namespaces = true};
	lab_note("It lists /proc, and touches %lld MiB, which is twice the limit.", limit >> 19);
	try_it(&nothing);
	expect_trial(&nothing, "all", "all");
	lab_predict("namespaces");
	try_it(&hidden);
	lab_answer("namespaces", strcmp(hidden.gets, "all") ? "limit" : "all");
	expect_trial(&hidden, "its own", "all");

	lab_predict("group");
	lab_step("In a group with a limit. That must limit, and hide nothing.", NULL);
	struct trial limited = {.name = "group", .group = true};
	struct trial both = {.name = "both", .namespaces = true, .group = true};
	try_it(&limited);
	lab_answer("group", strcmp(limited.sees, "all") ? "own" : "all");
	expect_trial(&limited, "all", "the limit");
	try_it(&both);
	expect_trial(&both, "its own", "the limit");

	lab_step("A container: all namespaces, a group, a root, fewer powers; then COMMAND.", NULL);
	c.memory = limit;
	c.cpus = c.cpus ? c.cpus : 1500;
	c.command = (char *[]){"sleep", "1000", NULL};
	c.name = c.name ? c.name : "web";
	container_start(&c);
	container_executes(&c);
	if (child_ended(c.pid, 0)) /* its box was not as predicted, and it has said so */
		return lab_end_early();
	look(&c);

	lab_step("From outside: a process, of which each part is a line of the kernel's.", NULL);
	autofree char *pids = proc_status(c.pid, "NSpid"), *two = text("%d 1", c.pid);
	autofree char *powers = proc_status(c.pid, "CapBnd"),
		      *filter = proc_status(c.pid, "Seccomp");
	autofree char *of_ours = proc_status(0, "CapBnd");
	autofree char *fewer = text("%016llx", c.powers.capabilities & strtoull(of_ours, NULL, 16));
	struct seen seen = {0};
	autofree char *procs = cg_read(c.group, "cgroup.procs"), *self = text("%d", c.pid);
	expect_int("web: namespaces of its own", 6, namespaces_of_its_own(c.pid));
	expect_str("web: its PID outside, inside", two, pids);
	expect_str("web: the one process of its group", self, procs);
	expect_int("web: memory.max", limit, cg_read_long(c.group, "memory.max"));
	expect_str("web: CapBnd", fewer, powers);
	expect_str("web: Seccomp, 2 is a filter", "2", filter);
	if (!expect_str("web: its root, an overlay of", c.name,
		    seen_by_root(c.pid, &seen) ? seen.name : "nobody"))
		return lab_end();
	look(&c);

	lab_step("Nobody keeps a record: inspect must tell what the kernel's files have.", NULL);
	seen.group = c.group;
	autofree char *json = said_by(inspect, &seen), *hostname = said_by(says_hostname, &seen);
	autofree char *quota = text("%lld %d", c.cpus * PERIOD / 1000, PERIOD);
	autofree char *cpu_max = cg_read(c.group, "cpu.max"), *short_id = text("%.12s", seen.id);
	expect_str("web: its hostname", asked.hostname ? asked.hostname : short_id, hostname);
	expect_str("web: cpu.max", quota, cpu_max);
	expect_int("inspect: State.Pid", c.pid, number_of(json, "Pid"));
	expect_int("inspect: Memory", limit, number_of(json, "Memory"));
	expect_int("inspect: NanoCpus", c.cpus * 1000000, number_of(json, "NanoCpus"));
	expect_int("inspect: its net namespace", ns_inode(c.pid, "net"), number_of(json, "net"));
	look(&c);

	lab_predict("gone");
	lab_step("A second one takes too much. It must be killed, and all of it be gone.", NULL);
	struct container eater = c;
	autofree char *eat = text("exec eat %lld >/dev/null", 2 * limit);
	eater.command = (char *[]){"sh", "-c", eat, NULL};
	eater.name = "eater";
	eater.hostname = NULL;
	eater.number = 0;
	eater.root.keep = NULL;
	eater.quiet = true;
	container_start(&eater);
	int status = child_wait(eater.pid);
	expect_int("eater: 128 + SIGKILL", 137, status);
	expect_int("eater: memory.events, oom_kill", 1,
		cg_read_key(eater.group, "memory.events", "oom_kill"));
	autofree char *process = text("/proc/%d/ns", eater.pid);
	lab_answer("gone", access(process, F_OK) ? "gone" : "stay");
	expect_str("eater: its namespaces", "ENOENT", there(process));
	cg_destroy(eater.group);
	expect_str("eater: its group, after rmdir", "ENOENT", there(eater.group));
	expect_str("web: it has not noticed", "there", there(c.group));
	look(&c);

	if (lab_part("stats"))
		expect_stats(c.group);
	lab_step("kill is a signal to its first process. Nothing of it must stay.", NULL);
	send_signal(&seen);
	expect_int("web: 128 + SIGKILL", 137, child_wait(c.pid));
	cg_destroy(c.group);
	expect_str("web: its group, after rmdir", "ENOENT", there(c.group));

	lab_row("processes seen, no group", "all", "its own", "CLONE_NEWPID, /proc");
	lab_row("processes seen, a limit", "all", "its own", "CLONE_NEWPID, /proc");
	lab_row("memory, no namespace", "all", "the limit: 137", "memory.max");
	lab_row("memory, all namespaces", "all", "the limit: 137", "memory.max");
	lab_row("root's capabilities", "all", "14", "capset(), prctl()");
	lab_row("calls", "all", "those of a list", "seccomp()");
	return lab_end();
}
