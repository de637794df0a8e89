/*
 * read.c: from the nodes of a document to each struct pod in it, by the tables of fields.c.
 *
 * The tables are walked, not the tree: no deeper than they go, and through no more than VALUES_MAX
 * values. What a field may hold is decided as pkg/apis/core/validation/validation.go of Kubernetes
 * does. Of fields that this lab has not, only the names are looked at: strict decoding, which
 * kubectl asks of the API server unless --validate says otherwise. A document may be a Pod, a
 * ConfigMap, a list of them, or what has a template of a Pod, such as a Deployment.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "kernel/file.h"
#include "kernel/sys.h"
#include "pod.h"

#define VALUES_MAX 65536 /* each alias counted each time */
#define ITEMS_MAX 1024   /* of one list */

const char *const node_words[] = {
	"null", "a boolean", "a number", "a string", "a list", "an object"};

/* The value of an object's field; NULL: it has none of that name, or is no object. */
static const struct node *value_of(const struct node *object, const char *name)
{
	for (size_t i = 0; object && object->type == NODE_OBJECT && i < object->in.count; i += 2)
		if (!strcmp(object->in.item[i]->text, name))
			return object->in.item[i + 1];
	return NULL;
}

static const char *string_of(const struct node *object, const char *name)
{
	const struct node *value = value_of(object, name);
	return value && value->type == NODE_STRING && *value->text ? value->text : NULL;
}

/* ---- What is told of them ---- */

/* Notes a key's value by the name of its field. */
static void say_as(struct reader *r, const struct node *key, const char *field, const char *string)
{
	struct said *said = manifest_add(r->to, &r->to->said, sizeof *said);
	*said = (struct said){
		key->at, manifest_keep(r->to, field), string ? string : "", r->base.of, r->pod};
}

/* By its path: container.resources.limits.cpu */
static void say(struct reader *r, const struct node *key, const char *string)
{
	const char *below = r->path + r->base.path + (r->path[r->base.path] == '.');
	autofree char *field = text("%s.%s", r->base.shape->item, below);
	say_as(r, key, field, string);
}

static void expected(struct reader *r, const struct node *node, const char *what)
{
	const char *s = node->text, *type = node_words[node->type];
	bool string = node->type == NODE_STRING, quote = s && *s && !strcmp(what, "a string");
	autofree char *got = s ? text(string ? "%s'%.40s'" : "%s %.40s", string ? "" : type, s)
			       : text("%s", type);
	manifest_wrong(r->to, node->at, "%s: expected %s, got %s%s", r->path, what, got,
		quote ? "; quote it" : "");
}

/* Each value costs something: aliases may make many of few bytes. */
static bool check_budget(struct reader *r, const struct node *node, size_t count)
{
	if (count > ITEMS_MAX)
		return manifest_wrong(r->to, node->at, "%s: expected at most %d items, got %zu",
			r->path, ITEMS_MAX, count);
	r->values += count;
	return r->values <= VALUES_MAX ||
	       manifest_wrong(
		       r->to, node->at, "expected at most %d values, aliases included", VALUES_MAX);
}

/* Goes on in a field; the caller cuts the path off at the length that it had. */
static size_t enter(struct reader *r, const char *dot, const char *name)
{
	size_t length = strlen(r->path);
	snprintf(r->path + length, sizeof r->path - length, "%s%s", length ? dot : "", name);
	return length;
}

/* ---- Values ---- */

static void read_text(struct reader *r, struct rule *rule, const struct node *node, const char **to)
{
	*to = node->text;
	if (node->type != NODE_STRING)
		expected(r, node, "a string");
	else if (rule && !rule_matches(rule, node->text))
		expected(r, node, rule->words);
}

/*
 * 1.00068e+09, as Helm writes a number of more than six digits, is 1000680000 in the JSON that
 * sigs.k8s.io/yaml makes of it. Allocated for the manifest, unless it is the text itself.
 */
static const char *number_text(struct reader *r, const struct node *node)
{
	quantity q = {0};
	if (node->type != NODE_NUMBER || !strpbrk(node->text, ".eE") ||
		quantity_read(node->text, &q) != QUANTITY_OK || q.nano)
		return node->text;
	autofree char *digits = text("%lld", q.whole);
	return manifest_keep(r->to, digits);
}

