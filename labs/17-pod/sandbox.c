/*
 * sandbox.c: a Pod before and when a container joins it. First come its groups, its volumes, and
 * pause, a process that does nothing and whose namespaces the containers join. Kubernetes calls
 * this the sandbox. To add a container, a runtime process begins in the container's group, joins
 * the namespaces of pause and creates a child with its own mounts and, by default, its own PIDs.
 * This child is the container. What follows is lab 16: root, privileges, program. clone(2),
 * setns(2), cgroup-v2.rst
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "pod.h"

bool life_told, logs;
#define TELL(call) (life_told ? MUST(call) : SYS(call))

/* The manifest's fault, not the lab's: a failed check. Where there is a COMMAND, which is then not
 * started, the end. */
bool expect_of_manifest(const char *what, const char *expected, const char *found)
{
	if (!lab_command || !strcmp(expected, found))
		return expect_str(what, expected, found);
	dprintf(STDERR_FILENO, "17-pod: fail: %s: %s\n", what, found);
	sys_on_die(NULL);
	_exit(125);
}

/* ---- Groups, as the kubelet's systemd driver names them: one slice in the other ---- */

static const char controllers[] = "cpu memory pids";

void group_write(const char *group, struct group_values v)
{
	autofree char *weight = text("%d", v.weight), *memory = text("%lld", v.memory);
	autofree char *cpu =
		v.quota ? text("%lld %d", v.quota, CPU_PERIOD) : text("max %d", CPU_PERIOD);
	cg_write(group, "cpu.weight", weight);
	cg_write(group, "cpu.max", cpu);
	cg_write(group, "memory.max", v.memory ? memory : "max");
}

/* The folder of one more group in parent. */
static char *group_below(const char *parent, const char *name)
{
	char *group = text("%s/%s", parent, name);
	errno = 0;
	if (mkdir(group, 0755) && errno == ENOMEM) { /* a group costs its parent memory, too */
		expect_of_manifest("the Pod: sandbox", "created",
			"FailedCreatePodSandBox: its memory limit is too low");
		exit(lab_end_early());
	}
	if (errno && errno != EEXIST)
		die("mkdir %s", group);
	return group;
}

char *scope_make(const char *pod_group)
{
	char id[65];
	random_id(id);
	autofree char *name = text("cri-containerd-%s.scope", id);
	return group_below(pod_group, name);
}

static void pod_group_make(struct sandbox *s)
{
	static char *top; /* kubepods.slice of this run */
	autofree char *path = pod_group(s->pod, s->uid);
	char *rest, *name = strtok_r(path, "/", &rest);
	if (!top)
		top = group_create(name);
	s->group = text("%s", top);
	cg_enable(s->group, controllers);
	while ((name = strtok_r(NULL, "/", &rest))) {
		autofree char *parent = s->group;
		s->group = group_below(parent, name);
		cg_enable(s->group, controllers); /* once, for all scopes to come */
	}
	group_write(s->group, pod_values(s->pod));
	if (s->pids) {
		autofree char *pids = text("%lld", s->pids);
		cg_write(s->group, "pids.max", pids);
	}
}

/* ---- pause ---- */

