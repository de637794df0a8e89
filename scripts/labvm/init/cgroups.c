/* The cgroup tree of the VM. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroups.h"
#include "cmdline.h"
#include "file.h"
#include "log.h"
#include "mounts.h"

#define CGROUP "/sys/fs/cgroup"

static void enable_controllers(void)
{
	char line[512] = "", word[64];
	FILE *file = fopen(CGROUP "/cgroup.controllers", "re");

	if (file && !fgets(line, sizeof(line), file))
		line[0] = '\0';
	if (file)
		fclose(file);
	for (char *save, *name = strtok_r(line, " \n", &save); name;
		name = strtok_r(NULL, " \n", &save)) {
		snprintf(word, sizeof(word), "+%s", name);
		file_write(CGROUP "/cgroup.subtree_control", word);
	}
}

/*
 * The kernel patches its own code when the first group with a controller or a quota is made, and
 * again when the last one goes. An emulator with a thread for each CPU may be translating that code
 * at the same moment and keep running the old version: with QEMU 7.2 that CPU hung. A group that
 * stays, with everything switched on, makes the kernel patch once, at the start. With lab.alone no
 * such group is made: a controller that a group holds here could not be bound to cgroup v1.
 */
static void hold_patched_code(void)
{
	char line[CMDLINE_MAX];

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2 || cmdline_after("lab.alone", line))
		return;
	if (mkdir(CGROUP "/held", 0755) != 0)
		log_error("making the group held: %m");
	file_write(CGROUP "/held/cpu.max", "1000000 1000000");
}

void cgroups_start(void)
{
	mounts_add("cgroup2", CGROUP, MS_NOSUID | MS_NODEV | MS_NOEXEC, "nsdelegate");
	enable_controllers();
	hold_patched_code();
}
