/*
 * /init: PID 1 of the lab VM.
 *
 * It mounts what a system mounts, loads the few drivers that it needs, and then serves sessions:
 * one command each, over one virtio-serial port each (wire.h says how). It is a C program because a
 * fork costs 20 to 30 ms without KVM, and a shell script forks for everything.
 *
 * The machine may be saved before WIRE_BEGIN comes, and restored many times. So until then nothing
 * happens that has to differ from one VM to the next.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cgroups.h"
#include "cmdline.h"
#include "drivers.h"
#include "file.h"
#include "halt.h"
#include "log.h"
#include "mounts.h"
#include "network.h"
#include "provide.h"
#include "serve.h"
#include "session.h"

static void link_to(const char *target, const char *path)
{
	if (symlink(target, path) != 0)
		log_error("linking %s: %m", path);
}

/* Descriptors 0 to 2 are occupied, so that nothing that is opened later gets one of these numbers.
 */
static void occupy_standard_streams(void)
{
	for (int fd = open("/dev/null", O_RDWR); fd >= 0 && fd < 2;)
		fd = dup(fd);
}

static void build_system(void)
{
	char line[CMDLINE_MAX];

	umask(0);
	mounts_add("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	if (cmdline_after("lab.probe", line))
		halt_machine(); /* the host only wanted to know whether this kernel boots */
	mounts_add("sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mounts_add("devtmpfs", "/dev", MS_NOSUID, "mode=755");
	occupy_standard_streams();

	drivers_load();
	mounts_add_usr();
	mounts_make_root_pivotable();

	mounts_add("devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "gid=5,mode=620,ptmxmode=666");
	mounts_add("tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777");
	mounts_add("mqueue", "/dev/mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mounts_add("tmpfs", "/tmp", MS_NOSUID | MS_NODEV, "mode=1777");
	mounts_add("tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=755");
	cgroups_start();
	link_to("/proc/self/fd", "/dev/fd");
	link_to("/proc/self/fd/0", "/dev/stdin");
	link_to("/proc/self/fd/1", "/dev/stdout");
	link_to("/proc/self/fd/2", "/dev/stderr");
	umask(022);
	/* The kernel's first root is a tmpfs, which any user may write to. */
	chmod("/", 0755);
	/* The boot archive is made without root, so it says of every file that root owns it. */
	if (chown("/home/student", 1000, 1000) != 0)
		log_error("giving /home/student to its user: %m");

	file_write("/proc/sys/kernel/hostname", "labvm");
	network_start();
	/* A program that crashes leaves its status and no core file, because a core is never
	 * written to what is not a regular file. */
	file_write("/proc/sys/kernel/core_pattern", "/dev/null");
	close(open("/etc/unboxed-vm", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	mounts_add_labs();
	provide_on_demand();
}

/*
 * lab.uptime=N: nothing is answered before the machine has run for N seconds, so a saved state is
 * as old, too. A 32-bit kernel counts its first 300 seconds as below zero, and one that limits a
 * disk panics then.
 */
static void grow_old(void)
{
	char line[CMDLINE_MAX], *age = cmdline_after("lab.uptime=", line);
	struct timespec until = {.tv_sec = age ? atoi(age) : 0};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		continue;
}

int main(void)
{
	session_init_all();
	build_system();
	grow_old();
	serve();
}
