/*
 * compile SOURCE OUT [FLAG...]: gcc with these flags, in a box, because the source is a stranger's:
 * what it includes, how much it is and how long it takes is his to choose. The compiler reads its
 * own places and a copy of SOURCE, and writes one folder, which is gone afterwards. Landlock holds
 * it there, or, where the kernel has none, a mount namespace. landlock(7), mount_namespaces(7)
 *
 * Status: 0, 1 it does not compile, 2 wrong usage or no regular file, 3 the box could not be made,
 * 77 this machine has none.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MEBI ((rlim_t)1 << 20)
#define MAX_SOURCE (1 * MEBI)
#define MAX_FILE (32 * MEBI)
#define MAX_MEMORY (1024 * MEBI)
#define MAX_CPU 20      /* seconds, of each of gcc's processes */
#define MAX_TIME 60     /* seconds, of all */
#define ROOM (8 * MEBI) /* for gcc, which fails without it */
#define MAX_SAID 0x4000 /* bytes of the compiler's words that are passed on */

enum { NO_BOX = 77, BROKEN = 3 };

/* What a compiler consists of. Some are links or are missing, as the distribution has it. */
static const char *const places[] = {"/bin", "/lib", "/lib32", "/lib64", "/libx32", "/usr/bin",
	"/usr/include", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec", "/usr/libx32",
	"/etc/ld.so.cache"};
#define PLACES (sizeof places / sizeof *places)

/* ==== Landlock ==== */

/* linux/landlock.h of the oldest distribution lacks some; all that a version knows are asked for.
 */
struct ruleset {
	uint64_t fs, net, scoped;
};
struct __attribute__((packed)) beneath {
	uint64_t access;
	int32_t fd;
};
enum { EXECUTE = 1 << 0, READ_FILE = 1 << 2, READ_DIR = 1 << 3 };

/* The version of this kernel's Landlock, 0 where it has none. */
static int landlock_version(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
	return version > 0 ? (int)version : 0;
}

static void allow(int ruleset, const char *path, uint64_t access)
{
	struct beneath rule = {.fd = open(path, O_PATH | O_CLOEXEC)};
	struct stat is;
	if (rule.fd < 0 && errno == ENOENT)
		return;
	if (rule.fd < 0 || fstat(rule.fd, &is))
		err(BROKEN, "%s", path);
	rule.access = S_ISDIR(is.st_mode) ? access : access & ~(uint64_t)READ_DIR;
	if (syscall(SYS_landlock_add_rule, ruleset, 1, &rule, 0))
		err(BROKEN, "Landlock, %s", path);
	close(rule.fd);
}

static void restrict_by_landlock(int version)
{
	/* How many accesses to files each version knows, the last for all that come later. */
	static const int known[] = {0, 13, 14, 15, 15, 16};
	int last = sizeof known / sizeof *known - 1;
	struct ruleset all = {
		.fs = (1u << known[version < last ? version : last]) - 1,
		.net = version >= 4 ? 3 : 0,    /* bind and connect, TCP */
		.scoped = version >= 6 ? 3 : 0, /* abstract sockets and signals */
	};
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
	if (ruleset < 0)
		err(BROKEN, "landlock_create_ruleset");
	for (size_t i = 0; i < PLACES; i++)
		allow(ruleset, places[i], EXECUTE | READ_FILE | READ_DIR);
	allow(ruleset, ".", all.fs & ~(uint64_t)EXECUTE);
	if (syscall(SYS_landlock_restrict_self, ruleset, 0))
		err(BROKEN, "landlock_restrict_self");
}

/* ==== A root of its own, where there is no Landlock ==== */

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(BROKEN, "%s", path);
	close(fd);
}

/* Binds from at to, below ".", read-only; the flags that the mount has are locked in a user
 * namespace. */
static void bind_read_only(const char *from, const char *to)
{
	struct statvfs is;
	if (mount(from, to, NULL, MS_BIND, NULL) || statvfs(to, &is))
		err(BROKEN, "bind %s", from);
	unsigned long flags = is.f_flag & (ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_NOATIME |
						  ST_NODIRATIME | ST_RELATIME);
	if (mount(NULL, to, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, NULL))
		err(BROKEN, "%s, read-only", from);
}

/* Becomes an inhabitant of a root that has nothing but places and, at /work, the folder we are in.
 */
