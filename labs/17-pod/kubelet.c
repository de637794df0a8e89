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
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "pod.h"

/* Kubernetes begins with ten seconds and doubles up to five minutes. */
enum { BACK_OFF_MS = 100, BACK_OFF_MOST_MS = 5000 };

static long long clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* A new group, a process in it, and a pidfd. Each start has a new id, and so a new group. */
void pod_container_start(struct sandbox *s, struct pod_container *r, char **words)
{
	struct security knobs = container_security(s->pod, r->spec);
	errno = 0;
	if (knobs.run_as_non_root.is &&
		!knobs.run_as_user.is) /* the kubelet checks this, no system call does */
		die("CreateContainerConfigError: %s has runAsNonRoot and would run as root",
			r->spec->name);
	r->group = scope_make(s->group);
	group_write(r->group, container_values(s->pod, r->spec));
	cg_write(r->group, "memory.oom.group", "1");
	if (cg_has(r->group, "memory.swap.max"))
		cg_write(r->group, "memory.swap.max", "0");
	if (!knobs.privileged.is) {
		autoclose int folder = MUST(open(r->group, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
		allow_devices(folder);
	}
	r->due = -1;
	char **own = words ? NULL : command_of_spec(r->spec);
	r->pid = container_join(s, r->spec, r->group, own ? own : words);
	free(own);
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
	bool always = !s->pod->restart_policy || !strcmp(s->pod->restart_policy, "Always");
	r->status = child_wait(r->pid);
	bool by_oom = cg_read_key(r->group, "memory.events", "oom_kill") > 0;
	r->reason = by_oom ? "OOMKilled" : r->status ? "Error" : "Completed";
	r->pid = 0;
	close(r->pidfd);
	cg_destroy(r->group);
	free(r->group);
	r->group = NULL;
	long long back_off = BACK_OFF_MS;
	for (int i = 0; i < r->restarts && back_off < BACK_OFF_MOST_MS; i++)
		back_off *= 2;
	if (always || (!strcmp(s->pod->restart_policy, "OnFailure") && r->status))
		r->due = clock_ms() + back_off;
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
	return pause_start(s);
}

/*
 * One after the other, each to its end, in each new sandbox; false when one of them failed
 * for good. For them restartPolicy Always means OnFailure.
 */
bool init_containers(struct sandbox *s)
{
	for (size_t i = 0; i < s->pod->init_containers.count; i++) {
		struct pod_container r = {.spec = &s->pod->init_containers.item[i]};
		for (;; r.restarts++) {
			pod_container_start(s, &r, NULL);
			container_reap(s, &r);
			if (!r.status || r.due < 0 || r.restarts >= s->restarts)
				break;
			lab_note("init container %s: %s, status %d, restarts %d; back-off",
				r.spec->name, r.reason, r.status, r.restarts);
			long long ms = r.due - clock_ms();
			poll(NULL, 0, ms > 0 ? (int)ms : 0);
		}
		autofree char *again =
			s->pauses > 1 ? text(", pause %d", s->pauses) : text("%s", "");
		autofree char *what = text("init container %s%s: status", r.spec->name, again);
		if (!expect_int(what, 0, r.status))
			return false;
	}
	return true;
}

/* Until enough() is content, ms have passed (-1: never), or nobody runs and nobody is to run again.
 */
void kubelet(struct sandbox *s, bool (*enough)(const struct sandbox *), long long ms)
{
	long long end = ms < 0 ? LLONG_MAX : clock_ms() + ms;
	struct pollfd fds[s->count + 1];
	while (!enough || !enough(s)) {
		long long now = clock_ms(), next = ms < 0 ? -1 : end;
		bool any = false;
		for (size_t i = 0; i < s->count; i++) {
			struct pod_container *r = &s->containers[i];
			if (!r->pid && r->due >= 0 && r->due <= now) {
				r->restarts += r->reason != NULL;
				pod_container_start(s, r, NULL);
			} else if (!r->pid && r->due >= 0 && (next < 0 || r->due < next)) {
				next = r->due;
			}
			any |= r->pid || r->due >= 0;
			fds[i + 1] = (struct pollfd){r->pid ? r->pidfd : -1, POLLIN, 0};
		}
		if (!any || now >= end || (enough && enough(s)))
			return;
		fds[0] = (struct pollfd){s->pidfd, POLLIN, 0};
		if (poll(fds, s->count + 1, next < 0 ? -1 : (int)(next - now)) <= 0)
			continue;
		if (fds[0].revents && !restart_sandbox(s))
			die("no new sandbox");
		if (fds[0].revents && !init_containers(s))
			return;
		if (fds[0].revents)
			continue;
		for (size_t i = 0; i < s->count; i++)
			if (fds[i + 1].revents)
				container_reap(s, &s->containers[i]);
	}
}
