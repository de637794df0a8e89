/*
 * kubelet.c: the loop that compares the actual with the desired state and acts on the difference.
 * It enforces no limit and kills nothing for memory. A pidfd tells it that a process has ended, and
 * memory.events why. Then it restarts what the manifest wants to run.
 * pidfd_open(2), poll(2), cgroup-v2.rst
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "pod.h"

/* Kubernetes begins with ten seconds and doubles up to five minutes. */
enum { BACK_OFF_MS = 10 * SECOND_MS, BACK_OFF_MOST_MS = 300 * SECOND_MS };
enum { LOOK_MS = 2000 };

static long long clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* When it is started again: the first time at once. doBackOff() of the kubelet */
static void plan_restart(const struct sandbox *s, struct pod_container *r)
{
	const char *own = r->spec->restart_policy, *policy = own ? own : s->pod->restart_policy;
	bool always = !policy || !strcmp(policy, "Always");
	long long back_off = r->restarts ? BACK_OFF_MS : 0;
	for (int i = 1; i < r->restarts && back_off < BACK_OFF_MOST_MS; i++)
		back_off *= 2;
	if (always || (!strcmp(policy, "OnFailure") && r->status))
		r->due = clock_ms() + back_off;
}

const char *restart_words(const struct pod_container *r)
{
	return r->restarts ? "back-off" : "again at once";
}

static void group_drop(struct pod_container *r)
{
	cg_destroy(r->group);
	free(r->group);
	r->group = NULL;
}

/* It does not run, and that is the manifest's fault: what kubectl shows, and a failed check. */
static void not_started(
	struct sandbox *s, struct pod_container *r, const char *reason, int status, const char *why)
{
	autofree char *what = text("container %s: state", r->spec->name),
		      *found = text("%s: %s", reason, why);
	if (lab_command) /* it may be another one than COMMAND's: then COMMAND runs without it */
		dprintf(STDERR_FILENO, "17-pod: fail: %s: %s\n", what, found);
	else if (!r->restarts)
		expect_str(what, "Running", found);
	r->pid = 0;
	r->reason = reason;
	r->status = status;
	if (r->group)
		group_drop(r);
	plan_restart(s, r);
}

