/*
 * More of 15-security-context: the field without a system call, what exec() does to capabilities,
 * a read-only root with a volume, masked paths in /proc, and security modules. capabilities(7),
 * landlock(7), Documentation/admin-guide/LSM/index.rst
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kernel/file.h"
#include "kernel/mounts.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "program.h"
#include "story/lab.h"
#include "words.h"

enum { USER = 1000 };

static const struct lab lab = {
	.id = "15-security-context/more",
	.title = "What is left, and who else may refuse",
	.goal = "One field is a comparison that the kubelet makes. Capabilities come back by "
		"exec() alone, a masked path is only a mount, and security modules are asked last.",
	.manual = "capabilities(7) prctl(2) landlock(7) mount(2) proc_sys(5)",
	.teaches = "prctl:PR_CAP_AMBIENT prctl:PR_CAPBSET_DROP prctl:PR_SET_KEEPCAPS capset "
		   "mount:MS_RDONLY mount:MS_BIND umount2 "
		   "landlock_create_ruleset landlock_add_rule landlock_restrict_self",
	.after = "15-security-context",
	.needs = {.root = true},
	.words = &more_words,
	.story_only = true,
};

static struct gate done, go;
static const char *const place = "/mnt", *const file = "/mnt/file";

/* The C library has this function, but no header declares it. */
int capset(cap_user_header_t header, cap_user_data_t data);

static int landlock_create_ruleset(struct landlock_ruleset_attr *attr, size_t size, unsigned flags)
{
	return (int)syscall(SYS_landlock_create_ruleset, attr, size, flags);
}

static int landlock_add_rule(int ruleset, int type, struct landlock_path_beneath_attr *rule)
{
	return (int)syscall(SYS_landlock_add_rule, ruleset, type, rule, 0);
}

static int landlock_restrict_self(int ruleset)
{
	return (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
}

static void become_user(void)
{
	if (setgroups(0, NULL) || setresgid(USER, USER, USER) || setresuid(USER, USER, USER))
		die("setgroups, setresgid, setresuid");
}

/* A child whose root is not its own ends before it changes anything. */
static _Noreturn void leave(void)
{
	gate_open(&done);
	_exit(1);
}

/* Starts the container's program in a child that has made the calls of knobs() before exec(). */
static pid_t start(void (*knobs)(void))
{
	pid_t child = MUST(fork());
	if (child == 0) {
		if (knobs)
			knobs();
		program_exec(NULL);
	}
	program_wait(child);
	return child;
}

/* The kubelet compares two numbers before it asks the runtime for a container. */
static pid_t container(uid_t user, bool run_as_non_root)
{
	if (run_as_non_root && user == 0)
		return 0; /* CreateContainerConfigError */
	return start(user ? become_user : NULL);
}

static void run_as_non_root(void)
{
	pid_t refused = container(0, true), user = container(USER, true),
	      root = container(0, false);
	autofree char *of_root = proc_status(root, "Uid"), *of_user = proc_status(user, "Uid");
	autofree char *kernel = proc_status(root, "NoNewPrivs"),
		      *ours = proc_status(0, "NoNewPrivs");
	expect_int("runAsNonRoot, uid 0: processes", 0, refused != 0);
	expect_str("runAsNonRoot, uid 1000: its Uid", "1000 1000 1000 1000", of_user);
	expect_str("control: uid 0 without it: its Uid", "0 0 0 0", of_root);
	expect_str("and no line has moved: NoNewPrivs", ours, kernel);
	lab_look("grep Uid /proc/%d/status /proc/%d/status", root, user);
	lab_wait(root);
	MUST(kill(root, SIGKILL)), child_wait(root);
	MUST(kill(user, SIGKILL)), child_wait(user);
}

/* ---- Capabilities and exec() ---- */

static void drop_chown_from_bounding_set(void)
{
	SYS(prctl(PR_CAPBSET_DROP, CAP_CHOWN, 0, 0, 0));
	expect_errno("bounding set only: chown()", 0, chown(file, 0, (gid_t)-1));
}

/* For a user, capabilities.add has an effect only with the ambient set, which Kubernetes leaves
 * empty. */
static void keep_chown(bool ambient)
{
	struct __user_cap_header_struct version = {.version = _LINUX_CAPABILITY_VERSION_3};
	unsigned int only = 1U << CAP_CHOWN;
	struct __user_cap_data_struct sets[2] = {{only, only, only}, {0}};
	prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0); /* else setresuid() empties the sets */
	become_user();
	if (capset(&version, sets))
		die("capset");
	if (ambient)
		SYS(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
}

static void keep_plain(void)
{
	keep_chown(false);
}

static void keep_ambient(void)
{
	keep_chown(true);
}

/* Starts the program so, reads its effective set, and ends it. */
static char *effective_after(void (*knobs)(void))
{
	pid_t child = start(knobs);
	char *set = proc_status(child, "CapEff");
	MUST(kill(child, SIGKILL));
	child_wait(child);
	return set;
}

static void capabilities(void)
{
	autofree char *ours = proc_status(0, "CapEff"), *bounding = proc_status(0, "CapBnd");
	autofree char *less = text("%016llx", strtoull(ours, NULL, 16) & ~(1ULL << CAP_CHOWN));
	autofree char *bounded = effective_after(drop_chown_from_bounding_set);
	expect_str("bounding set only: CapEff after exec()", less, bounded);
	autofree char *plain = effective_after(keep_plain), *kept = effective_after(keep_ambient);
	expect_str("a user, added: CapEff after exec()", "0000000000000000", plain);
	expect_str("a user, ambient: CapEff after exec()", "0000000000000001", kept);
	pid_t child = start(become_user);
	autofree char *set = proc_status(child, "CapBnd");
	expect_str("a user: CapBnd", bounding, set);
	lab_look("grep Cap /proc/%d/status", child);
	lab_wait(child);
	MUST(kill(child, SIGKILL));
	child_wait(child);
}

/* ---- Mounts ---- */

static int new_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	return fd < 0 ? -1 : close(fd); /* an open file would make the remount fail with EBUSY */
}

