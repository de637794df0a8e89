/*
 * options.h: docker run's words, and the container that they ask for. The words
 * are Docker's: "docker container run" and "Runtime options with memory, CPUs, and
 * GPUs"; the files' names are those of cgroup-v2.rst.
 */
#pragma once

#include <ctype.h>
#include <stdlib.h>
#include <sys/random.h>

#include "container.h"
#include "network.h"

/* ---- The command line ---- */

static struct {
	long long memory, cpus, pids;
	const char *name, *hostname, *ip, *user, *workdir, *rootfs, *keep, *network, *cgroups,
		*signal;
	struct lab_texts volumes, tmpfs, env, cap_add, cap_drop;
	bool read_only, interactive, tty, init, explain;
	const char *verb, *target;
} asked = {.network = "bridge", .cgroups = "enabled", .signal = "KILL", .workdir = "/"};

static const char *wrong_name(const char *value)
{
	size_t good = 0;
	while (isalnum((unsigned char)value[good]) ||
		(good && value[good] && strchr("_.-", value[good])))
		good++;
	return good >= 2 && good <= 63 && !value[good]
		       ? NULL
		       : "2 to 63 letters, digits, '_', '.' or '-', a "
			 "letter or digit first";
}

static const char *wrong_ip(const char *value)
{
	return network_number(value) ? NULL
				     : "an address from " NETWORK ".0.2 to " NETWORK ".255.254";
}

/* "1000" or "1000:100": both at most 65535, whatever is mapped. */
static inline bool user_parse(const char *value, uid_t *user, gid_t *group)
{
	int end = 0, more = 0;
	unsigned long uid, gid = 0;
	bool digits = isdigit((unsigned char)*value) && strlen(value) <= 12;
	if (!digits || sscanf(value, "%5lu%n", &uid, &end) != 1 || uid > 65535)
		return false;
	if (value[end] == ':' && isdigit((unsigned char)value[end + 1]) &&
		sscanf(value + end + 1, "%5lu%n", &gid, &more) == 1)
		end += 1 + more;
	*user = (uid_t)uid;
	*group = (gid_t)gid;
	return !value[end] && gid <= 65535;
}

static const char *wrong_user(const char *value)
{
	uid_t user;
	gid_t group;
	return user_parse(value, &user, &group) ? NULL : "UID or UID:GID, numbers from 0 to 65535";
}

static const char *wrong_capability(const char *value)
{
	uint64_t set;
	return capability_parse(value, &set)
		       ? NULL
		       : "ALL or a capability's name, such as NET_ADMIN; capabilities(7)";
}

static const char *wrong_env(const char *value)
{
	return *value && *value != '=' ? NULL : "NAME=VALUE, or the NAME of a variable that is set";
}

static const char *wrong_workdir(const char *value)
{
	return *value == '/' ? NULL : "a path in the container, from / on";
}

/* A path in the container that can hold a mount: not its root, and nothing that leads out of it. */
static inline bool mountable(const char *path, size_t length)
{
	autofree char *slashed = text("%.*s/", (int)length, path);
	return *path == '/' && strspn(slashed, "/.") < strlen(slashed) && !strstr(slashed, "/../");
}

static const char *wrong_tmpfs(const char *value)
{
	autofree char *path = text("%.*s", (int)strcspn(value, ":"), value);
	return !mountable(path, strlen(path))
		       ? "PATH or PATH:OPTIONS, such as /run:size=64m; tmpfs(5)"
	       : is_reserved(path) ? not_reserved
				   : NULL;
}

/* "SRC:DST[:ro]" in its three parts; SRC as it is without links, allocated, NULL when it is not
 * there. */
