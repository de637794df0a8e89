/*
 * values.c: what the value of an option may be. Each wrong_NAME() returns what was expected
 * instead, or NULL when there is nothing wrong with the value.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "container.h"
#include "kernel/file.h"
#include "kernel/sys.h"

const char *wrong_name(const char *value)
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

const char *wrong_ip(const char *value)
{
	return network_number(value) ? NULL
				     : "an address from " NETWORK ".0.2 to " NETWORK ".255.254";
}

/* A part of --user: a number or a name, of which the image knows whether there is one. */
static bool is_user(const char *part, size_t length)
{
	autofree char *word = text("%.*s", (int)length, part);
	size_t good =
		strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.-0123456789");
	long long number;
	if (!length || length > 32 || good < length || *word == '-')
		return false;
	return strspn(word, "0123456789") < length || number_parse(word, 0, ID_MAX, &number);
}

const char *wrong_user(const char *value)
{
	size_t length = strcspn(value, ":");
	const char *group = value[length] ? value + length + 1 : NULL;
	return is_user(value, length) && (!group || is_user(group, strlen(group)))
		       ? NULL
		       : "USER or USER:GROUP, each a name or a number from 0 to 2147483647";
}

bool number_parse(const char *value, long long low, long long high, long long *number)
{
	char *end;
	errno = 0;
	*number = strtoll(value, &end, 10);
	bool digits = isdigit((unsigned char)value[*value == '-']);
	return digits && !*end && !errno && *number >= low && *number <= high;
}

bool cpus_parse(const char *value, long long *billionths)
{
	enum { DECIMALS = 9, MILLION = 1000000, BILLION = 1000 * MILLION };
	size_t whole = strspn(value, "0123456789"), digits = 0;
	if (value[whole] == '.')
		digits = strspn(value + whole + 1, "0123456789");
	bool good = whole + digits > 0 && whole <= 9 && digits <= DECIMALS &&
		    !value[whole + (digits ? digits + 1 : 0)];
	*billionths = good ? atoi(value) * (long long)BILLION : 0;
	for (long long i = 0, worth = BILLION / 10; good && i < (long long)digits; i++, worth /= 10)
		*billionths += (value[whole + 1 + (size_t)i] - '0') * worth;
	/* The kernel takes no quota below a millisecond. */
	return good && (!*billionths || *billionths >= 10 * MILLION) &&
	       *billionths <= 1024LL * BILLION;
}

const char *wrong_cpus(const char *value)
{
	long long billionths;
	return cpus_parse(value, &billionths)
		       ? NULL
		       : "a number with at most nine decimals from 0.01 to 1024, such as 1.5 or .5, "
			 "or 0 for no limit";
}

const char *wrong_pids(const char *value)
{
	long long number;
	return number_parse(value, -1, 4194304, &number)
		       ? NULL
		       : "a whole number from 1 to 4194304, or 0 or -1 for no limit";
}

bool swap_parse(const char *value, long long *bytes)
{
	*bytes = -1;
	return !strcmp(value, "-1") ||
	       (option_size(value, bytes) && *bytes >= 0 && *bytes <= 1LL << 50);
}

const char *wrong_swap(const char *value)
{
	long long bytes;
	return swap_parse(value, &bytes) ? NULL
					 : "a size, such as 64M, or -1 for all swap that there is";
}

const char *wrong_quota(const char *value)
{
	long long number;
	bool good = number_parse(value, -1, 1LL << 40, &number) && (number <= 0 || number >= 1000);
	return good ? NULL : "microseconds from 1000, or 0 or -1 for no limit";
}

/* The next part of "0-2,4", as cpuset(7) has a list; false: it is none. */
static bool next_cpus(const char **at, unsigned *first, unsigned *last)
{
	int end = 0, more = 0;
	if (!isdigit((unsigned char)**at) || sscanf(*at, "%4u%n", first, &end) != 1)
		return false;
	*last = *first;
	if ((*at)[end] == '-' && isdigit((unsigned char)(*at)[end + 1]) &&
		sscanf(*at + end + 1, "%4u%n", last, &more) == 1)
		end += 1 + more;
	*at += end;
	bool good = *last >= *first && (!**at || (**at == ',' && (*at)[1]));
	*at += **at == ',';
	return good;
}

