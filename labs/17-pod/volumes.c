/*
 * volumes.c: the volumes of a Pod. They are folders of the kubelet, which is what containers mount.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "pod.h"

static void write_new_file(const char *path, const char *content)
{
	autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || !file_write_all(fd, content, strlen(content)))
		die("open, write %s", path);
}

/* path and the folders above it, 0755 as the kubelet and containerd make them. */
static bool make_folders(const char *path)
{
	autofree char *part = text("%s", path);
	for (char *at = part; (at = strchr(at + 1, '/'));) {
		*at = '\0';
		if (mkdir(part, 0755) && errno != EEXIST)
			return false;
		*at = '/';
	}
	return !mkdir(part, 0755) || errno == EEXIST;
}

/*
 * What is not there is made where the type says so; without a type it is containerd that makes a
 * folder. checkType() in pkg/volume/hostpath/host_path.go, and WithMounts() of containerd.
 */
static const char *host_path_wrong(const struct volume *v)
{
	static const struct {
		const char *type, *words;
		mode_t mode;
	} types[] = {{"Directory", "is not a directory", S_IFDIR},
		{"DirectoryOrCreate", "is not a directory", S_IFDIR},
		{"File", "is not a file", S_IFREG}, {"FileOrCreate", "is not a file", S_IFREG},
		{"Socket", "is not a socket", S_IFSOCK},
		{"CharDevice", "is not a character device", S_IFCHR},
		{"BlockDevice", "is not a block device", S_IFBLK}};
	const char *type = v->host_type ? v->host_type : "";
	struct stat st;
	if (*v->host_path != '/') /* the kubelet would look below its own folder */
		return "is no absolute path";
	if (stat(v->host_path, &st) && errno == ENOENT) {
		if (!*type || !strcmp(type, "DirectoryOrCreate")) {
			if (!make_folders(v->host_path))
				return "cannot be made";
			lab_note("hostPath %s was not there: made, 0755", v->host_path);
		} else if (!strcmp(type, "FileOrCreate")) {
			autoclose int fd =
				open(v->host_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
			if (fd < 0)
				return "cannot be made";
			lab_note("hostPath %s was not there: made, 0644", v->host_path);
		}
	}
	if (stat(v->host_path, &st))
		return "does not exist";
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (!strcmp(types[i].type, type) && (st.st_mode & S_IFMT) != types[i].mode)
			return types[i].words;
	return NULL;
}

char *volume_wrong(const struct volume *v)
{
	mode_t mask = umask(0);
	const char *wrong = v->host.line ? host_path_wrong(v) : NULL;
	umask(mask);
	if (wrong)
		return text("hostPath type check failed: %s %s", v->host_path, wrong);
	if (v->config.line && !v->map && !v->optional.is)
		return text("configmap \"%s\" not found", v->config_name);
	if (v->medium && *v->medium && strcmp(v->medium, "Memory") != 0 &&
		strncmp(v->medium, "HugePages", 9) != 0)
		return text("unknown storage medium \"%s\"", v->medium);
	return NULL;
}

/*
 * A way to source that needs no right to search the folders above it: root of a user namespace has
 * none where they are a user's alone.
 */
static void bring(const char *source, const char *here)
{
	struct stat st;
	MUST(stat(source, &st));
	if (S_ISDIR(st.st_mode))
		MUST(mkdir(here, 0755));
	else
		write_new_file(here, "");
	MUST(mount(source, here, NULL, MS_BIND | MS_REC, NULL));
}

static void volume_make(const struct pod *pod, const struct volume *v)
{
	autofree char *path = text("volumes/%s", v->name);
	if (v->host.line) {
		if (has_user_namespace(pod))
			bring(v->host_path, path);
		return;
	}
	if (mkdir(path, 0777))
		die("mkdir %s", path);
	if (v->medium && !strcmp(v->medium, "Memory")) {
		long long bytes = volume_size(pod, v);
		autofree char *size = bytes ? text("mode=777,size=%lld", bytes) : text("mode=777");
		MUST(mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, size));
	}
	for (size_t i = 0; v->map && i < v->map->data.count; i++) {
		autofree char *file = text("%s/%s", path, v->map->data.item[i].name);
		write_new_file(file, v->map->data.item[i].value);
	}
}

/* The folder for the kubelet's tmpfs: no image and no hostPath may be below it. */
static const char *kubelet_folder(const struct pod *pod)
{
	struct bind_mount sources[container_count(pod) + pod->volumes.count];
	struct root all = {.image = file_rootfs(), .volumes = sources};
	for (size_t i = 0; i < container_count(pod); i++)
		if (container_at(pod, i)->rootfs)
			sources[all.volume_count++].source =
				realpath(container_at(pod, i)->rootfs, NULL);
	for (size_t i = 0; i < pod->volumes.count; i++)
		if (pod->volumes.item[i].host.line)
			sources[all.volume_count++].source =
				realpath(pod->volumes.item[i].host_path, NULL);
	return staging_folder(&all);
}

void hosts_write(const struct sandbox *s)
{
	autofree char *hosts =
		text("127.0.0.1\tlocalhost\n%s\t%s\n", s->address, pod_hostname(s->pod));
	autofree char *file = text("%s/hosts", s->folder);
	write_new_file(file, hosts);
}

/* In a mount namespace of the kubelet's own, so all mounts end with its last process. */
void volumes_make(struct sandbox *s)
{
	static const char *folder;
	mode_t mask = umask(0);
	if (!folder) {
		MUST(unshare(CLONE_NEWNS));
		if (ns_inode(0, "mnt") != host_ns[MNT])
			MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
		autofree char *table = ns_mount_table(host_ns[MNT]);
		if (!expect_str("kubelet: its mount table", "own, private", table))
			exit(lab_end());
		host_ns[MNT] = ns_inode(0, "mnt"); /* no container may be in the kubelet's either */
		folder = kubelet_folder(s->pod);
		MUST(mount("lab17", folder, "tmpfs", MS_NOSUID, "mode=755"));
	}
	s->folder = text("%s/%s", folder, s->uid);
	if (mkdir(s->folder, 0755) || chdir(s->folder) || mkdir("volumes", 0755) ||
		mkdir("images", 0755) || mkdir("shm", 01777))
		die("mkdir, chdir %s", s->folder);
	MUST(mount(
		"shm", "shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=65536k"));
	for (size_t i = 0; i < s->pod->volumes.count; i++)
		volume_make(s->pod, &s->pod->volumes.item[i]);
	for (size_t i = 0; i < s->pod->claims.count; i++)
		volume_make(s->pod, &s->pod->claims.item[i]);
	for (size_t i = 0; has_user_namespace(s->pod) && i < container_count(s->pod); i++) {
		autofree char *image = image_of(container_at(s->pod, i)),
			      *here = text("images/%s", container_at(s->pod, i)->name);
		bring(image, here);
	}
	umask(mask);
}
