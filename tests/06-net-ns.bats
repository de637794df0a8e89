#!/usr/bin/env bats
# 06-net-ns, looked at from outside while it waits: what ip(8), ss(8) and a ping find in its
# namespaces, and the calls that strace sees. "# check:" names the check of the lab whose fact is
# obtained here a second time.

load helper
program=06-net-ns

setup() {
	needs_lab "$program"
}

teardown() {
	lab_stop
}

# at CHECK: the lab waits after that check. Sets web and db, its containers, as soon as they are there.
at() {
	lab_at "$1" "$LABS/$program"
	read -r web db <<<"$(children_of "$lab")" || :
}

# without_tunnels: leaves out the tunnels that some kernels put into each namespace.
without_tunnels() {
	grep -vE '^(sit|tunl|gre|gretap|erspan|ip6tnl|ip6gre|ip_vti|ip6_vti)0$' | xargs
}

# devices_in PID: the devices in its network namespace.
devices_in() {
	inside "$1" net ip -o link | sed 's/^[0-9]*: //; s/[@:].*//' | without_tunnels
}

# veth_in PID DEVICE: "INDEX PEER", the number of the device and that of its other end.
veth_in() {
	inside "$1" net ip -o link show "$2" | sed -nE 's/^([0-9]+): [^@]*@if([0-9]+):.*/\1 \2/p'
}

# route_in PID ADDRESS: has the namespace of PID a route to it?
route_in() {
	inside "$1" net ip route get "$2" 2>&1 | grep -qi unreachable && echo unreachable || echo known
}

address_in() {
	inside "$1" net ip -o -4 address show "$2" | awk '{ print $4 }'
}

ping_from() {
	inside "$1" net busybox ping -c 1 -W 5 "$2" 2>&1 | grep -oE '1 packets received|unreachable' || :
}

listeners_in() {
	inside "$1" net ss -Hltn | awk '{ print $4 }' | xargs
}

# clients_in PID: the addresses that have been connected to its port 8080.
clients_in() {
	inside "$1" net ss -Htan | awk '$1 != "LISTEN" && $4 ~ /:8080$/ { sub(/:[0-9]+$/, "", $5); print $5 }' | sort -u | xargs
}

# trace CALLS: what strace sees of these calls goes to $calls.
trace() {
	calls=$BATS_TEST_TMPDIR/calls
	strace -f -qq -s 128 -e trace="$1" -o "$calls" "$LABS/$program" --format=jsonl >/dev/null 2>&1 3>&-
}

# count PATTERN: how many of the calls match it.
count() {
	grep -cE "$1" "$calls" || :
}

@test "06-net-ns: a new namespace has lo, which is down, and no route" {
	# check: the host's namespace
	at "192.0.2.1, outside"
	differ "the lab's host beside this machine" "$(ns_of self net)" "$(ns_of "$lab" net)"
	# check: its devices
	same "devices of the lab's host" lo "$(devices_in "$lab")"
	# check: 127.0.0.1, lo is up
	same "127.0.0.1, where the lab has set lo up" known "$(route_in "$lab" 127.0.0.1)"
	# check: 192.0.2.1, outside
	same "an outside address" unreachable "$(route_in "$lab" 192.0.2.1)"
	# check: 127.0.0.1, lo is down
	trace connect
	same "connect() to 127.0.0.1 without a route" 1 "$(count 'connect\(.*"127.0.0.1".* = -1 ENETUNREACH')"
	# By hand.
	same "by hand: its devices" lo "$(unshare "${userns_make[@]}" --net ip -o link |
		sed 's/^[0-9]*: //; s/[@:].*//' | without_tunnels)"
	same "by hand: down, up" "unreachable known" "$(unshare "${userns_make[@]}" --net sh -c '
		ip route get 127.0.0.1 >/dev/null 2>&1 && echo known || echo unreachable
		ip link set lo up
		ip route get 127.0.0.1 >/dev/null 2>&1 && echo known || echo unreachable' | xargs)"
}