static bool is_in(unsigned cpu, const char *list)
{
	unsigned first, last;
	while (*list && next_cpus(&list, &first, &last))
		if (cpu >= first && cpu <= last)
			return true;
	return false;
}

/* A group takes any number, and a CPU that is not there limits nothing. */
const char *wrong_cpuset(const char *value)
{
	static const char wrong[] = "a list of CPUs, such as 0 or 0-1,3";
	autofree char *online = file_try_read("/sys/devices/system/cpu/online");
	bool there = true;
	if (!*value)
		return wrong;
	for (const char *at = value; *at;) {
		unsigned first, last;
		if (!next_cpus(&at, &first, &last))
			return wrong;
		for (unsigned cpu = first; cpu <= last && online; cpu++)
			there &= is_in(cpu, online);
	}
	return there ? NULL : text("CPUs that are there, which are %s", online);
}

const char *wrong_score(const char *value)
{
	long long number;
	return number_parse(value, -1000, 1000, &number) ? NULL
							 : "a whole number from -1000 to 1000";
}

static const struct {
	const char *option, *name;
	int resource;
} resources[] = {{"core", "RLIMIT_CORE", RLIMIT_CORE}, {"cpu", "RLIMIT_CPU", RLIMIT_CPU},
	{"data", "RLIMIT_DATA", RLIMIT_DATA}, {"fsize", "RLIMIT_FSIZE", RLIMIT_FSIZE},
	{"locks", "RLIMIT_LOCKS", RLIMIT_LOCKS}, {"memlock", "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
	{"msgqueue", "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE}, {"nice", "RLIMIT_NICE", RLIMIT_NICE},
	{"nofile", "RLIMIT_NOFILE", RLIMIT_NOFILE}, {"nproc", "RLIMIT_NPROC", RLIMIT_NPROC},
	{"rss", "RLIMIT_RSS", RLIMIT_RSS}, {"rtprio", "RLIMIT_RTPRIO", RLIMIT_RTPRIO},
	{"rttime", "RLIMIT_RTTIME", RLIMIT_RTTIME},
	{"sigpending", "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
	{"stack", "RLIMIT_STACK", RLIMIT_STACK}};

bool ulimit_parse(const char *value, struct ulimit *limit)
{
	size_t length = strcspn(value, "=");
	autofree char *numbers = text("%s", value[length] ? value + length + 1 : "");
	char *hard = strchr(numbers, ':');
	if (hard)
		*hard++ = '\0';
	for (size_t i = 0; i < sizeof resources / sizeof *resources; i++) {
		if (strlen(resources[i].option) != length ||
			strncmp(value, resources[i].option, length))
			continue;
		limit->resource = resources[i].resource;
		limit->name = resources[i].name;
		return number_parse(numbers, -1, LLONG_MAX, &limit->soft) &&
		       number_parse(hard ? hard : numbers, -1, LLONG_MAX, &limit->hard) &&
		       (limit->hard < 0 || (limit->soft >= 0 && limit->soft <= limit->hard));
	}
	return false;
}

const char *wrong_ulimit(const char *value)
{
	struct ulimit limit;
	return ulimit_parse(value, &limit)
		       ? NULL
		       : "NAME=SOFT[:HARD], such as nofile=1024:2048, with -1 for none; getrlimit(2)";
}

const char *wrong_security(const char *value)
{
	static const char *const known[] = {"no-new-privileges", "no-new-privileges:true",
		"no-new-privileges=true", "no-new-privileges:false", "no-new-privileges=false",
		"seccomp=unconfined", "seccomp:unconfined", "apparmor=unconfined",
		"apparmor:unconfined", "label=disable", "label:disable"};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!strcmp(value, known[i]))
			return NULL;
	return !strncmp(value, "seccomp=", 8)
		       ? "seccomp=unconfined; the filter of this lab is filter.gen.c"
		       : "no-new-privileges or seccomp=unconfined";
}

const char *wrong_capability(const char *value)
{
	uint64_t set;
	return capability_parse(value, &set)
		       ? NULL
		       : "ALL or a capability's name, such as NET_ADMIN; capabilities(7)";
}

const char *wrong_env(const char *value)
{
	return *value && *value != '=' ? NULL : "NAME=VALUE, or the NAME of a variable that is set";
}

const char *wrong_workdir(const char *value)
{
	return *value == '/' ? NULL : "a path in the container, from / on";
}

/* A path in the container that can hold a mount: not its root, and nothing that leads out of it. */
static bool mountable(const char *path, size_t length)
{
	autofree char *slashed = text("%.*s/", (int)length, path);
	return *path == '/' && strspn(slashed, "/.") < strlen(slashed) && !strstr(slashed, "/../");
}

/* docker's words that are no data of the file system's: flags of mount(2), set or cleared. */
static const struct {
	const char *word;
	unsigned long set, clear, propagation;
} mount_words[] = {{"rw", 0, MS_RDONLY}, {"ro", MS_RDONLY}, {"suid", 0, MS_NOSUID},
	{"nosuid", MS_NOSUID}, {"dev", 0, MS_NODEV}, {"nodev", MS_NODEV}, {"exec", 0, MS_NOEXEC},
	{"noexec", MS_NOEXEC}, {"async", 0, MS_SYNCHRONOUS}, {"sync", MS_SYNCHRONOUS},
	{"dirsync", MS_DIRSYNC}, {"mand", MS_MANDLOCK}, {"nomand", 0, MS_MANDLOCK},
	{"atime", 0, MS_NOATIME}, {"noatime", MS_NOATIME}, {"diratime", 0, MS_NODIRATIME},
	{"nodiratime", MS_NODIRATIME}, {"relatime", MS_RELATIME}, {"norelatime", 0, MS_RELATIME},
	{"strictatime", MS_STRICTATIME}, {"nostrictatime", 0, MS_STRICTATIME}, {"defaults"},
	{"private", .propagation = MS_PRIVATE}, {"rprivate", .propagation = MS_PRIVATE},
	{"shared", .propagation = MS_SHARED}, {"rshared", .propagation = MS_SHARED},
	{"slave", .propagation = MS_SLAVE}, {"rslave", .propagation = MS_SLAVE},
	{"unbindable", .propagation = MS_UNBINDABLE},
	{"runbindable", .propagation = MS_UNBINDABLE}};

static bool mount_word(const char *word, struct tmpfs *t)
{
	for (size_t i = 0; i < sizeof mount_words / sizeof *mount_words; i++) {
		if (strcmp(word, mount_words[i].word))
			continue;
		t->flags = (t->flags & ~mount_words[i].clear) | mount_words[i].set;
		if (mount_words[i].propagation)
			t->propagation = mount_words[i].propagation;
		return true;
	}
	return false;
}

/* What tmpfs(5) itself reads. */
static bool tmpfs_word(const char *word)
{
	size_t name = strcspn(word, "=");
	const char *value = word[name] ? word + name + 1 : "";
	size_t digits = strspn(value, "0123456789");
	if (!strncmp(word, "mpol=", 5))
		return *value;
	if (!digits || digits > 18)
		return false;
	if (!strncmp(word, "size=", 5))
		return !value[digits] || (strchr("kKmMgG%", value[digits]) && !value[digits + 1]);
	if (!strncmp(word, "nr_inodes=", 10) || !strncmp(word, "nr_blocks=", 10))
		return !value[digits] || (strchr("kKmMgG", value[digits]) && !value[digits + 1]);
	if (!strncmp(word, "mode=", 5))
		return strspn(value, "01234567") == strlen(value) &&
		       strtol(value, NULL, 8) <= 07777;
	return (!strncmp(word, "uid=", 4) || !strncmp(word, "gid=", 4)) && !value[digits] &&
	       digits <= 5;
}

bool tmpfs_parse(const char *value, struct tmpfs *t)
{
	size_t length = strcspn(value, ":");
	autofree char *words = text("%s", value[length] ? value + length + 1 : "");
	*t = (struct tmpfs){.flags = MS_NOSUID | MS_NODEV | MS_NOEXEC};
	char *rest = words;
	for (char *word; value[length] && (word = strsep(&rest, ","));) {
		if (mount_word(word, t))
			continue;
		autofree char *before = t->data;
		if (!tmpfs_word(word))
			return false;
		t->data = text("%s%s%s", before ? before : "", before ? "," : "", word);
	}
	t->target = text("%.*s", (int)length, value);
	return true;
}

/* In the order in which strace(1) prints them. */
char *mount_flags_text(unsigned long flags)
{
	static const struct {
		unsigned long flag;
		const char *name;
	} names[] = {{MS_RDONLY, "MS_RDONLY"}, {MS_NOSUID, "MS_NOSUID"}, {MS_NODEV, "MS_NODEV"},
		{MS_NOEXEC, "MS_NOEXEC"}, {MS_SYNCHRONOUS, "MS_SYNCHRONOUS"},
		{MS_MANDLOCK, "MS_MANDLOCK"}, {MS_DIRSYNC, "MS_DIRSYNC"},
		{MS_NOATIME, "MS_NOATIME"}, {MS_NODIRATIME, "MS_NODIRATIME"},
		{MS_RELATIME, "MS_RELATIME"}, {MS_STRICTATIME, "MS_STRICTATIME"},
		{MS_PRIVATE, "MS_PRIVATE"}, {MS_SHARED, "MS_SHARED"}, {MS_SLAVE, "MS_SLAVE"},
		{MS_UNBINDABLE, "MS_UNBINDABLE"}};
	char *all = text("%s", "");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		autofree char *before = all;
		bool has = flags & names[i].flag;
		all = text("%s%s%s", before, has && *before ? "|" : "", has ? names[i].name : "");
	}
	if (*all)
		return all;
	free(all);
	return text("0");
}

const char *wrong_tmpfs(const char *value)
{
	struct tmpfs tmpfs;
	autofree char *path = text("%.*s", (int)strcspn(value, ":"), value);
	if (!mountable(path, strlen(path)))
		return "PATH or PATH:OPTIONS, such as /run:size=64m; tmpfs(5)";
	if (is_reserved(path))
		return not_reserved;
	return tmpfs_parse(value, &tmpfs)
		       ? NULL
		       : "options such as rw,noexec,size=64m,mode=1777; mount(8), tmpfs(5)";
}

/* "SRC:DST[:ro]" in its three parts; SRC as it is without links, allocated, NULL when it is not
 * there. */
bool volume_parse(const char *value, struct bind_mount *volume)
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

const char *wrong_volume(const char *value)
{
	struct bind_mount volume;
	if (*value && *value != ':' && strcspn(value, "/") > strcspn(value, ":"))
		return "a path before the ':', for dockerd keeps named volumes; ./NAME is a folder here";
	if (!volume_parse(value, &volume))
		return strchr(value, ':')
			       ? "SRC:DST or SRC:DST:ro, DST from / on; docker's other words, such as z and "
				 "Z, are for SELinux, mount propagation and volumes of dockerd's"
			       : "SRC:DST, for dockerd keeps volumes without a SRC; --tmpfs DST is one that "
				 "ends with the container";
	return !volume.source               ? "SRC to be a file or folder that is there"
	       : is_reserved(volume.target) ? not_reserved
					    : NULL;
}

const char *wrong_image_folder(const char *value)
{
	const char *folder = strchr(value, '=');
	struct stat st;
	return folder && folder > value && !stat(folder + 1, &st) && S_ISDIR(st.st_mode)
		       ? NULL
		       : "NAME=DIR, DIR a folder with the files of the image";
}
