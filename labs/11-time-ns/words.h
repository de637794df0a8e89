/* The prose of 11-time-ns, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"caller", "A process asks for a time namespace of its own. Who is in it from then on?",
		{{"caller", "the process and its next children",
			 "Most namespaces do take the process itself. PID and time namespaces take only "
			 "its next children: a clock that jumps would break the timers of a program "
			 "that runs."},
			{"children", "its next children, but not the process itself", NULL}}},
	{"wall", "In a container whose uptime was moved by years, what does date(1) print?",
		{{"moved", "a day in another year",
			 "Another year would need an offset for CLOCK_REALTIME, and there is none. The "
			 "machine has one time of day, by which all its files and logs are dated."},
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
