/* The prose of 03-uts-ns, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"copy", "A process asks for its own UTS namespace. Its hostname is now:",
		{{"same", "the same as before", NULL},
			{"empty", "empty, or localhost",
				"A new UTS namespace begins as a copy, so the name is not empty. A "
				"container has another name because its runtime calls sethostname()."}}},
	{"join", "A third process enters the namespace of a container with setns(). It sees:",
		{{"inside", "the name that was set inside", NULL},
			{"host", "the name of the host",
				"A process that has entered no longer sees the host's name. Every "
				"process in a namespace sees the same names; docker exec uses this."}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 03 -- hostname", "scripts/lab 03 --hostname db -- uname -n",
		"scripts/lab 03/more"},
	.docker =
		"docker run --hostname NAME sets the name; without it the name is the container's "
		"short id. --uts=host gives it no namespace of its own.",
	.kubernetes =
		"the containers of a Pod share one UTS namespace. Its hostname is the Pod's name, "
		"or spec.hostname.",
	.next = "make more-03: what keeps a namespace alive; then make lab-01",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"scripts/lab 03 -- readlink /proc/self/ns/uts", "readlink /proc/self/ns/uts",
		"cat /proc/sys/user/max_uts_namespaces"},
	.docker =
		"docker keeps a bind mount of each container's network namespace, so the namespace "
		"can be joined although no process is in it.",
	.kubernetes = "the pause container holds the namespaces of the Pod: it is a process that "
		      "stays in them.",
	.next = "make lab-01: the first process of a container",
};
