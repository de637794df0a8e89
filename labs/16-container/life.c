/*
 * life.c: the life of a container, in its order. The runtime makes a group and a process in new
 * namespaces, which begins in that group. It plugs in the network cable. The process builds its
 * root, enters it, gives up privileges and becomes COMMAND. The runtime waits for its end, as
 * Docker's shim does. This file is what docker run does; the other files are details of it.
 * clone(2), mount(2), pivot_root(2), overlayfs.rst, capabilities(7), seccomp(2), cgroup-v2.rst
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "container.h"
#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"

int clone3(struct clone_args *args)
{
	int pid = (int)syscall(SYS_clone3, args, sizeof *args);
	if (pid == 0)
		child_born();
	return pid;
}

int pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

static int seccomp(unsigned int operation, unsigned int flags, const void *args)
{
	return (int)syscall(SYS_seccomp, operation, flags, args);
}

/* ---- 1. The group and its limits, while no process is in it: labs 07 to 10, 13 ---- */

/* Returns a descriptor of the group's folder, for clone3(). */
static int group_make(struct container *c)
{
	c->group = group_create(c->id);
	for (int i = 0; i < LIMITS; i++) {
		autofree char *value = container_limits[i].value(c);
		bool optional = !strcmp(container_limits[i].file,
			"memory.swap.max"); /* without swap it is not there */
		if (value && (!optional || cg_has(c->group, container_limits[i].file)))
			cg_write(c->group, container_limits[i].file, value);
	}
	int group = MUST(open(c->group, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (!c->root.user_namespace && !c->root.unmasked) /* only real root may load its program */
		allow_devices(group);
	return group;
}

/* ---- 2. A process in new namespaces and in that group: labs 01 to 07 ---- */

static _Noreturn void container_main(struct container *c);

void container_start(struct container *c)
{
	int channel[2], running = 0;
	container_name(c);
	c->root.user_namespace = *ns_join;
	autoclose int group = c->grouped ? group_make(c) : -1;
	if (c->bridge)
		running = network_host(c->grouped ? group_home() : NULL);
	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel));

	struct clone_args args = {
		.flags =
			((CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET) &
				~(unsigned)c->withheld) |
			CLONE_PIDFD | (c->grouped ? CLONE_INTO_CGROUP : 0),
		.pidfd = (uint64_t)(uintptr_t)&c->pidfd,
		.cgroup = (uint64_t)group,
		.exit_signal = SIGCHLD,
	};
	c->pid = FORKED(clone3(&args));
	if (c->pid == 0) {
		close(channel[0]);
		c->channel = channel[1];
		container_main(c);
	}
	undo_kill(c->pid);
	close(channel[1]);
	c->channel = channel[0];
	c->terminal = -1;
	if (c->bridge) {
		int number = network_plug(c->pid, c->number, running);
		errno = 0;
		if (number < 0)
			return; /* the child has ended, and has reported why */
		if (!number)
			die("the address %s is another container's", asked.ip ? asked.ip : "");
		autofree char *address = network_address(number);
		snprintf(c->address, sizeof c->address, "%s", address);
	}
	if (write(c->channel, c->address, sizeof c->address) < 0 && errno != EPIPE)
		die("write to the container");
	terminal_take(c);
}

/* Stops the child before it could change a namespace of the host. */
static void expect_own_namespaces(const struct container *c)
{
	autofree char *what = joined(c->name, ": the host's own in it", NULL);
	if (!expect_str(what, "none",
		    shared_with_host(1U << MNT | 1U << UTS | 1U << NET | 1U << CGROUP)))
		_exit(1);
}

