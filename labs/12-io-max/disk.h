/*
 * The scratch device and its accounts: plumbing of main.c and more.c. What is
 * written to it is lost, so it is the lab VM's own, or one that was named twice
 * over: --device PATH and --scratch.
 */
#pragma once

#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cg.h"
#include "file.h"
#include "lab.h"
#include "machine.h"
#include "sys.h"

enum { PLACE = 32 << 20 }; /* the labs write to its first bytes only */

static const char *device; /* its path */
static bool scratch;       /* --scratch */
static char *numbers;      /* "1:0", its name in io.max and io.stat */

#define DISK "a whole disk, not in use"

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
	autoclose int lock = cpu_lock(); /* two who ask at once would find each other */
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
		lab_usage("--device %s: expected --scratch as well, for all on it will be lost",
			device);
	const char *is = disk_is(device);
	if (strcmp(is, DISK))
		lab_usage("--device %s: expected %s, and it is %s", device, DISK, is);
	lab->needs.block = false; /* the lab VM's is not needed */
}

/* After lab_begin(). */
static void disk_begin(void)
{
	static struct machine machine;
	struct stat st;
	machine_read(&machine, "/");
	device = device ? device : machine.block;
	if (stat(device, &st))
		die("the scratch device: stat '%s'", device);
	numbers = text("%u:%u", major(st.st_rdev), minor(st.st_rdev));
}

/* "rbytes", "wios" ... of the device in the group's io.stat; 0 where it has no line. */
static long long io_stat(const char *group, const char *key)
{
	autofree char *stat = cg_read(group, "io.stat"), *wanted = text(" %s=", key);
	size_t length = strlen(numbers);
	for (char *line = strtok(stat, "\n"); line; line = strtok(NULL, "\n")) {
		const char *found = strstr(line, wanted);
		if (!strncmp(line, numbers, length) && line[length] == ' ' && found)
			return atoll(found + strlen(wanted));
	}
	return 0;
}

/* Writes a line of io.max, and holds what the kernel made of it beside what it must be. */
static bool limited_by(const char *group, const char *what, const char *limit, const char *line)
{
	autofree char *written = text("%s %s", numbers, limit);
	autofree char *expected = text("%s %s", numbers, line);
	cg_write(group, "io.max", written);
	autofree char *read_back = cg_read(group, "io.max");
	return expect_str(what, expected, read_back);
}
