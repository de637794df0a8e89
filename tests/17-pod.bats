#!/usr/bin/env bats
# 17-pod: the Pod from outside, while the story waits; and manifests. What --explain prints is computed here
# a second time, and compared with an strace of the Pod. A broken manifest is refused with its line and
# column, and nothing is started. "# check:" names the lab's check whose fact is obtained here a second time.

# shellcheck disable=SC2154 # the helper's variables

load helper
program=17-pod

# one PID: its namespaces, a word each.
namespaces_of() {
	local name
	for name in cgroup ipc mnt net pid user uts; do ns_of "$1" $name; done
}

# The containers of the Pod, by their program: the one process of each group that is not pause's.
container_of() {
	local pid
	for pid in $(below "$lab"); do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" != "$1" ] || [ "$(status_of "$pid" NSpid)" != "$pid 1" ] || echo "$pid"
	done
}

# shared_by PID PID: the namespaces that both are in.
shared_by() {
	grep -Fxf <(namespaces_of "$1") <(namespaces_of "$2") | sed 's/:.*//' | xargs
}

# privileges_of PID KEY...: lines of its status.
privileges_of() {
	local key
	for key in "${@:2}"; do status_of "$1" "$key" && echo; done | xargs
}

# answer_at PID: the last line that a web server at its localhost answers, once it listens.
answer_at() {
	local tries
	for ((tries = 100; tries > 0; tries--)); do
		nsenter --target="$1" --net bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080 && printf "GET / HTTP/1.0\r\n\r\n" >&3 && tail -n 1 <&3' 2>/dev/null && return
		sleep 0.05
	done
}

# traced_story: sets calls, the file of what strace saw of a whole story. It is made once, by the first test that asks.
traced_story() {
	calls=$BATS_FILE_TMPDIR/calls
	[ -s "$calls" ] || trace_calls "$calls" "$LABS/$program"
}

setup() {
	manifest=$BATS_TEST_TMPDIR/pod.yaml
	explain=("$LABS/$program" --explain)
}

teardown() {
	lab_stop
	[ -z "${open-}" ] || rm -rf "$open"
}

# all_of: what --explain says becomes of anything, a line each, put together where it was folded.
all_of() {
	awk '{ on = match($0, /-> /) } on { if (line) print line; line = " " substr($0, RSTART + 3); next }
		substr($0, 1, 39) ~ /^ +$/ && line { sub(/^ +/, ""); line = line " " $0; next }
		{ if (line) print line; line = "" } END { if (line) print line }' | sort -u
}

# disk_in PID: what the kernel says to who opens a disk in the group of that process. There is no such driver, but that
# is not told before the group's program has let him through.
disk_in() {
	# shellcheck disable=SC2016 # that shell expands it
	unshare --mount sh -c 'mount -t tmpfs disk "$1" && mknod "$1/disk" b 251 251 && echo $$ >"$0/cgroup.procs" && : <"$1/disk"' \
		"$(group_of "$1")" "$BATS_TEST_TMPDIR" 2>&1 | sed 's/.*: //'
}

@test "17-pod: two containers share net, ipc and uts with pause, and nothing else of it" {
	needs_lab "$program"
	lab_at "web, pause 1: of the host in it" "$LABS/$program"
	local pause=$lab_pid name server visitor
	# check: kubelet: its mount table
	differ "the kubelet's mount table beside ours" "$(ns_of self mnt)" "$(ns_of "$lab" mnt)"
	# check: the bridge's namespace
	differ "the bridge's namespace beside ours" "$(ns_of self net)" "$(ns_of "$lab" net)"
	# check: web, pause 1: of the host in it
	# check: web, pause 2: of the host in it
	for name in ipc mnt net uts; do
		differ "pause's $name namespace beside the kubelet's" "$(ns_of "$lab" $name)" "$(ns_of "$pause" $name)"
	done
	same "files in pause's root, and its mounts" "0 / ro" "$(find "/proc/$pause/root/" -mindepth 1 | wc -l) $(
		awk '{ split($6, is, ","); print $5, is[1] }' "/proc/$pause/mountinfo" | xargs)"
	same "files that pause has open" 0 "$(find "/proc/$pause/fd/" -mindepth 1 | wc -l)"
	same "what pause may do" "65535 65535 65535 65535 0000000000000000 0000000000000000 1 2" \
		"$(privileges_of "$pause" Uid CapEff CapBnd NoNewPrivs Seccomp)"
	differ "pause's session beside the kubelet's" "$(ps -o sid= -p "$lab")" "$(ps -o sid= -p "$pause")"
	same "a disk, in our group and in pause's" "No such device or address, Operation not permitted" "$(disk_in $$), $(disk_in "$pause")"

	lab_go_until "visitor: localhost:8080 is server"
	server=$(container_of httpd) visitor=$(container_of sh)
	# check: init container build: status
	# check: shared by its containers
	same "namespaces that the two containers share" "ipc net user uts" "$(shared_by "$server" "$visitor")"
	same "and with pause" "ipc net user uts" "$(shared_by "$server" "$pause")"
	# check: its address, and pause's
	[[ $(nsenter --target="$visitor" --net ip -4 -o address show eth0) == *" 172.17."*"/16 "* ]]
	same "hostnames of both" "web web" "$(for pid in $server $visitor; do nsenter --target="$pid" --uts hostname; done | xargs)"
	# check: visitor: localhost:8080 is server
	same "what server answers visitor, at localhost" "Hello from a Pod." "$(answer_at "$visitor")"
}

@test "17-pod: with shareProcessNamespace and SYS_PTRACE /proc/1/root is no way to the host" {
	needs_lab "$program"
	printf '%s\n' 'apiVersion: v1' 'kind: Pod' 'metadata: {name: p}' 'spec:' '  shareProcessNamespace: true' '  containers:' \
		'  - {name: debugger, image: busybox, securityContext: {capabilities: {add: [SYS_PTRACE]}}}' >"$manifest"
	# shellcheck disable=SC2016 # its shell expands it
	SECRET=hidden run -0 --separate-stderr timeout 100 "$LABS/$program" "$manifest" -- \
		sh -c 'ls -A /proc/1/root/ | wc -l; ls /proc/1/fd/ | wc -l; grep -c hidden /proc/1/environ; touch /proc/1/root/new 2>/dev/null || echo refused
			chmod 4711 /proc/1/exe 2>/dev/null || echo refused'
	same "what it finds of pause" "0 0 0 refused refused" "$(xargs <<<"$output")"
	# One of the same user, without SYS_PTRACE.
	sed -i 's/securityContext: .*/securityContext: {runAsUser: 65535, runAsGroup: 65535}}/' "$manifest"
	run -0 --separate-stderr timeout 100 "$LABS/$program" "$manifest" -- \
		sh -c 'readlink /proc/self/root; readlink /proc/1/root || echo refused'
	same "what its user finds of it" "/ refused" "$(xargs <<<"$output")"
}

