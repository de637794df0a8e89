/*
 * A network stack of its own, joined by a veth pair. A network namespace has its
 * own devices, addresses, routes and ports, and begins with nothing but a
 * loopback device that is down. network_namespaces(7), veth(4)
 */
/* link: libnl-route-3.0 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/ip_icmp.h>
#include <sched.h>

#include "kernel/ns.h"
#include "kernel/proc.h"
#include "link.h" /* the netlink messages: five lines each, beside this file */
#include "story/lab.h"
#include "words.h"

static long long port = 8080;

static const struct lab_option lab_options[] = {
	{"port", LAB_NUMBER, &port, 1, 65535, "the port that is bound three times"},
	{0},
};

static const struct lab lab = {
	.id = "06-net-ns",
	.title = "A network stack of its own, joined by a veth pair",
	.goal = "A container has devices, addresses, routes and ports of its own. It reaches "
		"nobody until somebody lays a cable: a veth pair, one end in, one end out.",
	.manual = "network_namespaces(7) veth(4) rtnetlink(7) unshare(2) setns(2) icmp(7)",
	.teaches = "unshare:CLONE_NEWNET setns:CLONE_NEWNET socket:SOCK_RAW connect bind listen "
		   "accept",
	.after = "03-uts-ns 05-user-ns",
	.needs = {.namespaces = true, .modules = "veth"},
	.options = lab_options,
	.words = &words,
};

static struct gate ready, wired;

/* Is there a way to address? connect(2) of a datagram socket asks, and sends nothing. */
static int route_to(const char *address)
{
	struct sockaddr_in to = address_of(address, port);
	autoclose int fd = socket_open(SOCK_DGRAM, 0);
	return connect(fd, (struct sockaddr *)&to, sizeof to);
}

/* One ICMP echo and its reply, from an address that must be ours; the checksum is the complement of
 * the one word that is not 0. */
static int ping(const char *source, const char *address)
{
	struct icmphdr echo = {.type = ICMP_ECHO, .checksum = htons(0xf7ff)};
	struct sockaddr_in from = address_of(source, 0), to = address_of(address, port);
	char packet[128]; /* an IP header of 20 bytes, then the reply */
	autoclose int fd = socket_open(SOCK_RAW, IPPROTO_ICMP);
	if (bind(fd, (struct sockaddr *)&from, sizeof from) ||
		connect(fd, (struct sockaddr *)&to, sizeof to) ||
		send(fd, &echo, sizeof echo, 0) < 0)
		return -1;
	while (recv(fd, packet, sizeof packet, 0) > 20)
		if (((struct icmphdr *)(packet + 20))->type == ICMP_ECHOREPLY)
			return 0;
	return -1;
}

/* Done four times: a server on the one port, in the namespace that we are in. */
static int serve(void)
{
	struct sockaddr_in any = address_of("0.0.0.0", port);
	int fd = socket_open(SOCK_STREAM, 0);
	if (bind(fd, (struct sockaddr *)&any, sizeof any) || listen(fd, 1))
		return -1;
	return fd;
}

/* Done twice: a client's question, "who am I?", and what the server answers. */
static char *ask(const char *address, int server)
{
	struct sockaddr_in to = address_of(address, port), from = {0};
	char answer[INET_ADDRSTRLEN] = "nothing";
	autoclose int client = socket_open(SOCK_STREAM, 0);
	if (connect(client, (struct sockaddr *)&to, sizeof to))
		return text("%s", errno_name(errno));
	autoclose int peer = accept(server, (struct sockaddr *)&from, &(socklen_t){sizeof from});
	inet_ntop(AF_INET, &from.sin_addr, answer, sizeof answer);
	if (peer < 0 || send(peer, answer, sizeof answer, 0) < 0 ||
		recv(client, answer, sizeof answer, MSG_WAITALL) < 0)
		return text("%s", errno_name(errno));
	return text("%s", answer);
}

/* Done twice: a process in a network namespace of its own. 0 when it is not its own. */
static pid_t container(const char *what)
{
	pid_t child = FORK();
	if (child == 0) {
		SYS(unshare(CLONE_NEWNET));
		gate_open(&ready);
		if (!lab_command)
			child_idle();
		gate_wait(&wired);
		lab_exec_command();
	}
	undo_kill(child);
	gate_wait(&ready);
	return expect_differ(what, ns_inode(0, "net"), ns_inode(child, "net")) ? child : 0;
}

