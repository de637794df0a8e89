/* The prose of 11-time-ns, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"caller", "A process asks for a time namespace of its own. In it are, from then on,",
		{{"caller", "the process and its next children",
			 "That holds for most namespaces, and neither for PID nor for time: a clock "
			 "that jumps under a running program would break its timers."},
			{"children", "its next children, and not the process", NULL}}},
	{"wall", "In a container whose uptime was moved by years, date(1) prints",
		{{"moved", "a day in some other year",
			 "CLOCK_REALTIME has no offset. It is one for the machine: certificates, "
			 "logs and files of all containers are dated by it."},
			{"same", "today", NULL}}},
	{"late", "The container runs. Its offsets",
		{{"closed", "are fixed for as long as it lives", NULL},
			{"open", "can be changed by who has the capability",
				"CLOCK_MONOTONIC promises never to jump. So the offsets are set while "
				"nobody is in there, and closed by the first process."}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 11 -- uptime", "scripts/lab 11 --days 365 -- sh -c 'uptime; date'",
		"scripts/lab 11 -- cat /proc/self/timens_offsets"},
	.docker = "no option; the runtimes below it (runc, crun) take timeOffsets in config.json. "
		  "uptime in a container is the machine's.",
	.kubernetes = "no field either. Who uses it is CRIU, which moves a running container to a "
		      "machine that was booted at another time.",
	.next = "make lab-14: layers",
	.questions = questions,
};
