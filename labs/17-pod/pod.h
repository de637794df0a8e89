/*
 * pod.h: what a Pod manifest says, as Kubernetes' types have it
 * (k8s.io/api/core/v1/types.go), without the fields that this lab does not have.
 * manifest.h reads it, resources.h counts with it, the Pod's life obeys it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Where in the file; line 0 is nowhere. */
struct place {
	int line, column;
};

/* A number that may be left out: an integer, 0 or 1, bytes, or thousandths of a CPU. */
struct value {
	bool set;
	long long is;
	struct place at;
};

struct resources {
	struct value cpu, memory;
};

/* What each knob becomes is lab 15. Of strings that are left out the pointer is NULL. */
struct security {
	struct value run_as_user, run_as_group, run_as_non_root;
	struct value privileged, privilege_escalation, read_only_root; /* containers only */
	const char **cap_add, **cap_drop; /* end with NULL; containers only */
	const char *seccomp;              /* RuntimeDefault, Unconfined or Localhost */
};

/* A list's items each begin with their place. */
struct pair {
	struct place at;
	const char *name, *value;
};

struct pairs {
	struct pair *item;
	size_t count;
};

struct port {
	struct place at;
	const char *name, *protocol;
	struct value number;
};

struct config_map {
	struct place at;
	const char *api, *kind, *name;
	struct pairs data; /* a file each */
};

struct volume {
	struct place at;
	const char *name;
	struct place host, config, empty; /* which of the three it is; none is an emptyDir too */
	const char *medium;               /* "Memory" is a tmpfs */
	struct value size_limit;
	const char *host_path, *host_type;
	const char *config_name;
	struct value optional;
	const struct config_map *map; /* the one of that name; NULL: not there, and optional */
};

struct mount {
	struct place at;
	const char *name, *path;
	struct value read_only;
	const struct volume *volume; /* the one of that name */
};

struct container {
	struct place at;
	const char *name, *image, *working_dir;
	const char *rootfs; /* what the image is here: a folder; NULL is the busybox tree */
	const char **command, **args;
	struct pairs env;
	struct {
		struct port *item;
		size_t count;
	} ports;
	struct {
		struct mount *item;
		size_t count;
	} mounts;
	struct resources requests, limits;
	struct security security;
};

struct containers {
	struct container *item;
	size_t count;
};

struct pod {
	struct place at;
	const char *api, *kind, *name, *namespace;
	struct pairs labels;
	const char *hostname, *restart_policy;
	char short_name[64]; /* of name, what can be a hostname */
	struct value host_users, share_process_namespace;
	struct resources requests, limits; /* spec.resources */
	struct security security;
	struct {
		struct volume *item;
		size_t count;
	} volumes;
	struct containers init_containers, containers;
};

/* Both kinds, in the order of their lives. */
static inline size_t container_count(const struct pod *pod)
{
	return pod->init_containers.count + pod->containers.count;
}

static inline struct container *container_at(const struct pod *pod, size_t i)
{
	size_t first = pod->init_containers.count;
	return i < first ? &pod->init_containers.item[i] : &pod->containers.item[i - first];
}

/* The hostname that its containers share: spec.hostname, or of its name what the kernel takes. */
static inline const char *pod_hostname(const struct pod *pod)
{
	return pod->hostname ? pod->hostname : pod->short_name;
}

/* Word i of what is executed, or NULL: command and args; without both, busybox's image says sh. */
static inline const char *container_word(const struct container *c, size_t i)
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
static inline bool mount_read_only(const struct mount *mount)
{
	return mount->read_only.is || mount->volume->config.line;
}

/* A container's own knobs, and the Pod's where it has none. effectiveSecurityContext() */
static inline struct security container_security(const struct pod *pod, const struct container *c)
{
	struct security s = c->security;
	s.run_as_user = s.run_as_user.set ? s.run_as_user : pod->security.run_as_user;
	s.run_as_group = s.run_as_group.set ? s.run_as_group : pod->security.run_as_group;
	s.run_as_non_root =
		s.run_as_non_root.set ? s.run_as_non_root : pod->security.run_as_non_root;
	s.seccomp = s.seccomp ? s.seccomp : pod->security.seccomp;
	return s;
}
