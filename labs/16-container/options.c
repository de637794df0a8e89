/*
 * options.c: docker run's options. One table drives each of them: how it is read, and what
 * --explain prints of it. Of a limit the same row is also what life.c writes to the file of the
 * group.
 *
 * In what --explain prints, "FILE <- VALUE" is a write to a file of the container's group.
 * Everything else is a call as strace(1) shows it, in which "..." stands for what is left out.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "container.h"
#include "kernel/file.h"
#include "kernel/sys.h"

struct asked asked = {
	.container = {.workdir = "/"}, .network = "bridge", .cgroups = "enabled", .signal = "KILL"};

/* ---- Limits: an option, a file of the group, and what is written to it ---- */

static char *memory_max(const struct container *c)
{
	long long page = sysconf(_SC_PAGESIZE); /* the kernel rounds down to whole pages */
	return c->memory ? text("%lld", c->memory / page * page) : NULL;
}

/* With swap, what is over the limit would go there and nothing would be killed. */
static char *memory_swap_max(const struct container *c)
{
	return c->memory ? text("0") : NULL;
}

static char *cpu_max(const struct container *c)
{
	return c->cpus ? text("%lld %d", c->cpus * CPU_PERIOD / 1000, CPU_PERIOD) : NULL;
}

static char *pids_max(const struct container *c)
{
	return c->pids ? text("%lld", c->pids) : NULL;
}

const struct limit container_limits[LIMITS] = {
	{"memory", "memory.max", memory_max},
	{"memory", "memory.swap.max", memory_swap_max},
	{"cpus", "cpu.max", cpu_max},
	{"pids-limit", "pids.max", pids_max},
};

/* ---- What each option becomes ---- */

/* A line; the call goes to a line of its own where the words are long. */
__attribute__((format(printf, 3, 4))) static void becomes(
	const char *option, const char *value, const char *fmt, ...)
{
	enum { COLUMN = 26 };
	autofree char *words = text("%s%s%s", option, *value ? " " : "", value), *call = NULL;
	va_list ap;
	va_start(ap, fmt);
	if (vasprintf(&call, fmt, ap) < 0)
		die("out of memory");
	va_end(ap);
	bool wide = strlen(words) > COLUMN;
	printf("%-*s %s%*s%s\n", COLUMN, words, wide ? "\n" : "", wide ? COLUMN + 1 : 0, "", call);
}

static void explain_limits(const char *option, const char *typed, const struct container *c)
{
	for (int i = 0; i < LIMITS; i++) {
		autofree char *value = strcmp(container_limits[i].option, option)
					       ? NULL
					       : container_limits[i].value(c);
		autofree char *dashed = text("--%s", option);
		if (value)
			becomes(dashed, typed, "%s <- %s", container_limits[i].file, value);
	}
}

static void explain_memory(const struct container *c)
{
	autofree char *typed = text("%lld", c->memory);
	explain_limits("memory", typed, c);
}

static void explain_cpus(const struct container *c)
{
	autofree char *typed = text("%lld.%03lld", c->cpus / 1000, c->cpus % 1000);
	explain_limits("cpus", typed, c);
}

static void explain_pids(const struct container *c)
{
	autofree char *typed = text("%lld", c->pids);
	explain_limits("pids-limit", typed, c);
}

static void explain_cgroups(const struct container *c)
{
	if (!c->grouped) {
		becomes("--cgroups", "disabled", "nothing: it stays in the group of its caller");
		return;
	}
	becomes("", "", "clone3(...CLONE_INTO_CGROUP...)");
	if (geteuid() == 0)
		becomes("", "", "bpf(BPF_PROG_ATTACH...BPF_CGROUP_DEVICE...)");
}

static void explain_name(const struct container *c)
{
	if (c->name)
		becomes("--name", c->name, "mount(\"lab16:%s:...\"overlay\"...)", c->name);
}

static void explain_hostname(const struct container *c)
{
	if (c->hostname)
		becomes("--hostname", c->hostname, "sethostname(\"%s\", %zu)", c->hostname,
			strlen(c->hostname));
	else
		becomes("", "", "sethostname(..., 12)");
}

static void explain_network(const struct container *c)
{
	becomes("--network", asked.network, "clone3(...CLONE_NEWNET...)");
	if (!c->bridge)
		return;
	if (!access(no_ipv6, F_OK))
		becomes("", "", "net/ipv6/conf/all/disable_ipv6 <- 1");
	becomes("", "", "sendmsg(...RTM_NEWLINK...\"veth\"...\"eth0\"...)");
}

static void explain_ip(const struct container *c)
{
	(void)c;
	if (asked.ip)
		becomes("--ip", asked.ip, "sendmsg(...RTM_NEWADDR...\"%s\"...)", asked.ip);
}

