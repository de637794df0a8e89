/*
 * More of 06-net-ns: containers on a bridge, as Docker and a CNI bridge plugin
 * wire them; NAT; a firewall for each; what dies with a namespace.
 * network_namespaces(7), bridge(8), nft(8)
 */
/* link: libnl-route-3.0 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "link.h"
#include "machine/machine.h"
#include "story/lab.h"
#include "words.h"

enum { PORT = 8080, MARK_PORT = 8081 };

#define A "10.6.0.2"
#define B "10.6.0.3"
#define OUTSIDE "203.0.113.2"

static const struct lab_part lab_parts[] = {
	{"nat", "Forwarding and NAT: only then must an answer find its way back from outside.",
		.needs = {.proc_mount = true}},
	{"firewall", "A firewall for each: a rule in a must drop there and nowhere else.",
		.needs = {.kernel = "3.13"}},
	{0},
};

static const struct lab lab = {
	.id = "06-net-ns/more",
	.title = "A bridge, NAT, and a firewall for each",
	.goal = "Containers on one bridge reach each other; with a default route, forwarding and NAT "
		"they reach the world. Rules, routes and neighbours are each namespace's own.",
	.manual = "network_namespaces(7) bridge(8) nft(8) rtnetlink(7) netdevice(7) arp(7)",
	.teaches = "unshare:CLONE_NEWNET setns:CLONE_NEWNET ioctl:SIOCSIFFLAGS sendto "
		   "recvfrom file:ip_forward",
	.after = "06-net-ns",
	.needs = {.namespaces = true, .modules = "veth bridge"},
	.parts = lab_parts,
	.words = &more_words,
	.story_only = true,
};

/* What plays a machine: a process in a network namespace of its own, and ways to it. */
struct node {
	pid_t pid;
	int ns;
	struct nl_sock *netlink;
};

static struct gate ready;
static struct node host;

/* Done for each. False when the namespace is not its own. */
static bool node_start(struct node *node, const char *what)
{
	node->pid = FORK();
	if (node->pid == 0) {
		SYS(unshare(CLONE_NEWNET));
		gate_open(&ready);
		child_idle();
	}
	undo_kill(node->pid);
	gate_wait(&ready);
	if (!expect_differ(what, ns_inode(0, "net"), ns_inode(node->pid, "net")))
		return false;
	autofree char *path = text("/proc/%d/ns/net", node->pid);
	node->ns = open(path, O_RDONLY | O_CLOEXEC);
	if (node->ns < 0 || setns(node->ns, CLONE_NEWNET))
		die("open, setns %s", path);
	node->netlink = netlink_open();
	MUST(setns(host.ns, CLONE_NEWNET));
	return true;
}

/* A cable from the host to a node; what a CNI plugin does for each Pod, but for the IPAM. */
static bool plug(const char *name, struct node *node, const char *address, const char *what)
{
	veth_add(host.netlink, name, "eth0");
	link_move(host.netlink, "eth0", node->ns);
	autofree char *devices = link_names(node->netlink);
	if (!expect_str(what, "lo eth0", devices))
		return false;
	address_add(node->netlink, "eth0", address);
	link_up(node->netlink, "lo");
	link_up(node->netlink, "eth0");
	link_up(host.netlink, name);
	return true;
}

/* A datagram socket of a node, on a port or on any. */
static int datagrams(const struct node *node, int port)
{
	struct sockaddr_in any = address_of("0.0.0.0", port);
	if (setns(node->ns, CLONE_NEWNET))
		die("setns");
	int fd = socket_open(SOCK_DGRAM, 0);
	if (setns(host.ns, CLONE_NEWNET) || bind(fd, (struct sockaddr *)&any, sizeof any))
		die("setns, bind");
	return fd;
}

static long tell(int fd, const char *address, int port)
{
	struct sockaddr_in to = address_of(address, port);
	return sendto(fd, "?", 1, 0, (struct sockaddr *)&to, sizeof to);
}

/* The address that the next datagram is from, "nobody" when none comes; *from to answer it. */
static const char *hear(int fd, struct sockaddr_in *from)
{
	static char name[INET_ADDRSTRLEN];
	char byte;
	if (recvfrom(fd, &byte, 1, 0, (struct sockaddr *)from, &(socklen_t){sizeof *from}) < 0)
		return "nobody";
	return inet_ntop(AF_INET, &from->sin_addr, name, sizeof name);
}

/*
 * One that must not arrive: true when it has not, although one that was sent
 * after it, the same way as far as mark, has. All is sent on one CPU, where the
 * kernel keeps the order.
 */
