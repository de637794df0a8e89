/*
 * tmp.c: the folder of a run in /tmp.
 */
#define _GNU_SOURCE
#include "story/tmp.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "kernel/sys.h"
#include "kernel/text.h"
#include "kernel/undo.h"
#include "story/mark.h"

const char *tmp_folder(void)
{
	static char path[64];
	sigset_t before;
	if (path[0])
		return path;
	undo_hold(&before);
	snprintf(path, sizeof path, "/tmp/lab%.2s-%d-XXXXXX", sys_name, getpid());
	if (!mkdtemp(path))
		die("mkdir %s", path);
	undo_rmdir(path);
	mark_folder(path);
	undo_release(&before);
	return path;
}

void tmp_sweep(const struct ended *run)
{
	DIR *dir = opendir("/tmp");
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		struct stat st;
		pid_t pid = 0;
		if (sscanf(entry->d_name, "lab%*2d-%d", &pid) != 1)
			continue;
		autoclose int folder = openat(
			dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		/* The lab that we have run ourselves may have become another user: lab 05. */
		if (folder < 0 || fstat(folder, &st) || (st.st_uid != geteuid() && pid != run->pid))
			continue;
		autoclose int lock = mark_folder_left(folder, entry->d_name);
		if (lock >= 0) {
			autofree char *path = text("/tmp/%s", entry->d_name);
			undo_rmdir_now(path);
		} else if (lock == NO_MARK) {
			mark_missed(dirfd(dir), entry->d_name, run);
		}
	}
	if (dir)
		closedir(dir);
}
