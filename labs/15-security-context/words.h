/* The prose of 15-security-context, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"map", "runAsUser: 1000 is set. What does the container's /proc/self/uid_map contain?",
		{{"another", "another map: 1000 inside is a different user outside",
			 "Another map is what a user namespace gives (hostUsers: false). runAsUser "
			 "only switches to another id in the same namespace: 1000 here is 1000 on "
			 "the node."},
			{"same", "the same as before", NULL}}},
	{"root",
		"A process has uid 0 and no capability. May it read another user's file, mode 0600?",
		{{"reads", "yes: it is root",
			 "Root reads every file because it has CAP_DAC_OVERRIDE. Without that "
			 "capability the kernel checks owner and mode for uid 0 as for any other user."},
			{"refused", "no: EACCES", NULL}}},
	{"set-uid",
		"no_new_privs is set, and a user starts a set-uid program of root's. What happens?",
		{{"refused", "exec() is refused with EPERM",
			 "exec() succeeds. The kernel ignores the set-uid bit, so the program "
			 "runs with the ids of the user."},
			{"user", "it runs, as the user", NULL},
			{"root", "it runs, as root",
				"Without no_new_privs it would run as root. The flag keeps exec() "
				"from giving a process more rights."}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 15 -- sh -c 'unshare -m true || id'",
		"scripts/lab 15 -- grep -E 'Uid|Cap' /proc/self/status", "scripts/lab 15/more"},
	.docker = "--user 1000, --cap-drop ALL, --security-opt no-new-privileges, --security-opt "
		  "seccomp=FILE, --read-only. By default Docker keeps 14 capabilities and allows "
		  "only the system calls of a list. --privileged keeps all and filters nothing.",
	.kubernetes =
		"securityContext: runAsUser, capabilities.drop, allowPrivilegeEscalation: false, "
		"seccompProfile, readOnlyRootFilesystem. Without seccompProfile there is no "
		"filter, unless the kubelet was started with seccompDefault.",
	.next = "make more-15: runAsNonRoot, masked paths and Landlock; then make lab-16",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"scripts/lab 15 -- grep Seccomp /proc/self/status",
		"grep Cap /proc/self/status", "scripts/lab 15/more-filters"},
	.docker =
		"--read-only with --tmpfs /tmp; --security-opt systempaths=unconfined removes "
		"the masks; --security-opt apparmor=PROFILE and label=type:TYPE choose the security "
		"module's profile; --privileged removes all of it.",
	.kubernetes = "runAsNonRoot, readOnlyRootFilesystem, procMount: Unmasked, appArmorProfile, "
		      "seLinuxOptions. There is no field for Landlock: a program calls it itself.",
	.next = "make guide-15: the fields of a manifest, one by one",
};

static const struct lab_words more_filters_words = {
	.try_now = {"scripts/lab 15 -- grep Seccomp /proc/self/status",
		"scripts/lab 15 -- unshare --mount true || echo refused"},
	.docker =
		"--security-opt seccomp=FILE replaces Docker's own list; with "
		"=unconfined Docker installs no filter. A process without CAP_SYS_ADMIN has to set "
		"no_new_privs before it may install one.",
	.kubernetes = "seccompProfile: type RuntimeDefault is the runtime's list, Localhost a file "
		      "on the node, Unconfined no filter. A status of 159 is 128 + SIGSYS.",
	.next = "make guide-15: the fields of a manifest, one by one",
};
