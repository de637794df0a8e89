/*
 * network.h: a bridge, and a cable to it for each container. What Docker does on
 * the host is done here in a network namespace that plays the host, so that the
 * machine's own links, routes and rules stay as they are. Lab 06, whose messages
 * these are, and which a CNI bridge plugin sends as well; veth(4), rtnetlink(7)
 */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>

#include "../06-net-ns/link.h"
#include "lab.h"
#include "ns.h"
#include "proc.h"

#define NETWORK "172.17" /* Docker's: 172.17.0.0/16 */
#define GATEWAY NETWORK ".0.1"
enum { FIRST = 2, LAST = 65534 }; /* of the addresses, counted in their network */

static char *network_address(int number)
{
	return text(NETWORK ".%d.%d", number >> 8, number & 255);
}

/* 172.17.0.9 is 9; 0 when it is not an address of a container on this bridge. */
static int network_number(const char *address)
{
	struct in_addr in;
	if (inet_pton(AF_INET, address, &in) != 1 || ntohl(in.s_addr) >> 16 != (172 << 8 | 17))
		return 0;
	int number = ntohl(in.s_addr) & 0xffff;
	return number >= FIRST && number <= LAST ? number : 0;
}

/*
 * The caller goes where the bridge is: to the place of a container that runs, which
 * its group's name tells (labNN-PID), else to a new one. Returns how many run.
 */
static int network_host(const char *groups)
{
	int running = 0, host = -1;
	DIR *dir = groups ? opendir(groups) : NULL;
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		int lab, pid, end = 0;
		if (sscanf(entry->d_name, "lab%2d-%d%n", &lab, &pid, &end) != 2 ||
			entry->d_name[end] || pid == getpid())
			continue;
		running++;
		if (host >= 0)
			continue;
		autofree char *path = text("/proc/%d/ns/net", pid);
		host = open(path, O_RDONLY | O_CLOEXEC);
		if (host >= 0 &&
			(ns_inode(pid, "net") == ns_inode(0, "net") || setns(host, CLONE_NEWNET))) {
			close(host); /* not at the bridge yet, or not any more */
			host = -1;
		}
	}
	if (dir)
		closedir(dir);
	if (host >= 0) {
		close(host);
		if (if_nametoindex("br0"))
			return running;
	}
	SYS(unshare(CLONE_NEWNET));
	struct nl_sock *sock = netlink_open();
	SYS(bridge_add(sock, "br0"));
	SYS(address_add(sock, "br0", GATEWAY "/16"));
	SYS(link_up(sock, "br0"));
	nl_socket_free(sock);
	return running;
}

/*
 * A veth pair: one end at the bridge, the other, eth0, in the namespace of pid. The
 * name of the first has the number of the address, so that the kernel refuses what is
 * taken. asked 0: the next one that is free. Returns the number, 0 when it is taken.
 */
static int network_plug(pid_t pid, int asked, int running)
{
	struct nl_sock *sock = netlink_open();
	int number = asked ? asked : FIRST + running, code;
	for (;; number++) {
		autofree char *name = text("veth%d", number);
		code = rtnl_link_veth_add(sock, name, "eth0", pid);
		if (code == -NLE_EXIST && !asked && number < LAST)
			continue;
		if (code == -NLE_EXIST)
			number = 0;
		else
			told(code);
		if (number) {
			SYS(bridge_join(sock, "br0", name));
			SYS(link_up(sock, name));
		}
		nl_socket_free(sock);
		return number;
	}
}

/* In the container, once its cable is there. */
static void network_up(const char *address)
{
	struct nl_sock *sock = netlink_open();
	SYS(link_up(sock, "lo"));
	if (*address) {
		autofree char *with_bits = text("%s/16", address);
		SYS(address_add(sock, "eth0", with_bits));
		SYS(link_up(sock, "eth0"));
		SYS(route_add_default(sock, GATEWAY));
	}
	nl_socket_free(sock);
}
