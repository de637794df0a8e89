/*
 * container.h: what the files of this lab offer each other, and lab 17: a container as it was asked
 * for, and once it runs, what it is.
 *
 *   options.c  docker run's options: one table of how each is read and what it becomes
 *   values.c   what an option's value may be
 *   life.c     the calls of a container's life, in their order: begin here
 *   root.c     what is mounted in its root, and how no link leads out of it
 *   privileges.c   capabilities and the seccomp filter
 *   devices.c  the program that decides which devices may be opened
 *   network.c  the bridge, and the cable to it
 *   terminal.c a terminal of its own, and signals
 *   init.c     a PID 1 that reaps, for --init
 *   program.c  what a container must not get of the program that makes it
 *   running.c  ps, inspect, stats, exec and kill, from the kernel's own files
 */
#pragma once

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "story/lab.h"

/* ---- What a container is to be ---- */

/* A folder or file of the host that is seen at another place in the container. */
struct bind_mount {
	const char *source, *target; /* both absolute */
	bool read_only, recursive;   /* the second: what is mounted below it as well */
};

struct root {
	const char *name;  /* of the overlay, in the first column of its mount table */
	const char *image; /* the folder below: never written to */
	const char *keep;  /* where upper and work are; NULL: in a tmpfs that goes with it */
	bool read_only;
	bool unmasked; /* privileged: nothing is hidden, and /proc/sys and /sys can be written */
	const struct bind_mount *volumes;
	int volume_count;
	const struct lab_texts *tmpfs; /* "/run" or "/run:size=64m" */
	bool user_namespace;           /* we are no root outside: no node can be made */
};

#define CAP(name) (1ULL << CAP_##name)

/* What Docker and Podman's predecessors leave to root: enough to install packages, and not more. */
static const uint64_t default_capabilities =
	CAP(CHOWN) | CAP(DAC_OVERRIDE) | CAP(FOWNER) | CAP(FSETID) | CAP(KILL) | CAP(SETGID) |
	CAP(SETUID) | CAP(SETPCAP) | CAP(NET_BIND_SERVICE) | CAP(NET_RAW) | CAP(SYS_CHROOT) |
	CAP(MKNOD) | CAP(AUDIT_WRITE) | CAP(SETFCAP);

struct privileges {
	uid_t user;
	gid_t group;
	uint64_t capabilities; /* of root; whoever else it is has none, but may not gain others */
	bool new_privs;        /* leave no_new_privs alone: allowPrivilegeEscalation */
	bool unconfined;       /* no filter */
};

struct container {
	char id[65]; /* 64 hex digits */
	const char *name, *hostname;
	struct root root;
	struct privileges privileges;
	const char *workdir;
	char **environment, **command;
	long long memory, cpus, pids; /* bytes, thousandths, tasks; 0: no limit */
	bool bridge, tty, init, grouped;
	bool silent; /* what COMMAND writes goes nowhere */
	int output;  /* where its stderr goes; 0: where ours goes */
	bool quiet;  /* the story has shown such a life before */
	int number;  /* of its address; 0: the next one that is free */
	/* Once it runs: */
	char *group; /* the folder of its group; NULL without one */
	pid_t pid;
	int pidfd, channel, terminal; /* the last: the pty's master, or -1 */
	char address[16];
};

/* ---- options.c ---- */

/* The options as they were typed. */
extern struct asked {
	struct container container; /* what needs no second look */
	const char *ip, *user, *rootfs, *keep, *network, *cgroups, *signal;
	struct lab_texts volumes, tmpfs, env, cap_add, cap_drop;
	bool interactive, explain;
	const char *verb, *target;
} asked;
extern const struct lab_option container_operands[];
const struct lab_option *container_options(void);

struct container container_asked(void);   /* ends with status 2 when it cannot be one */
void container_name(struct container *c); /* its id, and what follows of it */
void random_id(char id[65]);              /* 64 hex digits; getrandom(2) */
int explain_container(const struct container *c);

/* PATH, HOSTNAME and HOME, with room for count variables more behind these three. Allocated. */
char **environment_new(const char *hostname, uid_t user, size_t count);

enum { CPU_PERIOD = 100000, LIMITS = 4 }; /* microseconds, as Docker has it */
extern const struct limit {
	const char *option, *file;
	char *(*value)(const struct container *c); /* allocated; NULL: no limit */
} container_limits[LIMITS];

/* ---- values.c ---- */

