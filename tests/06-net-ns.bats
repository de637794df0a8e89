#!/usr/bin/env bats
# 06-net-ns, seen from outside while it waits: what ip(8), ss(8) and a ping find
# that are let into its namespaces, and the calls as strace sees them. "# check:"
# names the lab's check whose fact is obtained here a second time.

load helper
program=06-net-ns

# The devices in the network namespace of PID, but for tunnels that some kernels put into each.
devices_in() {
	inside "$1" net ip -o link | sed 's/^[0-9]*: //; s/[@:].*//' | grep -vE '^(sit|tunl|gre|gretap|erspan|ip6tnl|ip6gre|ip_vti|ip6_vti)0$' | xargs
}

# "INDEX PEER" of a device in the namespace of PID: the number of the other end, in its namespace.
cable() {
	inside "$1" net ip -o link show "$2" | sed -nE 's/^([0-9]+): [^@]*@if([0-9]+):.*/\1 \2/p'
}

# way PID ADDRESS: does the namespace of PID know a way there?
way() {
	inside "$1" net ip route get "$2" 2>&1 | grep -qi unreachable && echo unreachable || echo known
}

ping_from() {
	inside "$1" net busybox ping -c 1 -W 5 "$2" 2>&1 | grep -oE '1 packets received|unreachable' || :
}

listeners_in() {
	inside "$1" net ss -Hltn | awk '{ print $4 }' | xargs
}

# Who has been connected to port 8080 in there: addresses, without the listener.
clients_in() {
	inside "$1" net ss -Htan | awk '$1 != "LISTEN" && $4 ~ /:8080$/ { sub(/:[0-9]+$/, "", $5); print $5 }' | sort -u | xargs
}

machine_devices() {
	echo /sys/class/net/*
}

setup_file() {
	"$LABS/$program" --can-run || return 0
	fact own_ns "$(ns_of self net)"
	fact devices_before "$(machine_devices)"
	lab_start "$LABS/$program"
	fact lab "$lab"

	lab_go_to 1 || :
	fact host_ns "$(ns_of "$lab" net)"
	fact first_devices "$(devices_in "$lab")"
	fact lo_way "$(way "$lab" 127.0.0.1)"
	fact outside_way "$(way "$lab" 192.0.2.1)"

	lab_go_to 2 || :
	web=$lab_pid
	fact web_ns "$(ns_of "$web" net)"
	fact web_parent "$(status_of "$web" PPid)"
	fact host_devices "$(devices_in "$lab")"
	fact web_devices "$(devices_in "$web")"
	fact veth0 "$(cable "$lab" veth0)"
	fact eth0 "$(cable "$web" eth0)"
	fact way_before "$(way "$lab" 10.6.0.2)"

	lab_go_to 3 || :
	fact host_address "$(inside "$lab" net ip -o -4 address show veth0 | awk '{ print $4 }')"
	fact web_address "$(inside "$web" net ip -o -4 address show eth0 | awk '{ print $4 }')"
	fact ping_web "$(ping_from "$lab" 10.6.0.2)"
	fact ping_host "$(ping_from "$web" 10.6.0.1)"
	fact ping_outside "$(ping_from "$web" 192.0.2.1)"

	lab_go_to 4 || :
	read -r first second <<<"$(children_of "$lab")" || :
	db=$second
	fact first_child "$first"
	fact web "$web"
	fact db_ns "$(ns_of "$db" net)"
	fact db_devices "$(devices_in "$db")"
	fact db_lo_way "$(way "$db" 127.0.0.1)"
	fact listeners "$(listeners_in "$lab"), $(listeners_in "$web"), $(listeners_in "$db")"
	fact again "$(inside "$web" net timeout 5 busybox nc -l -p 8080 2>&1 </dev/null)"

	lab_go_to 5 || :
	fact host_clients "$(clients_in "$lab")"
	fact web_clients "$(clients_in "$web")"
	fact db_clients "$(clients_in "$db")"
	fact devices_meanwhile "$(machine_devices)"
	lab_end
	fact status "$lab_status"

	strace -f -qq -s 128 -e trace=unshare,setns,connect,bind,socket,sendto \
		-o "$BATS_FILE_TMPDIR/calls" "$LABS/$program" --format=jsonl >/dev/null 2>&1 3>&- || :
	fact devices_after "$(machine_devices)"
}

setup() {
	needs_lab "$program"
	read_facts
	calls=$BATS_FILE_TMPDIR/calls
}

# How often calls look like this.
count() {
	grep -cE "$1" "$calls" || :
}

@test "06-net-ns: a new namespace has lo, down, and no way out; this machine's is not touched" {
	# check: the host's namespace
	differ "the lab's host beside this machine" "$own_ns" "$host_ns"
	same "devices of this machine, while it runs" "$devices_before" "$devices_meanwhile"
	same "devices of this machine, after it" "$devices_before" "$devices_after"
	# check: its devices
	same "devices of the lab's host" lo "$first_devices"
	# check: 127.0.0.1, lo is down
	same "127.0.0.1 in db, whose lo nobody has set up" unreachable "$db_lo_way"
	same "devices of db" lo "$db_devices"
	same "connect() to 127.0.0.1 that was refused the way, once" 1 "$(count 'connect\(.*"127.0.0.1".* = -1 ENETUNREACH')"
	# check: 127.0.0.1, lo is up
	same "127.0.0.1 where it has been set up" known "$lo_way"
	# check: 192.0.2.1, outside
	same "an address outside" unreachable "$outside_way"
	# By hand.
	same "by hand: its devices" lo "$(unshare "${userns_make[@]}" --net ip -o link |
		sed 's/^[0-9]*: //; s/[@:].*//' | grep -vE '0$' | xargs)"
	same "by hand: down, up" "unreachable known" "$(unshare "${userns_make[@]}" --net sh -c '
		ip route get 127.0.0.1 >/dev/null 2>&1 && echo known || echo unreachable
		ip link set lo up
		ip route get 127.0.0.1 >/dev/null 2>&1 && echo known || echo unreachable' | xargs)"
}

