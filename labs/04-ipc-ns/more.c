/*
 * More of 04-ipc-ns: how long an object lives, and the other kinds of objects: semaphores, and
 * message queues of System V and of POSIX. ipc_namespaces(7), sysvipc(7), mq_overview(7)
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "story/lab.h"
#include "words.h"

#define LIMIT "/proc/sys/user/max_ipc_namespaces"

static const struct lab lab = {
	.id = "04-ipc-ns/more",
	.title = "How long an object lives, and its other kinds",
	.goal = "A System V object outlives its process and ends with its namespace. Each namespace "
		"has its own semaphores and message queues too, also those of POSIX.",
	.manual = "ipc_namespaces(7) sysvipc(7) mq_overview(7) namespaces(7) setns(2)",
	.teaches =
		"unshare:CLONE_NEWIPC unshare:CLONE_NEWUSER setns:CLONE_NEWIPC shmget msgget msgsnd "
		"semget semctl mq_open",
	.after = "04-ipc-ns 03-uts-ns",
	.needs = {.namespaces = true, .limits = true},
	.words = &more_words,
	.story_only = true,
};

enum { KEY = 0x1ab04, SIZE = 4096 };

static struct gate ready, leave;

struct message { /* msgsnd(2) */
	long type;
	char text[8];
};

static bool unshare_ipc(const char *what)
{
	ino_t before = ns_inode(0, "ipc");
	SYS(unshare(CLONE_NEWIPC));
	return expect_differ(what, before, ns_inode(0, "ipc"));
}

static void create_segment(const char *content)
{
	int id = SYS(shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600));
	char *memory = shmat(id, NULL, 0);
	if (memory == (void *)-1)
		die("shmat");
	strcpy(memory, content);
}

static char *read_segment(void)
{
	int id = shmget(KEY, 0, 0);
	char *memory = id < 0 ? (void *)-1 : shmat(id, NULL, SHM_RDONLY);
	return text("%s", memory == (void *)-1 ? errno_name(errno) : memory);
}

/* Makes one more IPC namespace, which ends with the child that makes it: 0, or the errno. */
static int one_more(void)
{
	pid_t child = MUST(fork());
	if (child == 0)
		_exit(unshare(CLONE_NEWIPC) ? errno : 0);
	return child_wait(child);
}

/* The kernel may free a namespace a little after its last holder has gone. */
static int one_more_in_time(void)
{
	int error = one_more();
	for (int i = 0; error == ENOSPC && i < 100; i++) {
		poll(NULL, 0, 20);
		error = one_more();
	}
	return error;
}

/* The message and the value of the semaphore under the key, or the errno of each; allocated. */
static char *message_and_semaphore(void)
{
	struct message message;
	int queue = msgget(KEY, 0);
	autofree char *first = text("%s", errno_name(queue < 0 ? errno : 0));
	/* Takes the message and puts it back: its content proves that it is the host's. */
	if (queue >= 0 && msgrcv(queue, &message, sizeof message.text, 0, IPC_NOWAIT) > 0) {
		free(first);
		first = text("%s", message.text);
		msgsnd(queue, &message, sizeof message.text, 0);
	}
	int set = semget(KEY, 0, 0), value = set < 0 ? -1 : semctl(set, 0, GETVAL);
	return value < 0 ? text("%s, %s", first, errno_name(errno)) : text("%s, %d", first, value);
}

