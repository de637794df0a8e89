/* The prose of 05-user-ns, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"before",
		"An ordinary user makes a user namespace. Before a map is written, getuid() "
		"returns:",
		{{"same", "the user's old id",
			 "The old id would need a line in the map. Without a map the kernel shows "
			 "every id as the overflow id, 65534."},
			{"nobody", "the overflow id, 65534", NULL},
			{"root", "0: root",
				"0 appears only when the map has a line for it. The capabilities "
				"come earlier, because writing the map needs them."}}},
	{"owner", "Root in that namespace creates a file in /tmp. Seen from outside, its owner is:",
		{{"ordinary", "the ordinary user", NULL},
			{"root", "root",
				"The kernel stores the id of outside, and shows it as 0 inside. "
				"Root of a user namespace can create nothing that is the "
				"machine's root's."},
			{"nobody", "the overflow id, 65534",
				"65534 stands for an owner that the map does not contain. The map "
				"contains the owner of this file."}}},
	{"host",
		"That root has CAP_SYS_ADMIN. It is still in the machine's UTS namespace and calls "
		"sethostname():",
		{{"renamed", "the machine gets the new name",
			 "A new name would need the capability in the user namespace that owns "
			 "the UTS namespace: the machine's first one. A capability counts only "
			 "over what its own user namespace owns."},
			{"refused", "EPERM", NULL}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 05 -- id -u", "scripts/lab 05 -- cat /proc/self/uid_map",
		"scripts/lab 05 -- sh -c 'hostname inside && hostname'"},
	.docker = "rootless Docker and Podman begin with a user namespace; dockerd "
		  "--userns-remap=default gives one to every container. Without either, root in a "
		  "container is root on the machine.",
	.kubernetes = "hostUsers: false gives a Pod a user namespace. runAsUser does not: it "
		      "selects another id in the same user namespace.",
	.next = "make more-05: which maps the kernel accepts; then make lab-04",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"scripts/lab 05 -- cat /proc/self/setgroups", "cat /proc/self/uid_map",
		"scripts/lab 05 -- stat -c %u /proc/kmsg"},
	.docker = "docker and podman read /etc/subuid for the ids of a container. The map is "
		  "written by newuidmap, a set-uid program.",
	.kubernetes = "the kubelet gives each Pod with hostUsers: false 65536 ids that no other "
		      "Pod has. The runtime is root and needs no newuidmap.",
	.next = "make lab-04: shared memory that is not shared",
};