static int open_ns(pid_t pid)
{
	autofree char *path = text("/proc/%d/ns/net", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die("open %s", path);
	return fd;
}

int main(int argc, char *argv[])
{
	lab_begin(&lab, argc, argv);
	long machine = ns_inode(0, "net");
	if (geteuid() != 0) {
		SYS(unshare(CLONE_NEWUSER)); /* lab 05 shows what this does */
		ns_map_root();
		lab_note("As an ordinary user: in a user namespace (lab 05), where one is root.");
	}
	gate_init(&ready), gate_init(&wired);

	lab_predict("lo");
	lab_step("A new namespace, to play the host. It must have lo, down, and no way out.", NULL);
	SYS(unshare(CLONE_NEWNET));
	/* Read back first: from here on devices are made and changed. */
	if (!expect_differ("the host's namespace", machine, ns_inode(0, "net")))
		return lab_end();
	struct nl_sock *on_host = netlink_open();
	autofree char *first = link_names(on_host);
	expect_str("its devices", "lo", first);
	int rc = route_to("127.0.0.1");
	lab_answer("lo", rc ? "unreachable" : "works");
	expect_errno("127.0.0.1, lo is down", ENETUNREACH, rc);
	SYS(link_up(on_host, "lo"));
	expect_errno("127.0.0.1, lo is up", 0, route_to("127.0.0.1"));
	expect_errno("192.0.2.1, outside", ENETUNREACH, route_to("192.0.2.1"));
	lab_look("cat /proc/%d/net/dev", getpid());
	lab_look("nsenter --target=%d %s--net ip address", getpid(), ns_join);
	lab_wait(getpid());

	lab_predict("move");
	lab_step(
		"A container, and a cable to it: one end must vanish here and appear there.", NULL);
	pid_t web = container("web: a namespace of its own");
	if (!web)
		return lab_end();
	int host_ns = open_ns(getpid()), web_ns = open_ns(web);
	SYS(veth_add(on_host, "veth0", "eth0"));
	SYS(link_move(on_host, "eth0", web_ns));
	SYS(setns(web_ns, CLONE_NEWNET));
	struct nl_sock *in_web = netlink_open();
	SYS(setns(host_ns, CLONE_NEWNET));
	autofree char *outside = link_names(on_host), *inside = link_names(in_web);
	lab_answer("move", strcmp(outside, "lo veth0") ? "both" : "inside");
	expect_str("devices on the host", "lo veth0", outside);
	bool moved = expect_str("devices in web", "lo eth0", inside);
	lab_look("nsenter --target=%d %s--net ip link", web, ns_join);
	lab_wait(web);
	if (!moved)
		return lab_end();

	lab_step("Addresses, and both ends up: ping must work, in both directions.", NULL);
	expect_errno("control: ping before that", ENETUNREACH, ping("0.0.0.0", "10.6.0.2"));
	SYS(address_add(on_host, "veth0", "10.6.0.1/24"));
	SYS(address_add(in_web, "eth0", "10.6.0.2/24"));
	SYS(link_up(on_host, "veth0"));
	SYS(link_up(in_web, "eth0"));
	link_up(in_web, "lo");
	if (lab_command) {
		gate_open(&wired);
		lab_exit_as(web);
	}
	expect_errno("ping web from the host", 0, ping("10.6.0.1", "10.6.0.2"));
	SYS(setns(web_ns, CLONE_NEWNET));
	expect_errno("ping the host from web", 0, ping("10.6.0.2", "10.6.0.1"));
	SYS(setns(host_ns, CLONE_NEWNET));
	lab_look("nsenter --target=%d %s--net ip route", web, ns_join);
	lab_look("cat /proc/%d/net/route", web);
	lab_wait(web);

	lab_predict("port");
	lab_step("One port, three namespaces: each must give it once, and none twice.", NULL);
	pid_t db = container("db: a namespace of its own");
	if (!db)
		return lab_end();
	int db_ns = open_ns(db);
	int on_host_port = serve();
	expect_errno("bind() on the host", 0, on_host_port);
	SYS(setns(web_ns, CLONE_NEWNET));
	int web_port = serve();
	lab_answer("port", web_port < 0 ? "EADDRINUSE" : "works");
	expect_errno("bind() in web", 0, web_port);
	expect_errno("control: bind() in web again", EADDRINUSE, serve());
	SYS(setns(db_ns, CLONE_NEWNET));
	expect_errno("bind() in db", 0, serve());
	lab_look("nsenter --target=%d %s--net ss -ltn", web, ns_join);
	lab_wait(web);

	lab_step("TCP, in both directions: each server must see the other side's address.", NULL);
	SYS(setns(web_ns, CLONE_NEWNET));
	autofree char *as_web = ask("10.6.0.1", on_host_port);
	expect_str("web asks the host: who am I?", "10.6.0.2", as_web);
	SYS(setns(host_ns, CLONE_NEWNET));
	autofree char *as_host = ask("10.6.0.2", web_port);
	expect_str("the host asks web: who am I?", "10.6.0.1", as_host);
	lab_wait(web);

	lab_row("devices", "the machine's", "lo, down", "CLONE_NEWNET");
	lab_row("127.0.0.1", "reachable", "ENETUNREACH until up", "IFF_UP");
	lab_row("an address outside", "by the machine's routes", "ENETUNREACH", "no route");
	lab_row("the moved end", "gone from here", "there", "IFLA_NET_NS_FD");
	lab_row("the same port again", "EADDRINUSE", "success", "CLONE_NEWNET");
	return lab_end();
}