static void explain_rootfs(const struct container *c)
{
	becomes(asked.rootfs ? "--rootfs" : "", asked.rootfs ? asked.rootfs : "",
		"mount(...\"overlay\"...lowerdir=%s...)", c->root.image);
}

static void explain_keep(const struct container *c)
{
	if (asked.keep)
		becomes("--keep", asked.keep, "mount(...\"overlay\"...upperdir=%s/upper...)",
			c->root.keep);
}

static void explain_bind(const char *option, const char *typed, const struct bind_mount *v)
{
	becomes(option, typed, "open_tree(...\"%s\"...OPEN_TREE_CLONE...)", v->source);
	if (v->read_only)
		becomes("", "", "mount_setattr(...%s, {attr_set=MOUNT_ATTR_RDONLY...)",
			v->recursive ? "AT_RECURSIVE" : "AT_EMPTY_PATH");
	becomes("", "", "openat2(...\"%s\"...RESOLVE_IN_ROOT...)", v->target);
	becomes("", "", "move_mount(...)");
}

static void explain_volumes(const struct container *c)
{
	for (int i = 0; i < asked.volumes.count; i++)
		explain_bind("--volume", asked.volumes.value[i], &c->root.volumes[i]);
}

/* Its program is one more bind mount, behind the volumes. */
static void explain_init(const struct container *c)
{
	if (!c->init)
		return;
	explain_bind("--init", "", &c->root.volumes[asked.volumes.count]);
	becomes("", "", "rt_sigtimedwait(...)");
}

static void explain_tmpfs(const struct container *c)
{
	for (int i = 0; i < c->root.tmpfs->count; i++) {
		const char *path = asked.tmpfs.value[i], *options = strchr(path, ':');
		int length = (int)strcspn(path, ":");
		becomes("--tmpfs", path,
			"mount(\"tmpfs\", \"memory\", \"tmpfs\", MS_NOSUID|MS_NODEV|MS_NOEXEC, %s%s%s)",
			options ? "\"" : "", options ? options + 1 : "NULL", options ? "\"" : "");
		becomes("", "", "openat2(...\"%.*s\"...RESOLVE_IN_ROOT...)", length, path);
		becomes("", "", "move_mount(...)");
	}
}

/* The last thing that is done to the root, before it is entered. */
static void explain_read_only(const struct container *c)
{
	if (c->root.read_only)
		becomes("--read-only", "",
			"mount(NULL, \".\", NULL, MS_RDONLY|MS_REMOUNT|MS_BIND, NULL)");
	becomes("", "", "pivot_root(\".\", \".\")");
}

static void explain_workdir(const struct container *c)
{
	if (!strcmp(c->workdir, "/"))
		return;
	becomes("--workdir", c->workdir, "openat2(...\"%s\"...RESOLVE_IN_ROOT...)", c->workdir);
	becomes("", "", "fchdir(...)");
}

static void explain_tty(const struct container *c)
{
	if (c->tty)
		becomes("--tty", "", "ioctl(...TIOCSCTTY...)");
}

static void explain_interactive(const struct container *c)
{
	(void)c;
	if (asked.interactive)
		becomes("--interactive", "", "nothing: standard input is its own in any case");
}

static void explain_cap_drop(const struct container *c)
{
	for (int i = 0; i < asked.cap_drop.count; i++) {
		uint64_t set = 0;
		capability_parse(asked.cap_drop.value[i], &set);
		set &= default_capabilities & ~c->privileges.capabilities;
		for (int cap = 0; cap <= CAP_LAST_CAP; cap++) {
			autofree char *name = set & 1ULL << cap ? capability_name(cap) : NULL;
			if (name)
				becomes("--cap-drop", asked.cap_drop.value[i],
					"prctl(PR_CAPBSET_DROP, %s)", name);
		}
	}
}

static void explain_user(const struct container *c)
{
	const struct privileges *p = &c->privileges;
	if (!asked.user)
		return;
	becomes("--user", asked.user, "setresgid(%u, %u, %u)", p->group, p->group, p->group);
	becomes("", "", "setresuid(%u, %u, %u)", p->user, p->user, p->user);
}

static void explain_cap_add(const struct container *c)
{
	for (int i = 0; i < asked.cap_add.count; i++) {
		uint64_t set = 0;
		capability_parse(asked.cap_add.value[i], &set);
		if (set == UINT64_MAX) {
			becomes("--cap-add", asked.cap_add.value[i], "nothing is dropped");
			continue;
		}
		for (int cap = 0; cap <= CAP_LAST_CAP; cap++) {
			autofree char *name = set & 1ULL << cap ? capability_name(cap) : NULL;
			if (name)
				becomes("--cap-add", asked.cap_add.value[i],
					c->privileges.user
						? "nothing: a user other than root has none, %s or not"
						: "capset(...1<<%s...)",
					name);
		}
	}
}

