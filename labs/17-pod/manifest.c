/*
 * manifest.c: from a file's bytes to the nodes of its documents, which read.c reads, or to an
 * error with its line.
 *
 * Of libyaml's events this makes what JSON would have, as sigs.k8s.io/yaml does: a tree in which an
 * alias is the node of its anchor, so that it may share nodes and even have cycles. What is asked
 * of each node is asked here, once; read.c then walks the tables.
 */
/* link: yaml-0.1 */
#define _GNU_SOURCE
#include <search.h>
#include <string.h>
#include <yaml.h>

#include "kernel/sys.h"
#include "pod.h"

#define DEPTH_MAX 100 /* libyaml's time grows with the square of the depth */

static struct position place_at(yaml_mark_t mark)
{
	return (struct position){(int)mark.line + 1, (int)mark.column + 1};
}

/* ---- From events to nodes ---- */

/* What the events have become so far. */
struct file {
	struct manifest *m;
	struct nodes documents;
	struct node *last; /* of the last document; and its anchors, a tree of tsearch(3) */
	void *anchors;
	struct node *open[DEPTH_MAX]; /* have begun and not ended, each in the one before */
	size_t depth;
};

static const char *kept(struct manifest *m, const yaml_char_t *string)
{
	return string ? manifest_keep(m, (const char *)string) : NULL;
}

static void add(struct manifest *m, struct nodes *to, struct node *node)
{
	*(struct node **)manifest_add(m, to, sizeof(void *)) = node;
}

/* Of a scalar: what is quoted, a block or has the tag !!str is a string. */
static enum node_type type_of(const yaml_event_t *event)
{
	if (event->type != YAML_SCALAR_EVENT)
		return event->type == YAML_SEQUENCE_START_EVENT ? NODE_LIST : NODE_OBJECT;
	const char *s = (const char *)event->data.scalar.value;
	const char *tag = (const char *)event->data.scalar.tag;
	if (tag ? !strcmp(tag, YAML_STR_TAG) || !strcmp(tag, "!")
		: event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return NODE_STRING;
	return rule_matches(&null_rule, s)                                   ? NODE_NULL
	       : rule_matches(&true_rule, s) || rule_matches(&false_rule, s) ? NODE_BOOLEAN
	       : rule_matches(&number_rule, s)                               ? NODE_NUMBER
									     : NODE_STRING;
}

static int by_anchor(const void *a, const void *b)
{
	return strcmp(((const struct node *)a)->anchor, ((const struct node *)b)->anchor);
}

static void keep_node(void *node)
{
	(void)node;
}

static void end_document(struct file *f)
{
	tdestroy(f->anchors, keep_node);
	f->anchors = f->last = NULL;
}

/*
 * An alias is the node of its anchor. The events of the other three kinds begin with an anchor and
 * a tag, as a scalar's does.
 */
static struct node *node_of(struct file *f, const yaml_event_t *event)
{
	const bool alias = event->type == YAML_ALIAS_EVENT;
	const char *anchor = (const char *)event->data.alias.anchor;
	struct node **other =
		anchor ? tfind(&(struct node){.anchor = anchor}, &f->anchors, by_anchor) : NULL;
	if (alias && other)
		return *other;
	struct node *node = manifest_alloc(f->m, sizeof *node);
	node->at = place_at(event->start_mark);
	node->wrong = alias ? "found undefined alias" : NULL;
	if (f->last)
		f->last->next = node;
	f->last = node;
	if (alias)
		return node;
	node->type = type_of(event);
	node->tag = kept(f->m, event->data.scalar.tag);
	node->anchor = kept(f->m, event->data.scalar.anchor);
	if (event->type == YAML_SCALAR_EVENT) {
		node->text = kept(f->m, event->data.scalar.value);
		node->length = event->data.scalar.length;
	}
	if (other)
		*other = node; /* for the aliases that follow */
	else if (anchor && !tsearch(node, &f->anchors, by_anchor))
		die("out of memory");
	return node;
}

static bool take_event(struct file *f, const yaml_event_t *event)
{
	const bool begins =
		event->type == YAML_SEQUENCE_START_EVENT || event->type == YAML_MAPPING_START_EVENT;
	if (event->type == YAML_DOCUMENT_START_EVENT)
		end_document(f);
	f->depth -= event->type == YAML_SEQUENCE_END_EVENT || event->type == YAML_MAPPING_END_EVENT;
	if (!begins && event->type != YAML_SCALAR_EVENT && event->type != YAML_ALIAS_EVENT)
		return true;
	struct node *node = node_of(f, event);
	add(f->m, f->depth ? &f->open[f->depth - 1]->in : &f->documents, node);
	if (begins && f->depth == DEPTH_MAX)
		return manifest_wrong(f->m, node->at,
			"expected at most %d objects and lists within each other", DEPTH_MAX);
	if (begins)
		f->open[f->depth++] = node;
	return true;
}

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

static bool take_events(struct file *f, const char *data, size_t size)
{
	yaml_parser_t parser;
	yaml_event_t event = {0};
	bool good = true;
	if (!yaml_parser_initialize(&parser))
		die("out of memory");
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)data, size);
	while (good && event.type != YAML_STREAM_END_EVENT) {
		yaml_event_delete(&event);
		good = yaml_parser_parse(&parser, &event) ? take_event(f, &event)
							  : wrong_yaml(f->m, &parser, data);
	}
	end_document(f);
	yaml_event_delete(&event);
	yaml_parser_delete(&parser);
	return good;
}