@test "17-pod: pause is PID 1 where PIDs are shared: what has lost its parent leaves no zombie, and SIGTERM ends it" {
	needs_lab "$program"
	printf '%s\n' 'apiVersion: v1' 'kind: Pod' 'metadata: {name: p}' 'spec:' '  shareProcessNamespace: true' '  containers:' \
		'  - {name: c, image: busybox}' >"$manifest"
	# shellcheck disable=SC2016 # its shell expands it
	run -0 --separate-stderr timeout 100 "$LABS/$program" "$manifest" -- \
		sh -c 'cat /proc/1/comm; pid=$(sh -c "sleep 90 >/dev/null & echo \$!")
			until [ "$(cat /proc/$pid/comm)" = sleep ]; do sleep 0.1; done; ps -o ppid,comm | grep sleep
			kill $pid; until [ ! -e /proc/$pid ]; do sleep 0.1; done; ps -o stat | grep -c Z || :'
	same "PID 1, the parent of the orphan, and zombies" "pause 1 sleep 0" "$(xargs <<<"$output")"
	run -137 timeout 100 "$LABS/$program" "$manifest" -- sh -c 'kill -TERM 1; sleep 50'
}

@test "17-pod: its groups lie where the kubelet puts them, with the values of Kubernetes' formulas" {
	needs_lab "$program"
	lab_at "the Pod: memory.max, the sum" "$LABS/$program"
	local server visitor mem
	server=$(container_of httpd) visitor=$(container_of sh)
	group=$(group_of "$server")
	# check: server: its Pod is in
	[[ $group =~ /lab17-[0-9]+/kubepods\.slice/kubepods-burstable\.slice/kubepods-burstable-pod[0-9a-f_]{36}\.slice/cri-containerd-[0-9a-f]{64}\.scope$ ]]
	# check: server: cpu.weight, requests.cpu
	same "the server's cpu.weight" $((1 + (250 * 1024 / 1000 - 2) * 9999 / 262142)) "$(value "$group/cpu.weight")"
	same "the visitor's" $((1 + (100 * 1024 / 1000 - 2) * 9999 / 262142)) "$(value "$(group_of "$visitor")/cpu.weight")"
	# check: server: cpu.max, limits.cpu
	same "the server's cpu.max" "50000 100000" "$(value "$group/cpu.max")"
	# check: server: memory.max, limits.memory
	same "its memory.max, oom.group, swap.max" "$((64 << 20)) 1 0" \
		"$(value "$group/memory.max") $(value "$group/memory.oom.group") $(value "$group/memory.swap.max")"
	# check: server: oom_score_adj, its class
	mem=$(($(awk '/^MemTotal/ { print $2 }' /proc/meminfo) * 1024))
	same "its oom_score_adj" $((1000 - 1000 * (32 << 20) / mem)) "$(cat "/proc/$server/oom_score_adj")"
	# check: the Pod: memory.max, the sum
	same "the Pod's group" "$((96 << 20)) 75000 100000" "$(value "${group%/*}/memory.max") $(value "${group%/*}/cpu.max")"
	same "what the server may do" "1000 1000 1000 1000 0000000000000000 1 2" "$(privileges_of "$server" Uid CapEff NoNewPrivs Seccomp)"
	same "what the visitor may do" "1000 1000 1000 1000 0 2" "$(privileges_of "$visitor" Uid NoNewPrivs Seccomp)"
}

@test "17-pod: an OOM kill is the container's alone; without pause all live on, until the loop makes a new sandbox" {
	needs_lab "$program"
	lab_at "visitor: localhost:8080 is server" "$LABS/$program"
	local server visitor net
	server=$(container_of httpd) visitor=$(container_of sh) net=$(ns_of "$(container_of httpd)" net)
	[ -n "$server" ]
	[ -n "$visitor" ]

	lab_go_until "the Pod's network is the same"
	# check: visitor: reason
	# check: visitor: 128 + SIGKILL
	# check: visitor: restarts
	# check: visitor: its PID is another
	differ "the visitor's PID" "$visitor" "$(container_of sh)"
	[ -n "$(container_of sh)" ]
	# check: server: its PID is the same
	same "the server's PID" "$server" "$(container_of httpd)"
	# check: the Pod's network is the same
	same "the Pod's network namespace" "$net" "$(ns_of "$(container_of sh)" net)"

	lab_go_until "the new sandbox: its network"
	# check: server: now its PID is another
	differ "the server's PID, after pause" "$server" "$(container_of httpd)"
	[ -n "$(container_of httpd)" ]
	same "the old server" gone "$(alive "$server" && echo runs || echo gone)"
	# check: init container build, pause 2: status
	# check: the new sandbox: its network
	differ "the Pod's network namespace, after pause" "$net" "$(ns_of "$(container_of httpd)" net)"
	lab_end
	same "the lab's status" 0 "$lab_status"

	# The kernel did the OOM kill: before pause's, no process sent a SIGKILL by kill(2) or a pidfd.
	traced_story
	# check: both containers run without it
	# check: in the same network namespace
	[ -n "$(caller_of '^[0-9]+ +kill\([0-9]+, SIGKILL\) += 0')" ]
	same "SIGKILLs by a process, before pause's" "" "$(sed '/kill([0-9]*, SIGKILL)/,$d' "$calls" |
		grep -E 'pidfd_send_signal\(.*SIGKILL' || :)"
}

# stalled: how long the Pod's containers have waited for memory at the most, in microseconds
stalled() {
	find /sys/fs/cgroup -path '*/lab17-*/cri-containerd-*/memory.pressure' -exec sed -n 's/^full.*total=//p' {} + 2>/dev/null | sort -n | tail -n 1
}

# How long such a program tries, and with what end, depends on the kernel, and on what others have read already.
@test "17-pod: a limit that leaves no room for the program is told by name, while it still tries" {
	needs_lab "$program"
	[ -e /proc/pressure/memory ] || skip "this kernel has no memory.pressure"
	local out=$BATS_TEST_TMPDIR/out lab waited=0 words='c: OOMKilled|memory\.pressure.*Raise limits\.memory'
	printf '%s\n' 'apiVersion: v1' 'kind: Pod' 'metadata: {name: small}' 'spec:' '  restartPolicy: Never' '  containers:' \
		'  - {name: c, image: busybox, command: ["true"], resources: {limits: {memory: 480Ki}}}' >"$manifest"
	"$ROOT/build/bin/supervise" "$LABS/$program" --plain "$manifest" >"$out" 2>&1 3>&- &
	lab=$!
	# The lab looks at 10 seconds at a time.
	while alive "$lab" && [ "$waited" -lt 25000000 ] && ! grep -qE "$words" "$out"; do
		waited=$(stalled)
		waited=${waited:-0}
		sleep 0.2
	done
	kill "$lab" 2>/dev/null || :
	wait "$lab" || :
	grep -E "$words" "$out" || { [ "$waited" -lt 25000000 ] && grep 'c: Completed' "$out"; } || { echo "waited $waited" && cat "$out" && return 1; }
}

@test "17-pod: each line of --explain is what happens, by strace of the Pod" {
	needs_lab "$program"
	"${explain[@]}" | all_of >"$BATS_TEST_TMPDIR/lines"
	traced_story
	matched=$(explained "$BATS_TEST_TMPDIR/lines" "$calls" 0)
	within "lines that are calls" 40 200 "$matched"
}

@test "17-pod: root of a Pod's user namespace needs no right to search the home in which image and hostPath are" {
	needs_lab "$program"
	open=$(mktemp -d /tmp/unboxed-17.XXXXXX)
	mkdir "$open/image" "$open/data"
	cp -a "$ROOT/build/rootfs/tree/." "$open/image"
	echo hello >"$open/data/file"
	chmod 755 "$open/image" "$open/data"
	chown -R 4321:4321 "$open" # mode 0700
	same "control: cat by another id" refused "$(setpriv --reuid=1879048192 --clear-groups cat "$open/data/file" 2>/dev/null || echo refused)"
	printf '%s\n' 'apiVersion: v1' 'kind: Pod' 'metadata: {name: users}' 'spec:' '  hostUsers: false' '  restartPolicy: Never' \
		'  containers:' '  - {name: own, image: mine, command: [sh, -c, "cat /d/file /one; cat /proc/self/uid_map"],' \
		'     volumeMounts: [{name: d, mountPath: /d}, {name: one, mountPath: /one}]}' '  volumes:' \
		"  - {name: d, hostPath: {path: $open/data}}" "  - {name: one, hostPath: {path: $open/data/file, type: File}}" >"$manifest"
	run -0 --separate-stderr timeout 100 "$LABS/$program" --image mine="$open/image" --plain "$manifest"
	same "what it read, twice, and how many ids it has" "hello hello 65536" \
		"$(grep -E '^hello|^ +0 +[0-9]+ ' <<<"$output" | awk '{ print $NF }' | xargs)"
	# What --explain says of the two is what happened.
	[[ $output = *"lowerdir="*"/images/own"* ]]
	run -0 "${explain[@]}" --image mine="$open/image" "$manifest"
	[[ $output = *"lowerdir=...images/own"*"open_tree(...volumes/d"* ]]
}

@test "17-pod: a manifest of one's own runs: OOMKilled, back-off, restarts; and a COMMAND in its first place" {
	needs_lab "$program"
	printf '%s\n' 'apiVersion: v1' 'kind: Pod' 'metadata: {name: oom}' 'spec:' '  containers:' \
		'  - {name: greedy, image: busybox, command: [eat, 64M], resources: {limits: {memory: 32Mi}}}' \
		'  - {name: neighbour, image: busybox, command: [sleep, "100"]}' >"$manifest"
	run -0 --separate-stderr timeout 100 strace -f -qq -e trace=poll,?ppoll_time64,?ppoll -o "$BATS_TEST_TMPDIR/calls" "$LABS/$program" --plain --restarts 3 "$manifest"
	same "ends that were told" "0; again at once 1; back-off 2; back-off 3; back-off" \
		"$(sed -n 's/.*greedy: OOMKilled, status 137, restarts //p' <<<"$output" | xargs)"
	# It waits for a tenth of a second, a hundredth of Kubernetes' ten, before the second restart, and then for two.
	same "the longest that it waits before it restarts, tenths" "1 2" \
		"$(grep -oE '(, [0-9]+\)|tv_nsec=[0-9]+).* = 0 \(Timeout\)' "$BATS_TEST_TMPDIR/calls" | sed -E 's/^(, |tv_nsec=)([0-9]+).*/\2/' |
			awk '{ ms = $1 > 100000 ? $1 / 1e6 : $1 } ms > 0 && ms <= 1000 { print int((ms + 99) / 100) }' | sort -nu | xargs)"
	same "ends of the neighbour" 0 "$(grep -cE 'neighbour: (OOMKilled|Error|Completed)' <<<"$output")"
	sed -i 's/command: \[eat, 64M\]/command: [sh, -c, exit 3]/; s/^spec:/spec:\n  restartPolicy: Never/; /neighbour/d' "$manifest"
	run -0 --separate-stderr timeout 100 "$LABS/$program" --plain "$manifest"
	[[ $output == *"greedy: Error, status 3, restarts 0"* && $output != *"restarts 0; "* ]]
	# A container's own counts more than the Pod's.
	sed -i '/restartPolicy/d; s/name: greedy,/&  restartPolicy: Never,/' "$manifest"
	run -0 --separate-stderr timeout 100 "$LABS/$program" --plain "$manifest"
	same "ends, of a container with a policy" "greedy: Error, status 3, restarts 0" "$(grep -o 'greedy: Error.*' <<<"$output")"
	run -7 --separate-stderr timeout 100 "$LABS/$program" "$manifest" -- sh -c 'hostname; exit 7'
	same "hostname of COMMAND" oom "$output"
}

