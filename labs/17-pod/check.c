/*
 * check.c: what one field of a manifest says of another, as
 * pkg/apis/core/validation/validation.go has it, and $(NAME) in env, command and args, as
 * Kubernetes expands it ("Define Dependent Environment Variables"): by the container's own
 * variables, in env by those above. A name that is none of them stays as it is, and $$ is one $.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "kernel/file.h"
#include "kernel/sys.h"
#include "pod.h"

/* Where FIELD of this container, volume ... was read, for errors that are found later. Without it,
 * where that begins. */
static struct position where(const struct manifest *m, const char *field, const void *of)
{
	for (size_t i = 0; i < m->said.count; i++)
		if (m->said.item[i].of == of && !strcmp(m->said.item[i].field, field))
			return m->said.item[i].at;
	return *(const struct position *)of;
}

/* The item of that name in a list, whose items begin with their place and their name. */
static const void *named(const void *list, size_t each, const char *name)
{
	struct {
		const char *item;
		size_t count;
	} of;
	memcpy(&of, list, sizeof of);
	for (; of.count > 0; of.count--, of.item += each) {
		const char *const *own = (const void *)(of.item + offsetof(struct pair, name));
		if (*own && !strcmp(*own, name))
			return of.item;
	}
	return NULL;
}

/* registry:5000/library/busybox:1.36@sha256:... is busybox. */
static char *image_base(const char *image)
{
	const char *slash = strrchr(image, '/');
	image = slash ? slash + 1 : image;
	return text("%.*s", (int)strcspn(image, ":@"), image);
}

static const char *const resource_names[] = {[CPU] = "cpu", [MEMORY] = "memory"};

/* A limit that is there bounds its request. ValidateResourceRequirements() */
static void check_limits(
	struct manifest *m, const struct resources *requests, const struct resources *limits)
{
	for (enum resource which = CPU; which <= MEMORY; which++) {
		const struct value *request = amount(requests, which),
				   *limit = amount(limits, which);
		if (limit->set && request->set && request->is > limit->is)
			manifest_wrong(m, request->at,
				"%s request: expected at most the limit of line %d",
				resource_names[which], limit->at.line);
	}
}

/* validatePodResourceConsistency() */
static void check_pod_level(struct manifest *m, struct pod *pod)
{
	for (enum resource which = CPU; which <= MEMORY; which++) {
		const struct value *request = amount(&pod->requests, which);
		const struct value *limit = amount(&pod->limits, which);
		if (request->set && request->is < aggregate(pod, false, which).is)
			manifest_wrong(m, request->at,
				"%s request of the Pod: expected at least the sum of its containers'",
				resource_names[which]);
		for (size_t i = 0; limit->set && i < pod->containers.count; i++) {
			const struct value *one = amount(&pod->containers.item[i].limits, which);
			if (one->is > limit->is)
				manifest_wrong(m, one->at,
					"%s limit: expected at most the Pod's, of line %d",
					resource_names[which], limit->at.line);
		}
	}
}

/*
 * What must not be shared out beyond what is there has a limit, and the request is the same: pages
 * of hugetlbfs and what device plugins give. ValidateContainerResourceRequirements(),
 * IsOvercommitAllowed()
 */
static void check_others(
	struct manifest *m, const struct pairs *requests, const struct pairs *limits)
{
	for (size_t i = 0; i < requests->count; i++) {
		const struct pair *request = &requests->item[i],
				  *limit = named(limits, sizeof *limit, request->name);
		bool storage = !strcmp(request->name, "ephemeral-storage");
		quantity least = {0}, most = {0};
		quantity_read(request->value, &least);
		if (limit)
			quantity_read(limit->value, &most);
		if (!storage && (!limit || quantity_compare(least, most) != 0))
			manifest_wrong(m, request->at,
				"%.80s request: expected a limit of the same amount",
				request->name);
		if (limit && quantity_compare(least, most) > 0)
			manifest_wrong(m, request->at,
				"%.80s request: expected at most the limit of line %d",
				request->name, limit->at.line);
	}
}

/* Pages of hugetlbfs are none of memory's, and a Pod is not to have them alone. */
static void check_pages(struct manifest *m, const struct pairs *pages,
	const struct resources *requests, const struct resources *limits)
{
	bool other =
		requests->cpu.set || requests->memory.set || limits->cpu.set || limits->memory.set;
	for (size_t i = 0; i < pages->count; i++)
		if (is_pages(pages->item[i].name) && !other)
			manifest_wrong(m, pages->item[i].at,
				"%.80s: expected cpu or memory with it", pages->item[i].name);
}