/* The child, in its new namespaces. It waits for its address on the channel. */
static _Noreturn void container_main(struct container *c)
{
	char address[sizeof c->address];
	size_t length = strlen(c->hostname);
	if (c->quiet)
		lab_command = c->command;
	if (c->output)
		MUST(dup2(c->output, STDERR_FILENO));
	/* Not a flag of clone3(): its cgroup namespace would begin at the caller's group. */
	SYS(unshare(CLONE_NEWCGROUP));
	expect_own_namespaces(c);
	SYS(sethostname(c->hostname, length), c->hostname, length);
	host_join(c);
	network_begin(c);
	root_enter(&c->root);

	if (MUST(read(c->channel, address, sizeof address)) != sizeof address)
		_exit(125); /* the runtime has ended */
	network_finish(c, address);
	/* Its channel stays open until exec(), for container_await_exec(). */
	c->channel = close_descriptors(c->channel);
	if (strcmp(c->workdir, "/") != 0)
		enter_workdir(c->workdir);
	command_exec(c);
}

/* ---- 3. Its root: an overlay, /proc, /sys, /dev, volumes; labs 02 and 14 ---- */

/* Returns a descriptor (O_PATH) of the overlay. The working directory is then the staging tmpfs. */
static int root_overlay(const struct root *r)
{
	const char *place = staging_folder(r), *layers = r->keep ? r->keep : ".";
	MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	MUST(mount("tmpfs", place, "tmpfs", MS_NOSUID, "mode=755"));
	MUST(chdir(place));
	static const char *const folders[] = {"root", "proc", "sys", "dev"};
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		MUST(mkdir(folders[i], 0755));
	autofree char *upper = joined(layers, "/upper", NULL),
		      *work = joined(layers, "/work", NULL);
	make_layer(upper), make_layer(work);
	autofree char *lower_option = escaped(r->image), *upper_option = escaped(upper),
		      *work_option = escaped(work);
	autofree char *options = joined("lowerdir=", lower_option, ",upperdir=", upper_option,
		",workdir=", work_option, r->user_namespace ? ",userxattr" : NULL, NULL);
	SYS(mount(r->name, "root", "overlay", 0, options), options);
	return MUST(open("root", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

static void root_proc_and_sys(const struct root *r)
{
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	MUST(mount("proc", "proc", "proc", flags, NULL));
	MUST(mount("sysfs", "sys", "sysfs", MS_RDONLY | flags, NULL));
	/* A mount of the new cgroup namespace shows the container's group as its top: lab 07. */
	if (!access("sys/fs/cgroup", F_OK))
		MUST(mount("cgroup", "sys/fs/cgroup", "cgroup2", MS_RDONLY | flags, NULL));
	if (!r->unmasked)
		return;
	if (!access("sys/fs/cgroup/cgroup.procs", F_OK))
		MUST(mount(NULL, "sys/fs/cgroup", NULL, MS_REMOUNT | MS_BIND | flags, NULL));
	/* Not MS_BIND, which changes one mount: here the file system itself is read-only. */
	MUST(mount(NULL, "sys", NULL, MS_REMOUNT | flags, NULL));
}

/*
 * The working directory, a mount, becomes the root. umount2() then detaches the old root, which is
 * stacked below it.
 */
void pivot_to_cwd(bool read_only)
{
	struct stat made, entered;
	if (read_only)
		MUST(mount(NULL, ".", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	MUST(stat(".", &made));
	SYS(pivot_root(".", "."));
	MUST(umount2(".", MNT_DETACH));
	MUST(chdir("/"));
	/* Read back, because COMMAND must never run in the host's root. */
	MUST(stat(".", &entered));
	errno = 0;
	if (made.st_dev != entered.st_dev || made.st_ino != entered.st_ino)
		die("the root is not the one that was made");
}

void root_enter(const struct root *r)
{
	lab_asks_missing = false;
	umask(0); /* the modes below are meant exactly */
	autoclose int root = root_overlay(r);
	root_proc_and_sys(r);
	if (!r->unmasked)
		root_masks(r);
	root_dev(r);
	mount_staged(root, "proc");
	mount_staged(root, "sys");
	mount_staged(root, "dev");
	root_volumes(root, r);
	MUST(fchdir(root));
	pivot_to_cwd(r->read_only);
	umask(0022); /* a container's usual umask, independent of the caller's */
}

/* ---- 4. Privileges, given up in the order in which a runtime does it: lab 15 ---- */

void drop_privileges(const struct privileges *p)
{
	struct __user_cap_header_struct version = {.version = _LINUX_CAPABILITY_VERSION_3};

	if (!p->unconfined && p->new_privs) /* now: without no_new_privs it needs CAP_SYS_ADMIN */
		SYS(seccomp(SECCOMP_SET_MODE_FILTER, 0, filter_of(p)));
	for (int cap = 0; cap < 64; cap++)
		if (!(p->capabilities & 1ULL << cap) && prctl(PR_CAPBSET_DROP, cap))
			break; /* EINVAL: the kernel has no higher capability */

	prctl(PR_SET_KEEPCAPS, 0);
	if (setgroups(0, NULL) && errno != EPERM) /* EPERM: forbidden in a user namespace, lab 05 */
		die("setgroups");
	MUST(setresgid(p->group, p->group, p->group));
	MUST(setresuid(p->user, p->user, p->user));
	/* Until it has become COMMAND it is the host's program: nobody inside may look into it.
	 * CVE-2016-9962 */
	MUST(prctl(PR_SET_DUMPABLE, 0));
	struct __user_cap_data_struct sets[2];
	MUST(capget(&version, sets)); /* even root may lack some */
	for (int i = 0; i < 2; i++) {
		sets[i].permitted &= p->user ? 0 : (uint32_t)(p->capabilities >> 32 * i);
		sets[i].effective = sets[i].permitted;
		sets[i].inheritable = 0;
	}
	MUST(capset(&version, sets));

	if (!p->new_privs)
		MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	if (!p->unconfined && !p->new_privs)
		SYS(seccomp(SECCOMP_SET_MODE_FILTER, 0, filter_of(p)));
}

/* ---- 5. COMMAND ---- */

/* The last steps before COMMAND. None of them can be undone. */
_Noreturn void command_exec(const struct container *c)
{
	sigset_t none;
	MUST(setsid()); /* leaves the host's terminal, into which it could inject input */
	if (c->tty)
		terminal_open(c->channel);
	settings_apply(c);
	drop_privileges(&c->privileges);
	MUST(prctl(PR_SET_PDEATHSIG, SIGKILL)); /* COMMAND ends when the waiting process does */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	environ = c->environment;
	lab_command = c->command;
	int nowhere = c->silent ? MUST(open("/dev/null", O_RDWR | O_CLOEXEC)) : -1;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO && c->silent; fd++)
		MUST(dup2(nowhere, fd));
	if (c->init) {
		execv(init_path, init_command(c->command));
		init_main(c->command); /* a dynamic program cannot be executed in there */
	}
	lab_exec(c->command);
}

/* ---- 6. The end, as the waiting process sees it ---- */

/* Waits until exec() has closed the container's end of the channel. */
void container_await_exec(const struct container *c)
{
	char end;
	while (read(c->channel, &end, 1) < 0 && errno == EINTR)
		;
}

/* Status 137 alone does not say who sent SIGKILL. memory.events does: lab 10. */
static void container_report(const struct container *c)
{
	long long kills = c->group ? cg_read_key(c->group, "memory.events", "oom_kill") : 0;
	if (kills > 0) {
		autofree char *max = cg_read(c->group, "memory.max");
		dprintf(STDERR_FILENO,
			"16-container: OOM: memory.events has oom_kill %lld, memory.max is %s\n",
			kills, max);
	}
}

/* All of its processes have ended, and with them its namespaces. What is left is the group. */
static void container_end(const struct container *c)
{
	if (c->group && rmdir(c->group))
		cg_destroy(c->group); /* it has made groups of its own */
}

_Noreturn void container_run(struct container *c)
{
	pid_t parent = getppid();
	int signals = signals_catch();
	container_start(c);
	if (is_detached()) {
		container_await_exec(c);
		detach_report(c);
	}
	container_supervise(c, signals, parent);
	container_report(c);
	container_end(c);
	lab_exit_as(c->pid);
}