static void read_number(
	struct reader *r, const struct field *f, const struct node *node, struct value *to)
{
	const char *number = number_text(r, node);
	bool whole = node->type == NODE_NUMBER && rule_matches(&integer_rule, number);
	autofree char *words = text("an integer from %lld to %lld", f->min, f->max);
	errno = 0;
	to->is = whole ? strtoll(number, NULL, 10) : 0;
	if (!whole || errno || to->is < f->min || to->is > f->max)
		expected(r, node, words);
}

static void read_quantity(
	struct reader *r, enum field_type type, const struct node *node, struct value *to)
{
	const char *s = node->type == NODE_BOOLEAN ? NULL : node->text;
	quantity q = {0};
	enum quantity_read read = s ? quantity_read(s, &q) : QUANTITY_WRONG;
	bool octal = node->type == NODE_NUMBER && *s == '0' && strspn(s, "0123456789") > 1;
	const char *want = octal ? "a number without a 0 before it, which is octal in YAML 1.1"
			   : read == QUANTITY_WRONG     ? "a quantity such as 500m, 1.5 or 64Mi"
			   : read == QUANTITY_TOO_LARGE ? "a quantity of at most 2^63-1"
			   : q.whole < 0                ? "a quantity that is not negative"
			   : type == CPUS && quantity_compare(q, (quantity){.whole = 1000000}) > 0
				   ? "at most a million CPUs"
				   : NULL;
	/* warningsForPodSpecAndMeta() in pkg/api/pod/warnings.go */
	if (!want && type == BYTES && q.nano)
		manifest_warn(r->to, node->at,
			"%s: fractional byte value '%.40s', the API server warns: expected an integer%s",
			r->path, s,
			s[strlen(s) - 1] == 'm' ? "; 'm' is a thousandth, 'Mi' 2^20" : "");
	if (want)
		expected(r, node, want);
	else
		to->is = type == CPUS ? quantity_milli(q) : quantity_value(q);
}

static void read_pairs(
	struct reader *r, const struct field *f, const struct node *object, struct pairs *to)
{
	if (!check_budget(r, object, object->in.count / 2))
		return;
	for (size_t i = 0; manifest_good(r->to) && i < object->in.count; i += 2) {
		const struct node *key = object->in.item[i], *value = object->in.item[i + 1];
		struct pair *one = manifest_add(r->to, to, sizeof *one);
		*one = (struct pair){.at = key->at, .name = key->text, .value = ""};
		if (f->rule && !rule_matches(f->rule, one->name))
			expected(r, key, f->rule->words);
		if (value->type != NODE_NULL)
			read_text(r, f->value_rule, value, &one->value);
		say(r, key, one->name);
	}
}

bool is_pages(const char *resource)
{
	return !strncmp(resource, "hugepages-", 10);
}

/* IsHugePageResourceValueDivisible() in the same file as IsStandardContainerResourceName() */
static bool fits_pages(const char *name, quantity amount)
{
	quantity page = {0};
	return quantity_read(name + strlen("hugepages-"), &page) == QUANTITY_OK && page.whole > 0 &&
	       !page.nano && quantity_value(amount) % page.whole == 0;
}

/*
 * Any name may be a resource's. validateContainerResourceName() and ValidateResourceQuantityValue()
 * in validation.go, and IsStandardContainerResourceName() in pkg/apis/core/helper/helpers.go
 */
static void read_resource(
	struct reader *r, const struct node *key, const struct node *value, struct pairs *to)
{
	const char *is = is_pages(key->text) ? "ResourceList.hugepages"
			 : !strcmp(key->text, "ephemeral-storage")
				 ? "ResourceList.ephemeral-storage"
			 : rule_matches(&resource_rule, key->text) ? "ResourceList.device"
								   : NULL;
	struct value amount;
	quantity q = {0};
	if (is)
		read_quantity(r, BYTES, value, &amount);
	else
		expected(r, key, resource_rule.words);
	if (!is || !manifest_good(r->to))
		return;
	quantity_read(value->text, &q);
	if (is_pages(key->text) && !fits_pages(key->text, q))
		expected(r, value, "a multiple of the size in the name, as hugepages-2Mi has it");
	if (q.nano && !strcmp(is, "ResourceList.device"))
		expected(r, value, "an integer");
	say_as(r, key, is, value->text);
	struct pair *one = manifest_add(r->to, to, sizeof *one);
	*one = (struct pair){.at = value->at, .name = key->text, .value = value->text};
}

