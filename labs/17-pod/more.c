/*
 * What a Pod's containers share and what not, beside a second Pod; one process
 * namespace for all, and its price; users of its own; a limit of the Pod as a whole.
 * setns(2), pid_namespaces(7), user_namespaces(7), shmget(2), bind(2)
 */
/* link: yaml-0.1 libnl-route-3.0 libcap libseccomp */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/shm.h>
#include <sys/utsname.h>

#include "kubelet.h"
#include "look.h"
#include "story/lab.h"
#include "words.h"

static const struct lab_part parts[] = {
	{.name = "negative",
		.title = "Guaranteed: the kernel must be told to spare it. That takes privilege.",
		.needs = {.root = true}},
	{0},
};

static const struct lab lab = {
	.id = "17-pod/more",
	.title = "What is shared, and what it costs",
	.goal = "A Pod's containers share what a machine's processes share by themselves, and no "
		"more; every further sharing is a field, and each has its price.",
	.manual = "setns(2) pid_namespaces(7) user_namespaces(7) shmget(2) bind(2)",
	.teaches = "setns:CLONE_NEWIPC clone3:CLONE_NEWUSER clone3:CLONE_NEWPID shmget bind",
	.after = "17-pod",
	.needs = {.root = true,
		.proc_mount = true,
		.overlay = true,
		.controllers = "cpu memory pids",
		.modules = "veth bridge",
		.kernel = "5.14"},
	.parts = parts,
	.words = &more_words,
	.own_root = true,
	.story_only = true,
};

#define POD(name, namespace, spec) \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: " name \
	", namespace: " namespace "}\nspec:\n" spec
#define TWO(first, second) \
	"  containers:\n" \
	"  - {name: one, image: busybox, command: [" first \
	"], volumeMounts: [{name: data, mountPath: /data}]}\n" \
	"  - {name: two, image: busybox, command: [" second \
	"], volumeMounts: [{name: data, mountPath: /data}],\n" \
	"     env: [{name: PASSWORD, value: hidden}]}\n" \
	"  volumes: [{name: data, emptyDir: {}}]\n"
#define SLEEP "sleep, '1000'"

/* All that a manifest asks for, running, with pids tasks at most; 0: as many as it likes. */
static struct sandbox *start(const char *yaml, long long pids)
{
	struct manifest *m = calloc(1, sizeof *m);
	struct sandbox *s = calloc(1, sizeof *s);
	static const char *const no_images[] = {NULL};
	if (!m || !s || !manifest_read(m, yaml, strlen(yaml), no_images))
		die("a manifest of this lab's: %s", m ? m->error.message : "out of memory");
	s->pod = &m->pod;
	s->pids = pids;
	if (!sandbox_start(s))
		exit(lab_end_early());
	for (size_t i = 0; i < s->count; i++)
		container_start(s, &s->containers[i], NULL);
	return s;
}

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

static void look(const struct sandbox *s)
{
	lab_look("ls -l /proc/%d/ns /proc/%d/ns", s->containers[0].pid, s->containers[1].pid);
	lab_wait(s->containers[0].pid);
}

/* Asks two: does it find the other's environment in its /proc? grep's status, 0 when it does. */
static int reads_environment(const struct running *r)
{
	return run_in(r,
		(char *[]){"sh", "-c", "grep -qa PASSWORD=hidden /proc/[0-9]*/environ", NULL},
		NULL);
}

/* TASKS children at once, for a moment: all, or what the first refusal was. Allocated. */
static char *tries_tasks(const struct running *r)
{
	autofree char *count = text("%d", TASKS), *said = NULL;
	char *refusal;
	int status = run_in(r, (char *[]){"forks", count, NULL}, &said);
	said[strcspn(said, "\n")] = '\0';
	refusal = strstr(said, "refused: ");
	return text("%s", status == 0 ? "all" : refusal ? refusal + strlen("refused: ") : said);
}

static int ended(const struct sandbox *s)
{
	int count = 0;
	for (size_t i = 0; i < s->count; i++)
		count += child_ended(s->containers[i].pid, 0);
	return count;
}

