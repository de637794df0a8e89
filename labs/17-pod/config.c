/*
 * config.c: translates a container of the manifest into a container of lab 16. A kubelet does the
 * same for a runtime: the ContainerConfig of CreateContainer() in the CRI.
 */
#define _GNU_SOURCE
#include <string.h>

#include "kernel/file.h"
#include "kernel/sys.h"
#include "pod.h"

static struct privileges privileges_of(const struct pod *pod, const struct container_spec *c)
{
	struct security s = container_security(pod, c);
	uint64_t capabilities = s.privileged.is ? UINT64_MAX : default_capabilities;
	return (struct privileges){.user = s.run_as_user.set ? (uid_t)s.run_as_user.is : 0,
		.group = s.run_as_group.set ? (gid_t)s.run_as_group.is : 0,
		.capabilities = (capabilities & ~capabilities_named(s.cap_drop, SIZE_MAX)) |
				capabilities_named(s.cap_add, SIZE_MAX),
		.new_privs = !s.privilege_escalation.set || s.privilege_escalation.is,
		.unconfined = s.privileged.is || !s.seccomp || !strcmp(s.seccomp, "Unconfined")};
}

static char **environment_of(const struct pod *pod, const struct container_spec *c, uid_t user)
{
	char **list = environment_new(pod_hostname(pod), user, c->env.count);
	for (size_t i = 0, to = 3; i < c->env.count; i++)
		if (!c->env.item[i].other) /* valueFrom: a warning has said that it is left out */
			list[to++] = text("%s=%s", c->env.item[i].name,
				c->env.item[i].value ? c->env.item[i].value : "");
	return list;
}

char **command_of_spec(const struct container_spec *c)
{
	size_t count = 0;
	while (container_word(c, count))
		count++;
	char **list = calloc(count + 1, sizeof *list);
	if (!list)
		die("out of memory");
	for (size_t i = 0; i < count; i++)
		list[i] = text("%s", container_word(c, i));
	return list;
}

/* A mount that every container of a Pod gets, unless its manifest mounts something else there. */
static void mount_add_shared(struct root *r, struct bind_mount *list,
	const struct container_spec *c, const char *source, const char *target, bool read_only)
{
	for (size_t i = 0; i < c->mounts.count; i++)
		if (!strcmp(c->mounts.item[i].path, target))
			return;
	list[r->volume_count++] = (struct bind_mount){source, target, read_only, false};
}

char *image_of(const struct container_spec *c)
{
	return c->rootfs ? realpath(c->rootfs, NULL) : file_rootfs();
}

/* Its volumes, and /dev/shm and /etc/hosts. */
static struct root root_of(const struct sandbox *s, const struct container_spec *c)
{
	struct root r = {.name = text("lab17:%s:%s", s->pod->name, c->name),
		.image = has_user_namespace(s->pod) ? text("%s/images/%s", s->folder, c->name)
						    : image_of(c),
		.read_only = c->security.read_only_root.is,
		.unmasked = container_security(s->pod, c).privileged.is,
		.user_namespace = has_user_namespace(s->pod)};
	struct bind_mount *mounts = calloc(c->mounts.count + 2, sizeof *mounts);
	if (!mounts || !r.image)
		die("realpath: the image of %s", c->name);
	mount_add_shared(&r, mounts, c, text("%s/shm", s->folder), "/dev/shm", false);
	mount_add_shared(&r, mounts, c, text("%s/hosts", s->folder), "/etc/hosts", true);
	for (size_t i = 0; i < c->mounts.count; i++) {
		const struct mount *m = &c->mounts.item[i];
		if (m->sub_path || m->sub_path_expr)
			continue; /* left out, with a warning */
		const char *source = m->volume->host.line && !has_user_namespace(s->pod)
					     ? m->volume->host_path
					     : text("%s/volumes/%s", s->folder, m->name);
		mounts[r.volume_count++] =
			(struct bind_mount){source, m->path, mount_read_only(m), false};
	}
	r.volumes = mounts;
	return r;
}

struct container container_of(const struct sandbox *s, const struct container_spec *c)
{
	struct privileges privileges = privileges_of(s->pod, c);
	return (struct container){.name = c->name,
		.root = root_of(s, c),
		.privileges = privileges,
		.workdir = c->working_dir ? c->working_dir : "/",
		.environment = environment_of(s->pod, c, privileges.user)};
}
