/*
 * pod.c: what a manifest says, where one field stands in for another.
 */
#include <string.h>
#include <strings.h>

#include "pod.h"

/* Both kinds, in the order of their lives. */
size_t container_count(const struct pod *pod)
{
	return pod->init_containers.count + pod->containers.count;
}

struct container_spec *container_at(const struct pod *pod, size_t i)
{
	size_t first = pod->init_containers.count;
	return i < first ? &pod->init_containers.item[i] : &pod->containers.item[i - first];
}

/* The hostname that its containers share: spec.hostname, or of its name what the kernel takes. */
const char *pod_hostname(const struct pod *pod)
{
	return pod->hostname ? pod->hostname : pod->short_name;
}

/* Until SIGKILL. killContainer() of the kubelet waits at least two. */
long long grace_seconds(const struct pod *pod)
{
	long long seconds = pod->grace.set ? pod->grace.is : 30;
	return seconds < 2 ? 2 : seconds;
}

/* An empty list is as none: then the image's ENTRYPOINT counts. */
bool has_command(const struct container_spec *c)
{
	return c->command && *c->command;
}

/* Word i of what is executed, or NULL: command and args; without both, busybox's image says sh. */
const char *container_word(const struct container_spec *c, size_t i)
{
	const char **lists[] = {c->command, c->args};
	size_t seen = 0;
	for (int list = 0; list < 2; list++)
		for (const char **word = lists[list]; word && *word; word++, seen++)
			if (seen == i)
				return *word;
	return seen == 0 && i == 0 ? "sh" : NULL;
}

/* A ConfigMap's files are nobody's to write, whatever the mount says. */
bool mount_read_only(const struct mount *mount)
{
	return mount->read_only.is || mount->volume->config.line;
}

/* A container's own knobs, and the Pod's where it has none. effectiveSecurityContext() */
struct security container_security(const struct pod *pod, const struct container_spec *c)
{
	struct security s = c->security;
	s.run_as_user = s.run_as_user.set ? s.run_as_user : pod->security.run_as_user;
	s.run_as_group = s.run_as_group.set ? s.run_as_group : pod->security.run_as_group;
	s.run_as_non_root =
		s.run_as_non_root.set ? s.run_as_non_root : pod->security.run_as_non_root;
	s.seccomp = s.seccomp ? s.seccomp : pod->security.seccomp;
	return s;
}

/* containerd puts CAP_ before the name, so one that has it already is none that runc knows. */
bool is_capability(const char *name)
{
	uint64_t set;
	return strncasecmp(name, "CAP_", 4) && capability_parse(name, &set);
}

bool has_user_namespace(const struct pod *pod)
{
	return pod->host_users.set && !pod->host_users.is;
}

/* IsNodeCriticalPod() */
bool is_node_critical(const struct pod *pod)
{
	return pod->priority_class && !strcmp(pod->priority_class, "system-node-critical");
}

/* An init container that goes on beside the others. IsRestartableInitContainer() */
bool is_sidecar(const struct pod *pod, const struct container_spec *c)
{
	return c >= pod->init_containers.item &&
	       c < pod->init_containers.item + pod->init_containers.count && c->restart_policy &&
	       !strcmp(c->restart_policy, "Always");
}
