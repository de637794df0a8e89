/*
 * pod.h: what the files of this lab offer each other.
 *
 *   manifest.c   a file's bytes, and the nodes that they become
 *   read.c       each Pod in them, by the tables of fields.c and with the numbers of quantity.c
 *   schema.c     every field that Kubernetes has
 *   elsewhere.c  what becomes of those that this lab has not
 *   problems.c   errors, warnings, and the memory of a manifest
 *   check.c      what one field says of another
 *   pod.c        where one field stands in for another
 *   resources.c  what requests and limits become, by Kubernetes' formulas
 *   effects.c    what a field becomes: a system call or a file of the kernel's
 *   explain.c    each line of the manifest beside what it becomes
 *   sandbox.c    groups, volumes and pause, and how a container joins it: begin here
 *   kubelet.c    the loop: who has ended, why, and who is started again
 *   volumes.c    the folders that containers see by bind mounts
 *   config.c     a container of the manifest, as lab 16 takes it
 *   look.c       what is held beside the predictions
 */
#pragma once

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#include "../16-container/container.h"

/*
 * ---- What a manifest says, as Kubernetes' types have it (k8s.io/api/core/v1/types.go), without
 * the fields that this lab does not have ----
 */

/* Where in the file; line 0 is nowhere. */
struct position {
	int line, column;
};

/* A number that may be left out: an integer, 0 or 1, bytes, or thousandths of a CPU. */
struct value {
	bool set;
	long long is;
	struct position at;
};

struct resources {
	struct value cpu, memory;
};

/* What each knob becomes is lab 15. Of strings that are left out the pointer is NULL. */
struct security {
	struct value run_as_user, run_as_group, run_as_non_root;
	struct value privileged, privilege_escalation, read_only_root; /* containers only */
	const char **cap_add, **cap_drop; /* end with NULL; containers only */
	const char *seccomp;              /* RuntimeDefault, Unconfined or Localhost */
	const char *seccomp_profile;      /* the node's file, for Localhost */
};

/* A list's items each begin with their place. */
struct pair {
	struct position at;
	const char *name, *value;
	const char *other; /* of a variable: valueFrom, which this lab has not */
};

struct pairs {
	struct pair *item;
	size_t count;
};

struct port {
	struct position at;
	const char *name, *protocol;
	struct value number;
};

struct config_map {
	struct position at;
	const char *api, *kind, *name;
	struct pairs data; /* a file each */
	struct config_map *next;
};

struct volume {
	struct position at;
	const char *name;
	struct position host, config, empty; /* which of the three it is; none is an emptyDir too */
	const char *other;                   /* or a kind that this lab has not: "secret" */
	const char *medium;                  /* "Memory" is a tmpfs */
	struct value size_limit;
	const char *host_path, *host_type;
	const char *config_name;
	struct value optional;
	const struct config_map *map; /* the one of that name; NULL: none is in the file */
};

struct mount {
	struct position at;
	const char *name, *path;
	const char *sub_path, *sub_path_expr; /* with one of them it is left out */
	struct value read_only;
	const struct volume *volume; /* the one of that name */
};

struct container_spec {
	struct position at;
	const char *name, *image, *working_dir;
	const char *restart_policy; /* instead of the Pod's; "Always" makes an init one a sidecar */
	const char *rootfs;         /* what the image is here: a folder; NULL is the busybox tree */
	const char **command, **args;
	struct pairs env;
	struct {
		struct port *item;
		size_t count;
	} ports;
	struct {
		struct mount *item;
		size_t count;
	} mounts;
	struct resources requests, limits;
	struct pairs other_requests, other_limits; /* hugepages, a device plugin's and the like */
	struct security security;
};

struct container_specs {
	struct container_spec *item;
	size_t count;
};

struct pod {
	struct position at;
	const char *api, *kind, *name, *generate_name, *namespace;
	struct position metadata;
	const char *owner; /* the kind whose template it is, such as Deployment; NULL for a Pod */
	struct pairs labels;
	const char *hostname, *restart_policy, *priority_class;
	char short_name[64]; /* of name, what can be a hostname */
	struct value host_users, share_process_namespace, grace;
	struct value host_network, host_pid, host_ipc; /* left out when it runs */
	struct resources requests, limits;             /* spec.resources */
	struct pairs other_requests, other_limits;
	struct security security;
	struct volumes {
		struct volume *item;
		size_t count;
	} volumes, claims; /* the latter of a StatefulSet */
	struct container_specs init_containers, containers;
	struct pod *next; /* of the file */
};

/* ---- pod.c ---- */

