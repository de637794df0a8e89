/*
 * manifest.c: from a file's bytes to each struct pod in it, or to an error with its line.
 *
 * libyaml makes a tree of nodes, in which an alias is the node of its anchor, so that a tree may
 * share nodes and even have cycles. What is asked of each node is asked here, once; read.c then
 * walks the tables. A file may hold Pods, ConfigMaps, lists of them and what has a template of a
 * Pod, such as a Deployment.
 */
/* link: yaml-0.1 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "kernel/file.h"
#include "kernel/sys.h"
#include "pod.h"

#define DEPTH_MAX 100

static struct position place_at(yaml_mark_t mark)
{
	return (struct position){(int)mark.line + 1, (int)mark.column + 1};
}

/* ---- Tags ---- */

/* Plain scalars with the tag !!str: libyaml's tree no longer tells them from those without one. */
static struct {
	struct position *at;
	size_t count;
} strings;

static int by_position(const void *a, const void *b)
{
	const struct position *one = a, *other = b;
	return one->line != other->line ? one->line - other->line : one->column - other->column;
}

static void note_tag(const yaml_event_t *event)
{
	const char *tag = (const char *)event->data.scalar.tag;
	if (!tag || event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE ||
		(strcmp(tag, YAML_STR_TAG) && strcmp(tag, "!")))
		return;
	strings.at = manifest_grow(strings.at, strings.count, sizeof *strings.at);
	strings.at[strings.count++] = place_at(event->start_mark);
}

/*
 * The tags of YAML's core schema say what a scalar is, whether it is quoted or not: resolve() of
 * go-yaml. Here its style says so from now on.
 */
static bool check_tag(struct manifest *m, yaml_node_t *node)
{
	static struct {
		const char *tag, *type;
	} const tags[] = {{YAML_INT_TAG, "a number"}, {YAML_FLOAT_TAG, "a number"},
		{YAML_BOOL_TAG, "a boolean"}, {YAML_NULL_TAG, "null"}};
	const char *tag = (const char *)node->tag, *s = scalar(node);
	struct position at = place_of(node);
	const char *own = s                                  ? YAML_STR_TAG
			  : node->type == YAML_SEQUENCE_NODE ? YAML_SEQ_TAG
							     : YAML_MAP_TAG;
	for (size_t i = 0; s && i < sizeof tags / sizeof *tags; i++)
		if (!strcmp(tag, tags[i].tag)) {
			node->data.scalar.style = YAML_PLAIN_SCALAR_STYLE;
			return is_json(node, tags[i].type) ||
			       manifest_wrong(m, at, "!!%s: expected %s, got '%.40s'",
				       strrchr(tag, ':') + 1, tags[i].type, s);
		}
	if (strcmp(tag, own))
		return manifest_wrong(
			m, at, "expected no tag but those of YAML's core schema, got %.80s", tag);
	if (s && strings.count && bsearch(&at, strings.at, strings.count, sizeof at, by_position))
		node->data.scalar.style = YAML_SINGLE_QUOTED_SCALAR_STYLE;
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
			return manifest_wrong(
				m, place_of(node), "expected text, got a NUL character in it");
		if (!check_tag(m, node))
			return false;
		if (node->type != YAML_MAPPING_NODE)
			continue;
		const yaml_node_pair_t *first = node->data.mapping.pairs.start;
		size_t count = (size_t)(node->data.mapping.pairs.top - first);
		struct key *keys = manifest_alloc(m, (count + 1) * sizeof *keys);
		for (size_t i = 0; i < count; i++) {
			keys[i].node = yaml_document_get_node(doc, first[i].key);
			keys[i].name = scalar(keys[i].node);
			if (!keys[i].name)
				return manifest_wrong(
					m, place_of(keys[i].node), "expected a word as the key");
			if (!strcmp(keys[i].name, "<<"))
				return manifest_wrong(m, place_of(keys[i].node),
					"<<: expected the fields written out, merging is not read");
		}
		qsort(keys, count, sizeof *keys, by_name);
		for (size_t i = 1; i < count; i++)
			if (!strcmp(keys[i].name, keys[i - 1].name))
				return manifest_wrong(m, place_of(keys[i].node),
					"%.80s: expected once, and it is in line %d too",
					keys[i].name, place_of(keys[i - 1].node).line);
	}
	return true;
}

/* ---- What a document holds ---- */

static const yaml_node_t *value_of(struct reader *r, const yaml_node_t *object, const char *name)
{
	if (!object || object->type != YAML_MAPPING_NODE)
		return NULL;
	const yaml_node_pair_t *pair = object->data.mapping.pairs.start;
	for (; pair < object->data.mapping.pairs.top; pair++)
		if (!strcmp(scalar(yaml_document_get_node(r->doc, pair->key)), name))
			return yaml_document_get_node(r->doc, pair->value);
	return NULL;
}

static const char *string_of(struct reader *r, const yaml_node_t *object, const char *name)
{
	const yaml_node_t *value = value_of(r, object, name);
	return value && is_json(value, "a string") && *scalar(value) ? scalar(value) : NULL;
}