/* ---- Objects and lists, by the tables ---- */

static void read_object(
	struct reader *r, const struct shape *shape, const struct node *object, char *base);

/* An object with a place of its own: a list's item, a Pod, a ConfigMap. */
static void read_item(
	struct reader *r, const struct shape *shape, const struct node *object, void *to)
{
	const struct base outer = r->base;
	*(struct position *)to = object->at;
	r->base = (struct base){shape, strlen(r->path), to};
	read_object(r, shape, object, to);
	r->base = outer;
}

/* A template's has its owner's name; of generateName the API server makes one, with five more. */
static void read_pod(struct reader *r, const struct shape *shape, const struct node *object)
{
	struct pod *pod = manifest_alloc(r->to, sizeof *pod);
	*(r->to->last ? &r->to->last->next : &r->to->pods) = pod;
	r->to->last = r->pod = pod;
	pod->owner = r->owner_kind;
	read_item(r, shape, object, pod);
	r->pod = NULL;
	if (r->owner) {
		pod->name = r->owner;
	} else if (!pod->name && pod->generate_name) {
		autofree char *name = text("%.58sxxxxx", pod->generate_name);
		pod->name = manifest_keep(r->to, name);
	}
	if (!pod->name)
		manifest_wrong(
			r->to, pod->metadata, "metadata.name: expected here, or generateName");
}

static void read_list(struct reader *r, const struct field *f, const struct node *list, void *to)
{
	const size_t each = f->shape ? f->shape->size : sizeof(char *);
	if (!check_budget(r, list, list->in.count))
		return;
	char *at = manifest_alloc(r->to, (list->in.count + 1) * each);
	memcpy(to, &at, sizeof at);
	if (f->shape) /* struct container_specs and the like: the items, and how many */
		memcpy((char *)to + sizeof at, &list->in.count, sizeof list->in.count);
	enter(r, "", "[]");
	for (size_t i = 0; manifest_good(r->to) && i < list->in.count; i++, at += each)
		if (f->shape)
			read_item(r, f->shape, list->in.item[i], at);
		else
			read_text(r, f->rule, list->in.item[i], (const char **)(void *)at);
}

static void read_value(struct reader *r, const struct field *f, const struct node *node, char *base)
{
	static const enum node_type types[] = {[YES_NO] = NODE_BOOLEAN,
		[LIST] = NODE_LIST,
		[TEXTS] = NODE_LIST,
		[PAIRS] = NODE_OBJECT}; /* 0: more than one, or seen to elsewhere */
	void *to = base + f->offset;
	if (f->type >= YES_NO && f->type <= BYTES)
		*(struct value *)to = (struct value){.set = true, .at = node->at};
	if (types[f->type] && types[f->type] != node->type)
		expected(r, node, f->type == YES_NO ? "true or false" : node_words[types[f->type]]);
	else if (f->type == TEXT)
		read_text(r, f->rule, node, to);
	else if (f->type == YES_NO)
		((struct value *)to)->is = rule_matches(&true_rule, node->text);
	else if (f->type == NUMBER)
		read_number(r, f, node, to);
	else if (f->type == CPUS || f->type == BYTES)
		read_quantity(r, f->type, node, to);
	else if (f->type == LIST || f->type == TEXTS)
		read_list(r, f, node, to);
	else if (f->type == PAIRS)
		read_pairs(r, f, node, to);
	else if (f->shape == &template_fields)
		read_pod(r, f->shape, node);
	else {
		if (f->offset) /* where it says that it is there */
			*(struct position *)to = node->at;
		read_object(r, f->shape, node, base);
	}
}

