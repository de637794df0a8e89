/*
 * root.h: what a container finds below /. An overlay on its image, fresh /proc,
 * /sys and /dev, its volumes, and masks on what the kernel has no namespace for.
 * All of it lies in a mount table of its own and is gone with that. Labs 02 and 14;
 * mount(2), pivot_root(2), overlayfs.rst in the kernel's documentation
 */
#pragma once

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "file.h"
#include "lab.h"
#include "ns.h"
#include "proc.h"
#include "sys.h"

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

/* The C library has mount_setattr(2) and its struct since glibc 2.36. */
#ifndef MOUNT_ATTR_RDONLY
#define MOUNT_ATTR_RDONLY 0x00000001
#endif
static inline int make_read_only(int dirfd, const char *path, unsigned int flags)
{
	struct {
		uint64_t attr_set, attr_clr, propagation, userns_fd;
	} attr = {.attr_set = MOUNT_ATTR_RDONLY};
	return (int)syscall(SYS_mount_setattr, dirfd, path, flags, &attr, sizeof attr);
}

static inline int pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

/* ---- A place to build it: a tmpfs over a folder that none of the sources is below ---- */

static inline bool below(const char *path, const char *folder)
{
	size_t length = strlen(folder);
	return path && !strncmp(path, folder, length) && (!path[length] || path[length] == '/');
}

static const char *root_place(const struct root *r)
{
	static const char *const folders[] = {"/mnt", "/tmp", "/run", "/srv", "/media"};
	enum { FOLDERS = sizeof folders / sizeof *folders };
	struct stat st;
	for (int i = 0; i < FOLDERS; i++) {
		bool taken = below(r->image, folders[i]) || below(r->keep, folders[i]);
		for (int v = 0; v < r->volume_count; v++)
			taken |= below(r->volumes[v].source, folders[i]);
		if (!taken && !stat(folders[i], &st) && S_ISDIR(st.st_mode))
			return folders[i];
	}
	errno = 0;
	die("no folder for a tmpfs: the image and the volumes lie below each of them");
}

/* A link of the image's would lead to the host, as long as that is our root: there is no way by
 * one. */
static inline void make_folder(const char *path)
{
	struct stat st;
	if (!lstat(path, &st))
		errno = 0;
	else if (errno == ENOENT && !mkdir(path, 0755))
		return;
	else
		die("lstat, mkdir %s", path);
	if (!S_ISDIR(st.st_mode))
		die("%s in the image is no folder: nothing is mounted there", path);
}

/* There, or made. */
static inline void make_file(const char *path)
{
	struct stat st;
	if (lstat(path, &st)) {
		close(MUST(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)));
		return;
	}
	errno = 0;
	if (!S_ISREG(st.st_mode))
		die("%s in the image is no file: none is mounted there", path);
}

/* mkdir -p, below the folder that we are in. */
static inline void make_folders(const char *path)
{
	autofree char *copy = text("%s", path);
	for (char *slash = copy; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		if (*copy)
			make_folder(copy);
	}
	make_folder(copy);
}

/* ---- The overlay: lab 14 ---- */