static void restrict_by_namespaces(void)
{
	char map[64], link[PATH_MAX];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC))
		errx(NO_BOX,
			"this kernel has no Landlock (it begins with 5.13), and no user namespace for us (%s): "
			"the sysctls user.max_user_namespaces and kernel.unprivileged_userns_clone allow it",
			strerror(errno));
	snprintf(map, sizeof map, "%u %u 1", uid, uid);
	write_file("/proc/self/uid_map", map);
	write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof map, "%u %u 1", gid, gid);
	write_file("/proc/self/gid_map", map);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		mount("box", "../root", "tmpfs", MS_NOSUID | MS_NODEV, "size=64k"))
		err(BROKEN, "mount");
	if (mkdir("../root/work", 0700) || mount(".", "../root/work", NULL, MS_BIND, NULL))
		err(BROKEN, "bind the folder");
	if (chdir("../root") || mkdir("usr", 0755) || mkdir("etc", 0755))
		err(BROKEN, "a root");
	for (size_t i = 0; i < PLACES; i++) {
		const char *path = places[i], *name = path + 1;
		struct stat is;
		if (lstat(path, &is))
			continue;
		if (S_ISLNK(is.st_mode)) {
			ssize_t length = readlink(path, link, sizeof link - 1);
			link[length > 0 ? length : 0] = '\0';
			if (symlink(link, name))
				err(BROKEN, "%s", path);
			continue;
		}
		int file = S_ISDIR(is.st_mode) ? mkdir(name, 0755) : mknod(name, S_IFREG | 0644, 0);
		if (file)
			err(BROKEN, "%s", path);
		bind_read_only(path, name);
	}
	if (syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) ||
		mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV,
			NULL) ||
		chdir("/work"))
		err(BROKEN, "pivot_root");
}

/* ==== The compiler ==== */

static void limit(int resource, rlim_t most)
{
	struct rlimit both = {most, most};
	if (setrlimit(resource, &both))
		err(BROKEN, "setrlimit");
}

