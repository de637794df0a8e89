/*
 * container.h: what the files of this lab offer each other, and lab 17: a container as it was asked
 * for, and once it runs, what it is.
 *
 *   line.c     docker run's command line: an image, COMMAND without "--", options that nobody has
 *   options.c  docker run's options: one table of how each is read and what it becomes
 *   explain.c  what --explain prints of them
 *   asked.c    what the options mean together
 *   values.c   what an option's value may be
 *   limits.c   the files of the group
 *   settings.c what an option changes in the container's first process
 *   host.c     the host's namespaces, which a container must not be in
 *   life.c     the calls of a container's life, in their order: begin here
 *   reserved.c which paths of a container are the kernel's
 *   root.c     what is mounted in its root, and how no link leads out of it
 *   privileges.c   capabilities and the seccomp filter
 *   devices.c  the program that decides which devices may be opened
 *   network.c  the bridge, and the cable to it
 *   terminal.c a terminal of its own, and signals
 *   init.c     a PID 1 that reaps, for --init
 *   program.c  what a container must not get of the program that makes it
 *   detach.c   --detach: the waiting process goes on in the background
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
	const struct lab_texts *tmpfs; /* as tmpfs_parse() reads them */
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
	const char *workdir, *home;
	char **environment, **command;
	/* 0: no limit. Bytes, but of swap -1: all there is; billionths of a CPU; tasks */
	long long memory, swap, reservation, cpus, pids;
	long long cpu_shares, cpu_quota, cpu_period; /* microseconds; a quota of -1: no limit */
	const char *cpuset, *oom_score_adj;
	const struct lab_texts *ulimits;
	int joined;   /* CLONE_NEWNET...: the host's namespaces that it joins */
	int withheld; /* CLONE_NEWPID: it is born in the host's */
	int host;     /* a pidfd of a process in the host's namespaces */
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

/*
 * The one table: a row for each option of docker run, and for a few of our own. It says how the
 * option is read and what it becomes, or of an option that is not run here what it is.
 */
struct row {
	struct lab_option option;                   /* without a value: not run here */
	void (*explain)(const struct container *c); /* NULL: a limit, or no part of a container */
	const char *words; /* what docker does for it, and why that is not here */
};
extern const struct row option_rows[];
extern const struct lab_option container_operands[];
const struct lab_option *container_options(void);

/* ---- line.c ---- */

/* Puts argv into the order of every lab's command line: option.h. */
char **container_line(int argc, char *argv[]);
void explain_others(void); /* the options that are not run here */

/* ---- asked.c ---- */

/* The options as they were typed. */
extern struct asked {
	struct container container; /* what needs no second look */
	const char *memory_swap, *cpus, *pids, *cpu_quota, *ip, *user, *rootfs, *keep, *network,
		*cgroups, *pid, *ipc, *uts, *signal;
	struct lab_texts volumes, tmpfs, env, cap_add, cap_drop, ulimits, security, images;
	bool interactive, explain, privileged, detach, rm;
	const char *verb, *target;
	char **words; /* all that was typed, as container_line() has it */
} asked;

struct container container_asked(void);   /* ends with status 2 when it cannot be one */
void container_name(struct container *c); /* its id, and what follows of it */
void random_id(char id[65]);              /* 64 hex digits; getrandom(2) */
/* What was typed last for an option that is run here; NULL: nothing. */
const char *typed_for(const char *option);
/* Whether --security-opt has this word. */
bool security_has(const char *word);

/* PATH, HOSTNAME and HOME, with room for count variables more behind these three. Allocated. */
char **environment_new(const char *hostname, uid_t user, size_t count);
/* One more, or the last of its name, which takes the place of the one before. */
void environment_set(char **list, const char *name, char *pair);

/* ---- limits.c ---- */

/* Microseconds, as Docker has it, and how many billionths of a CPU one of them is. */
enum { CPU_PERIOD = 100000, CPU_PART = 1000000000 / CPU_PERIOD, LIMITS = 10 };
extern const struct limit {
	const char *option, *file;
	char *(*value)(const struct container *c); /* allocated; NULL: no limit */
	char *(*newer)(const struct container *c); /* what newer runtimes write; NULL: the same */
} container_limits[LIMITS];

/* ---- explain.c ---- */

