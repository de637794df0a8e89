/*
 * What the containers of a Pod share, compared with a second Pod.
 * setns(2), shmget(2), bind(2)
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "kernel/cg.h"
#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "pod.h"
#include "words.h"

static const struct lab lab = {
	.id = "17-pod/more",
	.title = "What a Pod shares",
	.goal = "The containers of a Pod share the network, IPC objects, the hostname and volumes, "
		"and nothing of it with another Pod.",
	.manual = "setns(2) pid_namespaces(7) user_namespaces(7) shmget(2) bind(2)",
	.teaches = "setns:CLONE_NEWIPC setns:CLONE_NEWNET shmget bind",
	.after = "17-pod",
	.needs = {.root = true,
		.proc_mount = true,
		.overlay = true,
		.controllers = "cpu memory pids",
		.modules = "veth bridge",
		.kernel = "5.7"},
	.words = &more_words,
	.own_root = true,
	.story_only = true,
};

/* ---- What is tried in a container's namespaces ---- */

enum { KEY = 0x17, PORT = 8080, TASKS = 32 };

static int make_segment(void *unused)
{
	(void)unused;
	return shmget(KEY, 4096, IPC_CREAT | IPC_EXCL | 0600) < 0 ? errno : 0;
}

static int find_segment(void *unused)
{
	(void)unused;
	return shmget(KEY, 0, 0) < 0 ? errno : 0;
}

static int same_hostname(void *name)
{
	struct utsname is;
	return uname(&is) || strcmp(is.nodename, name);
}

/* Holds the port in its namespace until the lab ends, when hold is not NULL. */
static int take_port(void *hold)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(sock, (struct sockaddr *)&any, sizeof any))
		return errno;
	if (!hold)
		return 0;
	gate_open(hold);
	child_idle();
}

static bool expect_try(
	const char *what, int expected, pid_t in, int namespaces, int (*does)(void *))
{
	return expect_str(
		what, errno_name(expected), errno_name(do_in(in, namespaces, does, NULL)));
}

/* A file in the root of one container, looked for in that of another. */
static const char *seen_in(pid_t writer, pid_t reader, const char *path)
{
	autofree char *made = text("/proc/%d/root%s", writer, path),
		      *sought = text("/proc/%d/root%s", reader, path);
	close(open(made, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	return access(sought, F_OK) ? errno_name(errno) : "there";
}

static void show_containers(const struct sandbox *s)
{
	lab_look("ls -l /proc/%d/ns /proc/%d/ns", s->containers[0].pid, s->containers[1].pid);
	lab_wait(s->containers[0].pid);
}

/* Starts TASKS children at once: "all", or the errno of the first refusal. Allocated. */
static char *tries_tasks(const struct pod_container *r)
{
	autofree char *count = text("%d", TASKS), *said = NULL;
	char *refusal;
	int status = run_in(r, (char *[]){"forks", count, NULL}, &said);
	said[strcspn(said, "\n")] = '\0';
	refusal = strstr(said, "refused: ");
	return text("%s", status == 0 ? "all" : refusal ? refusal + strlen("refused: ") : said);
}

int main(int argc, char *argv[])
{
	struct gate taken;
	lab_begin(&lab, argc, argv);
	read_host_namespaces();
	gate_init(&taken);
	life_told = true;

	lab_step("Start two Pods of two containers each.",
		"containers of one Pod share namespaces, those of two Pods do not");
	struct sandbox *web = run_pod(POD("web", "course", TWO(SLEEP, SLEEP)), TASKS);
	struct sandbox *db = run_pod(POD("db", "other", TWO(SLEEP, SLEEP)), 0);
	pid_t one = web->containers[0].pid, two = web->containers[1].pid,
	      far = db->containers[0].pid;
	autofree char *in_pod = namespaces_of_both(one, two),
		      *of_pods = namespaces_of_both(one, far);
	expect_str("in a Pod: namespaces", "ipc net user uts", in_pod);
	expect_str("of two Pods: namespaces", "user", of_pods);
	show_containers(web);

	lab_step("Start 32 children in a Pod with --pod-pids-limit 32 and in one without.",
		"the kernel refuses a task in the first Pod only");
	autofree char *of_web = tries_tasks(&web->containers[0]),
		      *of_db = tries_tasks(&db->containers[0]);
	expect_int("web: the Pod's pids.max", TASKS, cg_read_long(web->group, "pids.max"));
	expect_str("web: as many children more", "EAGAIN", of_web);
	expect_str("the far one: as many", "all", of_db);
	show_containers(web);

	lab_step("Use System V shared memory, the hostname and a port.",
		"they are shared in a Pod, and the other Pod has its own");
	expect_try("one: makes the segment", 0, one, CLONE_NEWIPC, make_segment);
	expect_try("two: finds it", 0, two, CLONE_NEWIPC, find_segment);
	expect_try("the far one: finds it", ENOENT, far, CLONE_NEWIPC, find_segment);
	expect_int("two: its hostname is the Pod's", 0,
		do_in(two, CLONE_NEWUTS, same_hostname, (void *)(uintptr_t) "web"));
	expect_int("the far one: another", 1,
		do_in(far, CLONE_NEWUTS, same_hostname, (void *)(uintptr_t) "web"));
	pid_t holder = MUST(fork());
	if (holder == 0) {
		int pidfd = MUST((int)syscall(SYS_pidfd_open, one, 0));
		MUST(setns(pidfd, CLONE_NEWNET));
		_exit(take_port(&taken));
	}
	undo_kill(holder);
	gate_wait(&taken);
	expect_try("two: the port that one has", EADDRINUSE, two, CLONE_NEWNET, take_port);
	expect_try("the far one: the same port", 0, far, CLONE_NEWNET, take_port);
	show_containers(web);

	lab_step("Write a file to a volume, to /dev/shm and to a root.",
		"volume and /dev/shm are shared in a Pod, roots are not");
	expect_str("a file in the volume", "there", seen_in(one, two, "/data/file"));
	expect_str("a file in /dev/shm", "there", seen_in(one, two, "/dev/shm/file"));
	expect_str("a file in one's root", "ENOENT", seen_in(one, two, "/file"));
	expect_str("the far one: the volume", "ENOENT", seen_in(one, far, "/data/file"));
	show_containers(web);

	lab_row("net, ipc, uts", "two Pods: separate", "one Pod: shared", "setns()");
	lab_row("one port twice", "two Pods: works", "EADDRINUSE", "one network");
	lab_row("volume, /dev/shm", "two Pods: separate", "one Pod: shared", "a bind mount");
	lab_row("32 tasks more", "no limit: all", "EAGAIN", "pids.max");
	return lab_end();
}
