/*
 * machine.h: what this machine is, as its files tell it.
 *
 * Everything is read as text below a root folder that is given ("/" for this
 * machine), so that a recorded tree can stand for a machine that is not at
 * hand. Nothing here tries anything out (probe.h does), writes, or fails: a
 * fact that cannot be read has the value that its comment calls unknown.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

#if defined(__aarch64__)
#define MACHINE_QEMU "qemu-system-aarch64"
#else
#define MACHINE_QEMU "qemu-system-x86_64"
#endif

enum machine_cgroup {
	MACHINE_CGROUP_NONE,   /* neither version is in use */
	MACHINE_CGROUP_V1,     /* no cgroup2 mount */
	MACHINE_CGROUP_HYBRID, /* cgroup2 is mounted, but controllers are bound to v1 */
	MACHINE_CGROUP_V2,     /* cgroup2 is mounted, no controller is bound to v1 */
};

/* A path that is too long to be kept is unknown, as if it were not there. */
struct machine {
	/* Why a file that is there could not be read, so that what it tells is unknown too: EIO,
	 * EMFILE, ENFILE or ENOMEM, open(2), read(2); 0 all were */
	int error;

	/* /proc/sys/kernel/osrelease, proc(5); "" and 0 unknown */
	char release[128];
	int kernel_major, kernel_minor;
	int wsl; /* 1 or 2: Windows' subsystem of that version; 0 no */

	/* /proc/self/status and uid_map, proc_pid_status(5), user_namespaces(7) */
	long long uid;   /* effective; -1 unknown */
	bool first_user; /* in the first user namespace: all ids are mapped to themselves */
	bool sys_admin;  /* CAP_SYS_ADMIN is in the effective set: power over our user namespace */
	bool root;       /* all of that: uid 0 with power over the machine */
	int seccomp;     /* 0 off, 1 strict, 2 filter; -1 unknown */
	int cpus;        /* CPUs we may run on; 0 unknown */

	long long page_size;     /* bytes, KernelPageSize of /proc/self/smaps; 0 unknown */
	long long mem_available; /* bytes, MemAvailable of /proc/meminfo; -1 unknown */
	bool swap;               /* /proc/swaps names an area, swapon(8) */

	/* /proc/self/mountinfo and /proc/self/cgroup, cgroups(7) */
	enum machine_cgroup cgroup;
	char v1[256];                /* controllers bound to v1: "memory pids" */
	char disabled[128];          /* cgroup_disable= of the boot parameters: "memory" */
	char unified_off[64];        /* the boot parameter that tells systemd to use v1; "" none */
	char cgroup_mount[PATH_MAX]; /* where the cgroup2 mount is; "" none */
	bool cgroup_read_only;       /* that mount is read-only */
	char all[256];               /* cgroup.controllers of the machine's root group; "" unseen */
	char group[PATH_MAX];  /* our group's folder below the root folder; "" not to be found */
	bool group_root;       /* it is the machine's root group: never to be written to */
	bool group_ours;       /* groups may be made in it, and nobody else manages it */
	int group_others;      /* processes in it that are neither we nor an ancestor of our user */
	char controllers[256]; /* its cgroup.controllers */
	char subtree[256];     /* its cgroup.subtree_control */
	char user_manager[256]; /* what systemd delegates to our user: "memory pids" */
	bool user_manager_runs;

	/* user namespaces: -1 where the kernel has no such switch */
	int userns_clone;     /* kernel.unprivileged_userns_clone (Debian's) */
	int userns_apparmor;  /* kernel.apparmor_restrict_unprivileged_userns (Ubuntu's) */
	long long userns_max; /* user.max_user_namespaces, namespaces(7) */
	long long ns_max[8];  /* of the others, in the order of machine_ns_names */

	char container[16]; /* "docker", "podman", "other"; "" none */
	int proc_masked;    /* mounts that cover parts of /proc, mount_namespaces(7) */
	bool systemd;       /* systemd is the init here, sd_booted(3) */
	bool in_vm;         /* this is the lab VM: /etc/unboxed-vm */
	bool modules;       /* the running kernel's folder in /lib/modules is there */
	char block[32];     /* a scratch block device (the lab VM's); "" none */

	/* what the lab VM needs */
	bool kvm, kvm_usable; /* /dev/kvm is there; we may open it for writing */
	char accel[8];        /* the cached verdict of a real boot: "kvm", "tcg"; "" none yet */
	char qemu[PATH_MAX];  /* "" not installed */
	char lab_kernel[PATH_MAX]; /* the folder; "" none */
};

/*
 * Reads all of it below root. The cache folders are those of XDG_CACHE_HOME and
 * HOME, as the environment has them, and /var/cache; they too are below root.
 */
void machine_read(struct machine *m, const char *root);

/* The same of this machine; that a file of it could not be read stops the lab as broken. */
void machine_here(struct machine *machine);

/*
 * Is the module loaded, built in or listed as loadable below root, lsmod(8) and
 * modules.dep(5)? False also where the kernel has it and no file tells so.
 */
bool machine_module(const struct machine *m, const char *root, const char *name);

/* How many namespaces of that kind may be made, user.max_NAME_namespaces; -1 unknown. */
extern const char *const machine_ns_names[8]; /* "mnt" "uts" ..., NULL at the end */
long long machine_ns_max(const struct machine *m, const char *name);

/* Is word one of the words of list, which spaces part? */
bool machine_has(const char *list, const char *word);

/* What stands between us and a cgroup v2 controller in groups of our own. */
enum machine_controller {
	MACHINE_CONTROLLER_READY,     /* stands in subtree_control of our group: mkdir is all */
	MACHINE_CONTROLLER_LEAF,      /* the same once our own processes are in a leaf group */
	MACHINE_CONTROLLER_NO_MOUNT,  /* no cgroup2 mount */
	MACHINE_CONTROLLER_V1,        /* bound to v1 */
	MACHINE_CONTROLLER_DISABLED,  /* switched off by a boot parameter */
	MACHINE_CONTROLLER_NONE,      /* this kernel has no such controller */
	MACHINE_CONTROLLER_NO_GROUP,  /* our group is not below the mount */
	MACHINE_CONTROLLER_READ_ONLY, /* the mount is read-only */
	MACHINE_CONTROLLER_NOT_OURS,  /* our group is somebody else's: no delegation */
	MACHINE_CONTROLLER_NOT_GIVEN, /* not in cgroup.controllers of our group */
	MACHINE_CONTROLLER_ROOT_OFF,  /* our group is the root group, and that has not enabled it */
	MACHINE_CONTROLLER_BUSY,      /* processes that are not ours to move sit in our group */
};

/*
 * The one rule for groups, of probe.c and cg.c alike: a controller is to be had
 * when it stands in cgroup.controllers of our group, that group is ours, and it
 * either stands in cgroup.subtree_control already or can be written there: not in
 * the root group, and only after all processes of the group, which must be our
 * own, went into a leaf (the "no internal processes" rule of cgroups(7)).
 */
enum machine_controller machine_controller(const struct machine *m, const char *name);