const char *wrong_name(const char *value);
const char *wrong_ip(const char *value);
const char *wrong_user(const char *value);
const char *wrong_capability(const char *value);
const char *wrong_env(const char *value);
const char *wrong_workdir(const char *value);
const char *wrong_tmpfs(const char *value);
const char *wrong_volume(const char *value);

/* "1000" or "1000:100": both at most 65535, whatever is mapped. */
bool user_parse(const char *value, uid_t *user, gid_t *group);

/*
 * "SRC:DST[:ro]" in its three parts; SRC as it is without links, allocated, NULL when it is not
 * there.
 */
bool volume_parse(const char *value, struct bind_mount *volume);

/* ---- life.c ---- */

int clone3(struct clone_args *args);
int pivot_root(const char *new_root, const char *put_old);

/* The namespaces that a container must not be in: those of the host, read before anything is done.
 */
enum { MNT, UTS, IPC, NET, CGROUP, USER, NS_COUNT };
extern const char *const ns_names[NS_COUNT];
extern ino_t host_ns[NS_COUNT];
void read_host_namespaces(void);
/* "none", or the first of them (1 << MNT | ...) in which we still are where the host is. */
const char *shared_with_host(unsigned which);

void root_enter(const struct root *r); /* and goes into it */
void pivot_to_cwd(bool read_only);     /* the working directory */
void drop_privileges(const struct privileges *p);
_Noreturn void command_exec(const struct container *c);

void container_start(struct container *c);
void container_await_exec(const struct container *c); /* waits until it is COMMAND */
_Noreturn void container_run(struct container *c);

/* ---- root.c ---- */

const char *staging_folder(const struct root *r);
int make_read_only(int dirfd, const char *path, unsigned int flags);
int copy_tree(const char *path, unsigned int flags);
int open_in_root(int root, const char *path, uint64_t flags);
char *escaped(const char *path);
void make_layer(const char *path);
void root_masks(const struct root *r);
void root_dev(const struct root *r);
void root_volumes(int root, const struct root *r);
void mount_staged(int root, const char *name);
bool cwd_is_inside(void);
void enter_workdir(const char *path);
extern const char not_reserved[];
bool is_reserved(const char *path);

/* ---- privileges.c ---- */

bool capability_parse(const char *name, uint64_t *set);
/* The set of at most count names; a NULL among them ends the list. */
uint64_t capabilities_named(const char *const *names, size_t count);
char *capability_name(int capability);
/* The seccomp filter: the list of filter.gen.c and what the capabilities add to it. */
const struct sock_fprog *filter_of(const struct privileges *p);

/* ---- devices.c ---- */

void allow_devices(int group);

/* ---- network.c ---- */

#define NETWORK "172.17" /* Docker's: 172.17.0.0/16 */
char *network_address(int number);
int network_number(const char *address);
extern const char no_ipv6[];
void network_ipv4_only(void);
int network_host(const char *groups);
int network_plug(pid_t pid, int wanted, int running);
void network_up(const char *address);

/* ---- terminal.c ---- */

void terminal_open(int channel);
void terminal_take(struct container *c);
int signals_catch(void);
void container_supervise(struct container *c, int signals, pid_t parent);

/* ---- init.c ---- */

extern const char init_path[];
_Noreturn void init_main(char **words);
char **init_command(char **command);

/* ---- program.c ---- */

void program_protect(char *argv[]);
void program_expect_protected(void);
void refuse_folder_stdio(void);
int close_descriptors(int channel);

/* ---- running.c ---- */

struct running {
	pid_t pid; /* of its first process, outside */
	char name[64], id[65];
	char *group; /* the folder of its group; NULL when that is nobody's but ours */
};
bool running_by_root(pid_t pid, struct running *seen);
int inspect(const struct running *seen);
long long memory_used(const char *group);
int send_signal(const struct running *seen);
int run_verb(const struct lab *lab, int argc, char *argv[]);

/* ---- trial.c: namespaces and a group, each without the other; for main.c ---- */

struct trial {
	const char *name;
	bool namespaces, group;
	const char *sees, *gets; /* in the end */
};
void run_trial(struct trial *t, long long limit); /* in bytes */
void expect_trial(struct trial *t, const char *sees, const char *gets);

/* ---- acts.c: what root does on the host and in a container; for more.c ---- */

enum { ACTS = 20 };
extern const struct act {
	const char *name;
	int (*does)(void);
	int outside, inside; /* errno numbers that are expected */
	const char *refused_by;
	bool locked; /* what a kernel that is locked down refuses everybody */
} acts[ACTS];
extern const char *marker, *outsider; /* a file and a process of the host's */
int do_acts(void);                    /* "NAME<TAB>ERRNO" on stderr, a line each */
