/*
 * read.c: objects, lists and values of a manifest, by the tables of fields.c.
 *
 * The tables are walked, not the tree: no deeper than they go, and through no more than VALUES_MAX
 * values. What a field may hold is decided as Kubernetes does: sigs.k8s.io/yaml makes JSON of it,
 * with YAML 1.1's rules for what is no string, and pkg/apis/core/validation/validation.go says what
 * is valid. Of fields that this lab has not, only the names are looked at: strict decoding, which
 * kubectl asks of the API server unless --validate says otherwise.
 */
/* link: yaml-0.1 */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "kernel/file.h"
#include "kernel/sys.h"
#include "pod.h"

#define VALUES_MAX 65536 /* each alias counted each time */
#define ITEMS_MAX 1024   /* of one list */

struct position place_of(const yaml_node_t *node)
{
	return (struct position){(int)node->start_mark.line + 1, (int)node->start_mark.column + 1};
}

/* ---- Scalars ---- */

const char *scalar(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

/* Notes a key's value by the name of its field. */
static void say_as(struct reader *r, const yaml_node_t *key, const char *field, const char *string)
{
	struct manifest *m = r->to;
	m->said.item = manifest_grow(m->said.item, m->said.count, sizeof *m->said.item);
	m->said.item[m->said.count++] = (struct said){place_of(key), manifest_keep(m, field),
		manifest_keep(m, string ? string : ""), r->base.of, r->pod};
}

/* By its path: container.resources.limits.cpu */
static void say(struct reader *r, const yaml_node_t *key, const char *string)
{
	const char *below = r->path + r->base.path + (r->path[r->base.path] == '.');
	autofree char *field = text("%s.%s", r->base.shape->item, below);
	say_as(r, key, field, string);
}

/* In JSON's words; what is quoted or a block is a string. */
const char *json_type(const yaml_node_t *node)
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

bool is_json(const yaml_node_t *node, const char *type)
{
	return !strcmp(json_type(node), type);
}

bool expected(struct reader *r, const yaml_node_t *node, const char *what)
{
	const char *s = scalar(node), *type = json_type(node);
	bool string = !strcmp(type, "a string"), quote = s && *s && !strcmp(what, "a string");
	autofree char *got = s ? text(string ? "%s'%.40s'" : "%s %.40s", string ? "" : type, s)
			       : text("%s", type);
	return manifest_wrong(r->to, place_of(node), "%s: expected %s, got %s%s", r->path, what,
		got, quote ? "; quote it" : "");
}

/* Each value costs something: aliases may make many of few bytes. */
bool check_budget(struct reader *r, const yaml_node_t *node, ptrdiff_t count)
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
	if (q.whole < 0)
		return expected(r, node, "a quantity that is not negative");
	if (f->type == CPUS && quantity_compare(q, (quantity){.whole = 1000000}) > 0)
		return expected(r, node, "at most a million CPUs");
	if (f->type == BYTES && q.nano) /* warningsForPodSpecAndMeta() in pkg/api/pod/warnings.go */
		manifest_warn(r->to, place_of(node),
			"%s: fractional byte value '%.40s', the API server warns: expected an integer%s",
			r->path, s,
			s[strlen(s) - 1] == 'm' ? "; 'm' is a thousandth, 'Mi' 2^20" : "");
	to->is = f->type == CPUS ? quantity_milli(q) : quantity_value(q);
	return true;
}

size_t enter(struct reader *r, const char *dot, const char *name)
{
	size_t length = strlen(r->path);
	snprintf(r->path + length, sizeof r->path - length, "%s%s", length ? dot : "", name);
	return length;
}

/* ---- Fields that this lab has not ---- */

static bool read_others(struct reader *r, const char *type, const yaml_node_t *node);

static bool read_other_value(
	struct reader *r, const struct schema_field *field, const yaml_node_t *node)
{
	if (is_json(node, "null") || !schema_has_type(field->type))
		return true;
	if (!field->list)
		return read_others(r, field->type, node);
	if (node->type != YAML_SEQUENCE_NODE)
		return expected(r, node, "a list");
	const yaml_node_item_t *item = node->data.sequence.items.start;
	if (!check_budget(r, node, node->data.sequence.items.top - item))
		return false;
	enter(r, "", "[]");
	for (; item < node->data.sequence.items.top; item++)
		if (!read_others(r, field->type, yaml_document_get_node(r->doc, *item)))
			return false;
	return true;
}

/* An error, as that of strict decoding; a warning with --validate=warn. */
static bool unknown_field(struct reader *r, const yaml_node_t *key)
{
	static const char words[] = "%s: " NOT_KNOWN ", Kubernetes has none of that name here";
	if (!r->to->lenient)
		return manifest_wrong(r->to, place_of(key), words, r->path);
	manifest_warn(r->to, place_of(key), words, r->path);
	say_as(r, key, NOT_KNOWN, NULL);
	return true;
}