/* ---- What no table asks: of each node once, and so in bounded time, whatever the aliases are
 * ----
 */

/* The tags of YAML's core schema say what a scalar is, whether it is quoted or not. */
static bool check_tag(struct manifest *m, const struct node *node)
{
	static const char *const tags[] = {[NODE_NULL] = YAML_NULL_TAG,
		[NODE_BOOLEAN] = YAML_BOOL_TAG,
		[NODE_NUMBER] = YAML_INT_TAG,
		[NODE_STRING] = YAML_STR_TAG,
		[NODE_LIST] = YAML_SEQ_TAG,
		[NODE_OBJECT] = YAML_MAP_TAG};
	const char *tag = node->tag ? node->tag : "!";
	tag = strcmp(tag, YAML_FLOAT_TAG) ? tag : YAML_INT_TAG;
	if (!strcmp(tag, "!") || !strcmp(tag, tags[node->type]))
		return true;
	for (enum node_type type = NODE_NULL; node->text && type < NODE_STRING; type++)
		if (!strcmp(tag, tags[type]))
			return manifest_wrong(m, node->at, "!!%s: expected %s, got '%.40s'",
				strrchr(node->tag, ':') + 1, node_words[type], node->text);
	return manifest_wrong(m, node->at,
		"expected no tag but those of YAML's core schema, got %.80s", node->tag);
}

static int by_name(const void *a, const void *b)
{
	const struct node *one = *(struct node *const *)a, *other = *(struct node *const *)b;
	int order = strcmp(one->text, other->text);
	return order ? order : by_place(&one->at, &other->at);
}

/* Each key of an object is a word, and there once. */
static bool check_keys(struct manifest *m, const struct node *object)
{
	const size_t count = object->in.count / 2;
	const struct node **keys = manifest_alloc(m, (count + 1) * sizeof(void *));
	for (size_t i = 0; i < count; i++) {
		keys[i] = object->in.item[2 * i];
		if (!keys[i]->text)
			return manifest_wrong(m, keys[i]->at, "expected a word as the key");
		if (!strcmp(keys[i]->text, "<<"))
			return manifest_wrong(m, keys[i]->at,
				"<<: expected the fields written out, merging is not read");
	}
	qsort(keys, count, sizeof(void *), by_name);
	for (size_t i = 1; i < count; i++)
		if (!strcmp(keys[i]->text, keys[i - 1]->text))
			return manifest_wrong(m, keys[i]->at,
				"%.80s: expected once, and it is in line %d too", keys[i]->text,
				keys[i - 1]->at.line);
	return true;
}

static bool check_nodes(struct manifest *m, const struct node *root)
{
	for (const struct node *node = root; node; node = node->next)
		if (node->wrong)
			return manifest_wrong(m, node->at, "%s", node->wrong);
	for (const struct node *node = root; node; node = node->next) {
		if (node->text && strlen(node->text) != node->length)
			return manifest_wrong(
				m, node->at, "expected text, got a NUL character in it");
		if (!check_tag(m, node) || (node->type == NODE_OBJECT && !check_keys(m, node)))
			return false;
	}
	return true;
}

/* ---- The file ---- */

/* The Pod that was asked for, when all are known. */
static bool choose_pod(struct manifest *m, const char *name)
{
	if (!m->pods && m->other.kind)
		return manifest_wrong(m, m->other.at,
			"expected a Pod, and there is none; kind '%.60s' %s", m->other.kind,
			m->other.why);
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
	struct file f = {.m = m};
	*m = (struct manifest){.lenient = lenient};
	if (size > MANIFEST_MAX)
		return manifest_wrong(
			m, (struct position){1, 1}, "expected at most 1 MiB, got %zu bytes", size);
	if (size >= 3 && !memcmp(data, "\xef\xbb\xbf", 3)) { /* a byte order mark */
		data += 3;
		size -= 3;
	}
	bool good = take_events(&f, data, size);
	for (size_t i = 0; good && i < f.documents.count; i++)
		good = check_nodes(m, f.documents.item[i]) && read_document(m, f.documents.item[i]);
	good = good && choose_pod(m, name);
	for (struct pod *pod = m->pods; pod && good; pod = pod->next)
		good = check_pod(m, pod);
	return good;
}
