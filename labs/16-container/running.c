/*
 * running.c: ps, inspect, stats, exec and kill. There is no record of running containers. Each fact
 * is read from the kernel's files. A container is found by its PID 1, whose root is an overlay with
 * a source "lab16:NAME:ID"; its limits are in the files of its group. proc(5), setns(2),
 * pidfd_send_signal(2)
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "container.h"
#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "machine/machine.h"

/* ---- Which containers run ---- */

/*
 * Only root of our user namespace can have mounted an overlay there; in a user namespace of his own
 * another user can have given one any name. ioctl_ns(2), NS_GET_OWNER_UID
 */
static bool is_ours(pid_t pid)
{
	uid_t owner;
	struct stat st;
	autofree char *path = text("/proc/%d/ns/user", pid);
	autoclose int users = open(path, O_RDONLY | O_CLOEXEC);
	if (users < 0 || fstat(users, &st))
		return false; /* it has ended, or is not ours to look into */
	return st.st_ino == ns_inode(0, "user") ||
	       (!ioctl(users, NS_GET_OWNER_UID, &owner) && owner == geteuid());
}

/* "36 35 0:31 / / rw - overlay lab16:NAME:ID rw,lowerdir=...": the first line of mountinfo. */
bool running_by_root(pid_t pid, struct running *seen)
{
	autofree char *path = text("/proc/%d/mountinfo", pid), *mounts = file_try_read(path);
	const char *source = mounts ? strstr(mounts, " - overlay lab16:") : NULL;
	if (!source || source > mounts + strcspn(mounts, "\n"))
		return false;
	seen->pid = pid;
	return sscanf(source, " - overlay lab16:%63[^:]:%64[0-9a-f]", seen->name, seen->id) == 2;
}

static char *group_of(const struct running *seen)
{
	static struct machine machine;
	if (!machine.release[0])
		machine_here(&machine);
	autofree char *path = text("/proc/%d/cgroup", seen->pid), *groups = file_try_read(path);
	char *own = groups ? strstr(groups, "0::") : NULL;
	if (!own)
		return NULL;
	own[strcspn(own, "\n")] = '\0';
	const char *name = strrchr(own, '/') + 1; /* its run's, or in a story its id */
	bool is_its = !strncmp(name, "lab16-", 6) || !strcmp(name, seen->id);
	return is_its ? text("%s%s", machine.cgroup_mount, own + 3) : NULL;
}

/*
 * Whether it is a container's first process, so that each container comes once. That is PID 1 of a
 * namespace of its own; with --pid host the one whose parent has given the group its name.
 */
static bool is_first(const char *pid, const char *status)
{
	const char *pids = strstr(status, "\nNSpid:"), *parents = strstr(status, "\nPPid:");
	int outside = 0, inside = 0, parent = 0;
	int levels = pids ? sscanf(pids + 7, "%d%d", &outside, &inside) : 0;
	if (levels == 2 || !parents || sscanf(parents + 6, "%d", &parent) != 1)
		return inside == 1;
	autofree char *path = text("/proc/%s/cgroup", pid), *groups = file_try_read(path);
	autofree char *run = text("/lab16-%d", parent);
	const char *named = groups ? strstr(groups, run) : NULL;
	return named && strchr("/-", named[strlen(run)]);
}

/* The next one in the list of PIDs; false at its end. */
static bool running_next(char **pids, struct running *seen)
{
	for (char *pid; (pid = strsep(pids, " "));) {
		autofree char *path = text("/proc/%s/status", pid), *status = file_try_read(path);
		if (status && is_first(pid, status) && running_by_root(atoi(pid), seen) &&
			is_ours(atoi(pid))) {
			seen->group = group_of(seen);
			return true;
		}
	}
	return false;
}

