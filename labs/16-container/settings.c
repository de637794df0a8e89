/*
 * settings.c: what an option changes in the container's first process: the user's numbers, limits
 * of the process itself, and namespaces of the host that it joins. getrlimit(2), setns(2),
 * passwd(5)
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "container.h"
#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/sys.h"

/* ---- --user: names are the image's ---- */

/* The image is a stranger's: the file may be a link to one of the host's, or a FIFO. */
static FILE *file_of_root(const char *root, const char *path)
{
	struct stat st;
	autoclose int folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = folder < 0 ? -1 : open_in_root(folder, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	FILE *file = fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) ? fdopen(fd, "r") : NULL;
	if (!file && fd >= 0)
		close(fd);
	return file;
}

/* Whether a number or a name is that of an entry. */
static bool is_entry(const char *word, const char *name, unsigned id)
{
	long long number;
	return number_parse(word, 0, ID_MAX, &number) ? number == id : !strcmp(word, name);
}

bool user_find(const char *root, const char *value, struct container *c)
{
	long long number = 0;
	autofree char *user = text("%.*s", (int)strcspn(value, ":"), value);
	const char *group = strchr(value, ':');
	bool found = number_parse(user, 0, ID_MAX, &number), found_group = !group;
	FILE *file = file_of_root(root, "/etc/passwd");
	c->privileges.user = (uid_t)number;
	for (struct passwd *one; file && (one = fgetpwent(file));) {
		if (!is_entry(user, one->pw_name, one->pw_uid) || one->pw_uid > ID_MAX ||
			one->pw_gid > ID_MAX)
			continue;
		c->privileges.user = one->pw_uid;
		c->privileges.group = one->pw_gid;
		c->home = text("%s", *one->pw_dir == '/' ? one->pw_dir : "/");
		found = true;
		break;
	}
	if (file)
		fclose(file);
	file = group ? file_of_root(root, "/etc/group") : NULL;
	for (struct group *one; file && !found_group && (one = fgetgrent(file));) {
		found_group =
			is_entry(group + 1, one->gr_name, one->gr_gid) && one->gr_gid <= ID_MAX;
		c->privileges.group = found_group ? one->gr_gid : c->privileges.group;
	}
	if (file)
		fclose(file);
	if (!found_group && number_parse(group + 1, 0, ID_MAX, &number)) {
		c->privileges.group = (gid_t)number;
		found_group = true;
	}
	return found && found_group;
}

/* ---- COMMAND, which the tree of this course may lack ---- */

/* The distribution's busybox lacks programs that examples for docker use. It still fails with 127.
 */
void image_hint(const struct container *c)
{
	static const char *const folders[] = {
		"usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin"};
	const char *name = c->command[0];
	struct stat st;
	bool found = strchr(name, '/') || c->root.keep;
	for (size_t i = 0; i < sizeof folders / sizeof *folders && !found; i++) {
		autofree char *path = text("%s/%s/%s", c->root.image, folders[i], name);
		found = !lstat(path, &st);
	}
	if (!found)
		dprintf(STDERR_FILENO,
			"16-container: %s is not in the image, build/rootfs/tree; --image busybox=DIR "
			"names another folder (make guide-16)\n",
			name);
}

/* ---- --network host, --ipc host, --uts host ---- */

/* Before there is a container: later only its own namespaces can be reached by a name. */
void host_open(struct container *c)
{
	if ((c->joined || c->withheld || c->root.unmasked) && !ns_real_root()) {
		dprintf(STDERR_FILENO,
			"16-container: --privileged and the host's namespaces need root of "
			"this machine; use sudo, or scripts/lab, which takes it to the lab VM\n");
		exit(77);
	}
	if ((c->privileges.user || c->privileges.group) && !ns_real_root()) {
		dprintf(STDERR_FILENO,
			"16-container: --user: the container's user namespace maps the id 0 alone, and "
			"%u:%u needs root of this machine; use sudo, or scripts/lab, which takes it to "
			"the lab VM\n",
			c->privileges.user, c->privileges.group);
		exit(77);
	}
	c->host = c->joined ? MUST((int)syscall(SYS_pidfd_open, getpid(), 0)) : -1;
}

/*
 * The container has got all namespaces of its own, and its hostname, so that nothing before this
 * could change the host's. Now it leaves those that it is to share.
 */
void host_join(const struct container *c)
{
	if (c->joined)
		MUST(setns(c->host, c->joined));
}

/* ---- --ulimit and --oom-score-adj ---- */

/* While it is still root: a higher hard limit and a lower score need a capability. */
void settings_apply(const struct container *c)
{
	struct ulimit limit;
	for (int i = 0; c->ulimits && i < c->ulimits->count; i++) {
		ulimit_parse(c->ulimits->value[i], &limit);
		struct rlimit both = {limit.soft < 0 ? RLIM_INFINITY : (rlim_t)limit.soft,
			limit.hard < 0 ? RLIM_INFINITY : (rlim_t)limit.hard};
		if (setrlimit((__rlimit_resource_t)limit.resource, &both))
			die("setrlimit %s", c->ulimits->value[i]);
	}
	if (c->oom_score_adj && file_try_write("/proc/self/oom_score_adj", c->oom_score_adj))
		die("write \"%s\" to oom_score_adj", c->oom_score_adj);
}
