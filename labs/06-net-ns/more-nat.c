/*
 * More of 06-net-ns: how a container reaches the world by forwarding and NAT, and a firewall that
 * each network namespace has for itself. network_namespaces(7), nft(8)
 */
/* link: libnl-route-3.0 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>

#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "link.h"
#include "node.h"
#include "story/lab.h"
#include "words.h"

enum { PORT = 8080, MARK_PORT = 8081 };

#define A "10.6.0.2"
#define B "10.6.0.3"
#define OUTSIDE "203.0.113.2"

static const struct lab_part lab_parts[] = {
	{"nat", "Switch on forwarding on the host, then add NAT.",
		"with forwarding the question gets out; with NAT the answer gets back",
		.needs = {.proc_mount = true}},
	{"firewall", "Add a rule in a that drops what comes to its port.",
		"the rule drops in a, and nowhere else", .needs = {.kernel = "3.13"}},
	{0},
};

static const struct lab lab = {
	.id = "06-net-ns/more-nat",
	.title = "NAT, and a firewall for each",
	.goal = "With a default route, forwarding and NAT containers reach the world. Each network "
		"namespace has its own firewall rules.",
	.manual = "network_namespaces(7) nft(8) rtnetlink(7) ip(7)",
	.teaches = "unshare:CLONE_NEWNET setns:CLONE_NEWNET sendto recvfrom file:ip_forward",
	.after = "06-net-ns",
	.needs = {.namespaces = true, .modules = "veth bridge"},
	.parts = lab_parts,
	.words = &more_nat_words,
	.story_only = true,
};

static struct node host;

/*
 * For a datagram that is not expected to arrive: true when it has not arrived, although a later
 * one, sent the same way as far as mark, has. All are sent on one CPU, where the kernel keeps
 * their order.
 */