int main(int argc, char *argv[])
{
	struct gate taken;
	if (lab_parse(&lab, argc, argv) && !strcmp(argv[0], "pause"))
		pause_wait(argv); /* what it executes as pause: sandbox.h */
	lab_begin(&lab, argc, argv);
	for (int i = 0; i < CHECKED; i++)
		outside[i] = ns_inode(0, checked[i]);
	gate_init(&taken);
	life_told = true;

	lab_step("Two Pods of two containers. What one shares must end where it ends.", NULL);
	struct sandbox *web = start(POD("web", "course", TWO(SLEEP, SLEEP)), TASKS);
	struct sandbox *db = start(POD("db", "other", TWO(SLEEP, SLEEP)), 0);
	pid_t one = web->containers[0].pid, two = web->containers[1].pid,
	      far = db->containers[0].pid;
	autofree char *in_pod = namespaces_of_both(one, two),
		      *of_pods = namespaces_of_both(one, far);
	expect_str("in a Pod: namespaces", "ipc net user uts", in_pod);
	expect_str("of two Pods: namespaces", "user", of_pods);
	look(web);

	lab_step("--pod-pids-limit 32 was web's: the kernel must refuse it a task too many.", NULL);
	autofree char *of_web = tries_tasks(&web->containers[0]),
		      *of_db = tries_tasks(&db->containers[0]);
	expect_int("web: the Pod's pids.max", TASKS, cg_read_long(web->group, "pids.max"));
	expect_str("web: as many children more", "EAGAIN", of_web);
	expect_str("the far one: as many", "all", of_db);
	look(web);

	lab_step("System V memory, the hostname, a port: the other has them, the far one not.",
		NULL);
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
	look(web);

	lab_step("Files: a volume and /dev/shm must be shared, roots not.", NULL);
	expect_str("a file in the volume", "there", seen_in(one, two, "/data/file"));
	expect_str("a file in /dev/shm", "there", seen_in(one, two, "/dev/shm/file"));
	expect_str("a file in one's root", "ENOENT", seen_in(one, two, "/file"));
	expect_str("the far one: the volume", "ENOENT", seen_in(one, far, "/data/file"));
	look(web);

	lab_step(
		"shareProcessNamespace: each must see the other's environment, and secrets.", NULL);
	struct sandbox *shared = start(
		POD("shared", "other", "  shareProcessNamespace: true\n" TWO(SLEEP, SLEEP)), 0);
	autofree char *with_pid =
		namespaces_of_both(shared->containers[0].pid, shared->containers[1].pid);
	autofree char *pids = proc_status(shared->pause, "NSpid"),
		      *pause_is_1 = text("%d 1", shared->pause);
	expect_str("shared: namespaces", "ipc net pid user uts", with_pid);
	expect_str("shared: pause is PID 1", pause_is_1, pids);
	autofree char *of_name = namespaces_of_both(far, shared->containers[0].pid);
	expect_str("with db, of its metadata.namespace", "user", of_name);
	expect_int("shared: one reads two's environment", 0,
		reads_environment(&shared->containers[0]));
	expect_int("not shared: it finds none", 1, reads_environment(&web->containers[0]));
	autofree char *root_of_1 = NULL, *powers = proc_status(shared->pause, "CapBnd");
	run_in(&shared->containers[0], (char *[]){"ls", "-A", "/proc/1/root/", NULL}, &root_of_1);
	root_of_1[strcspn(root_of_1, "\n")] = '\0';
	expect_str("shared: pause's root holds", "nothing", *root_of_1 ? root_of_1 : "nothing");
	expect_str("shared: pause's capabilities", "0000000000000000", powers);
	look(shared);

	lab_step("Pause is killed there: it is PID 1, so the kernel must kill all.", NULL);
	MUST(kill(shared->pause, SIGKILL));
	child_ended(shared->containers[0].pid, 5000);
	child_ended(shared->containers[1].pid, 5000);
	expect_int("shared: containers that have ended", 2, ended(shared));
	expect_int("the other Pod: that have ended", 0, ended(web));

	lab_step("hostUsers: false. Root in it must be nobody outside.", NULL);
	struct sandbox *users =
		start(POD("users", "other", "  hostUsers: false\n" TWO(SLEEP, SLEEP)), 0);
	autofree char *map_file = text("/proc/%d/uid_map", users->containers[0].pid),
		      *map = file_read(map_file);
	autofree char *uids = proc_status(users->containers[0].pid, "Uid");
	long long inside = -1, first = -1, count = 0;
	sscanf(map, "%lld %lld %lld", &inside, &first, &count);
	expect_int("users: ids that it has", 65536, count);
	expect_int("users: its root outside", first, atoll(uids));
	expect_range("users: that nobody has", 0x70000000, INT_MAX, first);
	expect_differ("users: its user namespace", ns_inode(0, "user"),
		ns_inode(users->containers[0].pid, "user"));
	look(users);

	lab_step("A limit of the Pod: two that are each below it, and together above.", NULL);
	struct sandbox *whole =
		start(POD("whole", "other",
			      "  restartPolicy: Never\n  resources: {limits: {memory: 64Mi}}\n" TWO(
				      "eat, 40M, '--hold'", "eat, 40M, '--hold'")),
			0);
	expect_int(
		"whole: the Pod's memory.max", 64 << 20, cg_read_long(whole->group, "memory.max"));
	bool killed = cg_wait_key(whole->group, "memory.events", "oom_kill", 1, 20000);
	expect_int("whole: the kernel has killed in it", true, killed);
	for (size_t i = 0; i < whole->count && killed; i++)
		child_ended(whole->containers[i].pid, 1000);
	expect_range("whole: containers that have ended", 1, 2,
		ended(whole)); /* whose they are, it chooses */

	if (lab_part("negative")) {
		struct sandbox *safe =
			start(POD("safe", "other",
				      "  containers:\n"
				      "  - {name: one, image: busybox, command: [" SLEEP "],\n"
				      "     resources: {limits: {cpu: 100m, memory: 32Mi}}}\n"),
				0);
		autofree char *file = text("/proc/%d/oom_score_adj", safe->containers[0].pid),
			      *score = file_read(file);
		expect_str("safe: QoS class", "Guaranteed", qos_names[pod_qos(safe->pod)]);
		expect_int("safe: oom_score_adj", -997, atoi(score));
	}

	lab_row("net, ipc, uts", "two Pods: not", "one Pod: shared", "setns()");
	lab_row("a port twice", "two Pods: works", "EADDRINUSE", "one network");
	lab_row("the other's environ", "not there", "readable", "one PID namespace");
	lab_row("pause is killed", "all live on", "all are killed", "PID 1");
	lab_row("its root, outside", "root", "an id of nobody's", "hostUsers: false");
	lab_row("both over the limit", "-", "one is killed", "the Pod's memory.max");
	return lab_end();
}
