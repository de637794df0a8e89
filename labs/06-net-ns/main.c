/*
 * A network stack of its own, joined by a veth pair. A network namespace has its own devices,
 * addresses, routes and ports. It begins with one device, lo, which is down. A veth pair is two
 * devices joined like the ends of a cable. network_namespaces(7), veth(4)
 */
/* link: libnl-route-3.0 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/ip_icmp.h>
#include <sched.h>

#include "kernel/ns.h"
#include "kernel/proc.h"
#include "link.h" /* one function for each netlink message, in this folder */
#include "story/lab.h"
#include "words.h"

static long long port = 8080;

static const struct lab_option lab_options[] = {
	{"port", LAB_NUMBER, &port, 1, 65535, "the port that each namespace binds"},
	{0},
};

static const struct lab lab = {
	.id = "06-net-ns",
	.title = "A network stack of its own, joined by a veth pair",
	.goal = "A container has its own devices, addresses, routes and ports. It reaches nobody until "
		"a veth pair joins it to the host, with one end inside and one end outside.",
	.manual = "network_namespaces(7) veth(4) rtnetlink(7) unshare(2) setns(2) icmp(7)",
	.teaches = "unshare:CLONE_NEWNET setns:CLONE_NEWNET socket:SOCK_RAW connect bind listen "
		   "accept",
	.after = "03-uts-ns 05-user-ns",
	.needs = {.namespaces = true, .modules = "veth"},
	.options = lab_options,
	.words = &words,
};

static struct gate ready, wired;

/* Asks for a route to the address: connect(2) of a datagram socket needs one, and sends nothing. */
static int route_to(const char *address)
{
	struct sockaddr_in to = address_of(address, port);
	autoclose int fd = socket_open(SOCK_DGRAM, 0);
	return connect(fd, (struct sockaddr *)&to, sizeof to);
}

/* Sends one ICMP echo request and waits for the reply. bind(2) fails where source is no address of
 * this namespace. The checksum is the complement of the only word that is not 0. */
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

/* Starts a server on the port, in the current network namespace. */
static int serve(void)
{
	struct sockaddr_in any = address_of("0.0.0.0", port);
	int fd = socket_open(SOCK_STREAM, 0);
	if (bind(fd, (struct sockaddr *)&any, sizeof any) || listen(fd, 1))
		return -1;
	return fd;
}

/* Connects to a server, which answers with the address that it sees as its client's. */
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

/* Starts a child in a new network namespace. Returns 0 when the namespace is not new. */
static pid_t start_container(const char *what)
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
	ino_t machine = ns_inode(0, "net");
	if (geteuid() != 0) {
		SYS(unshare(CLONE_NEWUSER)); /* lab 05 shows what this does */
		ns_map_root();
		lab_note(
			"You are an ordinary user, so this runs in a user namespace (lab 05), where "
			"you are root.");
	}
	gate_init(&ready), gate_init(&wired);

	lab_predict("lo");
	lab_step("Make a network namespace that plays the host.",
		"its only device is lo, lo is down, and there is no route");
	SYS(unshare(CLONE_NEWNET));
	/* From here on the lab makes and changes devices, so not in the machine's namespace. */
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
	lab_step("Make a container and a veth pair, and move one end into the container.",
		"that end disappears from the host and appears in the container");
	pid_t web = start_container("web: a namespace of its own");
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

	lab_step("Give both ends an address, and set both up.", "ping succeeds in both directions");
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
	lab_step("Bind one port in three namespaces, and a second time in one of them.",
		"each namespace has its own ports; only the second time is EADDRINUSE");
	pid_t db = start_container("db: a namespace of its own");
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
	SYS(setns(host_ns, CLONE_NEWNET));
	lab_look("nsenter --target=%d %s--net ss -ltn", web, ns_join);
	lab_wait(web);

	lab_step("Connect by TCP in both directions.",
		"each server sees the address of the other side");
	SYS(setns(web_ns, CLONE_NEWNET));
	autofree char *as_web = ask("10.6.0.1", on_host_port);
	expect_str("web asks the host: who am I?", "10.6.0.2", as_web);
	SYS(setns(host_ns, CLONE_NEWNET));
	autofree char *as_host = ask("10.6.0.2", web_port);
	expect_str("the host asks web: who am I?", "10.6.0.1", as_host);
	lab_wait(web);

	lab_row("devices", "the machine's", "lo, down", "CLONE_NEWNET");
	lab_row("127.0.0.1", "reachable", "ENETUNREACH until up", "IFF_UP");
	lab_row("an outside address", "reachable", "ENETUNREACH", "no route");
	lab_row("the moved end", "on the host", "in the container", "IFLA_NET_NS_FD");
	lab_row("one port, bound twice", "EADDRINUSE", "success", "CLONE_NEWNET");
	return lab_end();
}
