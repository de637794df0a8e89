/*
 * Shared memory that is not shared. A System V object has a number as its name, the key, which the
 * kernel looks up in the caller's IPC namespace. POSIX shared memory has a path as its name, which
 * the kernel looks up in the caller's mount table. ipc_namespaces(7)
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
#include "kernel/mounts.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"
#include "words.h"

static const struct lab lab = {
	.id = "04-ipc-ns",
	.title = "Shared memory that is not shared",
	.goal = "Two containers use one key and get two System V objects. POSIX shared memory is a "
		"file, so the mount table decides who finds it.",
	.manual = "ipc_namespaces(7) sysvipc(7) shmget(2) shmat(2) shm_open(3) shm_overview(7)",
	.teaches = "unshare:CLONE_NEWIPC shmget:IPC_CREAT shmat mount:tmpfs file:sysvipc/shm",
	.after = "02-mnt-ns 05-user-ns",
	.needs = {.namespaces = true},
	.words = &words,
};

enum { KEY = 0x1ab04, SIZE = 4096 };

static struct gate ready, go;

/* Creates the segment of the key in the caller's IPC namespace. */
static void create_segment(const char *content)
{
	int id = SYS(shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600));
	char *memory = SYS(shmat(id, NULL, 0), id);
	strcpy(memory, content);
}

/* What is in the segment that the caller finds by the key, or the errno; allocated. */
static char *read_segment(void)
{
	int id = shmget(KEY, 0, 0);
	char *memory = id < 0 ? (void *)-1 : shmat(id, NULL, SHM_RDONLY);
	return text("%s", memory == (void *)-1 ? errno_name(errno) : memory);
}

/* The same for the POSIX object of the name "/lab04". shm_open(3) */
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

/* Counts the segments in /proc/sysvipc/shm, which shows the reader's IPC namespace: after a heading
 * there is a line for each. */
static int count_segments(void)
{
	int lines = 0;
	autofree char *list = file_read("/proc/sysvipc/shm");
	for (char *newline = list; (newline = strchr(newline, '\n')); newline++)
		lines++;
	return lines;
}

static dev_t device_of(const char *path)
{
	struct stat st;
	if (stat(path, &st))
		die("stat %s", path);
	return st.st_dev;
}

/* Mounts a new tmpfs on /dev/shm, in a mount table of the caller's own. */
static bool mount_dev_shm(const char *what)
{
	dev_t before = device_of("/dev/shm");
	mounts_unshare(); /* lab 02 shows what this does */
	SYS(mount("lab04-shm", "/dev/shm", "tmpfs", 0, NULL));
	return expect_int(what, true, device_of("/dev/shm") != before);
}

static _Noreturn void same_namespace(void)
{
	autofree char *content = read_segment();
	expect_str("control: found by the key", "host", content);
	expect_int("control: segments listed", 1, count_segments());
	expect_errno("control: create the key again", EEXIST,
		shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600));
	_exit(0);
}

static _Noreturn void container(void)
{
	ino_t host_ns = ns_inode(0, "ipc");
	SYS(unshare(CLONE_NEWIPC));
	if (expect_differ("inside: a namespace of its own", host_ns, ns_inode(0, "ipc"))) {
		expect_errno("inside: shmget() by the key", ENOENT, shmget(KEY, 0, 0));
		expect_int("inside: segments listed", 0, count_segments());
		create_segment("inside");
	}
	autofree char *content = read_segment();
	expect_str("inside: found by the key now", "inside", content);
	gate_open(&ready);

	gate_wait(&go);
	autofree char *found = read_by_name();
	expect_str("inside: found by shm_open()", "host", found);
	gate_open(&ready);

	gate_wait(&go);
	if (mount_dev_shm("inside: a new /dev/shm")) {
		autofree char *hidden = read_by_name();
		expect_str("inside, then: found by shm_open()", "ENOENT", hidden);
	}
	gate_open(&ready);
	child_idle();
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	ino_t machine_ns = ns_inode(0, "ipc");
	if (geteuid() != 0) {
		SYS(unshare(CLONE_NEWUSER)); /* lab 05 shows what this does */
		ns_map_root();
		lab_note(
			"You are an ordinary user, so this runs in a user namespace (lab 05), where "
			"you are root.");
	}
	if (lab_command) {
		SYS(unshare(CLONE_NEWIPC));
		expect_differ("a namespace of its own", machine_ns, ns_inode(0, "ipc"));
		lab_exec_command();
	}
	gate_init(&ready), gate_init(&go);

	lab_step("Make an IPC namespace and a /dev/shm that play the host, and a segment.", NULL);
	if (access("/dev/shm", F_OK)) {
		if (errno != ENOENT)
			die("access /dev/shm");
		check_skip("host: a new /dev/shm", "this machine has no /dev/shm",
			"WHERE=vm runs it in the lab VM");
		return lab_end();
	}
	SYS(unshare(CLONE_NEWIPC));
	if (!expect_differ("host: its namespace", machine_ns, ns_inode(0, "ipc")) ||
		!mount_dev_shm("host: a new /dev/shm"))
		return lab_end();
	create_segment("host");

	lab_step("Control: look the key up in a child, in the same IPC namespace.",
		"the child finds the host's segment");
	pid_t child = FORK();
	if (child == 0)
		same_namespace();
	child_done(child);
	lab_look("nsenter %s--target=%d --ipc cat /proc/sysvipc/shm", ns_join, getpid());
	lab_wait(0);

	lab_predict("key");
	lab_step("Look the same key up in a new IPC namespace, then create it there.",
		"ENOENT first; then there are two segments under one key");
	pid_t inside = FORK();
	if (inside == 0)
		container();
	undo_kill(inside);
	gate_wait(&ready);
	autofree char *content = read_segment();
	expect_str("outside: found by the key", "host", content);
	lab_answer("key", strcmp(content, "host") ? "same" : "two");
	lab_look("ls -l /proc/%d/ns/ipc /proc/%d/ns/ipc", getpid(), inside);
	lab_look("nsenter %s--target=%d --ipc cat /proc/sysvipc/shm", ns_join, inside);
	lab_wait(inside);

	lab_predict("posix");
	lab_step("Create POSIX shared memory on the host, and open it inside.",
		"the inside finds it, although its IPC namespace is new");
	int fd = SYS(shm_open("/lab04", O_RDWR | O_CREAT | O_EXCL, 0600));
	SYS(write(fd, "host", 4), fd);
	gate_open(&go);
	gate_wait(&ready);
	autofree char *file = text("/proc/%d/root/dev/shm/lab04", inside);
	lab_answer("posix", access(file, F_OK) ? "hidden" : "found");
	lab_look("ls -l /proc/%d/root/dev/shm/ /proc/%d/root/dev/shm/", getpid(), inside);
	lab_wait(inside);

	lab_step("Mount a new /dev/shm inside.",
		"ENOENT: the object is a file on the host's /dev/shm");
	gate_open(&go);
	gate_wait(&ready);
	lab_look("grep /dev/shm /proc/%d/mountinfo", inside);
	lab_wait(inside);

	lab_row("shmget() by one key", "the same memory", "ENOENT, then another", "CLONE_NEWIPC");
	lab_row("/proc/sysvipc/shm", "the host's list", "its own list", "CLONE_NEWIPC");
	lab_row("shm_open() by one name", "the same memory", "the same memory", "/dev/shm");
	lab_row("with its own /dev/shm", "-", "ENOENT", "mount()");
	return lab_end();
}
