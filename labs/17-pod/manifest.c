/*
 * manifest.c: from a file's bytes to struct pod, or to an error with its line.
 *
 * libyaml makes a tree of nodes, in which an alias is the node of its anchor, so
 * that a tree may share nodes and even have cycles. The tables below say which
 * fields there are. They are walked, not the tree: no deeper than they go, and
 * through no more than VALUES_MAX values. What a field may hold is decided as
 * Kubernetes does: sigs.k8s.io/yaml makes JSON of it, with YAML 1.1's rules for
 * what is no string, and pkg/apis/core/validation/validation.go says what is valid.
 */
/* link: yaml-0.1 */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "kernel/file.h"
#include "kernel/sys.h"
#include "pod.h"

#define VALUES_MAX 65536 /* each alias counted each time */
#define DEPTH_MAX 100
#define ITEMS_MAX 1024 /* of one list */

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

static struct position place_at(yaml_mark_t mark)
{
	return (struct position){(int)mark.line + 1, (int)mark.column + 1};
}

static struct position place_of(const yaml_node_t *node)
{
	return place_at(node->start_mark);
}

/* ---- Scalars ---- */

static const char *scalar(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

/* Notes a key's value by the name of its field, container.resources.limits.cpu, or as not ours. */
static void say(struct reader *r, const yaml_node_t *key, const char *other, const char *string)
{
	struct manifest *m = r->to;
	const char *below = r->path + r->base.path + (r->path[r->base.path] == '.');
	autofree char *field = text("%s.%s", r->base.shape->item, below);
	m->said.item = manifest_grow(m->said.item, m->said.count, sizeof *m->said.item);
	m->said.item[m->said.count++] =
		(struct said){place_of(key), other ? other : manifest_keep(m, field),
			manifest_keep(m, string ? string : ""), r->base.of};
}

static bool has_word(const char *words, const char *word)
{
	size_t length = strlen(word);
	for (const char *at = words; length && (at = strstr(at, word)); at += length)
		if ((at == words || at[-1] == ' ') && (!at[length] || at[length] == ' '))
			return !strchr(word, ' ');
	return false;
}

/* In JSON's words; what is quoted or a block is a string. */
static const char *json_type(const yaml_node_t *node)
{
	const char *s = scalar(node);
	if (!s)
		return node->type == YAML_MAPPING_NODE ? "an object" : "a list";
	if (node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return "a string";
	return rule_matches(&null_rule, s)                                   ? "null"
	       : rule_matches(&true_rule, s) || rule_matches(&false_rule, s) ? "a boolean"
	       : rule_matches(&number_rule, s)                               ? "a number"
									     : "a string";
}

static bool is_json(const yaml_node_t *node, const char *type)
{
	return !strcmp(json_type(node), type);
}

static bool expected(struct reader *r, const yaml_node_t *node, const char *what)
{
	const char *s = scalar(node), *type = json_type(node);
	bool string = !strcmp(type, "a string"), quote = s && *s && !strcmp(what, "a string");
	autofree char *got = s ? text(string ? "%s'%.40s'" : "%s %.40s", string ? "" : type, s)
			       : text("%s", type);
	return manifest_wrong(r->to, place_of(node), "%s: expected %s, got %s%s", r->path, what,
		got, quote ? "; quote it" : "");
}

/* Each value costs something: aliases may make many of few bytes. */
static bool check_budget(struct reader *r, const yaml_node_t *node, ptrdiff_t count)
{
	if (count > ITEMS_MAX)
		return manifest_wrong(r->to, place_of(node),
			"%s: expected at most %d items, got %td", r->path, ITEMS_MAX, count);
	if ((r->values += count) > VALUES_MAX)
		return manifest_wrong(r->to, place_of(node),
			"expected at most %d values, aliases included", VALUES_MAX);
	return true;
}

static bool read_text(
	struct reader *r, const struct field *f, const yaml_node_t *node, const char **to)
{
	if (!is_json(node, "a string"))
		return expected(r, node, "a string");
	*to = manifest_keep(r->to, scalar(node));
	if (f->rule && !rule_matches(f->rule, *to))
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
	if (!check_budget(r, node, count))
		return false;
	char *at = manifest_alloc(r->to, ((size_t)count + 1) * each);
	memcpy(to, &at, sizeof at);
	if (f->type == LIST) /* struct container_specs and the like: the items, and how many */
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
		*(struct position *)(void *)at = place_of(one);
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
	if (!check_budget(r, node, count))
		return false;
	to->item = manifest_alloc(r->to, ((size_t)count + 1) * sizeof *to->item);
	for (; pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(r->doc, pair->key);
		const yaml_node_t *value = yaml_document_get_node(r->doc, pair->value);
		struct pair *one = &to->item[to->count++];
		*one = (struct pair){place_of(key), manifest_keep(r->to, scalar(key)), ""};
		if (f->rule && !rule_matches(f->rule, one->name))
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
		value->is = rule_matches(&true_rule, scalar(node));
		return true;
	case NUMBER:
		return read_number(r, f, node, to);
	case CPUS:
	case BYTES:
		return read_quantity(r, f, node, to);
	case OBJECT:
		if (f->offset) /* where it says that it is there */
			*(struct position *)to = place_of(node);
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
		if (!check_budget(r, key, 1))
			return false;
		size_t length = enter(r, ".", f->name ? f->name : "");
		if (!f->name) {
			bool known = has_word(shape->also, scalar(key));
			const char *why = known ? NOT_HERE : NOT_KNOWN;
			manifest_warn(
				r->to, place_of(key), "%s%.60s: %s", r->path, scalar(key), why);
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
			return manifest_wrong(r->to, place_of(node),
				"%s%s%s: expected here, and missing", r->path, *r->path ? "." : "",
				f->name);
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
		if (strcmp((char *)node->tag, s                                  ? YAML_STR_TAG
					      : node->type == YAML_SEQUENCE_NODE ? YAML_SEQ_TAG
										 : YAML_MAP_TAG))
			return manifest_wrong(
				m, place_of(node), "expected no tag, got %.80s", (char *)node->tag);
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
		return manifest_wrong(m, place_of(root), "expected a Pod, got %s", json_type(root));
	for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
		pair < root->data.mapping.pairs.top; pair++)
		if (!strcmp(scalar(yaml_document_get_node(doc, pair->key)), "kind"))
			kind = yaml_document_get_node(doc, pair->value);
	if (!kind || !is_json(kind, "a string"))
		return manifest_wrong(m, kind ? place_of(kind) : place_of(root),
			"kind: expected Pod or ConfigMap");
	if (!strcmp(scalar(kind), "ConfigMap")) {
		m->maps.item = manifest_grow(m->maps.item, m->maps.count, sizeof *m->maps.item);
		struct config_map *map = &m->maps.item[m->maps.count++];
		*map = (struct config_map){.at = place_of(root)};
		r.base.shape = &map_document_fields;
		return read_object(&r, &map_document_fields, root, map);
	}
	if (strcmp(scalar(kind), "Pod")) {
		manifest_warn(m, place_of(kind),
			"kind %.60s: neither a Pod nor a ConfigMap, not read", scalar(kind));
		return true;
	}
	if (m->pod.at.line)
		return manifest_wrong(m, place_of(root),
			"expected one Pod in a file, and line %d has one", m->pod.at.line);
	m->pod.at = place_of(root);
	return read_object(&r, &pod_document_fields, root, &m->pod);
}

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

/*
 * Reads the manifest that data is; images are --image's NAME=DIR, or NULL. False when
 * m->error says what is wrong. Either way manifest_free() gives back what m holds.
 */
bool manifest_read(struct manifest *m, const char *data, size_t size, const char *const *images)
{
	*m = (struct manifest){.images = images};
	if (size > MANIFEST_MAX)
		return manifest_wrong(
			m, (struct position){1, 1}, "expected at most 1 MiB, got %zu bytes", size);
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
		good = manifest_wrong(
			m, (struct position){1, 1}, "expected a Pod, and there is none");
	return good && check_pod(m);
}
