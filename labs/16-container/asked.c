/*
 * asked.c: what the options mean together: a container as it was asked for, and what it gets that
 * was not typed.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "container.h"
#include "kernel/file.h"
#include "kernel/sys.h"

struct asked asked = {
	.container = {.workdir = "/"}, .network = "bridge", .cgroups = "enabled", .signal = "KILL"};

/* ---- What the options mean together ---- */

static void need_folder(const char *option, const char *path)
{
	struct stat st;
	if (path && (stat(path, &st) || !S_ISDIR(st.st_mode)))
		option_usage("%s %s: expected a folder", option, path);
}

/* The first of the options that only COMMAND can have; NULL: none was typed. */
static const char *for_command(const struct container *c)
{
	return c->init                ? "--init"
	       : !c->grouped          ? "--cgroups=disabled"
	       : asked.privileged     ? "--privileged"
	       : c->withheld          ? "--pid host"
	       : c->joined            ? "--network, --ipc or --uts host"
	       : asked.detach         ? "--detach"
	       : asked.security.count ? "--security-opt"
	       : asked.memory_swap    ? "--memory-swap"
	       : asked.cpu_quota      ? "--cpu-quota"
	       : c->cpu_period        ? "--cpu-period"
	       : asked.user           ? "--user"
				      : NULL;
}

const char *typed_for(const char *option)
{
	autofree char *name = text("--%s", option);
	const char *last = NULL;
	for (char **word = asked.words + 1; *word && strcmp(*word, "--") != 0; word++)
		if (!strcmp(*word, name))
			last = word[1];
	return last;
}

/* 0 is as without the option. Docker's daemon/daemon_unix.go has the same ends. */
static void need_least(const char *option, long long number, const char *least)
{
	long long end;
	if (number && option_size(least, &end) && number < end)
		option_usage("--%s %s: expected at least %s, or 0 for no limit", option,
			typed_for(option), least);
}

/* What no option has wrong by itself. */
static void check_limits(const struct container *c)
{
	need_least("memory", c->memory, "6M");
	need_least("memory-reservation", c->reservation, "6M");
	need_least("cpu-period", c->cpu_period, "1000");
	need_least("cpu-shares", c->cpu_shares, "2");
	bool any = c->memory || c->cpus || c->pids || c->reservation || c->cpu_shares ||
		   c->cpu_quota || c->cpu_period || c->cpuset || c->swap;
	if (!c->grouped && any)
		option_usage(
			"--cgroups=disabled: expected no limit with it, for limits are files of a group");
	if (c->cpus && (c->cpu_quota || c->cpu_period))
		option_usage("--cpus: expected neither --cpu-quota nor --cpu-period with it, for "
			     "both are cpu.max");
	if (c->swap > 0 && (!c->memory || c->swap < c->memory))
		option_usage("--memory-swap %s: expected --memory with it, and at least as much, "
			     "for it counts memory and swap together",
			asked.memory_swap);
	if (c->memory && c->reservation > c->memory)
		option_usage("--memory-reservation: expected no more than --memory");
}

static void check_together(const struct container *c)
{
	need_folder("--rootfs", asked.rootfs);
	need_folder("--keep", asked.keep);
	if (asked.ip && !c->bridge)
		option_usage("--ip %s: expected --network bridge with it", asked.ip);
	check_limits(c);
	if (!lab_command && !asked.verb && !asked.explain && for_command(c))
		option_usage(
			"%s: expected COMMAND with it, for the story has its own", for_command(c));
	if (c->withheld && !c->grouped)
		option_usage("--pid host: expected a group with it, for with COMMAND nothing else "
			     "would end what it has started");
	if (c->joined & CLONE_NEWUTS && c->hostname)
		option_usage(
			"--hostname: expected no --uts host with it, for it would rename the host");
	if (!asked.verb && strcmp(asked.signal, "KILL") != 0)
		option_usage("--signal: expected kill with it");
	if (c->tty && lab_command && !asked.detach && !asked.explain && !isatty(STDIN_FILENO))
		option_usage("--tty: expected standard input to be a terminal");
}

bool security_has(const char *word)
{
	for (int i = 0; i < asked.security.count; i++) {
		const char *value = asked.security.value[i];
		size_t length = strcspn(value, "=:");
		bool off = !strcmp(value + length, "=false") || !strcmp(value + length, ":false");
		if (!off && !strncmp(value, word, length) && !word[length])
			return true;
	}
	return false;
}

/*
 * As TweakCapabilities() in moby's daemon/pkg/oci/caps/utils.go. --cap-drop counts before
 * --cap-add, but beside --cap-add ALL only that of a name counts, and beside --privileged none.
 */
static uint64_t capabilities_asked(void)
{
	uint64_t add = capabilities_named(asked.cap_add.value, (size_t)asked.cap_add.count), all,
		 one;
	uint64_t drop = capabilities_named(asked.cap_drop.value, (size_t)asked.cap_drop.count);
	capability_parse("ALL", &all);
	if (asked.privileged)
		return all;
	if (add != all)
		return (default_capabilities & ~drop) | add;
	for (int i = 0; i < asked.cap_drop.count; i++)
		if (capability_parse(asked.cap_drop.value[i], &one) && one != all)
			add &= ~one;
	return add;
}

