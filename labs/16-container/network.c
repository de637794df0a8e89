/*
 * network.c: a bridge, and a veth pair from it to each container. Docker puts the bridge on the
 * host. This lab puts it in a network namespace that plays the host, so the machine's links, routes
 * and rules do not change. The messages are those of lab 06; a CNI bridge plugin sends the same
 * ones. veth(4), rtnetlink(7)
 */
/* link: libnl-route-3.0 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "../06-net-ns/link.h"
#include "container.h"
#include "kernel/file.h"
#include "kernel/ns.h"
#include "kernel/proc.h"

#define GATEWAY NETWORK ".0.1"
enum { FIRST = 2, LAST = 65534 }; /* of the addresses, counted in their network */

char *network_address(int number)
{
	return text(NETWORK ".%d.%d", number >> 8, number & 255);
}

/* 172.17.0.9 is 9; 0 when it is not an address of a container on this bridge. */
int network_number(const char *address)
{
	struct in_addr in;
	if (inet_pton(AF_INET, address, &in) != 1 || ntohl(in.s_addr) >> 16 != (172 << 8 | 17))
		return 0;
	int number = ntohl(in.s_addr) & 0xffff;
	return number >= FIRST && number <= LAST ? number : 0;
}

/* Containers and Pods, by their groups' names. */
static bool is_run(const char *name, int *pid)
{
	int end = 0;
	return (!strncmp(name, "lab16-", 6) || !strncmp(name, "lab17-", 6)) &&
	       sscanf(name + 6, "%d%n", pid, &end) == 1 && !name[6 + end];
}

/*
 * No IPv6 in the caller's network namespace, as Docker has it where a network is of
 * IPv4 alone: else each end of a cable looks for neighbours and routers, and tells all
 * others of it. It is not there, or not to be written, where a kernel or another
 * container around us says so. ip-sysctl.rst in the kernel's documentation
 */
const char no_ipv6[] = "/proc/sys/net/ipv6/conf/all/disable_ipv6";

void network_ipv4_only(void)
{
	if (file_try_write(no_ipv6, "1") && errno != ENOENT && errno != EROFS && errno != EACCES)
		die("write 1 to %s", no_ipv6);
}

static struct nl_sock *at_bridge; /* a socket in the namespace of the bridge */
static int bridge;                /* the index of br0 there */
enum { BRIDGE = 100 };            /* tunnels may have the first ones: sit0 */

/* ip link add br0 up type bridge; ip address add GATEWAY/16 dev br0 */
static void network_bridge(void)
{
	struct rtnl_link *link = rtnl_link_bridge_alloc();
	rtnl_link_set_name(link, "br0");
	rtnl_link_set_ifindex(link, bridge = BRIDGE);
	rtnl_link_set_flags(link, IFF_UP);
	told(rtnl_link_add(at_bridge, link, NLM_F_CREATE | NLM_F_EXCL));
	rtnl_link_put(link);
	MUST(address_add_to(at_bridge, bridge, GATEWAY "/16"));
}

/* ip link add NAME up master br0 type veth peer name eth0 netns PID; libnl's answer */
static int network_cable(const char *name, pid_t pid)
{
	struct rtnl_link *end = rtnl_link_veth_alloc(), *eth0 = rtnl_link_veth_get_peer(end);
	rtnl_link_set_name(end, name);
	rtnl_link_set_flags(end, IFF_UP);
	rtnl_link_set_master(end, bridge);
	rtnl_link_set_name(eth0, "eth0");
	rtnl_link_set_ns_pid(eth0, pid);
	int code = rtnl_link_add(at_bridge, end, NLM_F_CREATE | NLM_F_EXCL);
	rtnl_link_put(eth0);
	rtnl_link_put(end);
	return code;
}

/* How many have their groups in this one. host: a network namespace of theirs, if it is not open
 * yet. */
static int network_of_group(const char *groups, int *host)
{
	int running = 0, pid;
	DIR *dir = opendir(groups);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		if (!is_run(entry->d_name, &pid) || pid == getpid())
			continue;
		running++;
		autofree char *path = text("/proc/%d/ns/net", pid);
		struct stat st;
		if (*host < 0 && !stat(path, &st) && st.st_ino != host_ns[NET])
			*host = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (dir)
		closedir(dir);
	return running;
}

/*
 * The same for our group and, if it is one that systemd-run --scope has made, for the scopes beside
 * it: each container has its own. A scope that is delegated to another user may hold any names.
 * systemd.scope(5)
 */
