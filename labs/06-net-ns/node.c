/*
 * node.c: what plays a machine in more.c and more-nat.c.
 */
/* link: libnl-route-3.0 */
#define _GNU_SOURCE
#include "node.h"

#include <fcntl.h>
#include <sched.h>

#include "kernel/ns.h"
#include "story/lab.h"

void node_host(struct node *host)
{
	host->pid = getpid();
	host->ns = SYS(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
	host->netlink = netlink_open();
}

bool node_start(struct node *node, const struct node *host, const char *what)
{
	struct gate ready;
	gate_init(&ready);
	node->pid = FORK();
	if (node->pid == 0) {
		SYS(unshare(CLONE_NEWNET));
		gate_open(&ready);
		child_idle();
	}
	undo_kill(node->pid);
	gate_wait(&ready);
	close(ready.fd);
	if (!expect_differ(what, ns_inode(0, "net"), ns_inode(node->pid, "net")))
		return false;
	autofree char *path = text("/proc/%d/ns/net", node->pid);
	node->ns = open(path, O_RDONLY | O_CLOEXEC);
	if (node->ns < 0 || setns(node->ns, CLONE_NEWNET))
		die("open, setns %s", path);
	node->netlink = netlink_open();
	MUST(setns(host->ns, CLONE_NEWNET));
	return true;
}

bool node_join(struct node *node, const struct node *host, const char *name, const char *address,
	const char *what)
{
	veth_add(host->netlink, name, "eth0");
	link_move(host->netlink, "eth0", node->ns);
	autofree char *devices = link_names(node->netlink);
	if (!expect_str(what, "lo eth0", devices))
		return false;
	address_add(node->netlink, "eth0", address);
	link_up(node->netlink, "lo");
	link_up(node->netlink, "eth0");
	link_up(host->netlink, name);
	return true;
}

int node_socket(const struct node *node, const struct node *host, int port)
{
	struct sockaddr_in any = address_of("0.0.0.0", port);
	if (setns(node->ns, CLONE_NEWNET))
		die("setns");
	int fd = socket_open(SOCK_DGRAM, 0);
	if (setns(host->ns, CLONE_NEWNET) || bind(fd, (struct sockaddr *)&any, sizeof any))
		die("setns, bind");
	return fd;
}

long send_to(int fd, const char *address, int port)
{
	struct sockaddr_in to = address_of(address, port);
	return sendto(fd, "?", 1, 0, (struct sockaddr *)&to, sizeof to);
}

const char *receive_from(int fd, struct sockaddr_in *from)
{
	static char name[INET_ADDRSTRLEN];
	char byte;
	if (recvfrom(fd, &byte, 1, 0, (struct sockaddr *)from, &(socklen_t){sizeof *from}) < 0)
		return "nobody";
	return inet_ntop(AF_INET, &from->sin_addr, name, sizeof name);
}