static inline bool volume_parse(const char *value, struct bind_mount *volume)
{
	const char *target = strchr(value, ':');
	size_t length = target ? strcspn(target + 1, ":") : 0;
	const char *mode = target ? target + 1 + length : "";
	if (!target || !mountable(target + 1, length) ||
		(*mode && strcmp(mode, ":ro") && strcmp(mode, ":rw")))
		return false;
	autofree char *source = text("%.*s", (int)(target - value), value);
	*volume = (struct bind_mount){.source = realpath(source, NULL),
		.target = text("%.*s", (int)length, target + 1),
		.read_only = !strcmp(mode, ":ro"),
		.recursive = true};
	return true;
}

static const char *wrong_volume(const char *value)
{
	struct bind_mount volume;
	if (!volume_parse(value, &volume))
		return "SRC:DST or SRC:DST:ro, DST from / on";
	return !volume.source               ? "SRC to be a file or folder that is there"
	       : is_reserved(volume.target) ? not_reserved
					    : NULL;
}

static const struct lab_option container_options[] = {
	{"memory", LAB_SIZE, &asked.memory, 6 << 20, 1LL << 50, "at most, memory.max", 'm'},
	{"cpus", LAB_DECIMAL, &asked.cpus, 10, 1024000, "at most, cpu.max"},
	{"pids-limit", LAB_NUMBER, &asked.pids, 1, 4194304, "tasks at most, pids.max"},
	{"name", LAB_TEXT, &asked.name, .help = "for ps, exec ...", .wrong = wrong_name},
	{"hostname", LAB_NAME, &asked.hostname, 1, 63, "its own, sethostname(2)", 'h'},
	{"network", LAB_CHOICE, &asked.network, .help = "what it reaches",
		.choices = "none bridge"},
	{"ip", LAB_TEXT, &asked.ip, .help = "its address on the bridge", .wrong = wrong_ip},
	{"user", LAB_TEXT, &asked.user, .help = "UID[:GID], setresuid(2)", .letter = 'u',
		.wrong = wrong_user},
	{"read-only", LAB_FLAG, &asked.read_only, .help = "its root, MS_RDONLY"},
	{"tmpfs", LAB_TEXTS, &asked.tmpfs, .help = "PATH[:OPTIONS]: memory there",
		.wrong = wrong_tmpfs},
	{"volume", LAB_VOLUME, &asked.volumes, .help = "a bind mount", .letter = 'v',
		.wrong = wrong_volume},
	{"env", LAB_TEXTS, &asked.env, .help = "NAME=VALUE", .letter = 'e', .wrong = wrong_env},
	{"workdir", LAB_TEXT, &asked.workdir, .help = "where COMMAND begins", .letter = 'w',
		.wrong = wrong_workdir},
	{"cap-add", LAB_TEXTS, &asked.cap_add, .help = "a capability more",
		.wrong = wrong_capability},
	{"cap-drop", LAB_TEXTS, &asked.cap_drop, .help = "a capability less",
		.wrong = wrong_capability},
	{"interactive", LAB_FLAG, &asked.interactive, .help = "keep stdin open: it always is",
		.letter = 'i'},
	{"tty", LAB_FLAG, &asked.tty, .help = "a pty of its own, pty(7)", .letter = 't'},
	{"init", LAB_FLAG, &asked.init, .help = "PID 1 is ours, and reaps"},
	{"rootfs", LAB_PATH_IN, &asked.rootfs, .help = "the image, a folder"},
	{"keep", LAB_PATH_IN_OUT, &asked.keep, .help = "the folder for what it writes"},
	{"cgroups", LAB_CHOICE, &asked.cgroups, .help = "a group", .choices = "enabled disabled"},
	{"signal", LAB_TEXT, &asked.signal, .help = "what kill sends"},
	{"explain", LAB_FLAG, &asked.explain, .help = "what each option becomes"},
	{0},
};

static const struct lab_option container_operands[] = {
	{"VERB", LAB_CHOICE, &asked.verb, .help = "ps, or inspect, stats, exec, kill with a NAME",
		.choices = "ps inspect stats exec kill"},
	{"NAME", LAB_TEXT, &asked.target, .help = "of a running one, or the beginning of its id"},
	{0},
};

/* ---- What the words mean together ---- */

