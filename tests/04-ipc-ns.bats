#!/usr/bin/env bats
# 04-ipc-ns, seen from outside while it waits: the lists of objects that a
# process reads which is let into a namespace, the files in /dev/shm by the
# roots of its processes, and the calls as strace sees them. "# check:" names the
# lab's check whose fact is obtained here a second time.

load helper
program=04-ipc-ns
key=109316 # 0x1ab04

# Segments that a process in the IPC namespace of PID sees: "key creator" each. proc_sysvipc(5)
segments_in() {
	inside "$1" ipc awk 'NR > 1 { print $1, $5 }' /proc/sysvipc/shm 2>&1 | xargs
}

# Those of this machine with the lab's key.
own_segments() {
	awk -v key="$key" '$1 == key' /proc/sysvipc/shm
}

# The last that is mounted on /dev/shm in the table of PID.
shm_of() {
	awk '$5 == "/dev/shm" { for (i = 7; $i != "-"; i++); source = $(i + 2) } END { print source }' "/proc/$1/mountinfo"
}

propagates() {
	grep -cE ' (shared|master):' "/proc/$1/mountinfo" || :
}

setup_file() {
	"$LABS/$program" --can-run || return 0
	fact own_ns "$(ns_of self ipc)"
	fact own_mnt "$(ns_of self mnt)"
	fact own_shm "$(shm_of self)"
	lab_start "$LABS/$program"
	fact lab "$lab"

	lab_go_to 1 || :
	fact host_ns "$(ns_of "$lab" ipc)"
	fact host_mnt "$(ns_of "$lab" mnt)"
	fact host_propagates "$(propagates "$lab")"
	fact host_shm "$(shm_of "$lab")"
	fact host_segments "$(segments_in "$lab")"

	lab_go_to 2 || :
	fact host_segments_then "$(segments_in "$lab")"

	lab_go_to 3 || :
	container=$lab_pid
	fact container "$container"
	fact container_ns "$(ns_of "$container" ipc)"
	fact container_segments "$(segments_in "$container")"
	fact host_segments_beside "$(segments_in "$lab")"
	fact maps "$(grep -c SYSV0001ab04 "/proc/$lab/maps") $(grep -c SYSV0001ab04 "/proc/$container/maps")"

	lab_go_to 4 || :
	fact container_mnt "$(ns_of "$container" mnt)"
	fact posix_host "$(cat "/proc/$lab/root/dev/shm/lab04" 2>&1)"
	fact posix_container "$(cat "/proc/$container/root/dev/shm/lab04" 2>&1)"
	fact posix_machine "$(ls /dev/shm/lab04 2>/dev/null)"
	fact segments_machine "$(own_segments)"

	lab_go_to 5 || :
	fact container_mnt_then "$(ns_of "$container" mnt)"
	fact container_propagates "$(propagates "$container")"
	fact container_shm "$(shm_of "$container")"
	fact posix_container_then "$(ls -A "/proc/$container/root/dev/shm/" 2>&1)"
	fact posix_host_then "$(cat "/proc/$lab/root/dev/shm/lab04" 2>&1)"
	fact shm_machine "$(shm_of self)"
	lab_end
	fact status "$lab_status"

	strace -f -qq -s 128 -e trace=unshare,setns,shmget,shmat,mount,openat \
		-o "$BATS_FILE_TMPDIR/calls" "$LABS/$program" --format=jsonl >/dev/null 2>&1 3>&- || :
	fact segments_after "$(own_segments)"
}

setup() {
	needs_lab "$program"
	read_facts
	calls=$BATS_FILE_TMPDIR/calls
}

