/*
 * More of 15-security-context: the field that is no call at all, what is left to a
 * user and to the next program, filters that only add up, what is covered in /proc,
 * and who else may refuse. capabilities(7), seccomp(2), landlock(7),
 * Documentation/admin-guide/LSM/index.rst
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"
#include "words.h"

enum { USER = 1000 };

static const struct lab lab = {
	.id = "15-security-context/more",
	.title = "What is left, and who else may refuse",
	.goal = "One field is a comparison that the kubelet makes. Capabilities come back by "
		"exec() alone, filters never go, a mask is only a mount, and an LSM is asked last.",
	.manual = "capabilities(7) seccomp(2) prctl(2) landlock(7) mount(2) proc_sys(5)",
	.teaches = "prctl:PR_CAP_AMBIENT prctl:PR_CAPBSET_DROP prctl:PR_SET_KEEPCAPS capset "
		   "seccomp:SECCOMP_SET_MODE_FILTER mount:MS_RDONLY mount:MS_BIND umount2 "
		   "landlock_create_ruleset landlock_add_rule landlock_restrict_self",
	.after = "15-security-context",
	.needs = {.root = true},
	.words = &more_words,
	.story_only = true,
};

static struct gate done, go;
static int eat; /* the rootfs's program, open: a user may not go to its folder */
static const char *const place = "/mnt", *const file = "/mnt/file";

static int capset(struct __user_cap_header_struct *header, struct __user_cap_data_struct *data)
{
	return (int)syscall(SYS_capset, header, data);
}

static int seccomp(unsigned int operation, unsigned int flags, void *args)
{
	return (int)syscall(SYS_seccomp, operation, flags, args);
}

static int landlock_create_ruleset(struct landlock_ruleset_attr *attr, size_t size, uint32_t flags)
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

/* As in main.c: in each child that mounts something. */
static bool own_table(const char *what)
{
	long old = ns_inode(0, "mnt");
	if (unshare(CLONE_NEWNS))
		die("unshare");
	if (ns_inode(0, "mnt") != old && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		die("mount: propagation");
	autofree char *table = ns_mount_table(old);
	return expect_str(what, "own, private", table);
}

static void become_user(void)
{
	if (setgroups(0, NULL) || setresgid(USER, USER, USER) || setresuid(USER, USER, USER))
		die("setgroups, setresgid, setresuid");
}

/* Of a child that has not got its place; the check has said so. */
static _Noreturn void leave(void)
{
	gate_open(&done);
	_exit(1);
}

/* ---- The container's program, after the knobs: it is looked at, and stays ---- */

static pid_t start(void (*knobs)(void))
{
	int said[2];
	char first;
	if (pipe2(said, O_CLOEXEC))
		die("pipe2");
	pid_t child = MUST(fork());
	if (child == 0) {
		knobs();
		MUST(dup2(said[1], STDOUT_FILENO));
		char *argv[] = {"eat", "1k", "--hold", NULL}, *none[] = {NULL};
		execveat(eat, "", argv, none, AT_EMPTY_PATH);
		die("exec of eat");
	}
	undo_kill(child);
	close(said[1]);
	if (read(said[0], &first, 1) != 1)
		die("read: eat said nothing");
	close(said[0]);
	return child;
}

static void as_root(void)
{
}

/* What the kubelet does before it asks the runtime: it compares two numbers. */
static pid_t container(uid_t user, bool run_as_non_root)
{
	if (run_as_non_root && user == 0)
		return 0; /* CreateContainerConfigError */
	return start(user ? become_user : as_root);
}

static void run_as_non_root(void)
{
	pid_t refused = container(0, true), user = container(USER, true),
	      root = container(0, false);
	autofree char *of_root = proc_status(root, "Uid"), *of_user = proc_status(user, "Uid");
	autofree char *kernel = proc_status(root, "NoNewPrivs");
	autofree char *ours = proc_status(0, "NoNewPrivs");
	expect_int("runAsNonRoot, uid 0: processes", 0, refused != 0);
	expect_str("runAsNonRoot, uid 1000: its Uid", "1000 1000 1000 1000", of_user);
	expect_str("control: uid 0 without it: its Uid", "0 0 0 0", of_root);
	expect_str("and no line has moved: NoNewPrivs", ours, kernel);
	lab_look("grep Uid /proc/%d/status /proc/%d/status", root, user);
	lab_wait(root);
	MUST(kill(root, SIGKILL));
	MUST(kill(user, SIGKILL));
	child_wait(root), child_wait(user);
}

/* ---- Capabilities and exec() ---- */

static void drop_chown_from_bounding_set(void)
{
	SYS(prctl(PR_CAPBSET_DROP, CAP_CHOWN, 0, 0, 0));
	expect_errno("bounding set only: chown()", 0, chown(file, 0, (gid_t)-1));
}

/* What capabilities.add would have to do for a user, and in Kubernetes does not. */
static void keep_chown(bool ambient)
{
	struct __user_cap_header_struct version = {.version = _LINUX_CAPABILITY_VERSION_3};
	uint32_t only = 1U << CAP_CHOWN;
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

/* The set of the program that was started so; it is ended. */
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

/* ---- Filters ---- */

/* All is allowed, but unshare(2) when it is to be denied. */
static int filter(bool deny)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, deny ? SECCOMP_RET_ERRNO | EPERM : SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof code / sizeof *code, code};
	return seccomp(SECCOMP_SET_MODE_FILTER, 0, &program);
}

