#!/usr/bin/env bats
# 07-cgroup-ns, seen from outside while it waits: the files of its groups, what
# /proc says of its processes here and in their cgroup namespace, what strace
# sees of their ends, and the same acts done by hand in groups of this test's
# own. "# check:" names the lab's check whose fact is obtained here a second time.

# shellcheck disable=SC2154 # facts and the helper's variables
load helper
program=07-cgroup-ns
MiB=$((1024 * 1024))

# group_of PID, as this test sees it
group_of() {
	sed -n 's/^0:://p' "/proc/$1/cgroup" 2>/dev/null || :
}

# refused FILE VALUE: what the kernel answers to that write
refused() {
	if sh -c 'echo "$1" >"$0"' "$1" "$2" 2>&1; then
		echo allowed
	fi
}

setup_file() {
	"$LABS/$program" --can-run || return 0
	mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	own=$(group_of self) own=${own%/}
	fact cgroup2_before "$(grep ' - cgroup2 ' /proc/self/mountinfo)"
	lab_start "$LABS/$program" --memory 32M
	fact lab "$lab"
	fact mount "$mount"
	fact home "$own"

	lab_go_to 1 || :
	fact filesystem "$(stat -fc %t "$mount")"
	fact controllers "$(value "$mount$own/cgroup.controllers")"

	lab_go_to 2 || :
	top=$(find "$mount" -type d -name "lab07-$lab")
	group=$top/limited
	fact top "$top"
	fact at_first "$(cd "$group" && echo cgroup.[a-z]* && value cgroup.controllers)"
	fact max_at_first "$([ ! -e "$group/memory.max" ] || echo there)"
	fact above_at_first "$(value "$top/cgroup.subtree_control")"

	lab_go_to 3 || :
	fact above "$(value "$top/cgroup.subtree_control")"
	fact max "$(value "$group/memory.max")"
	fact free "$lab_pid"
	fact free_group "$(group_of "$lab_pid")"
	fact lab_group "$(group_of "$lab")"
	fact procs_before "$(value "$group/cgroup.procs")"

	lab_go_to 4 || :
	fact attached "$lab_pid"
	fact attached_group "$(group_of "$lab_pid")"
	fact procs "$(value "$group/cgroup.procs")"
	fact kills_before "$(value "$group/memory.events" oom_kill)"

	lab_go_to 5 || :
	fact kills "$(value "$group/memory.events" oom_kill)"
	fact populated "$(value "$group/cgroup.events" populated)"
	fact procs_after "$(value "$group/cgroup.procs")"

	lab_go_to 6 || :
	beside=$lab_pid
	fact removed "$([ -e "$group" ] || echo yes)"
	fact beside "$beside"
	fact beside_group "$(group_of "$beside")"
	fact beside_control "$(value "$top/beside/cgroup.subtree_control")"
	fact beside_type "$(value "$top/beside/cgroup.type")"
	fact top_type "$(value "$top/cgroup.type")"
	# By now +pids has made it the top of a threaded tree; so in a group like it, with a process of ours.
	mkdir "$top/like" || :
	sh -c 'echo $$ >"$0/cgroup.procs" && exec sleep 100' "$top/like" 3>&- &
	for ((tries = 100; tries > 0; tries--)); do
		[ -z "$(value "$top/like/cgroup.procs")" ] || break
		sleep 0.05
	done
	fact like "$! $(value "$top/like/cgroup.procs")"
	fact domain "$(refused "$top/like/cgroup.subtree_control" +memory)"
	fact threaded "$(refused "$top/like/cgroup.subtree_control" +pids) $(value "$top/like/cgroup.type")"
	fact domain_beside "$(refused "$top/beside/cgroup.subtree_control" +memory)"
	kill $!
	wait $! || :
	fact enter "$(refused "$top/cgroup.procs" "$beside")"
	# Control: the same writes where no process sits, and where nothing is enabled.
	mkdir "$top/own" "$top/own2" || :
	fact own_domain "$(refused "$top/own/cgroup.subtree_control" +memory)"
	fact own_enter "$(refused "$top/own2/cgroup.procs" "$beside")"
	fact own_back "$(refused "$top/beside/cgroup.procs" "$beside")"
	rmdir "$top/own" "$top/own2" "$top/like" || :

	lab_go_to 7 || :
	web=$lab_pid
	fact web "$web"
	fact web_group "$(group_of "$web")"
	fact web_ns "$(ns_of "$web" cgroup)"
	fact own_ns "$(ns_of self cgroup)"
	fact seen_inside "$(inside "$web" cgroup sed -n 's/^0:://p' /proc/self/cgroup "/proc/$web/cgroup" "/proc/$beside/cgroup" 2>&1)"
	fact mnt_before "$(ns_of "$web" mnt)"

	lab_go_to 8 || :
	fact mnt "$(ns_of "$web" mnt)"
	fact own_mnt "$(ns_of self mnt)"
	fact shared "$(grep -c ' shared:' "/proc/$web/mountinfo" 2>&1 || :)"
	fact mounts "$(awk '/ - cgroup2 / { print $4 }' "/proc/$web/mountinfo" | tail -n 1)"
	fact root_inode "$(stat -c %i "/proc/$web/root$mount")"
	fact group_inode "$(stat -c %i "$top/web")"
	fact mount_inode "$(stat -c %i "$mount")"
	fact web_max "$(value "$top/web/memory.max")"
	fact inside_max "$(value "/proc/$web/root$mount/memory.max")"
	lab_end
	fact status "$lab_status"
	fact cgroup2_after "$(grep ' - cgroup2 ' /proc/self/mountinfo)"

	strace -f -e trace=fork,clone,kill,execve,unshare -o "$BATS_FILE_TMPDIR/raw" \
		"$LABS/$program" --memory 32M --format=jsonl >"$BATS_FILE_TMPDIR/jsonl" 2>/dev/null 3>&- || :
	joined "$BATS_FILE_TMPDIR/raw" >"$BATS_FILE_TMPDIR/calls"
}