static void explain_env(const struct container *c)
{
	(void)c;
	for (int i = 0; i < asked.env.count; i++) {
		const char *one = asked.env.value[i], *value = getenv(one);
		if (strchr(one, '='))
			becomes("--env", one, "execve(...\"%s\"...)", one);
		else if (value)
			becomes("--env", one, "execve(...\"%s=%s\"...)", one, value);
		else
			becomes("--env", one, "nothing: it is not set here");
	}
}

/* ---- The table, in the order in which a container gets them ---- */

static const struct row {
	struct lab_option option;
	void (*explain)(const struct container *c); /* NULL: it is no part of a container */
} rows[] = {
	{{"memory", LAB_SIZE, &asked.container.memory, 6 << 20, 1LL << 50,
		 "its limit of memory, memory.max", 'm'},
		explain_memory},
	{{"cpus", LAB_DECIMAL, &asked.container.cpus, 10, 1024000, "its limit of CPUs, cpu.max"},
		explain_cpus},
	{{"pids-limit", LAB_NUMBER, &asked.container.pids, 1, 4194304,
		 "its limit of tasks, pids.max"},
		explain_pids},
	{{"cgroups", LAB_CHOICE, &asked.cgroups, .help = "disabled: no group of its own",
		 .choices = "enabled disabled"},
		explain_cgroups},
	{{"name", LAB_TEXT, &asked.container.name, .help = "its name, for ps, exec ...",
		 .wrong = wrong_name},
		explain_name},
	{{"hostname", LAB_NAME, &asked.container.hostname, 1, 63, "its hostname, sethostname(2)",
		 'h'},
		explain_hostname},
	{{"network", LAB_CHOICE, &asked.network, .help = "its network", .choices = "none bridge"},
		explain_network},
	{{"ip", LAB_TEXT, &asked.ip, .help = "its address on the bridge", .wrong = wrong_ip},
		explain_ip},
	{{"rootfs", LAB_PATH_IN, &asked.rootfs, .help = "a folder: its image"}, explain_rootfs},
	{{"keep", LAB_PATH_IN_OUT, &asked.keep, .help = "a folder for the files that it writes"},
		explain_keep},
	{{"volume", LAB_VOLUME, &asked.volumes, .help = "a bind mount", .letter = 'v',
		 .wrong = wrong_volume},
		explain_volumes},
	{{"tmpfs", LAB_TEXTS, &asked.tmpfs, .help = "PATH[:OPTIONS], a tmpfs(5)",
		 .wrong = wrong_tmpfs},
		explain_tmpfs},
	{{"read-only", LAB_FLAG, &asked.container.root.read_only,
		 .help = "mount its root with MS_RDONLY"},
		explain_read_only},
	{{"workdir", LAB_TEXT, &asked.container.workdir, .help = "where COMMAND begins",
		 .letter = 'w', .wrong = wrong_workdir},
		explain_workdir},
	{{"tty", LAB_FLAG, &asked.container.tty, .help = "a terminal of its own, pty(7)",
		 .letter = 't'},
		explain_tty},
	{{"interactive", LAB_FLAG, &asked.interactive,
		 .help = "accepted: standard input always stays open", .letter = 'i'},
		explain_interactive},
	{{"cap-drop", LAB_TEXTS, &asked.cap_drop, .help = "take a capability away",
		 .wrong = wrong_capability},
		explain_cap_drop},
	{{"user", LAB_TEXT, &asked.user, .help = "UID[:GID], setresuid(2)", .letter = 'u',
		 .wrong = wrong_user},
		explain_user},
	{{"cap-add", LAB_TEXTS, &asked.cap_add, .help = "leave a capability more",
		 .wrong = wrong_capability},
		explain_cap_add},
	{{"init", LAB_FLAG, &asked.container.init, .help = "run an init as PID 1, which reaps"},
		explain_init},
	{{"env", LAB_TEXTS, &asked.env, .help = "NAME=VALUE", .letter = 'e', .wrong = wrong_env},
		explain_env},
	{{"signal", LAB_TEXT, &asked.signal, .help = "the signal that kill sends"}, NULL},
	{{"explain", LAB_FLAG, &asked.explain, .help = "print what each option becomes"}, NULL},
};
enum { ROWS = sizeof rows / sizeof *rows };

const struct lab_option container_operands[] = {
	{"VERB", LAB_CHOICE, &asked.verb, .help = "ps, or inspect, stats, exec, kill with a NAME",
		.choices = "ps inspect stats exec kill"},
	{"NAME", LAB_TEXT, &asked.target, .help = "of a running one, or the beginning of its id"},
	{0},
};

const struct lab_option *container_options(void)
{
	static struct lab_option list[ROWS + 1];
	for (int i = 0; i < ROWS; i++)
		list[i] = rows[i].option;
	return list;
}

