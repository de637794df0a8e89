#!/usr/bin/env bats
# bats file_tags=apart
# podman: the manifests of 17-pod are Kubernetes' own and no dialect: podman kube play runs each as it
# stands, and the kernel then has what our Pod has. In a lab VM of its own, on a copy of this machine's podman.

load ../helper

# Beside podman itself: the runtime, what watches a container, what is a Pod's pause, and the network.
parts=(podman crun conmon catatonit slirp4netns)

setup_file() {
	! in_vm && type -P "${parts[@]}" >/dev/null || return 0
	local part carry=()
	for part in $(type -P "${parts[@]}") /usr/libexec/podman /usr/lib/podman/rootlessport "$ROOT/labs/17-pod"; do
		[ ! -e "$part" ] || carry+=(--carry "$part")
	done
	timeout 400 "$ROOT/scripts/vm" --memory 2G "${carry[@]}" /lab/tests/peers/podman/play "$ROOT"/labs/17-pod/*.yaml \
		>"$BATS_FILE_TMPDIR/said" 2>"$BATS_FILE_TMPDIR/errors" </dev/null 3>&- || echo "status $?" >>"$BATS_FILE_TMPDIR/errors"
}

setup() {
	host_only "it boots a lab VM of its own"
	local part
	for part in "${parts[@]}"; do
		type -P "$part" >/dev/null || skip "$part is not installed"
	done
}

# said KEY: the value that was seen in the VM
said() {
	awk -F '\t' -v key="$1" '$1 == key { print $2; found = 1 } END { exit !found }' "$BATS_FILE_TMPDIR/said" ||
		echo "nothing was seen of $1"
}

# What podman itself said stands under a test that fails.
teardown() {
	[ -n "${BATS_TEST_COMPLETED-}" ] || [ ! -e "$BATS_FILE_TMPDIR/errors" ] || tail -n 40 "$BATS_FILE_TMPDIR/errors"
}

@test "podman: kube play runs every example of 17-pod, unchanged" {
	local pods=0
	for manifest in "$ROOT"/labs/17-pod/*.yaml; do
		pods=$((pods + 1))
		same "status of ${manifest##*/}" 0 "$(said "$(basename "$manifest" .yaml)")"
	done
	within "manifests" 4 20 $pods
	for name in web-server web-visitor oom-greedy oom-neighbour shared-pid-keeper shared-pid-reader guaranteed-one guaranteed-two; do
		same "$name" running "$(said $name)"
	done
}

@test "podman: its containers have the limits that 17-pod gives" {
	same "server: memory.max" $((64 << 20)) "$(said "web-server memory.max")"
	same "server: cpu.max" "50000 100000" "$(said "web-server cpu.max")"
	same "visitor: memory.max" $((32 << 20)) "$(said "web-visitor memory.max")"
	same "visitor: cpu.max" "25000 100000" "$(said "web-visitor cpu.max")"
	same "neighbour: memory.max" $((16 << 20)) "$(said "oom-neighbour memory.max")"
}

@test "podman: its Pod is the same Pod: one localhost, one process namespace, a user namespace, restarts" {
	same "the page, by localhost" "Hello from a Pod." "$(said page)"
	same "processes sleep that the reader sees" 2 "$(said sleepers)"
	differ "user namespaces with hostUsers: false" "$(said own)" "$(said "guaranteed-one user")"
	same "user namespace without it" "$(said own)" "$(said "shared-pid-keeper user")"
	within "restarts of greedy" 2 1000 "$(said restarts)"
}

@test "podman: scripts/map tells of its container what the kernel does, and which labs explain it" {
	same "what differs" "pid namespace, mount namespace, uts namespace, ipc namespace, net namespace, cgroup namespace, root folder, root mount, groups, memory.max, cpu.max, uid, gid, effective caps, bounding caps, no_new_privs, seccomp, seccomp filters" "$(said map)"
	same "the labs" "01 02 03 04 06 07 09 10 14 15" "$(said "map labs")"
	same "its limits" "$(said "web-server memory.max"),$(said "web-server cpu.max")" "$(said "map limits")"
	same "its net namespace" "$(said "its net")" "$(said "map net")"
	same "its capabilities" "0x0000000000000000= none" "$(said "its caps") $(said "map caps")"
}
