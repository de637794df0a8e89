#include "machine/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "kernel/sys.h"

/* The id that stands for owners outside our user namespace, user_namespaces(7). */
#define OVERFLOW_ID 65534
#define CAP_SYS_ADMIN_BIT 21 /* linux/capability.h */

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Where we read: the root folder, and what of ourselves decides on modes. */
struct tree {
	const char *root;
	bool real; /* it is this machine and not a recorded one */
	const struct machine *m;
	int *error; /* of machine.error */
	long gid;
	char groups[1024];
};

/* ---- Text below the root ------------------------------------------------- */

/* False when the path does not fit: it then counts as not there. */
__attribute__((format(printf, 3, 4))) static bool put(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < size)
		return true;
	buf[0] = '\0';
	return false;
}

static bool below(const struct tree *t, char full[PATH_MAX], const char *path)
{
	return put(full, PATH_MAX, "%s%s", t->real ? "" : t->root, path);
}

static bool exists(const struct tree *t, const char *path)
{
	char full[PATH_MAX];
	struct stat st;
	return below(t, full, path) && stat(full, &st) == 0;
}

/* A file, line by line; one that cannot be read has none. */
struct lines {
	const struct tree *t;
	FILE *file;
	char *line; /* the one that was read last */
	size_t room;
};

/* That a file is not there, or not for us, is what this machine is; that it is out of something is
 * not. */
static void not_read(const struct tree *t)
{
	if (!*t->error && (errno == EIO || errno == EMFILE || errno == ENFILE || errno == ENOMEM))
		*t->error = errno;
}

static struct lines lines_of(const struct tree *t, const char *path)
{
	char full[PATH_MAX];
	struct lines l = {.t = t};
	if (below(t, full, path) && !(l.file = fopen(full, "re")))
		not_read(t);
	return l;
}

static bool next_line(struct lines *l)
{
	if (!l->file)
		return false;
	if (getline(&l->line, &l->room, l->file) > 0)
		return true;
	if (!feof(l->file))
		not_read(l->t);
	return false;
}

static void end_lines(const struct lines *l)
{
	free(l->line);
	if (l->file)
		fclose(l->file);
}

/*
 * Reads the first line that begins with key ("" takes the first line of all),
 * less key and the blanks round the rest; as much of it as fits whole words.
 */
static bool read_field(
	const struct tree *t, const char *path, const char *key, char *buf, size_t size)
{
	struct lines l = lines_of(t, path);
	bool found = false;

	buf[0] = '\0';
	while (!found && next_line(&l)) {
		if (strncmp(l.line, key, strlen(key)) != 0)
			continue;
		found = true;
		char *rest = l.line + strlen(key);
		rest += strspn(rest, " \t");
		rest[strcspn(rest, "\n")] = '\0';
		size_t len = strlen(rest);
		if (len >= size) {
			len = size - 1;
			while (len > 0 && rest[len] != ' ')
				len--;
		}
		while (len > 0 && (rest[len - 1] == ' ' || rest[len - 1] == '\t'))
			len--;
		memcpy(buf, rest, len);
		buf[len] = '\0';
	}
	end_lines(&l);
	return found;
}

static long long read_number(
	const struct tree *t, const char *path, const char *key, long long unknown)
{
	char word[64];
	char *end;
	if (!read_field(t, path, key, word, sizeof(word)))
		return unknown;
	long long n = strtoll(word, &end, 10);
	return end == word || (*end && *end != ' ') ? unknown : n;
}