@test "17-pod: what a manifest mounts at /dev/shm and /etc/hosts is there, and a folder hides nothing below it" {
	needs_lab "$program"
	printf '%s\n' 'apiVersion: v1' 'kind: Pod' 'metadata: {name: p}' 'spec:' \
		'  volumes: [{name: shm, emptyDir: {medium: Memory, sizeLimit: 1Mi}}, {name: map, configMap: {name: map}},' \
		'    {name: above, emptyDir: {}}, {name: hosts, hostPath: {path: '"$BATS_TEST_TMPDIR/hosts"'}}]' '  containers:' \
		'  - {name: a, image: busybox, volumeMounts: [{name: map, mountPath: /a/b/map}, {name: above, mountPath: /a/},' \
		'      {name: shm, mountPath: /dev/shm}, {name: hosts, mountPath: /etc/hosts}]}' \
		'  - {name: b, image: busybox}' \
		--- 'apiVersion: v1' 'kind: ConfigMap' 'metadata: {name: map}' 'data: {file: below}' >"$manifest"
	echo mine >"$BATS_TEST_TMPDIR/hosts"
	run -0 --separate-stderr timeout 100 "$LABS/$program" "$manifest" -- \
		sh -c 'cat /etc/hosts /a/b/map/file; echo; df -k /dev/shm | tail -n 1 | xargs | cut -d" " -f 2'
	same "its hosts, what is below, KiB of its shm" "mine below 1024" "$(xargs <<<"$output")"
}