static char *posix_queue(void)
{
	mqd_t queue = mq_open("/lab04", O_RDWR);
	char *result = text("%s", errno_name(queue < 0 ? errno : 0));
	if (queue >= 0)
		mq_close(queue);
	return result;
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	ino_t user = ns_inode(0, "user");
	gate_init(&ready), gate_init(&leave);

	lab_step("Make a user namespace that may contain one IPC namespace.", NULL);
	SYS(unshare(CLONE_NEWUSER)); /* lab 05 shows what this does */
	/* The limit is written only there, never in the machine's user namespace. */
	if (!expect_differ("own user namespace", user, ns_inode(0, "user")))
		return lab_end();
	ns_map_root();
	file_write(LIMIT, "1");

	lab_step("Open the file of a namespace, and let its only process end.",
		"the open file holds the namespace, and its segment is still there");
	pid_t child = FORK();
	if (child == 0) {
		if (unshare_ipc("holder: its own namespace"))
			create_segment("held");
		gate_open(&ready);
		gate_wait(&leave);
		_exit(0);
	}
	undo_kill(child);
	gate_wait(&ready);
	if (ns_inode(child, "ipc") == ns_inode(0, "ipc"))
		return lab_end_early(); /* there is nothing to hold */
	autofree char *path = text("/proc/%d/ns/ipc", child);
	int fd = SYS(open(path, O_RDONLY | O_CLOEXEC), path);
	lab_look("ls -l %s /proc/%d/fd/%d", path, getpid(), fd);
	lab_wait(child);
	gate_open(&leave);
	child_done(child);
	pid_t guest = FORK();
	if (guest == 0) {
		if (expect_errno("by fd: setns()", 0, setns(fd, CLONE_NEWIPC))) {
			autofree char *content = read_segment();
			expect_str("by fd: its segment", "held", content);
		}
		_exit(0);
	}
	child_done(guest);
	expect_str("by fd: one more", "ENOSPC", errno_name(one_more()));

	lab_step("Close that file.", "the namespace ends, so one more can be made");
	SYS(close(fd), fd);
	expect_str("fd closed: one more", "success", errno_name(one_more_in_time()));

	lab_step("Control: create objects in a process that ends, while its namespace stays.",
		"all objects outlive their process");
	file_write(LIMIT, "100");
	if (!unshare_ipc("host: its own namespace"))
		return lab_end();
	child = FORK();
	if (child == 0) {
		struct message message = {1, "host"};
		create_segment("host");
		int queue = SYS(msgget(KEY, IPC_CREAT | IPC_EXCL | 0600));
		SYS(msgsnd(queue, &message, sizeof message.text, 0), queue);
		int set = SYS(semget(KEY, 1, IPC_CREAT | IPC_EXCL | 0600));
		SYS(semctl(set, 0, SETVAL, 7), set);
		_exit(0);
	}
	expect_int("host: their creator has ended", 0, child_wait(child));
	autofree char *segment = read_segment(), *left = message_and_semaphore();
	expect_str("host: its segment", "host", segment);
	expect_str("host: its message, its semaphore", "host, 7", left);

	lab_step("Look up the message queue and the semaphore in a new namespace.",
		"ENOENT for both");
	child = FORK();
	if (child == 0) {
		if (unshare_ipc("inside: its own namespace")) {
			autofree char *none = message_and_semaphore();
			expect_str("inside: message, semaphore", "ENOENT, ENOENT", none);
		}
		_exit(0);
	}
	child_done(child);

	lab_row("the process ends", "objects stay", "objects stay", "sysvipc(7)");
	lab_row("the namespace ends", "-", "objects are gone", "the kernel");
	lab_row("an open ns file", "-", "holds namespace and objects", "open(2)");
	lab_row("msgget(), semget()", "the host's", "ENOENT", "CLONE_NEWIPC");

	lab_step("Open a POSIX message queue by its name in a new namespace.",
		"ENOENT: unlike POSIX shared memory, the queue belongs to the namespace");
	mqd_t queue = mq_open("/lab04", O_RDWR | O_CREAT | O_EXCL, 0600, NULL);
	if (queue < 0 && errno == ENOSYS) {
		check_skip("POSIX message queues", "this kernel has none (CONFIG_POSIX_MQUEUE)",
			"WHERE=vm runs it in the lab VM");
	} else if (expect_errno("host: mq_open() creates it", 0, queue)) {
		child = FORK();
		if (child == 0) {
			autofree char *found = posix_queue();
			expect_str("control: a child opens it", "success", found);
			if (unshare_ipc("queue: a namespace of its own")) {
				autofree char *none = posix_queue();
				expect_str("inside: mq_open()", "ENOENT", none);
			}
			_exit(0);
		}
		child_done(child);
		lab_row("mq_open()", "the host's", "ENOENT", "CLONE_NEWIPC");
	}
	return lab_end();
}
