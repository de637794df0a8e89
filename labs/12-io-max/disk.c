#define _GNU_SOURCE
#include "disk.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/sys.h"
#include "machine/machine.h"

const char *disk_path;
bool disk_scratch;
char *disk_numbers;

static int lock(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die("open %s", path);
	while (flock(fd, LOCK_EX))
		if (errno != EINTR)
			die("flock %s", path);
	return fd;
}

int disk_lock(void)
{
	return lock(disk_path);
}

const char *disk_kind(const char *path)
{
	struct stat st;
	if (stat(path, &st) || !S_ISBLK(st.st_mode))
		return "no block device";
	autofree char *partition =
		text("/sys/dev/block/%u:%u/partition", major(st.st_rdev), minor(st.st_rdev));
	if (access(partition, F_OK) == 0)
		return "a partition";
	/* Without the lock, two runs that ask at the same time would find each other's O_EXCL. */
	autoclose int locked = lock(path);
	autoclose int fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);
	unsigned long long size = 0;
	if (fd < 0)
		return errno == EBUSY ? "in use" : errno_name(errno);
	if (ioctl(fd, BLKGETSIZE64, &size) || size < DISK_SIZE)
		return "smaller than 32 MiB";
	return DISK;
}

void disk_check_option(struct lab *lab)
{
	if (!disk_path)
		return;
	if (!disk_scratch)
		option_usage("--device %s: expected --scratch as well, because the lab overwrites "
			     "the disk",
			disk_path);
	const char *kind = disk_kind(disk_path);
	if (strcmp(kind, DISK))
		option_usage("--device %s: expected %s, found %s", disk_path, DISK, kind);
	lab->needs.block = false; /* The lab VM's disk is not needed then. */
}

void disk_find(void)
{
	static struct machine machine;
	struct stat st;
	machine_here(&machine);
	disk_path = disk_path ? disk_path : machine.block;
	if (stat(disk_path, &st))
		die("the scratch disk: stat '%s'", disk_path);
	disk_numbers = text("%u:%u", major(st.st_rdev), minor(st.st_rdev));
}

static long long value(const char *group, const char *file, const char *key)
{
	autofree char *content = cg_read(group, file), *wanted = text(" %s=", key);
	size_t length = strlen(disk_numbers);
	for (char *line = strtok(content, "\n"); line; line = strtok(NULL, "\n")) {
		const char *found = strstr(line, wanted);
		if (!strncmp(line, disk_numbers, length) && line[length] == ' ' && found)
			return atoll(found + strlen(wanted));
	}
	return 0;
}

long long io_max(const char *group, const char *key)
{
	return value(group, "io.max", key);
}

long long io_stat(const char *group, const char *key)
{
	return value(group, "io.stat", key);
}