/* Both kinds, in the order of their lives. */
size_t container_count(const struct pod *pod);
struct container_spec *container_at(const struct pod *pod, size_t i);

const char *pod_hostname(const struct pod *pod);
long long grace_seconds(const struct pod *pod);
bool has_command(const struct container_spec *c);
const char *container_word(const struct container_spec *c, size_t i);
bool mount_read_only(const struct mount *mount);
struct security container_security(const struct pod *pod, const struct container_spec *c);
bool is_capability(const char *name); /* ALL is one, too */
bool has_user_namespace(const struct pod *pod);
bool is_sidecar(const struct pod *pod, const struct container_spec *c);
bool is_node_critical(const struct pod *pod);

/* ---- quantity.c ---- */

/*
 * whole + nano / NANO, from -LLONG_MAX to LLONG_MAX; nano is never negative, so -1.5 is -2 and half
 * a NANO. Kubernetes keeps no smaller parts, either. Two numbers, for 32-bit machines have none of
 * 128 bits.
 */
typedef struct {
	long long whole;
	int nano;
} quantity;
#define NANO 1000000000
enum quantity_read { QUANTITY_OK, QUANTITY_WRONG, QUANTITY_TOO_LARGE };
enum quantity_read quantity_read(const char *text, quantity *result);
long long quantity_value(quantity q);         /* rounded up, as Value() of quantity.go */
long long quantity_milli(quantity q);         /* and as MilliValue(); it has to fit */
int quantity_compare(quantity a, quantity b); /* below, at or above 0, as a - b is */

/* ---- schema.c: the names of Kubernetes' fields ---- */

struct schema_field {
	char type[64]; /* of an object or of a list's items; "" for a scalar, a map and others */
	bool list;
};

bool schema_has_type(const char *type);
bool schema_field(const char *type, const char *name, struct schema_field *found);

/* ---- elsewhere.c: fields that Kubernetes has and this lab has not ---- */

struct elsewhere {
	const char *field; /* "PodSpec.hostAliases" */
	const char *words; /* what becomes of it in a cluster */
	bool missed;       /* a Pod that runs here is another one without it */
	const char *same;  /* unless this is its value: words as a rule's one_of */
};

/* NULL: it means something to the API server or to a controller only. */
const struct elsewhere *elsewhere(const char *field);

/* ---- fields.c: tables of fields, and what a text must look like ---- */

struct rule {
	const char *pattern; /* a regular expression; NULL: */
	const char *one_of;  /* words with '|' between two */
	const char *words;   /* what was expected */
	size_t longest;
	/* A compiled pattern costs more than the rest of a manifest, and most texts need none. Each
	 * one of surely's characters alone matches; none does with another than only's in it, or
	 * another than first's before it. */
	const char *surely, *only, *first;
	regex_t compiled; /* when it is first asked */
	bool ready;
};

enum field_type { TEXT, YES_NO, NUMBER, CPUS, BYTES, OBJECT, LIST, TEXTS, PAIRS };

struct field {
	const char *name;
	enum field_type type;
	size_t offset;             /* in the struct of the list's item it is in, or of the Pod */
	const struct shape *shape; /* OBJECT, LIST */
	struct rule *rule;         /* TEXT, and the keys of PAIRS */
	struct rule *value_rule;   /* PAIRS */
	long long min, max;        /* NUMBER */
	bool required;
	bool pointer; /* TEXT: to Kubernetes "" is not as if the field were not there */
};

struct shape {
	const char *item;        /* LIST: what one is called */
	size_t size;             /* LIST: of one */
	const char *type;        /* Kubernetes' name, by which schema.c knows all of its fields */
	size_t other;            /* where the name of one goes that is not below */
	struct field fields[15]; /* the one behind the last has no name */
};

bool rule_matches(struct rule *rule, const char *text);
extern struct rule null_rule, true_rule, false_rule, number_rule, integer_rule, default_rule,
	resource_rule;
extern const struct shape pod_document_fields, template_fields, map_document_fields;

/* ---- manifest.c makes these of YAML, and read.c reads them ---- */

enum node_type { NODE_NULL, NODE_BOOLEAN, NODE_NUMBER, NODE_STRING, NODE_LIST, NODE_OBJECT };
extern const char *const node_words[]; /* of each type */

struct node {
	enum node_type type;
	struct position at;
	const char *text; /* of a scalar, else NULL; and its bytes */
	size_t length;
	struct nodes {
		struct node **item;
		size_t count;
	} in;                     /* a list's items; an object's keys, each before its value */
	const char *anchor, *tag; /* YAML's; NULL: there is none */
	const char *wrong;        /* NULL: nothing */
	struct node *next;        /* of the document, in the order of the file */
};