/* Nothing: with shareProcessNamespace it is what containers find as /proc/1/root. */
static void pause_root(const struct sandbox *s)
{
	lab_asks_missing = false;
	MUST(mount("pause", s->folder, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=555"));
	MUST(chdir(s->folder));
	pivot_to_cwd(true);
}

/* The user of Kubernetes' own pause; the kubelet asks for the filter. */
static const struct privileges pause_privileges = {.user = 65535, .group = 65535};

/*
 * Kubernetes' pause is a program of an image of its own, ours one of the usual image. With
 * shareProcessNamespace a container can reach it by /proc/1/exe, so its folder is on a read-only
 * mount, as this program is (program.c).
 */
static int pause_folder(void)
{
	autofree char *image = file_rootfs(), *path = text("%s/usr/local/bin", image);
	int folder = program_copy(path);
	if (folder < 0)
		die("open_tree, mount_setattr: %s", path);
	return folder;
}

static _Noreturn void pause_main(const struct sandbox *s, int folder)
{
	const char *hostname = pod_hostname(s->pod);
	size_t length = strlen(hostname);
	char go[16], *words[] = {"pause", NULL};
	sigset_t none;
	autofree char *what = text("%s, pause %d: of the host in it", s->pod->name, s->pauses);
	if (!expect_str(what, "none",
		    shared_with_host(1U << MNT | 1U << UTS | 1U << IPC | 1U << NET |
				     (unsigned)has_user_namespace(s->pod) << USER)))
		_exit(1);
	if (read(s->channel, go, sizeof go) !=
		sizeof go) /* the address; and the ids are mapped by now */
		_exit(1);
	if (has_user_namespace(s->pod) && (setresgid(0, 0, 0) || setresuid(0, 0, 0)))
		die("setresgid, setresuid");
	TELL(sethostname(hostname, length));
	network_ipv4_only();
	network_up(go);
	if (life_told)
		sys_on_call = NULL;
	pause_root(s);
	lab_command = words; /* what follows is no part of the story */
	sys_on_call = NULL;
	/* It inherits the channel for its output, no other descriptor and no environment. */
	MUST(dup2(s->channel, STDOUT_FILENO));
	MUST(fcntl(STDIN_FILENO, F_SETFD, FD_CLOEXEC));
	MUST(fcntl(STDERR_FILENO, F_SETFD, FD_CLOEXEC));
	folder = close_descriptors(folder);
	MUST(setsid()); /* the keys of our terminal are not for it */
	drop_privileges(&pause_privileges);
	MUST(prctl(PR_SET_PDEATHSIG, SIGKILL));
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	syscall(SYS_execveat, folder, *words, words, words + 1, 0);
	die("execveat: pause");
}

/*
 * hostUsers: false: root inside is the first of 65536 ids that nobody has outside: beyond what
 * useradd gives (subuid(5), SUB_UID_MAX 600100000) and what systemd has for containers.
 */
static void map_users(pid_t pid)
{
	static unsigned first = 0x70000000 - 65536;
	autofree char *map = text("0 %u 65536", first += 65536);
	autofree char *uids = text("/proc/%d/uid_map", pid), *gids = text("/proc/%d/gid_map", pid);
	file_write(uids, map);
	file_write(gids, map);
}

/* A new pause, in new namespaces; the groups and the volumes stay. False when it has not come up.
 */
bool pause_start(struct sandbox *s)
{
	int channel[2], running = network_host(group_home());
	char end;
	autoclose int folder = pause_folder();
	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel));
	s->pause_group = scope_make(s->group);
	autoclose int group = MUST(open(s->pause_group, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	allow_devices(group);
	struct clone_args args = {
		.flags = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS | CLONE_PIDFD |
			 CLONE_INTO_CGROUP |
			 (s->pod->share_process_namespace.is ? CLONE_NEWPID : 0) |
			 (has_user_namespace(s->pod) ? CLONE_NEWUSER : 0),
		.pidfd = (uint64_t)(uintptr_t)&s->pidfd,
		.cgroup = (uint64_t)group,
		.exit_signal = SIGCHLD,
	};
	s->pauses++;
	s->pause = life_told ? MUST(clone3(&args)) : FORKED(clone3(&args));
	if (s->pause == 0) {
		close(channel[0]);
		s->channel = channel[1];
		pause_main(s, folder);
	}
	undo_kill(s->pause);
	close(channel[1]);
	if (args.flags & CLONE_NEWUSER)
		map_users(s->pause);
	int number = network_plug(s->pause, 0, running);
	autofree char *address = number > 0 ? network_address(number) : text("%s", "");
	snprintf(s->address, sizeof s->address, "%s", address);
	hosts_write(s);
	ssize_t n = write(channel[0], s->address, sizeof s->address);
	if (n > 0)
		n = read(channel[0], &end, 1);
	if (n < 0 && errno != EPIPE && errno != ECONNRESET) /* these: it has ended, and said why */
		die("write, read: the channel to pause");
	close(channel[0]);
	if (n != 1 && cg_read_key(s->group, "memory.events", "oom_kill") > 0)
		expect_of_manifest("the Pod: sandbox", "created",
			"FailedCreatePodSandBox: pause was OOM-killed, the memory limit is too low");
	return n == 1;
}

/* A volume that is not to be had is the manifest's fault: the Pod waits, ContainerCreating. */
static bool volumes_are_there(const struct volumes *volumes)
{
	for (size_t i = 0; i < volumes->count; i++) {
		autofree char *wrong = volume_wrong(&volumes->item[i]),
			      *what = text("volume %s", volumes->item[i].name),
			      *found = text("FailedMount: %s", wrong ? wrong : "");
		if (wrong)
			return expect_of_manifest(what, "mounted", found);
	}
	return true;
}

bool sandbox_start(struct sandbox *s)
{
	autofree char *uid = file_read("/proc/sys/kernel/random/uuid");
	snprintf(s->uid, sizeof s->uid, "%s", uid);
	const struct container_specs *inits = &s->pod->init_containers;
	s->containers = calloc(container_count(s->pod), sizeof *s->containers);
	if (!s->containers)
		die("out of memory");
	for (size_t i = 0; i < s->pod->containers.count; i++)
		s->containers[s->count++].spec = &s->pod->containers.item[i];
	s->regular = s->count;
	for (size_t i = 0; i < inits->count; i++)
		if (is_sidecar(s->pod, &inits->item[i]))
			s->containers[s->count++].spec = &inits->item[i];
	for (size_t i = 0; i < s->count; i++)
		s->containers[i].due = -1;
	pod_group_make(s);
	if (!volumes_are_there(&s->pod->volumes))
		return false;
	volumes_make(s);
	return pause_start(s);
}

/* ---- A container joins ---- */

/* What runc looks for before it executes anything: LookPath() of Go's os/exec. */
static bool is_executable(const char *word)
{
	if (strchr(word, '/'))
		return !access(word, X_OK);
	const char *path = getenv("PATH");
	for (size_t length; path && *path; path += length + (path[length] == ':')) {
		length = strcspn(path, ":");
		autofree char *file = text("%.*s/%s", (int)length, path, word);
		if (!access(file, X_OK))
			return true;
	}
	return false;
}

static _Noreturn void container_main(
	const struct sandbox *s, const struct container_spec *spec, char **words, int channel)
{
	struct container c = container_of(s, spec);
	MUST(unshare(CLONE_NEWCGROUP));
	const char *found = shared_with_host(~0U ^ (unsigned)!has_user_namespace(s->pod) << USER);
	if (strcmp(found, "none")) { /* what comes would be done to the host */
		autofree char *what = text("%s: of the host in it", spec->name);
		expect_str(what, "none", found);
		_exit(write(channel, "", 1) != 1);
	}
	c.silent = !logs && !(lab_command && words == lab_command);
	c.command = words;
	char **asked_command = lab_command;
	lab_command = words; /* from here on it is a container's, and no part of the story */
	root_enter(&c.root);
	int channel_kept = close_descriptors(channel);
	enter_workdir(c.workdir);
	environ = c.environment;
	if (words != asked_command && !is_executable(*words))
		_exit(write(channel_kept, "S", 1) != 1);
	command_exec(&c);
}

/* When it has become its program. Returns its PID; 0 when the runtime's first process did not get
 * there; -1 when its program is not there. */
pid_t container_join(
	const struct sandbox *s, const struct container_spec *c, const char *group, char **words)
{
	int channel[2];
	pid_t pid = 0;
	bool users = has_user_namespace(s->pod);
	bool share = s->pod->share_process_namespace.is;
	int shared = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | (share ? CLONE_NEWPID : 0) |
		     (users ? CLONE_NEWUSER : 0);
	autoclose int folder = MUST(open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	autofree char *score = text("%d", oom_score_adj(s->pod, c, proc_meminfo("MemTotal")));
	MUST(pipe2(channel, O_CLOEXEC));
	struct clone_args born = {
		.flags = CLONE_INTO_CGROUP, .cgroup = (uint64_t)folder, .exit_signal = SIGCHLD};
	pid_t runtime = MUST(clone3(&born));
	if (runtime == 0) {
		if (file_try_write("/proc/self/oom_score_adj", score) && errno != EACCES)
			die("write oom_score_adj");
		TELL(setns(s->pidfd, shared));
		if (users && (setresgid(0, 0, 0) || setresuid(0, 0, 0)))
			die("setresgid, setresuid");
		/* Not our child but the kubelet's: CLONE_PARENT. */
		struct clone_args own = {
			.flags = CLONE_PARENT | CLONE_NEWNS | (share ? 0 : CLONE_NEWPID)};
		pid = life_told ? MUST(clone3(&own)) : FORKED(clone3(&own));
		if (pid == 0)
			container_main(s, c, words, channel[1]);
		_exit(write(channel[1], &pid, sizeof pid) != sizeof pid);
	}
	close(channel[1]);
	if (MUST(read(channel[0], &pid, sizeof pid)) != sizeof pid)
		pid = 0;
	char no = 0; /* exec() closes its end of the channel, without a word */
	if (MUST(read(channel[0], &no, 1)) == 1) {
		if (pid && no == 'S')
			child_wait(pid);
		pid = no == 'S' ? -1 : 0;
	}
	close(channel[0]);
	child_wait(runtime);
	return pid;
}
