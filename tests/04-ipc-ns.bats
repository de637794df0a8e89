#!/usr/bin/env bats
# 04-ipc-ns, looked at from outside while it waits: the lists of objects in its namespaces, the
# files in /dev/shm by the roots of its processes, and the calls that strace sees. "# check:" names
# the check of the lab whose fact is obtained here a second time.

load helper
program=04-ipc-ns
key=109316 # 0x1ab04

setup() {
	needs_lab "$program"
}

teardown() {
	lab_stop
}

# at CHECK: the lab waits after that check. Sets container, once there is one.
at() {
	lab_at "$1" "$LABS/$program"
	container=$(children_of "$lab")
}

# segments_in PID: "KEY CREATOR" of each segment in its IPC namespace. proc_sysvipc(5)
segments_in() {
	inside "$1" ipc awk 'NR > 1 { print $1, $5 }' /proc/sysvipc/shm 2>&1 | xargs
}

# The segments of this machine that have the lab's key.
own_segments() {
	awk -v key="$key" '$1 == key' /proc/sysvipc/shm
}

# shm_of PID: the source of the last mount on /dev/shm in its mount table.
shm_of() {
	awk '$5 == "/dev/shm" { for (i = 7; $i != "-"; i++); source = $(i + 2) } END { print source }' "/proc/$1/mountinfo"
}

# propagating PID: how many mounts in its mount table are shared or slave.
propagating() {
	grep -cE ' (shared|master):' "/proc/$1/mountinfo" || :
}

trace() {
	calls=$BATS_TEST_TMPDIR/calls
	strace -f -qq -s 128 -e trace=unshare,shmget,shmat,openat -o "$calls" "$LABS/$program" --format=jsonl >/dev/null 2>&1 3>&-
}

