/* The prose of 17-pod, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"share", "Which namespaces do two containers of a Pod share?",
		{{"all", "all of them, because they are one Pod",
			 "Each container of a Pod has its own root and, without shareProcessNamespace, its "
			 "own PIDs. They share the network, the IPC objects and the hostname."},
			{"three", "net, ipc and uts; not pid and mnt", NULL}}},
	{"oom", "One container of the Pod uses more memory than its limit. What does the kernel kill?",
		{{"container", "processes of that container", NULL},
			{"pod", "the Pod, with all its containers",
				"The limit is a file of that container's group, and the kernel kills only in "
				"this group. The kubelet then restarts the container and not the Pod."}}},
	{"pause",
		"Pause made the namespaces of the Pod. Now pause is killed. What else does the kernel "
		"kill?",
		{{"all", "all containers, because their namespaces are gone",
			 "A namespace exists as long as a process is in it, and the containers are. The "
			 "kubelet notices the end of pause, ends the containers and makes a new sandbox."},
			{"nobody", "nothing", NULL}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 17 --explain", "scripts/lab 17 -- hostname",
		"scripts/lab 17 -- ip -4 -o address"},
	.docker =
		"--network container:NAME, --ipc container:NAME and --pid container:NAME each join "
		"one namespace of another container. Podman has Pods with a pause of their own.",
	.kubernetes =
		"kubectl get pod -o wide shows one IP for each Pod. kubectl describe shows QoS Class, "
		"Last State: Terminated, Reason: OOMKilled. crictl pods lists sandboxes.",
	.next = "make more-17: what is shared and what is not; make guide-17: the manifest",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"scripts/lab 17 --explain", "scripts/lab 17 -- ip -4 -o address",
		"scripts/lab 17 -- cat /etc/hosts"},
	.docker =
		"--network container:NAME, --ipc container:NAME, and --ipc shareable for the first.",
	.kubernetes =
		"these are the rules of every Pod. hostNetwork and hostIPC share with the node "
		"instead; the Pod Security Standard \"baseline\" forbids both.",
	.next = "make more-17-fields: fields that change this; then make guide-17",
};

static const struct lab_words fields_words = {
	.try_now = {"scripts/lab 17 --explain", "scripts/lab 17 -- cat /proc/self/uid_map",
		"scripts/lab 17 -- ps"},
	.docker = "--pid container:NAME, and --userns-remap for the whole daemon.",
	.kubernetes =
		"shareProcessNamespace, hostUsers: false, spec.resources. hostPID shares with the "
		"node instead, which the Pod Security Standard \"baseline\" forbids.",
	.next = "make guide-17: the manifest, line by line; then lab 18",
};