static bool dropped(int to, int mark)
{
	char byte;
	if (recv(mark, &byte, 1, 0) < 0)
		return false;
	return recv(to, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* Runs nft in the namespace of node. Returns its output, allocated; *status is 127 without nft. */
static char *nft(const struct node *node, const char *commands, int *status)
{
	char said[4096];
	int output[2];
	MUST(pipe2(output, O_CLOEXEC));
	pid_t child = MUST(fork());
	if (child == 0) {
		autofree char *path = text("%s:/usr/sbin:/sbin", getenv("PATH") ?: "/usr/bin:/bin");
		if (setns(node->ns, CLONE_NEWNET) || setenv("PATH", path, 1) ||
			dup2(output[1], STDOUT_FILENO) < 0 || dup2(output[1], STDERR_FILENO) < 0)
			die("setns, setenv, dup2: for nft");
		execlp("nft", "nft", commands, (char *)NULL);
		if (errno != ENOENT)
			die("exec of nft");
		_exit(127);
	}
	MUST(close(output[1])); /* the read below ends when the last writer has closed it */
	FILE *from = fdopen(output[0], "r");
	said[from ? fread(said, 1, sizeof said - 1, from) : 0] = '\0';
	if (!from || ferror(from) || fclose(from))
		die("fdopen, read, close: the pipe from nft");
	*status = child_wait(child);
	errno = 0;
	if (*status > 128)
		die("nft was killed by signal %d: %s", *status - 128, said);
	return text("%s", said);
}

/* Skips the part where nft does not work, with what nft printed. */
static bool nft_works(const char *part)
{
	int status;
	autofree char *said = nft(&host, "list ruleset", &status);
	said[strcspn(said, "\n")] = '\0';
	if (status)
		check_skip(part, status == 127 ? "there is no nft here" : said,
			"install the package nftables; the lab VM has it: WHERE=vm");
	return status == 0;
}

static int nft_add(const struct node *node, const char *commands)
{
	int status;
	autofree char *said = nft(node, commands, &status);
	errno = 0;
	if (status)
		die("nft: %s", said);
	return 0;
}

int main(int argc, char *argv[])
{
	struct node a, b, outside;
	struct sockaddr_in from = {0};
	cpu_set_t one_cpu;

	lab_begin(&lab, argc, argv);
	ino_t machine = ns_inode(0, "net");
	if (geteuid() != 0) {
		SYS(unshare(CLONE_NEWUSER)); /* lab 05 shows what this does */
		ns_map_root();
		lab_note("You are an ordinary user, so this runs in a user namespace (lab 05), "
			 "where you are root.");
	}
	CPU_ZERO(&one_cpu);
	CPU_SET(sched_getcpu(), &one_cpu);
	sched_setaffinity(0, sizeof one_cpu, &one_cpu); /* for dropped() */

	lab_step("Make a host with a bridge and two containers, and a machine outside.", NULL);
	SYS(unshare(CLONE_NEWNET));
	/* From here on the lab makes devices, so not in the machine's namespace. */
	if (!expect_differ("the host's namespace", machine, ns_inode(0, "net")))
		return lab_end();
	node_host(&host);
	if (!node_start(&outside, &host, "outside: its own namespace") ||
		!node_start(&a, &host, "a: its own namespace") ||
		!node_start(&b, &host, "b: its own namespace") ||
		!node_join(&a, &host, "vetha", A "/24", "devices in a") ||
		!node_join(&b, &host, "vethb", B "/24", "devices in b"))
		return lab_end();
	bridge_add(host.netlink, "br0");
	address_add(host.netlink, "br0", "10.6.0.1/24");
	link_up(host.netlink, "br0");
	bridge_join(host.netlink, "br0", "vetha");
	bridge_join(host.netlink, "br0", "vethb");
	SYS(route_add_default(a.netlink, "10.6.0.1"));
	int in_a = node_socket(&a, &host, PORT), in_b = node_socket(&b, &host, PORT);

	if (lab_part("nat") && nft_works("part nat") &&
		node_join(&outside, &host, "wan", OUTSIDE "/24", "devices outside")) {
		SYS(address_add(host.netlink, "wan", "203.0.113.1/24"));
		int out = node_socket(&outside, &host, PORT);
		int mark = node_socket(&host, &host, MARK_PORT);
		/* Each network namespace has its own ip_forward: open(2) finds the caller's. */
		file_write("/proc/sys/net/ipv4/ip_forward", "0");
		send_to(in_a, OUTSIDE, PORT), send_to(in_a, "10.6.0.1", MARK_PORT);
		expect_int("no forwarding: dropped", true, dropped(out, mark));
		file_write("/proc/sys/net/ipv4/ip_forward", "1");
		/* With rp_filter the machine outside would drop what it has no route back to. */
		if (setns(outside.ns, CLONE_NEWNET))
			die("setns");
		file_write("/proc/sys/net/ipv4/conf/all/rp_filter", "0");
		file_write("/proc/sys/net/ipv4/conf/eth0/rp_filter", "0");
		SYS(setns(host.ns, CLONE_NEWNET));
		send_to(in_a, OUTSIDE, PORT);
		expect_str("forwarding: outside hears", A, receive_from(out, &from));
		expect_errno("and its answer", ENETUNREACH, send_to(out, A, PORT));
		SYS(nft_add(&host,
			"add table ip lab06; "
			"add chain ip lab06 post { type nat hook postrouting priority 100; }; "
			"add rule ip lab06 post oifname wan masquerade"));
		int asks = node_socket(&a, &host, 0); /* a new flow: NAT decides once for each */
		send_to(asks, OUTSIDE, PORT);
		expect_str("NAT: outside hears", "203.0.113.1", receive_from(out, &from));
		sendto(out, "!", 1, 0, (struct sockaddr *)&from, sizeof from);
		expect_str("NAT: its answer in a is from", OUTSIDE, receive_from(asks, &from));
		lab_row("outside hears", "nobody; " A, "203.0.113.1", "ip_forward; masquerade");
		lab_look("nsenter --target=%d %s--net ip address show wan", getpid(), ns_join);
		lab_wait(a.pid);
	}

	if (lab_part("firewall") && nft_works("part firewall")) {
		int status;
		SYS(nft_add(&a, "add table ip lab06; "
				"add chain ip lab06 in { type filter hook input priority 0; }; "
				"add rule ip lab06 in udp dport 8080 drop"));
		autofree char *rules_a = nft(&a, "list ruleset", &status);
		autofree char *rules_b = nft(&b, "list ruleset", &status);
		expect_differ("a: bytes of rules", 0, (long long)strlen(rules_a));
		expect_str("b: a ruleset that nobody filled", "", rules_b);
		int mark = node_socket(&a, &host, MARK_PORT);
		send_to(in_a, B, PORT);
		expect_str("b, no rule: it hears", A, receive_from(in_b, &from));
		send_to(in_b, A, PORT), send_to(in_b, A, MARK_PORT);
		expect_int("a, the rule: dropped", true, dropped(in_a, mark));
		lab_row("a rule in a", "b: nothing dropped", "a: dropped", "nft");
		lab_look("cat /proc/%d/net/udp", a.pid);
		lab_wait(a.pid);
	}
	return lab_end();
}
