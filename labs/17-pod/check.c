/*
 * check.c: what one field of a manifest says of another, as
 * pkg/apis/core/validation/validation.go has it, and $(NAME) in env, command and args, as
 * Kubernetes expands it ("Define Dependent Environment Variables"): by the container's own
 * variables, in env by those above. A name that is none of them stays as it is, and $$ is one $.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "kernel/file.h"
#include "kernel/sys.h"
#include "pod.h"

/* Where FIELD of this container, volume ... was read, for errors that are found later. */
static struct position where(
	const struct manifest *m, const char *field, const void *of, struct position otherwise)
{
	for (size_t i = 0; i < m->said.count; i++)
		if (m->said.item[i].of == of && !strcmp(m->said.item[i].field, field))
			return m->said.item[i].at;
	return otherwise;
}

/* registry:5000/library/busybox:1.36@sha256:... is busybox. */
static char *image_base(const char *image)
{
	const char *slash = strchr(image, '/');
	while (slash) {
		image = slash + 1;
		slash = strchr(image, '/');
	}
	return text("%.*s", (int)strcspn(image, ":@"), image);
}

static bool check_image(struct manifest *m, struct container_spec *c)
{
	autofree char *base = image_base(c->image);
	for (const char *const *image = m->images; image && *image; image++) {
		size_t length = strcspn(*image, "=");
		if ((strlen(c->image) == length && !strncmp(*image, c->image, length)) ||
			(strlen(base) == length && !strncmp(*image, base, length))) {
			c->rootfs = *image + length + 1;
			return true;
		}
	}
	return !strcmp(base, "busybox") ||
	       manifest_wrong(m, where(m, "container.image", c, c->at),
		       "image '%.80s': expected busybox, or where it is: --image %.80s=DIR",
		       c->image, base);
}

/* A limit that is there bounds its request. ValidateResourceRequirements() */
static bool check_limits(
	struct manifest *m, const struct resources *requests, const struct resources *limits)
{
	for (enum resource which = CPU; which <= MEMORY; which++) {
		const struct value *request = amount(requests, which),
				   *limit = amount(limits, which);
		if (limit->set && request->set && request->is > limit->is)
			return manifest_wrong(m, request->at,
				"%s request: expected at most the limit of line %d",
				which == CPU ? "cpu" : "memory", limit->at.line);
	}
	return true;
}

/* validatePodResourceConsistency() */
static bool check_pod_level(struct manifest *m, struct pod *pod)
{
	for (enum resource which = CPU; which <= MEMORY; which++) {
		const char *name = which == CPU ? "cpu" : "memory";
		const struct value *request = amount(&pod->requests, which);
		const struct value *limit = amount(&pod->limits, which);
		if (request->set && request->is < aggregate(pod, false, which).is)
			return manifest_wrong(m, request->at,
				"%s request of the Pod: expected at least the "
				"sum of its containers'",
				name);
		for (size_t i = 0; limit->set && i < pod->containers.count; i++) {
			const struct value *one = amount(&pod->containers.item[i].limits, which);
			if (one->is > limit->is)
				return manifest_wrong(m, one->at,
					"%s limit: expected at most the Pod's, of line %d", name,
					limit->at.line);
		}
	}
	return true;
}

static bool check_security(struct manifest *m, struct container_spec *c)
{
	const struct security *s = &c->security;
	bool refuses = s->privilege_escalation.set && !s->privilege_escalation.is;
	bool admin = false;
	for (const char **cap = s->cap_add; cap && *cap; cap++)
		admin |= !strcmp(*cap, "SYS_ADMIN") || !strcmp(*cap, "CAP_SYS_ADMIN");
	if (refuses && (s->privileged.is || admin))
		return manifest_wrong(m, s->privilege_escalation.at,
			"allowPrivilegeEscalation: expected true with %s",
			admin ? "CAP_SYS_ADMIN" : "privileged");
	return true;
}

static bool check_volume(struct manifest *m, struct volume *v)
{
	int kinds = (v->empty.line > 0) + (v->host.line > 0) + (v->config.line > 0);
	if (kinds > 1)
		return manifest_wrong(m, v->at,
			"volume %s: expected one of emptyDir, hostPath and configMap", v->name);
	if (v->config.line) {
		for (size_t i = 0; i < m->maps.count; i++)
			if (!strcmp(m->maps.item[i].name, v->config_name))
				v->map = &m->maps.item[i];
		if (!v->map && !v->optional.is)
			return manifest_wrong(m, where(m, "volume.configMap.name", v, v->config),
				"configMap '%.80s': expected a ConfigMap of that name in this file",
				v->config_name);
	}
	if (v->host_type && *v->host_type)
		manifest_warn(m, where(m, "volume.hostPath.type", v, v->host),
			"spec.volumes[].hostPath.type: this lab does not look, and makes nothing");
	return true;
}

/* The value of NAME, length bytes of it, among the first count; the last one counts. NULL: none has
 * it. */
static const char *variable(const struct pairs *env, size_t count, const char *name, size_t length)
{
	while (count-- > 0) {
		const struct pair *v = &env->item[count];
		if (strlen(v->name) == length && !strncmp(v->name, name, length))
			return v->value ? v->value : "";
	}
	return NULL;
}

