#include "machine/machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "kernel/sys.h"
#include "machine/tree.h"

#define CAP_SYS_ADMIN_BIT 21 /* linux/capability.h */

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

bool machine_has(const char *list, const char *word)
{
	return tree_word(list, word);
}

const char *const machine_ns_names[8] = {"mnt", "uts", "ipc", "net", "cgroup", "pid", "time", NULL};

long long machine_ns_max(const struct machine *m, const char *name)
{
	for (size_t i = 0; machine_ns_names[i]; i++)
		if (strcmp(machine_ns_names[i], name) == 0)
			return m->ns_max[i];
	return -1;
}

/* ---- The facts ------------------------------------------------------------ */

static void read_kernel(const struct tree *t, struct machine *m)
{
	tree_field(t, "/proc/sys/kernel/osrelease", "", m->release, sizeof(m->release));
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
	if (tree_field(t, status, "Uid:", line, sizeof(line)) &&
		sscanf(line, "%*d %lld", &m->uid) != 1)
		m->uid = -1;
	t->gid = -1;
	if (tree_field(t, status, "Gid:", line, sizeof(line)) &&
		sscanf(line, "%*d %lld", &t->gid) != 1)
		t->gid = -1;
	tree_field(t, status, "Groups:", t->groups, sizeof(t->groups));
	if (tree_field(t, status, "CapEff:", line, sizeof(line)))
		caps = strtoull(line, NULL, 16);
	m->seccomp = (int)tree_number(t, status, "Seccomp:", -1);
	if (tree_field(t, status, "Cpus_allowed_list:", line, sizeof(line)))
		m->cpus = count_cpus(line);

	m->first_user = tree_field(t, "/proc/self/uid_map", "", line, sizeof(line)) &&
			sscanf(line, "%lu %lu %lu", &inside, &outside, &count) == 3 &&
			inside == 0 && outside == 0 && count == 4294967295;
	m->sys_admin = caps >> CAP_SYS_ADMIN_BIT & 1;
	m->root = m->first_user && m->uid == 0 && m->sys_admin;
}

static void read_memory(const struct tree *t, struct machine *m)
{
	char line[256];

	m->page_size = tree_number(t, "/proc/self/smaps", "KernelPageSize:", 0) * 1024;
	long long kib = tree_number(t, "/proc/meminfo", "MemAvailable:", -1);
	m->mem_available = kib < 0 ? -1 : kib * 1024;
	m->swap = tree_field(t, "/proc/swaps", "/", line, sizeof(line));
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
		if (!tree_put(group, sizeof(group), "%s%s", l->point, rest) ||
			!tree_put(file, sizeof(file), "%s/cgroup.procs", group) ||
			!tree_has(t, file))
			group[0] = '\0';
	}
	/* Of several mounts the best is one with our group, and then a writable one. */
	if (m->cgroup_mount[0] && (!group[0] || (m->group[0] && (ro || !m->cgroup_read_only))))
		return;
	if (!tree_put(m->cgroup_mount, sizeof(m->cgroup_mount), "%s", l->point))
		return;
	m->cgroup_read_only = ro;
	tree_put(m->group, sizeof(m->group), "%s", group);
}

