/*
 * root.c: what is mounted in a container's root: /dev, volumes, and masks on files that no
 * namespace covers. All mounts are in the container's own mount namespace and end with it.
 * mount(2), openat2(2), open_tree(2), move_mount(2)
 *
 * While it builds the root, the process still has the host's root. The image and the volumes belong
 * to somebody else, and a link in them must not lead to the host. So each mount is first made in
 * the staging tmpfs, in which nobody else can make a name. It is then moved to its target by a
 * descriptor that openat2(2) has found below the new root.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "container.h"
#include "kernel/file.h"
#include "kernel/sys.h"

/* The C library has these calls, their flags and struct since glibc 2.36. */
#ifndef MOUNT_ATTR_RDONLY
#define MOUNT_ATTR_RDONLY 0x00000001
#endif
#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#define OPEN_TREE_CLOEXEC O_CLOEXEC
#define MOVE_MOUNT_F_EMPTY_PATH 0x00000004
#define MOVE_MOUNT_T_EMPTY_PATH 0x00000040
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
int make_read_only(int dirfd, const char *path, unsigned int flags)
{
	struct {
		uint64_t attr_set, attr_clr, propagation, userns_fd;
	} attr = {.attr_set = MOUNT_ATTR_RDONLY};
	return (int)syscall(SYS_mount_setattr, dirfd, path, flags, &attr, sizeof attr);
}