# calls_of PID: its calls that have to do with namespaces and keys, "NAME:OUTCOME", in their order.
calls_of() {
	awk -v pid="$1" '$1 == pid && $2 ~ /^(unshare|shmget|shmat)\(/ {
		name = $2; sub(/\(.*/, "", name)
		outcome = $0; sub(/.* = /, "", outcome); sub(/ \(.*/, "", outcome)
		if (outcome ~ /^0x/) outcome = "ADDRESS"
		printf "%s%s:%s", sep, name, outcome; sep = " " }' "$calls" | tr ' ' '_' | sed 's/_\([a-z]\)/ \1/g'
}

# its_calls PID PATTERN
its_calls() {
	[[ $(calls_of "$1") =~ $2 ]] && return
	echo "calls of $1: expected $2, observed $(calls_of "$1")"
	return 1
}

@test "04-ipc-ns: the lab's host is a namespace of its own; this machine gets no object" {
	own_shm=$(shm_of self)
	# check: host: its namespace
	at "host: a new /dev/shm"
	differ "the IPC namespace of the lab's host beside this machine's" "$(ns_of self ipc)" "$(ns_of "$lab" ipc)"
	# check: host: a new /dev/shm
	differ "its mount table beside this machine's" "$(ns_of self mnt)" "$(ns_of "$lab" mnt)"
	same "mounts in it that are shared or slave" 0 "$(propagating "$lab")"
	same "its /dev/shm" lab04-shm "$(shm_of "$lab")"
	same "its segments: key, creator" "$key $lab" "$(segments_in "$lab")"
	lab_go_until "inside: found by shm_open()"
	same "segments of this machine with that key" "" "$(own_segments)"
	same "this machine's /dev/shm/lab04" "" "$(ls /dev/shm/lab04 2>/dev/null)"
	same "what is mounted on this machine's /dev/shm" "$own_shm" "$(shm_of self)"
	lab_end
	same "the lab's status" 0 "$lab_status"
	same "segments of this machine with that key, after it" "" "$(own_segments)"
}

@test "04-ipc-ns: where every mount is shared, as systemd has it, no /dev/shm is covered" {
	where_shared "$program"
}

@test "04-ipc-ns: control: in one namespace a key is found, and taken" {
	# check: control: segments listed
	at "control: segments listed"
	same "the host's segments: key, creator" "$key $lab" "$(segments_in "$lab")"
	trace
	# check: control: found by the key
	# check: control: create the key again
	its_calls "$(caller_of 'shmget\(0x1ab04, .*IPC_EXCL.*\) += -1 EEXIST')" '^shmget:[0-9]+ shmat:ADDRESS shmget:-1_EEXIST$'
	# By hand: a second process of a namespace sees what the first has made.
	same "segments of a shell, and of its child" "1 1" "$(unshare "${userns_make[@]}" --ipc sh -c \
		'ipcmk -M 64 >/dev/null; sed 1d /proc/sysvipc/shm | wc -l; sh -c "sed 1d /proc/sysvipc/shm | wc -l"' | xargs)"
}

@test "04-ipc-ns: in a new namespace the key finds nothing, and makes another object" {
	# check: inside: a namespace of its own
	at "outside: found by the key"
	differ "the container's namespace beside its host's" "$(ns_of "$lab" ipc)" "$(ns_of "$container" ipc)"
	differ "the container's namespace beside this machine's" "$(ns_of self ipc)" "$(ns_of "$container" ipc)"
	same "the container, as the lab names it" "$container" "$lab_pid"
	# check: inside: found by the key now
	same "the container's segments: key, creator" "$key $container" "$(segments_in "$container")"
	# check: outside: found by the key
	same "the host's segments: key, creator" "$key $lab" "$(segments_in "$lab")"
	within "mappings of the key, in the lab" 1 9 "$(grep -c SYSV0001ab04 "/proc/$lab/maps")"
	within "mappings of the key, in the container" 1 9 "$(grep -c SYSV0001ab04 "/proc/$container/maps")"
	# check: inside: shmget() by the key
	trace
	its_calls "$(caller_of 'shmget\(0x1ab04, .*\) += -1 ENOENT')" \
		'^unshare:0 shmget:-1_ENOENT shmget:[0-9]+ shmat:ADDRESS shmget:[0-9]+ shmat:ADDRESS'
	# check: inside: segments listed
	same "by hand: segments of a shell, and of its child in a new namespace" "1 0" "$(unshare "${userns_make[@]}" --ipc sh -c \
		'ipcmk -M 64 >/dev/null; sed 1d /proc/sysvipc/shm | wc -l; unshare --ipc sed 1d /proc/sysvipc/shm | wc -l' | xargs)"
}

@test "04-ipc-ns: POSIX shared memory is found in a new IPC namespace: it is a file" {
	# check: inside: found by shm_open()
	at "inside: found by shm_open()"
	same "the host's file" host "$(cat "/proc/$lab/root/dev/shm/lab04")"
	same "that file in the container" host "$(cat "/proc/$container/root/dev/shm/lab04")"
	same "the container's mount table beside the host's" "$(ns_of "$lab" mnt)" "$(ns_of "$container" mnt)"
	differ "its IPC namespace beside the host's" "$(ns_of "$lab" ipc)" "$(ns_of "$container" ipc)"
	# By hand: a file in /dev/shm, seen by a process with another IPC namespace.
	same "seen through unshare --ipc" seen "$(unshare "${userns_make[@]}" --mount sh -c \
		'mount -t tmpfs lab04-by-hand /dev/shm; echo seen >/dev/shm/object; unshare --ipc cat /dev/shm/object')"
}

@test "04-ipc-ns: a mount table with its own /dev/shm hides it" {
	# check: inside: a new /dev/shm
	at "inside, then: found by shm_open()"
	differ "the container's mount table beside its host's" "$(ns_of "$lab" mnt)" "$(ns_of "$container" mnt)"
	same "mounts in it that are shared or slave" 0 "$(propagating "$container")"
	same "its /dev/shm" lab04-shm "$(shm_of "$container")"
	# check: inside, then: found by shm_open()
	same "objects in it" "" "$(ls -A "/proc/$container/root/dev/shm/" 2>&1)"
	same "the host's, still" host "$(cat "/proc/$lab/root/dev/shm/lab04")"
	trace
	caller_of 'openat\(.*"/dev/shm/lab04", O_RDONLY.*\) += -1 ENOENT'
}

@test "04-ipc-ns: where the limits of namespaces cannot be written, more of it says so, to root as well" {
	# In a user namespace of this test's own: none is allowed below it, or /proc/sys is as in a container. Its root is not
	# root of somebody else's home.
	cp "$LABS/$program-more" "$BATS_TEST_TMPDIR"
	for place in "echo 0 >/proc/sys/user/max_user_namespaces" "mount --rbind /proc/sys /proc/sys && mount -o remount,bind,ro,nosuid,nodev,noexec none /proc/sys"; do
		run unshare --user --map-root-user --mount sh -c "$place && exec \"\$0\" --can-run" "$BATS_TEST_TMPDIR/$program-more"
		same "$place: status" 77 "$status"
		[[ $output == "no user namespace (ENOSPC); "* || $output == *"/proc/sys/user, may not be written (EROFS); "* ]]
	done
}

@test "04-ipc-ns: without a /dev/shm it is skipped, and says why" {
	run unshare "${userns_make[@]}" --mount sh -c 'mount -t tmpfs none /dev && exec "$0" --format=jsonl' "$LABS/$program"
	same "status" 77 "$status"
	[[ $output == *"this machine has no /dev/shm"* ]]
}

@test "04-ipc-ns: a COMMAND has an IPC namespace of its own" {
	differ "the namespace of a COMMAND" "$(ns_of self ipc)" "$("$LABS/$program" -- readlink /proc/self/ns/ipc 2>/dev/null)"
	same "segments that a COMMAND sees: the heading alone" 1 "$("$LABS/$program" -- sed -n '$=' /proc/sysvipc/shm 2>/dev/null)"
}