/* A Pod's name: its own or, as the API server does it, generateName and five characters. */
static bool name_pod(struct reader *r, struct pod *pod, const yaml_node_t *metadata)
{
	if (!pod->name && pod->generate_name) {
		autofree char *name = text("%.58sxxxxx", pod->generate_name);
		pod->name = manifest_keep(r->to, name);
	}
	struct position at = metadata ? place_of(metadata) : pod->at;
	return pod->name ||
	       manifest_wrong(r->to, at, "metadata.name: expected here, or generateName");
}

static bool read_pod(struct reader *r, const struct shape *shape, const yaml_node_t *node)
{
	struct pod *pod = manifest_alloc(r->to, sizeof *pod), **last = &r->to->pods;
	const struct base outer = r->base;
	while (*last)
		last = &(*last)->next;
	*last = r->pod = pod;
	pod->at = place_of(node);
	pod->owner = r->owner_kind;
	r->base = (struct base){shape, strlen(r->path), pod};
	bool good = read_object(r, shape, node, pod);
	pod->name = r->owner ? r->owner : pod->name;
	r->base = outer;
	r->pod = NULL;
	return good && name_pod(r, pod, value_of(r, node, "metadata"));
}

bool read_template(struct reader *r, const yaml_node_t *node)
{
	return read_pod(r, &template_fields, node);
}

/* Each Pod of a StatefulSet has a volume for each of volumeClaimTemplates. */
static bool read_claims(struct reader *r, const yaml_node_t *set)
{
	const yaml_node_t *claims = value_of(r, value_of(r, set, "spec"), "volumeClaimTemplates");
	struct pod *pod = r->to->pods;
	while (pod && pod->next)
		pod = pod->next;
	if (!pod || !claims || claims->type != YAML_SEQUENCE_NODE)
		return true;
	const yaml_node_item_t *item = claims->data.sequence.items.start;
	ptrdiff_t count = claims->data.sequence.items.top - item;
	if (!check_budget(r, claims, count))
		return false;
	pod->claims.item = manifest_alloc(r->to, ((size_t)count + 1) * sizeof *pod->claims.item);
	for (; item < claims->data.sequence.items.top; item++) {
		const yaml_node_t *claim = yaml_document_get_node(r->doc, *item);
		const char *name = string_of(r, value_of(r, claim, "metadata"), "name");
		if (!name)
			return manifest_wrong(r->to, place_of(claim),
				"metadata.name: expected here, and missing");
		pod->claims.item[pod->claims.count++] = (struct volume){.at = place_of(claim),
			.name = manifest_keep(r->to, name),
			.other = "persistentVolumeClaim"};
	}
	return true;
}

/* What has a template, and the version in which Kubernetes has it. NULL: another kind. */
static const char *version_of(const char *kind)
{
	static const char *const owners[][2] = {{"Deployment", "apps/v1"},
		{"StatefulSet", "apps/v1"}, {"DaemonSet", "apps/v1"}, {"ReplicaSet", "apps/v1"},
		{"Job", "batch/v1"}, {"CronJob", "batch/v1"}, {"ReplicationController", "v1"},
		{"PodTemplate", "v1"}};
	for (size_t i = 0; i < sizeof owners / sizeof *owners; i++)
		if (!strcmp(owners[i][0], kind))
			return owners[i][1];
	return NULL;
}

/* Only its template is read; of the rest the names of the fields. */
static bool read_template_of(struct reader *r, const char *kind, const yaml_node_t *node)
{
	const yaml_node_t *metadata = value_of(r, node, "metadata");
	const yaml_node_t *api = value_of(r, node, "apiVersion");
	const char *name = string_of(r, metadata, "name");
	name = name ? name : string_of(r, metadata, "generateName");
	if (!name)
		return manifest_wrong(r->to, place_of(metadata ? metadata : node),
			"metadata.name: expected here, and missing");
	if (!api || !scalar(api))
		return manifest_wrong(r->to, place_of(api ? api : node),
			"apiVersion: expected here, %s for a %s", version_of(kind), kind);
	if (strcmp(scalar(api), version_of(kind)) != 0)
		manifest_warn(r->to, place_of(api),
			"apiVersion %.60s: the API server refuses it, a %s is in %s today",
			scalar(api), kind, version_of(kind));
	r->owner = manifest_keep(r->to, name);
	r->owner_kind = manifest_keep(r->to, kind);
	bool good = read_owner(r, kind, node);
	r->owner = r->owner_kind = NULL;
	return good && (strcmp(kind, "StatefulSet") != 0 || read_claims(r, node));
}

static bool read_map(struct reader *r, const yaml_node_t *node)
{
	struct manifest *m = r->to;
	m->maps.item = manifest_grow(m->maps.item, m->maps.count, sizeof *m->maps.item);
	struct config_map *map = &m->maps.item[m->maps.count++];
	*map = (struct config_map){.at = place_of(node)};
	const struct base outer = r->base;
	r->base = (struct base){&map_document_fields, strlen(r->path), NULL};
	bool good = read_object(r, &map_document_fields, node, map);
	r->base = outer;
	return good;
}

