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

/*
 * What must not be shared out beyond what is there has a limit, and the request is the same: pages
 * of hugetlbfs and what device plugins give. ValidateContainerResourceRequirements(),
 * IsOvercommitAllowed()
 */
static bool check_others(
	struct manifest *m, const struct pairs *requests, const struct pairs *limits)
{
	for (size_t i = 0; i < requests->count; i++) {
		const struct pair *request = &requests->item[i], *limit = NULL;
		bool storage = !strcmp(request->name, "ephemeral-storage");
		quantity least = {0}, most = {0};
		for (size_t j = 0; j < limits->count && !limit; j++)
			if (!strcmp(limits->item[j].name, request->name))
				limit = &limits->item[j];
		quantity_read(request->value, &least);
		if (limit)
			quantity_read(limit->value, &most);
		if (!storage && (!limit || quantity_compare(least, most) != 0))
			return manifest_wrong(m, request->at,
				"%.80s request: expected a limit of the same amount",
				request->name);
		if (limit && quantity_compare(least, most) > 0)
			return manifest_wrong(m, request->at,
				"%.80s request: expected at most the limit of line %d",
				request->name, limit->at.line);
	}
	return true;
}

/* ValidateSecurityContext(): with CAP_ in the name only, as it is there. */
static bool check_security(struct manifest *m, struct container_spec *c)
{
	const struct security *s = &c->security;
	bool refuses = s->privilege_escalation.set && !s->privilege_escalation.is;
	bool admin = false;
	for (const char **cap = s->cap_add; cap && *cap; cap++)
		admin |= !strcmp(*cap, "CAP_SYS_ADMIN");
	if (refuses && (s->privileged.is || admin))
		return manifest_wrong(m, s->privilege_escalation.at,
			"allowPrivilegeEscalation: expected true with %s",
			admin ? "CAP_SYS_ADMIN" : "privileged");
	return true;
}

/* validateSeccompProfileField() */
static bool check_seccomp(struct manifest *m, const struct security *s, const char *field,
	const void *of, struct position otherwise)
{
	struct position at = where(m, field, of, otherwise);
	bool local = s->seccomp && !strcmp(s->seccomp, "Localhost");
	if (local != (s->seccomp_profile != NULL) && s->seccomp)
		return manifest_wrong(m, at, "seccompProfile.localhostProfile: expected %s",
			local ? "here, with type Localhost" : "only with type Localhost");
	if (local)
		manifest_leave_out(m, at,
			"seccompProfile: the node's file is left out, the filter is RuntimeDefault's");
	return true;
}