/* By name, or by what an id begins with, as docker finds it. */
static struct running running_find(const char *target)
{
	struct running one, found = {0};
	autofree char *list = proc_pids();
	int count = 0;
	if (!target)
		option_usage(
			"%s: expected a NAME after it, one of those that ps shows", asked.verb);
	for (char *pids = list; running_next(&pids, &one);) {
		bool by_id = *target && !strncmp(one.id, target, strlen(target));
		if (!strcmp(one.name, target) || by_id) {
			found = one;
			count++;
		}
	}
	if (count != 1) {
		dprintf(STDERR_FILENO,
			"16-container: %s: %s; expected one of those that ps shows\n", target,
			count ? "more than one begins with that" : "no such container runs");
		exit(125);
	}
	return found;
}

static char *command_of(pid_t pid)
{
	autofree char *path = text("/proc/%d/cmdline", pid);
	char words[256];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, words, sizeof words - 1);
	if (fd >= 0)
		close(fd);
	for (ssize_t i = 0; i < n; i++) /* NUL bytes separate them */
		words[i] = words[i] ? words[i] : ' ';
	while (n > 0 && words[n - 1] == ' ')
		n--;
	return text("%.*s", (int)(n > 0 ? n : 0), words);
}

static int ps(void)
{
	struct running one;
	autofree char *list = proc_pids();
	printf("%-14s%-26s%-9s%-16s%s\n", "CONTAINER ID", "COMMAND", "PID", "NAMES", "GROUP");
	for (char *pids = list; running_next(&pids, &one);) {
		autofree char *command = command_of(one.pid);
		printf("%-14.12s%-26.24s%-9d%-16s%s\n", one.id, command, one.pid, one.name,
			one.group ? one.group : "none");
	}
	return fflush(stdout) ? 125 : 0;
}

/* ---- inspect ---- */

static void member(const char *name, const char *value, bool last)
{
	printf("            \"%s\": ", name);
	json_text(stdout, value);
	printf("%s\n", last ? "" : ",");
}

/* A limit as a number, 0 for none, as docker inspect has it. */
static long long limit_of(const struct running *seen, const char *file)
{
	if (!seen->group || !cg_has(seen->group, file))
		return 0;
	long long value = cg_read_long(seen->group, file);
	return value == LLONG_MAX ? 0 : value;
}

/* Its address, from the routes that its namespace calls local; proc_pid_net(5) */
static char *ip_of(pid_t pid)
{
	autofree char *path = text("/proc/%d/net/fib_trie", pid), *trie = file_try_read(path);
	int a = 0, b = 0;
	char *rest, *line = trie ? strtok_r(trie, "\n", &rest) : NULL;
	for (; line; line = strtok_r(NULL, "\n", &rest)) {
		const char *leaf = strstr(line, "|-- " NETWORK ".");
		if (leaf)
			sscanf(leaf, "|-- " NETWORK ".%d.%d", &a, &b);
		else if (b && strstr(line, "/32 host LOCAL"))
			return text(NETWORK ".%d.%d", a, b);
	}
	return text("%s", "");
}