/* The fields of an object of a type, by their names alone, down to a Pod's template. */
static bool read_others(struct reader *r, const char *type, const yaml_node_t *node)
{
	if (!strcmp(type, "PodTemplateSpec"))
		return read_template(r, node);
	if (node->type != YAML_MAPPING_NODE)
		return expected(r, node, "an object");
	const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	for (; pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(r->doc, pair->key);
		const yaml_node_t *value = yaml_document_get_node(r->doc, pair->value);
		struct schema_field field;
		if (!check_budget(r, key, 1))
			return false;
		size_t length = enter(r, ".", scalar(key));
		bool known = schema_field(type, scalar(key), &field);
		autofree char *name = text("%s.%s", type, scalar(key));
		if (known && elsewhere(name) && !is_json(value, "null"))
			say_as(r, key, name, scalar(value));
		if (known ? !read_other_value(r, &field, value) : !unknown_field(r, key))
			return false;
		r->path[length] = '\0';
	}
	return true;
}

bool read_owner(struct reader *r, const char *kind, const yaml_node_t *node)
{
	return read_others(r, kind, node);
}

/* An empty value and false leave a Pod as it is. */
static bool says_something(const yaml_node_t *value)
{
	const char *s = scalar(value);
	if (s)
		return *s && !is_json(value, "null") && !rule_matches(&false_rule, s) &&
		       strcmp(s, "None") != 0 && strcmp(s, "Default") != 0;
	return value->type != YAML_SEQUENCE_NODE ||
	       value->data.sequence.items.top > value->data.sequence.items.start;
}

/*
 * Any name may be a resource's. validateContainerResourceName() and ValidateResourceQuantityValue()
 * in validation.go, and IsStandardContainerResourceName() in pkg/apis/core/helper/helpers.go
 */
static bool read_resource(
	struct reader *r, const yaml_node_t *key, const yaml_node_t *value, struct pairs *to)
{
	const char *name = scalar(key);
	bool huge = !strncmp(name, "hugepages-", 10), storage = !strcmp(name, "ephemeral-storage");
	struct value amount = {0};
	quantity q;
	if (!huge && !storage && !rule_matches(&resource_rule, name))
		return expected(r, key, resource_rule.words);
	if (!read_quantity(r, &(struct field){.type = BYTES}, value, &amount))
		return false;
	if (!huge && !storage && quantity_read(scalar(value), &q) == QUANTITY_OK && q.nano)
		return expected(r, value, "an integer");
	say_as(r, key,
		huge      ? "ResourceList.hugepages"
		: storage ? "ResourceList.ephemeral-storage"
			  : "ResourceList.device",
		scalar(value));
	if (!(to->count & (to->count - 1))) { /* no room is left at a power of two */
		struct pair *more =
			manifest_alloc(r->to, (to->count ? to->count * 2 : 1) * sizeof *more);
		if (to->count)
			memcpy(more, to->item, to->count * sizeof *more);
		to->item = more;
	}
	to->item[to->count++] = (struct pair){place_of(value), manifest_keep(r->to, name),
		manifest_keep(r->to, scalar(value)), NULL};
	return true;
}

/* A field that the shape's table has not. */
static bool read_unmatched(struct reader *r, const struct shape *shape, const yaml_node_t *key,
	const yaml_node_t *value, char *base)
{
	struct schema_field field;
	void *to = base + shape->other;
	if (!strcmp(shape->type, "ResourceList"))
		return is_json(value, "null") || read_resource(r, key, value, to);
	if (!schema_field(shape->type, scalar(key), &field))
		return unknown_field(r, key);
	if (is_json(value, "null"))
		return true;
	autofree char *name = text("%s.%s", shape->type, scalar(key));
	const struct elsewhere *other = elsewhere(name);
	if (other && other->missed && says_something(value))
		manifest_leave_out(r->to, place_of(key), "%s: %s", r->path, other->words);
	if (shape->other)
		*(const char **)to = manifest_keep(r->to, scalar(key));
	say_as(r, key, name, scalar(value));
	return read_other_value(r, &field, value);
}

/* ---- The tree, by the tables ---- */

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
		*one = (struct pair){place_of(key), manifest_keep(r->to, scalar(key)), "", NULL};
		if (f->rule && !rule_matches(f->rule, one->name))
			return expected(r, key, f->rule->words);
		if (!is_json(value, "null") &&
			!read_text(r, &(struct field){0}, value, &one->value))
			return false;
		if (f->value_rule && !rule_matches(f->value_rule, one->value))
			return expected(r, value, f->value_rule->words);
		say(r, key, one->name);
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

bool read_object(struct reader *r, const struct shape *shape, const yaml_node_t *node, void *base)
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
		size_t length = enter(r, ".", scalar(key));
		if (!f->name) {
			if (!read_unmatched(r, shape, key, value, base))
				return false;
		} else if (!is_json(value, "null")) { /* which is as if it were not there */
			say(r, key, scalar(value));
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