static _Noreturn void read_only_root(void)
{
	struct stat host, root;
	MUST(unshare(CLONE_NEWNS)); /* a copy of the lab's own table, which is private */
	MUST(stat("/", &host));
	SYS(chroot(place), place); /* a runtime calls pivot_root(), lab 02 */
	/* What becomes read-only is not the host's root. */
	if (stat("/", &root) ||
		!expect_differ("its root", (long long)host.st_dev, (long long)root.st_dev))
		leave();
	expect_errno("before: open() of a new file", 0, new_file("/new"));
	SYS(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	expect_errno("read-only root: a new file", EROFS, new_file("/other"));
	expect_errno("read-only root: in a volume", 0, new_file("/tmp/new"));
	gate_open(&done);
	child_idle();
}

/* Bytes of a file's first page; names in a folder. -1 where it cannot be read. */
static int content_of(const char *path)
{
	char page[4096];
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -1 : (int)read(fd, page, sizeof page);
}

static int names_in(const char *path)
{
	int names = -2; /* . and .. */
	DIR *folder = opendir(path);
	while (folder && readdir(folder))
		names++;
	if (folder)
		closedir(folder);
	return folder ? names : -1;
}

static _Noreturn void masked(void)
{
	struct __user_cap_header_struct version = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};
	const char *keys = "/proc/keys", *folder = "/sys/firmware",
		   *name = "/proc/sys/kernel/hostname";
	MUST(unshare(CLONE_NEWNS));
	expect_int("before: /proc/keys has bytes", true, content_of(keys) > 0);
	expect_int("before: /sys/firmware has names", true, names_in(folder) > 0);
	expect_errno("before: open() of hostname to write", 0, open(name, O_WRONLY | O_CLOEXEC));
	SYS(mount("/dev/null", keys, NULL, MS_BIND, NULL), keys);
	SYS(mount("lab15-mask", folder, "tmpfs", MS_RDONLY, NULL), folder);
	SYS(mount("/proc/sys", "/proc/sys", NULL, MS_BIND | MS_REC, NULL));
	SYS(mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	expect_int("masked: bytes of /proc/keys", 0, content_of(keys));
	expect_int("masked: names in /sys/firmware", 0, names_in(folder));
	expect_errno("read-only: open() of hostname", EROFS, open(name, O_WRONLY | O_CLOEXEC));
	gate_open(&done);
	gate_wait(&go);
	expect_errno("with CAP_SYS_ADMIN: umount2()", 0, umount2(folder, MNT_DETACH));
	expect_int("then: /sys/firmware has names", true, names_in(folder) > 0);
	SYS(capset(&version, none));
	expect_errno("without it: umount2()", EPERM, umount2(keys, MNT_DETACH));
	_exit(0);
}

/* ---- Linux security modules ---- */

static _Noreturn void by_landlock(void)
{
	struct landlock_ruleset_attr handled = {.handled_access_fs = LANDLOCK_ACCESS_FS_READ_FILE};
	struct landlock_path_beneath_attr allowed = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
		.parent_fd = open("/proc", O_PATH | O_CLOEXEC),
	};
	expect_errno("before: open() of the file", 0, open(file, O_RDONLY | O_CLOEXEC));
	int rules = SYS(landlock_create_ruleset(&handled, sizeof handled, 0));
	SYS(landlock_add_rule(rules, LANDLOCK_RULE_PATH_BENEATH, &allowed), rules);
	SYS(landlock_restrict_self(rules), rules);
	expect_errno("Landlock: open() of the file", EACCES, open(file, O_RDONLY | O_CLOEXEC));
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	expect_errno("Landlock: open() below /proc", 0, fd);
	gate_open(&done);
	child_idle();
}