bool machine_has(const char *list, const char *word)
{
	size_t len = strlen(word);
	if (len == 0)
		return false;
	for (const char *p = list; (p = strstr(p, word)); p += len)
		if ((p == list || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0'))
			return true;
	return false;
}

/* Adds words that commas or spaces part; those that no longer fit are left out. */
static void add_words(char *list, size_t size, const char *words)
{
	while (*words) {
		size_t len = strcspn(words, ", ");
		size_t used = strlen(list);
		char word[64];
		if (len > 0 && len < sizeof(word)) {
			memcpy(word, words, len);
			word[len] = '\0';
			if (!machine_has(list, word) && used + len + 2 <= size)
				snprintf(list + used, size - used, "%s%s", used ? " " : "", word);
		}
		words += len + (words[len] != '\0');
	}
}

/*
 * May we write to it? This machine is asked, which knows of access lists and
 * read-only mounts. A recorded one is judged by the mode bits, as inode(7) has
 * them, because whoever unpacked it may write everything.
 */
static bool may_write(const struct tree *t, const char *path)
{
	char full[PATH_MAX], gid[24];
	struct stat st;

	if (!below(t, full, path))
		return false;
	if (t->real)
		return faccessat(AT_FDCWD, full, W_OK, AT_EACCESS) == 0;
	if (stat(full, &st) < 0)
		return false;
	if (t->m->uid == 0 && (t->m->first_user || st.st_uid != OVERFLOW_ID))
		return true;
	if ((long)st.st_uid == t->m->uid)
		return st.st_mode & S_IWUSR;
	snprintf(gid, sizeof(gid), "%ld", (long)st.st_gid);
	if ((long)st.st_gid == t->gid || machine_has(t->groups, gid))
		return st.st_mode & S_IWGRP;
	return st.st_mode & S_IWOTH;
}

/*
 * systemd marks the groups that it hands over for good with an extended
 * attribute of 1: user.delegate, before version 251 trusted.delegate (systemd's
 * "Control Group APIs and Delegation"). A recorded tree keeps it as a file.
 */
static bool marked(const struct tree *t, const char *group)
{
	char path[PATH_MAX];
	char value[8] = "";

	if (!t->real)
		return put(path, sizeof(path), "%s@user.delegate", group) &&
		       read_number(t, path, "", 0) == 1;
	return (getxattr(group, "trusted.delegate", value, sizeof(value) - 1) > 0 ||
		       getxattr(group, "user.delegate", value, sizeof(value) - 1) > 0) &&
	       value[0] == '1';
}

/* All that lies below a group that was handed over is handed over. */
static bool delegated(const struct tree *t, const char *mount, const char *group)
{
	char path[PATH_MAX];

	put(path, sizeof(path), "%s", group);
	while (strlen(path) > strlen(mount)) {
		if (marked(t, path))
			return true;
		*strrchr(path, '/') = '\0';
	}
	return false;
}

/* ---- The facts ------------------------------------------------------------ */

static void read_kernel(const struct tree *t, struct machine *m)
{
	read_field(t, "/proc/sys/kernel/osrelease", "", m->release, sizeof(m->release));
	if (sscanf(m->release, "%d.%d", &m->kernel_major, &m->kernel_minor) != 2)
		m->kernel_major = m->kernel_minor = 0;
	/* Microsoft's releases: 4.4.0-19041-Microsoft (1), 5.15.90.1-microsoft-standard-WSL2. */
	if (strstr(m->release, "-microsoft"))
		m->wsl = 2;
	else if (strstr(m->release, "-Microsoft"))
		m->wsl = 1;
}

/* "0-1,4" is three CPUs. Anything that is no such list is none. */
static int count_cpus(const char *list)
{
	int count = 0;
	while (*list) {
		int first, last, len;
		if (sscanf(list, "%d%n", &first, &len) != 1 || first < 0)
			return 0;
		list += len;
		last = first;
		if (*list == '-') {
			if (sscanf(list, "-%d%n", &last, &len) != 1 || last < first)
				return 0;
			list += len;
		}
		if (last - first > 65535)
			return 0;
		count += last - first + 1;
		if (*list && *list++ != ',')
			return 0;
	}
	return count;
}

static void read_self(struct tree *t, struct machine *m)
{
	static const char status[] = "/proc/self/status";
	char line[1024];
	unsigned long long caps = 0;
	unsigned long inside, outside, count;

	m->uid = -1;
	if (read_field(t, status, "Uid:", line, sizeof(line)) &&
		sscanf(line, "%*d %ld", &m->uid) != 1)
		m->uid = -1;
	t->gid = -1;
	if (read_field(t, status, "Gid:", line, sizeof(line)) &&
		sscanf(line, "%*d %ld", &t->gid) != 1)
		t->gid = -1;
	read_field(t, status, "Groups:", t->groups, sizeof(t->groups));
	if (read_field(t, status, "CapEff:", line, sizeof(line)))
		caps = strtoull(line, NULL, 16);
	m->seccomp = (int)read_number(t, status, "Seccomp:", -1);
	if (read_field(t, status, "Cpus_allowed_list:", line, sizeof(line)))
		m->cpus = count_cpus(line);

	m->first_user = read_field(t, "/proc/self/uid_map", "", line, sizeof(line)) &&
			sscanf(line, "%lu %lu %lu", &inside, &outside, &count) == 3 &&
			inside == 0 && outside == 0 && count == 4294967295;
	m->root = m->first_user && m->uid == 0 && (caps >> CAP_SYS_ADMIN_BIT & 1);
}

static void read_memory(const struct tree *t, struct machine *m)
{
	char line[256];

	m->page_size = read_number(t, "/proc/self/smaps", "KernelPageSize:", 0) * 1024;
	long long kib = read_number(t, "/proc/meminfo", "MemAvailable:", -1);
	m->mem_available = kib < 0 ? -1 : kib * 1024;
	m->swap = read_field(t, "/proc/swaps", "/", line, sizeof(line));
}

/* Turns the \040 of mountinfo back into what it stands for, in place. */
static void unescape(char *s)
{
	char *to = s;
	for (; *s; s++) {
		unsigned int c;
		if (s[0] == '\\' && strspn(s + 1, "01234567") >= 3 &&
			sscanf(s + 1, "%3o", &c) == 1) {
			*to++ = (char)c;
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

/* A line of mountinfo, cut in place: proc_pid_mountinfo(5). */
struct mount_line {
	char *root, *point, *options, *type, *super;
};

static bool cut_mount_line(char *line, struct mount_line *l)
{
	char *field[6];
	char *save = NULL;
	char *tail = strstr(line, " - "); /* behind the optional fields, however many */

	if (!tail)
		return false;
	*tail = '\0';
	for (int i = 0; i < 6; i++)
		if (!(field[i] = strtok_r(i ? NULL : line, " ", &save)))
			return false;
	l->root = field[3];
	l->point = field[4];
	l->options = field[5];
	l->type = strtok_r(tail + 3, " ", &save);
	char *source = strtok_r(NULL, " ", &save);
	l->super = strtok_r(NULL, " \n", &save);
	if (!l->type || !source || !l->super)
		return false;
	unescape(l->root);
	unescape(l->point);
	return true;
}

/*
 * Our group, path, seen through one cgroup2 mount. What /proc/self/cgroup says
 * is relative to our cgroup namespace, and so is the root field of the mount,
 * which is another folder than / for a bind mount (cgroup_namespaces(7)).
 */
static void read_cgroup2_mount(
	const struct tree *t, struct machine *m, const struct mount_line *l, const char *path)
{
	bool ro = strncmp(l->options, "ro", 2) == 0 || strncmp(l->super, "ro", 2) == 0;
	size_t len = strcmp(l->root, "/") == 0 ? 0 : strlen(l->root);
	char group[PATH_MAX] = "", file[PATH_MAX];

	if (path[0] == '/' && strncmp(path, l->root, len) == 0 &&
		(path[len] == '/' || path[len] == '\0')) {
		const char *rest = strcmp(path + len, "/") == 0 ? "" : path + len;
		/* A group that is gone, or a mount under another one, has no such file. */
		if (!put(group, sizeof(group), "%s%s", l->point, rest) ||
			!put(file, sizeof(file), "%s/cgroup.procs", group) || !exists(t, file))
			group[0] = '\0';
	}
	/* Of several mounts the best is one with our group, and then a writable one. */
	if (m->cgroup_mount[0] && (!group[0] || (m->group[0] && (ro || !m->cgroup_read_only))))
		return;
	if (!put(m->cgroup_mount, sizeof(m->cgroup_mount), "%s", l->point))
		return;
	m->cgroup_read_only = ro;
	put(m->group, sizeof(m->group), "%s", group);
}

static void read_mounts(const struct tree *t, struct machine *m, const char *path)
{
	struct lines l = lines_of(t, "/proc/self/mountinfo");

	while (next_line(&l)) {
		struct mount_line at;
		if (!cut_mount_line(l.line, &at))
			continue;
		if (strcmp(at.type, "cgroup2") == 0)
			read_cgroup2_mount(t, m, &at, path);
		/* These lie on empty folders, which the kernel does not count as masks. */
		if (strncmp(at.point, "/proc/", 6) == 0 &&
			strcmp(at.point, "/proc/sys/fs/binfmt_misc") != 0 &&
			strcmp(at.point, "/proc/fs/nfsd") != 0 &&
			strcmp(at.point, "/proc/xen") != 0)
			m->proc_masked++;
	}
	end_lines(&l);
}

/* The lines of /proc/self/cgroup: "0::PATH" is v2, "ID:CONTROLLERS:PATH" v1. */
static void read_own_cgroups(const struct tree *t, struct machine *m, char path[PATH_MAX])
{
	struct lines l = lines_of(t, "/proc/self/cgroup");

	path[0] = '\0';
	while (next_line(&l)) {
		char *words = strchr(l.line, ':');
		char *last = words ? strchr(words + 1, ':') : NULL;
		if (!last)
			continue;
		*words++ = *last++ = '\0';
		last[strcspn(last, "\n")] = '\0';
		if (strcmp(l.line, "0") == 0)
			put(path, PATH_MAX, "%s", last);
		else if (!strchr(words, '=')) /* name=systemd holds no controller */
			add_words(m->v1, sizeof(m->v1), words);
	}
	end_lines(&l);
}

/* From us upwards; the bound is for a recorded tree whose parents go round in a circle. */
enum { ABOVE = 1000 };

/* Those of us and the processes above us that our user may move: PIDs, and how many. */
static int read_own(const struct tree *t, const struct machine *m, long own[ABOVE])
{
	char status[64] = "/proc/self/status", line[128];
	int count = 0;

	for (int depth = 0; depth < ABOVE; depth++) {
		long uid, here = (long)read_number(t, status, "Pid:", 0);
		if (here <= 0)
			break;
		if (read_field(t, status, "Uid:", line, sizeof(line)) &&
			sscanf(line, "%*d %ld", &uid) == 1 && uid == m->uid)
			own[count++] = here;
		snprintf(status, sizeof(status), "/proc/%ld/status",
			(long)read_number(t, status, "PPid:", 0));
	}
	return count;
}

static int count_others(const struct tree *t, const struct machine *m, const char *procs)
{
	struct lines l = lines_of(t, procs);
	long own[ABOVE];
	int others = 0, own_count = l.file ? read_own(t, m, own) : 0;

	while (next_line(&l)) {
		int i = 0;
		while (i < own_count && own[i] != atol(l.line))
			i++;
		others += i == own_count; /* 0 is a process of another PID namespace */
	}
	end_lines(&l);
	return others;
}

static void read_group(const struct tree *t, struct machine *m)
{
	char procs[PATH_MAX], subtree[PATH_MAX], path[PATH_MAX];

	if (put(path, sizeof(path), "%s/cgroup.events", m->cgroup_mount) && !exists(t, path) &&
		put(path, sizeof(path), "%s/cgroup.controllers", m->cgroup_mount))
		read_field(t, path, "", m->all, sizeof(m->all));
	if (!m->group[0])
		return;
	if (!put(procs, sizeof(procs), "%s/cgroup.procs", m->group) ||
		!put(subtree, sizeof(subtree), "%s/cgroup.subtree_control", m->group))
		return;
	read_field(t, subtree, "", m->subtree, sizeof(m->subtree));
	if (put(path, sizeof(path), "%s/cgroup.controllers", m->group))
		read_field(t, path, "", m->controllers, sizeof(m->controllers));
	/* Every group has cgroup.events but the one root that no namespace can fake. */
	m->group_root = put(path, sizeof(path), "%s/cgroup.events", m->group) && !exists(t, path);
	m->group_others = count_others(t, m, procs);
	/*
	 * Delegation is write access to these three (cgroups(7)). Root has that
	 * everywhere: there systemd's mark decides, because every other group is one
	 * that systemd manages; without systemd nobody else does.
	 */
	m->group_ours = !m->cgroup_read_only && may_write(t, m->group) && may_write(t, procs) &&
			may_write(t, subtree) &&
			(m->uid != 0 || !m->systemd || delegated(t, m->cgroup_mount, m->group));
}

/* systemd gives each user who logged in a group: user@UID.service, user@.service(5). */
static void read_user_manager(const struct tree *t, struct machine *m)
{
	char path[PATH_MAX];

	if (!m->cgroup_mount[0] ||
		!put(path, sizeof(path),
			"%s/user.slice/user-%ld.slice/user@%ld.service/cgroup.controllers",
			m->cgroup_mount, m->uid, m->uid))
		return;
	m->user_manager_runs = read_field(t, path, "", m->user_manager, sizeof(m->user_manager)) ||
			       exists(t, path);
}

static void read_cgroups(const struct tree *t, struct machine *m)
{
	char path[PATH_MAX], line[4096];

	read_own_cgroups(t, m, path);
	read_mounts(t, m, path);
	if (m->cgroup_mount[0]) {
		m->cgroup = m->v1[0] ? MACHINE_CGROUP_HYBRID : MACHINE_CGROUP_V2;
		read_group(t, m);
		read_user_manager(t, m);
	} else {
		m->cgroup = m->v1[0] ? MACHINE_CGROUP_V1 : MACHINE_CGROUP_NONE;
	}

	char *save = NULL;
	read_field(t, "/proc/cmdline", "", line, sizeof(line));
	for (char *w = strtok_r(line, " ", &save); w; w = strtok_r(NULL, " ", &save))
		if (strncmp(w, "cgroup_disable=", 15) == 0)
			add_words(m->disabled, sizeof(m->disabled), w + 15);
}

static void read_surroundings(const struct tree *t, struct machine *m)
{
	static const char *const scratch[] = {"/dev/nullb0", "/dev/ram0"};

	if (exists(t, "/.dockerenv"))
		put(m->container, sizeof(m->container), "docker");
	else if (exists(t, "/run/.containerenv"))
		put(m->container, sizeof(m->container), "podman");
	else if (m->proc_masked > 0)
		put(m->container, sizeof(m->container), "other");
	m->in_vm = exists(t, "/etc/unboxed-vm");
	char modules[256];
	m->modules =
		put(modules, sizeof(modules), "/lib/modules/%s", m->release) && exists(t, modules);
	/* Only the lab VM's disks are known to hold nothing that anybody wants. */
	for (size_t i = 0; m->in_vm && !m->block[0] && i < ARRAY_SIZE(scratch); i++)
		if (exists(t, scratch[i]))
			put(m->block, sizeof(m->block), "%s", scratch[i]);

	m->userns_clone = (int)read_number(t, "/proc/sys/kernel/unprivileged_userns_clone", "", -1);
	m->userns_apparmor = (int)read_number(
		t, "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "", -1);
	m->userns_max = read_number(t, "/proc/sys/user/max_user_namespaces", "", -1);
}

static void read_vm(const struct tree *t, struct machine *m)
{
	static const char *const bins[] = {
		"/usr/bin", "/usr/local/bin", "/bin", "/opt/bin", "/usr/libexec"};
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char folders[2][PATH_MAX] = {"", "/var/cache/unboxed"};
	char path[PATH_MAX], line[256], verdict[8], release[128];

	m->kvm = exists(t, "/dev/kvm");
	m->kvm_usable = m->kvm && may_write(t, "/dev/kvm");
	for (size_t i = 0; !m->qemu[0] && i < ARRAY_SIZE(bins); i++)
		if (put(path, sizeof(path), "%s/%s", bins[i], MACHINE_QEMU) && exists(t, path))
			put(m->qemu, sizeof(m->qemu), "%s", path);

	/* A relative XDG_CACHE_HOME is to be ignored, XDG Base Directory Specification. */
	if (cache && cache[0] == '/')
		put(folders[0], PATH_MAX, "%s/unboxed", cache);
	else if (home && home[0] == '/')
		put(folders[0], PATH_MAX, "%s/.cache/unboxed", home);
	for (int i = 0; i < 2; i++) {
		if (!folders[i][0])
			continue;
		if (!m->lab_kernel[0] && put(path, sizeof(path), "%s/kernel/current", folders[i]) &&
			exists(t, path))
			put(m->lab_kernel, sizeof(m->lab_kernel), "%s", path);
	}
	/*
	 * scripts/vm keeps "kvm" or "tcg" and what the verdict was made for, the running
	 * kernel first: root's is the machine's, everybody else has one of their own.
	 */
	if (put(path, sizeof(path), "%s/accel", folders[m->uid == 0]) && path[0] == '/' &&
		read_field(t, path, "", line, sizeof(line)) &&
		sscanf(line, "%7s %127s", verdict, release) == 2 &&
		machine_has("kvm tcg", verdict) && strcmp(release, m->release) == 0)
		put(m->accel, sizeof(m->accel), "%s", verdict);
}

/* Does a line of list begin with a path that ends in file? */
static bool lists_module(const struct tree *t, const char *list, const char *file)
{
	struct lines l = lines_of(t, list);
	bool found = false;

	while (!found && next_line(&l)) {
		l.line[strcspn(l.line, ":\n")] = '\0'; /* what follows are the modules it needs */
		const char *at = strstr(l.line, file);
		found = at && (at[strlen(file)] == '\0' || at[strlen(file)] == '.');
	}
	end_lines(&l);
	return found;
}

bool machine_module(const struct machine *m, const char *root, const char *name)
{
	int error = 0;
	struct tree t = {.root = root, .real = !strcmp(root, "/"), .m = m, .error = &error};
	char path[PATH_MAX], file[128], loaded[128], line[256];

	if (!put(file, sizeof(file), "/%s.ko", name) || !put(loaded, sizeof(loaded), "%s ", name))
		return false;
	if (put(path, sizeof(path), "/sys/module/%s", name) && exists(&t, path))
		return true;
	if (read_field(&t, "/proc/modules", loaded, line, sizeof(line)))
		return true;
	/* Lines such as kernel/net/bridge/bridge.ko, in modules.dep with .xz and ": needs". */
	static const char *const lists[] = {"builtin", "dep"};
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (put(path, sizeof(path), "/lib/modules/%s/modules.%s", m->release, lists[i]) &&
			lists_module(&t, path, file))
			return true;
	return false;
}

void machine_read(struct machine *m, const char *root)
{
	struct tree t = {.root = root, .real = !strcmp(root, "/"), .m = m, .error = &m->error};

	memset(m, 0, sizeof(*m));
	read_kernel(&t, m);
	read_self(&t, m);
	read_memory(&t, m);
	m->systemd = exists(&t, "/run/systemd/system"); /* before the groups: whose they are */
	read_cgroups(&t, m);
	read_surroundings(&t, m);
	read_vm(&t, m);
}

void machine_here(struct machine *machine)
{
	machine_read(machine, "/");
	errno = machine->error;
	if (errno)
		die("open, read: the files that tell what this machine is");
}

enum machine_controller machine_controller(const struct machine *m, const char *name)
{
	/* v2's io is v1's blkio. */
	if (machine_has(m->v1, strcmp(name, "io") == 0 ? "blkio" : name))
		return MACHINE_CONTROLLER_V1;
	if (machine_has(m->disabled, name))
		return MACHINE_CONTROLLER_DISABLED;
	if (!m->cgroup_mount[0])
		return MACHINE_CONTROLLER_NO_MOUNT;
	if (!m->group[0])
		return MACHINE_CONTROLLER_NO_GROUP;
	if (m->all[0] && !machine_has(m->all, name))
		return MACHINE_CONTROLLER_NONE;
	if (m->cgroup_read_only)
		return MACHINE_CONTROLLER_READ_ONLY;
	if (!m->group_ours)
		return MACHINE_CONTROLLER_NOT_OURS;
	if (!machine_has(m->controllers, name))
		return MACHINE_CONTROLLER_NOT_GIVEN;
	if (machine_has(m->subtree, name))
		return MACHINE_CONTROLLER_READY;
	if (m->group_root)
		return MACHINE_CONTROLLER_ROOT_OFF;
	return m->group_others > 0 ? MACHINE_CONTROLLER_BUSY : MACHINE_CONTROLLER_LEAF;
}
