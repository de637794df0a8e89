/*
 * read.c: from the nodes of a document to each struct pod in it, by the tables of fields.c.
 *
 * The tables are walked, not the tree: no deeper than they go, and through no more than VALUES_MAX
 * values. What a field may hold is decided as Kubernetes does: sigs.k8s.io/yaml makes JSON of it,
 * with YAML 1.1's rules for what is no string, and pkg/apis/core/validation/validation.go says what
 * is valid. Of fields that this lab has not, only the names are looked at: strict decoding, which
 * kubectl asks of the API server unless --validate says otherwise. A document may be a Pod, a
 * ConfigMap, a list of them, or what has a template of a Pod, such as a Deployment.
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

/* ---- Nodes ---- */

struct position place_of(const yaml_node_t *node)
{
	return (struct position){(int)node->start_mark.line + 1, (int)node->start_mark.column + 1};
}

const char *scalar(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

ptrdiff_t count_of(const yaml_node_t *node)
{
	return node->type == YAML_MAPPING_NODE
		       ? node->data.mapping.pairs.top - node->data.mapping.pairs.start
	       : node->type == YAML_SEQUENCE_NODE
		       ? node->data.sequence.items.top - node->data.sequence.items.start
		       : 0;
}

bool next_entry(yaml_document_t *doc, const yaml_node_t *node, struct entry *e)
{
	const ptrdiff_t i = e->next++;
	if (i >= count_of(node))
		return false;
	const bool object = node->type == YAML_MAPPING_NODE;
	const yaml_node_pair_t *pairs = node->data.mapping.pairs.start;
	e->key = object ? yaml_document_get_node(doc, pairs[i].key) : NULL;
	e->value = yaml_document_get_node(
		doc, object ? pairs[i].value : node->data.sequence.items.start[i]);
	return true;
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

/* The value of an object's field; NULL: it has none of that name, or is no object. */
static const yaml_node_t *value_of(struct reader *r, const yaml_node_t *object, const char *name)
{
	struct entry e = {0};
	while (object && object->type == YAML_MAPPING_NODE && next_entry(r->doc, object, &e))
		if (!strcmp(scalar(e.key), name))
			return e.value;
	return NULL;
}

static const char *string_of(struct reader *r, const yaml_node_t *object, const char *name)
{
	const yaml_node_t *value = value_of(r, object, name);
	return value && is_json(value, "a string") && *scalar(value) ? scalar(value) : NULL;
}

/* ---- What is told of them ---- */

/* Notes a key's value by the name of its field. */
static void say_as(struct reader *r, const yaml_node_t *key, const char *field, const char *string)
{
	struct said *said = manifest_add(r->to, &r->to->said, sizeof *said);
	*said = (struct said){place_of(key), manifest_keep(r->to, field),
		manifest_keep(r->to, string ? string : ""), r->base.of, r->pod};
}

/* By its path: container.resources.limits.cpu */
static void say(struct reader *r, const yaml_node_t *key, const char *string)
{
	const char *below = r->path + r->base.path + (r->path[r->base.path] == '.');
	autofree char *field = text("%s.%s", r->base.shape->item, below);
	say_as(r, key, field, string);
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

/* Goes on in a field; the caller cuts the path off at the length that it had. */
static size_t enter(struct reader *r, const char *dot, const char *name)
{
	size_t length = strlen(r->path);
	snprintf(r->path + length, sizeof r->path - length, "%s%s", length ? dot : "", name);
	return length;
}

/* ---- Values ---- */

static bool read_text(struct reader *r, struct rule *rule, const yaml_node_t *node, const char **to)
{
	if (!is_json(node, "a string"))
		return expected(r, node, "a string");
	*to = manifest_keep(r->to, scalar(node));
	return !rule || rule_matches(rule, *to) || expected(r, node, rule->words);
}

static bool read_number(
	struct reader *r, const struct field *f, const yaml_node_t *node, struct value *to)
{
	bool whole = is_json(node, "a number") && rule_matches(&integer_rule, scalar(node));
	errno = 0;
	to->is = whole ? strtoll(scalar(node), NULL, 10) : 0;
	if (whole && !errno && to->is >= f->min && to->is <= f->max)
		return true;
	autofree char *words = text("an integer from %lld to %lld", f->min, f->max);
	return expected(r, node, words);
}

static bool read_quantity(
	struct reader *r, enum field_type type, const yaml_node_t *node, struct value *to)
{
	const char *s = is_json(node, "a boolean") ? NULL : scalar(node);
	quantity q = {0};
	enum quantity_read read = s ? quantity_read(s, &q) : QUANTITY_WRONG;
	bool octal = is_json(node, "a number") && *s == '0' && isdigit((unsigned char)s[1]);
	const char *want = octal ? "a number without a 0 before it, which is octal in YAML 1.1"
			   : read == QUANTITY_WRONG     ? "a quantity such as 500m, 1.5 or 64Mi"
			   : read == QUANTITY_TOO_LARGE ? "a quantity of at most 2^63-1"
			   : q.whole < 0                ? "a quantity that is not negative"
			   : type == CPUS && quantity_compare(q, (quantity){.whole = 1000000}) > 0
				   ? "at most a million CPUs"
				   : NULL;
	if (want)
		return expected(r, node, want);
	if (type == BYTES && q.nano) /* warningsForPodSpecAndMeta() in pkg/api/pod/warnings.go */
		manifest_warn(r->to, place_of(node),
			"%s: fractional byte value '%.40s', the API server warns: expected an integer%s",
			r->path, s,
			s[strlen(s) - 1] == 'm' ? "; 'm' is a thousandth, 'Mi' 2^20" : "");
	to->is = type == CPUS ? quantity_milli(q) : quantity_value(q);
	return true;
}

static bool read_pairs(
	struct reader *r, const struct field *f, const yaml_node_t *node, struct pairs *to)
{
	if (!check_budget(r, node, count_of(node)))
		return false;
	for (struct entry e = {0}; next_entry(r->doc, node, &e);) {
		struct pair *one = manifest_add(r->to, to, sizeof *one);
		*one = (struct pair){
			place_of(e.key), manifest_keep(r->to, scalar(e.key)), "", NULL};
		if (f->rule && !rule_matches(f->rule, one->name))
			return expected(r, e.key, f->rule->words);
		if (!is_json(e.value, "null") && !read_text(r, f->value_rule, e.value, &one->value))
			return false;
		say(r, e.key, one->name);
	}
	return true;
}

/*
 * Any name may be a resource's. validateContainerResourceName() and ValidateResourceQuantityValue()
 * in validation.go, and IsStandardContainerResourceName() in pkg/apis/core/helper/helpers.go
 */
static bool read_resource(struct reader *r, const struct entry *e, struct pairs *to)
{
	const char *name = scalar(e->key);
	bool huge = !strncmp(name, "hugepages-", 10), storage = !strcmp(name, "ephemeral-storage");
	struct value amount;
	quantity q;
	if (!huge && !storage && !rule_matches(&resource_rule, name))
		return expected(r, e->key, resource_rule.words);
	if (!read_quantity(r, BYTES, e->value, &amount))
		return false;
	quantity_read(scalar(e->value), &q);
	if (!huge && !storage && q.nano)
		return expected(r, e->value, "an integer");
	say_as(r, e->key,
		huge      ? "ResourceList.hugepages"
		: storage ? "ResourceList.ephemeral-storage"
			  : "ResourceList.device",
		scalar(e->value));
	struct pair *one = manifest_add(r->to, to, sizeof *one);
	*one = (struct pair){place_of(e->value), manifest_keep(r->to, name),
		manifest_keep(r->to, scalar(e->value)), NULL};
	return true;
}

/* ---- Objects and lists, by the tables ---- */

static bool read_object(
	struct reader *r, const struct shape *shape, const yaml_node_t *node, void *base);
static bool read_pod(struct reader *r, const struct shape *shape, const yaml_node_t *node);

/* An object with a place of its own: a list's item, a Pod, a ConfigMap. */
static bool read_item(
	struct reader *r, const struct shape *shape, const yaml_node_t *node, void *to)
{
	const struct base outer = r->base;
	*(struct position *)to = place_of(node);
	r->base = (struct base){shape, strlen(r->path), to};
	bool good = read_object(r, shape, node, to);
	r->base = outer;
	return good;
}

static bool read_list(struct reader *r, const struct field *f, const yaml_node_t *node, void *to)
{
	const size_t count = (size_t)count_of(node);
	const size_t each = f->shape ? f->shape->size : sizeof(char *);
	if (!check_budget(r, node, count_of(node)))
		return false;
	char *at = manifest_alloc(r->to, (count + 1) * each);
	memcpy(to, &at, sizeof at);
	if (f->shape) /* struct container_specs and the like: the items, and how many */
		memcpy((char *)to + sizeof at, &count, sizeof count);
	enter(r, "", "[]");
	for (struct entry e = {0}; next_entry(r->doc, node, &e); at += each)
		if (f->shape ? !read_item(r, f->shape, e.value, at)
			     : !read_text(r, f->rule, e.value, (const char **)(void *)at))
			return false;
	return true;
}

static bool read_value(struct reader *r, const struct field *f, const yaml_node_t *node, char *base)
{
	static const char *const types[] = {[YES_NO] = "a boolean",
		[LIST] = "a list",
		[TEXTS] = "a list",
		[PAIRS] = "an object"};
	void *to = base + f->offset;
	if (f->type < sizeof types / sizeof *types && types[f->type] &&
		!is_json(node, types[f->type]))
		return expected(r, node, f->type == YES_NO ? "true or false" : types[f->type]);
	if (f->type >= YES_NO && f->type <= BYTES)
		*(struct value *)to = (struct value){.set = true, .at = place_of(node)};
	switch (f->type) {
	case TEXT:
		return read_text(r, f->rule, node, to);
	case YES_NO:
		((struct value *)to)->is = rule_matches(&true_rule, scalar(node));
		return true;
	case NUMBER:
		return read_number(r, f, node, to);
	case CPUS:
	case BYTES:
		return read_quantity(r, f->type, node, to);
	case OBJECT:
		if (f->offset) /* where it says that it is there */
			*(struct position *)to = place_of(node);
		return f->shape == &template_fields ? read_pod(r, f->shape, node)
						    : read_object(r, f->shape, node, base);
	case LIST:
	case TEXTS:
		return read_list(r, f, node, to);
	case PAIRS:
		return read_pairs(r, f, node, to);
	}
	return false;
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

/* An empty value and false leave a Pod as it is. */
static bool says_something(const yaml_node_t *value)
{
	const char *s = scalar(value);
	return s ? !rule_matches(&default_rule, s)
		 : value->type == YAML_MAPPING_NODE || count_of(value) > 0;
}

/*
 * A field that the shape's table has not. In an object that has no table, only the names are looked
 * at, down to a Pod's template.
 */
static bool read_other(
	struct reader *r, const struct shape *shape, const struct entry *e, char *base)
{
	const bool known = shape->fields->name != NULL;
	void *to = base + shape->other;
	struct schema_field found;
	if (!strcmp(shape->type, "ResourceList"))
		return is_json(e->value, "null") || read_resource(r, e, to);
	if (!schema_field(shape->type, scalar(e->key), &found))
		return unknown_field(r, e->key);
	if (is_json(e->value, "null"))
		return true;
	autofree char *name = text("%s.%s", shape->type, scalar(e->key));
	const struct elsewhere *other = elsewhere(name);
	if (known && other && other->missed && says_something(e->value))
		manifest_leave_out(r->to, place_of(e->key), "%s: %s", r->path, other->words);
	if (shape->other)
		*(const char **)to = manifest_keep(r->to, scalar(e->key));
	if (known || other)
		say_as(r, e->key, name, scalar(e->value));
	if (!schema_has_type(found.type))
		return true;
	const struct shape names = {.type = found.type, .size = sizeof(struct position)};
	const struct field f = {.type = found.list ? LIST : OBJECT,
		.shape = strcmp(found.type, template_fields.type) ? &names : &template_fields};
	return read_value(r, &f, e->value, (char *)&(struct volumes){0});
}

static bool read_object(
	struct reader *r, const struct shape *shape, const yaml_node_t *node, void *base)
{
	unsigned int there = 0;
	if (node->type != YAML_MAPPING_NODE)
		return expected(r, node, "an object");
	for (struct entry e = {0}; next_entry(r->doc, node, &e);) {
		const struct field *f = shape->fields;
		while (f->name && strcmp(f->name, scalar(e.key)))
			f++;
		if (!check_budget(r, e.key, 1))
			return false;
		size_t length = enter(r, ".", scalar(e.key));
		if (!f->name) {
			if (!read_other(r, shape, &e, base))
				return false;
		} else if (!is_json(e.value, "null")) { /* which is as if it were not there */
			say(r, e.key, scalar(e.value));
			if (!read_value(r, f, e.value, base))
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

/* ---- What a document holds ---- */

/* A template's has its owner's name; of generateName the API server makes one, with five more. */
static bool read_pod(struct reader *r, const struct shape *shape, const yaml_node_t *node)
{
	struct pod *pod = manifest_alloc(r->to, sizeof *pod), **last = &r->to->pods;
	while (*last)
		last = &(*last)->next;
	*last = r->pod = pod;
	pod->owner = r->owner_kind;
	bool good = read_item(r, shape, node, pod);
	r->pod = NULL;
	if (r->owner) {
		pod->name = r->owner;
	} else if (!pod->name && pod->generate_name) {
		autofree char *name = text("%.58sxxxxx", pod->generate_name);
		pod->name = manifest_keep(r->to, name);
	}
	return good && (pod->name || manifest_wrong(r->to, pod->metadata,
					     "metadata.name: expected here, or generateName"));
}

static bool read_map(struct reader *r, const yaml_node_t *node)
{
	struct config_map *map = manifest_alloc(r->to, sizeof *map);
	map->next = r->to->maps;
	r->to->maps = map;
	return read_item(r, &map_document_fields, node, map);
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
	if (!check_budget(r, claims, count_of(claims)))
		return false;
	for (struct entry e = {0}; next_entry(r->doc, claims, &e);) {
		const char *name = string_of(r, value_of(r, e.value, "metadata"), "name");
		if (!name)
			return manifest_wrong(r->to, place_of(e.value),
				"metadata.name: expected here, and missing");
		struct volume *claim = manifest_add(r->to, &pod->claims, sizeof *claim);
		*claim = (struct volume){.at = place_of(e.value),
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
	bool good = read_object(r, &(struct shape){.type = kind}, node, &(struct volumes){0});
	r->owner = r->owner_kind = NULL;
	return good && (strcmp(kind, "StatefulSet") != 0 || read_claims(r, node));
}

static bool read_kind(struct reader *r, const yaml_node_t *node, bool in_list);

static bool read_items(struct reader *r, const yaml_node_t *list)
{
	const yaml_node_t *items = value_of(r, list, "items");
	if (!items || items->type != YAML_SEQUENCE_NODE)
		return manifest_wrong(
			r->to, place_of(items ? items : list), "items: expected a list");
	bool good = check_budget(r, items, count_of(items));
	size_t length = enter(r, "", "items[]");
	for (struct entry e = {0}; good && next_entry(r->doc, items, &e);)
		good = read_kind(r, e.value, true);
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

bool read_document(struct manifest *m, yaml_document_t *doc)
{
	const yaml_node_t *root = yaml_document_get_root_node(doc);
	struct reader r = {.to = m, .doc = doc};
	return is_json(root, "null") || read_kind(&r, root, false);
}