static bool read_kind(struct reader *r, const yaml_node_t *node, bool in_list);

static bool read_items(struct reader *r, const yaml_node_t *list)
{
	const yaml_node_t *items = value_of(r, list, "items");
	if (!items || items->type != YAML_SEQUENCE_NODE)
		return manifest_wrong(
			r->to, place_of(items ? items : list), "items: expected a list");
	const yaml_node_item_t *item = items->data.sequence.items.start;
	bool good = check_budget(r, items, items->data.sequence.items.top - item);
	size_t length = enter(r, "", "items[]");
	for (; good && item < items->data.sequence.items.top; item++)
		good = read_kind(r, yaml_document_get_node(r->doc, *item), true);
	r->path[length] = '\0';
	return good;
}

static bool read_kind(struct reader *r, const yaml_node_t *node, bool in_list)
{
	if (node->type != YAML_MAPPING_NODE)
		return manifest_wrong(
			r->to, place_of(node), "expected a Pod, got %s", json_type(node));
	const yaml_node_t *kind = value_of(r, node, "kind");
	if (!kind || !is_json(kind, "a string"))
		return manifest_wrong(r->to, kind ? place_of(kind) : place_of(node),
			"kind: expected here, such as Pod");
	const char *name = scalar(kind);
	if (!strcmp(name, "Pod"))
		return read_pod(r, &pod_document_fields, node);
	if (!strcmp(name, "ConfigMap"))
		return read_map(r, node);
	if (!in_list && (!strcmp(name, "List") || !strcmp(name, "PodList")))
		return read_items(r, node);
	if (version_of(name))
		return read_template_of(r, name, node);
	manifest_leave_out(r->to, place_of(kind), "kind %.60s: this lab does not read it", name);
	return true;
}

static bool read_document(struct manifest *m, yaml_document_t *doc)
{
	const yaml_node_t *root = yaml_document_get_root_node(doc);
	struct reader r = {.to = m, .doc = doc};
	return check_nodes(m, doc) && (is_json(root, "null") || read_kind(&r, root, false));
}

/* ---- The file ---- */

/* libyaml's own words; of an error in the bytes it knows the offset only. */
static bool wrong_yaml(struct manifest *m, const yaml_parser_t *parser, const char *data)
{
	struct position at = {
		(int)parser->problem_mark.line + 1, (int)parser->problem_mark.column + 1};
	if (parser->error == YAML_MEMORY_ERROR)
		die("out of memory");
	if (parser->error != YAML_READER_ERROR)
		return manifest_wrong(m, at, "%s%s%s", parser->problem, parser->context ? " " : "",
			parser->context ? parser->context : "");
	at = (struct position){1, 1};
	for (size_t i = 0; i < parser->problem_offset; i++) {
		at.line += data[i] == '\n';
		at.column = data[i] == '\n' ? 1 : at.column + ((data[i] & 0xc0) != 0x80);
	}
	return manifest_wrong(m, at, "expected text in UTF-8: %s", parser->problem);
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
		if (event.type == YAML_SCALAR_EVENT)
			note_tag(&event);
		depth += event.type == YAML_SEQUENCE_START_EVENT ||
			 event.type == YAML_MAPPING_START_EVENT;
		depth -= event.type == YAML_SEQUENCE_END_EVENT ||
			 event.type == YAML_MAPPING_END_EVENT;
		if (depth > DEPTH_MAX)
			good = manifest_wrong(m, place_at(event.start_mark),
				"expected at most %d objects and lists within each other",
				DEPTH_MAX);
		more = event.type != YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return good;
}

/* The Pod that was asked for, when all are known. */
static bool choose_pod(struct manifest *m, const char *name)
{
	if (!m->pods)
		return manifest_wrong(
			m, (struct position){1, 1}, "expected a Pod, and there is none");
	for (m->pod = m->pods; name && m->pod && strcmp(m->pod->name, name); m->pod = m->pod->next)
		;
	return m->pod || manifest_wrong(m, m->pods->at,
				 "expected a Pod named '%.80s', and the first one is '%.80s'", name,
				 m->pods->name);
}

bool manifest_read(
	struct manifest *m, const char *data, size_t size, const char *name, bool lenient)
{
	*m = (struct manifest){.lenient = lenient};
	if (size > MANIFEST_MAX)
		return manifest_wrong(
			m, (struct position){1, 1}, "expected at most 1 MiB, got %zu bytes", size);
	if (size >= 3 && !memcmp(data, "\xef\xbb\xbf", 3)) { /* a byte order mark */
		data += 3;
		size -= 3;
	}
	strings.count = 0;
	bool good = check_events(m, data, size), more = good;
	yaml_parser_t parser;
	parser_open(&parser, data, size);
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
	free(strings.at);
	strings.at = NULL;
	good = good && choose_pod(m, name);
	for (struct pod *pod = m->pods; pod && good; pod = pod->next)
		good = check_pod(m, pod);
	return good;
}