int inspect(const struct running *seen)
{
	static const char *const names[] = {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"};
	enum { NAMES = sizeof names / sizeof *names };
	autofree char *command = command_of(seen->pid), *address = ip_of(seen->pid);
	autofree char *cpu = seen->group && cg_has(seen->group, "cpu.max")
				     ? cg_read(seen->group, "cpu.max")
				     : text("max 1");
	long long quota = 0, period = 1;
	sscanf(cpu, "%lld %lld", &quota, &period);
	printf("[\n    {\n        \"Id\": \"%s\",\n        \"Name\": \"%s\",\n        \"Command\": ",
		seen->id, seen->name);
	json_text(stdout, command);
	printf(",\n        \"State\": {\n            \"Status\": \"running\",\n            \"Pid\": %d\n        },\n",
		seen->pid);
	printf("        \"HostConfig\": {\n            \"Memory\": %lld,\n            \"NanoCpus\": %lld,\n"
	       "            \"PidsLimit\": %lld\n        },\n",
		limit_of(seen, "memory.max"), quota * 1000000000 / period,
		limit_of(seen, "pids.max"));
	printf("        \"NetworkSettings\": {\n");
	member("IPAddress", address, true);
	printf("        },\n        \"CgroupPath\": ");
	json_text(stdout, seen->group ? seen->group : "");
	printf(",\n        \"Namespaces\": {\n");
	for (int i = 0; i < NAMES; i++)
		printf("            \"%s\": %ju%s\n", names[i],
			(uintmax_t)ns_inode(seen->pid, names[i]), i == NAMES - 1 ? "" : ",");
	printf("        }\n    }\n]\n");
	return fflush(stdout) ? 125 : 0;
}

/* ---- stats ---- */

static void mebibytes(char to[16], long long bytes)
{
	snprintf(to, 16, "%.1fMiB", (double)bytes / (1 << 20));
}

/* As docker has it: without the cache that can be given back at once. Bytes. */
long long memory_used(const char *group)
{
	long long current = cg_read_long(group, "memory.current"),
		  inactive = cg_read_key(group, "memory.stat", "inactive_file");
	return current > inactive ? current - inactive : 0;
}

/* CPU over one second, memory now. */
static int stats(const struct running *seen)
{
	struct timespec before, after;
	char used[16], max[16];
	if (!seen->group) {
		dprintf(STDERR_FILENO,
			"16-container: %s has no group, so nobody counts what it uses\n",
			seen->name);
		return 125;
	}
	long long usage = cg_read_key(seen->group, "cpu.stat", "usage_usec");
	clock_gettime(CLOCK_MONOTONIC, &before);
	poll(NULL, 0, 1000); /* the window that is measured */
	usage = cg_read_key(seen->group, "cpu.stat", "usage_usec") - usage;
	clock_gettime(CLOCK_MONOTONIC, &after);
	double window = (double)(after.tv_sec - before.tv_sec) * 1e6 +
			(double)(after.tv_nsec - before.tv_nsec) / 1e3;
	long long memory = memory_used(seen->group), limit = limit_of(seen, "memory.max");
	limit = limit ? limit : proc_meminfo("MemTotal");
	mebibytes(used, memory), mebibytes(max, limit);
	autofree char *cpu = text("%.2f%%", 100 * (double)usage / window),
		      *use = text("%s / %s", used, max);
	autofree char *part = text("%.2f%%", 100 * (double)memory / (double)limit);
	printf("%-14s%-16s%-9s%-22s%-8s%s\n", "CONTAINER ID", "NAME", "CPU %", "MEM USAGE / LIMIT",
		"MEM %", "PIDS");
	printf("%-14.12s%-16s%-9s%-22s%-8s%lld\n", seen->id, seen->name, cpu, use, part,
		cg_read_long(seen->group, "pids.current"));
	return fflush(stdout) ? 125 : 0;
}

/* ---- kill and exec ---- */

int send_signal(const struct running *seen)
{
	const char *name = asked.signal;
	int number = isdigit((unsigned char)*name) ? atoi(name) : 0;
	for (int i = 1; i < NSIG && !number; i++)
		if (sigabbrev_np(i) &&
			!strcasecmp(sigabbrev_np(i), name + (strncasecmp(name, "SIG", 3) ? 0 : 3)))
			number = i;
	if (number < 1 || number >= NSIG)
		option_usage(
			"--signal %s: expected a signal's name or number, such as TERM; signal(7)",
			name);
	autoclose int pidfd = MUST((int)syscall(SYS_pidfd_open, seen->pid, 0));
	MUST(syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0));
	return 0;
}

static char **environment_of(pid_t pid)
{
	static char *list[64];
	autofree char *path = text("/proc/%d/environ", pid);
	FILE *file = fopen(path, "re");
	size_t room = 0;
	for (int i = 0; file && i < 63; i++)
		if (getdelim(&list[i], &room, '\0', file) < 0) {
			list[i] = NULL;
			break;
		} else {
			room = 0;
		}
	if (file)
		fclose(file);
	return list;
}

