/*
 * manifest.h: from a file's bytes to struct pod, or to an error with its line.
 *
 * libyaml makes a tree of nodes, in which an alias is the node of its anchor, so
 * that a tree may share nodes and even have cycles. The tables below say which
 * fields there are. They are walked, not the tree: no deeper than they go, and
 * through no more than VALUES_MAX values. What a field may hold is decided as
 * Kubernetes does: sigs.k8s.io/yaml makes JSON of it, with YAML 1.1's rules for
 * what is no string, and pkg/apis/core/validation/validation.go says what is valid.
 */
#pragma once

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

#include "../16-container/root.h"
#include "expand.h"
#include "fields.h"
#include "kernel/file.h"
#include "kernel/sys.h"
#include "pod.h"
#include "quantity.h"
#include "resources.h"

#define FILE_MAX (1 << 20)
#define VALUES_MAX 65536 /* each alias counted each time */
#define DEPTH_MAX 100
#define ITEMS_MAX 1024 /* of one list */

#define NOT_HERE "Kubernetes has this field, this lab has not"
#define NOT_KNOWN "Kubernetes has no such field"

struct problem {
	struct place at;
	char message[240];
};

/* One value that was read, for --explain: container.image, volume.emptyDir.medium. */
struct said {
	struct place at;
	const char *field; /* or why it was not read: NOT_HERE, NOT_KNOWN */
	const char *text;  /* of a scalar, else "" */
	const void *of;    /* the struct container, volume ... that it belongs to */
};

struct manifest {
	struct pod pod;
	struct {
		struct config_map *item;
		size_t count;
	} maps;
	struct problem error; /* of which there is none while its line is 0 */
	struct {
		struct problem *item;
		size_t count;
	} warnings;
	struct {
		struct said *item;
		size_t count;
	} said;
	const char *const *images; /* NAME=DIR, ends with NULL */
	struct block *blocks;      /* all that the above points to */
};

/* ---- Memory, errors, warnings ---- */

struct block {
	struct block *next;
	max_align_t data[];
};

static inline void *keep(struct manifest *m, size_t size)
{
	struct block *block = calloc(1, sizeof *block + size);
	if (!block)
		die("out of memory");
	block->next = m->blocks;
	m->blocks = block;
	return block->data;
}

static inline const char *keep_text(struct manifest *m, const char *string)
{
	size_t size = strlen(string) + 1;
	return memcpy(keep(m, size), string, size);
}

/* Room for one more of each bytes behind count of them. */
static inline void *grow(void *items, size_t count, size_t each)
{
	if (count & (count - 1)) /* room for the next power of two is there */
		return items;
	items = realloc(items, (count ? count * 2 : 1) * each);
	if (!items)
		die("out of memory");
	return items;
}

static inline void manifest_free(struct manifest *m)
{
	for (struct block *next; m->blocks; m->blocks = next) {
		next = m->blocks->next;
		free(m->blocks);
	}
	free(m->warnings.item);
	free(m->said.item);
	free(m->maps.item);
	memset(m, 0, sizeof *m);
}

/* The Pod, or the list's item that is being read, and where the path to its fields begins. */
struct base {
	const struct shape *shape;
	size_t path;
	const void *of;
};

struct reader {
	struct manifest *to;
	yaml_document_t *doc;
	ptrdiff_t values;
	char path[160]; /* spec.containers[].image */
	struct base base;
};

/* The first one counts. Always false. */
__attribute__((format(printf, 3, 4))) static bool wrong(
	struct manifest *m, struct place at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	if (!m->error.at.line) {
		m->error.at = at.line ? at : (struct place){1, 1};
		vsnprintf(m->error.message, sizeof m->error.message, fmt, ap);
	}
	va_end(ap);
	return false;
}

