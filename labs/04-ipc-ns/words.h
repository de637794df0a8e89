/* The prose of 04-ipc-ns, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"key", "A process in a new IPC namespace creates a segment with the host's key. There are now",
		{{"same", "one segment: the host's was opened",
			 "The host's segment cannot be opened by its key there: the kernel looks a key up "
			 "in the caller's own namespace."},
			{"two", "two segments, one in each namespace", NULL}}},
	{"posix",
		"The host creates an object by shm_open(). In the new IPC namespace the object is",
		{{"hidden", "hidden",
			 "A System V object or a POSIX message queue would be hidden. shm_open() opens a "
			 "file in /dev/shm, and only another mount there can hide a file."},
			{"found", "found, with the host's content", NULL}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 04 -- ipcs -m", "scripts/lab 04 -- sh -c 'ipcmk -M 64; ipcs -m'",
		"scripts/lab 04/more"},
	.docker = "docker run gives each container an IPC namespace and a /dev/shm (--shm-size). "
		  "--ipc=host gives it the host's; --ipc=container:NAME joins a container that "
		  "runs with --ipc=shareable.",
	.kubernetes = "the containers of a Pod share one IPC namespace, which the pause container "
		      "holds, and one /dev/shm. hostIPC: true gives the Pod the node's.",
	.next = "make more-04: queues, semaphores, and how long an object lives",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"scripts/lab 04 -- sh -c 'ipcmk -Q; ipcs -q'", "ipcs -q",
		"cat /proc/sys/user/max_ipc_namespaces"},
	.docker = "when a container stops, its namespace ends and all objects in it are gone. With "
		  "--ipc=host they stay on the machine until ipcrm.",
	.kubernetes = "a restarted container finds the old segments and semaphores of its Pod, "
		      "because pause holds the namespace. A new Pod begins empty.",
	.next = "make lab-06: a network stack of its own",
};