static inline void root_overlay(const struct root *r)
{
	const char *place = root_place(r), *layers = r->keep ? r->keep : ".";
	MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	MUST(mount("tmpfs", place, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755"));
	if (chdir(place) || mkdir("root", 0755))
		die("chdir, mkdir %s/root", place);
	autofree char *upper = text("%s/upper", layers), *work = text("%s/work", layers);
	if ((mkdir(upper, 0755) || mkdir(work, 0755)) && !(r->keep && errno == EEXIST))
		die("mkdir %s, %s", upper, work);
	autofree char *options = text("lowerdir=%s,upperdir=%s,workdir=%s%s", r->image, upper, work,
		r->user_namespace ? ",userxattr" : "");
	SYS(mount(r->name, "root", "overlay", 0, options));
	if (chdir("root"))
		die("chdir %s/root", place);
}

/* ---- /proc, /sys, and a /dev of a few nodes ---- */

static inline void root_dev(const struct root *r)
{
	static const struct {
		const char *path, *host;
		unsigned major, minor;
	} nodes[] = {{"dev/null", "/dev/null", 1, 3}, {"dev/zero", "/dev/zero", 1, 5},
		{"dev/full", "/dev/full", 1, 7}, {"dev/random", "/dev/random", 1, 8},
		{"dev/urandom", "/dev/urandom", 1, 9}, {"dev/tty", "/dev/tty", 5, 0}};
	static const char *const links[][2] = {{"/proc/self/fd", "dev/fd"},
		{"/proc/self/fd/0", "dev/stdin"}, {"/proc/self/fd/1", "dev/stdout"},
		{"/proc/self/fd/2", "dev/stderr"}, {"pts/ptmx", "dev/ptmx"}};
	make_folder("dev");
	MUST(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"));
	for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
		if (!r->user_namespace) {
			MUST(mknod(nodes[i].path, S_IFCHR | 0666,
				makedev(nodes[i].major, nodes[i].minor)));
			continue;
		}
		close(open(nodes[i].path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
		MUST(mount(nodes[i].host, nodes[i].path, NULL, MS_BIND, NULL));
	}
	for (size_t i = 0; i < sizeof links / sizeof *links; i++)
		if (symlink(links[i][0], links[i][1]))
			die("symlink %s", links[i][1]);
	if (mkdir("dev/pts", 0755) || mkdir("dev/shm", 0755) || mkdir("dev/mqueue", 0755))
		die("mkdir dev/pts");
	MUST(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		r->user_namespace ? "newinstance,ptmxmode=0666,mode=0620"
				  : "newinstance,ptmxmode=0666,mode=0620,gid=5"));
	MUST(mount("shm", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		"mode=1777,size=65536k"));
	MUST(mount("mqueue", "dev/mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
}

static inline void root_proc_and_sys(void)
{
	make_folder("proc");
	make_folder("sys");
	MUST(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
	MUST(mount("sysfs", "sys", "sysfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
	/* Of the cgroup namespace, so that its top is the container's own group: lab 07. */
	if (!access("sys/fs/cgroup", F_OK))
		MUST(mount("cgroup", "sys/fs/cgroup", "cgroup2",
			MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
}

static inline void root_writable_sys(void)
{
	unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	if (!access("sys/fs/cgroup/cgroup.procs", F_OK))
		MUST(mount(NULL, "sys/fs/cgroup", NULL, MS_REMOUNT | MS_BIND | flags, NULL));
	/* Not MS_BIND: the file system of a network namespace is one for all its mounts. */
	MUST(mount(NULL, "sys", NULL, MS_REMOUNT | flags, NULL));
}

/* ---- Volumes, and what is of memory only ---- */

static inline void mount_volume(const struct bind_mount *v)
{
	const char *target = v->target + strspn(v->target, "/");
	struct stat st;
	if (stat(v->source, &st))
		die("stat %s", v->source);
	if (S_ISDIR(st.st_mode)) {
		make_folders(target);
	} else { /* a file is mounted on a file */
		autofree char *parent = text("%s", target);
		*(strrchr(parent, '/') ? strrchr(parent, '/') : parent) = '\0';
		if (*parent)
			make_folders(parent);
		make_file(target);
	}
	MUST(mount(v->source, target, NULL, MS_BIND | MS_REC, NULL));
	/* Not MS_REMOUNT: that takes away nosuid and nodev, which no user namespace may. */
	if (v->read_only)
		MUST(make_read_only(AT_FDCWD, target, v->recursive ? AT_RECURSIVE : 0));
}

static inline void mount_tmpfs(const char *value)
{
	autofree char *target = text("%s", value + 1);
	char *options = strchr(target, ':');
	if (options)
		*options++ = '\0';
	make_folders(target);
	MUST(mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options));
}

/* "/a/b:ro": 2 */
static inline int depth(const char *path)
{
	int names = 0;
	for (; *path && *path != ':'; path++)
		names += *path == '/' && path[1] && !strchr("/:", path[1]);
	return names;
}

/* The one that lies below another's place after it, in whichever order they were named. */
static inline void root_volumes(const struct root *r)
{
	int memory = r->tmpfs ? r->tmpfs->count : 0;
	for (int names = 0, done = 0; done < r->volume_count + memory; names++) {
		for (int i = 0; i < r->volume_count; i++)
			if (depth(r->volumes[i].target) == names && ++done)
				mount_volume(&r->volumes[i]);
		for (int i = 0; i < memory; i++)
			if (depth(r->tmpfs->value[i]) == names && ++done)
				mount_tmpfs(r->tmpfs->value[i]);
	}
}

/* ---- Files of the machine that no namespace holds: hidden, or only to be read ---- */

static inline void root_masks(void)
{
	static const char *const hidden[] = {"proc/acpi", "proc/asound", "proc/interrupts",
		"proc/kcore", "proc/keys", "proc/latency_stats", "proc/sched_debug", "proc/scsi",
		"proc/timer_list", "proc/timer_stats", "sys/firmware",
		"sys/devices/virtual/powercap"};
	static const char *const read_only[] = {
		"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"};
	for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
		/* A file becomes /dev/null. That cannot lie on a folder, which becomes an empty
		 * one. */
		if (!mount("/dev/null", hidden[i], NULL, MS_BIND, NULL) || errno == ENOENT)
			continue;
		if (errno != ENOTDIR || mount("tmpfs", hidden[i], "tmpfs", MS_RDONLY, "size=0"))
			die("mount: mask %s", hidden[i]);
	}
	for (size_t i = 0; i < sizeof read_only / sizeof *read_only; i++) {
		const char *path = read_only[i];
		if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) && errno == ENOENT)
			continue;
		/* Of another user namespace's proc no flag may be taken away: they are named again.
		 */
		MUST(mount(NULL, path, NULL,
			MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
	}
}

/* ---- The move ---- */

/* The old root, stacked below the new one at the same place, is taken away: lab 02. */
static inline void root_enter(const struct root *r)
{
	if (r->read_only)
		MUST(mount(NULL, ".", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	struct stat made, entered;
	MUST(stat(".", &made));
	SYS(pivot_root(".", "."));
	MUST(umount2(".", MNT_DETACH));
	MUST(chdir("/"));
	/* Read back: a COMMAND in the host's root would be one without a box. */
	MUST(stat(".", &entered));
	errno = 0;
	if (made.st_dev != entered.st_dev || made.st_ino != entered.st_ino)
		die("the root is not the one that was made");
}

/* For who has read back that this mount table is not the host's: else all of it would be done
 * there. */
static inline void root_make(const struct root *r)
{
	die_asks = false;
	umask(0); /* modes are meant as they stand */
	root_overlay(r);
	root_proc_and_sys();
	if (r->unmasked)
		root_writable_sys();
	root_dev(r);
	root_volumes(r);
	if (!r->unmasked)
		root_masks();
	root_enter(r);
	umask(0022); /* as in every container, whatever ours is */
}