/* ---- read.c: objects and values, by these tables ---- */

/* The Pod, or the list's item that is being read, and where the path to its fields begins. */
struct base {
	const struct shape *shape;
	size_t path;
	const void *of;
};

/* One document. */
struct reader {
	struct manifest *to;
	size_t values;
	char path[160]; /* spec.containers[].image */
	struct base base;
	struct pod *pod;
	const char *owner, *owner_kind; /* whose template is read */
};

bool is_pages(const char *resource); /* of hugetlbfs */
bool read_document(struct manifest *m, const struct node *root);

/* ---- manifest.c: from a file's bytes to struct pod, or to an error with its line ---- */

#define MANIFEST_MAX (1 << 20) /* bytes */
#define NOT_KNOWN "unknown field"

struct problem {
	struct position at;
	bool left_out; /* a field that is told, and that is left out when the Pod runs */
	char message[240];
};

/* One value that was read, for --explain: container.image, volume.emptyDir.medium. */
struct said {
	struct position at;
	const char *field;     /* also one that is not here, PodSpec.hostAliases, or NOT_KNOWN */
	const char *text;      /* of a scalar, else "" */
	const void *of;        /* the struct container_spec, volume ... that it belongs to */
	const struct pod *pod; /* NULL: a ConfigMap's */
};

struct manifest {
	struct pod *pods; /* all of the file, in their order */
	struct pod *last; /* of these */
	struct other {
		struct position at;
		const char *kind, *why;
	} other;                 /* the first document that is no Pod, if there is one */
	struct pod *pod;         /* the one that was asked for, or the first */
	struct config_map *maps; /* the last one first */
	struct problem error;    /* of which there is none while its line is 0 */
	struct {
		struct problem *item;
		size_t count;
	} warnings;
	struct {
		struct said *item;
		size_t count;
	} said;
	bool lenient;         /* a field that Kubernetes has not is no error: --validate=warn */
	struct block *blocks; /* all that the above points to */
};

/*
 * Reads the manifest that data is; name is the Pod's that is asked for, NULL for the first one.
 * False when m->error says what is wrong. Either way manifest_free() gives back what m holds.
 */
bool manifest_read(
	struct manifest *m, const char *data, size_t size, const char *name, bool lenient);
void manifest_free(struct manifest *m);

/* ---- problems.c ---- */

/*
 * An error, of which the first one counts: each walk ends there, and what else is found until then
 * is of no use to anybody. Always false. And a warning.
 */
__attribute__((format(printf, 3, 4))) bool manifest_wrong(
	struct manifest *m, struct position at, const char *fmt, ...);
__attribute__((format(printf, 3, 4))) void manifest_warn(
	struct manifest *m, struct position at, const char *fmt, ...);
__attribute__((format(printf, 3, 4))) void manifest_leave_out(
	struct manifest *m, struct position at, const char *fmt, ...);
bool manifest_good(const struct manifest *m); /* there is no error */
int by_place(const void *a, const void *b);   /* of two struct position, for qsort(3) */
/* Memory that manifest_free() gives back. */
void *manifest_alloc(struct manifest *m, size_t size);
const char *manifest_keep(struct manifest *m, const char *string);

/* One more at the end of a list, which is its items and their number: each bytes, zeroed. */
void *manifest_add(struct manifest *m, void *list, size_t each);

/* ---- check.c: what follows of the whole Pod, when all documents are read ---- */

bool check_pod(struct manifest *m, struct pod *pod);

/* Finds the folders of the images by --image's NAME=DIR; false with what this lab cannot run. */
bool is_busybox(const char *image);
bool can_run_here(struct manifest *m, const char *const *images);

/* ---- resources.c ---- */

enum resource { CPU, MEMORY };
const struct value *amount(const struct resources *of, enum resource which);
struct value aggregate(const struct pod *pod, bool limits, enum resource which);
void resources_default(struct pod *pod);

enum qos { GUARANTEED, BURSTABLE, BEST_EFFORT };
extern const char *const qos_names[];
enum qos pod_qos(const struct pod *pod);
int oom_score_adj(const struct pod *pod, const struct container_spec *c, long long capacity);

struct group_values {
	long long shares;         /* what the kubelet says */
	int weight, weight_newer; /* cpu.weight, as runtimes make it of the shares; 0: no runtime
				     does */
	long long quota;          /* cpu.max, of each 100000 us; 0 is "max" */
	long long memory;         /* memory.max; 0 is "max" */
};

