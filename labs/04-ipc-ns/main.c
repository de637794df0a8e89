/*
 * Shared memory that is not shared. System V objects have a number, the key,
 * for a name, and an IPC namespace is what the key is looked up in. POSIX shared
 * memory has a path for a name, and that is looked up in the mount table.
 * ipc_namespaces(7)
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/shm.h>
#include <sys/stat.h>

#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"
#include "words.h"

static const struct lab lab = {
	.id = "04-ipc-ns",
	.title = "Shared memory that is not shared",
	.goal = "Two containers use one key and never meet: each has its own System V objects. POSIX "
		"shared memory is a file, and belongs to the mount table.",
	.manual = "ipc_namespaces(7) sysvipc(7) shmget(2) shmat(2) shm_open(3) shm_overview(7)",
	.teaches = "unshare:CLONE_NEWIPC shmget:IPC_CREAT shmat unshare:CLONE_NEWNS mount:tmpfs "
		   "file:sysvipc/shm",
	.after = "02-mnt-ns 03-uts-ns",
	.needs = {.namespaces = true},
	.words = &words,
};

enum { KEY = 0x1ab04, SIZE = 4096 };

static struct gate ready, go;

/* Done twice with one key: on the host and in the container. */
static void create(const char *content)
{
	int id = SYS(shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600));
	char *memory = SYS(shmat(id, NULL, 0));
	strcpy(memory, content);
}

/* What stands in the segment that the caller finds under the key, or why it finds none. */
static char *read_by_key(void)
{
	int id = shmget(KEY, 0, 0);
	char *memory = id < 0 ? (void *)-1 : shmat(id, NULL, SHM_RDONLY);
	return text("%s", memory == (void *)-1 ? errno_name(errno) : memory);
}

/* The same for the POSIX object of that name; shm_open(3) */
static char *read_by_name(void)
{
	char content[16] = "";
	autoclose int fd = shm_open("/lab04", O_RDONLY, 0);
	if (fd < 0)
		return text("%s", errno_name(errno));
	if (read(fd, content, sizeof content - 1) < 0)
		die("read");
	return text("%s", content);
}

/* Segments in /proc/sysvipc/shm, which shows the namespace of its reader: a header, then one a
 * line. */
static int listed(void)
{
	int lines = 0;
	autofree char *list = file_read("/proc/sysvipc/shm");
	for (char *newline = list; (newline = strchr(newline, '\n')); newline++)
		lines++;
	return lines;
}

static long device_of(const char *path)
{
	struct stat st;
	if (stat(path, &st))
		die("stat %s", path);
	return (long)st.st_dev;
}

/* Borrowed from lab 02, done twice: a mount table with a /dev/shm of its own. */
static bool own_dev_shm(const char *what)
{
	long before = ns_inode(0, "mnt"), old_shm = device_of("/dev/shm");
	SYS(unshare(CLONE_NEWNS));
	if (ns_inode(0, "mnt") != before)
		SYS(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	/* Read back: it must not be the machine's /dev/shm that is covered, or written to. */
	autofree char *table = ns_mount_table(before);
	if (!strcmp(table, "own, private"))
		SYS(mount("lab04-shm", "/dev/shm", "tmpfs", 0, NULL));
	autofree char *observed =
		text("%s%s", table, device_of("/dev/shm") == old_shm ? ", the old /dev/shm" : "");
	return expect_str(what, "own, private", observed);
}

static _Noreturn void neighbour(void)
{
	autofree char *content = read_by_key();
	expect_str("control: found by the key", "host", content);
	expect_int("control: segments listed", 1, listed());
	expect_errno("control: create the key again", EEXIST,
		shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600));
	_exit(0);
}