@test "06-net-ns: a veth pair: one end is inside and not outside, and each knows the other" {
	machine=$(echo /sys/class/net/*)
	at "devices in web"
	# check: web: a namespace of its own
	differ "web's namespace beside its host's" "$(ns_of "$lab" net)" "$(ns_of "$web" net)"
	differ "web's namespace beside this machine's" "$(ns_of self net)" "$(ns_of "$web" net)"
	same "web, as the lab names it" "$web" "$lab_pid"
	# check: devices on the host
	same "devices of the host" "lo veth0" "$(devices_in "$lab")"
	# check: devices in web
	same "devices of web" "lo eth0" "$(devices_in "$web")"
	same "devices of this machine" "$machine" "$(echo /sys/class/net/*)"
	veth0=$(veth_in "$lab" veth0)
	[[ $veth0 =~ ^[0-9]+\ [0-9]+$ ]]
	same "the peer of eth0, and eth0" "${veth0#* } ${veth0% *}" "$(veth_in "$web" eth0)"
	# check: control: ping before that
	same "the route to web, before there is an address" unreachable "$(route_in "$lab" 10.6.0.2)"
}

@test "06-net-ns: with addresses, and both ends up, ICMP goes both ways" {
	at "ping the host from web"
	same "addresses" "10.6.0.1/24 10.6.0.2/24" "$(address_in "$lab" veth0) $(address_in "$web" eth0)"
	# check: ping web from the host
	same "our own ping to web, in the host" "1 packets received" "$(ping_from "$lab" 10.6.0.2)"
	# check: ping the host from web
	same "our own ping to the host, in web" "1 packets received" "$(ping_from "$web" 10.6.0.1)"
	same "control: our own ping outside, in web" unreachable "$(ping_from "$web" 192.0.2.1)"
	trace sendto
	same "echo requests of the lab, ICMP type 8" 2 "$(count 'sendto\([0-9]+, "\\10\\0\\367\\377')"
}

@test "06-net-ns: one port in three namespaces, and not twice in one" {
	at "bind() in db"
	# check: db: a namespace of its own
	differ "db's namespace beside web's" "$(ns_of "$web" net)" "$(ns_of "$db" net)"
	differ "db's namespace beside its host's" "$(ns_of "$lab" net)" "$(ns_of "$db" net)"
	same "devices of db, and 127.0.0.1 while its lo is down" "lo unreachable" "$(devices_in "$db") $(route_in "$db" 127.0.0.1)"
	# check: bind() on the host
	# check: bind() in web
	# check: bind() in db
	same "listeners on the host, in web, in db" "0.0.0.0:8080, 0.0.0.0:8080, 0.0.0.0:8080" \
		"$(listeners_in "$lab"), $(listeners_in "$web"), $(listeners_in "$db")"
	again=$(inside "$web" net timeout 5 busybox nc -l -p 8080 2>&1 </dev/null) || :
	[[ $again == *"Address already in use"* ]] || same "our own server in web" "Address already in use" "$again"
	trace bind
	same "bind() of the port: successes" 3 "$(count 'bind\(.*htons\(8080\).* = 0')"
	# check: control: bind() in web again
	same "bind() of the port: refusals" 1 "$(count 'bind\(.*htons\(8080\).* = -1 EADDRINUSE')"
	# The port is an option. A low one needs no privilege outside, because the namespace is the user's.
	"$LABS/$program" --port 80 >/dev/null
}

@test "06-net-ns: TCP in both directions, from the address of the other side" {
	at "the host asks web: who am I?"
	# check: web asks the host: who am I?
	same "who was connected to the host's port" 10.6.0.2 "$(clients_in "$lab")"
	# check: the host asks web: who am I?
	same "who was connected to web's port" 10.6.0.1 "$(clients_in "$web")"
	same "who was connected to db's port, without a veth pair" "" "$(clients_in "$db")"
	machine=$(echo /sys/class/net/*)
	lab_end
	same "the lab's status" 0 "$lab_status"
	same "devices of this machine, after it" "$machine" "$(echo /sys/class/net/*)"
}

@test "06-net-ns: a COMMAND runs in the container, joined to the host" {
	same "its addresses" "127.0.0.1/8 10.6.0.2/24" \
		"$("$LABS/$program" -- ip -o -4 address 2>/dev/null | awk '{ print $4 }' | xargs)"
	same "its ping to the host" "1 packets received" \
		"$("$LABS/$program" -- busybox ping -c 1 -W 5 10.6.0.1 2>/dev/null | grep -o '1 packets received')"
}

@test "06-net-ns: more: containers on a bridge, and the end of a namespace" {
	needs_lab "$program-more"
	lab_at "a hears" "$LABS/$program-more"
	read -r a b <<<"$(children_of "$lab")"
	same "a, as the lab names it" "$a" "$lab_pid"
	same "ports of the bridge" "vetha vethb" "$(inside "$lab" net ip -o link show master br0 | sed 's/^[0-9]*: //; s/@.*//' | xargs)"
	same "ping from a to b" "1 packets received" "$(ping_from "$a" 10.6.0.3)"
	lab_go_until "neighbors of the host"
	same "a route out of a, and of b" "known unreachable" "$(route_in "$a" 203.0.113.2) $(route_in "$b" 203.0.113.2)"
	lab_go_until "vetha on the host"
	same "devices of the host when b is gone" "lo br0 vetha" "$(devices_in "$lab")"
	lab_end
	same "its status" 0 "$lab_status"
}

@test "06-net-ns: more-nat: forwarding, NAT, and a ruleset for each" {
	needs_lab "$program-more-nat"
	PATH=$PATH:/usr/sbin:/sbin
	command -v nft >/dev/null || skip "there is no nft here"
	lab_at "NAT: its answer in a is from" "$LABS/$program-more-nat"
	read -r outside a b <<<"$(children_of "$lab")"
	same "the host's rule" masquerade "$(inside "$lab" net nft list ruleset | grep -o masquerade)"
	same "forwarding, on the host and outside" "1 0" \
		"$(inside "$lab" net cat /proc/sys/net/ipv4/ip_forward) $(inside "$outside" net cat /proc/sys/net/ipv4/ip_forward)"
	same "ping from a to outside" "1 packets received" "$(ping_from "$a" 203.0.113.2)"
	lab_go_until "a, the rule: dropped"
	same "a's rule" drop "$(inside "$a" net nft list ruleset | grep -ow drop)"
	same "b's rules" "" "$(inside "$b" net nft list ruleset 2>&1)"
	lab_end
	same "its status" 0 "$lab_status"
	# By hand: the ruleset of a new namespace is empty.
	same "by hand: its ruleset" "" "$(unshare "${userns_make[@]}" --net nft list ruleset 2>&1)"
}
