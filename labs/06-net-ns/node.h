/*
 * node.h: what plays a machine in more.c and more-nat.c: a process in its own network namespace.
 */
#pragma once

#include "kernel/proc.h"
#include "link.h"

struct node {
	pid_t pid;
	int ns;                  /* /proc/PID/ns/net */
	struct nl_sock *netlink; /* opened in that namespace */
};

/* The node that this program itself is. To be called after unshare(CLONE_NEWNET). */
void node_host(struct node *host);

/* Starts a child in a new network namespace. False when the namespace is not new. */
bool node_start(struct node *node, const struct node *host, const char *what);

/*
 * Joins node to the host by a veth pair: eth0 in the node, with the address, and name on the host.
 * False when eth0 has not arrived in the node.
 */
bool node_join(struct node *node, const struct node *host, const char *name, const char *address,
	const char *what);

/* A datagram socket in the namespace of node, bound to the port; 0 is any port. */
int node_socket(const struct node *node, const struct node *host, int port);

/* Sends one byte to address and port: sendto(2). */
long send_to(int fd, const char *address, int port);

/* The address that the next datagram comes from, "nobody" when none comes; *from to answer it. */
const char *receive_from(int fd, struct sockaddr_in *from);