struct group_values container_values(const struct pod *pod, const struct container_spec *c);
struct group_values pod_values(const struct pod *pod);
long long pod_amount(const struct pod *pod, bool limits, enum resource which);
long long volume_size(const struct pod *pod, const struct volume *v);
char *pod_group(const struct pod *pod, const char *uid); /* allocated */

/* ---- effects.c and explain.c ---- */

#define NOTHING "nothing: Kubernetes only"

/* What a field becomes. Allocated; NULL for a line that only holds others. */
char *effect_of(const struct said *said);
char *weight_text(struct group_values v);
char *max_text(struct group_values v);
char *memory_text(struct group_values v);
char *score_text(const struct pod *pod, const struct container_spec *c);

/* one: the only Pod to be explained; NULL for all. */
void explain_manifest(
	struct manifest *m, const char *data, size_t size, const struct pod *one, long long pids);

/* ---- The Pod's life ---- */

/* One container of the Pod, and what has become of it. */
struct pod_container {
	const struct container_spec *spec;
	char *group; /* the folder of its group; NULL while it has none */
	pid_t pid;   /* 0: it does not run */
	int pidfd;
	int restarts;
	int status;         /* of its last end: its own, or 128 + signal */
	const char *reason; /* of its last end, as kubectl shows it; NULL: it has not ended */
	long long due;      /* when it is to be started, clock_ms(); -1: not again */
};

struct sandbox {
	const struct pod *pod;
	char uid[37];
	char *folder; /* the folder of its volumes, hosts and shm, of this lab's mount table */
	char *group, *pause_group;
	long long pids;     /* podPidsLimit of the kubelet; 0: none */
	long long restarts; /* of an init container at most */
	pid_t pause;
	int pauses; /* how many there have been */
	int pidfd, channel;
	char address[16];
	struct pod_container *containers; /* and the sidecars behind them; no init containers */
	size_t count, regular;            /* all of these, and without the sidecars */
};

/* The story has shown such a life: what follows is not shown once more. */
extern bool life_told;

/* sandbox.c */
bool sandbox_start(struct sandbox *s); /* false when pause has not come up */
bool expect_of_manifest(const char *what, const char *expected, const char *found);
bool pause_start(struct sandbox *s);
char *scope_make(const char *group); /* a new group for a container in it; allocated */
void group_write(const char *group, struct group_values v);
pid_t container_join(
	const struct sandbox *s, const struct container_spec *c, const char *group, char **words);

/* volumes.c */
char *volume_wrong(const struct volume *v); /* allocated: why it is not to be had, or NULL */
void volumes_make(struct sandbox *s);
void hosts_write(const struct sandbox *s); /* /etc/hosts of its containers */

/* config.c */
extern bool logs; /* what containers write goes to our stdout; else nowhere */
char **command_of_spec(const struct container_spec *c);
char *image_of(const struct container_spec *c); /* its folder, allocated; NULL with errno */
struct container container_of(const struct sandbox *s, const struct container_spec *c);

/* kubelet.c; it has a hundredth of Kubernetes' times */
enum { SECOND_MS = 10 };
void pod_container_start(struct sandbox *s, struct pod_container *r, char **words);
bool init_containers(struct sandbox *s);
const char *restart_words(const struct pod_container *r); /* of one that is to be */
void kubelet(struct sandbox *s, bool (*enough)(const struct sandbox *), long long ms);

/* ---- look.c ---- */

char *namespaces_of_both(pid_t one, pid_t other);
char *class_slice_of(pid_t pid);
int do_in(pid_t pid, int namespaces, int (*does)(void *), void *with);
const char *address_in(pid_t pid);
int run_in(const struct pod_container *r, char *command[], char **said);

/* ---- Manifests of the stories, and what runs them; in look.c ---- */

#define POD(name, namespace, spec) \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: " name \
	", namespace: " namespace "}\nspec:\n" spec
#define TWO(first, second) \
	"  containers:\n" \
	"  - {name: one, image: busybox, command: [" first \
	"], volumeMounts: [{name: data, mountPath: /data}]}\n" \
	"  - {name: two, image: busybox, command: [" second \
	"], volumeMounts: [{name: data, mountPath: /data}],\n" \
	"     env: [{name: PASSWORD, value: hidden}]}\n" \
	"  volumes: [{name: data, emptyDir: {}}]\n"
#define SLEEP "sleep, '1000'"

/* Runs the Pod of a manifest, with at most so many tasks; 0: no limit. */
struct sandbox *run_pod(const char *yaml, long long pids);