static void security_modules(void)
{
	const char *list = "/sys/kernel/security/lsm";
	if (access(list, F_OK)) /* in the lab's own mount namespace */
		mount("securityfs", "/sys/kernel/security", "securityfs", 0, NULL);
	autofree char *active = file_try_read(list);
	if (!active && errno != ENOENT && errno != EACCES)
		die("read %s", list);
	autofree char *label = file_try_read("/proc/self/attr/current");
	lab_note("Active, in the order in which they are asked: %s", active ? active : "not told");
	lab_note("The label that one of them has given this process: %s", label ? label : "none");
	if (active)
		expect_int("lsm names capability", true, strstr(active, "capability") != NULL);
	int version = landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (version < 0 && errno != ENOSYS && errno != EOPNOTSUPP)
		die("landlock_create_ruleset");
	if (active)
		expect_int("lsm names landlock", version > 0, strstr(active, "landlock") != NULL);
	if (version <= 0) {
		check_skip("Landlock", "only where the kernel has it: CONFIG_SECURITY_LANDLOCK",
			"boot with lsm=landlock,... on Linux 5.13 or later");
		return;
	}
	pid_t child = FORK();
	if (child == 0)
		by_landlock();
	undo_kill(child);
	gate_wait(&done);
	lab_look("grep -E 'CapEff|NoNew|Seccomp:' /proc/%d/status", child);
	lab_wait(child);
	lab_row("a file, for root", "is opened", "EACCES", "Landlock");
}

static pid_t child_that(void (*does)(void))
{
	pid_t child = FORK();
	if (child == 0)
		does();
	undo_kill(child);
	gate_wait(&done);
	lab_look("grep -E 'Cap|NoNew|Seccomp:' /proc/%d/status", child);
	lab_wait(child);
	return child;
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	gate_init(&done), gate_init(&go);
	program_open();

	lab_step("runAsNonRoot: compare the uid before there is a process, as the kubelet does.",
		"no process for uid 0; a process for uid 1000");
	run_as_non_root();

	lab_step("Drop CAP_CHOWN from the bounding set, or keep it for a user, and then exec().",
		"the program has it only where the bounding or the ambient set allows it");
	mounts_unshare();
	if (mount("lab15", place, "tmpfs", 0, "mode=755") || mkdir("/mnt/tmp", 0755) ||
		mount("lab15-volume", "/mnt/tmp", "tmpfs", 0, NULL))
		die("mount, mkdir: a tmpfs on %s", place);
	close(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	capabilities();

	lab_step("readOnlyRootFilesystem: remount a root read-only that has a volume in it.",
		"a new file fails with EROFS in the root, and succeeds in the volume");
	child_that(read_only_root);

	lab_step("Mount over /proc/keys, /sys/firmware and /proc/sys.",
		"the first two are empty for root, and the third is read-only");
	pid_t child = child_that(masked);

	lab_step("Unmount a mask, with CAP_SYS_ADMIN and without it.",
		"the first umount2() succeeds, and the second fails with EPERM");
	gate_open(&go);
	child_done(child);

	lab_row("runAsNonRoot, uid 0", "is started", "is not", "the kubelet");
	lab_row("capabilities.add, a user", "CapEff 0", "ambient: there", "PR_CAP_AMBIENT");
	lab_row("a new file in /", "is made", "EROFS", "MS_RDONLY");
	lab_row("/proc/keys", "has bytes", "empty", "MS_BIND: a mask");

	lab_step("Ask Landlock, a security module, to refuse all files outside of /proc.",
		"root gets EACCES for its own file");
	security_modules();
	return lab_end();
}