/* from, by the first count variables of env. To be freed; NULL where it becomes longer than max
 * bytes. */
static char *expanded(const char *from, const struct pairs *env, size_t count, size_t max)
{
	char *to;
	size_t size;
	FILE *out = open_memstream(&to, &size);
	if (!out)
		die("out of memory");
	bool fits = true;
	while (*from && fits) {
		size_t length = strncmp(from, "$(", 2) ? 0 : strcspn(from, ")");
		if (length && from[length]) {
			const char *value = variable(env, count, from + 2, length - 2);
			fprintf(out, "%.*s", value ? INT_MAX : (int)length + 1,
				value ? value : from);
			from += length + 1;
		} else {
			fputc(*from, out);
			from += from[0] == '$' && from[1] == '$' ? 2 : 1;
		}
		fits = ftell(out) <= (long)max;
	}
	fclose(out);
	if (fits)
		return to;
	free(to);
	return NULL;
}

/* In place, in env with what stands above. Nothing longer could be executed: MAX_ARG_STRLEN. */
static bool expand(
	struct manifest *m, const struct container_spec *c, const char **string, size_t count)
{
	autofree char *to = expanded(*string, &c->env, count, 128 << 10);
	if (!to)
		return manifest_wrong(m, c->at,
			"container '%s': expected $() that become at most 128 KiB, got '%.80s'",
			c->name, *string);
	*string = manifest_keep(m, to);
	return true;
}

static bool expand_all(struct manifest *m, struct container_spec *c)
{
	for (size_t i = 0; i < c->env.count; i++)
		if (c->env.item[i].value && !expand(m, c, &c->env.item[i].value, i))
			return false;
	const char **lists[] = {c->command, c->args};
	for (int list = 0; list < 2; list++)
		for (const char **word = lists[list]; word && *word; word++)
			if (!expand(m, c, word, c->env.count))
				return false;
	return true;
}

static bool check_container(struct manifest *m, struct container_spec *c)
{
	if (!check_image(m, c) || !check_limits(m, &c->requests, &c->limits) ||
		!check_security(m, c) || !expand_all(m, c))
		return false;
	for (size_t i = 0; i < c->mounts.count; i++) {
		struct mount *mount = &c->mounts.item[i];
		if (!mount->path[strspn(mount->path, "/.")])
			return manifest_wrong(m, where(m, "mount.mountPath", mount, mount->at),
				"mountPath '%.80s': expected a path below /", mount->path);
		if (is_reserved(mount->path))
			return manifest_wrong(m, where(m, "mount.mountPath", mount, mount->at),
				"mountPath '%.80s': expected %s", mount->path, not_reserved);
		for (size_t j = 0; j < m->pod.volumes.count; j++)
			if (!strcmp(m->pod.volumes.item[j].name, mount->name))
				mount->volume = &m->pod.volumes.item[j];
		if (!mount->volume)
			return manifest_wrong(m, where(m, "mount.name", mount, mount->at),
				"volumeMount '%.63s': expected a volume of that name in spec.volumes",
				mount->name);
		for (size_t j = 0; j < i; j++)
			if (!strcmp(c->mounts.item[j].path, mount->path))
				return manifest_wrong(m,
					where(m, "mount.mountPath", mount, mount->at),
					"mountPath '%.80s': expected once in a container, and it is in line %d too",
					mount->path, c->mounts.item[j].at.line);
	}
	return true;
}

/* What follows of the whole Pod, when all documents are read. */
bool check_pod(struct manifest *m)
{
	struct pod *pod = &m->pod;
	for (size_t i = 0; i < pod->volumes.count; i++) {
		const struct volume *v = &pod->volumes.item[i];
		for (size_t j = 0; j < i; j++)
			if (!strcmp(v->name, pod->volumes.item[j].name))
				return manifest_wrong(m, where(m, "volume.name", v, v->at),
					"volume '%s': expected another name, line %d has this one",
					v->name, pod->volumes.item[j].at.line);
		if (!check_volume(m, &pod->volumes.item[i]))
			return false;
	}
	if (!pod->containers.count)
		return manifest_wrong(m, where(m, "pod.spec.containers", pod, pod->at),
			"spec.containers: expected at least one");
	for (size_t i = 0; i < container_count(pod); i++) {
		const struct container_spec *c = container_at(pod, i);
		for (size_t j = 0; j < i; j++)
			if (!strcmp(c->name, container_at(pod, j)->name))
				return manifest_wrong(m, where(m, "container.name", c, c->at),
					"container '%s': expected another name, line %d has this one",
					c->name, container_at(pod, j)->at.line);
		if (!check_container(m, container_at(pod, i)))
			return false;
	}
	if (!pod->restart_policy)
		pod->restart_policy = "Always";
	/* As truncatePodHostnameIfNeeded(): 63 of 253, and no '-' or '.' at the end. */
	size_t length = strnlen(pod->name, sizeof pod->short_name - 1);
	while (length && strchr("-.", pod->name[length - 1]))
		length--;
	memcpy(pod->short_name, pod->name, length);
	resources_default(pod);
	return check_pod_level(m, pod) && check_limits(m, &pod->requests, &pod->limits);
}