@test "17-pod: images and hostPaths below /mnt are seen, also /mnt itself" {
	needs_lab "$program"
	[[ $ROOT/ != /mnt/* ]] || return 0 # each test is one of that
	printf '%s\n' 'apiVersion: v1' 'kind: Pod' 'metadata: {name: p}' 'spec:' \
		'  volumes: [{name: v, hostPath: {path: /mnt}}]' '  containers:' \
		'  - {name: a, image: web, volumeMounts: [{name: v, mountPath: /v}]}' >"$manifest"
	# Another /mnt than the machine's, in a mount table of this test's own.
	# shellcheck disable=SC2016 # that shell expands it
	run -0 --separate-stderr unshare --mount sh -c 'mount -t tmpfs mnt /mnt && mkdir /mnt/img && cp -R "$1/." /mnt/img && echo mine >/mnt/file &&
		echo image >/mnt/img/name && exec timeout 100 "$2" --image web=/mnt/img "$3" -- cat /v/file /name' \
		sh "$ROOT/build/rootfs/tree" "$LABS/$program" "$manifest"
	same "the files of both" "mine image" "$(xargs <<<"$output")"
}

@test "17-pod: privileged: no filter, no masks, all devices, and /proc/sys and /sys to write to" {
	needs_lab "$program"
	# shellcheck disable=SC2016 # its shell expands it
	local is=(sh -c 'grep -cE " /(proc|sys/(firm|dev))[^ ]+ " /proc/self/mountinfo
		{ echo p >/proc/sys/kernel/hostname; mkdir /sys/fs/cgroup/x; touch /sys/kernel/x; } 2>&1 | grep -c Read-only
		grep Seccomp: /proc/self/status; mknod /ram b 1 15 && head -c 0 /ram 2>&1 | grep -c permitted; :')
	pod 'securityContext: {privileged: true, seccompProfile: {type: RuntimeDefault}}'
	run -0 --separate-stderr timeout 100 "$LABS/$program" "$manifest" -- "${is[@]}"
	same "masks, to be read only, filter, devices refused" "0 0 Seccomp: 0 0" "$(xargs <<<"$output")"
	sed -i 's/privileged: true, //' "$manifest"
	run -0 --separate-stderr timeout 100 "$LABS/$program" "$manifest" -- "${is[@]}"
	[[ $(xargs <<<"$output") =~ ^[1-9][0-9]*\ 3\ Seccomp:\ 2\ 1$ ]]
}

@test "17-pod: capabilities as containerd has them, a user as the image has it, and of two variables the last" {
	needs_lab "$program"
	bounding() {
		pod "securityContext: $1"
		run -0 --separate-stderr timeout 100 "$LABS/$program" "$manifest" -- sed -n 's/^CapBnd:\t0*//p' /proc/self/status
	}
	local all
	bounding '{privileged: true, capabilities: {drop: [ALL]}}'
	all=$((0x$output))
	within "capabilities of a privileged one, beyond those of Linux 5.8" $(((1 << 40) - 1)) $(((1 << 60) - 1)) "$all"
	bounding '{capabilities: {add: [ALL], drop: [NET_RAW]}}'
	same "ALL but NET_RAW, 13" $((all & ~(1 << 13))) $((0x$output))
	bounding '{capabilities: {add: [NET_RAW, SYS_TIME], drop: [NET_RAW, ALL]}}'
	same "none but SYS_TIME, 25" $((1 << 25)) $((0x$output))
	bounding '{capabilities: {add: [CAP_SYS_TIME, NETADMIN]}}'
	same "the default" a80425fb "$output"
	[[ $stderr == *"capabilities: no runtime knows CAP_CAP_SYS_TIME"*"no runtime knows CAP_NETADMIN"* ]] || { echo "$stderr" && return 1; }
	pod 'securityContext: {runAsUser: 1000}' 'env: [{name: PATH, value: /opt:/bin}, {name: A, value: one}, {name: A, value: two}]'
	# shellcheck disable=SC2016 # its shell expands it
	run -0 --separate-stderr timeout 100 "$LABS/$program" "$manifest" -- sh -c 'id -g; echo $HOME $PATH $A; env | grep -cE "^(PATH|A)="'
	same "group, home, PATH, A, variables" "1000 /home/student /opt:/bin two 2" "$(xargs <<<"$output")"
	sed -i 's/runAsUser: 1000/&, runAsGroup: 7/; s/name: PATH/name: HOME/' "$manifest"
	run -0 --separate-stderr timeout 100 "$LABS/$program" "$manifest" -- sh -c 'id -g; echo $HOME'
	same "as it says" "7 /opt:/bin" "$(xargs <<<"$output")"
}

@test "17-pod: an init container that fails is tried again, and all of them run in a new sandbox" {
	needs_lab "$program"
	local out=$BATS_TEST_TMPDIR/out lab pause tries
	printf '%s\n' 'apiVersion: v1' 'kind: Pod' 'metadata: {name: p}' 'spec:' '  volumes: [{name: v, emptyDir: {}}]' '  initContainers:' \
		'  - {name: i, image: busybox, command: [sh, -c, "echo x >>/v/runs; test $(wc -l </v/runs) -gt 1"], volumeMounts: [{name: v, mountPath: /v}]}' \
		'  containers:' '  - {name: a, image: busybox, command: [sh, -c, "echo runs: $(wc -l </v/runs); exec sleep 1000"], volumeMounts: [{name: v, mountPath: /v}]}' >"$manifest"
	"$LABS/$program" --plain "$manifest" >"$out" 2>&1 3>&- &
	lab=$!
	for ((tries = 300; tries > 0; tries--)); do ! grep -q 'runs: 2' "$out" || break && sleep 0.1; done
	pause=$(for pid in $(below "$lab"); do [ "$(cat "/proc/$pid/comm")" != pause ] || echo "$pid"; done)
	kill -KILL "$pause"
	for ((tries = 300; tries > 0; tries--)); do ! grep -q 'runs: 3' "$out" || break && sleep 0.1; done
	kill "$lab"
	wait "$lab" || :
	same "its failures, then its runs in both sandboxes" "i: Error, status 1, restarts 0; again at once runs: 2 runs: 3" \
		"$(grep -oE 'i: Error.*|runs: .*' "$out" | xargs)"
}

# pod_of LINE...: a Pod that is not restarted, with these lines of its spec.
pod_of() {
	printf '%s\n' 'apiVersion: v1' 'kind: Pod' 'metadata: {name: p}' 'spec:' '  restartPolicy: Never' "${@/#/  }" >"$manifest"
}

@test "17-pod: a sidecar is started in its order, not waited for, begun again, and ended last, in the reverse order" {
	needs_lab "$program"
	# shellcheck disable=SC2016 # its shell expands it
	local side='[sh, -c, "trap \"echo $0 ends; exit 0\" TERM; echo $0 >>/v/log; echo $0; while sleep 0.1; do :; done"'
	pod_of 'terminationGracePeriodSeconds: 3000' 'volumes: [{name: v, emptyDir: {}}]' 'initContainers:' \
		"- {name: a, image: busybox, restartPolicy: Always, command: $side, A], volumeMounts: &v [{name: v, mountPath: /v}]}" \
		'- {name: i, image: busybox, volumeMounts: *v, command: [sh, -c, "until grep A /v/log; do sleep 0.1; done; echo I >>/v/log"]}' \
		"- {name: b, image: busybox, restartPolicy: Always, command: $side, B], volumeMounts: *v}" \
		'- {name: c, image: busybox, restartPolicy: Always, command: [sh, -c, "until grep -q B /v/log; do sleep 0.1; done; echo C >>/v/log; test $(grep -c C /v/log) -lt 2 || exec sleep 1000"], volumeMounts: *v}' \
		'containers:' '- {name: m, image: busybox, volumeMounts: *v, command: [sh, -c, "until [ $(grep -c C /v/log) = 2 ]; do sleep 0.1; done; cat /v/log; echo M"]}'
	run -0 --separate-stderr timeout 100 "$LABS/$program" --plain "$manifest"
	same "what they write" "A A I B C C M B ends A ends" \
		"$(grep -xE '[ABCIM]|[AB] ends' <<<"$output" | awk '$0 == "A" && a++ < 1 { next } $0 == "B" && b++ < 1 { next } { print }' | xargs)"
	[[ $output == *"m: Completed, status 0, restarts 0"*"a: Completed, status 0, restarts 0"*"c: Error, status 137, restarts 1"* ]]
}

@test "17-pod: an init container takes as long as it takes" {
	needs_lab "$program"
	pod_of 'initContainers: [{name: i, image: busybox, command: [sleep, "27"]}]' \
		'containers: [{name: c, image: busybox, command: [echo, after it]}]'
	run -0 --separate-stderr timeout 150 "$LABS/$program" --plain "$manifest"
	[[ $output == *"after it"* ]]
}

@test "17-pod: what the manifest has wrong is a failed check with the kubelet's reason, never broken" {
	needs_lab "$program"
	local told
	while IFS='|' read -r reason lines; do
		mapfile -t lines < <(tr '@' '\n' <<<"$lines")
		# Pages of pointers half as long: there 200 KiB are enough for the container's init.
		[[ $HOSTTYPE != i?86 ]] || lines=("${lines[@]/memory: 200Ki/memory: 160Ki}")
		pod_of "${lines[@]}"
		# 1 is fail, 3 broken. The reason is the kubelet's word for it.
		run -1 --separate-stderr timeout 100 "$LABS/$program" --plain --format=jsonl "$manifest" </dev/null
		told=$(jq -r '.[] | strings' <<<"$output")
		grep -qF -e "$reason" <<<"$told" ||
			{ printf 'expected %s, got %s\n' "$reason" "$told" && return 1; }
	done <<-'END'
		StartError: exec: "nosuch": executable file not found|containers: [{name: c, image: busybox, command: [nosuch]}]
		StartError: container init was OOM-killed|containers: [{name: c, image: busybox, resources: {limits: {memory: 200Ki}}}]
		FailedCreatePodSandBox: |containers: [{name: c, image: busybox, resources: {limits: {memory: 400m}}}]
		CreateContainerConfigError: |securityContext: {runAsNonRoot: true}@containers: [{name: c, image: busybox}]
		FailedMount: configmap "none" not found|containers: [{name: c, image: busybox}]@volumes: [{name: v, configMap: {name: none}}]
		FailedMount: unknown storage medium "Disk"|containers: [{name: c, image: busybox}]@volumes: [{name: v, emptyDir: {medium: Disk}}]
		FailedMount: hostPath type check failed: /etc/passwd is not a directory|containers: [{name: c, image: busybox}]@volumes: [{name: v, hostPath: {path: /etc/passwd, type: Directory}}]
		FailedMount: hostPath type check failed: /no/such does not exist|containers: [{name: c, image: busybox}]@volumes: [{name: v, hostPath: {path: /no/such, type: Socket}}]
		FailedMount: hostPath type check failed: data is no absolute path|containers: [{name: c, image: busybox}]@volumes: [{name: v, hostPath: {path: data}}]
	END
	# In the place of COMMAND, too: the status says that COMMAND has not run, the word whose fault it is.
	while IFS='|' read -r reason lines; do
		mapfile -t lines < <(tr '@' '\n' <<<"$lines")
		pod_of "${lines[@]}"
		run -125 --separate-stderr timeout 100 "$LABS/$program" "$manifest" -- echo it ran
		[[ $stderr = *"17-pod: fail: "*"$reason"* && $stderr != *broken* && $output != *"it ran"* ]] || { echo "$reason: $stderr" && return 1; }
	done <<-'END'
		FailedCreatePodSandBox: |containers: [{name: c, image: busybox, resources: {limits: {memory: 400m}}}]
		CreateContainerConfigError: |securityContext: {runAsNonRoot: true}@containers: [{name: c, image: busybox}]
		FailedMount: configmap "none" not found|containers: [{name: c, image: busybox}]@volumes: [{name: v, configMap: {name: none}}]
		init container i: status: 1|initContainers: [{name: i, image: busybox, command: ["false"]}]@containers: [{name: c, image: busybox}]
	END
	pod_of 'containers: [{name: c, image: busybox, command: [nosuch]}]'
	run -1 --separate-stderr timeout 100 "$LABS/$program" --plain "$manifest"
	[[ $output == *"c: StartError, status 128, restarts 0"* ]]
}

@test "17-pod: an absent hostPath is made as its type says, and a mountPath may be relative" {
	needs_lab "$program"
	local made=$BATS_TEST_TMPDIR/made
	pod_of 'containers: [{name: c, image: busybox, command: [sh, -c, "ls -d /one /in/two; cat /three && echo four"], volumeMounts: [' \
		'  {name: a, mountPath: one}, {name: b, mountPath: in/two}, {name: c, mountPath: /in/../three}]}]' \
		"volumes: [{name: a, hostPath: {path: $made/a/b}}, {name: b, hostPath: {path: $made/c, type: DirectoryOrCreate}}," \
		"  {name: c, hostPath: {path: $made/a/file, type: FileOrCreate}}]"
	run -0 --separate-stderr timeout 100 "$LABS/$program" --plain "$manifest"
	same "what it sees" "/in/two /one four" "$(grep -xE '/in/two|/one|four' <<<"$output" | xargs)"
	same "modes of what was made" "755 755 755 644" "$(stat -c %a "$made" "$made/a/b" "$made/c" "$made/a/file" | xargs)"
}

@test "17-pod: a request above the machine is told to wait on a node, and what is left out is a warning, once" {
	needs_lab "$program"
	pod_of 'containers: [{name: c, image: busybox, command: ["true"], tty: true, resources: {requests: {memory: 1Ti}, limits: {cpu: 1000}}}]'
	# From a file that can be written to, it executes itself once more.
	mkdir "$BATS_TEST_TMPDIR/labs" && cp "$LABS/$program" "$BATS_TEST_TMPDIR/labs" && ln -s "$LABS/../rootfs" "$BATS_TEST_TMPDIR"
	run -0 --separate-stderr timeout 100 "$BATS_TEST_TMPDIR/labs/$program" --plain "$manifest"
	same "warnings" 3 "$(grep -c warning: <<<"$stderr")"
	[[ $stderr == *"spec.containers[].tty: "*"Pending (Insufficient cpu)"*"Pending (Insufficient memory)"* ]]
	[[ $output == *"c: Completed, status 0, restarts 0"* ]]
}

@test "17-pod: hands-on the terminal's keys reach COMMAND, which is in a session of its own" {
	needs_lab "$program"
	local key pid tries
	printf '%s\n' 'apiVersion: v1' 'kind: Pod' 'metadata: {name: p}' 'spec:' '  shareProcessNamespace: true' '  containers:' \
		'  - {name: c, image: busybox}' >"$manifest"
	for key in INT QUIT; do
		# A terminal sends it to its foreground process group, and the lab with all that it has started begins there.
		# shellcheck disable=SC2016 # its shell expands it
		env --default-signal=INT,QUIT setsid "$LABS/$program" "$manifest" -- sh -c 'trap "exit 8" INT; trap "exit 9" QUIT
			echo ready; for i in $(seq 300); do sleep 0.1; done' >"$BATS_TEST_TMPDIR/$key" 2>/dev/null 3>&- &
		pid=$!
		for ((tries = 300; tries > 0; tries--)); do
			! grep -q ready "$BATS_TEST_TMPDIR/$key" || break
			sleep 0.1
		done
		kill -s $key -- -$pid
		wait $pid || echo $?
	done >"$BATS_TEST_TMPDIR/statuses"
	same "statuses after SIGINT and SIGQUIT" "8 9" "$(xargs <"$BATS_TEST_TMPDIR/statuses")"
}

@test "17-pod: \$(NAME) becomes the container's variable, in the program and in explain; what grows without end is refused" {
	# Of several lines it is one word, and so is what an error quotes.
	pod 'env: [{name: A, value: "a\nb\e[7m"}]'
	run -0 --separate-stderr "${explain[@]}" "$manifest"
	[[ $output == *'-> execve(..."A=a\u000ab\u001b[7m"...)'* ]]
	pod 'args: "a\nb\e[7m"'
	run -2 --separate-stderr "${explain[@]}" "$manifest"
	[[ $stderr == *"expected a list, got 'a b [7m'" ]]
	printf '%s\n' 'apiVersion: v1' 'kind: Pod' 'metadata: {name: p}' 'spec:' '  restartPolicy: Never' '  containers:' \
		'  - {name: a, image: busybox, env: [{name: PORT, value: "80"}, {name: URL, value: "http://$(HOST):$(PORT)"}],' \
		'     command: [sh, -c], args: ["test \"${#URL} $0\" = \"17 80\" && exit $$(echo 7)", $(PORT)]}' >"$manifest"
	run -0 --separate-stderr "$LABS/$program" --explain "$manifest"
	[[ ${output//[$'\n' ]/} == *'"80"]'* && ${output//[$'\n' ]/} == *'URL=http://$(HOST):80'* ]]
	{ printf '%s\n' 'apiVersion: v1' 'kind: Pod' 'metadata: {name: p}' 'spec:' '  containers:' '  - name: a' \
		'    image: busybox' '    env:' '    - {name: V0, value: "0123456789"}'
	for ((i = 0; i < 20; i++)); do echo "    - {name: V$((i + 1)), value: \$(V$i)\$(V$i)}"; done; } >"$manifest.laughs"
	run -2 --separate-stderr "$LABS/$program" --explain "$manifest.laughs"
	[[ $stderr == *":6:"*"expected \$() that become at most 128 KiB"* ]]
	needs_lab "$program"
	run -0 --separate-stderr timeout 100 "$LABS/$program" --plain "$manifest"
	[[ $output == *"a: Error, status 7, restarts 0"* ]]
}

# pod LINE...: a Pod of one container, with these lines of the container's from line 8 on.
pod() {
	printf '%s\n' 'apiVersion: v1' 'kind: Pod' 'metadata: {name: p}' 'spec:' '  containers:' \
		'  - name: a' '    image: busybox' "${@/#/    }" >"$manifest"
}

# becomes TEXT WHAT...: the line with TEXT stands beside WHAT, over one line or several.
becomes() {
	local text=$1 what
	shift
	for what; do
		awk -v text="$text" '
			index($0, text) == 1 { on = 1; sub(/^.*-> /, ""); print; next }
			on && substr($0, 1, 36) !~ /[^ ]/ { sub(/^ +(-> )?/, ""); print; next }
			{ on = 0 }' <<<"$output" | xargs -d '\n' | grep -qF -- "$what" && continue
		printf '%s: expected %s in\n%s\n' "$text" "$what" "$output"
		return 1
	done
}

@test "17-pod: explain needs no privilege, tells each line in its order and fits the screen" {
	host_only "the manifests are with the sources"
	local file as=()
	# Root becomes nobody, who may not come by the folder of the clone.
	open=$(mktemp -d /tmp/unboxed-17.XXXXXX)
	chmod 755 "$open"
	cp "$ROOT/build/labs/$program" "$ROOT/labs/$program"/*.yaml "$open"
	[ "$EUID" != 0 ] || as=(setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs)
	for file in "$open"/*.yaml; do
		run -0 --separate-stderr "${as[@]}" "$open/$program" --explain "$file"
		[ -z "$stderr" ]
		awk 'length > 80 { print FILENAME ": " $0; bad = 1 } END { exit bad }' "$file"
		# shellcheck disable=SC2154 # run sets it
		awk 'length > 80 { print; bad = 1 } END { exit bad }' <<<"$output"
		diff <(sed '/^ \{36\}/d; s/ *-> .*//; /^# What no line says/,$d; s/ *$//' <<<"$output" | sed '$d') "$file"
	done
}

@test "17-pod: without a manifest it is the example, which is in the program" {
	run -0 "${explain[@]}"
	becomes 'metadata:'
	if ! in_vm; then
		diff <("${explain[@]}" "$ROOT/labs/$program/pod.yaml") <("${explain[@]}")
	fi
}

@test "17-pod: explain says the values of Kubernetes' formulas" {
	local mem score
	pod 'resources:' '  requests:' '    cpu: 250m' '    memory: 64Mi' '  limits:' '    cpu: 1500m' '    memory: 0.5Gi'
	run -0 "${explain[@]}" "$manifest"
	mem=$(($(awk '/^MemTotal/ { print $2 }' /proc/meminfo) * 1024))
	score=$((1000 - 1000 * (64 << 20) / mem))
	[ "$score" -lt 1000 ] || score=999
	becomes '        cpu: 250m' "cpu.weight <- $((1 + (250 * 1024 / 1000 - 2) * 9999 / 262142)) "
	becomes '        cpu: 1500m' 'cpu.max <- 150000 100000'
	becomes '        memory: 64Mi' "oom_score_adj <- $score"
	becomes '        memory: 0.5Gi' "memory.max <- $((1 << 29))"
	becomes "the Pod's group" 'cpu.max <- 150000 100000' "memory.max <- $((1 << 29))"
	becomes 'QoS class Burstable' 'mkdir(...burstable-pod....slice...)'

	run -0 "${explain[@]}" --pod-pids-limit 64 "$manifest"
	becomes "the Pod's group" 'pids.max <- 64'
}

@test "17-pod: explain names the call of each field, and what is nothing" {
	pod 'command: [sh, -c, exit 3]' 'workingDir: /tmp' 'ports: [{containerPort: 80}]' 'securityContext:' \
		'  runAsUser: 7' '  allowPrivilegeEscalation: false' '  readOnlyRootFilesystem: true' \
		'livenessProbe: {}' 'volumeMounts:' '- name: v' '  mountPath: /v' '  readOnly: true'
	printf '%s\n' '  hostname: web' '  shareProcessNamespace: true' '  volumes:' '  - name: v' '    hostPath: {path: /srv}' '  - name: w' '    hostPath:' \
		'      path: /srv' '      type: DirectoryOrCreate' '  - name: x' '    emptyDir: {}' >>"$manifest"
	run -0 --separate-stderr "${explain[@]}" "$manifest"
	becomes '  hostname:' 'sethostname("web", 3)'
	becomes 'metadata:' 'nothing: Kubernetes only'
	becomes '  shareProcessNamespace:' 'setns(...CLONE_NEWPID...)'
	becomes '    command:' 'execve(...["sh", "-c", "exit 3"]...)'
	becomes '    workingDir:' 'openat2(..."/tmp"...)'
	becomes '    ports:' 'nothing: Kubernetes only'
	becomes '      runAsUser:' 'setresuid(7, 7, 7)'
	becomes '      allowPrivilegeEscalation:' 'prctl(PR_SET_NO_NEW_PRIVS, 1...)'
	becomes '      readOnlyRootFilesystem:' 'mount(NULL, ".", NULL, MS_RDONLY|MS_REMOUNT|MS_BIND, NULL)'
	becomes '    - name:' 'open_tree(..."/srv"...)'
	becomes '      mountPath:' 'openat2(..."/v"...)'
	becomes '      readOnly:' 'mount_setattr(...MOUNT_ATTR_RDONLY...)'
	becomes '    livenessProbe:' 'setns(), execve() or connect(), and kill(); left out here'
	becomes '    emptyDir:' 'mkdir("volumes/x", 0777) (memory too: here is no disk)'
	becomes '      type:' 'mkdir(..., 0755), if it is not there'
	[ -z "$stderr" ]
}

@test "17-pod: explain says of a field what it becomes beside the others" {
	pod 'tty: false' 'stdin: false' 'command: []' 'args: ["-u=$(URL)"]' 'env:' '- name: PW' '  valueFrom: {secretKeyRef: {name: s, key: k}}' \
		'- name: URL' '  value: "a:$(PW)@b"' '- name: SHA' '  value: 0b1a2c3' '- {name: ONE, value: &v "1"}' '- {name: TWO, value: &v "2"}' '- {name: THREE, value: *v}' \
		'securityContext:' '  privileged: true' '  procMount: Default' '  seccompProfile: {type: RuntimeDefault}' '  capabilities: {drop: [ALL]}'
	printf '%s\n' '  - name: b' '    image: nginx' '    command: []' '    args: [-q]' '    securityContext: {runAsUser: 7, capabilities: {add: [NET_RAW]}}' \
		'  terminationGracePeriodSeconds: 0' '  priorityClassName: system-node-critical' '  hostNetwork: true' '  enableServiceLinks: false' \
		'  setHostnameAsFQDN: false' '  volumes:' '  - name: v' '    emptyDir:' '      medium: memory' >>"$manifest"
	run -0 --separate-stderr "${explain[@]}" "$manifest"
	local field
	for field in '    tty' '    stdin' '    command' '      procMount' '  enableServiceLinks' '  setHostnameAsFQDN'; do becomes "$field:" 'nothing: Kubernetes only'; done
	becomes '    args: ["' 'execve(...["-u=a:$(PW)@b"]...)'
	becomes '      valueFrom:' 'left out here, $(NAME) stays'
	becomes '    - name: SHA' 'execve(..."SHA=0b1a2c3"...)'
	becomes '    - {name: THREE' 'execve(..."THREE=2"...)'
	becomes '      seccompProfile:' 'nothing: a privileged one has no filter'
	becomes '      capabilities:' 'nothing: a privileged one has all'
	becomes '    image: nginx' "execve() of its ENTRYPOINT"
	becomes '    securityContext: {run' 'nothing: a user other than root has none'
	sed 's/runAsUser: 7, capabilities: {add: \[NET_RAW/capabilities: {add: [CAP_NET_RAW/' "$manifest" >"$manifest.cap"
	run -0 --separate-stderr "${explain[@]}" "$manifest.cap"
	becomes '    securityContext: {cap' 'nothing: no runtime knows CAP_CAP_NET_RAW'
	becomes '  terminationGracePeriodSeconds:' 'SIGKILL after 2 s'
	becomes '  priorityClassName:' 'oom_score_adj <- -997'
	becomes '  hostNetwork:' 'no CLONE_NEWNET, no CLONE_NEWUTS'
	becomes '      medium:' 'FailedMount: unknown storage medium'
	becomes "b's group" 'oom_score_adj <- -997'
	# A template's hostname is that of each Pod.
	printf '%s\n' 'apiVersion: apps/v1' 'kind: Deployment' 'metadata: {name: shop}' 'spec: {template: {spec: {hostname: db, containers: [{name: a, image: redis}]}}}' >"$manifest"
	run -0 --separate-stderr "${explain[@]}" "$manifest"
	[[ $output == *'sethostname("db", 2)'* && $output != *shop-* ]]
	sed -i 's/^spec: .*/spec: {replicas: 2}/' "$manifest"
	run -2 "${explain[@]}" "$manifest"
	same "without a template" "$manifest:1:1: expected a Pod, and there is none; kind 'Deployment' has no template" "$output"
	printf '%s\n' 'apiVersion: v1' 'kind: pod' 'metadata: {name: p}' >"$manifest"
	run -2 "${explain[@]}" "$manifest"
	same "another kind" "$manifest:2:7: expected a Pod, and there is none; kind 'pod' is not read" "$output"
}

@test "17-pod: explain opens no image, and reads lists, templates, several Pods and a byte order mark" {
	printf '\xef\xbb\xbf%s\n' 'apiVersion: apps/v1' >"$manifest"
	printf '%s\n' 'kind: Deployment' 'metadata: {name: shop}' 'spec:' '  replicas: 3' '  template:' '    spec:' '      containers:' \
		'      - name: a' '        image: nginx:1.27' '        args: [-q]' '        resources: {limits: {cpu: 500m, example.com/gpu: 2}}' \
		--- 'apiVersion: v1' 'kind: List' 'items:' '- {apiVersion: v1, kind: Service, metadata: {name: s}}' \
		'- apiVersion: v1' '  kind: Pod' '  metadata: {generateName: one-}' '  spec:' '    containers:' '    - name: b' '      image: redis' \
		'      env: [{name: P, value: !!str 8080}]' '      envFrom: [{secretRef: {name: s}}]' '      livenessProbe:' '        httpGet: {port: 80}' >>"$manifest"
	run -0 --separate-stderr "${explain[@]}" "$manifest"
	[ -z "$stderr" ]
	becomes '        image: nginx' 'mount(...lowerdir=...its layers...)'
	becomes '        args:' "words of the execve() of its image's ENTRYPOINT"
	becomes '        resources:' 'cpu.max <- 50000 100000' "nothing here: a device plugin's"
	becomes '      env:' 'execve(..."P=8080"...)'
	becomes '      envFrom:' 'execve(): a variable for each key; left out here' "a Secret's keys, which the kubelet asks the API server for"
	becomes '        httpGet:' 'connect() by the kubelet: 200 to 399 is well'
	becomes '  replicas:' 'nothing: the controller makes so many Pods'
	becomes 'each Pod of Deployment shop' 'sethostname("shop-..."...)'
	becomes '  metadata: {generateName' 'sethostname("one-xxxxx", 9)'
	[[ $output == *"# What no line says, of shop"*"# What no line says, of one-xxxxx"* ]]
	run -0 --separate-stderr "${explain[@]}" --pod one-xxxxx "$manifest"
	becomes '      image: redis' 'mount(...lowerdir=...its layers...)'
	[[ $output != *"each Pod of"* ]]
	same "images of that Pod" 1 "$(grep -c 'its layers' <<<"$output")"
	run -2 --separate-stderr "${explain[@]}" --pod two "$manifest"
	[[ $stderr == "$manifest:7:5: expected a Pod named 'two', and the first one is 'shop'" ]]
}

@test "17-pod: a field that Kubernetes has not is an error with its place; with --validate=warn a warning" {
	pod 'readinessProbe: {exec: {comand: [sh]}}'
	run -2 --separate-stderr "${explain[@]}" "$manifest"
	[[ $stderr == "$manifest:8:29: spec.containers[].readinessProbe.exec.comand: unknown field, "* ]]
	run -0 --separate-stderr "${explain[@]}" --validate=warn "$manifest"
	[[ $stderr == "$manifest:8:29: warning: spec.containers[].readinessProbe.exec.comand: unknown field, "* ]]
}

@test "17-pod: of a long name the hostname is 63 characters, without a '-' at its end" {
	local letters=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
	pod
	sed -i "s/name: p}/name: $letters-b.c}/" "$manifest"
	run -0 "${explain[@]}" "$manifest"
	[[ $output == *"-> sethostname(\"$letters\","* ]]
	needs_lab "$program"
	# shellcheck disable=SC2016 # its shell expands it
	run -0 --separate-stderr timeout 100 "$LABS/$program" "$manifest" -- sh -c 'hostname; echo $HOSTNAME'
	same "hostname and variable" "$letters $letters" "$(xargs <<<"$output")"
}

@test "17-pod: an image that is not busybox needs its folder" {
	pod
	sed -i 's/image: busybox/image: nginx:1/' "$manifest"
	run -2 --separate-stderr "$LABS/$program" "$manifest"
	[[ $stderr == "$manifest:7:5: image 'nginx:1': ErrImagePull: "*"--image nginx=DIR" ]]
	mkdir "$BATS_TEST_TMPDIR/nginx"
	run -0 "${explain[@]}" --image "nginx=$BATS_TEST_TMPDIR/nginx" "$manifest"
	[[ $output == *"lowerdir=...$BATS_TEST_TMPDIR/nginx..."* ]]
	run -2 "${explain[@]}" --image nginx "$manifest"
	[[ $output == *"expected NAME=DIR"* ]]
}

@test "17-pod: a broken manifest is one line with its place, status 2, and nothing is started" {
	pod 'resources: {limits: {memory: 64MB}}'
	run -2 --separate-stderr "$LABS/$program" "$manifest"
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" = 1 ]
	[[ $stderr == "$manifest:8:34: spec.containers[].resources.limits.memory: expected a quantity "* ]]

	run -2 --separate-stderr strace -f -qq -e trace=process,mount,unshare,sethostname,mkdir "$ROOT/build/labs/$program" "$manifest"
	# From a file that can be written to it first executes a copy of itself, for which an ordinary user needs a child.
	trace=$stderr # a later run has none
	run ! grep -E '(mount|mkdir|sethostname)\(|execve.*execve.*execve' <<<"$trace ${trace//$'\n'/ }"
	after=${trace##*execve}
	run ! grep -vE '^(exit_group|.*memory: expected)' <<<"${after#*$'\n'}"

	run -2 --separate-stderr "$LABS/$program" "$BATS_TEST_TMPDIR"
	[[ $stderr == *"expected a file that can be read"* ]]
}

@test "17-pod: of what is the host's nothing can be changed by a mount that was not asked for" {
	needs_lab "$program"
	pod
	no_hold timeout 100 "$LABS/$program" "$manifest" --
}

@test "17-pod: a manifest may be a pipe" {
	needs_lab "$program"
	pod
	# From a file that can be written to, it executes itself once more, and would read the pipe twice.
	mkdir "$BATS_TEST_TMPDIR/labs" && cp "$LABS/$program" "$BATS_TEST_TMPDIR/labs" && ln -s "$LABS/../rootfs" "$BATS_TEST_TMPDIR"
	run -0 --separate-stderr timeout 100 "$BATS_TEST_TMPDIR/labs/$program" <(cat "$manifest") -- echo here
	same "what COMMAND says" here "$output"
}

@test "17-pod: manifests cut off after each byte: a place or a Pod, never a signal" {
	host_only "the program reads it the same in both places"
	local size i status
	pod 'resources: {limits: {cpu: 1, memory: 64Mi}}' 'env: [{name: A, value: "b\n"}]' 'args: [&a x, *a]'
	size=$(stat -c %s "$manifest")
	for ((i = 0; i < size; i++)); do
		head -c "$i" "$manifest" >"$manifest.cut"
		status=0
		"${explain[@]}" "$manifest.cut" >/dev/null 2>"$BATS_TEST_TMPDIR/err" || status=$?
		case $status in
		0) ;;
		2) grep -qE '^[^:]*:[0-9]+:[0-9]+: .' "$BATS_TEST_TMPDIR/err" ;;
		*)
			echo "$i bytes: status $status"
			return 1
			;;
		esac
	done
}

@test "17-pod: the example manifests fit Kubernetes' schema of a Pod" {
	host_only "the manifests are with the sources"
	command -v node >/dev/null || skip "Kubernetes' schema: node is not installed"
	[ -d "$ROOT/build/schema/node_modules" ] || skip "Kubernetes' schema: not here (make setup-dev)"
	run -0 node "$ROOT/tests/peers/schema/validate.js" "$ROOT/build/schema" "$ROOT"/labs/$program/*.yaml
	same documents "$(grep -c '^kind:' "$ROOT"/labs/$program/*.yaml | awk -F: '{ n += $2 } END { print n }') documents" "$output"

	# It would say so.
	sed 's/image: .*/image: [busybox]/' "$ROOT/labs/$program/oom.yaml" >"$manifest"
	run -1 node "$ROOT/tests/peers/schema/validate.js" "$ROOT/build/schema" "$manifest"
}

@test "17-pod: the fields that it knows are those of Kubernetes' schema, and what they hold" {
	host_only "the sources are here"
	command -v node >/dev/null || skip "Kubernetes' schema: node is not installed"
	[ -d "$ROOT/build/schema/node_modules" ] || skip "Kubernetes' schema: not here (make setup-dev)"
	run -0 node "$ROOT/tests/peers/schema/fields.js" "$ROOT/build/schema" "$ROOT/labs/$program/schema.c"
	within "fields that were compared" 500 2000 "${output% fields}"

	# It would say so.
	sed 's/ shareProcessNamespace / /' "$ROOT/labs/$program/schema.c" >"$BATS_TEST_TMPDIR/schema.c"
	run -1 node "$ROOT/tests/peers/schema/fields.js" "$ROOT/build/schema" "$BATS_TEST_TMPDIR/schema.c"
	[[ $output == *"PodSpec.shareProcessNamespace: in Kubernetes' schema"* ]]
}
