#!/usr/bin/env bats
# 07-cgroup-ns, seen from outside while it waits: the files of its groups, what /proc says of its
# processes here and in their cgroup namespace, what strace sees of their ends, and the same acts by
# hand in groups of this test's own. "# check:" names the check of main.c whose fact is obtained here
# a second time, "# more-view:" one of more-view.c.

# shellcheck disable=SC2154 # the helper's variables
load helper
program=07-cgroup-ns
MiB=$((1024 * 1024))

# path_of PID: its cgroup v2 path, as this test's cgroup namespace shows it
path_of() {
	sed -n 's/^0:://p' "/proc/$1/cgroup" 2>/dev/null || :
}

# refused FILE VALUE: what the kernel answers to that write; dash says "I/O error" for any answer
refused() {
	if (echo "$2" >"$1") 2>&1; then
		echo allowed
	fi
}

# lab_waits_after CHECK [PROGRAM]: sets top, the folder of this run's groups, and home, the path of the group above it
lab_waits_after() {
	lab_at "$1" "$LABS/${2-$program}" --memory 32M
	mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	top=$(find "$mount" -type d -name "lab07-$lab")
	home=${top#"$mount"} home=${home%/lab07-"$lab"}
}

setup() {
	[[ $BATS_TEST_DESCRIPTION == *"booted for it alone"* ]] || needs_lab "$program"
}

teardown() {
	lab_stop
}

# trace: strace's lines of a whole story in $calls, its JSON lines in $jsonl
trace() {
	calls=$BATS_TEST_TMPDIR/calls jsonl=$BATS_TEST_TMPDIR/jsonl
	strace -f -e trace=fork,clone,kill,execve,unshare -o "$calls.raw" \
		"$LABS/$program" --memory 32M --format=jsonl >"$jsonl" 2>/dev/null 3>&- || :
	joined "$calls.raw" >"$calls"
}

# end_of N: how the Nth child that the lab forked in its story ended, as the kernel told strace.
end_of() {
	local pid
	pid=$(jq -r 'select(.event == "call" and .call == "fork()") | .value' "$jsonl" | sed -n "$1p")
	sed -nE "s/^$pid +\\+\\+\\+ (.*) \\+\\+\\+\$/\\1/p" "$calls"
}

@test "07-cgroup-ns: a limit of which three are not free here is asked for as missing memory" {
	max=$("$LABS/$program" --about | jq '.options[] | select(.name == "memory").max')
	run "$LABS/$program" --can-run --memory "$max"
	same "status" 77 "$status"
	[[ $output == *" of memory "* ]]
	# A COMMAND touches what it likes.
	"$LABS/$program" --can-run --memory "$max" -- true
}

@test "07-cgroup-ns: the mount is cgroup2's, and cgroup.controllers lists memory and pids" {
	lab_waits_after "cgroup.controllers has"
	# check: statfs() of the mount
	same "the number of its filesystem, statfs(2)" 63677270 "$(stat -fc %t "$mount")"
	# check: cgroup.controllers has
	controllers=$(value "$mount$home/cgroup.controllers")
	[[ " $controllers " == *" memory "* && " $controllers " == *" pids "* ]] || same controllers "memory pids" "$controllers"
	# Control: with v1, a line of /proc/self/cgroup would name the controller.
	run ! grep -E '^[0-9]+:([^:]*,)?(memory|pids)(,|:)' /proc/self/cgroup
}

@test "07-cgroup-ns: mkdir makes a group's files; a controller's files come when the group above enables it" {
	lab_waits_after "its memory.max"
	# check: its cgroup.controllers
	[ -e "$top/limited/cgroup.procs" ]
	same "cgroup.controllers" "" "$(value "$top/limited/cgroup.controllers")"
	# check: its memory.max
	[ ! -e "$top/limited/memory.max" ]
	same "enabled above at first" "" "$(value "$top/cgroup.subtree_control")"
	lab_go_until "its memory.max, enabled above"
	# check: its memory.max, enabled above
	same "enabled above" "memory pids" "$(value "$top/cgroup.subtree_control")"
	[ -e "$top/limited/memory.max" ]
	lab_go_until "memory.max reads back"
	# check: memory.max reads back
	same "memory.max" $((32 * MiB)) "$(value "$top/limited/memory.max")"
}

@test "07-cgroup-ns: the kernel limits a process that was attached, and no other" {
	lab_waits_after "memory.max reads back"
	free=$lab_pid
	same "the limit" $((32 * MiB)) "$(value "$top/limited/memory.max")"
	same "who is in the group at first" "" "$(value "$top/limited/cgroup.procs")"
	same "the group of the first process" "$(path_of "$lab")" "$(path_of "$free")"
	differ "that beside the limited one" "$home/lab07-$lab/limited" "$(path_of "$free")"
	lab_go_until "its group"
	# check: its group
	same "the group of the second process" "$home/lab07-$lab/limited" "$(path_of "$lab_pid")"
	same "who is in the group" "$lab_pid" "$(value "$top/limited/cgroup.procs")"
	same "kills before" 0 "$(value "$top/limited/memory.events" oom_kill)"
	lab_go_until "attached: 128 + SIGKILL"
	same "kills" 1 "$(value "$top/limited/memory.events" oom_kill)"
	lab_stop
	trace
	# check: never attached: exit status
	same "the end of the first process" "exited with 0" "$(end_of 1)"
	# check: attached: 128 + SIGKILL
	same "the end of the second process" "killed by SIGKILL" "$(end_of 2)"
}

@test "07-cgroup-ns: a group outlives its last process, until rmdir" {
	lab_waits_after "populated"
	same "who is in the group" "" "$(value "$top/limited/cgroup.procs")"
	# check: populated
	same "populated" 0 "$(value "$top/limited/cgroup.events" populated)"
	lab_go_until "after rmdir"
	# check: after rmdir
	[ -d "$top" ]
	[ ! -e "$top/limited" ]
}

@test "07-cgroup-ns: no domain controller in a group with processes, a threaded one is allowed" {
	lab_waits_after "cgroup.type then"
	same "the process is in its group" "$home/lab07-$lab/beside" "$(path_of "$lab_pid")"
	# check: +pids: a threaded one
	same "enabled for its children" pids "$(value "$top/beside/cgroup.subtree_control")"
	# check: cgroup.type then
	same "its type" "domain threaded" "$(value "$top/beside/cgroup.type")"
	same "control: the type of the group above" domain "$(value "$top/cgroup.type")"

	# The lab's group is the top of a threaded tree by now, so the test makes one like it, with a process.
	mkdir "$top/like"
	sh -c 'echo $$ >"$0/cgroup.procs" && exec sleep 100' "$top/like" 3>&- &
	sleeper=$!
	for ((tries = 100; tries > 0; tries--)); do
		[ -z "$(value "$top/like/cgroup.procs")" ] || break
		sleep 0.05
	done
	same "who is in that group" "$sleeper" "$(value "$top/like/cgroup.procs")"
	# check: +memory: a domain controller
	[[ $(refused "$top/like/cgroup.subtree_control" +memory) == *"busy"* ]]
	[[ $(refused "$top/beside/cgroup.subtree_control" +memory) != allowed ]]
	same "by hand: +pids" allowed "$(refused "$top/like/cgroup.subtree_control" +pids)"
	same "by hand: the type then" "domain threaded" "$(value "$top/like/cgroup.type")"
	kill $sleeper
	wait $sleeper || :
	# check: entering where +memory is
	[[ $(refused "$top/cgroup.procs" "$lab_pid") == *"busy"* ]]

	# Control: the same writes where no process is, and where nothing is enabled.
	mkdir "$top/own" "$top/own2"
	same "control: +memory where no process is" allowed "$(refused "$top/own/cgroup.subtree_control" +memory)"
	same "control: entering where nothing is enabled" allowed "$(refused "$top/own2/cgroup.procs" "$lab_pid")"
	same "and back" allowed "$(refused "$top/beside/cgroup.procs" "$lab_pid")"
	rmdir "$top/own" "$top/own2" "$top/like"
}

@test "07-cgroup-ns: the namespace shows / inside, the whole path outside, /.. for a group beside" {
	needs_lab "$program-more-view"
	lab_waits_after "before: its group" "$program-more-view"
	web=$lab_pid beside=$(value "$top/beside/cgroup.procs")
	# more-view: before: its group
	same "its group, before" "$home/lab07-$lab/web" "$(path_of "$web")"
	same "its cgroup namespace, before" "$(ns_of self cgroup)" "$(ns_of "$web" cgroup)"
	lab_go_until "outside: its group"
	# more-view: outside: its group
	same "its group, from outside" "$home/lab07-$lab/web" "$(path_of "$web")"
	# more-view: inside: its cgroup namespace
	differ "its cgroup namespace beside ours" "$(ns_of self cgroup)" "$(ns_of "$web" cgroup)"
	# more-view: inside: its group
	# more-view: inside: the one beside
	same "seen inside: its own, and that of the process beside it" $'/\n/../beside' \
		"$(inside "$web" cgroup sed -n 's/^0:://p' "/proc/$web/cgroup" "/proc/$beside/cgroup" 2>&1)"
	# By hand: unshare(1) makes the same.
	same "unshare --cgroup" / "$(unshare "${userns_make[@]}" --cgroup sed -n 's/^0:://p' /proc/self/cgroup)"
}

@test "07-cgroup-ns: a cgroup2 mount made inside begins at the group" {
	needs_lab "$program-more-view"
	before=$(grep ' - cgroup2 ' /proc/self/mountinfo)
	lab_waits_after "outside: its group" "$program-more-view"
	web=$lab_pid
	same "its mount table at first" "$(ns_of self mnt)" "$(ns_of "$web" mnt)"
	lab_go_until "memory.max at its top"
	differ "its mount table then" "$(ns_of self mnt)" "$(ns_of "$web" mnt)"
	same "shared mounts" 0 "$(grep -c ' shared:' "/proc/$web/mountinfo" 2>&1 || :)"
	# more-view: the new mount begins at
	same "the root of its mount" "$(stat -c %i "$top/web")" "$(stat -c %i "/proc/$web/root$mount")"
	differ "that beside the root of ours" "$(stat -c %i "$mount")" "$(stat -c %i "/proc/$web/root$mount")"
	same "what the mount table calls it" "$home/lab07-$lab/web" "$(awk '/ - cgroup2 / { print $4 }' "/proc/$web/mountinfo" | tail -n 1)"
	# more-view: memory.max at its top
	same "memory.max, outside" $((32 * MiB)) "$(value "$top/web/memory.max")"
	same "memory.max, inside" $((32 * MiB)) "$(value "/proc/$web/root$mount/memory.max")"
	lab_end
	same "its status" 0 "$lab_status"
	lab=
	same "this machine's mounts of it, with their options" "$before" "$(grep ' - cgroup2 ' /proc/self/mountinfo)"
}

@test "07-cgroup-ns: where every mount is shared, as systemd has it, its cgroup2 mount does not leak" {
	needs_lab "$program-more-view"
	where_shared "$program-more-view"
}

@test "07-cgroup-ns: nothing of its groups is left, and its verdict is pass" {
	lab_waits_after "cgroup.type then"
	[ -d "$top" ]
	lab_end
	same "its status" 0 "$lab_status"
	lab=
	[ ! -e "$top" ]
}

@test "07-cgroup-ns: cgroup v1 beside v2, in a VM that is booted for it alone" {
	boots_vm
	# Never in a machine that others use.
	missing=$("$LABS/$program-more" --can-run=v1) && return 1
	[[ $missing == *"booted for it alone; scripts/lab 07/more --v1"* ]]
	if ! "$ROOT/scripts/labvm/kernel" --path >/dev/null 2>&1 || ! command -v "qemu-system-$(uname -m)" >/dev/null; then
		skip "the lab VM is not set up here"
	fi
	# The lab, and after it the same by hand in that VM: limit, attach, witness.
	cat >"$BATS_TEST_TMPDIR/by-hand" <<'HAND'
	supervise 07-cgroup-ns-more --v1 --format=jsonl || echo "status $?"
	echo "left: $(find /sys/fs/cgroup /tmp -name 'lab07*' | xargs)"
	mkdir -p /tmp/m && mount -t cgroup -o memory none /tmp/m || exit
	mkdir /tmp/m/hand && echo 32M >/tmp/m/hand/memory.limit_in_bytes
	echo "limit: $(cat /tmp/m/hand/memory.limit_in_bytes)"
	sh -c 'echo 0 >/tmp/m/hand/cgroup.procs && exec eat 64M' 2>/dev/null || echo "ended: $?"
	grep -x "oom_kill 1" /tmp/m/hand/memory.oom_control
	echo "v2: $(grep -cw memory /sys/fs/cgroup/cgroup.controllers)"
HAND
	out=$("$ROOT/scripts/vm" --append lab.alone --carry "$BATS_TEST_TMPDIR/by-hand" bash "$BATS_TEST_TMPDIR/by-hand" 3>&- </dev/null 2>/dev/null) || :
	if [[ $out == *CONFIG_MEMCG_V1* ]]; then
		same "skipped: status and leftovers" "left: " "$(grep -E '^(status|left:)' <<<"$out")"
		skip "v1 memory: the lab VM's kernel has no CONFIG_MEMCG_V1"
	fi
	same "failed and skipped" "0 0" "$(grep '^{' <<<"$out" | jq -r 'select(.event == "end") | "\(.failed) \(.skipped)"')"
	same "by hand" $'left: \nlimit: 33554432\nended: 137\noom_kill 1\nv2: 0' "$(grep -v '^{' <<<"$out")"
}

@test "07-cgroup-ns: without v1 memory, booted for it alone, that part is skipped and leaves nothing" {
	boots_vm
	if ! "$ROOT/scripts/labvm/kernel" --path >/dev/null 2>&1 || ! command -v "qemu-system-$(uname -m)" >/dev/null; then
		skip "the lab VM is not set up here"
	fi
	# shellcheck disable=SC2016 # the shell in there expands it
	out=$("$ROOT/scripts/vm" --append "lab.alone cgroup_no_v1=memory" bash -c 'supervise 07-cgroup-ns-more --v1 --format=jsonl
		echo "status $?, left: $(find /sys/fs/cgroup /tmp -name "lab07*" | xargs)"' 3>&- </dev/null 2>/dev/null) || :
	same "failed and skipped" "0 1" "$(grep '^{' <<<"$out" | jq -r 'select(.event == "end") | "\(.failed) \(.skipped)"')"
	same "its end" "status 0, left: " "$(grep -v '^{' <<<"$out")"
}