/* Where our program is in a container with --init, and can only be read: by /proc/1/exe
 * a container's root would else reach the host's file. CVE-2019-5736 */
static const char init_path[] = "/dev/init";

static inline void need_folder(const char *option, const char *path)
{
	struct stat st;
	if (path && (stat(path, &st) || !S_ISDIR(st.st_mode)))
		option_usage("%s %s: expected a folder", option, path);
}

static inline char **container_environment(const struct container *c)
{
	static char *list[sizeof asked.env.value / sizeof *asked.env.value + 8];
	int count = 0;
	list[count++] = text("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	list[count++] = text("HOSTNAME=%s", c->hostname);
	list[count++] = text("HOME=%s", c->powers.user ? "/" : "/root");
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

/* All that can be wrong is told here, before anything is done. */
static inline struct container container_asked(void)
{
	static struct bind_mount
		volumes[sizeof asked.volumes.value / sizeof *asked.volumes.value + 1];
	uint64_t set, capabilities = default_capabilities;
	struct container c = {.memory = asked.memory,
		.cpus = asked.cpus,
		.pids = asked.pids,
		.name = asked.name,
		.hostname = asked.hostname,
		.workdir = asked.workdir,
		.bridge = !strcmp(asked.network, "bridge"),
		.number = asked.ip ? network_number(asked.ip) : 0,
		.tty = asked.tty,
		.init = asked.init,
		.grouped = !strcmp(asked.cgroups, "enabled"),
		.command = lab_command};
	need_folder("--rootfs", asked.rootfs);
	need_folder("--keep", asked.keep);
	if (asked.ip && !c.bridge)
		option_usage("--ip %s: expected --network bridge with it", asked.ip);
	if (!c.grouped && (c.memory || c.cpus || c.pids))
		option_usage(
			"--cgroups=disabled: expected no limit with it, for limits are files of a group");
	if (!lab_command && !asked.verb && !asked.explain && (c.init || !c.grouped))
		option_usage("%s: expected COMMAND with it, for the story has its own",
			c.init ? "--init" : "--cgroups=disabled");
	if (!asked.verb && strcmp(asked.signal, "KILL") != 0)
		option_usage("--signal: expected kill with it");
	if (c.tty && lab_command && !isatty(STDIN_FILENO))
		option_usage("--tty: expected standard input to be a terminal");
	for (int i = 0; i < asked.cap_drop.count; i++)
		if (capability_parse(asked.cap_drop.value[i], &set))
			capabilities &= ~set;
	for (int i = 0; i < asked.cap_add.count; i++)
		if (capability_parse(asked.cap_add.value[i], &set))
			capabilities |= set;
	if (asked.user)
		user_parse(asked.user, &c.powers.user, &c.powers.group);
	c.powers.capabilities = capabilities;
	for (int i = 0; i < asked.volumes.count; i++)
		volume_parse(asked.volumes.value[i], &volumes[i]);
	if (asked.init)
		volumes[asked.volumes.count] =
			(struct bind_mount){file_program(), init_path, true, false};
	c.root = (struct root){.image = asked.rootfs ? realpath(asked.rootfs, NULL) : file_rootfs(),
		.keep = asked.keep ? realpath(asked.keep, NULL) : NULL,
		.read_only = asked.read_only,
		.volumes = volumes,
		.volume_count = asked.volumes.count + asked.init,
		.tmpfs = &asked.tmpfs};
	return c;
}

/* A container that was asked for gets what it is known by; getrandom(2) */
static inline void container_name(struct container *c)
{
	unsigned char random[32];
	if (getrandom(random, sizeof random, 0) != sizeof random)
		die("getrandom");
	for (size_t i = 0; i < sizeof random; i++)
		sprintf(c->id + 2 * i, "%02x", random[i]);
	c->name = c->name ? c->name : text("%.12s", c->id);
	c->hostname = c->hostname ? c->hostname : text("%.12s", c->id);
	c->root.name = text("lab16:%s:%s", c->name, c->id);
	c->environment = container_environment(c);
}
