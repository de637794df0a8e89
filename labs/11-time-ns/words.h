/* The prose of 11-time-ns, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"caller", "A process asks for a time namespace of its own. Who is in it from then on?",
		{{"caller", "the process and its next children",
			 "Most namespaces do move the caller; PID and time namespaces do not. A clock "
			 "that jumps under a running program would break its timers."},
			{"children", "its next children, but not the process itself", NULL}}},
	{"wall", "In a container whose uptime was moved by years, what does date(1) print?",
		{{"moved", "a day in another year",
			 "CLOCK_REALTIME has no offset. The whole machine has one: certificates, "
			 "logs and files of all containers are dated by it."},
			{"same", "today", NULL}}},
	{"late", "The container runs. Can its offsets still be changed?",
		{{"closed", "no, they are fixed as long as the namespace exists", NULL},
			{"open", "yes, by anyone who has the capability",
				"No capability helps. CLOCK_MONOTONIC promises never to jump, so the "
				"kernel takes offsets only before the first process is inside."}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 11 -- uptime", "scripts/lab 11 --days 365 -- sh -c 'uptime; date'",
		"scripts/lab 11 -- cat /proc/self/timens_offsets"},
	.docker = "no option; the runtimes below it (runc, crun) read timeOffsets in config.json. "
		  "uptime in a container shows the machine's.",
	.kubernetes = "no field either. CRIU uses time namespaces to move a running container to a "
		      "machine that was booted at another time.",
	.next = "make lab-12: disk bandwidth by the byte",
	.questions = questions,
};