static void group_of_container(struct sandbox *s, struct pod_container *r)
{
	r->group = scope_make(s->group);
	group_write(r->group, container_values(s->pod, r->spec));
	cg_write(r->group, "memory.oom.group", "1");
	if (cg_has(r->group, "memory.swap.max"))
		cg_write(r->group, "memory.swap.max", "0");
	if (!container_security(s->pod, r->spec).privileged.is) {
		autoclose int folder = MUST(open(r->group, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
		allow_devices(folder);
	}
}

/* A new group, a process in it, and a pidfd. Each start has a new id, and so a new group. */
void pod_container_start(struct sandbox *s, struct pod_container *r, char **words)
{
	struct security knobs = container_security(s->pod, r->spec);
	r->due = -1;
	if (knobs.run_as_non_root.is && !knobs.run_as_user.is) {
		/* verifyRunAsNonRoot() of the kubelet checks this, no system call does. */
		not_started(s, r, "CreateContainerConfigError", 0,
			"runAsNonRoot, and it would run as root");
		return;
	}
	group_of_container(s, r);
	char **own = words ? NULL : command_of_spec(r->spec), **command = words ? words : own;
	r->pid = container_join(s, r->spec, r->group, command);
	if (r->pid < 0) {
		autofree char *why =
			text("exec: \"%s\": executable file not found in $PATH", *command);
		free(own);
		not_started(s, r, "StartError", 128, why); /* containerd's words */
		return;
	}
	free(own);
	if (!r->pid && cg_read_key(r->group, "memory.events", "oom_kill") > 0) {
		not_started(s, r, "StartError", 128,
			"container init was OOM-killed (memory limit too low?)");
		return;
	}
	errno = 0;
	if (!r->pid && lab_command)
		die("container %s was not started", r->spec->name);
	if (!r->pid)
		exit(lab_end_early()); /* the container has reported why */
	undo_kill(r->pid);
	r->pidfd = MUST((int)syscall(SYS_pidfd_open, r->pid, 0));
}

/* Reaps it and notes its status and the reason, which memory.events of its group tells. */
static void container_reap(struct sandbox *s, struct pod_container *r)
{
	r->status = child_wait(r->pid);
	bool by_oom = cg_read_key(r->group, "memory.events", "oom_kill") > 0;
	r->reason = by_oom ? "OOMKilled" : r->status ? "Error" : "Completed";
	r->pid = 0;
	close(r->pidfd);
	group_drop(r);
	plan_restart(s, r);
}

/* With SIGTERM and, after the grace period, SIGKILL. killContainer() of the kubelet */
static void container_end(struct sandbox *s, struct pod_container *r)
{
	long long seconds = grace_seconds(s->pod);
	long long ms = seconds > 86400 ? INT_MAX : seconds * SECOND_MS;
	kill(r->pid, SIGTERM);
	if (!child_ended(r->pid, (int)ms))
		cg_kill(r->group);
	container_reap(s, r);
	r->due = -1;
}

/* After the end of pause: ends all containers, and makes a new sandbox. */
static bool restart_sandbox(struct sandbox *s)
{
	child_wait(s->pause);
	close(s->pidfd);
	cg_destroy(s->pause_group);
	for (size_t i = 0; i < s->count; i++) {
		struct pod_container *r = &s->containers[i];
		if (!r->pid)
			continue;
		cg_kill(r->group);
		container_reap(s, r);
		r->due = r->due < 0 ? -1 : clock_ms();
	}
	for (size_t i = s->regular; i < s->count; i++)
		s->containers[i].due = -1; /* init_containers() starts them */
	return pause_start(s);
}

/*
 * One turn of the loop: starts what is due, then waits for the end of a process, at most until a
 * time. While an init container runs, only sidecars run beside it. False: pause has ended.
 */
static bool turn(struct sandbox *s, struct pod_container *init, long long until)
{
	struct pollfd fds[s->count + 2];
	long long now = clock_ms();
	bool started = false;
	for (size_t i = 0; i < s->count; i++) {
		struct pod_container *r = &s->containers[i];
		bool waits = init && i < s->regular;
		if (!waits && !r->pid && r->due >= 0 && r->due <= now) {
			r->restarts += r->reason != NULL;
			pod_container_start(s, r, NULL);
			started = true;
		}
		if (!waits && !r->pid && r->due >= 0 && r->due < until)
			until = r->due;
		fds[i + 2] = (struct pollfd){r->pid ? r->pidfd : -1, POLLIN, 0};
	}
	fds[0] = (struct pollfd){s->pidfd, POLLIN, 0};
	fds[1] = (struct pollfd){init && init->pid ? init->pidfd : -1, POLLIN, 0};
	if (started) /* the caller may have waited for just that */
		return true;
	now = clock_ms();
	int ms = until == LLONG_MAX ? -1 : until <= now ? 0 : (int)(until - now);
	if (poll(fds, s->count + 2, ms) <= 0)
		return true;
	if (fds[0].revents)
		return false;
	if (init && fds[1].revents)
		container_reap(s, init);
	for (size_t i = 0; i < s->count; i++)
		if (fds[i + 2].revents)
			container_reap(s, &s->containers[i]);
	return true;
}

/* To its end, however long it takes. For it restartPolicy Always means OnFailure. False: pause has
 * ended. */
static bool run_init(struct sandbox *s, struct pod_container *r)
{
	pod_container_start(s, r, NULL);
	while (r->pid || (r->status && r->due >= 0 && r->restarts < s->restarts)) {
		bool was = r->pid != 0;
		if (!turn(s, r, r->pid ? LLONG_MAX : r->due)) {
			if (r->pid)
				container_end(s, r);
			return false;
		}
		if (was && !r->pid && r->status && r->due >= 0 && r->restarts < s->restarts)
			lab_note("init container %s: %s, status %d, restarts %d; %s", r->spec->name,
				r->reason, r->status, r->restarts, restart_words(r));
		if (!r->pid && r->due >= 0 && r->due <= clock_ms() && r->status &&
			r->restarts < s->restarts) {
			r->restarts++;
			pod_container_start(s, r, NULL);
		}
	}
	return true;
}

/* A sidecar counts as started when its program runs; it is not waited for. */
static bool start_sidecar(struct sandbox *s, struct pod_container *r)
{
	pod_container_start(s, r, NULL);
	while (!r->pid && r->restarts < s->restarts)
		if (!turn(s, r, LLONG_MAX))
			return false;
	return true;
}

/* One after the other, in each new sandbox; false when one of them failed for good. */
bool init_containers(struct sandbox *s)
{
	struct pod_container *sidecar = s->containers + s->regular;
	for (size_t i = 0; i < s->pod->init_containers.count; i++) {
		struct pod_container own = {.spec = &s->pod->init_containers.item[i], .due = -1};
		bool beside = is_sidecar(s->pod, own.spec);
		struct pod_container *r = beside ? sidecar++ : &own;
		if (beside ? !start_sidecar(s, r) : !run_init(s, r))
			return restart_sandbox(s) && init_containers(s);
		if (beside && r->pid)
			continue;
		autofree char *again =
			s->pauses > 1 ? text(", pause %d", s->pauses) : text("%s", "");
		autofree char *what = text("init container %s%s: status", own.spec->name, again);
		autofree char *found =
			text("%d", r->reason && !r->status && beside ? -1 : r->status);
		if (!expect_of_manifest(what, "0", found))
			return false;
	}
	return true;
}

/* All have ended for good, but the sidecars: they end last, in the reverse of their order. */
static bool is_over(struct sandbox *s)
{
	for (size_t i = 0; i < s->regular; i++)
		if (s->containers[i].pid || s->containers[i].due >= 0)
			return false;
	for (size_t i = s->count; i-- > s->regular;) {
		struct pod_container *r = &s->containers[i];
		if (r->pid)
			container_end(s, r);
		r->due = -1;
	}
	return true;
}

/* Until enough() is content, which is asked at least each LOOK_MS, ms have passed (-1: never), or
 * nobody runs and nobody is to run again.
 */
void kubelet(struct sandbox *s, bool (*enough)(const struct sandbox *), long long ms)
{
	long long end = ms < 0 ? LLONG_MAX : clock_ms() + ms;
	while ((!enough || !enough(s)) && clock_ms() < end && !is_over(s)) {
		long long soon = clock_ms() + LOOK_MS;
		if (turn(s, NULL, soon < end ? soon : end))
			continue;
		if (!restart_sandbox(s))
			die("no new sandbox");
		if (!init_containers(s))
			return;
	}
}