setup() {
	[[ $BATS_TEST_DESCRIPTION == *"booted for it alone"* ]] || needs_lab "$program"
	read_facts
	calls=$BATS_FILE_TMPDIR/calls
}

# end_of N: how the Nth child that the lab forked in its story ended, as the kernel told strace.
end_of() {
	local pid
	pid=$(jq -r 'select(.event == "call" and .call == "fork()") | .value' "$BATS_FILE_TMPDIR/jsonl" | sed -n "$1p")
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

@test "07-cgroup-ns: the mount is cgroup2's, and cgroup.controllers has what is wanted" {
	# check: statfs() of the mount
	same "the number of its filesystem, statfs(2)" 63677270 "$filesystem"
	# check: cgroup.controllers has
	[[ " $controllers " == *" memory "* && " $controllers " == *" pids "* ]] || same controllers "memory pids" "$controllers"
	# Control: a line of v1 in /proc/self/cgroup would hold the controller.
	run ! grep -E '^[0-9]+:([^:]*,)?(memory|pids)(,|:)' /proc/self/cgroup
}

@test "07-cgroup-ns: mkdir makes the files; a controller's come when the parent has enabled it" {
	# check: its cgroup.controllers
	[[ $at_first == *cgroup.procs* ]]
	same "cgroup.controllers" "" "$(sed 1d <<<"$at_first")"
	# check: its memory.max
	same "memory.max at first" "" "$max_at_first"
	same "enabled above at first" "" "$above_at_first"
	# check: its memory.max, enabled above
	same "enabled above" "memory pids" "$above"
	# check: memory.max reads back
	same "memory.max" $((32 * MiB)) "$max"
}

@test "07-cgroup-ns: who was never attached is not limited; who is attached is killed" {
	same "who is in the group at first" "" "$procs_before"
	same "the group of the first process" "$lab_group" "$free_group"
	differ "that beside the limited one" "$home/lab07-$lab/limited" "$free_group"
	# check: never attached: exit status
	same "the end of the first process" "exited with 0" "$(end_of 1)"
	same "kills before" 0 "$kills_before"
	# check: its group
	same "the group of the second process" "$home/lab07-$lab/limited" "$attached_group"
	same "who is in the group" "$attached" "$procs"
	# check: attached: 128 + SIGKILL
	same "the end of the second process" "killed by SIGKILL" "$(end_of 2)"
	same "kills" 1 "$kills"
}

@test "07-cgroup-ns: a group outlives its last process, until rmdir" {
	same "who is in the group" "" "$procs_after"
	# check: populated
	same "populated" 0 "$populated"
	# check: after rmdir
	same "removed" yes "$removed"
}

@test "07-cgroup-ns: no domain controller in a group with processes, a threaded one is allowed" {
	same "the process is in its group" "$home/lab07-$lab/beside" "$beside_group"
	# check: +memory: a domain controller
	[[ $domain == *"busy"* ]] || same "+memory" EBUSY "$domain"
	same "who is in that group" "${like% *}" "${like#* }"
	[[ $domain_beside != allowed ]]
	same "control: +memory where no process is" allowed "$own_domain"
	# check: entering where +memory is
	[[ $enter == *"busy"* ]] || same "entering" EBUSY "$enter"
	same "control: entering where nothing is enabled" allowed "$own_enter"
	same "and back" allowed "$own_back"
	# check: +pids: a threaded one
	same "enabled for its children" pids "$beside_control"
	# check: cgroup.type then
	same "its type" "domain threaded" "$beside_type"
	same "by hand: +pids, and the type" "allowed domain threaded" "$threaded"
	same "control: the type of the group above" domain "$top_type"
}

@test "07-cgroup-ns: the namespace shows / inside, the whole path outside, /.. for a group beside" {
	# check: before: its group
	# check: outside: its group
	same "its group, from outside" "$home/lab07-$lab/web" "$web_group"
	# check: inside: its cgroup namespace
	differ "its cgroup namespace beside ours" "$own_ns" "$web_ns"
	# check: inside: its group
	# check: inside: the one beside
	same "seen inside: its own, and that of the process beside it" $'/\n/../beside' "$(sed 1d <<<"$seen_inside")"
	# By hand: unshare(1) makes the same.
	same "unshare --cgroup" / "$(unshare "${userns_make[@]}" --cgroup sed -n 's/^0:://p' /proc/self/cgroup)"
}

@test "07-cgroup-ns: a cgroup2 mount made inside begins at the group" {
	# check: its mount table
	same "its mount table at first" "$own_mnt" "$mnt_before"
	differ "its mount table then" "$own_mnt" "$mnt"
	same "shared mounts" 0 "$shared"
	# check: the new mount begins at
	same "the root of its mount" "$group_inode" "$root_inode"
	differ "that beside the root of ours" "$mount_inode" "$root_inode"
	same "what the mount table calls it" "$home/lab07-$lab/web" "$mounts"
	# check: memory.max at its top
	same "memory.max, outside" $((32 * MiB)) "$web_max"
	same "memory.max, inside" $((32 * MiB)) "$inside_max"
	same "this machine's mounts of it, with their options" "$cgroup2_before" "$cgroup2_after"
}

@test "07-cgroup-ns: where every mount is shared, as systemd has it, its cgroup2 mount does not leak" {
	where_shared "$program"
}

@test "07-cgroup-ns: nothing of its groups is left, and its verdict is pass" {
	same "its status" 0 "$status"
	[ -n "$top" ]
	[ ! -e "$top" ]
}

@test "07-cgroup-ns: cgroup v1 beside v2, in a VM that is booted for it alone" {
	host_only "it boots a lab VM of its own"
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
	host_only "it boots a lab VM of its own"
	if ! "$ROOT/scripts/labvm/kernel" --path >/dev/null 2>&1 || ! command -v "qemu-system-$(uname -m)" >/dev/null; then
		skip "the lab VM is not set up here"
	fi
	# shellcheck disable=SC2016 # the shell in there expands it
	out=$("$ROOT/scripts/vm" --append "lab.alone cgroup_no_v1=memory" bash -c 'supervise 07-cgroup-ns-more --v1 --format=jsonl
		echo "status $?, left: $(find /sys/fs/cgroup /tmp -name "lab07*" | xargs)"' 3>&- </dev/null 2>/dev/null) || :
	same "failed and skipped" "0 1" "$(grep '^{' <<<"$out" | jq -r 'select(.event == "end") | "\(.failed) \(.skipped)"')"
	same "its end" "status 0, left: " "$(grep -v '^{' <<<"$out")"
}