static bool dropped(int to, int mark)
{
	char byte;
	if (recv(mark, &byte, 1, 0) < 0)
		return false;
	return recv(to, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* Runs nft in the namespace of node; what it prints, allocated; *status 127: there is none. */
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
	MUST(close(output[1])); /* else its end would never be read */
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

/* A part that cannot do without nft(8) is skipped, with what nft said. */
static bool nft_works(const char *part)
{
	int status;
	autofree char *said = nft(&host, "list ruleset", &status);
	said[strcspn(said, "\n")] = '\0';
	if (status)
		check_skip(part, status == 127 ? "there is no nft here" : said,
			"install the package nftables; in the lab VM it is: WHERE=vm");
	return status == 0;
}

static int nft_do(const struct node *node, const char *commands)
{
	int status;
	autofree char *said = nft(node, commands, &status);
	errno = 0;
	if (status)
		die("nft: %s", said);
	return 0;
}

/* Each namespace has its own of these files; the one of who opens it. ip(7) */
static int forwarding(const char *value)
{
	return file_try_write("/proc/sys/net/ipv4/ip_forward", value);
}

/* The addresses in /proc/PID/net/arp; allocated. */
static char *neighbours(pid_t pid)
{
	autofree char *path = text("/proc/%d/net/arp", pid), *table = file_read(path);
	char *list = text("%s", ""), *rest;
	strtok_r(table, "\n", &rest); /* the heading */
	for (char *line; (line = strtok_r(NULL, "\n", &rest));) {
		autofree char *before = list;
		list = text("%s%s%.*s", before, *before ? " " : "", (int)strcspn(line, " "), line);
	}
	return list;
}

/* Takes the flags of a device and sets them again: nothing is changed. netdevice(7) */
static int configure(const struct node *node, const char *name)
{
	struct ifreq request = {0};
	autoclose int fd = datagrams(node, 0);
	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	request.ifr_flags = IFF_UP;
	ioctl(fd, SIOCGIFFLAGS, &request);
	return ioctl(fd, SIOCSIFFLAGS, &request);
}

/* Bounded: true when the host has lost a device. The kernel takes a namespace down a little later.
 */
static bool wait_for_loss(const char *names)
{
	for (int i = 0; i < 500; i++) {
		autofree char *now = link_names(host.netlink);
		if (strcmp(now, names))
			return true;
		poll(NULL, 0, 20);
	}
	return false;
}

int main(int argc, char *argv[])
{
	struct node a, b, outside;
	struct sockaddr_in from = {0};
	cpu_set_t one_cpu;

	lab_begin(&lab, argc, argv);
	long machine = ns_inode(0, "net");
	if (geteuid() != 0) {
		SYS(unshare(CLONE_NEWUSER)); /* lab 05 shows what this does */
		ns_map_root();
		lab_note("As an ordinary user: in a user namespace (lab 05), where one is root.");
	}
	gate_init(&ready);
	CPU_ZERO(&one_cpu);
	CPU_SET(sched_getcpu(), &one_cpu);
	sched_setaffinity(0, sizeof one_cpu, &one_cpu); /* for dropped() */

	lab_step("A host with a bridge, and two containers that are plugged into it.", NULL);
	SYS(unshare(CLONE_NEWNET));
	if (!expect_differ("the host's namespace", machine, ns_inode(0, "net")))
		return lab_end();
	host.ns = SYS(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
	host.netlink = netlink_open();
	/* b last: whoever is forked later inherits what holds b's namespace. */
	if (!node_start(&outside, "outside: its own namespace") ||
		!node_start(&a, "a: its own namespace") || !node_start(&b, "b: its own namespace"))
		return lab_end();
	int in_a = datagrams(&a, PORT), in_b = datagrams(&b, PORT);
	expect_errno("control: a to b, no cable", ENETUNREACH, tell(in_a, B, PORT));

	lab_step("The calls of a CNI bridge plugin: then a and b must hear each other.", NULL);
	SYS(bridge_add(host.netlink, "br0"));
	SYS(address_add(host.netlink, "br0", "10.6.0.1/24"));
	SYS(link_up(host.netlink, "br0"));
	if (!plug("vetha", &a, A "/24", "devices in a") ||
		!plug("vethb", &b, B "/24", "devices in b"))
		return lab_end();
	SYS(bridge_join(host.netlink, "br0", "vetha"));
	SYS(bridge_join(host.netlink, "br0", "vethb"));
	tell(in_a, B, PORT);
	expect_str("b hears", A, hear(in_b, &from));
	tell(in_b, A, PORT);
	expect_str("a hears", B, hear(in_a, &from));
	lab_row("two containers", "ENETUNREACH", "hear each other", "bridge, IFLA_MASTER");
	lab_look("nsenter --target=%d %s--net bridge link", getpid(), ns_join);
	lab_wait(a.pid);

	lab_step("Routes and neighbours are its own: a gets a default route, b must not have it.",
		NULL);
	SYS(route_add_default(a.netlink, "10.6.0.1"));
	expect_errno("b: an address outside", ENETUNREACH, tell(in_b, OUTSIDE, PORT));
	autofree char *of_a = neighbours(a.pid), *of_b = neighbours(b.pid);
	autofree char *of_host = neighbours(getpid());
	expect_str("neighbours of a", B, of_a);
	expect_str("neighbours of b", A, of_b);
	expect_str("neighbours of the host", "", of_host);
	lab_look("cat /proc/%d/net/arp", a.pid);
	lab_look("nsenter --target=%d %s--net ip route", a.pid, ns_join);
	lab_wait(a.pid);

	if (lab_part("nat") && nft_works("part nat") &&
		plug("wan", &outside, OUTSIDE "/24", "devices outside")) {
		SYS(address_add(host.netlink, "wan", "203.0.113.1/24"));
		int out = datagrams(&outside, PORT), mark = datagrams(&host, MARK_PORT);
		SYS(forwarding("0"));
		tell(in_a, OUTSIDE, PORT), tell(in_a, "10.6.0.1", MARK_PORT);
		expect_int("no forwarding: dropped", true, dropped(out, mark));
		SYS(forwarding("1"));
		/* Else outside would not even look at what it could not answer. */
		if (setns(outside.ns, CLONE_NEWNET))
			die("setns");
		file_write("/proc/sys/net/ipv4/conf/all/rp_filter", "0");
		file_write("/proc/sys/net/ipv4/conf/eth0/rp_filter", "0");
		SYS(setns(host.ns, CLONE_NEWNET));
		tell(in_a, OUTSIDE, PORT);
		expect_str("forwarding: outside hears", A, hear(out, &from));
		expect_errno("and its answer", ENETUNREACH, tell(out, A, PORT));
		SYS(nft_do(&host,
			"add table ip lab06; "
			"add chain ip lab06 post { type nat hook postrouting priority 100; }; "
			"add rule ip lab06 post oifname wan masquerade"));
		int asks = datagrams(&a, 0); /* a new flow: NAT decides once for each */
		tell(asks, OUTSIDE, PORT);
		expect_str("NAT: outside hears", "203.0.113.1", hear(out, &from));
		sendto(out, "!", 1, 0, (struct sockaddr *)&from, sizeof from);
		expect_str("NAT: its answer in a is from", OUTSIDE, hear(asks, &from));
		lab_row("outside hears", "nobody; " A, "203.0.113.1", "ip_forward; masquerade");
		lab_look("nsenter --target=%d %s--net ip address show wan", getpid(), ns_join);
		lab_wait(a.pid);
	}

	if (lab_part("firewall") && nft_works("part firewall")) {
		int status;
		SYS(nft_do(&a, "add table ip lab06; "
			       "add chain ip lab06 in { type filter hook input priority 0; }; "
			       "add rule ip lab06 in udp dport 8080 drop"));
		autofree char *rules_a = nft(&a, "list ruleset", &status);
		autofree char *rules_b = nft(&b, "list ruleset", &status);
		expect_differ("a: bytes of rules", 0, (long long)strlen(rules_a));
		expect_str("b: a ruleset that nobody filled", "", rules_b);
		int mark = datagrams(&a, MARK_PORT);
		tell(in_a, B, PORT);
		expect_str("b, no rule: it hears", A, hear(in_b, &from));
		tell(in_b, A, PORT), tell(in_b, A, MARK_PORT);
		expect_int("a, the rule: dropped", true, dropped(in_a, mark));
		lab_row("a rule in a", "b: nothing dropped", "a: dropped", "nft");
		lab_look("cat /proc/%d/net/udp", a.pid);
		lab_wait(a.pid);
	}

	lab_step("Somebody else's device: a must not even find the host's end of its own cable.",
		NULL);
	expect_errno("control: vetha, by the host", 0, configure(&host, "vetha"));
	expect_errno("vetha, by a", ENODEV, configure(&a, "vetha"));
	expect_errno("its own eth0, by a", 0, configure(&a, "eth0"));

	lab_step("b dies. With its last holder its end must go, and the host's end with it.", NULL);
	autofree char *before = link_names(host.netlink);
	expect_int("control: vethb on the host", true, strstr(before, "vethb") != NULL);
	SYS(kill(b.pid, SIGKILL));
	child_wait(b.pid);
	nl_socket_free(b.netlink); /* a socket and a descriptor hold a namespace too */
	SYS(close(in_b));
	SYS(close(b.ns));
	wait_for_loss(before);
	autofree char *after = link_names(host.netlink);
	expect_int("vethb on the host", false, strstr(after, "vethb") != NULL);
	expect_int("vetha on the host", true, strstr(after, "vetha") != NULL);
	lab_look("cat /proc/%d/net/dev", getpid());
	lab_wait(a.pid);

	lab_step("Bandwidth? cgroup v2 must have no controller, and so no file, for the network.",
		NULL);
	static struct machine m;
	machine_here(&m);
	autofree char *list = text("%s/cgroup.controllers", m.cgroup_mount);
	autofree char *all = m.cgroup_mount[0] ? file_read(list) : text("%s", "");
	if (*all)
		expect_int("controllers net...", 0, strstr(all, "net") != NULL);
	else
		check_skip(
			"controllers net...", "no cgroup v2 controllers here", "WHERE=vm has them");

	lab_row("the host's device, by a", "-", "ENODEV", "CLONE_NEWNET");
	lab_row("b is gone", "-", "both ends are gone", "the kernel");
	return lab_end();
}