int explain_container(const struct container *c)
{
	for (int i = 0; i < ROWS; i++)
		if (rows[i].explain)
			rows[i].explain(c);
	becomes("", "", "prctl(PR_SET_NO_NEW_PRIVS, 1...)");
	becomes("", "", "seccomp(SECCOMP_SET_MODE_FILTER...)");
	if (c->command)
		becomes("--", c->command[0], "execve(...\"%s\"...)", c->command[0]);
	return fflush(stdout) ? 3 : 0;
}

/* ---- What the options mean together ---- */

static void need_folder(const char *option, const char *path)
{
	struct stat st;
	if (path && (stat(path, &st) || !S_ISDIR(st.st_mode)))
		option_usage("%s %s: expected a folder", option, path);
}

/* What no option has wrong by itself. */
static void check_together(const struct container *c)
{
	need_folder("--rootfs", asked.rootfs);
	need_folder("--keep", asked.keep);
	if (asked.ip && !c->bridge)
		option_usage("--ip %s: expected --network bridge with it", asked.ip);
	if (!c->grouped && (c->memory || c->cpus || c->pids))
		option_usage(
			"--cgroups=disabled: expected no limit with it, for limits are files of a group");
	if (!lab_command && !asked.verb && !asked.explain && (c->init || !c->grouped))
		option_usage("%s: expected COMMAND with it, for the story has its own",
			c->init ? "--init" : "--cgroups=disabled");
	if (!asked.verb && strcmp(asked.signal, "KILL") != 0)
		option_usage("--signal: expected kill with it");
	if (c->tty && lab_command && !isatty(STDIN_FILENO))
		option_usage("--tty: expected standard input to be a terminal");
}

struct container container_asked(void)
{
	enum { MOST = sizeof asked.volumes.value / sizeof *asked.volumes.value };
	static struct bind_mount volumes[MOST + 1];
	struct container c = asked.container;
	c.command = lab_command;
	c.bridge = !strcmp(asked.network, "bridge");
	c.grouped = !strcmp(asked.cgroups, "enabled");
	check_together(&c);
	c.number = asked.ip ? network_number(asked.ip) : 0;
	c.privileges.capabilities =
		(default_capabilities &
			~capabilities_named(asked.cap_drop.value, (size_t)asked.cap_drop.count)) |
		capabilities_named(asked.cap_add.value, (size_t)asked.cap_add.count);
	if (asked.user)
		user_parse(asked.user, &c.privileges.user, &c.privileges.group);
	for (int i = 0; i < asked.volumes.count; i++)
		volume_parse(asked.volumes.value[i], &volumes[i]);
	if (c.init)
		volumes[asked.volumes.count] =
			(struct bind_mount){file_program(), init_path, true, false};
	c.root.image = asked.rootfs ? realpath(asked.rootfs, NULL) : file_rootfs();
	c.root.keep = asked.keep ? realpath(asked.keep, NULL) : NULL;
	c.root.volumes = volumes;
	c.root.volume_count = asked.volumes.count + c.init;
	c.root.tmpfs = &asked.tmpfs;
	return c;
}

/* ---- What a container gets that was not typed ---- */

char **environment_new(const char *hostname, uid_t user, size_t count)
{
	char **list = calloc(count + 4, sizeof *list);
	if (!list)
		die("out of memory");
	list[0] = text("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	list[1] = text("HOSTNAME=%s", hostname);
	list[2] = text("HOME=%s", user ? "/" : "/root");
	return list;
}

static char **container_environment(const struct container *c)
{
	char **list = environment_new(c->hostname, c->privileges.user, (size_t)asked.env.count + 1);
	int count = 3;
	if (c->tty)
		list[count++] = text("TERM=%s", getenv("TERM") ? getenv("TERM") : "xterm");
	for (int i = 0; i < asked.env.count; i++) {
		const char *one = asked.env.value[i], *value = getenv(one);
		size_t name = strcspn(one, "=");
		if (!one[name] && !value)
			continue;
		int at = 0; /* a later one takes the place of an earlier one */
		while (at < count && (strncmp(list[at], one, name) || list[at][name] != '='))
			at++;
		list[at] = one[name] ? text("%s", one) : text("%s=%s", one, value);
		count = at == count ? count + 1 : count;
	}
	return list;
}

void random_id(char id[65])
{
	unsigned char random[32];
	if (getrandom(random, sizeof random, 0) != sizeof random)
		die("getrandom");
	for (size_t i = 0; i < sizeof random; i++)
		sprintf(id + 2 * i, "%02x", random[i]);
}

void container_name(struct container *c)
{
	random_id(c->id);
	c->name = c->name ? c->name : text("%.12s", c->id);
	c->hostname = c->hostname ? c->hostname : text("%.12s", c->id);
	c->root.name = text("lab16:%s:%s", c->name, c->id);
	c->environment = container_environment(c);
}
