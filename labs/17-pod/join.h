/*
 * join.h: a container of a Pod. A runtime's first process is born in the container's
 * group, joins pause's namespaces, and leaves a child behind that has its own mounts
 * and, mostly, its own PIDs: the container, whose parent is the kubelet. Then as in
 * lab 16: its root, its powers, its program. setns(2), clone(2)
 */
#pragma once

#include "../16-container/devices.h"
#include "sandbox.h"

static bool logs; /* what containers write goes to our stdout; else nowhere */

/* ---- What its manifest says ---- */

static inline struct powers powers_of(const struct pod *pod, const struct container *c)
{
	struct security s = container_security(pod, c);
	struct powers p = {.user = s.run_as_user.set ? (uid_t)s.run_as_user.is : 0,
		.group = s.run_as_group.set ? (gid_t)s.run_as_group.is : 0,
		.capabilities = s.privileged.is ? UINT64_MAX : default_capabilities,
		.new_privs = !s.privilege_escalation.set || s.privilege_escalation.is,
		.unconfined = s.privileged.is || !s.seccomp || !strcmp(s.seccomp, "Unconfined")};
	uint64_t set;
	for (const char **name = s.cap_drop; name && *name; name++)
		if (capability_parse(*name, &set))
			p.capabilities &= ~set;
	for (const char **name = s.cap_add; name && *name; name++)
		if (capability_parse(*name, &set))
			p.capabilities |= set;
	return p;
}

static inline char **environment_of(const struct pod *pod, const struct container *c)
{
	char **list = calloc(c->env.count + 4, sizeof *list);
	if (!list)
		die("out of memory");
	list[0] = text("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	list[1] = text("HOSTNAME=%s", pod_hostname(pod));
	list[2] = text("HOME=%s", powers_of(pod, c).user ? "/" : "/root");
	for (size_t i = 0; i < c->env.count; i++)
		list[3 + i] = text("%s=%s", c->env.item[i].name,
			c->env.item[i].value ? c->env.item[i].value : "");
	return list;
}

static inline char **words_of(const struct container *c)
{
	size_t count = 0;
	while (container_word(c, count))
		count++;
	char **list = calloc(count + 1, sizeof *list);
	for (size_t i = 0; list && i < count; i++)
		list[i] = text("%s", container_word(c, i));
	return list;
}

/* What all containers of a Pod share, but one that has something else there: the kubelet. */
static inline void mount_add_shared(struct root *r, struct bind_mount *list,
	const struct container *c, const char *source, const char *target, bool read_only)
{
	for (size_t i = 0; i < c->mounts.count; i++)
		if (!strcmp(c->mounts.item[i].path, target))
			return;
	list[r->volume_count++] = (struct bind_mount){source, target, read_only, false};
}

/* Its volumes, and /dev/shm and /etc/hosts. */
static inline struct root root_of(const struct sandbox *s, const struct container *c)
{
	struct root r = {.name = text("lab17:%s:%s", s->pod->name, c->name),
		.image = c->rootfs ? realpath(c->rootfs, NULL) : file_rootfs(),
		.read_only = c->security.read_only_root.is,
		.unmasked = container_security(s->pod, c).privileged.is,
		.user_namespace = own_users(s->pod)};
	struct bind_mount *mounts = calloc(c->mounts.count + 2, sizeof *mounts);
	if (!mounts || !r.image)
		die("realpath: the image of %s", c->name);
	mount_add_shared(&r, mounts, c, text("%s/shm", s->place), "/dev/shm", false);
	mount_add_shared(&r, mounts, c, text("%s/hosts", s->place), "/etc/hosts", true);
	for (size_t i = 0; i < c->mounts.count; i++) {
		const struct mount *m = &c->mounts.item[i];
		const char *source = m->volume->host.line
					     ? m->volume->host_path
					     : text("%s/volumes/%s", s->place, m->name);
		mounts[r.volume_count++] =
			(struct bind_mount){source, m->path, mount_read_only(m), false};
	}
	r.volumes = mounts;
	return r;
}

/* ---- Inside ---- */

static inline _Noreturn void container_main(
	const struct sandbox *s, const struct container *c, char **words, int channel)
{
	struct root root = root_of(s, c);
	struct powers powers = powers_of(s->pod, c);
	char **environment = environment_of(s->pod, c);
	MUST(unshare(CLONE_NEWCGROUP));
	const char *found = still_outside(~0U ^ (unsigned)!own_users(s->pod) << USER);
	if (strcmp(found, "none")) { /* what comes would be done to the host */
		autofree char *what = text("%s: of the host in it", c->name);
		expect_str(what, "none", found);
		_exit(write(channel, "", 1) != 1);
	}
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL); /* hands-on the kubelet blocks its keys */
	bool heard = logs || (lab_command && words == lab_command);
	lab_command = words; /* from here on it is a container's, and no part of the story */
	root_make(&root);
	close_descriptors(channel);
	enter_workdir(c->working_dir ? c->working_dir : "/");
	MUST(setsid());
	powers_drop(&powers);
	MUST(prctl(PR_SET_PDEATHSIG, SIGKILL));
	environ = environment;
	int nowhere = heard ? -1 : MUST(open("/dev/null", O_RDWR | O_CLOEXEC));
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO && !heard; fd++)
		MUST(dup2(nowhere, fd)); /* its words are no part of the story */
	lab_exec(words);
}

/* ---- Outside ---- */

/* When it has become its program. Returns its PID, 0 when the runtime's first process did not get
 * there. */
static inline pid_t container_join(
	const struct sandbox *s, const struct container *c, const char *group, char **words)
{
	int channel[2];
	pid_t pid = 0;
	bool users = own_users(s->pod);
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
	char no; /* exec() closes its end of the channel, without a word */
	if (MUST(read(channel[0], &no, 1)) == 1)
		pid = 0;
	close(channel[0]);
	child_wait(runtime);
	return pid;
}