/* A detached copy of the mount at path. */
int copy_tree(const char *path, unsigned int flags)
{
	return (int)syscall(
		SYS_open_tree, AT_FDCWD, path, flags | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

/* ---- The staging folder: a tmpfs covers it, so no image or volume may be below it ---- */

const char *staging_folder(const struct root *r)
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

/* ---- Paths below the new root ---- */

/*
 * As open(2), with the folder root for "/": a link or ".." leads nowhere else, and the links of
 * /proc/PID/fd, which would, are not followed. EAGAIN: somebody has renamed a folder on the way.
 */
int open_in_root(int root, const char *path, uint64_t flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	for (int tries = 0;; tries++) {
		int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
		if (fd >= 0 || errno != EAGAIN || tries == 1000)
			return fd;
	}
}

/* Returns a descriptor (O_PATH) of the folder at path below root; mkdir -p makes what is missing.
 */
static int folder_in_root(int root, const char *path)
{
	autofree char *copy = text("%s/", path);
	int parent = MUST(open_in_root(root, "/", O_PATH | O_DIRECTORY));
	for (char *name = copy, *end; (end = strchr(name, '/')); *end = '/', name = end + 1) {
		*end = '\0';
		if (!*name)
			continue;
		int folder = open_in_root(root, copy, O_PATH | O_DIRECTORY);
		/* EEXIST: another container has made it meanwhile, in a volume that both have. */
		if (folder < 0 && errno == ENOENT &&
			(!mkdirat(parent, name, 0755) || errno == EEXIST))
			folder = open_in_root(root, copy, O_PATH | O_DIRECTORY);
		if (folder < 0)
			die("openat2, mkdirat: %s in the container: expected a folder, or a place for one",
				copy);
		close(parent);
		parent = folder;
	}
	return parent;
}

/* The same of a file. */
static int file_in_root(int root, const char *path)
{
	autofree char *folder = text("%s", path);
	char *name = strrchr(folder, '/');
	*name++ = '\0';
	autoclose int parent = folder_in_root(root, folder);
	int made = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (made >= 0)
		close(made);
	int file = open_in_root(root, path, O_PATH);
	struct stat st;
	if (file < 0 || fstat(file, &st) || S_ISDIR(st.st_mode))
		die("openat2, openat: %s in the container: expected a file, or a place for one",
			path);
	return file;
}

static bool is_of_kernel(int fd)
{
	struct statfs fs;
	MUST(fstatfs(fd, &fs));
	return fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC ||
	       fs.f_type == CGROUP2_SUPER_MAGIC;
}

static bool is_same_file(int one, int other)
{
	struct stat a, b;
	MUST(fstat(one, &a));
	MUST(fstat(other, &b));
	return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int move_tree(int tree, int target)
{
	return (int)syscall(SYS_move_mount, tree, "", target, "",
		MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

/* The mount of which tree is the top goes to path below root. */
static void mount_in_root(int root, int tree, const char *path)
{
	struct stat st;
	MUST(fstat(tree, &st));
	autoclose int dev = MUST(open_in_root(root, "/dev", O_PATH));
	autoclose int target =
		S_ISDIR(st.st_mode) ? folder_in_root(root, path) : file_in_root(root, path);
	bool covers = (is_of_kernel(target) && !may_be_covered(path)) ||
		      is_same_file(target, dev) || is_same_file(target, root);
	errno = 0;
	if (covers)
		die("%s in the container: nothing is mounted on /, /proc, /sys and /dev", path);
	MUST(move_tree(tree, target));
}

/* A folder of the image's own, without a link on the way, gets the mount at the same name here. */
void mount_staged(int root, const char *name)
{
	struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
	int found = (int)syscall(SYS_openat2, root, name, &how, sizeof how);
	if (found < 0 && errno == ENOENT && !mkdirat(root, name, 0755))
		found = (int)syscall(SYS_openat2, root, name, &how, sizeof how);
	autoclose int target = found;
	if (target < 0)
		die("openat2: %s in the image is no folder: nothing is mounted there", name);
	MUST(syscall(SYS_move_mount, AT_FDCWD, name, target, "", MOVE_MOUNT_T_EMPTY_PATH));
}

/* ---- The layers of the overlay: lab 14 ---- */

/* One behind the other, up to NULL; allocated. It touches fewer pages of memory than printf(3): a
 * page fault each, in a new process. */
char *joined(const char *first, ...)
{
	size_t size = 1;
	va_list ap;
	va_start(ap, first);
	for (const char *word = first; word; word = va_arg(ap, const char *))
		size += strlen(word);
	va_end(ap);
	char *result = calloc(1, size), *end = result;
	if (!result)
		die("out of memory");
	va_start(ap, first);
	for (const char *word = first; word; word = va_arg(ap, const char *))
		end = stpcpy(end, word);
	va_end(ap);
	return result;
}

/* A path among the options of a mount: "," ends an option there, and ":" a layer. Allocated. */
char *escaped(const char *path)
{
	char *longer = calloc(2, strlen(path) + 1), *to = longer;
	if (!longer)
		die("out of memory");
	for (; *path; *to++ = *path++)
		if (strchr(",:\\", *path))
			*to++ = '\\';
	return longer;
}

/* A layer is written to through the overlay alone, so what is there already is a folder. */
void make_layer(const char *path)
{
	struct stat st;
	if (!mkdir(path, 0755))
		return;
	if (errno != EEXIST)
		die("mkdir %s", path);
	MUST(lstat(path, &st));
	errno = 0;
	if (!S_ISDIR(st.st_mode))
		die("%s: expected a folder of an earlier container", path);
}

/* ---- A /dev of a few nodes ---- */

void root_dev(const struct root *r)
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
	MUST(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"));
	for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
		if (!r->user_namespace) {
			MUST(mknod(nodes[i].path, S_IFCHR | 0666,
				makedev(nodes[i].major, nodes[i].minor)));
			continue;
		}
		close(open(nodes[i].path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
		MUST(mount(nodes[i].host, nodes[i].path, NULL, MS_BIND, NULL));
		/* A device is written to all the same; its mode and times, the host's, are not. */
		MUST(make_read_only(AT_FDCWD, nodes[i].path, 0));
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

/* ---- Volumes, and what is of memory only ---- */

/* A bind mount, in two steps: open_tree(2) copies the mount, and has no place for it yet. */
static void mount_volume(int root, const struct bind_mount *v)
{
	autoclose int tree = copy_tree(v->source, AT_RECURSIVE);
	if (tree < 0)
		die("open_tree %s", v->source);
	/* Not MS_REMOUNT: that takes away nosuid and nodev, which no user namespace may. */
	if (v->read_only)
		MUST(make_read_only(tree, "", AT_EMPTY_PATH | (v->recursive ? AT_RECURSIVE : 0)));
	mount_in_root(root, tree, v->target);
}

static void mount_tmpfs(int root, const char *value)
{
	struct tmpfs t;
	tmpfs_parse(value, &t);
	if (mkdir("memory", 0755) && errno != EEXIST)
		die("mkdir memory");
	MUST(mount("tmpfs", "memory", "tmpfs", t.flags, t.data));
	if (t.propagation)
		MUST(mount(NULL, "memory", NULL, t.propagation, NULL));
	autoclose int tree = MUST(open("memory", O_PATH | O_DIRECTORY | O_CLOEXEC));
	mount_in_root(root, tree, t.target);
}

/* "/a/b:ro": 2 */
static int depth(const char *path)
{
	int names = 0;
	for (; *path && *path != ':'; path++)
		names += *path == '/' && path[1] && !strchr("/:", path[1]);
	return names;
}

/* The one that lies below another's place after it, in whichever order they were named. */
void root_volumes(int root, const struct root *r)
{
	int memory = r->tmpfs ? r->tmpfs->count : 0;
	for (int names = 0, done = 0; done < r->volume_count + memory; names++) {
		for (int i = 0; i < r->volume_count; i++)
			if (depth(r->volumes[i].target) == names && ++done)
				mount_volume(root, &r->volumes[i]);
		for (int i = 0; i < memory; i++)
			if (depth(r->tmpfs->value[i]) == names && ++done)
				mount_tmpfs(root, r->tmpfs->value[i]);
	}
}

/* ---- Files that no namespace covers: hidden, or read-only ---- */

/* Before anything of a user's is mounted, and where nobody else has a name for them. */
void root_masks(const struct root *r)
{
	static const char *const hidden[] = {"proc/acpi", "proc/asound", "proc/interrupts",
		"proc/kcore", "proc/keys", "proc/latency_stats", "proc/sched_debug", "proc/scsi",
		"proc/timer_list", "proc/timer_stats", "sys/firmware",
		"sys/devices/virtual/powercap"};
	static const char *const read_only[] = {
		"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"};
	/* A node of our own: root in the container could change the mode of the host's /dev/null.
	 * Each bind mount of this one is read-only, as it is. */
	bool own = !r->user_namespace;
	if (own)
		MUST(mknod("null", S_IFCHR | 0666, makedev(1, 3)));
	else
		close(MUST(open("null", O_WRONLY | O_CREAT | O_CLOEXEC, 0666)));
	MUST(mount(own ? "null" : "/dev/null", "null", NULL, MS_BIND, NULL));
	MUST(make_read_only(AT_FDCWD, "null", 0));
	for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
		/* A file becomes the null device. That cannot lie on a folder, which becomes an
		 * empty one. */
		if (!mount("null", hidden[i], NULL, MS_BIND, NULL) || errno == ENOENT)
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

/* ---- The working directory ---- */

/* Whether it is below our root: "(unreachable)/..." is not. getcwd(2), and not the C library's,
 * which hides that. */
bool cwd_is_inside(void)
{
	char path[PATH_MAX];
	errno = 0;
	return syscall(SYS_getcwd, path, sizeof path) > 0 && path[0] == '/';
}

/* For who is in the new root: path is the container's, and its links are too. */
void enter_workdir(const char *path)
{
	autoclose int root = MUST(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
	autoclose int folder = folder_in_root(root, path);
	MUST(fchdir(folder));
	if (!cwd_is_inside())
		die("getcwd: the working directory %s is outside the root", path);
}
