/*
 * program.c: what a container must not get of the program that makes it. A process that enters a
 * container still runs this program, until it becomes COMMAND. Root in the container could open the
 * program's file by /proc/PID/exe and write to it, and the next user would run the changed program.
 * So the program first executes itself again, from a detached and read-only copy of its mount.
 * CVE-2019-5736; open_tree(2), mount_setattr(2), execveat(2)
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "container.h"
#include "kernel/file.h"
#include "kernel/sys.h"

int program_copy(const char *path)
{
	int fd = copy_tree(path, 0);
	if (fd >= 0 && make_read_only(fd, "", AT_EMPTY_PATH)) {
		close(fd);
		return -1;
	}
	return fd;
}

/*
 * An ordinary user may copy a mount only in a user namespace. A child that shares our
 * descriptors enters one, and we stay where we are. clone(2), CLONE_FILES
 */
static int program_copy_by_user(const char *path)
{
	enum { NONE = 255 };
	int status;
	pid_t child = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (child == 0) {
		int fd = unshare(CLONE_NEWUSER | CLONE_NEWNS) ? -1 : program_copy(path);
		_exit(fd < 0 || fd > NONE ? NONE : fd);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	return WIFEXITED(status) && WEXITSTATUS(status) != NONE ? WEXITSTATUS(status) : -1;
}

/* Whether the mount of this program is read-only, so that nobody can write to it by /proc/PID/exe.
 */
static bool program_is_protected(void)
{
	struct statvfs mount;
	errno = 0;
	return !statvfs("/proc/self/exe", &mount) && mount.f_flag & ST_RDONLY;
}

static int why_unprotected; /* an errno */

/*
 * Returns when the program cannot be written to by way of its process. Where that is refused
 * there is nothing a container could be made of either: lab_begin() says what is missing, and
 * program_expect_protected() has the last word. Before main() and the constructors of libraries,
 * because all that comes before it is done twice.
 */
__attribute__((constructor(101))) static void program_protect(int argc, char *argv[])
{
	(void)argc;
	bool is_protected = program_is_protected();
	if (is_protected ? !getenv(FILE_PROGRAM) : access("/proc/self/exe", F_OK))
		return;
	autofree char *path = file_program();
	if (is_protected) { /* execveat() has named us after the descriptor */
		prctl(PR_SET_NAME, strrchr(path, '/') + 1);
		return;
	}
	setenv(FILE_PROGRAM, path, 1);
	autoclose int fd = geteuid() == 0 ? program_copy(path) : program_copy_by_user(path);
	if (fd >= 0)
		syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
	why_unprotected = errno;
}

void program_expect_protected(void)
{
	if (program_is_protected())
		return;
	errno = errno ? errno : why_unprotected;
	die("statfs, open_tree, mount_setattr or execveat: a container could write to this program");
}

/* ---- The descriptors that COMMAND inherits ---- */

/* With a folder's, COMMAND would have a way out of its root: "cd /proc/self/fd/0". */
void refuse_folder_stdio(void)
{
	static const char *const names[] = {"standard input", "standard output", "standard error"};
	struct stat st;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (!fstat(fd, &st) && S_ISDIR(st.st_mode))
			option_usage(
				"%s: expected no folder, for COMMAND could leave its root by it",
				names[fd]);
}

/* All but 0, 1 and 2 are closed, and not only at exec(): until then each is a way by
 * /proc/self/fd. Returns the number under which channel is kept; -1 for none. CVE-2024-21626 */
int close_descriptors(int channel)
{
	enum { KEPT = STDERR_FILENO + 1 };
	if (channel > KEPT)
		MUST(dup3(channel, KEPT, O_CLOEXEC));
	MUST(syscall(SYS_close_range, (unsigned)KEPT + (channel >= KEPT), ~0U, 0U));
	return channel >= KEPT ? KEPT : -1;
}
