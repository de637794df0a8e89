/*
 * link.h: the netlink messages of this lab, one function for each, with the command of ip(8)
 * that sends the same message. A message goes to the network namespace in which its socket was
 * opened. Each function succeeds or stops the lab as broken. rtnetlink(7)
 */
#pragma once

#include <arpa/inet.h>
#include <net/if.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/bridge.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/route.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/file.h"
#include "kernel/sys.h"

/* libnl has its own error numbers. When a system call failed, errno still has that call's. */
static inline int told_by_libnl(const char *call, int code)
{
	if (code < 0)
		die("%.*s: %s", (int)strcspn(call, "("), call, nl_geterror(code));
	return 0;
}
#define told(call) (errno = 0, told_by_libnl(#call, call))

/* In place of nl_send(3): libnl would wait for the answer to a request that it could not send. */
static inline int send_or_die(struct nl_sock *sock, struct nl_msg *msg)
{
	struct nlmsghdr *head = nlmsg_hdr(msg);
	int sent = nl_send_iovec(sock, msg, &(struct iovec){head, head->nlmsg_len}, 1);
	if (sent < 0)
		die("netlink: sendmsg");
	return sent;
}

/* The socket stays in the network namespace of the process that opens it. */
static inline struct nl_sock *netlink_open(void)
{
	struct nl_cb *callbacks = nl_cb_alloc(NL_CB_DEFAULT);
	struct nl_sock *sock = callbacks ? nl_socket_alloc_cb(callbacks) : NULL;
	if (!sock)
		die("out of memory");
	nl_cb_overwrite_send(callbacks, send_or_die);
	nl_cb_put(callbacks); /* the socket holds a reference */
	/* Without this libnl reads each answer twice, the first time for its size. */
	nl_socket_disable_msg_peek(sock);
	told(nl_connect(sock, NETLINK_ROUTE));
	return sock;
}

static inline struct rtnl_link *link_find(struct nl_sock *sock, const char *name)
{
	struct rtnl_link *link;
	told(rtnl_link_get_kernel(sock, 0, name, &link));
	return link;
}

/* Changes a link that exists: RTM_NEWLINK without NLM_F_CREATE. Frees change. */
static inline int link_change(struct nl_sock *sock, const char *name, struct rtnl_link *change)
{
	rtnl_link_set_name(change, name);
	told(rtnl_link_add(sock, change, 0));
	rtnl_link_put(change);
	return 0;
}

/* ip link add ONE type veth peer name OTHER: two devices, joined like the ends of a cable. */
static inline int veth_add(struct nl_sock *sock, const char *one, const char *other)
{
	return told(rtnl_link_veth_add(sock, one, other, getpid()));
}

/* ip link set NAME netns NS: the device leaves this namespace. IFLA_NET_NS_FD */
static inline int link_move(struct nl_sock *sock, const char *name, int ns)
{
	struct rtnl_link *change = rtnl_link_alloc();
	rtnl_link_set_ns_fd(change, ns);
	return link_change(sock, name, change);
}

/* ip link set NAME up. IFF_UP */
static inline int link_up(struct nl_sock *sock, const char *name)
{
	struct rtnl_link *change = rtnl_link_alloc();
	rtnl_link_set_flags(change, IFF_UP);
	return link_change(sock, name, change);
}

/* RTM_NEWADDR names a link by its number. */
static inline int address_add_to(struct nl_sock *sock, int link, const char *address)
{
	struct rtnl_addr *addr = rtnl_addr_alloc();
	struct nl_addr *local;
	told(nl_addr_parse(address, AF_INET, &local));
	rtnl_addr_set_ifindex(addr, link);
	told(rtnl_addr_set_local(addr, local));
	told(rtnl_addr_add(sock, addr, 0));
	nl_addr_put(local);
	rtnl_addr_put(addr);
	return 0;
}

/* ip address add ADDRESS/BITS dev NAME. The kernel adds the route to that network. */
static inline int address_add(struct nl_sock *sock, const char *name, const char *address)
{
	struct rtnl_link *link = link_find(sock, name);
	int index = rtnl_link_get_ifindex(link);
	rtnl_link_put(link);
	return address_add_to(sock, index, address);
}

/*
 * ip link: "lo eth0", allocated. It leaves out the tunnels, such as sit0, that some kernels put
 * into every namespace (net.core.fb_tunnels_only_for_init_net).
 */
static inline char *link_names(struct nl_sock *sock)
{
	struct nl_cache *cache;
	char *list = text("%s", "");
	told(rtnl_link_alloc_cache(sock, AF_UNSPEC, &cache));
	for (struct nl_object *o = nl_cache_get_first(cache); o; o = nl_cache_get_next(o)) {
		const char *kind = rtnl_link_get_type((struct rtnl_link *)o);
		autofree char *before = list;
		if (kind && strcmp(kind, "veth") && strcmp(kind, "bridge"))
			list = text("%s", before);
		else
			list = text("%s%s%s", before, *before ? " " : "",
				rtnl_link_get_name((struct rtnl_link *)o));
	}
	nl_cache_free(cache);
	return list;
}

/* ip link add NAME type bridge: a switch; the namespace itself is one of its ports. */
static inline int bridge_add(struct nl_sock *sock, const char *name)
{
	return told(rtnl_link_bridge_add(sock, name));
}

/* ip link set NAME master BRIDGE: NAME becomes a port of the bridge. IFLA_MASTER */
static inline int bridge_join(struct nl_sock *sock, const char *bridge, const char *name)
{
	struct rtnl_link *master = link_find(sock, bridge), *slave = link_find(sock, name);
	told(rtnl_link_enslave(sock, master, slave));
	rtnl_link_put(master);
	rtnl_link_put(slave);
	return 0;
}

/* ip route add default via GATEWAY. RTM_NEWROUTE */
static inline int route_add_default(struct nl_sock *sock, const char *gateway)
{
	struct rtnl_route *route = rtnl_route_alloc();
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
	struct nl_addr *everything, *via;
	told(nl_addr_parse("default", AF_INET, &everything));
	told(nl_addr_parse(gateway, AF_INET, &via));
	told(rtnl_route_set_dst(route, everything));
	rtnl_route_nh_set_gateway(hop, via);
	rtnl_route_add_nexthop(route, hop); /* the route owns it now */
	told(rtnl_route_add(sock, route, 0));
	nl_addr_put(everything);
	nl_addr_put(via);
	rtnl_route_put(route);
	return 0;
}

/* ---- Sockets, whose calls wait five seconds at most ---- */

static inline int socket_open(int type, int protocol)
{
	const struct timeval bound = {.tv_sec = 5};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, protocol);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound) ||
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof bound))
		die("socket, setsockopt");
	return fd;
}

static inline struct sockaddr_in address_of(const char *address, long long port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((in_port_t)port)};
	inet_pton(AF_INET, address, &to.sin_addr);
	return to;
}
