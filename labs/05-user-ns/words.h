/* The prose of 05-user-ns, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"before",
		"An ordinary user makes a user namespace. Before a map is written, getuid() says:",
		{{"same", "the id that it had",
			 "Ids are read through the map. Where there is none, every id is shown "
			 "as the overflow id, 65534."},
			{"nobody", "the overflow id, 65534, and every capability is there", NULL},
			{"root", "0: root",
				"It is the map that makes it 0. The capabilities come first, or "
				"nobody could write the map."}}},
	{"owner", "Root in that namespace makes a file in /tmp. Seen from outside its owner is:",
		{{"ordinary", "the ordinary user", NULL},
			{"root", "root",
				"The kernel stores the id of outside; 0 is only how it is shown "
				"inside. So such a root can make nothing that is root's."},
			{"nobody", "nobody, 65534",
				"65534 is shown for an id that has no place in the map. This one "
				"has."}}},
	{"host", "It has CAP_SYS_ADMIN and calls sethostname() in the hostname's old namespace:",
		{{"renamed", "the machine gets the name",
			 "Every namespace has an owner, a user namespace. A capability counts "
			 "only over what one's own user namespace owns."},
			{"refused", "EPERM: the capability does not reach there", NULL}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 05 -- id -u", "scripts/lab 05 -- cat /proc/self/uid_map",
		"scripts/lab 05 -- sh -c 'hostname inside && hostname'"},
	.docker =
		"rootless Docker and Podman begin with this call; dockerd --userns-remap=default does "
		"it for all containers. Without them root inside is root outside.",
	.kubernetes = "hostUsers: false gives a Pod a user namespace. runAsUser is something else: "
		      "another id in the same one.",
	.next = "make more-05: what the kernel takes as a map and what not; then make lab-06",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"scripts/lab 05 -- cat /proc/self/setgroups", "cat /proc/self/uid_map",
		"scripts/lab 05 -- stat -c %u /proc/kmsg"},
	.docker =
		"docker and podman take the ids of a container from /etc/subuid and let newuidmap, "
		"a set-uid program, write the map.",
	.kubernetes = "the kubelet gives each Pod with hostUsers: false 65536 ids that no other "
		      "Pod has; it is root and needs no newuidmap.",
	.next = "make lab-06: a network stack of its own",
};