@test "06-net-ns: a veth pair: one end is inside and not outside, and each knows the other" {
	# check: web: a namespace of its own
	differ "web's namespace beside its host's" "$host_ns" "$web_ns"
	differ "web's namespace beside this machine's" "$own_ns" "$web_ns"
	same "web's parent" "$lab" "$web_parent"
	# check: devices on the host
	same "devices of the host" "lo veth0" "$host_devices"
	# check: devices in web
	same "devices of web" "lo eth0" "$web_devices"
	[[ $veth0 =~ ^[0-9]+\ [0-9]+$ ]]
	same "the peer of eth0, and eth0" "${veth0#* } ${veth0% *}" "$eth0"
}

@test "06-net-ns: with addresses, and both ends up, ICMP goes both ways" {
	# check: control: ping before that
	same "the way to web, before there was an address" unreachable "$way_before"
	same "addresses" "10.6.0.1/24 10.6.0.2/24" "$host_address $web_address"
	# check: ping web from the host
	same "our own ping to web, in the host" "1 packets received" "$ping_web"
	# check: ping the host from web
	same "our own ping to the host, in web" "1 packets received" "$ping_host"
	same "control: our own ping outside, in web" unreachable "$ping_outside"
	same "echo requests of the lab, ICMP type 8" 2 "$(count 'sendto\([0-9]+, "\\10\\0\\367\\377')"
}

@test "06-net-ns: one port in three namespaces, and not twice in one" {
	# check: db: a namespace of its own
	differ "db's namespace beside web's" "$web_ns" "$db_ns"
	differ "db's namespace beside its host's" "$host_ns" "$db_ns"
	same "web is the first child" "$web" "$first_child"
	# check: bind() on the host
	# check: bind() in web
	# check: bind() in db
	same "listeners on the host, in web, in db" "0.0.0.0:8080, 0.0.0.0:8080, 0.0.0.0:8080" "$listeners"
	same "bind() of the port: successes" 3 "$(count 'bind\(.*htons\(8080\).* = 0')"
	# check: control: bind() in web again
	same "bind() of the port: refusals" 1 "$(count 'bind\(.*htons\(8080\).* = -1 EADDRINUSE')"
	[[ $again == *"Address already in use"* ]] || {
		echo "our own server in web: expected 'Address already in use', observed '$again'"
		return 1
	}
	# It is an option, and in a namespace of one's own no privilege outside is needed for a low one.
	"$LABS/$program" --port 80 >/dev/null
}

@test "06-net-ns: TCP in both directions, from the address of the other side" {
	# check: web asks the host: who am I?
	same "who was connected to the host's port" 10.6.0.2 "$host_clients"
	# check: the host asks web: who am I?
	same "who was connected to web's port" 10.6.0.1 "$web_clients"
	same "who was connected to db's port, without a cable" "" "$db_clients"
}

@test "06-net-ns: a COMMAND is inside, with the cable" {
	same "its addresses" "127.0.0.1/8 10.6.0.2/24" \
		"$("$LABS/$program" -- ip -o -4 address 2>/dev/null | awk '{ print $4 }' | xargs)"
	same "its ping to the host" "1 packets received" \
		"$("$LABS/$program" -- busybox ping -c 1 -W 5 10.6.0.1 2>/dev/null | grep -o '1 packets received')"
}

@test "06-net-ns: more: the bridge, NAT, a ruleset for each, and the end of a namespace" {
	needs_lab "$program-more"
	PATH=$PATH:/usr/sbin:/sbin
	lab_start "$LABS/$program-more"
	lab_go_to 2
	read -r _ a b <<<"$(children_of "$lab")"
	same "a, as the lab names it" "$a" "$lab_pid"
	same "ports of the bridge" "vetha vethb" "$(inside "$lab" net ip -o link show master br0 | sed 's/^[0-9]*: //; s/@.*//' | xargs)"
	same "ping from a to b" "1 packets received" "$(ping_from "$a" 10.6.0.3)"
	lab_go_to 3
	same "a way out of a, and of b" "known unreachable" "$(way "$a" 203.0.113.2) $(way "$b" 203.0.113.2)"
	if command -v nft >/dev/null; then
		lab_go_to 4
		same "the host's rule" masquerade "$(inside "$lab" net nft list ruleset | grep -o masquerade)"
		same "forwarding, on the host" "1" "$(inside "$lab" net cat /proc/sys/net/ipv4/ip_forward)"
		same "ping from a to outside" "1 packets received" "$(ping_from "$a" 203.0.113.2)"
		lab_go_to 5
		same "a's rule" drop "$(inside "$a" net nft list ruleset | grep -ow drop)"
		same "b's rules" "" "$(inside "$b" net nft list ruleset)"
	fi
	lab_go_to 7
	same "devices of the host when b is gone" "lo br0 vetha" "$(devices_in "$lab" | sed 's/ wan//')"
	lab_end
	same "its status" 0 "$lab_status"
	# By hand: a ruleset that nobody has filled.
	! command -v nft >/dev/null || same "by hand: its ruleset" "" "$(unshare "${userns_make[@]}" --net nft list ruleset)"
}

@test "06-net-ns: and its verdict is pass" {
	same "its status" 0 "$status"
}