/* In the folder, with name in it: becomes gcc. What it says goes to fd. */
static _Noreturn void become_compiler(const char *name, char **flags, int count, int fd)
{
	char *words[count + 8];
	int at = 0, version = landlock_version();
	int empty = open("/dev/null", O_RDONLY | O_CLOEXEC);

	setpgid(0, 0);
	/* Its temporary files are beside the copy. Of the caller's variables some are paths to
	 * search. */
	clearenv();
	setenv("PATH", "/usr/bin:/bin", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	if (empty < 0 || dup2(empty, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		err(BROKEN, "descriptors");
	closefrom(3);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_PDEATHSIG, SIGKILL))
		err(BROKEN, "prctl");
	if (version)
		restrict_by_landlock(version);
	else
		restrict_by_namespaces();
	limit(RLIMIT_CPU, MAX_CPU);
	limit(RLIMIT_AS, MAX_MEMORY);
	limit(RLIMIT_FSIZE, MAX_FILE);
	limit(RLIMIT_CORE, 0);
	setenv("TMPDIR", version ? "." : "/work", 1);

	words[at++] = "gcc";
	words[at++] = "-std=gnu11";
	words[at++] = "-fmax-errors=20";
	words[at++] = "-pipe"; /* the assembler's messages name no temporary file */
	for (int i = 0; i < count; i++)
		words[at++] = flags[i];
	words[at++] = (char *)name;
	words[at++] = "-o";
	words[at++] = "out";
	words[at] = NULL;
	execvp(words[0], words);
	err(NO_BOX, "gcc (make setup installs it)");
}

/* ==== Outside: the keeper ==== */

static int forget(const char *path, const struct stat *is, int type, struct FTW *walk)
{
	(void)is, (void)type, (void)walk;
	return remove(path);
}

/* Copies what from holds to a new file; at most most bytes. Of more errno is EFBIG. */
static bool copy(int from, int to, rlim_t most)
{
	char block[65536];
	ssize_t got;
	while ((got = read(from, block, sizeof block)) > 0) {
		ssize_t put;
		if ((rlim_t)got > most) {
			errno = EFBIG;
			return false;
		}
		if ((put = write(to, block, (size_t)got)) < 0)
			return false;
		errno = ENOSPC; /* what a write that is cut has met */
		if (put != got)
			return false;
		most -= (rlim_t)got;
	}
	return got == 0;
}

/*
 * Whether the folder that we are in, which has been emptied, has no room for a program. What a
 * source makes the compiler write is gone, so no source can bring it about.
 */
static bool is_full(void)
{
	int fd = open("trial", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int error = fd < 0 ? errno : posix_fallocate(fd, 0, ROOM);
	if (fd >= 0) {
		close(fd);
		unlink("trial");
	}
	return error == ENOSPC || error == EDQUOT;
}

static int no_room(const char *folder)
{
	warnx("%s: no space left", folder);
	return BROKEN;
}

/* The source could not be copied: its fault, or the folder's. Returns the status. */
static int refuse(const char *name, const char *folder)
{
	if (errno == EFBIG) {
		warnx("%s: expected a source of at most 1 MiB", name);
		return 1;
	}
	if (errno == ENOSPC || errno == EDQUOT)
		return no_room(folder);
	warn("%s", folder);
	return BROKEN;
}

/* Passes on what comes, but bytes that a terminal would obey. False at its end. */
static bool pass_on(int from, size_t *said)
{
	unsigned char block[4096];
	ssize_t got = read(from, block, sizeof block);
	for (ssize_t i = 0; i < got; i++)
		if ((block[i] < ' ' && block[i] != '\n' && block[i] != '\t') || block[i] == 127)
			block[i] = '?';
	if (got > 0 && write(STDERR_FILENO, block, (size_t)got) < 0)
		return false;
	*said += got > 0 ? (size_t)got : 0;
	return got > 0;
}

/*
 * Waits for the compiler; alive is a pipe whose end says that whoever asked for this is gone,
 * killed too. Returns the status.
 */
static int watch(pid_t compiler, int words, int alive)
{
	struct pollfd on[] = {{.fd = words, .events = POLLIN}, {.fd = alive, .events = POLLIN}};
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	time_t end = now.tv_sec + MAX_TIME;
	size_t said = 0;
	int status;
	bool late = false, whole = true;

	for (;;) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		late = now.tv_sec >= end;
		if (late || (poll(on, 2, (int)(end - now.tv_sec) * 1000) < 0 && errno != EINTR) ||
			on[1].revents)
			break;
		whole = said < MAX_SAID;
		if (!whole || (on[0].revents && !pass_on(words, &said)))
			break;
	}
	if (late)
		warnx("the compiler was not done in %d s", MAX_TIME);
	if (!whole)
		warnx("the compiler complained too much");
	if (late || !whole || on[1].revents)
		kill(-compiler, SIGKILL);
	while (waitpid(compiler, &status, 0) < 0 && errno == EINTR)
		;
	kill(-compiler, SIGKILL); /* what gcc has started and not waited for */
	if (WIFEXITED(status) && (WEXITSTATUS(status) == BROKEN || WEXITSTATUS(status) == NO_BOX))
		return WEXITSTATUS(status);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}

/* Of a session of its own, so that a signal to the caller's leaves it: it clears away. */
static int keep(int source, const char *name, const char *out, char **flags, int count, int alive)
{
	const char *temporary = getenv("TMPDIR");
	char folder[PATH_MAX];
	int words[2];

	snprintf(folder, sizeof folder, "%s/unboxed-compile.XXXXXX",
		temporary && *temporary == '/' ? temporary : "/tmp");
	setsid();
	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(folder)) {
		if (errno == ENOSPC || errno == EDQUOT)
			exit(no_room(dirname(folder)));
		err(BROKEN, "%s", folder);
	}
	pid_t compiler = -1;
	int status = BROKEN, to = -1;
	if (chdir(folder) || mkdir("root", 0700) || mkdir("work", 0700) || chdir("work") ||
		(to = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0 ||
		pipe2(words, O_CLOEXEC))
		warn("%s", folder);
	else if (!copy(source, to, MAX_SOURCE))
		status = refuse(name, folder);
	else if ((compiler = fork()) == 0)
		become_compiler(name, flags, count, words[1]);
	else if (compiler < 0)
		warn("fork");
	if (compiler > 0) {
		close(words[1]);
		status = watch(compiler, words[0], alive);
	}
	if (status == 0) {
		struct stat is;
		int made = open("out", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (made < 0 || fstat(made, &is) || !S_ISREG(is.st_mode))
			warnx("the compiler has made no program"), status = 1;
		else if ((to = open(out, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755)) < 0 ||
			 !copy(made, to, MAX_FILE))
			warn("%s", out), unlink(out), status = BROKEN;
	}
	if (status == 1 && chdir(folder) == 0) {
		nftw("work", forget, 8, FTW_DEPTH | FTW_PHYS);
		if (is_full())
			status = no_room(folder);
	}
	if (chdir("/") == 0)
		nftw(folder, forget, 8, FTW_DEPTH | FTW_PHYS);
	return status;
}

int main(int argc, char **argv)
{
	char out[PATH_MAX];
	struct stat is;
	int alive[2], status;

	if (argc < 3)
		errx(2, "expected SOURCE OUT [FLAG...]");
	/* To open a device or a FIFO does something already; to look at it by its path does not. */
	int source = open(argv[1], O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (source < 0 || fstat(source, &is))
		err(2, "%s", argv[1]);
	if (!S_ISREG(is.st_mode))
		errx(2, "%s: expected a regular file", argv[1]);
	snprintf(out, sizeof out, "/proc/self/fd/%d", source);
	source = open(out, O_RDONLY | O_CLOEXEC);
	if (source < 0)
		err(2, "%s", argv[1]);
	if (unlink(argv[2]) && errno != ENOENT)
		err(2, "%s", argv[2]);
	const char *slash = strrchr(argv[2], '/');
	char *parent = slash ? strndup(argv[2], (size_t)(slash - argv[2]) + 1) : strdup(".");
	if (!parent || !realpath(parent, out))
		err(2, "%s", argv[2]);
	free(parent);
	size_t length = strlen(out);
	snprintf(out + length, sizeof out - length, "/%s", slash ? slash + 1 : argv[2]);
	slash = strrchr(argv[1], '/');
	if (pipe2(alive, O_CLOEXEC))
		err(BROKEN, "pipe");
	pid_t keeper = fork();
	if (keeper < 0)
		err(BROKEN, "fork");
	if (keeper == 0) {
		close(alive[1]);
		_exit(keep(source, slash ? slash + 1 : argv[1], out, argv + 3, argc - 3, alive[0]));
	}
	while (waitpid(keeper, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : BROKEN;
}