/* An error, as that of strict decoding; a warning with --validate=warn. */
static void unknown_field(struct reader *r, const struct node *key)
{
	static const char words[] = "%s: " NOT_KNOWN ", Kubernetes has none of that name here";
	if (r->to->lenient)
		manifest_warn(r->to, key->at, words, r->path);
	else
		manifest_wrong(r->to, key->at, words, r->path);
	say_as(r, key, NOT_KNOWN, NULL);
}

/*
 * A field that the shape's table has not. In an object that has no table, only the names are looked
 * at, down to a Pod's template.
 */
static void read_other(struct reader *r, const struct shape *shape, const struct node *key,
	const struct node *value, char *base)
{
	const bool known = shape->fields->name != NULL;
	void *to = base + shape->other;
	struct schema_field found;
	autofree char *name = text("%s.%s", shape->type, key->text);
	const struct elsewhere *other = elsewhere(name);
	if (!schema_field(shape->type, key->text, &found)) {
		unknown_field(r, key);
		return;
	}
	if (value->type == NODE_NULL)
		return;
	/* An empty value and false leave a Pod as it is. */
	struct rule same = {.one_of = other ? other->same : NULL};
	bool says = value->text ? !rule_matches(&default_rule, value->text)
				: value->type == NODE_OBJECT || value->in.count;
	if (same.one_of && value->text && rule_matches(&same, value->text))
		says = false;
	if (known && says && other && other->missed)
		manifest_leave_out(r->to, key->at, "%s: %s", r->path, other->words);
	if (shape->other)
		*(const char **)to = key->text;
	/* What says nothing becomes nothing; "Default" and "None" do not always. */
	bool nothing = !says && (value->type == NODE_BOOLEAN || (other && other->missed));
	if (known || other)
		say_as(r, key, nothing ? "Default" : name, value->text);
	/* Lists of them are made and not used: of an item there is its place only. */
	const struct shape names = {.type = found.type, .size = sizeof(struct position)};
	const struct field f = {.type = found.list ? LIST : OBJECT,
		.shape = strcmp(found.type, template_fields.type) ? &names : &template_fields};
	if (schema_has_type(found.type))
		read_value(r, &f, value, (char *)&(struct volumes){0});
}

/*
 * What is as if it were not there: null, and an empty string where one may be left out. A
 * template's engine writes those, and types.go has `omitempty`.
 */
static bool is_absent(const struct field *f, const struct node *value)
{
	return value->type == NODE_NULL ||
	       (f->type == TEXT && f->rule && !f->required && !f->pointer &&
		       value->type == NODE_STRING && !*value->text);
}

static void read_object(
	struct reader *r, const struct shape *shape, const struct node *object, char *base)
{
	unsigned int there = 0;
	if (object->type != NODE_OBJECT)
		expected(r, object, "an object");
	for (size_t i = 0; manifest_good(r->to) && i < object->in.count; i += 2) {
		const struct node *key = object->in.item[i], *value = object->in.item[i + 1];
		const struct field *f = shape->fields;
		while (f->name && strcmp(f->name, key->text))
			f++;
		if (!check_budget(r, key, 1))
			return;
		size_t length = enter(r, ".", key->text);
		if (!f->name && strcmp(shape->type, "ResourceList") != 0) {
			read_other(r, shape, key, value, base);
		} else if (!f->name && value->type != NODE_NULL) {
			read_resource(r, key, value, (void *)(base + shape->other));
		} else if (f->name && !is_absent(f, value)) {
			say(r, key, f->type == NUMBER ? number_text(r, value) : value->text);
			read_value(r, f, value, base);
			there |= 1U << (f - shape->fields);
		}
		r->path[length] = '\0';
	}
	for (const struct field *f = shape->fields; f->name; f++)
		if (f->required && !(there & 1U << (f - shape->fields)))
			manifest_wrong(r->to, object->at, "%s%s%s: expected here, and missing",
				r->path, *r->path ? "." : "", f->name);
}

/* ---- What a document holds ---- */

