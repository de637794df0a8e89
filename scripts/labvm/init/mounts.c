/* The file systems of the VM: the kernel's own, and the two disks that the host gives it. */
#define _GNU_SOURCE
/* First: before glibc 2.37 it and linux/fs.h are at odds the other way round. */
#include <sys/mount.h>

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "mounts.h"

/* The client gives the disks to QEMU in this order. A machine in a browser has one for both. */
#define SYSTEM_DISK "/dev/vda"
#define LABS_DISK "/dev/vdb"
#define ONLY_DISK "/dev/sda"

/* The disk with the tools or the labs, or NULL. */
static const char *disk_there(const char *disk)
{
	return access(disk, F_OK) == 0 ? disk : access(ONLY_DISK, F_OK) == 0 ? ONLY_DISK : NULL;
}

void mounts_add(const char *type, const char *path, unsigned long flags, const char *options)
{
	mkdir(path, 0755);
	if (mount(type, path, type, flags, options) != 0)
		log_error("mounting %s on %s: %m", type, path);
}

static bool mount_disk(const char *disk)
{
	if (mount(disk, "/mnt", "ext4", MS_RDONLY, NULL) == 0)
		return true;
	log_error("mounting %s: %m", disk);
	return false;
}

/*
 * The tools are on a disk, because unpacking them from the boot archive would delay each boot. The
 * disk is the lower layer of an overlay, and what is written to /usr stays in memory.
 */
void mounts_add_usr(void)
{
	const char *disk = disk_there(SYSTEM_DISK);

	if (!disk || !mount_disk(disk))
		return;
	mkdir("/.usr", 0755);
	mkdir("/.usr/upper", 0755);
	mkdir("/.usr/work", 0755);
	if (mount("usr", "/usr", "overlay", 0,
		    "lowerdir=/mnt/usr:/usr,upperdir=/.usr/upper,workdir=/.usr/work") != 0) {
		log_error("mounting /usr: %m");
		/* On a kernel without overlayfs, /usr is read-only and lacks our own programs. */
		mount("/mnt/usr", "/usr", NULL, MS_BIND, NULL);
	}
	umount("/mnt");
}

/*
 * pivot_root(2) refuses the kernel's first root, because no mount is above it. A bind mount of the
 * same files over that root has one. The programs that the kernel itself starts (modprobe) still
 * see the first root, so whatever they need has to be mounted before this call.
 */
void mounts_make_root_pivotable(void)
{
	if (mount("/", "/mnt", NULL, MS_BIND | MS_REC, NULL) != 0 || chdir("/mnt") != 0 ||
		mount(".", "/", NULL, MS_MOVE, NULL) != 0 || chroot(".") != 0 || chdir("/") != 0)
		log_error("making the root pivotable: %m");
}

/* Binds one file or folder of the disk to the same name below /lab, and skips what is not there. */
static bool bind_part(const char *part)
{
	char from[64], to[64];
	struct stat st;

	snprintf(from, sizeof(from), "/mnt/%s", part);
	snprintf(to, sizeof(to), "/lab/%s", part);
	if (stat(from, &st) != 0)
		return true;
	if (S_ISDIR(st.st_mode))
		mkdir(to, 0755);
	else
		close(open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	if (mount(from, to, NULL, MS_BIND, NULL) == 0)
		return true;
	log_error("mounting %s: %m", to);
	return false;
}

/* The parts have the repository's paths. They are bound one by one so that /lab itself can be
 * written to, although the disk cannot. */
bool mounts_add_labs(void)
{
	static const char *const parts[] = {
		"scripts", "tests", "build/labs", "build/bin", "build/rootfs/tree", "GUIDE.md"};
	bool done = true;

	const char *disk = disk_there(LABS_DISK);

	if (!disk)
		return true;
	if (!mount_disk(disk))
		return false;
	mkdir("/lab", 0755);
	/* /lab is a mount of its own, so that one call can detach all that is mounted below it. */
	if (mount("/lab", "/lab", NULL, MS_BIND, NULL) != 0)
		log_error("mounting /lab: %m");
	mkdir("/lab/build", 0755);
	mkdir("/lab/build/rootfs", 0755);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		done &= bind_part(parts[i]);
	umount("/mnt");
	return done;
}

bool mounts_renew_labs(void)
{
	umount2("/lab", MNT_DETACH);
	int fd = open(LABS_DISK, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		/* The kernel also caches the first block, in which it looked for partitions. */
		ioctl(fd, BLKFLSBUF);
		close(fd);
	}
	return mounts_add_labs();
}