static _Noreturn void container(void)
{
	long host_ns = ns_inode(0, "ipc");
	SYS(unshare(CLONE_NEWIPC));
	if (expect_differ("inside: a namespace of its own", host_ns, ns_inode(0, "ipc"))) {
		expect_errno("inside: shmget() by the key", ENOENT, shmget(KEY, 0, 0));
		expect_int("inside: segments listed", 0, listed());
		create("inside");
	}
	autofree char *content = read_by_key();
	expect_str("inside: found by the key now", "inside", content);
	gate_open(&ready);

	gate_wait(&go);
	autofree char *found = read_by_name();
	expect_str("inside: found by shm_open()", "host", found);
	gate_open(&ready);

	gate_wait(&go);
	if (own_dev_shm("inside: its mount table")) {
		autofree char *hidden = read_by_name();
		expect_str("inside, then: found by shm_open()", "ENOENT", hidden);
	}
	gate_open(&ready);
	child_idle();
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	long machine_ns = ns_inode(0, "ipc");
	if (geteuid() != 0) {
		SYS(unshare(CLONE_NEWUSER)); /* lab 05 shows what this does */
		ns_map_root();
		lab_note("An ordinary user needs a user namespace for the rest: lab 05.");
	}
	if (lab_command) {
		SYS(unshare(CLONE_NEWIPC));
		expect_differ("a namespace of its own", machine_ns, ns_inode(0, "ipc"));
		lab_exec_command();
	}
	gate_init(&ready), gate_init(&go);

	lab_step("A host for this lab, so that this machine gets no object of ours.", NULL);
	if (access("/dev/shm", F_OK)) {
		if (errno != ENOENT)
			die("access /dev/shm");
		check_skip("host: its mount table", "this machine has no /dev/shm",
			"WHERE=vm runs it in the lab VM");
		return lab_end();
	}
	SYS(unshare(CLONE_NEWIPC));
	if (!expect_differ("host: its namespace", machine_ns, ns_inode(0, "ipc")) ||
		!own_dev_shm("host: its mount table"))
		return lab_end();
	create("host");

	lab_step("Control: a child in the same namespace. It must find the memory by its key.",
		NULL);
	pid_t child = FORK();
	if (child == 0)
		neighbour();
	child_done(child);
	lab_look("nsenter %s--target=%d --ipc cat /proc/sysvipc/shm", ns_join, getpid());
	lab_wait(0);

	lab_predict("key");
	lab_step("The same key with CLONE_NEWIPC: nothing there, and free to be used again.", NULL);
	pid_t inside = FORK();
	if (inside == 0)
		container();
	undo_kill(inside);
	gate_wait(&ready);
	autofree char *content = read_by_key();
	expect_str("outside: found by the key", "host", content);
	lab_answer("key", strcmp(content, "host") ? "same" : "two");
	lab_look("ls -l /proc/%d/ns/ipc /proc/%d/ns/ipc", getpid(), inside);
	lab_look("nsenter %s--target=%d --ipc cat /proc/sysvipc/shm", ns_join, inside);
	lab_wait(inside);

	lab_predict("posix");
	lab_step("POSIX shared memory in the same two namespaces: it must be found.", NULL);
	int fd = SYS(shm_open("/lab04", O_RDWR | O_CREAT | O_EXCL, 0600));
	SYS(write(fd, "host", 4));
	gate_open(&go);
	gate_wait(&ready);
	autofree char *file = text("/proc/%d/root/dev/shm/lab04", inside);
	lab_answer("posix", access(file, F_OK) ? "hidden" : "found");
	lab_look("ls -l /proc/%d/root/dev/shm/ /proc/%d/root/dev/shm/", getpid(), inside);
	lab_wait(inside);

	lab_step("It is a file: with a /dev/shm of its own the inside must find nothing.", NULL);
	gate_open(&go);
	gate_wait(&ready);
	lab_look("grep /dev/shm /proc/%d/mountinfo", inside);
	lab_wait(inside);

	lab_row("shmget() by one key", "the same memory", "ENOENT, then another", "CLONE_NEWIPC");
	lab_row("/proc/sysvipc/shm", "the host's list", "its own list", "CLONE_NEWIPC");
	lab_row("shm_open() by one name", "the same memory", "the same: it is a file", "nobody");
	lab_row("with its own /dev/shm", "-", "ENOENT", "CLONE_NEWNS, mount()");
	return lab_end();
}
