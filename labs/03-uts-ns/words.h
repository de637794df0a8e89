/* The prose of 03-uts-ns, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"copy", "A process asks for a UTS namespace of its own. Its hostname is now:",
		{{"same", "the same as before", NULL},
			{"empty", "empty, or localhost",
				"A new UTS namespace begins as a copy. A container has another name "
				"only because its runtime calls sethostname()."}}},
	{"join", "A third process enters that namespace with setns(). It sees:",
		{{"inside", "the name that was set inside", NULL},
			{"host", "the name of the host",
				"A namespace is not bound to the process that made it. Whoever is in "
				"it sees it: that is how docker exec works."}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 03 -- hostname", "scripts/lab 03 --hostname db -- uname -n",
		"scripts/lab 03/more"},
	.docker = "docker run --hostname NAME; without it the name is the container's short id; "
		  "--uts=host leaves the namespace out.",
	.kubernetes =
		"the hostname is the Pod's name, shared by its containers; spec.hostname sets "
		"another.",
	.next = "make more-03: what keeps a namespace alive; then make lab-01",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"scripts/lab 03 -- readlink /proc/self/ns/uts", "readlink /proc/self/ns/uts",
		"cat /proc/sys/user/max_uts_namespaces"},
	.docker =
		"docker keeps a bind mount of each container's network namespace, so that it can be "
		"joined when no process is in it.",
	.kubernetes =
		"the pause container is the simple way: a process that holds the namespaces of "
		"the Pod by being in them.",
	.next = "make lab-01: the first process in there",
};