__attribute__((format(printf, 3, 4))) static void warn(
	struct manifest *m, struct place at, const char *fmt, ...)
{
	m->warnings.item = grow(m->warnings.item, m->warnings.count, sizeof *m->warnings.item);
	struct problem *warning = &m->warnings.item[m->warnings.count++];
	va_list ap;
	va_start(ap, fmt);
	warning->at = at;
	vsnprintf(warning->message, sizeof warning->message, fmt, ap);
	va_end(ap);
}

static inline struct place place_at(yaml_mark_t mark)
{
	return (struct place){(int)mark.line + 1, (int)mark.column + 1};
}

static inline struct place place_of(const yaml_node_t *node)
{
	return place_at(node->start_mark);
}

/* ---- Scalars ---- */

static inline const char *scalar(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

/* Notes a key's value by the name of its field, container.resources.limits.cpu, or as not ours. */
static void say(struct reader *r, const yaml_node_t *key, const char *other, const char *string)
{
	struct manifest *m = r->to;
	const char *below = r->path + r->base.path + (r->path[r->base.path] == '.');
	autofree char *field = text("%s.%s", r->base.shape->item, below);
	m->said.item = grow(m->said.item, m->said.count, sizeof *m->said.item);
	m->said.item[m->said.count++] =
		(struct said){place_of(key), other ? other : keep_text(m, field),
			keep_text(m, string ? string : ""), r->base.of};
}

static inline bool has_word(const char *words, const char *word)
{
	size_t length = strlen(word);
	for (const char *at = words; length && (at = strstr(at, word)); at += length)
		if ((at == words || at[-1] == ' ') && (!at[length] || at[length] == ' '))
			return !strchr(word, ' ');
	return false;
}

/* In JSON's words; what is quoted or a block is a string. */
static inline const char *json_type(const yaml_node_t *node)
{
	const char *s = scalar(node);
	if (!s)
		return node->type == YAML_MAPPING_NODE ? "an object" : "a list";
	if (node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return "a string";
	return holds(&null_rule, s)                            ? "null"
	       : holds(&true_rule, s) || holds(&false_rule, s) ? "a boolean"
	       : holds(&number_rule, s)                        ? "a number"
							       : "a string";
}

static inline bool is_json(const yaml_node_t *node, const char *type)
{
	return !strcmp(json_type(node), type);
}

static bool expected(struct reader *r, const yaml_node_t *node, const char *what)
{
	const char *s = scalar(node), *type = json_type(node);
	bool string = !strcmp(type, "a string"), quote = s && *s && !strcmp(what, "a string");
	autofree char *got = s ? text(string ? "%s'%.40s'" : "%s %.40s", string ? "" : type, s)
			       : text("%s", type);
	return wrong(r->to, place_of(node), "%s: expected %s, got %s%s", r->path, what, got,
		quote ? "; quote it" : "");
}

/* Each value costs something: aliases may make many of few bytes. */
static bool afford(struct reader *r, const yaml_node_t *node, ptrdiff_t count)
{
	if (count > ITEMS_MAX)
		return wrong(r->to, place_of(node), "%s: expected at most %d items, got %td",
			r->path, ITEMS_MAX, count);
	if ((r->values += count) > VALUES_MAX)
		return wrong(r->to, place_of(node), "expected at most %d values, aliases included",
			VALUES_MAX);
	return true;
}

static bool read_text(
	struct reader *r, const struct field *f, const yaml_node_t *node, const char **to)
{
	if (!is_json(node, "a string"))
		return expected(r, node, "a string");
	*to = keep_text(r->to, scalar(node));
	if (f->rule && !holds(f->rule, *to))
		return expected(r, node, f->rule->words);
	return true;
}

static bool read_number(
	struct reader *r, const struct field *f, const yaml_node_t *node, struct value *to)
{
	const char *s = is_json(node, "a number") ? scalar(node) : "";
	const char *digits = s + (*s == '-');
	bool whole =
		*digits && !digits[strspn(digits, "0123456789")] && (*digits != '0' || !digits[1]);
	errno = 0;
	to->is = strtoll(s, NULL, 10);
	if (!whole || errno || to->is < f->min || to->is > f->max) {
		autofree char *words = text("an integer from %lld to %lld", f->min, f->max);
		return expected(r, node, words);
	}
	return true;
}

static bool read_quantity(
	struct reader *r, const struct field *f, const yaml_node_t *node, struct value *to)
{
	const char *s = scalar(node);
	quantity q;
	if (!s || is_json(node, "a boolean"))
		return expected(r, node, "a quantity such as 500m, 1.5 or 64Mi");
	if (is_json(node, "a number") && isdigit((unsigned char)s[1]) && *s == '0')
		return expected(
			r, node, "a number without a 0 before it, which is octal in YAML 1.1");
	switch (quantity_read(s, &q)) {
	case QUANTITY_WRONG:
		return expected(r, node, "a quantity such as 500m, 1.5 or 64Mi");
	case QUANTITY_TOO_LARGE:
		return expected(r, node, "a quantity of at most 2^63-1");
	case QUANTITY_OK:
		break;
	}
	if (q < 0)
		return expected(r, node, "a quantity that is not negative");
	if (f->type == CPUS && q > (quantity)1000000 * NANO)
		return expected(r, node, "at most a million CPUs");
	to->is = f->type == CPUS ? quantity_milli(q) : quantity_value(q);
	return true;
}

/* ---- The tree, by the tables ---- */

static bool read_object(
	struct reader *r, const struct shape *shape, const yaml_node_t *node, void *base);

static size_t enter(struct reader *r, const char *dot, const char *name)
{
	size_t length = strlen(r->path);
	snprintf(r->path + length, sizeof r->path - length, "%s%s", length ? dot : "", name);
	return length;
}

static bool read_list(struct reader *r, const struct field *f, const yaml_node_t *node, void *to)
{
	const yaml_node_item_t *item = node->data.sequence.items.start;
	const ptrdiff_t count = node->data.sequence.items.top - item;
	const size_t each = f->type == TEXTS ? sizeof(char *) : f->shape->size;
	if (!afford(r, node, count))
		return false;
	char *at = keep(r->to, ((size_t)count + 1) * each);
	memcpy(to, &at, sizeof at);
	if (f->type == LIST) /* struct containers and the like: the items, and how many */
		memcpy((char *)to + sizeof at, &(size_t){(size_t)count}, sizeof(size_t));
	const struct base outer = r->base;
	enter(r, "", "[]");
	for (; item < node->data.sequence.items.top; item++, at += each) {
		const yaml_node_t *one = yaml_document_get_node(r->doc, *item);
		if (f->type == TEXTS) {
			if (!read_text(r, f, one, (const char **)(void *)at))
				return false;
			continue;
		}
		*(struct place *)(void *)at = place_of(one);
		r->base = (struct base){f->shape, strlen(r->path), at};
		if (!read_object(r, f->shape, one, at))
			return false;
	}
	r->base = outer;
	return true;
}

static bool read_pairs(
	struct reader *r, const struct field *f, const yaml_node_t *node, struct pairs *to)
{
	const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	const ptrdiff_t count = node->data.mapping.pairs.top - pair;
	if (!afford(r, node, count))
		return false;
	to->item = keep(r->to, ((size_t)count + 1) * sizeof *to->item);
	for (; pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(r->doc, pair->key);
		const yaml_node_t *value = yaml_document_get_node(r->doc, pair->value);
		struct pair *one = &to->item[to->count++];
		*one = (struct pair){place_of(key), keep_text(r->to, scalar(key)), ""};
		if (f->rule && !holds(f->rule, one->name))
			return expected(r, key, f->rule->words);
		if (!is_json(value, "null") &&
			!read_text(r, &(struct field){0}, value, &one->value))
			return false;
		say(r, key, NULL, one->name);
	}
	return true;
}

static bool read_value(struct reader *r, const struct field *f, const yaml_node_t *node, char *base)
{
	void *to = base + f->offset;
	static const char *const wants[] = {[OBJECT] = "an object",
		[LIST] = "a list",
		[TEXTS] = "a list",
		[PAIRS] = "an object"};
	if (f->type >= OBJECT && !is_json(node, wants[f->type]))
		return expected(r, node, wants[f->type]);
	if (f->type == YES_NO && !is_json(node, "a boolean"))
		return expected(r, node, "true or false");
	struct value *value = to;
	if (f->type >= YES_NO && f->type <= BYTES)
		*value = (struct value){.set = true, .at = place_of(node)};
	switch (f->type) {
	case TEXT:
		return read_text(r, f, node, to);
	case YES_NO:
		value->is = holds(&true_rule, scalar(node));
		return true;
	case NUMBER:
		return read_number(r, f, node, to);
	case CPUS:
	case BYTES:
		return read_quantity(r, f, node, to);
	case OBJECT:
		if (f->offset) /* where it says that it is there */
			*(struct place *)to = place_of(node);
		return read_object(r, f->shape, node, base);
	case LIST:
	case TEXTS:
		return read_list(r, f, node, to);
	case PAIRS:
		return read_pairs(r, f, node, to);
	}
	return false;
}

static bool read_object(
	struct reader *r, const struct shape *shape, const yaml_node_t *node, void *base)
{
	unsigned int there = 0;
	if (node->type != YAML_MAPPING_NODE)
		return expected(r, node, "an object");
	const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	for (; pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(r->doc, pair->key);
		const yaml_node_t *value = yaml_document_get_node(r->doc, pair->value);
		const struct field *f = shape->fields;
		while (f->name && strcmp(f->name, scalar(key)))
			f++;
		if (!afford(r, key, 1))
			return false;
		size_t length = enter(r, ".", f->name ? f->name : "");
		if (!f->name) {
			bool known = has_word(shape->also, scalar(key));
			const char *why = known ? NOT_HERE : NOT_KNOWN;
			warn(r->to, place_of(key), "%s%.60s: %s", r->path, scalar(key), why);
			say(r, key, why, NULL);
		} else if (!is_json(value, "null")) { /* which is as if it were not there */
			say(r, key, NULL, scalar(value));
			if (!read_value(r, f, value, base))
				return false;
			there |= 1U << (f - shape->fields);
		}
		r->path[length] = '\0';
	}
	for (const struct field *f = shape->fields; f->name; f++)
		if (f->required && !(there & 1U << (f - shape->fields)))
			return wrong(r->to, place_of(node), "%s%s%s: expected here, and missing",
				r->path, *r->path ? "." : "", f->name);
	return true;
}

/* ---- A document ---- */

struct key {
	const yaml_node_t *node;
	const char *name;
};

static int by_name(const void *a, const void *b)
{
	const struct key *one = a, *other = b;
	int order = strcmp(one->name, other->name);
	return order ? order : one->node < other->node ? -1 : one->node > other->node;
}

/* What no table asks: each node once, and so in bounded time, whatever the aliases are. */
static bool check_nodes(struct manifest *m, yaml_document_t *doc)
{
	for (yaml_node_t *node = doc->nodes.start; node < doc->nodes.top; node++) {
		const char *s = scalar(node);
		if (s && strlen(s) != node->data.scalar.length)
			return wrong(m, place_of(node), "expected text, got a NUL character in it");
		if (strcmp((char *)node->tag, s                                  ? YAML_STR_TAG
					      : node->type == YAML_SEQUENCE_NODE ? YAML_SEQ_TAG
										 : YAML_MAP_TAG))
			return wrong(
				m, place_of(node), "expected no tag, got %.80s", (char *)node->tag);
		if (node->type != YAML_MAPPING_NODE)
			continue;
		const yaml_node_pair_t *first = node->data.mapping.pairs.start;
		size_t count = (size_t)(node->data.mapping.pairs.top - first);
		struct key *keys = keep(m, (count + 1) * sizeof *keys);
		for (size_t i = 0; i < count; i++) {
			keys[i].node = yaml_document_get_node(doc, first[i].key);
			keys[i].name = scalar(keys[i].node);
			if (!keys[i].name)
				return wrong(
					m, place_of(keys[i].node), "expected a word as the key");
			if (!strcmp(keys[i].name, "<<"))
				return wrong(m, place_of(keys[i].node),
					"<<: expected the fields written out, merging is not read");
		}
		qsort(keys, count, sizeof *keys, by_name);
		for (size_t i = 1; i < count; i++)
			if (!strcmp(keys[i].name, keys[i - 1].name))
				return wrong(m, place_of(keys[i].node),
					"%.80s: expected once, and it is in line %d too",
					keys[i].name, place_of(keys[i - 1].node).line);
	}
	return true;
}

/* ---- What one field says of another ---- */

/* Where FIELD of this container, volume ... was read, for errors that are found later. */
static struct place where(
	const struct manifest *m, const char *field, const void *of, struct place otherwise)
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

static bool link_image(struct manifest *m, struct container *c)
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
	       wrong(m, where(m, "container.image", c, c->at),
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
			return wrong(m, request->at,
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
			return wrong(m, request->at,
				"%s request of the Pod: expected at least the "
				"sum of its containers'",
				name);
		for (size_t i = 0; limit->set && i < pod->containers.count; i++) {
			const struct value *one = amount(&pod->containers.item[i].limits, which);
			if (one->is > limit->is)
				return wrong(m, one->at,
					"%s limit: expected at most the Pod's, of line %d", name,
					limit->at.line);
		}
	}
	return true;
}

static bool check_security(struct manifest *m, struct container *c)
{
	const struct security *s = &c->security;
	bool refuses = s->privilege_escalation.set && !s->privilege_escalation.is;
	bool admin = false;
	for (const char **cap = s->cap_add; cap && *cap; cap++)
		admin |= !strcmp(*cap, "SYS_ADMIN") || !strcmp(*cap, "CAP_SYS_ADMIN");
	if (refuses && (s->privileged.is || admin))
		return wrong(m, s->privilege_escalation.at,
			"allowPrivilegeEscalation: expected true with %s",
			admin ? "CAP_SYS_ADMIN" : "privileged");
	return true;
}

static bool link_volume(struct manifest *m, struct volume *v)
{
	int kinds = (v->empty.line > 0) + (v->host.line > 0) + (v->config.line > 0);
	if (kinds > 1)
		return wrong(m, v->at,
			"volume %s: expected one of emptyDir, hostPath and configMap", v->name);
	if (v->config.line) {
		for (size_t i = 0; i < m->maps.count; i++)
			if (!strcmp(m->maps.item[i].name, v->config_name))
				v->map = &m->maps.item[i];
		if (!v->map && !v->optional.is)
			return wrong(m, where(m, "volume.configMap.name", v, v->config),
				"configMap '%.80s': expected a ConfigMap of that name in this file",
				v->config_name);
	}
	if (v->host_type && *v->host_type)
		warn(m, where(m, "volume.hostPath.type", v, v->host),
			"spec.volumes[].hostPath.type: this lab does not look, and makes nothing");
	return true;
}

/* In place, in env with what stands above. Nothing longer could be executed: MAX_ARG_STRLEN. */
static bool expand(struct manifest *m, const struct container *c, const char **string, size_t count)
{
	autofree char *to = expanded(*string, &c->env, count, 128 << 10);
	if (!to)
		return wrong(m, c->at,
			"container '%s': expected $() that become at most 128 KiB, got '%.80s'",
			c->name, *string);
	*string = keep_text(m, to);
	return true;
}

static bool expand_all(struct manifest *m, struct container *c)
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

static bool link_container(struct manifest *m, struct container *c)
{
	if (!link_image(m, c) || !check_limits(m, &c->requests, &c->limits) ||
		!check_security(m, c) || !expand_all(m, c))
		return false;
	for (size_t i = 0; i < c->mounts.count; i++) {
		struct mount *mount = &c->mounts.item[i];
		if (!mount->path[strspn(mount->path, "/.")])
			return wrong(m, where(m, "mount.mountPath", mount, mount->at),
				"mountPath '%.80s': expected a path below /", mount->path);
		if (is_reserved(mount->path))
			return wrong(m, where(m, "mount.mountPath", mount, mount->at),
				"mountPath '%.80s': expected %s", mount->path, not_reserved);
		for (size_t j = 0; j < m->pod.volumes.count; j++)
			if (!strcmp(m->pod.volumes.item[j].name, mount->name))
				mount->volume = &m->pod.volumes.item[j];
		if (!mount->volume)
			return wrong(m, where(m, "mount.name", mount, mount->at),
				"volumeMount '%.63s': expected a volume of that name in spec.volumes",
				mount->name);
		for (size_t j = 0; j < i; j++)
			if (!strcmp(c->mounts.item[j].path, mount->path))
				return wrong(m, where(m, "mount.mountPath", mount, mount->at),
					"mountPath '%.80s': expected once in a container, and it is in line %d too",
					mount->path, c->mounts.item[j].at.line);
	}
	return true;
}

/* What follows of the whole Pod, when all documents are read. */
static bool link_pod(struct manifest *m)
{
	struct pod *pod = &m->pod;
	for (size_t i = 0; i < pod->volumes.count; i++) {
		const struct volume *v = &pod->volumes.item[i];
		for (size_t j = 0; j < i; j++)
			if (!strcmp(v->name, pod->volumes.item[j].name))
				return wrong(m, where(m, "volume.name", v, v->at),
					"volume '%s': expected another name, line %d has this one",
					v->name, pod->volumes.item[j].at.line);
		if (!link_volume(m, &pod->volumes.item[i]))
			return false;
	}
	if (!pod->containers.count)
		return wrong(m, where(m, "pod.spec.containers", pod, pod->at),
			"spec.containers: expected at least one");
	for (size_t i = 0; i < container_count(pod); i++) {
		const struct container *c = container_at(pod, i);
		for (size_t j = 0; j < i; j++)
			if (!strcmp(c->name, container_at(pod, j)->name))
				return wrong(m, where(m, "container.name", c, c->at),
					"container '%s': expected another name, line %d has this one",
					c->name, container_at(pod, j)->at.line);
		if (!link_container(m, container_at(pod, i)))
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

/* ---- The file ---- */

static bool read_document(struct manifest *m, yaml_document_t *doc)
{
	const yaml_node_t *root = yaml_document_get_root_node(doc), *kind = NULL;
	struct reader r = {.to = m, .doc = doc, .base = {&pod_document_fields, 0, &m->pod}};
	if (!check_nodes(m, doc))
		return false;
	if (is_json(root, "null"))
		return true;
	if (root->type != YAML_MAPPING_NODE)
		return wrong(m, place_of(root), "expected a Pod, got %s", json_type(root));
	for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
		pair < root->data.mapping.pairs.top; pair++)
		if (!strcmp(scalar(yaml_document_get_node(doc, pair->key)), "kind"))
			kind = yaml_document_get_node(doc, pair->value);
	if (!kind || !is_json(kind, "a string"))
		return wrong(m, kind ? place_of(kind) : place_of(root),
			"kind: expected Pod or ConfigMap");
	if (!strcmp(scalar(kind), "ConfigMap")) {
		m->maps.item = grow(m->maps.item, m->maps.count, sizeof *m->maps.item);
		struct config_map *map = &m->maps.item[m->maps.count++];
		*map = (struct config_map){.at = place_of(root)};
		r.base.shape = &map_document_fields;
		return read_object(&r, &map_document_fields, root, map);
	}
	if (strcmp(scalar(kind), "Pod")) {
		warn(m, place_of(kind), "kind %.60s: neither a Pod nor a ConfigMap, not read",
			scalar(kind));
		return true;
	}
	if (m->pod.at.line)
		return wrong(m, place_of(root), "expected one Pod in a file, and line %d has one",
			m->pod.at.line);
	m->pod.at = place_of(root);
	return read_object(&r, &pod_document_fields, root, &m->pod);
}

/* libyaml's own words; of an error in the bytes it knows the offset only. */
static bool wrong_yaml(struct manifest *m, const yaml_parser_t *parser, const char *data)
{
	struct place at = {
		(int)parser->problem_mark.line + 1, (int)parser->problem_mark.column + 1};
	if (parser->error == YAML_MEMORY_ERROR)
		die("out of memory");
	if (parser->error != YAML_READER_ERROR)
		return wrong(m, at, "%s%s%s", parser->problem, parser->context ? " " : "",
			parser->context ? parser->context : "");
	at = (struct place){1, 1};
	for (size_t i = 0; i < parser->problem_offset; i++) {
		at.line += data[i] == '\n';
		at.column = data[i] == '\n' ? 1 : at.column + ((data[i] & 0xc0) != 0x80);
	}
	return wrong(m, at, "expected text in UTF-8: %s", parser->problem);
}

static void parser_open(yaml_parser_t *parser, const char *data, size_t size)
{
	if (!yaml_parser_initialize(parser))
		die("out of memory");
	yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(parser, (const unsigned char *)data, size);
}

/* libyaml's time grows with the square of the depth, so it is looked at before there is a tree. */
static bool check_events(struct manifest *m, const char *data, size_t size)
{
	yaml_parser_t parser;
	yaml_event_t event;
	int depth = 0;
	bool good = true, more = true;
	parser_open(&parser, data, size);
	while (good && more) {
		if (!yaml_parser_parse(&parser, &event)) {
			good = wrong_yaml(m, &parser, data);
			break;
		}
		depth += event.type == YAML_SEQUENCE_START_EVENT ||
			 event.type == YAML_MAPPING_START_EVENT;
		depth -= event.type == YAML_SEQUENCE_END_EVENT ||
			 event.type == YAML_MAPPING_END_EVENT;
		if (depth > DEPTH_MAX)
			good = wrong(m, place_at(event.start_mark),
				"expected at most %d objects and lists within each other",
				DEPTH_MAX);
		more = event.type != YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return good;
}

/*
 * Reads the manifest that data is; images are --image's NAME=DIR, or NULL. False when
 * m->error says what is wrong. Either way manifest_free() gives back what m holds.
 */
static inline bool manifest_read(
	struct manifest *m, const char *data, size_t size, const char *const *images)
{
	*m = (struct manifest){.images = images};
	if (size > FILE_MAX)
		return wrong(
			m, (struct place){1, 1}, "expected at most 1 MiB, got %zu bytes", size);
	if (!check_events(m, data, size))
		return false;
	yaml_parser_t parser;
	parser_open(&parser, data, size);
	bool good = true, more = true;
	while (good && more) {
		yaml_document_t doc;
		if (!yaml_parser_load(&parser, &doc)) {
			good = wrong_yaml(m, &parser, data);
			break;
		}
		more = yaml_document_get_root_node(&doc) != NULL;
		good = !more || read_document(m, &doc);
		yaml_document_delete(&doc);
	}
	yaml_parser_delete(&parser);
	if (good && !m->pod.at.line)
		good = wrong(m, (struct place){1, 1}, "expected a Pod, and there is none");
	return good && link_pod(m);
}
