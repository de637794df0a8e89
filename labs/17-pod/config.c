/*
 * config.c: translates a container of the manifest into a container of lab 16. A kubelet does the
 * same for a runtime: the ContainerConfig of CreateContainer() in the CRI.
 */
#define _GNU_SOURCE
#include <string.h>
#include <strings.h>

#include "kernel/file.h"
#include "kernel/sys.h"
#include "pod.h"

/* ALL among the names, or the others that runc knows. */
static bool capabilities_of(const char **names, uint64_t *named)
{
	bool all = false;
	uint64_t one;
	for (*named = 0; names && *names; names++)
		if (!strcasecmp(*names, "ALL"))
			all = true;
		else if (is_capability(*names) && capability_parse(*names, &one))
			*named |= one;
	return all;
}

/* As containerd's WithCapabilities(): ALL first, then those added by name, then those dropped. */
static uint64_t capabilities(const struct security *s)
{
	uint64_t added, dropped, are = default_capabilities;
	are = capabilities_of(s->cap_add, &added) ? UINT64_MAX : are;
	are = capabilities_of(s->cap_drop, &dropped) ? 0 : are;
	return s->privileged.is ? UINT64_MAX : (are | added) & ~dropped;
}

static struct privileges privileges_of(const struct pod *pod, const struct container_spec *c)
{
	struct security s = container_security(pod, c);
	return (struct privileges){.user = s.run_as_user.set ? (uid_t)s.run_as_user.is : 0,
		.group = s.run_as_group.set ? (gid_t)s.run_as_group.is : 0,
		.capabilities = capabilities(&s),
		.new_privs = !s.privilege_escalation.set || s.privilege_escalation.is,
		.unconfined = s.privileged.is || !s.seccomp || !strcmp(s.seccomp, "Unconfined")};
}

static char **environment_of(
	const struct pod *pod, const struct container_spec *c, const struct container *to)
{
	char **list = environment_new(pod_hostname(pod), to->privileges.user, c->env.count);
	if (to->home)
		environment_set(list, "HOME", text("HOME=%s", to->home));
	for (size_t i = 0; i < c->env.count; i++) {
		const struct pair *one = &c->env.item[i];
		if (!one->other) /* valueFrom: a warning has said that it is left out */
			environment_set(list, one->name,
				text("%s=%s", one->name, one->value ? one->value : ""));
	}
	return list;
}

/* What the image's passwd(5) has for a number: a group, unless the manifest says one, and a home.
 */
static void find_user(struct container *to, struct security s)
{
	struct container found = {0};
	autofree char *id = text("%lld", s.run_as_user.is);
	if (!s.run_as_user.set || !user_find(to->root.image, id, &found))
		return;
	to->home = found.home;
	if (!s.run_as_group.set)
		to->privileges.group = found.privileges.group;
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
	struct container to = {.name = c->name,
		.root = root_of(s, c),
		.privileges = privileges_of(s->pod, c),
		.workdir = c->working_dir ? c->working_dir : "/"};
	find_user(&to, container_security(s->pod, c));
	to.environment = environment_of(s->pod, c, &to);
	return to;
}