static void ask_privileges(struct container *c)
{
	c->privileges.capabilities = capabilities_asked();
	c->privileges.new_privs = !security_has("no-new-privileges");
	c->privileges.unconfined = asked.privileged || security_has("seccomp");
	c->root.unmasked = asked.privileged;
	autofree char *kept = text("%s/upper", c->root.keep ? c->root.keep : "");
	if (asked.user && !(c->root.keep && user_find(kept, asked.user, c)) &&
		!user_find(c->root.image, asked.user, c))
		option_usage("--user %s: expected a number, or a name of %s/etc/passwd and group",
			asked.user, c->root.image);
}

static void ask_volumes(struct container *c)
{
	enum { MOST = sizeof asked.volumes.value / sizeof *asked.volumes.value };
	static struct bind_mount volumes[MOST + 2];
	int count = asked.volumes.count;
	for (int i = 0; i < count; i++)
		volume_parse(asked.volumes.value[i], &volumes[i]);
	if (c->joined & CLONE_NEWIPC)
		volumes[count++] = (struct bind_mount){"/dev/shm", "/dev/shm", false, true};
	if (c->init)
		volumes[count++] = (struct bind_mount){file_program(), init_path, true, false};
	c->root.volumes = volumes;
	c->root.volume_count = count;
	c->root.tmpfs = &asked.tmpfs;
	c->ulimits = &asked.ulimits;
}

static bool is_host(const char *value)
{
	return value && !strcmp(value, "host");
}

struct container container_asked(void)
{
	struct container c = asked.container;
	c.command = lab_command;
	c.bridge = !strcmp(asked.network, "bridge");
	c.grouped = !strcmp(asked.cgroups, "enabled");
	c.joined = (is_host(asked.network) ? CLONE_NEWNET : 0) |
		   (is_host(asked.ipc) ? CLONE_NEWIPC : 0) |
		   (is_host(asked.uts) ? CLONE_NEWUTS : 0);
	c.withheld = is_host(asked.pid) ? CLONE_NEWPID : 0;
	if (asked.cpus)
		cpus_parse(asked.cpus, &c.cpus);
	if (asked.pids)
		number_parse(asked.pids, -1, LLONG_MAX, &c.pids);
	if (asked.memory_swap)
		swap_parse(asked.memory_swap, &c.swap);
	if (asked.cpu_quota)
		number_parse(asked.cpu_quota, -1, LLONG_MAX, &c.cpu_quota);
	check_together(&c);
	c.silent = asked.detach && !c.tty;
	c.number = asked.ip ? network_number(asked.ip) : 0;
	c.root.image = asked.rootfs ? realpath(asked.rootfs, NULL) : file_rootfs();
	c.root.keep = asked.keep ? realpath(asked.keep, NULL) : NULL;
	ask_privileges(&c);
	ask_volumes(&c);
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

void environment_set(char **list, const char *name, char *pair)
{
	size_t length = strcspn(name, "=");
	while (*list && (strncmp(*list, name, length) || (*list)[length] != '='))
		list++;
	*list = pair;
}

static char **container_environment(const struct container *c)
{
	char **list = environment_new(c->hostname, c->privileges.user, (size_t)asked.env.count + 1);
	if (c->tty)
		environment_set(
			list, "TERM", text("TERM=%s", getenv("TERM") ? getenv("TERM") : "xterm"));
	if (c->home)
		environment_set(list, "HOME", text("HOME=%s", c->home));
	for (int i = 0; i < asked.env.count; i++) {
		const char *one = asked.env.value[i], *value = getenv(one);
		if (strchr(one, '='))
			environment_set(list, one, text("%s", one));
		else if (value)
			environment_set(list, one, text("%s=%s", one, value));
	}
	return list;
}

void random_id(char id[65])
{
	unsigned char random[32];
	if (getrandom(random, sizeof random, 0) != sizeof random)
		die("getrandom");
	for (size_t i = 0; i < sizeof random; i++) {
		id[2 * i] = "0123456789abcdef"[random[i] >> 4];
		id[2 * i + 1] = "0123456789abcdef"[random[i] & 15];
	}
	id[2 * sizeof random] = '\0';
}

void container_name(struct container *c)
{
	random_id(c->id);
	c->name = c->name ? c->name : text("%.12s", c->id);
	if (!c->hostname && c->joined & (CLONE_NEWNET | CLONE_NEWUTS)) {
		struct utsname host;
		MUST(uname(&host));
		c->hostname = text("%s", host.nodename);
	}
	c->hostname = c->hostname ? c->hostname : text("%.12s", c->id);
	c->root.name = text("lab16:%s:%s", c->name, c->id);
	c->environment = container_environment(c);
}
