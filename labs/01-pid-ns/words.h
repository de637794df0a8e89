/* The prose of 01-pid-ns, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"caller", "After unshare(CLONE_NEWPID), what is the PID of the process that called it?",
		{{"same", "the same as before", NULL},
			{"1", "1: it is in the new namespace now",
				"1 will be its first child. A process never changes its PID "
				"namespace; only its later children start in the new one."},
			{"0", "0: it has none until it forks",
				"0 stands for a parent that is outside the reader's namespace. Every "
				"process has a PID, and the caller keeps its own."}}},
	{"proc", "In the new namespace, with the /proc that was mounted before, ps lists:",
		{{"theirs", "the processes of the old namespace", NULL},
			{"own", "its own processes only",
				"A /proc shows the PID namespace in which it was mounted, whoever "
				"reads it. To see its own processes, the container mounts a new one."}}},
	{"dies", "PID 1 of the namespace is killed. Its children",
		{{"die", "are killed by the kernel", NULL},
			{"adopted", "are adopted by PID 1 of the host",
				"Only a process of the same namespace can adopt an orphan. When PID "
				"1 ends, no one can, so the kernel kills all the others."}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 01 -- ps", "scripts/lab 01 -- sh -c 'echo I am $$'",
		"scripts/lab 01/more"},
	.docker = "docker run gives each container its own PID namespace, --pid=host does not. "
		  "docker inspect -f '{{.State.Pid}}' prints the PID outside.",
	.kubernetes =
		"each container has its own PID namespace. shareProcessNamespace: true gives a Pod "
		"a common one, hostPID: true the node's.",
	.next = "make more-01: signals, orphans, and what the namespace does not limit; then make lab-02",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"scripts/lab 01 -- sh -c 'kill -9 $$; echo still here'",
		"scripts/lab 01 -- sh -c 'sleep 1 & ps'",
		"scripts/lab 01 -- sh -c 'kill -0 2 || echo nobody'"},
	.docker =
		"docker stop sends SIGTERM and, ten seconds later, SIGKILL, both from outside. With "
		"docker run --init a small PID 1 forwards signals and reaps orphans.",
	.kubernetes =
		"terminationGracePeriodSeconds sets that wait. With shareProcessNamespace the pause "
		"container is PID 1 and reaps.",
	.next = "make lab-02: a mount table and a root of its own",
};