void explain_container(const struct container *c, const struct row *rows);
void explain_bridge(const struct container *c);
void explain_pid(const struct container *c);
void explain_ipc(const struct container *c);
void explain_uts(const struct container *c);
void explain_cgroups(const struct container *c);
void explain_name(const struct container *c);
void explain_hostname(const struct container *c);
void explain_ip(const struct container *c);
void explain_rootfs(const struct container *c);
void explain_keep(const struct container *c);
void explain_volumes(const struct container *c);
void explain_init(const struct container *c);
void explain_tmpfs(const struct container *c);
void explain_read_only(const struct container *c);
void explain_workdir(const struct container *c);
void explain_tty(const struct container *c);
void explain_interactive(const struct container *c);
void explain_detach(const struct container *c);
void explain_rm(const struct container *c);
void explain_privileged(const struct container *c);
void explain_ulimit(const struct container *c);
void explain_oom_score_adj(const struct container *c);
void explain_cap_drop(const struct container *c);
void explain_user(const struct container *c);
void explain_cap_add(const struct container *c);
void explain_security(const struct container *c);
void explain_env(const struct container *c);
__attribute__((format(printf, 3, 4))) void becomes(
	const char *option, const char *value, const char *fmt, ...);

/* ---- values.c ---- */

const char *wrong_name(const char *value);
const char *wrong_ip(const char *value);
const char *wrong_user(const char *value);
const char *wrong_capability(const char *value);
const char *wrong_env(const char *value);
const char *wrong_workdir(const char *value);
const char *wrong_tmpfs(const char *value);
const char *wrong_volume(const char *value);
const char *wrong_image_folder(const char *value);
const char *wrong_cpus(const char *value);
const char *wrong_pids(const char *value);
const char *wrong_swap(const char *value);
const char *wrong_quota(const char *value);
const char *wrong_cpuset(const char *value);
const char *wrong_score(const char *value);
const char *wrong_ulimit(const char *value);
const char *wrong_security(const char *value);

enum { ID_MAX = INT32_MAX }; /* of --user: maxID in moby/sys/user */
/* A whole number from low to high. */
bool number_parse(const char *value, long long low, long long high, long long *number);
/* "1.5" and ".5": billionths. */
bool cpus_parse(const char *value, long long *billionths);
/* Bytes; "-1" is -1. */
bool swap_parse(const char *value, long long *bytes);

/* "nofile=1024:2048"; RLIMIT_NOFILE, and for --explain its name. */
struct ulimit {
	int resource;
	const char *name;
	long long soft, hard; /* -1: none */
};
bool ulimit_parse(const char *value, struct ulimit *limit);

/*
 * "PATH" or "PATH:OPTION,...": the words that are flags of mount(2), and the rest as tmpfs(5) reads
 * it, which is allocated.
 */
struct tmpfs {
	const char *target;
	char *data;                /* NULL: nothing */
	unsigned long flags;       /* MS_NOSUID | ... */
	unsigned long propagation; /* MS_SHARED...: a second mount(2); 0: it stays private */
};
bool tmpfs_parse(const char *value, struct tmpfs *t);
char *mount_flags_text(unsigned long flags); /* as strace(1) has them; allocated */

/*
 * "SRC:DST[:ro]" in its three parts; SRC as it is without links, allocated, NULL when it is not
 * there.
 */
bool volume_parse(const char *value, struct bind_mount *volume);

/* ---- settings.c ---- */

/* "NAME[:GROUP]", by the passwd(5) and group(5) of a root's folder. False: none of that name. */
bool user_find(const char *root, const char *value, struct container *c);
void image_hint(const struct container *c);
void host_open(struct container *c);
void host_join(const struct container *c);
void settings_apply(const struct container *c);

/* ---- detach.c ---- */

void detach(void);
bool is_detached(void); /* whether this is the second process */
/* Tells the process in the foreground that COMMAND runs, or why it does not. */
void detach_report(const struct container *c);

/* ---- host.c ---- */

/* The namespaces that a container must not be in: those of the host, read before anything is done.
 */
enum { MNT, UTS, IPC, NET, CGROUP, USER, NS_COUNT };
extern const char *const ns_names[NS_COUNT];
extern ino_t host_ns[NS_COUNT];
void read_host_namespaces(void);
/* "none", or the first of them (1 << MNT | ...) in which we still are where the host is. */
const char *shared_with_host(unsigned which);

/* ---- life.c ---- */

int clone3(struct clone_args *args);
int pivot_root(const char *new_root, const char *put_old);

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
__attribute__((sentinel)) char *joined(const char *first, ...);
char *escaped(const char *path);
void make_layer(const char *path);
void root_masks(const struct root *r);
void root_dev(const struct root *r);
void root_volumes(int root, const struct root *r);
void mount_staged(int root, const char *name);
bool cwd_is_inside(void);
void enter_workdir(const char *path);

/* ---- reserved.c ---- */

/* Whether path, which may be NULL, is folder or something below it. */
bool below(const char *path, const char *folder);
bool may_be_covered(const char *path);
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
void network_begin(const struct container *c);
void network_finish(const struct container *c, const char *address);
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

/* Returns a descriptor of the program, or of the folder, at path on a read-only mount of its own;
 * -1 and errno. */
int program_copy(const char *path);
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
