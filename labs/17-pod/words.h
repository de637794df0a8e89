/* The prose of 17-pod, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"share", "Two containers of a Pod. Which namespaces do they share?",
		{{"all", "all of them, they are one Pod",
			 "A Pod's containers have roots of their own and, unless shareProcessNamespace says "
			 "otherwise, PIDs of their own. They share the network, the IPC objects and the hostname."},
			{"three", "net, ipc and uts; not pid and mnt", NULL}}},
	{"oom", "One container of the Pod takes more than its limit. What is killed?",
		{{"container", "that container", NULL},
			{"pod", "the Pod, with all its containers",
				"The limit is a file of that container's group, and the kernel kills in that group "
				"alone. What is started again afterwards is the container too, not the Pod."}}},
	{"pause",
		"Pause owns the Pod's namespaces, and is killed. Who dies with it, by the kernel's hand?",
		{{"all", "all containers, for their namespaces are gone",
			 "A namespace lives as long as somebody is in it, and the containers are. It is the "
			 "kubelet that notices, ends them and begins anew."},
			{"nobody", "nobody", NULL}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 17 --explain", "scripts/lab 17 -- hostname",
		"scripts/lab 17 -- ip -4 -o address"},
	.docker =
		"--network container:NAME, --ipc container:NAME and --pid container:NAME join another "
		"container's namespaces. podman has pods, with a pause of their own.",
	.kubernetes =
		"kubectl get pod -o wide: one IP a Pod. kubectl describe: QoS Class, Last State: "
		"Terminated, Reason: OOMKilled, Restart Count. crictl pods lists sandboxes.",
	.next = "make more-17: what is shared and what is not; make guide-17: the manifest",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"scripts/lab 17 --explain", "scripts/lab 17 -- ip -4 -o address",
		"scripts/lab 17 -- cat /etc/hosts"},
	.docker = "--pid container:NAME, --ipc shareable, --userns-remap (for the whole daemon).",
	.kubernetes =
		"shareProcessNamespace, hostUsers: false, spec.resources; hostNetwork, hostPID and "
		"hostIPC share with the node instead, which no restricted Pod may.",
	.next = "make guide-17: the manifest, line by line; then lab 18",
};
