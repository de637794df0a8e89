/* The prose of 04-ipc-ns, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"key", "Inside a new IPC namespace the host's key is created again. There are now",
		{{"same", "one: the host's was opened, or overwritten",
			 "A key is looked up in the caller's own namespace. Both may even have "
			 "the same key and the same id, and are still two objects."},
			{"two", "two segments, one in each namespace", NULL}}},
	{"posix", "The host makes an object by shm_open(). In the new IPC namespace it is",
		{{"hidden", "hidden: shared memory is what an IPC namespace is about",
			 "It is about System V objects and POSIX message queues. shm_open() "
			 "opens a file in /dev/shm, so the mount table decides."},
			{"found", "found, with the host's content", NULL}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 04 -- ipcs -m", "scripts/lab 04 -- sh -c 'ipcmk -M 64; ipcs -m'",
		"scripts/lab 04/more"},
	.docker =
		"docker run gives each container its own, and a /dev/shm of its own (--shm-size); "
		"--ipc=host leaves it out; --ipc=container:NAME joins one that was run with "
		"--ipc=shareable.",
	.kubernetes =
		"the containers of a Pod share one IPC namespace, held by pause, and the runtime "
		"mounts one /dev/shm in all of them; hostIPC: true leaves it out.",
	.next = "make more-04: queues, semaphores, and how long an object lives",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"scripts/lab 04 -- sh -c 'ipcmk -Q; ipcs -q'", "ipcs -q",
		"cat /proc/sys/user/max_ipc_namespaces"},
	.docker = "what a container leaves in its namespace is gone when it stops; with --ipc=host "
		  "it stays on the machine until ipcrm.",
	.kubernetes =
		"a restarted container finds the Pod's old segments and semaphores: pause has "
		"held the namespace. A new Pod begins empty.",
	.next = "make lab-05: root inside, nobody outside",
};