/* COMMAND beside the container's own: in its namespaces and its group, with what it may do. */
static int exec_in(const struct running *seen)
{
	unsigned user = 0, group = 0;
	autofree char *uids = proc_status(seen->pid, "Uid"), *gids = proc_status(seen->pid, "Gid");
	autofree char *bounds = proc_status(seen->pid, "CapBnd"),
		      *cwd_link = text("/proc/%d/cwd", seen->pid);
	/* The folder itself: a name that the container chose may lead elsewhere by now. */
	autoclose int cwd = open(cwd_link, O_PATH | O_DIRECTORY | O_CLOEXEC);
	lab_asks_missing = false; /* what it would look at is the container's */
	sscanf(uids, "%u", &user), sscanf(gids, "%u", &group);
	autofree char *filter = proc_status(seen->pid, "Seccomp"),
		      *no_new_privs = proc_status(seen->pid, "NoNewPrivs");
	struct container c = {.privileges = {.user = user,
				      .group = group,
				      .capabilities = strtoull(bounds, NULL, 16),
				      .new_privs = !strcmp(no_new_privs, "0"),
				      .unconfined = !strcmp(filter, "0")},
		.environment = environment_of(seen->pid),
		.command = lab_command,
		.tty = asked.container.tty,
		.terminal = -1};
	bool other_user = ns_inode(seen->pid, "user") != ns_inode(0, "user");
	if (other_user) /* whose numbers are others than outside: only root's is mapped */
		c.privileges.user = c.privileges.group = 0;
	autoclose int folder =
		seen->group ? MUST(open(seen->group, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) : -1;
	autoclose int pidfd = MUST((int)syscall(SYS_pidfd_open, seen->pid, 0));
	int most = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWPID;
	MUST(setns(pidfd, most | (other_user ? CLONE_NEWUSER : 0)));
	pid_t parent = getppid();
	int signals = signals_catch(), channel[2];
	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel));
	struct clone_args args = {
		.flags = CLONE_PIDFD | (folder < 0 ? 0 : CLONE_INTO_CGROUP),
		.pidfd = (uint64_t)(uintptr_t)&c.pidfd,
		.cgroup = folder < 0 ? 0 : (uint64_t)folder,
		.exit_signal = SIGCHLD,
	};
	c.pid = MUST(clone3(&args)); /* setns() with CLONE_NEWPID affects children only: lab 01 */
	if (c.pid == 0) {
		MUST(setns(pidfd,
			CLONE_NEWCGROUP)); /* last: from in there no group is found by its path */
		if (cwd < 0 || fchdir(cwd) || !cwd_is_inside())
			MUST(chdir("/"));
		c.channel = close_descriptors(c.tty ? channel[1] : -1);
		command_exec(&c);
	}
	close(channel[1]);
	c.channel = channel[0];
	terminal_take(&c);
	container_supervise(&c, signals, parent);
	lab_exit_as(c.pid);
}

/* Does what the operand VERB names. */
int run_verb(const struct lab *lab, int argc, char *argv[])
{
	bool executes = !strcmp(asked.verb, "exec");
	if (executes != !!lab_command)
		option_usage(executes ? "exec: expected -- COMMAND after the NAME"
				      : "%s: expected no COMMAND with it",
			asked.verb);
	if (!strcmp(asked.verb, "ps"))
		return ps();
	struct running seen = running_find(asked.target);
	if (!strcmp(asked.verb, "inspect"))
		return inspect(&seen);
	if (!strcmp(asked.verb, "stats"))
		return stats(&seen);
	if (!strcmp(asked.verb, "kill"))
		return send_signal(&seen);
	refuse_folder_stdio();
	lab_begin(lab, argc, argv);
	program_expect_protected();
	return exec_in(&seen);
}
