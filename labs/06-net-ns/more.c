/*
 * More of 06-net-ns: containers on a bridge, as Docker and the bridge plugin of CNI join them;
 * what each namespace has for itself; what goes when a namespace goes. network_namespaces(7),
 * bridge(8)
 */
/* link: libnl-route-3.0 */
#define _GNU_SOURCE
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>

#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "link.h"
#include "machine/machine.h"
#include "node.h"
#include "story/lab.h"
#include "words.h"

enum { PORT = 8080 };

#define A "10.6.0.2"
#define B "10.6.0.3"
#define OUTSIDE "203.0.113.2"

static const struct lab lab = {
	.id = "06-net-ns/more",
	.title = "Containers on a bridge",
	.goal = "Containers on one bridge reach each other. Each network namespace has its own routes "
		"and neighbors, and its devices end with it.",
	.manual = "network_namespaces(7) bridge(8) rtnetlink(7) netdevice(7) arp(7)",
	.teaches = "unshare:CLONE_NEWNET setns:CLONE_NEWNET ioctl:SIOCSIFFLAGS sendto recvfrom",
	.after = "06-net-ns",
	.needs = {.namespaces = true, .modules = "veth bridge"},
	.words = &more_words,
	.story_only = true,
};

/* The addresses in /proc/PID/net/arp, "10.6.0.2 10.6.0.3"; allocated. arp(7) */
static char *neighbors(pid_t pid)
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

/* Reads the flags of a device and sets the same ones: it changes nothing. netdevice(7) */
static int configure(const struct node *node, const struct node *host, const char *name)
{
	struct ifreq request = {0};
	autoclose int fd = node_socket(node, host, 0);
	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	request.ifr_flags = IFF_UP;
	ioctl(fd, SIOCGIFFLAGS, &request);
	return ioctl(fd, SIOCSIFFLAGS, &request);
}

/* The kernel removes a namespace's devices a little after its end: waits ten seconds at most. */
static void wait_for_loss(struct nl_sock *sock, const char *names)
{
	for (int i = 0; i < 500; i++) {
		autofree char *now = link_names(sock);
		if (strcmp(now, names) != 0)
			return;
		poll(NULL, 0, 20);
	}
}

int main(int argc, char *argv[])
{
	struct node host, a, b;
	struct sockaddr_in from = {0};

	lab_begin(&lab, argc, argv);
	ino_t machine = ns_inode(0, "net");
	if (geteuid() != 0) {
		SYS(unshare(CLONE_NEWUSER)); /* lab 05 shows what this does */
		ns_map_root();
		lab_note("You are an ordinary user, so this runs in a user namespace (lab 05), "
			 "where you are root.");
	}

	lab_step("Make a host and two containers, without a veth pair.",
		"container a cannot reach container b: ENETUNREACH");
	SYS(unshare(CLONE_NEWNET));
	/* From here on the lab makes devices, so not in the machine's namespace. */
	if (!expect_differ("the host's namespace", machine, ns_inode(0, "net")))
		return lab_end();
	node_host(&host);
	/* b last: a child that is forked later inherits descriptors that hold b's namespace. */
	if (!node_start(&a, &host, "a: its own namespace") ||
		!node_start(&b, &host, "b: its own namespace"))
		return lab_end();
	int in_a = node_socket(&a, &host, PORT), in_b = node_socket(&b, &host, PORT);
	expect_errno("control: a to b, no cable", ENETUNREACH, send_to(in_a, B, PORT));

	lab_step("Make the calls that the bridge plugin of CNI makes.", "a and b hear each other");
	SYS(bridge_add(host.netlink, "br0"));
	SYS(address_add(host.netlink, "br0", "10.6.0.1/24"));
	SYS(link_up(host.netlink, "br0"));
	if (!node_join(&a, &host, "vetha", A "/24", "devices in a") ||
		!node_join(&b, &host, "vethb", B "/24", "devices in b"))
		return lab_end();
	SYS(bridge_join(host.netlink, "br0", "vetha"));
	SYS(bridge_join(host.netlink, "br0", "vethb"));
	send_to(in_a, B, PORT);
	expect_str("b hears", A, receive_from(in_b, &from));
	send_to(in_b, A, PORT);
	expect_str("a hears", B, receive_from(in_a, &from));
	lab_row("two containers", "ENETUNREACH", "hear each other", "bridge, IFLA_MASTER");
	lab_look("nsenter --target=%d %s--net bridge link", getpid(), ns_join);
	lab_wait(a.pid);

	lab_step("Give a default route to a.",
		"b has none, and each knows only the neighbor that it has talked to");
	SYS(route_add_default(a.netlink, "10.6.0.1"));
	expect_errno("b: an address outside", ENETUNREACH, send_to(in_b, OUTSIDE, PORT));
	autofree char *of_a = neighbors(a.pid), *of_b = neighbors(b.pid);
	autofree char *of_host = neighbors(getpid());
	expect_str("neighbors of a", B, of_a);
	expect_str("neighbors of b", A, of_b);
	expect_str("neighbors of the host", "", of_host);
	lab_look("cat /proc/%d/net/arp", a.pid);
	lab_look("nsenter --target=%d %s--net ip route", a.pid, ns_join);
	lab_wait(a.pid);

	lab_step("Let a configure the host's end of its own veth pair.",
		"ENODEV: that device is in another namespace");
	expect_errno("control: vetha, by the host", 0, configure(&host, &host, "vetha"));
	expect_errno("vetha, by a", ENODEV, configure(&a, &host, "vetha"));
	expect_errno("its own eth0, by a", 0, configure(&a, &host, "eth0"));

	lab_step("Kill b, the last process in its namespace.",
		"its end of the veth pair goes, and the host's end goes with it");
	autofree char *before = link_names(host.netlink);
	expect_int("control: vethb on the host", true, strstr(before, "vethb") != NULL);
	SYS(kill(b.pid, SIGKILL), b.pid);
	child_wait(b.pid);
	nl_socket_free(b.netlink); /* a socket and a descriptor hold a namespace too */
	SYS(close(in_b));
	SYS(close(b.ns));
	wait_for_loss(host.netlink, before);
	autofree char *after = link_names(host.netlink);
	expect_int("vethb on the host", false, strstr(after, "vethb") != NULL);
	expect_int("vetha on the host", true, strstr(after, "vetha") != NULL);
	lab_look("cat /proc/%d/net/dev", getpid());
	lab_wait(a.pid);

	lab_step("Look for a network controller of cgroup v2.",
		"there is none, so no group has a file for bandwidth");
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
