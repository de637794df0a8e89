/*
 * manifest.c: from a file's bytes to the nodes of its documents, which read.c reads, or to an error
 * with its line.
 *
 * libyaml makes a tree of nodes, in which an alias is the node of its anchor, so that a tree may
 * share nodes and even have cycles. What is asked of each node is asked here, once; read.c then
 * walks the tables.
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
static void note_tag(struct manifest *m, const yaml_event_t *event)
{
	const char *tag = (const char *)event->data.scalar.tag;
	if (!tag || event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE ||
		(strcmp(tag, YAML_STR_TAG) && strcmp(tag, "!")))
		return;
	struct position *at = manifest_add(m, &m->strings, sizeof *at);
	*at = place_at(event->start_mark);
}

/* Whether the node is the next of these. Nodes stand in the order of their events. */
static bool is_noted(struct manifest *m, const yaml_node_t *node)
{
	const struct position at = place_of(node), *next = &m->strings.item[m->strings.seen];
	if (m->strings.seen == m->strings.count || next->line != at.line ||
		next->column != at.column)
		return false;
	m->strings.seen++;
	return true;
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
	if (s && is_noted(m, node))
		node->data.scalar.style = YAML_SINGLE_QUOTED_SCALAR_STYLE;
	return true;
}

/* ---- Nodes ---- */

static int by_name(const void *a, const void *b)
{
	const yaml_node_t *const *one = a, *const *other = b;
	int order = strcmp(scalar(*one), scalar(*other));
	return order ? order : *one < *other ? -1 : *one > *other;
}

/* Each key of an object is a word, and there once. */
static bool check_keys(struct manifest *m, yaml_document_t *doc, const yaml_node_t *node)
{
	const yaml_node_t **keys = manifest_alloc(m, ((size_t)count_of(node) + 1) * sizeof *keys);
	size_t count = 0;
	for (struct entry e = {0}; next_entry(doc, node, &e); keys[count++] = e.key) {
		if (!scalar(e.key))
			return manifest_wrong(m, place_of(e.key), "expected a word as the key");
		if (!strcmp(scalar(e.key), "<<"))
			return manifest_wrong(m, place_of(e.key),
				"<<: expected the fields written out, merging is not read");
	}
	qsort(keys, count, sizeof *keys, by_name);
	for (size_t i = 1; i < count; i++)
		if (!strcmp(scalar(keys[i]), scalar(keys[i - 1])))
			return manifest_wrong(m, place_of(keys[i]),
				"%.80s: expected once, and it is in line %d too", scalar(keys[i]),
				place_of(keys[i - 1]).line);
	return true;
}

/* What no table asks: each node once, and so in bounded time, whatever the aliases are. */
static bool check_nodes(struct manifest *m, yaml_document_t *doc)
{
	for (yaml_node_t *node = doc->nodes.start; node < doc->nodes.top; node++) {
		const char *s = scalar(node);
		if (s && strlen(s) != node->data.scalar.length)
			return manifest_wrong(
				m, place_of(node), "expected text, got a NUL character in it");
		if (!check_tag(m, node) ||
			(node->type == YAML_MAPPING_NODE && !check_keys(m, doc, node)))
			return false;
	}
	return true;
}

/* ---- The file ---- */

/* libyaml's own words; of an error in the bytes it knows the offset only. */
static bool wrong_yaml(struct manifest *m, const yaml_parser_t *parser, const char *data)
{
	struct position at = {1, 1};
	if (parser->error == YAML_MEMORY_ERROR)
		die("out of memory");
	if (parser->error != YAML_READER_ERROR)
		return manifest_wrong(m, place_at(parser->problem_mark), "%s%s%s", parser->problem,
			parser->context ? " " : "", parser->context ? parser->context : "");
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
	yaml_event_t event = {0};
	int depth = 0;
	bool good = true;
	parser_open(&parser, data, size);
	while (good && event.type != YAML_STREAM_END_EVENT) {
		yaml_event_delete(&event);
		good = yaml_parser_parse(&parser, &event) || wrong_yaml(m, &parser, data);
		if (event.type == YAML_SCALAR_EVENT)
			note_tag(m, &event);
		depth += event.type == YAML_SEQUENCE_START_EVENT ||
			 event.type == YAML_MAPPING_START_EVENT;
		depth -= event.type == YAML_SEQUENCE_END_EVENT ||
			 event.type == YAML_MAPPING_END_EVENT;
		if (depth > DEPTH_MAX)
			good = manifest_wrong(m, place_at(event.start_mark),
				"expected at most %d objects and lists within each other",
				DEPTH_MAX);
	}
	yaml_event_delete(&event);
	yaml_parser_delete(&parser);
	return good;
}

static bool read_documents(struct manifest *m, const char *data, size_t size)
{
	yaml_parser_t parser;
	bool good = true, more = true;
	parser_open(&parser, data, size);
	while (good && more) {
		yaml_document_t doc;
		good = yaml_parser_load(&parser, &doc) || wrong_yaml(m, &parser, data);
		more = yaml_document_get_root_node(&doc) != NULL;
		good = good && (!more || (check_nodes(m, &doc) && read_document(m, &doc)));
		yaml_document_delete(&doc);
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
	bool good =
		check_events(m, data, size) && read_documents(m, data, size) && choose_pod(m, name);
	for (struct pod *pod = m->pods; pod && good; pod = pod->next)
		good = check_pod(m, pod);
	return good;
}