static void read_mounts(const struct tree *t, struct machine *m, const char *path)
{
	struct tree_lines l = tree_lines(t, "/proc/self/mountinfo");

	while (tree_next(&l)) {
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
	tree_end(&l);
}

/* The lines of /proc/self/cgroup: "0::PATH" is v2, "ID:CONTROLLERS:PATH" v1. */
static void read_own_cgroups(const struct tree *t, struct machine *m, char path[PATH_MAX])
{
	struct tree_lines l = tree_lines(t, "/proc/self/cgroup");

	path[0] = '\0';
	while (tree_next(&l)) {
		char *words = strchr(l.line, ':');
		char *last = words ? strchr(words + 1, ':') : NULL;
		if (!last)
			continue;
		*words++ = *last++ = '\0';
		last[strcspn(last, "\n")] = '\0';
		if (strcmp(l.line, "0") == 0)
			tree_put(path, PATH_MAX, "%s", last);
		else if (!strchr(words, '=')) /* name=systemd holds no controller */
			tree_words(m->v1, sizeof(m->v1), words);
	}
	tree_end(&l);
}

/* From us upwards; the bound is for a recorded tree whose parents go round in a circle. */
enum { ABOVE = 1000 };

/* Those of us and the processes above us that our user may move: PIDs, and how many. */
static int read_own(const struct tree *t, const struct machine *m, long long own[ABOVE])
{
	char status[64] = "/proc/self/status", line[128];
	int count = 0;

	for (int depth = 0; depth < ABOVE; depth++) {
		long long uid, here = tree_number(t, status, "Pid:", 0);
		if (here <= 0)
			break;
		if (tree_field(t, status, "Uid:", line, sizeof(line)) &&
			sscanf(line, "%*d %lld", &uid) == 1 && uid == m->uid)
			own[count++] = here;
		snprintf(status, sizeof(status), "/proc/%ld/status",
			(long)tree_number(t, status, "PPid:", 0));
	}
	return count;
}

static int count_others(const struct tree *t, const struct machine *m, const char *procs)
{
	struct tree_lines l = tree_lines(t, procs);
	long long own[ABOVE];
	int others = 0, own_count = l.file ? read_own(t, m, own) : 0;

	while (tree_next(&l)) {
		int i = 0;
		while (i < own_count && own[i] != atoll(l.line))
			i++;
		others += i == own_count; /* 0 is a process of another PID namespace */
	}
	tree_end(&l);
	return others;
}

static void read_group(const struct tree *t, struct machine *m)
{
	char procs[PATH_MAX], subtree[PATH_MAX], path[PATH_MAX];

	if (tree_put(path, sizeof(path), "%s/cgroup.events", m->cgroup_mount) &&
		!tree_has(t, path) &&
		tree_put(path, sizeof(path), "%s/cgroup.controllers", m->cgroup_mount))
		tree_field(t, path, "", m->all, sizeof(m->all));
	if (!m->group[0])
		return;
	if (!tree_put(procs, sizeof(procs), "%s/cgroup.procs", m->group) ||
		!tree_put(subtree, sizeof(subtree), "%s/cgroup.subtree_control", m->group))
		return;
	tree_field(t, subtree, "", m->subtree, sizeof(m->subtree));
	if (tree_put(path, sizeof(path), "%s/cgroup.controllers", m->group))
		tree_field(t, path, "", m->controllers, sizeof(m->controllers));
	/* Every group has cgroup.events but the one root that no namespace can fake. */
	m->group_root =
		tree_put(path, sizeof(path), "%s/cgroup.events", m->group) && !tree_has(t, path);
	m->group_others = count_others(t, m, procs);
	/*
	 * Delegation is write access to these three (cgroups(7)). Root has that
	 * everywhere: there systemd's mark decides, because every other group is one
	 * that systemd manages; without systemd nobody else does.
	 */
	m->group_ours =
		!m->cgroup_read_only && tree_may_write(t, m->group) && tree_may_write(t, procs) &&
		tree_may_write(t, subtree) &&
		(m->uid != 0 || !m->systemd || tree_delegated(t, m->cgroup_mount, m->group));
}

/* systemd gives each user who logged in a group: user@UID.service, user@.service(5). */
static void read_user_manager(const struct tree *t, struct machine *m)
{
	char path[PATH_MAX];

	if (!m->cgroup_mount[0] ||
		!tree_put(path, sizeof(path),
			"%s/user.slice/user-%lld.slice/user@%lld.service/cgroup.controllers",
			m->cgroup_mount, m->uid, m->uid))
		return;
	m->user_manager_runs = tree_field(t, path, "", m->user_manager, sizeof(m->user_manager)) ||
			       tree_has(t, path);
}

static void read_cgroups(const struct tree *t, struct machine *m)
{
	static const char unified[] = "systemd.unified_cgroup_hierarchy=";
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
	tree_field(t, "/proc/cmdline", "", line, sizeof(line));
	for (char *w = strtok_r(line, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		if (strncmp(w, "cgroup_disable=", 15) == 0)
			tree_words(m->disabled, sizeof(m->disabled), w + 15);
		/* kernel-command-line(7): of several the last one counts. */
		if (strncmp(w, unified, strlen(unified)) == 0)
			tree_put(m->unified_off, sizeof(m->unified_off), "%s",
				tree_word("0 n no f false off", w + strlen(unified)) ? w : "");
	}
}

static void read_surroundings(const struct tree *t, struct machine *m)
{
	static const char *const scratch[] = {"/dev/nullb0", "/dev/ram0"};

	if (tree_has(t, "/.dockerenv"))
		tree_put(m->container, sizeof(m->container), "docker");
	else if (tree_has(t, "/run/.containerenv"))
		tree_put(m->container, sizeof(m->container), "podman");
	else if (m->proc_masked > 0)
		tree_put(m->container, sizeof(m->container), "other");
	m->in_vm = tree_has(t, "/etc/unboxed-vm");
	char modules[256];
	m->modules = tree_put(modules, sizeof(modules), "/lib/modules/%s", m->release) &&
		     tree_has(t, modules);
	/* Only the lab VM's disks are known to hold nothing that anybody wants. */
	for (size_t i = 0; m->in_vm && !m->block[0] && i < ARRAY_SIZE(scratch); i++)
		if (tree_has(t, scratch[i]))
			tree_put(m->block, sizeof(m->block), "%s", scratch[i]);

	m->userns_clone = (int)tree_number(t, "/proc/sys/kernel/unprivileged_userns_clone", "", -1);
	m->userns_apparmor = (int)tree_number(
		t, "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "", -1);
	m->userns_max = tree_number(t, "/proc/sys/user/max_user_namespaces", "", -1);
	for (size_t i = 0; machine_ns_names[i]; i++) {
		char path[64];
		snprintf(path, sizeof(path), "/proc/sys/user/max_%s_namespaces",
			machine_ns_names[i]);
		m->ns_max[i] = tree_number(t, path, "", -1);
	}
}

static void read_vm(const struct tree *t, struct machine *m)
{
	static const char *const bins[] = {
		"/usr/bin", "/usr/local/bin", "/bin", "/opt/bin", "/usr/libexec"};
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char folders[2][PATH_MAX] = {"", "/var/cache/unboxed"};
	char path[PATH_MAX], line[256], verdict[8], release[128];

	m->kvm = tree_has(t, "/dev/kvm");
	m->kvm_usable = m->kvm && tree_may_write(t, "/dev/kvm");
	for (size_t i = 0; !m->qemu[0] && i < ARRAY_SIZE(bins); i++)
		if (tree_put(path, sizeof(path), "%s/%s", bins[i], MACHINE_QEMU) &&
			tree_has(t, path))
			tree_put(m->qemu, sizeof(m->qemu), "%s", path);

	/* A relative XDG_CACHE_HOME is to be ignored, XDG Base Directory Specification. */
	if (cache && cache[0] == '/')
		tree_put(folders[0], PATH_MAX, "%s/unboxed", cache);
	else if (home && home[0] == '/')
		tree_put(folders[0], PATH_MAX, "%s/.cache/unboxed", home);
	for (int i = 0; i < 2; i++) {
		if (!folders[i][0])
			continue;
		if (!m->lab_kernel[0] &&
			tree_put(path, sizeof(path), "%s/kernel/current", folders[i]) &&
			tree_has(t, path))
			tree_put(m->lab_kernel, sizeof(m->lab_kernel), "%s", path);
	}
	/*
	 * scripts/vm keeps "kvm" or "tcg" and what the verdict was made for, the running
	 * kernel first: root's is the machine's, everybody else has one of their own.
	 */
	if (tree_put(path, sizeof(path), "%s/accel", folders[m->uid == 0]) && path[0] == '/' &&
		tree_field(t, path, "", line, sizeof(line)) &&
		sscanf(line, "%7s %127s", verdict, release) == 2 &&
		machine_has("kvm tcg", verdict) && strcmp(release, m->release) == 0)
		tree_put(m->accel, sizeof(m->accel), "%s", verdict);
}

/* Does a line of list begin with a path that ends in file? */
static bool lists_module(const struct tree *t, const char *list, const char *file)
{
	struct tree_lines l = tree_lines(t, list);
	bool found = false;

	while (!found && tree_next(&l)) {
		l.line[strcspn(l.line, ":\n")] = '\0'; /* what follows are the modules it needs */
		const char *at = strstr(l.line, file);
		found = at && (at[strlen(file)] == '\0' || at[strlen(file)] == '.');
	}
	tree_end(&l);
	return found;
}

bool machine_module(const struct machine *m, const char *root, const char *name)
{
	int error = 0;
	struct tree t = {.root = root, .real = !strcmp(root, "/"), .m = m, .error = &error};
	char path[PATH_MAX], file[128], loaded[128], line[256];

	if (!tree_put(file, sizeof(file), "/%s.ko", name) ||
		!tree_put(loaded, sizeof(loaded), "%s ", name))
		return false;
	if (tree_put(path, sizeof(path), "/sys/module/%s", name) && tree_has(&t, path))
		return true;
	if (tree_field(&t, "/proc/modules", loaded, line, sizeof(line)))
		return true;
	/* Lines such as kernel/net/bridge/bridge.ko, in modules.dep with .xz and ": needs". */
	static const char *const lists[] = {"builtin", "dep"};
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (tree_put(path, sizeof(path), "/lib/modules/%s/modules.%s", m->release,
			    lists[i]) &&
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
	m->systemd = tree_has(&t, "/run/systemd/system"); /* before the groups: whose they are */
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