static _Noreturn void filters(void)
{
	SYS(filter(true));
	expect_errno("one filter: unshare(0)", EPERM, unshare(0));
	SYS(filter(false));
	expect_errno("and one that allows it: unshare(0)", EPERM, unshare(0));
	become_user();
	autofree char *already = proc_status(0, "NoNewPrivs");
	if (strcmp(already, "0"))
		check_skip("a user's filter", "no_new_privs is on already: this is a sandbox",
			"start it outside of it");
	else
		expect_errno("a user's filter", EACCES, filter(true));
	SYS(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	expect_errno("a user's filter, with no_new_privs", 0, filter(true));
	expect_errno("no_new_privs off again", EINVAL, prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
	gate_open(&done);
	child_idle();
}

/* ---- Mounts ---- */

static int new_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	return fd < 0 ? -1 : close(fd); /* one that is open would keep the mount writable: EBUSY */
}

static _Noreturn void read_only_root(void)
{
	struct stat host, root;
	if (!own_table("root: its mount table") || stat("/", &host))
		leave();
	SYS(chroot(place)); /* lab 02; a runtime takes pivot_root() */
	/* Read back: what becomes read-only must not be the host's root. */
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
	if (!own_table("masks: its mount table"))
		leave();
	expect_int("before: /proc/keys has bytes", true, content_of(keys) > 0);
	expect_int("before: /sys/firmware has names", true, names_in(folder) > 0);
	expect_errno("before: open() of hostname to write", 0, open(name, O_WRONLY | O_CLOEXEC));
	SYS(mount("/dev/null", keys, NULL, MS_BIND, NULL));
	SYS(mount("lab15-mask", folder, "tmpfs", MS_RDONLY, NULL));
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
	SYS(landlock_add_rule(rules, LANDLOCK_RULE_PATH_BENEATH, &allowed));
	SYS(landlock_restrict_self(rules));
	expect_errno("Landlock: open() of the file", EACCES, open(file, O_RDONLY | O_CLOEXEC));
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	expect_errno("Landlock: open() below /proc", 0, fd);
	gate_open(&done);
	child_idle();
}

static void security_modules(void)
{
	const char *list = "/sys/kernel/security/lsm";
	if (access(list, F_OK) && own_table("lsm: its mount table"))
		mount("securityfs", "/sys/kernel/security", "securityfs", 0, NULL);
	autofree char *active = file_try_read(list);
	if (!active && errno != ENOENT && errno != EACCES)
		die("read %s", list);
	autofree char *label = file_try_read("/proc/self/attr/current");
	lab_note("Active, in the order in which they are asked: %s", active ? active : "not told");
	lab_note("The label that one of them has given us: %s", label ? label : "none");
	if (active)
		expect_int("lsm names capability", true, strstr(active, "capability") != NULL);
	int version = landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (version < 0 && errno != ENOSYS && errno != EOPNOTSUPP)
		die("landlock_create_ruleset");
	if (active)
		expect_int("lsm names landlock", version > 0, strstr(active, "landlock") != NULL);
	if (version <= 0) {
		check_skip("Landlock", "only where the kernel has it: CONFIG_SECURITY_LANDLOCK, lsm=",
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
	autofree char *tree = file_rootfs(), *path = text("%s/usr/local/bin/eat", tree);
	eat = open(path, O_PATH | O_CLOEXEC);

	lab_step("runAsNonRoot: no call. uid 0 must not be started, by who compares.", NULL);
	run_as_non_root();

	if (!own_table("place: its mount table"))
		return lab_end();
	if (mount("lab15", place, "tmpfs", 0, "mode=755") || mkdir("/mnt/tmp", 0755) ||
		mount("lab15-volume", "/mnt/tmp", "tmpfs", 0, NULL))
		die("mount, mkdir: a tmpfs on %s", place);
	close(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));

	lab_step("Capabilities: exec() must bring the bounding set down on all others.", NULL);
	capabilities();

	lab_step("Filters must add up, and a user's must ask for no_new_privs first.", NULL);
	child_that(filters);

	lab_step("readOnlyRootFilesystem: a new file must be EROFS, but in a volume.", NULL);
	child_that(read_only_root);

	lab_step("Masked paths must be empty, and read-only ones EROFS, for root too.", NULL);
	pid_t child = child_that(masked);

	lab_step("But they are mounts: who has CAP_SYS_ADMIN must get rid of them.", NULL);
	gate_open(&go);
	child_done(child);

	lab_row("runAsNonRoot, uid 0", "is started", "is not", "the kubelet");
	lab_row("capabilities.add, a user", "CapEff 0", "ambient: there", "PR_CAP_AMBIENT");
	lab_row("a second filter", "-", "takes nothing back", "seccomp()");
	lab_row("a new file in /", "is made", "EROFS", "MS_RDONLY");
	lab_row("/proc/keys", "has bytes", "empty", "MS_BIND: a mask");

	lab_step("The last to be asked are security modules: here Landlock must refuse.", NULL);
	security_modules();
	return lab_end();
}