# The calls of PID that have to do with namespaces and keys: "name outcome", in their order.
calls_of() {
	awk -v pid="$1" '$1 == pid && $2 ~ /^(unshare|shmget|shmat)\(/ {
		name = $2; sub(/\(.*/, "", name)
		outcome = $0; sub(/.* = /, "", outcome); sub(/ \(.*/, "", outcome)
		if (outcome ~ /^0x/) outcome = "ADDRESS"
		printf "%s%s:%s", sep, name, outcome; sep = " " }' "$calls" | tr ' ' '_' | sed 's/_\([a-z]\)/ \1/g'
}

@test "04-ipc-ns: the lab's host is a namespace of its own, this machine gets no object" {
	# check: host: its namespace
	differ "the lab's host beside this machine" "$own_ns" "$host_ns"
	# check: host: its mount table
	differ "its mount table beside this machine's" "$own_mnt" "$host_mnt"
	same "mounts in it that are shared or slave" 0 "$host_propagates"
	same "its /dev/shm" lab04-shm "$host_shm"
	same "segments of this machine with that key, while the lab waits" "" "$segments_machine"
	same "segments of this machine with that key, after it" "" "$segments_after"
	same "this machine's /dev/shm/lab04" "" "$posix_machine"
	same "what is mounted on this machine's /dev/shm" "$own_shm" "$shm_machine"
}

@test "04-ipc-ns: where every mount is shared, as systemd has it, no /dev/shm is covered" {
	where_shared "$program"
}

@test "04-ipc-ns: control: in one namespace a key is found, and taken" {
	# check: control: segments listed
	same "the host's segments: key, creator" "$key $lab" "$host_segments"
	same "the same after the child" "$key $lab" "$host_segments_then"
	# check: control: found by the key
	# check: control: create the key again
	neighbour=$(grep -E 'shmget\(0x1ab04, .*IPC_EXCL.*\) += -1 EEXIST' "$calls")
	neighbour=${neighbour%% *}
	[[ $(calls_of "$neighbour") =~ ^shmget:[0-9]+\ shmat:ADDRESS\ shmget:-1_EEXIST$ ]] || {
		echo "calls of the neighbour: $(calls_of "$neighbour")"
		return 1
	}
	# By hand: a second process of a namespace sees what the first has made.
	same "segments of a shell, and of its child" "1 1" "$(unshare "${userns_make[@]}" --ipc sh -c \
		'ipcmk -M 64 >/dev/null; sed 1d /proc/sysvipc/shm | wc -l; sh -c "sed 1d /proc/sysvipc/shm | wc -l"' | xargs)"
}

@test "04-ipc-ns: in a new namespace the key finds nothing, and makes another object" {
	# check: inside: a namespace of its own
	differ "the container's namespace beside its host's" "$host_ns" "$container_ns"
	differ "the container's namespace beside this machine's" "$own_ns" "$container_ns"
	# check: inside: shmget() by the key
	inside_pid=$(grep -E 'shmget\(0x1ab04, .*\) += -1 ENOENT' "$calls")
	inside_pid=${inside_pid%% *}
	[[ $(calls_of "$inside_pid") =~ ^unshare:0\ shmget:-1_ENOENT\ shmget:[0-9]+\ shmat:ADDRESS\ shmget:[0-9]+\ shmat:ADDRESS ]] || {
		echo "calls of the container: $(calls_of "$inside_pid")"
		return 1
	}
	# check: inside: segments listed
	same "segments of a shell, and of its child in a new namespace" "1 0" "$(unshare "${userns_make[@]}" --ipc sh -c \
		'ipcmk -M 64 >/dev/null; sed 1d /proc/sysvipc/shm | wc -l; unshare --ipc sed 1d /proc/sysvipc/shm | wc -l' | xargs)"
	# check: inside: found by the key now
	same "the container's segments: key, creator" "$key $container" "$container_segments"
	# check: outside: found by the key
	same "the host's segments: key, creator" "$key $lab" "$host_segments_beside"
	within "mappings of the key, in the lab" 1 9 "${maps% *}"
	within "mappings of the key, in the container" 1 9 "${maps#* }"
}

@test "04-ipc-ns: POSIX shared memory is found in a new IPC namespace: it is a file" {
	same "the host's file" host "$posix_host"
	# check: inside: found by shm_open()
	same "that file in the container" host "$posix_container"
	same "the container's mount table until then" "$host_mnt" "$container_mnt"
	differ "its IPC namespace beside the host's" "$host_ns" "$container_ns"
	# By hand: a file in /dev/shm, seen by a process with another IPC namespace.
	same "seen through unshare --ipc" seen "$(unshare "${userns_make[@]}" --mount sh -c \
		'mount -t tmpfs lab04-by-hand /dev/shm; echo seen >/dev/shm/object; unshare --ipc cat /dev/shm/object')"
}

@test "04-ipc-ns: a mount table with its own /dev/shm hides it" {
	# check: inside: its mount table
	differ "the container's mount table beside its host's" "$host_mnt" "$container_mnt_then"
	same "mounts in it that are shared or slave" 0 "$container_propagates"
	same "its /dev/shm" lab04-shm "$container_shm"
	# check: inside, then: found by shm_open()
	same "objects in it" "" "$posix_container_then"
	same "the host's, still" host "$posix_host_then"
	grep -qE 'openat\(.*"/dev/shm/lab04", O_RDONLY.*\) += -1 ENOENT' "$calls"
}

@test "04-ipc-ns: where the limits of namespaces cannot be written, more of it says so, to root as well" {
	# In a user namespace of this test's own: none is allowed below it, or /proc/sys is as in a container.
	for place in "echo 0 >/proc/sys/user/max_user_namespaces" "mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro,nosuid,nodev,noexec none /proc/sys"; do
		run unshare --user --map-root-user --mount sh -c "$place && exec \"\$0\" --can-run" "$LABS/$program-more"
		same "$place: status" 77 "$status"
		[[ $output == "no user namespace (ENOSPC); "* || $output == *"/proc/sys/user, may not be written (EROFS); "* ]]
	done
}

@test "04-ipc-ns: without a /dev/shm it is skipped, and says why" {
	run unshare "${userns_make[@]}" --mount sh -c 'mount -t tmpfs none /dev && exec "$0" --format=jsonl' "$LABS/$program"
	same "status" 77 "$status"
	[[ $output == *"this machine has no /dev/shm"* ]]
}

@test "04-ipc-ns: and its verdict is pass; a COMMAND has a namespace of its own" {
	same "its status" 0 "$status"
	differ "the namespace of a COMMAND" "$own_ns" "$("$LABS/$program" -- readlink /proc/self/ns/ipc 2>/dev/null)"
	same "segments that a COMMAND sees" 1 "$("$LABS/$program" -- sed -n '$=' /proc/sysvipc/shm 2>/dev/null)"
}
