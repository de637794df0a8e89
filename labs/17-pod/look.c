/*
 * look.c: what the stories observe: the namespaces of two processes, and what a process sees that
 * joins the namespaces of a container. setns(2), namespaces(7)
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/sys.h"
#include "pod.h"

/* The namespaces that two processes share: "ipc net uts". Allocated. */
char *namespaces_of_both(pid_t one, pid_t other)
{
	static const char *const names[] = {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"};
	char *list = text("%s", "");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		autofree char *before = list;
		bool same = ns_inode(one, names[i]) == ns_inode(other, names[i]);
		list = text("%s%s%s", before, *before && same ? " " : "", same ? names[i] : "");
	}
	return list;
}

/* The slice above that of its Pod, as proc_pid_cgroup(5) names it. Allocated. */
char *class_slice_of(pid_t pid)
{
	autofree char *path = text("/proc/%d/cgroup", pid), *groups = file_read(path);
	char *own = strstr(groups, "0::"), *name[3] = {NULL}, *rest = NULL;
	for (char *next = own ? strtok_r(own + 3, "/\n", &rest) : NULL; next;
		next = strtok_r(NULL, "/", &rest)) {
		name[0] = name[1], name[1] = name[2]; /* its class's, its Pod's, its own */
		name[2] = next;
	}
	return text("%s", name[0] ? name[0] : "none");
}

/* Calls does() in a child that joins some namespaces of pid. Returns its value. */
int do_in(pid_t pid, int namespaces, int (*does)(void *), void *with)
{
	autoclose int pidfd = MUST((int)syscall(SYS_pidfd_open, pid, 0));
	pid_t child = MUST(fork());
	if (child == 0) {
		MUST(setns(pidfd, namespaces));
		_exit(does(with));
	}
	return child_wait(child);
}

static int read_address(void *to)
{
	struct ifreq request = {.ifr_name = "eth0"};
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || ioctl(sock, SIOCGIFADDR, &request))
		return 1;
	struct sockaddr_in *address = (struct sockaddr_in *)&request.ifr_addr;
	return inet_ntop(AF_INET, &address->sin_addr, to, INET_ADDRSTRLEN) ? 0 : 1;
}

/* The address of eth0 in the network namespace of pid. */
const char *address_in(pid_t pid)
{
	char *page = mmap(
		NULL, INET_ADDRSTRLEN, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return page != MAP_FAILED && !do_in(pid, CLONE_NEWNET, read_address, page) ? page : "none";
}

/*
 * kubectl exec: a command beside a container's own, in its group and its namespaces. What
 * it writes is allocated to *said, unless said is NULL. Its status.
 */
int run_in(const struct pod_container *r, char *command[], char **said)
{
	int pipe[2], pidfd = MUST((int)syscall(SYS_pidfd_open, r->pid, 0));
	autoclose int folder = MUST(open(r->group, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	MUST(pipe2(pipe, O_CLOEXEC));
	struct clone_args born = {
		.flags = CLONE_INTO_CGROUP, .cgroup = (uint64_t)folder, .exit_signal = SIGCHLD};
	pid_t child = MUST(clone3(&born));
	if (child == 0) {
		lab_command = command;
		MUST(setns(pidfd,
			CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID));
		pid_t inside = MUST(fork()); /* the PID namespace is our children's */
		if (inside) {
			int status;
			waitpid(inside, &status, 0);
			_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
		}
		int nowhere = MUST(open("/dev/null", O_RDWR | O_CLOEXEC));
		MUST(dup2(nowhere, STDIN_FILENO));
		MUST(dup2(nowhere, STDERR_FILENO));
		MUST(dup2(said ? pipe[1] : nowhere, STDOUT_FILENO));
		setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
		lab_exec(command);
	}
	close(pidfd);
	close(pipe[1]);
	char *all = text("%s", ""), buffer[512];
	for (ssize_t n; (n = read(pipe[0], buffer, sizeof buffer)) > 0;) {
		autofree char *before = all;
		all = text("%s%.*s", before, (int)n, buffer);
	}
	close(pipe[0]);
	if (said)
		*said = all;
	else
		free(all);
	return child_wait(child);
}

struct sandbox *run_pod(const char *yaml, long long pids)
{
	struct manifest *m = calloc(1, sizeof *m);
	struct sandbox *s = calloc(1, sizeof *s);
	if (!m || !s || !manifest_read(m, yaml, strlen(yaml), NULL, false))
		die("a manifest of this lab's: %s", m ? m->error.message : "out of memory");
	s->pod = m->pod;
	s->pids = pids;
	if (!sandbox_start(s))
		exit(lab_end_early());
	for (size_t i = 0; i < s->count; i++)
		pod_container_start(s, &s->containers[i], NULL);
	return s;
}