static void check_capabilities(
	struct manifest *m, const struct container_spec *c, const char **names, const char *field)
{
	for (; names && *names; names++)
		if (!is_capability(*names))
			manifest_leave_out(m, where(m, field, c),
				"capabilities: no runtime knows CAP_%.60s; left out here", *names);
}

/* ValidateSecurityContext(): with CAP_ in the name only, as it is there. */
static void check_security(struct manifest *m, struct container_spec *c)
{
	const struct security *s = &c->security;
	check_capabilities(m, c, s->cap_add, "container.securityContext.capabilities.add");
	check_capabilities(m, c, s->cap_drop, "container.securityContext.capabilities.drop");
	bool refuses = s->privilege_escalation.set && !s->privilege_escalation.is;
	bool admin = false;
	for (const char **cap = s->cap_add; cap && *cap; cap++)
		admin |= !strcmp(*cap, "CAP_SYS_ADMIN");
	if (refuses && (s->privileged.is || admin))
		manifest_wrong(m, s->privilege_escalation.at,
			"allowPrivilegeEscalation: expected true with %s",
			admin ? "CAP_SYS_ADMIN" : "privileged");
}

/* validateSeccompProfileField() */
static void check_seccomp(
	struct manifest *m, const struct security *s, const char *field, const void *of)
{
	struct position at = where(m, field, of);
	bool local = s->seccomp && !strcmp(s->seccomp, "Localhost");
	if (local != (s->seccomp_profile != NULL) && s->seccomp)
		manifest_wrong(m, at, "seccompProfile.localhostProfile: expected %s",
			local ? "here, with type Localhost" : "only with type Localhost");
	if (local)
		manifest_leave_out(m, at,
			"seccompProfile: the node's file is left out, the filter is RuntimeDefault's");
}

/* validateVolumeSource(); that a ConfigMap is there is the kubelet's to see. */
static void check_volume(struct manifest *m, struct volume *v)
{
	int kinds = (v->empty.line > 0) + (v->host.line > 0) + (v->config.line > 0) + !!v->other;
	if (kinds > 1)
		manifest_wrong(
			m, v->at, "volume %s: expected one kind of volume, got %d", v->name, kinds);
	for (const struct config_map *map = m->maps; map && v->config_name && !v->map;
		map = map->next)
		if (!strcmp(map->name, v->config_name))
			v->map = map;
	if (v->medium && !strncmp(v->medium, "HugePages", 9))
		manifest_leave_out(
			m, v->empty, "emptyDir.medium: an ordinary folder instead of hugetlbfs");
}

/* NAME, length bytes of it, among the first count; the last one counts. NULL: it is none of them.
 */