static void read_map(struct reader *r, const struct node *object)
{
	struct config_map *map = manifest_alloc(r->to, sizeof *map);
	map->next = r->to->maps;
	r->to->maps = map;
	read_item(r, &map_document_fields, object, map);
}

/* Each Pod of a StatefulSet has a volume for each of volumeClaimTemplates. */
static void read_claims(struct reader *r, const struct node *set, struct pod *pod)
{
	const struct node *claims = value_of(value_of(set, "spec"), "volumeClaimTemplates");
	if (!claims || !check_budget(r, claims, claims->in.count))
		return;
	for (size_t i = 0; i < claims->in.count; i++) {
		struct volume *claim = manifest_add(r->to, &pod->claims, sizeof *claim);
		*claim = (struct volume){.at = claims->in.item[i]->at,
			.name = string_of(value_of(claims->in.item[i], "metadata"), "name"),
			.other = "persistentVolumeClaim"};
		if (!claim->name)
			manifest_wrong(
				r->to, claim->at, "metadata.name: expected here, and missing");
	}
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

/* For the error of a file without a Pod. */
static void pass_over(struct manifest *m, struct position at, const char *kind, const char *why)
{
	if (!m->other.kind)
		m->other = (struct other){at, kind, why};
}

/* Only its template is read; of the rest the names of the fields. */
static void read_owner(
	struct reader *r, const char *kind, const char *version, const struct node *object)
{
	const struct node *metadata = value_of(object, "metadata");
	const struct node *api = value_of(object, "apiVersion");
	const char *name = string_of(metadata, "name");
	name = name ? name : string_of(metadata, "generateName");
	if (!name)
		manifest_wrong(r->to, metadata ? metadata->at : object->at,
			"metadata.name: expected here, and missing");
	else if (!api || !api->text)
		manifest_wrong(r->to, api ? api->at : object->at,
			"apiVersion: expected here, %s for a %s", version, kind);
	else if (strcmp(api->text, version) != 0)
		manifest_warn(r->to, api->at,
			"apiVersion %.60s: the API server refuses it, a %s is in %s today",
			api->text, kind, version);
	const struct pod *before = r->to->last; /* the same afterwards: it had no template */
	r->owner = name;
	r->owner_kind = kind;
	read_object(r, &(struct shape){.type = kind}, object, (char *)&(struct volumes){0});
	r->owner = r->owner_kind = NULL;
	if (r->to->last == before)
		pass_over(r->to, object->at, kind, "has no template");
	else if (manifest_good(r->to) && !strcmp(kind, "StatefulSet"))
		read_claims(r, object, r->to->last);
}

static void read_kind(struct reader *r, const struct node *node, bool in_list)
{
	const struct node *kind = value_of(node, "kind"), *items = value_of(node, "items");
	const char *name = kind && kind->type == NODE_STRING ? kind->text : "";
	if (node->type != NODE_OBJECT)
		manifest_wrong(r->to, node->at, "expected a Pod, got %s", node_words[node->type]);
	else if (!kind || kind->type != NODE_STRING)
		manifest_wrong(
			r->to, kind ? kind->at : node->at, "kind: expected here, such as Pod");
	else if (!strcmp(name, "Pod"))
		read_pod(r, &pod_document_fields, node);
	else if (!strcmp(name, "ConfigMap"))
		read_map(r, node);
	else if (version_of(name))
		read_owner(r, name, version_of(name), node);
	else if (in_list || (strcmp(name, "List") && strcmp(name, "PodList"))) {
		manifest_leave_out(r->to, kind->at, "kind %.60s: this lab does not read it", name);
		pass_over(r->to, kind->at, name, "is not read");
	} else if (!items || items->type != NODE_LIST)
		manifest_wrong(r->to, items ? items->at : node->at, "items: expected a list");
	else if (check_budget(r, items, items->in.count)) {
		enter(r, "", "items[]");
		for (size_t i = 0; manifest_good(r->to) && i < items->in.count; i++)
			read_kind(r, items->in.item[i], true);
	}
}

bool read_document(struct manifest *m, const struct node *root)
{
	struct reader r = {.to = m};
	if (root->type != NODE_NULL)
		read_kind(&r, root, false);
	return manifest_good(m);
}
