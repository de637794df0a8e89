/* The prose of 01-pid-ns, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"caller", "After unshare(CLONE_NEWPID), what is the PID of the process that called it?",
		{{"same", "the same as before", NULL},
			{"1", "1: it is in the new namespace now",
				"A process never changes its PID namespace. Only the children that "
				"it makes from then on are born in the new one."},
			{"0", "0: it has none until it forks",
				"Every process has a PID. The caller stays where it is."}}},
	{"proc", "In the new namespace, with the /proc that was mounted before, ps lists:",
		{{"theirs", "the processes of the old namespace", NULL},
			{"own", "its own processes only",
				"/proc shows the namespace of the process that mounted it, not of "
				"the one that reads it. It takes a fresh mount."}}},
	{"dies", "PID 1 of the namespace is killed. Its children",
		{{"die", "are killed by the kernel", NULL},
			{"adopted", "are adopted by PID 1 of the host",
				"An orphan is adopted inside its own namespace. When PID 1 goes, "
				"there is nobody left to adopt, and the kernel ends them all."}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 01 -- ps", "scripts/lab 01 -- sh -c 'echo I am $$'",
		"scripts/lab 01/more"},
	.docker = "docker run gives each container a PID namespace; --pid=host leaves it out, and "
		  "docker inspect -f '{{.State.Pid}}' is the PID outside.",
	.kubernetes =
		"each container has its own; shareProcessNamespace: true joins those of a Pod; "
		"hostPID: true leaves it out.",
	.next = "make more-01: signals, orphans, and what a view does not limit",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"scripts/lab 01 -- sh -c 'kill -9 $$; echo still here'",
		"scripts/lab 01 -- sh -c 'sleep 1 & ps'",
		"scripts/lab 01 -- sh -c 'kill -0 2 || echo nobody'"},
	.docker =
		"docker stop sends SIGTERM and, ten seconds later, SIGKILL from outside; docker run "
		"--init puts a PID 1 in front that forwards and reaps.",
	.kubernetes =
		"terminationGracePeriodSeconds is that wait; with shareProcessNamespace the pause "
		"container is PID 1 and reaps.",
	.next = "make lab-10: what ends a container although it is PID 1",
};