static int network_of_scopes(const char *groups, int *host)
{
	int running = network_of_group(groups, host);
	const char *name = strrchr(groups, '/') + 1, *end = strrchr(name, '.');
	if (!end || strcmp(end, ".scope"))
		return running;
	autofree char *slice = text("%.*s", (int)(name - groups), groups);
	DIR *dir = opendir(slice);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		end = strrchr(entry->d_name, '.');
		if (!end || strcmp(end, ".scope") || !strcmp(entry->d_name, name))
			continue;
		autofree char *scope = text("%s%s", slice, entry->d_name);
		struct stat st;
		if (!stat(scope, &st) && st.st_uid == geteuid())
			running += network_of_group(scope, host);
	}
	if (dir)
		closedir(dir);
	return running;
}

/*
 * The caller goes where the bridge is: to the place of a container that runs, if there
 * is one, else to a new one. Nothing may be changed in the machine's own, host_ns[NET]. Returns how
 * many run.
 */
int network_host(const char *groups)
{
	static int running = -1;
	if (running >= 0)
		return ++running; /* this process is already there */
	int host = -1;
	/* Locked, so that two first containers do not both make a bridge. */
	autoclose int alone = MUST(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
	MUST(flock(alone, LOCK_EX));
	running = groups ? network_of_scopes(groups, &host) : 0;
	if (host >= 0 && !setns(host, CLONE_NEWNET))
		bridge = (int)if_nametoindex("br0");
	if (host >= 0)
		close(host);
	if (!bridge) {
		MUST(unshare(CLONE_NEWNET));
		if (!expect_differ("the bridge's namespace", host_ns[NET], ns_inode(0, "net")))
			exit(lab_end());
		network_ipv4_only();
	}
	at_bridge = netlink_open();
	if (!bridge)
		network_bridge();
	host_ns[NET] = ns_inode(0, "net"); /* no container's may be the bridge's either */
	return running;
}

/*
 * A veth pair: one end at the bridge, the other, eth0, in the namespace of pid. The
 * name of the first has the number of the address, so that the kernel refuses what is
 * taken. wanted 0: the next one that is free. Returns the number, 0 when it is taken, -1
 * when the process has ended.
 */
int network_plug(pid_t pid, int wanted, int running)
{
	int number = wanted ? wanted : FIRST + running;
	for (;; number++) {
		autofree char *name = text("veth%d", number);
		errno = 0;
		int code = network_cable(name, pid);
		if (code == -NLE_EXIST && !wanted && number < LAST)
			continue;
		if (code == -NLE_EXIST)
			return 0;
		if (code && child_ended(pid, 0))
			return -1;
		told_by_libnl("rtnl_link_add", code);
		return number;
	}
}

/* ip link set lo up. By the older call, which needs none of libnl's memory. netdevice(7) */
static void loopback_up(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	autoclose int sock = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	MUST(ioctl(sock, SIOCSIFFLAGS, &lo));
}

/* Called in the container, after the cable is plugged in. */
void network_up(const char *address)
{
	loopback_up();
	if (!*address)
		return;
	struct nl_sock *sock = netlink_open();
	autofree char *with_bits = text("%s/16", address);
	MUST(address_add_to(sock, (int)if_nametoindex("eth0"), with_bits));
	MUST(link_up(sock, "eth0"));
	MUST(route_add_default(sock, GATEWAY));
	nl_socket_free(sock);
}

/*
 * What Docker writes besides: whoever it is may bind port 80, and ping without CAP_NET_RAW. In a
 * user namespace the numbers have to be mapped. ip-sysctl.rst
 */
void network_begin(const struct container *c)
{
	static const char port[] = "/proc/sys/net/ipv4/ip_unprivileged_port_start",
			  ping[] = "/proc/sys/net/ipv4/ping_group_range";
	if (c->joined & CLONE_NEWNET)
		return;
	if (c->bridge)
		network_ipv4_only();
	if ((file_try_write(port, "0") ||
		    file_try_write(ping, c->root.user_namespace ? "0 0" : "0 2147483647")) &&
		errno != ENOENT && errno != EROFS && errno != EACCES)
		die("write to %s, %s", port, ping);
}

/* The host's network is up, or is not: that is not the container's to change. */
void network_finish(const struct container *c, const char *address)
{
	if (!(c->joined & CLONE_NEWNET))
		network_up(address);
}
