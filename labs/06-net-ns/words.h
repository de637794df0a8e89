/* The prose of 06-net-ns, apart from its code so that it can be translated. */
#include "story/lab.h"

static const struct lab_question questions[] = {
	{"lo", "A process in a new network namespace connects to 127.0.0.1. It gets:",
		{{"works", "a connection to the machine's loopback",
			 "The machine's loopback is not shared. Each namespace has its own lo, so "
			 "127.0.0.1 in two containers means two different hosts."},
			{"unreachable", "ENETUNREACH: the network is unreachable", NULL},
			{"refused", "ECONNREFUSED: nobody listens",
				"ECONNREFUSED is an answer from a host that was reached. Here lo is "
				"down, so there is not even a route."}}},
	{"move", "One end of a veth pair is moved into the container. The host then sees:",
		{{"inside", "the other end only", NULL},
			{"both", "both ends",
				"Both ends are never visible there: a device is in one namespace at "
				"a time. Frames cross between the two ends; the device does not."}}},
	{"port", "The host has bound a port. A container binds the same port and gets:",
		{{"EADDRINUSE", "EADDRINUSE: it is in use",
			 "EADDRINUSE needs both sockets in one network namespace. A container's "
			 "port takes one of the host's only with docker -p or a Pod's hostPort."},
			{"works", "success", NULL}}},
	{0},
};

static const struct lab_words words = {
	.try_now = {"scripts/lab 06 -- ip address", "scripts/lab 06 -- cat /proc/net/route",
		"scripts/lab 06 --port 80"},
	.docker =
		"docker run gives each container a network namespace and a veth pair to the bridge "
		"docker0. --network=none makes no veth pair, --network=host no namespace.",
	.kubernetes =
		"the containers of a Pod share one network namespace. The pause container holds it, "
		"and a CNI plugin makes these calls in it. hostNetwork: true gives the Pod none.",
	.next = "make more-06: containers on a bridge; then make lab-07",
	.questions = questions,
};

static const struct lab_words more_words = {
	.try_now = {"scripts/lab 06 -- ip neighbour show nud all", "scripts/lab 06/more-nat",
		"cat /proc/net/dev"},
	.docker = "docker0 is such a bridge; docker network create makes another one.",
	.kubernetes =
		"the bridge plugin of CNI makes these calls for each Pod; an IPAM plugin chooses "
		"the address.",
	.next = "make more-06-nat: NAT, and a firewall for each; then make lab-07",
};

static const struct lab_words more_nat_words = {
	.try_now = {"scripts/lab 06 -- ip route", "cat /proc/sys/net/ipv4/ip_forward",
		"scripts/lab 06 -- cat /proc/sys/net/ipv4/ip_forward"},
	.docker = "docker0 has such a masquerade rule. docker run -p adds one more nft or iptables "
		  "rule.",
	.kubernetes =
		"the bridge plugin of CNI adds the masquerade rule. A NetworkPolicy becomes rules "
		"too, on the host's side of the veth pair.",
	.next = "make lab-07: the cgroup tree",
};
