/* The prose of 13-devices, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"root", "/dev/zero exists and has mode 0666. Root, in the group, opens it and gets",
		{{"opens", "a descriptor: the mode allows it, and root may do everything",
			 "The mode and root's capabilities do allow it. The kernel asks the group's "
			 "program as well, and one refusal is enough."},
			{"refused", "EPERM", NULL},
			{"absent", "ENXIO: a group has no such device",
				"Devices have no namespace. The device is the same for all; the "
				"program refuses to open it."}}},
	{"node", "Root, in the group, makes its own node for 1:5 in another folder. mknod() is",
		{{"makes", "allowed: making a file opens no device",
			 "A node is a name for a type and two numbers. The kernel asks the program "
			 "about these when the node is made, as it does when it is opened."},
			{"refused", "refused with EPERM", NULL}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 13 -- sh -c 'true </dev/zero || echo no'",
		"scripts/lab 13 --minor 5 -- head -c 1 /dev/zero", "scripts/lab 13/more"},
	.docker = "docker run --device /dev/fuse makes the node and adds a rule; "
		  "--device-cgroup-rule 'c 1:3 rwm' is the rule alone; --privileged allows all.",
	.kubernetes =
		"a Pod has no field for it. A device plugin gives devices to a container, and the "
		"runtime writes this program; privileged: true allows all.",
	.next = "make more-13: read without write, groups below groups, v1; then make lab-14",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"scripts/lab 13 -- sh -c 'echo x >/dev/zero || echo no'",
		"ls -l /dev/null /dev/zero", "grep devices /proc/cgroups"},
	.docker = "docker inspect shows DeviceCgroupRules. docker exec enters the group, so its "
		  "program is asked there, too.",
	.kubernetes = "the runtime attaches the program to the container's group. With systemd, "
		      "DeviceAllow= of a unit becomes such a program, too.",
	.next = "make lab-14: layers",
};
