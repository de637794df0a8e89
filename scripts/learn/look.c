/*
 * What a process on the stage (stage.c) has, as the judge sees it:
 *
 *   look read PID PATH         prints a file, at most 4096 bytes
 *   look write PID PATH TEXT   writes to a file that is there
 *   look ps PID                prints how many processes its /proc lists
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define FIRST_ID 1000000 /* stage.c: of the guest's ids, the stage's 0 */

/*
 * Opens path as process pid has it, as one who has no power: a link there leads to nothing of the
 * guest's, and what only the guest's root may open stays shut.
 */
static int open_there(pid_t pid, const char *path, unsigned long long flags)
{
	struct open_how how = {.flags = flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	char root[64];

	snprintf(root, sizeof root, "/proc/%d/root", pid);
	int at = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		err(1, "%s", root);
	if (setgroups(0, NULL) || setresgid(FIRST_ID, FIRST_ID, FIRST_ID) ||
		setresuid(FIRST_ID, FIRST_ID, FIRST_ID))
		err(125, "setgroups, setresgid, setresuid");
	int fd = (int)syscall(SYS_openat2, at, path, &how, sizeof how);
	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

static void regular(int fd)
{
	struct stat is;
	if (fstat(fd, &is) || !S_ISREG(is.st_mode))
		errx(1, "expected a regular file");
}

static int look(const char *verb, pid_t pid, const char *path, const char *text)
{
	char block[4096];

	if (!strcmp(verb, "ps")) {
		struct statfs is;
		struct dirent *entry;
		int count = 0, fd = open_there(pid, "/proc", O_RDONLY | O_DIRECTORY);
		if (fstatfs(fd, &is) || is.f_type != PROC_SUPER_MAGIC)
			errx(1, "/proc is no proc");
		DIR *proc = fdopendir(fd);
		while (proc && (entry = readdir(proc)))
			count += entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
		printf("%d\n", count);
		return 0;
	}
	int fd = open_there(pid, path, text ? O_WRONLY | O_TRUNC : O_RDONLY);
	regular(fd);
	if (text)
		return write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : 1;
	ssize_t got = read(fd, block, sizeof block);
	return got < 0 || fwrite(block, 1, (size_t)got, stdout) != (size_t)got;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";

	if ((!strcmp(verb, "ps") && argc == 3) || (!strcmp(verb, "read") && argc == 4) ||
		(!strcmp(verb, "write") && argc == 5))
		return look(verb, atoi(argv[2]), argv[3], argc == 5 ? argv[4] : NULL);
	errx(2, "expected read PID PATH, write PID PATH TEXT or ps PID");
}
