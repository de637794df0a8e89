/* The prose of 15-security-context, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"map", "runAsUser: 1000 is set. What does /proc/self/uid_map of the container say?",
		{{"another", "another map: 1000 inside is somebody else outside",
			 "That is a user namespace, hostUsers: false. runAsUser takes on another "
			 "id in the namespace that it is in: 1000 here is 1000 on the node."},
			{"same", "what it said before", NULL}}},
	{"root", "uid 0 without any capability opens a file of another user, mode 0600. It",
		{{"reads", "reads it: it is root",
			 "Root reads everything by CAP_DAC_OVERRIDE. Without it uid 0 is an "
			 "ordinary owner of ordinary files, which are many: root's."},
			{"refused", "is refused with EACCES", NULL}}},
	{"set-uid", "After no_new_privs a user starts a set-uid program of root's.",
		{{"refused", "exec() is refused with EPERM",
			 "Nothing is refused. The bit is ignored, so the program runs as who "
			 "started it, and finds out by what it may not do."},
			{"user", "It runs, as the user", NULL},
			{"root", "It runs, as root",
				"That is what the flag is there to prevent."}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 15 -- sh -c 'unshare -m true || id'",
		"scripts/lab 15 -- grep -E 'Uid|Cap' /proc/self/status", "scripts/lab 15/more"},
	.docker = "--user 1000, --cap-drop ALL, --security-opt no-new-privileges, --security-opt "
		  "seccomp=FILE, --read-only. Its default keeps 14 capabilities and "
		  "filters by a list of allowed calls; --privileged leaves all of it out.",
	.kubernetes =
		"securityContext: runAsUser, capabilities.drop, allowPrivilegeEscalation: false, "
		"seccompProfile, readOnlyRootFilesystem. Without seccompProfile there is no "
		"filter, unless the kubelet has seccompDefault.",
	.next = "make more-15: runAsNonRoot, masked paths, and who else may refuse",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"scripts/lab 15 -- grep Seccomp /proc/self/status",
		"grep Cap /proc/self/status", "scripts/lab 15 -- grep Cap /proc/self/status"},
	.docker = "--read-only with --tmpfs /tmp; --security-opt systempaths=unconfined takes the "
		  "masks away; --security-opt apparmor=PROFILE and label=TYPE name the module's "
		  "profile; --privileged does all of it.",
	.kubernetes = "runAsNonRoot, readOnlyRootFilesystem, procMount: Unmasked, appArmorProfile, "
		      "seLinuxOptions. Landlock is no field: a program asks for it itself.",
	.next = "make guide-15: the fields of a manifest, one by one",
};
