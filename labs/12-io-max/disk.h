/*
 * The scratch device and its accounts: plumbing of main.c and more.c. What is
 * written to it is lost, so it is the lab VM's own, or one that was named twice
 * over: --device PATH and --scratch.
 */
#pragma once

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
#include "story/lab.h"

enum { PLACE = 32 << 20 }; /* the labs write to its first bytes only */

static const char *device; /* its path */
static bool scratch;       /* --scratch */
static char *numbers;      /* "1:0", its name in io.max and io.stat */

#define DISK "a whole disk, not in use"

/* Nobody else's lab writes to it until what this returns is closed; flock(2). */
static int disk_lock(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die("open %s", path);
	while (flock(fd, LOCK_EX))
		if (errno != EINTR)
			die("flock %s", path);
	return fd;
}

/* What a path is; O_EXCL finds out who has mounted it, open(2). */
static const char *disk_is(const char *path)
{
	struct stat st;
	if (stat(path, &st) || !S_ISBLK(st.st_mode))
		return "no block device";
	autofree char *partition =
		text("/sys/dev/block/%u:%u/partition", major(st.st_rdev), minor(st.st_rdev));
	if (access(partition, F_OK) == 0)
		return "a partition";
	autoclose int lock = disk_lock(path); /* two who ask at once would find each other */
	autoclose int fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);
	unsigned long long size = 0;
	if (fd < 0)
		return errno == EBUSY ? "in use" : errno_name(errno);
	if (ioctl(fd, BLKGETSIZE64, &size) || size < PLACE)
		return "smaller than 32 MiB";
	return DISK;
}

/* Between lab_parse() and lab_begin(): a device of one's own must be meant. */
static void disk_option(struct lab *lab)
{
	if (!device)
		return;
	if (!scratch)
		option_usage("--device %s: expected --scratch as well, for all on it will be lost",
			device);
	const char *is = disk_is(device);
	if (strcmp(is, DISK))
		option_usage("--device %s: expected %s, and it is %s", device, DISK, is);
	lab->needs.block = false; /* the lab VM's is not needed */
}

/* After lab_begin(). */
static void disk_begin(void)
{
	static struct machine machine;
	struct stat st;
	machine_here(&machine);
	device = device ? device : machine.block;
	if (stat(device, &st))
		die("the scratch device: stat '%s'", device);
	numbers = text("%u:%u", major(st.st_rdev), minor(st.st_rdev));
}

/* A number of the device's line in io.stat or io.max, "wbytes"; 0 where there is none. */
static long long io_value(const char *group, const char *file, const char *key)
{
	autofree char *content = cg_read(group, file), *wanted = text(" %s=", key);
	size_t length = strlen(numbers);
	for (char *line = strtok(content, "\n"); line; line = strtok(NULL, "\n")) {
		const char *found = strstr(line, wanted);
		if (!strncmp(line, numbers, length) && line[length] == ' ' && found)
			return atoll(found + strlen(wanted));
	}
	return 0;
}

static long long io_stat(const char *group, const char *key)
{
	return io_value(group, "io.stat", key);
}

/* One write to io.max, "1:0 rbps=4194304"; what else stands in that line stays. */
static bool limit(const char *group, const char *key, long long value, const char *what)
{
	autofree char *line = text("%s %s=%lld", numbers, key, value);
	cg_write(group, "io.max", line);
	return expect_int(what, value, io_value(group, "io.max", key));
}