/* validateVolumeSource(); that a ConfigMap is there is the kubelet's to see. */
static bool check_volume(struct manifest *m, struct volume *v)
{
	int kinds = (v->empty.line > 0) + (v->host.line > 0) + (v->config.line > 0) + !!v->other;
	if (kinds > 1)
		return manifest_wrong(
			m, v->at, "volume %s: expected one kind of volume, got %d", v->name, kinds);
	for (const struct config_map *map = m->maps; map && v->config_name && !v->map;
		map = map->next)
		if (!strcmp(map->name, v->config_name))
			v->map = map;
	if (v->medium && !strncmp(v->medium, "HugePages", 9))
		manifest_leave_out(
			m, v->empty, "emptyDir.medium: an ordinary folder instead of hugetlbfs");
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

/*
 * An absolute path without "." and "..": a relative one is below the root, as makeMounts() in
 * pkg/kubelet/kubelet_pods.go has it, and ".." leads no further up than the root.
 */
static const char *clean_path(struct manifest *m, const char *path)
{
	char *clean = manifest_alloc(m, strlen(path) + 2), *end = clean;
	while (*path) {
		size_t length = strcspn(path, "/");
		if (length == 2 && !strncmp(path, "..", 2)) {
			while (end > clean && *--end != '/')
				;
		} else if (length && !(length == 1 && *path == '.')) {
			*end++ = '/';
			end = mempcpy(end, path, length);
		}
		path += length + (path[length] == '/');
	}
	*end = '\0';
	return *clean ? clean : memcpy(clean, "/", 2);
}

static bool expand_all(struct manifest *m, struct container_spec *c)
{
	for (size_t i = 0; i < c->env.count; i++) /* validateEnvVarValueFrom() */
		if (c->env.item[i].other && c->env.item[i].value && *c->env.item[i].value)
			return manifest_wrong(m, c->env.item[i].at,
				"env '%.80s': expected one of value and valueFrom",
				c->env.item[i].name);
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

static bool check_ports(struct manifest *m, const struct container_spec *c)
{
	for (size_t i = 0; i < c->ports.count; i++)
		for (size_t j = 0; j < i && c->ports.item[i].name; j++)
			if (c->ports.item[j].name &&
				!strcmp(c->ports.item[i].name, c->ports.item[j].name))
				return manifest_wrong(m, c->ports.item[i].at,
					"port '%s': expected another name, line %d has this one",
					c->ports.item[i].name, c->ports.item[j].at.line);
	return true;
}

/* warningsForPodSpecAndMeta() in pkg/api/pod/warnings.go */
static void warn_hidden(struct manifest *m, const struct container_spec *c)
{
	for (size_t i = 1; i < c->env.count && i < 256; i++) {
		const char *name = c->env.item[i].name;
		if (variable(&c->env, i, name, strlen(name)))
			manifest_warn(m, c->env.item[i].at,
				"env '%.80s': hides the one above of that name", name);
	}
}

static const struct volume *volume_named(const struct volumes *volumes, const char *name)
{
	for (size_t i = 0; i < volumes->count; i++)
		if (!strcmp(volumes->item[i].name, name))
			return &volumes->item[i];
	return NULL;
}

static bool check_container(struct manifest *m, struct pod *pod, struct container_spec *c)
{
	/* validateContainersOnlyForPod(): a template may do without, for who fills it in later. */
	if (!c->image && !pod->owner)
		return manifest_wrong(
			m, c->at, "spec.containers[].image: expected here, and missing");
	if (!check_limits(m, &c->requests, &c->limits) ||
		!check_others(m, &c->other_requests, &c->other_limits) || !check_security(m, c) ||
		!check_seccomp(
			m, &c->security, "container.securityContext.seccompProfile", c, c->at) ||
		!check_ports(m, c) || !expand_all(m, c))
		return false;
	warn_hidden(m, c);
	if (c->working_dir && *c->working_dir != '/') /* nobody but the runtime looks */
		manifest_leave_out(m, where(m, "container.workingDir", c, c->at),
			"workingDir: expected an absolute path, with another one runc ends with "
			"StartError");
	if (c->working_dir)
		c->working_dir = clean_path(m, c->working_dir);
	for (size_t i = 0; i < c->mounts.count; i++) {
		struct mount *mount = &c->mounts.item[i];
		if (mount->sub_path && mount->sub_path_expr)
			return manifest_wrong(m, mount->at,
				"volumeMount: expected one of subPath and subPathExpr");
		if (mount->sub_path || mount->sub_path_expr)
			manifest_leave_out(m, mount->at,
				"volumeMounts[].subPath: a mount of a part of the volume; left out here");
		mount->volume = volume_named(&pod->volumes, mount->name);
		if (!mount->volume)
			mount->volume = volume_named(&pod->claims, mount->name);
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
	for (size_t i = 0; i < c->mounts.count; i++) /* now that they are compared as they are */
		c->mounts.item[i].path = clean_path(m, c->mounts.item[i].path);
	return true;
}

/* validateHostUsers() and ValidatePodSpec(): what contradicts itself. */
static bool check_host(struct manifest *m, const struct pod *pod)
{
	static const struct {
		const char *field, *words;
		size_t offset;
	} hosts[] = {{"hostNetwork", "no CLONE_NEWNET: the node's network",
			     offsetof(struct pod, host_network)},
		{"hostPID", "no CLONE_NEWPID: the node's processes",
			offsetof(struct pod, host_pid)},
		{"hostIPC", "no CLONE_NEWIPC: the node's objects", offsetof(struct pod, host_ipc)}};
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		const struct value *v = (const void *)((const char *)pod + hosts[i].offset);
		if (v->is && has_user_namespace(pod))
			return manifest_wrong(m, v->at, "%s: expected false with hostUsers: false",
				hosts[i].field);
		if (v->is)
			manifest_leave_out(m, v->at, "spec.%s: %s; left out here", hosts[i].field,
				hosts[i].words);
	}
	if (pod->host_pid.is && pod->share_process_namespace.is)
		return manifest_wrong(m, pod->share_process_namespace.at,
			"shareProcessNamespace: expected false with hostPID: true");
	return true;
}

/* What follows of the whole Pod, when all documents are read. */
bool check_pod(struct manifest *m, struct pod *pod)
{
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
		if (!check_container(m, pod, container_at(pod, i)))
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
	return check_pod_level(m, pod) && check_limits(m, &pod->requests, &pod->limits) &&
	       check_others(m, &pod->other_requests, &pod->other_limits) &&
	       check_seccomp(m, &pod->security, "pod.spec.securityContext.seccompProfile", pod,
		       pod->at) &&
	       check_host(m, pod);
}

/* ---- What it takes to run it here ---- */

bool is_busybox(const char *image)
{
	autofree char *base = image_base(image ? image : "");
	return !strcmp(base, "busybox");
}

static bool find_image(struct manifest *m, struct container_spec *c, const char *const *images)
{
	autofree char *base = image_base(c->image ? c->image : "");
	for (const char *const *image = images; image && *image; image++) {
		size_t length = strcspn(*image, "=");
		if ((c->image && strlen(c->image) == length &&
			    !strncmp(*image, c->image, length)) ||
			(strlen(base) == length && !strncmp(*image, base, length))) {
			c->rootfs = *image + length + 1;
			return true;
		}
	}
	return !strcmp(base, "busybox") ||
	       manifest_wrong(m, where(m, "container.image", c, c->at),
		       "image '%.80s': ErrImagePull: expected busybox, or --image %.80s=DIR",
		       c->image ? c->image : "", base);
}

static bool check_mounts_here(struct manifest *m, const struct container_spec *c)
{
	for (size_t i = 0; i < c->mounts.count; i++) {
		const struct mount *mount = &c->mounts.item[i];
		if (!strcmp(mount->path, "/"))
			return manifest_wrong(m, where(m, "mount.mountPath", mount, mount->at),
				"mountPath '%.80s': expected a path below /", mount->path);
		if (is_reserved(mount->path))
			return manifest_wrong(m, where(m, "mount.mountPath", mount, mount->at),
				"mountPath '%.80s': expected %s", mount->path, not_reserved);
	}
	return true;
}

bool can_run_here(struct manifest *m, const char *const *images)
{
	struct pod *pod = m->pod;
	for (size_t i = 0; i < container_count(pod); i++)
		if (!find_image(m, container_at(pod, i), images) ||
			!check_mounts_here(m, container_at(pod, i)))
			return false;
	return true;
}
