/* The prose of 13-devices, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"root", "/dev/zero is there, mode 0666. Root in the group opens it. It gets",
		{{"opens", "a descriptor: the mode allows it, and root may everything",
			 "The mode and root's capabilities were asked too, and said yes. The "
			 "group's program is asked besides, and one no is enough."},
			{"refused", "EPERM", NULL},
			{"absent", "ENXIO: there is no such device in there",
				"Devices have no namespace. The device is there; the group may "
				"not open it."}}},
	{"node", "It makes a node for 1:5 of its own, in another folder. mknod() is",
		{{"makes", "allowed, since a new file of one's own is no device yet",
			 "A node is a name for two numbers. The program sees the numbers, and "
			 "is asked when a node is made as well as when it is opened."},
			{"refused", "refused with EPERM", NULL}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 13 -- sh -c 'true </dev/zero || echo no'",
		"scripts/lab 13 --minor 5 -- head -c 1 /dev/zero", "scripts/lab 13/more"},
	.docker = "docker run --device /dev/fuse makes the node and adds a rule; "
		  "--device-cgroup-rule 'c 1:3 rwm' is the rule alone; --privileged allows all.",
	.kubernetes = "no field of a Pod: a device plugin gives devices to a container, and the "
		      "runtime writes this program; privileged: true allows all.",
	.next = "make more-13: read and write apart, groups below groups, and v1; then make lab-14",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"scripts/lab 13 -- sh -c 'echo x >/dev/zero || echo no'",
		"ls -l /dev/null /dev/zero", "grep devices /proc/cgroups"},
	.docker = "docker inspect shows DeviceCgroupRules; docker exec enters the group, so that "
		  "its program is asked for COMMAND too.",
	.kubernetes = "the runtime attaches it to the container's group; on systemd the unit's "
		      "DeviceAllow= is the same program, written by systemd.",
	.next = "make lab-14: layers",
};
