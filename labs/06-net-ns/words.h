/* The prose of 06-net-ns, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"lo", "A process in a new network namespace connects to 127.0.0.1. It gets:",
		{{"works", "a connection to the machine's loopback",
			 "The loopback device is not shared either. Each namespace has one, "
			 "and 127.0.0.1 in two containers are two different hosts."},
			{"unreachable", "ENETUNREACH: the network is unreachable", NULL},
			{"refused", "ECONNREFUSED: nobody listens",
				"To be refused one must get there. The device is down, and with it "
				"there is not even the route."}}},
	{"move", "One end of a veth pair is moved into the container. The host then sees:",
		{{"inside", "the other end only", NULL},
			{"both", "both ends",
				"A device is in one namespace at a time. Moved, it is gone from "
				"where it was; frames go through the cable, not the device."}}},
	{"port", "A port is bound on the host. A container binds the same port and gets:",
		{{"EADDRINUSE", "EADDRINUSE: it is in use",
			 "Ports belong to a network namespace. Only with docker -p or a "
			 "Pod's hostPort does a container's port take one of the host's."},
			{"works", "success", NULL}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 06 -- ip address", "scripts/lab 06 -- cat /proc/net/route",
		"scripts/lab 06 --port 80"},
	.docker =
		"docker run gives each container a network namespace and a veth pair to the bridge "
		"docker0; --network=none leaves the cable out, --network=host the namespace.",
	.kubernetes =
		"the containers of a Pod share one network namespace, which the pause container "
		"holds and a CNI plugin wires with these calls; hostNetwork: true leaves it out.",
	.next = "make more-06: a bridge, NAT, a firewall of its own; then make lab-07",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"scripts/lab 06 -- ip neighbour show nud all", "scripts/lab 06 -- ip route",
		"cat /proc/net/dev"},
	.docker = "docker0 is that bridge, and docker run -p is an nft or iptables rule beside the "
		  "masquerade; docker network create makes another bridge.",
	.kubernetes =
		"a CNI bridge plugin makes these calls for each Pod, with an address from IPAM. "
		"Bandwidth is tc's or eBPF's: the annotation "
		"kubernetes.io/egress-bandwidth.",
	.next = "make lab-07: the cgroup tree",
};