static const struct pair *variable(
	const struct pairs *env, size_t count, const char *name, size_t length)
{
	while (count-- > 0) {
		const struct pair *v = &env->item[count];
		if (strlen(v->name) == length && !strncmp(v->name, name, length))
			return v;
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
			const struct pair *v = variable(env, count, from + 2, length - 2);
			bool known = v && !v->other; /* valueFrom is left out */
			fprintf(out, "%.*s", known ? INT_MAX : (int)length + 1,
				!known     ? from
				: v->value ? v->value
					   : "");
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
static void expand(
	struct manifest *m, const struct container_spec *c, const char **string, size_t count)
{
	autofree char *to = expanded(*string, &c->env, count, 128 << 10);
	if (to)
		*string = manifest_keep(m, to);
	else
		manifest_wrong(m, c->at,
			"container '%s': expected $() that become at most 128 KiB, got '%.80s'",
			c->name, *string);
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

static void expand_all(struct manifest *m, struct container_spec *c)
{
	const char **lists[] = {c->command, c->args};
	for (size_t i = 0; i < c->env.count; i++) { /* validateEnvVarValueFrom() */
		const struct pair *v = &c->env.item[i];
		if (v->other && v->value && *v->value)
			manifest_wrong(m, v->at, "env '%.80s': expected one of value and valueFrom",
				v->name);
	}
	for (size_t i = 0; manifest_good(m) && i < c->env.count; i++)
		if (c->env.item[i].value)
			expand(m, c, &c->env.item[i].value, i);
	for (int list = 0; list < 2; list++)
		for (const char **word = lists[list]; manifest_good(m) && word && *word; word++)
			expand(m, c, word, c->env.count);
}

static void check_ports(struct manifest *m, const struct container_spec *c)
{
	for (size_t i = 0; i < c->ports.count; i++) {
		const struct port *port = &c->ports.item[i], *first = port;
		if (port->name)
			first = named(&c->ports, sizeof *port, port->name);
		if (first != port)
			manifest_wrong(m, port->at,
				"port '%s': expected another name, line %d has this one",
				port->name, first->at.line);
	}
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

static void check_mounts(struct manifest *m, struct pod *pod, struct container_spec *c)
{
	for (size_t i = 0; manifest_good(m) && i < c->mounts.count; i++) {
		struct mount *mount = &c->mounts.item[i];
		if (mount->sub_path && mount->sub_path_expr)
			manifest_wrong(m, mount->at,
				"volumeMount: expected one of subPath and subPathExpr");
		if (mount->sub_path || mount->sub_path_expr)
			manifest_leave_out(m, mount->at,
				"volumeMounts[].subPath: a mount of a part of the volume; left out here");
		mount->volume = named(&pod->volumes, sizeof *mount->volume, mount->name);
		if (!mount->volume)
			mount->volume = named(&pod->claims, sizeof *mount->volume, mount->name);
		if (!mount->volume)
			manifest_wrong(m, where(m, "mount.name", mount),
				"volumeMount '%.63s': expected a volume of that name in spec.volumes",
				mount->name);
		for (size_t j = 0; j < i; j++)
			if (!strcmp(c->mounts.item[j].path, mount->path))
				manifest_wrong(m, where(m, "mount.mountPath", mount),
					"mountPath '%.80s': expected once in a container, and it is in line %d too",
					mount->path, c->mounts.item[j].at.line);
	}
	for (size_t i = 0; i < c->mounts.count; i++) /* now that they are compared as they are */
		c->mounts.item[i].path = clean_path(m, c->mounts.item[i].path);
}

static void check_container(struct manifest *m, struct pod *pod, struct container_spec *c)
{
	/* validateContainersOnlyForPod(): a template may do without, for who fills it in later. */
	if (!c->image && !pod->owner)
		manifest_wrong(m, c->at, "spec.containers[].image: expected here, and missing");
	check_limits(m, &c->requests, &c->limits);
	check_others(m, &c->other_requests, &c->other_limits);
	check_pages(m, &c->other_limits, &c->requests, &c->limits);
	check_security(m, c);
	check_seccomp(m, &c->security, "container.securityContext.seccompProfile", c);
	check_ports(m, c);
	expand_all(m, c);
	warn_hidden(m, c);
	if (c->working_dir && *c->working_dir != '/') /* nobody but the runtime looks */
		manifest_leave_out(m, where(m, "container.workingDir", c),
			"workingDir: expected an absolute path, with another one runc ends with "
			"StartError");
	if (c->working_dir)
		c->working_dir = clean_path(m, c->working_dir);
	check_mounts(m, pod, c);
}

/* validateHostUsers() and ValidatePodSpec(): what contradicts itself. */
static void check_host(struct manifest *m, const struct pod *pod)
{
	const struct {
		const struct value *is;
		const char *field, *words;
	} hosts[] = {{&pod->host_network, "hostNetwork",
			     "no CLONE_NEWNET, no CLONE_NEWUTS: the node's network and hostname"},
		{&pod->host_pid, "hostPID", "no CLONE_NEWPID: the node's processes"},
		{&pod->host_ipc, "hostIPC", "no CLONE_NEWIPC: the node's objects"}};
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		const struct value *v = hosts[i].is;
		if (v->is && has_user_namespace(pod))
			manifest_wrong(m, v->at, "%s: expected false with hostUsers: false",
				hosts[i].field);
		if (v->is)
			manifest_leave_out(m, v->at, "spec.%s: %s; left out here", hosts[i].field,
				hosts[i].words);
	}
	if (pod->host_pid.is && pod->share_process_namespace.is)
		manifest_wrong(m, pod->share_process_namespace.at,
			"shareProcessNamespace: expected false with hostPID: true");
}

/* validatePodTemplateSpecForJob(), ValidatePodTemplateSpecForReplicaSet() and the like */
static void check_restart_policy(struct manifest *m, const struct pod *pod)
{
	const char *owner = pod->owner ? pod->owner : "PodTemplate"; /* which leaves it open */
	bool job = !strcmp(owner, "Job") || !strcmp(owner, "CronJob");
	bool always = !strcmp(pod->restart_policy, "Always");
	if (job == always && strcmp(owner, "PodTemplate") != 0)
		manifest_wrong(m, where(m, "pod.spec.restartPolicy", pod),
			"restartPolicy: expected %s in a %s, got %s",
			job ? "OnFailure or Never" : "Always", owner, pod->restart_policy);
}

/* What follows of the whole Pod, when all documents are read. */
bool check_pod(struct manifest *m, struct pod *pod)
{
	for (size_t i = 0; manifest_good(m) && i < pod->volumes.count; i++) {
		struct volume *v = &pod->volumes.item[i];
		const struct volume *first = named(&pod->volumes, sizeof *v, v->name);
		if (first != v)
			manifest_wrong(m, where(m, "volume.name", v),
				"volume '%s': expected another name, line %d has this one", v->name,
				first->at.line);
		check_volume(m, v);
	}
	if (!pod->containers.count)
		manifest_wrong(m, where(m, "pod.spec.containers", pod),
			"spec.containers: expected at least one");
	for (size_t i = 0; manifest_good(m) && i < container_count(pod); i++) {
		struct container_spec *c = container_at(pod, i);
		for (size_t j = 0; j < i; j++)
			if (!strcmp(c->name, container_at(pod, j)->name))
				manifest_wrong(m, where(m, "container.name", c),
					"container '%s': expected another name, line %d has this one",
					c->name, container_at(pod, j)->at.line);
		check_container(m, pod, c);
	}
	if (!pod->restart_policy)
		pod->restart_policy = "Always";
	check_restart_policy(m, pod);
	/* As truncatePodHostnameIfNeeded(): 63 of 253, and no '-' or '.' at the end. */
	size_t length = strnlen(pod->name, sizeof pod->short_name - 1);
	while (length && strchr("-.", pod->name[length - 1]))
		length--;
	memcpy(pod->short_name, pod->name, length);
	resources_default(pod);
	check_pod_level(m, pod);
	check_limits(m, &pod->requests, &pod->limits);
	check_others(m, &pod->other_requests, &pod->other_limits);
	check_pages(m, &pod->other_limits, &pod->requests, &pod->limits);
	check_seccomp(m, &pod->security, "pod.spec.securityContext.seccompProfile", pod);
	check_host(m, pod);
	return manifest_good(m);
}

/* ---- What it takes to run it here ---- */

bool is_busybox(const char *image)
{
	autofree char *base = image_base(image ? image : "");
	return !strcmp(base, "busybox");
}

static void find_image(struct manifest *m, struct container_spec *c, const char *const *images)
{
	const char *whole = c->image ? c->image : "";
	autofree char *base = image_base(whole);
	for (const char *const *image = images; image && *image && !c->rootfs; image++) {
		autofree char *name = text("%.*s", (int)strcspn(*image, "="), *image);
		if (!strcmp(name, whole) || !strcmp(name, base))
			c->rootfs = *image + strlen(name) + 1;
	}
	if (!c->rootfs && !is_busybox(c->image))
		manifest_wrong(m, where(m, "container.image", c),
			"image '%.80s': ErrImagePull: expected busybox, or --image %.80s=DIR",
			whole, base);
}

static void check_mounts_here(struct manifest *m, const struct container_spec *c)
{
	for (size_t i = 0; i < c->mounts.count; i++) {
		const struct mount *mount = &c->mounts.item[i];
		bool root = !strcmp(mount->path, "/");
		if (root || is_reserved(mount->path))
			manifest_wrong(m, where(m, "mount.mountPath", mount),
				"mountPath '%.80s': expected %s", mount->path,
				root ? "a path below /" : not_reserved);
	}
}

bool can_run_here(struct manifest *m, const char *const *images)
{
	for (size_t i = 0; i < container_count(m->pod); i++) {
		find_image(m, container_at(m->pod, i), images);
		check_mounts_here(m, container_at(m->pod, i));
	}
	return manifest_good(m);
}
