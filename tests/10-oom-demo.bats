#!/usr/bin/env bats
# 10-oom-demo, seen from outside while it waits: the files of its groups in
# cgroup v2, what strace sees of the ends of its children, and the same act done
# by hand in a group of this test's own. "# check:" names the lab's check whose
# fact is obtained here a second time.

load helper
program=10-oom-demo
MiB=$((1024 * 1024))

# in_group GROUP COMMAND...: its status. The shell enters, and then becomes COMMAND.
in_group() {
	local result=0
	sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$@" >/dev/null 2>&1 3>&- || result=$?
	echo "$result"
}

setup_file() {
	"$LABS/$program" --can-run || return 0
	lab_start "$LABS/$program" --memory 32M
	fact lab "$lab"

	lab_go_to 1 || :
	top=$(find /sys/fs/cgroup -type d -name "lab10-$lab")
	control=$top/control limited=$top/limited by_hand=$top/by-hand
	fact top "$top"
	fact control_max "$(value "$control/memory.max")"
	fact control_peak "$(value "$control/memory.peak")"
	fact control_kills "$(value "$control/memory.events" oom_kill)"

	# The same act without the lab, beside its group: eat touches that much and ends.
	eat=$(type -P eat) || eat=$ROOT/build/rootfs/bin/eat
	own=${top%/*}/unboxed-test-$$
	mkdir "$own" "$own.free" "$own.kill" || :
	echo $((32 * MiB)) >"$own/memory.max" || :
	[ ! -e "$own/memory.swap.max" ] || echo 0 >"$own/memory.swap.max"
	fact own_status "$(in_group "$own" "$eat" 64M)"
	fact own_kills "$(value "$own/memory.events" oom_kill)"
	fact own_free_status "$(in_group "$own.free" "$eat" 64M)"
	fact own_free_kills "$(value "$own.free/memory.events" oom_kill)"
	fact own_kill_status "$(in_group "$own.kill" sh -c 'kill -KILL $$')"
	fact own_kill_kills "$(value "$own.kill/memory.events" oom_kill)"
	rmdir "$own" "$own.free" "$own.kill" || :

	lab_go_to 2 || :
	fact limit "$(value "$limited/memory.max")"
	fact swap "$(value "$limited/memory.swap.max")"
	fact kills "$(value "$limited/memory.events" oom_kill)"
	fact peak "$(value "$limited/memory.peak")"
	fact left_in_it "$(value "$limited/cgroup.procs")"

	lab_go_to 3 || :
	fact child "$lab_pid"
	fact child_alive "$(alive "$lab_pid" && echo yes)"
	fact child_group "$(sed -n 's/^0:://p' "/proc/$lab_pid/cgroup" 2>/dev/null)"
	fact by_hand_procs "$(value "$by_hand/cgroup.procs")"
	fact by_hand_limit "$(value "$by_hand/memory.max")"

	lab_go_to 4 || :
	fact child_alive_then "$(alive "$lab_pid" && echo yes)"
	fact by_hand_procs_then "$(value "$by_hand/cgroup.procs")"
	fact by_hand_kills "$(value "$by_hand/memory.events" oom_kill)"
	# A process of this test in the limited group: what does it see of the machine?
	total=$(grep MemTotal: /proc/meminfo)
	fact machine "$total; $(nproc) CPUs"
	fact view "$(sh -c 'echo $$ >"$0/cgroup.procs" && echo "$(grep MemTotal: /proc/meminfo); $(nproc) CPUs"' "$limited" 2>&1)"
	lab_end
	fact status "$lab_status"
	cp "$lab_dir/jsonl" "$BATS_FILE_TMPDIR/jsonl"

	strace -f -e trace=clone3,kill,execve -o "$BATS_FILE_TMPDIR/raw" \
		"$LABS/$program" --memory 32M --format=jsonl >/dev/null 2>&1 3>&- || :
	joined "$BATS_FILE_TMPDIR/raw" >"$BATS_FILE_TMPDIR/calls"
}

setup() {
	needs_lab "$program"
	read_facts
	calls=$BATS_FILE_TMPDIR/calls
}

# end_of PID: what the kernel told strace.
end_of() {
	sed -nE "s/^$1 +\\+\\+\\+ (.*) \\+\\+\\+\$/\\1/p" "$calls"
}

# The Nth process that was born in a group.
born() {
	sed -nE 's/^[0-9]+ +clone3\(\{flags=CLONE_INTO_CGROUP,.* = ([0-9]+)$/\1/p' "$calls" | sed -n "$1p"
}

@test "10-oom-demo: a limit of which three are not free here is asked for as missing memory" {
	max=$("$LABS/$program" --about | jq '.options[] | select(.name == "memory").max')
	run "$LABS/$program" --can-run --memory "$max"
	same "status" 77 "$status"
	[[ $output == *" of memory "* ]]
	# A COMMAND touches what it likes.
	"$LABS/$program" --can-run --memory "$max" -- true
}

@test "10-oom-demo: control: without a limit the same allocation ends with 0" {
	# check: control: exit status
	same "its memory.max" max "$control_max"
	# check: control: oom_kill
	same "its oom_kill" 0 "$control_kills"
	[ -z "$control_peak" ] || within "its memory.peak" $((64 * MiB)) $((80 * MiB)) "$control_peak"
	same "the end of the first child" "exited with 0" "$(end_of "$(born 1)")"
	# By hand.
	same "eat 64M without a limit" 0 "$own_free_status"
	same "its oom_kill" 0 "$own_free_kills"
}

@test "10-oom-demo: with memory.max and no swap it is killed at the limit: 137" {
	# check: memory.max reads back
	same "memory.max" $((32 * MiB)) "$limit"
	[ -z "$swap" ] || same "memory.swap.max" 0 "$swap"
	# check: memory.events: oom_kill
	same "oom_kill" 1 "$kills"
	same "processes in the group" "" "$left_in_it"
	# check: memory.peak
	[ -z "$peak" ] || within "memory.peak" $((32 * MiB * 9 / 10)) $((32 * MiB)) "$peak"
	# check: exit status: 128 + SIGKILL
	same "the end of the second child" "killed by SIGKILL" "$(end_of "$(born 2)")"
	same "kill(2) was called for it" "" "$(grep -E "kill\($(born 2)," "$calls" || :)"
	# By hand.
	same "eat 64M under 32M" 137 "$own_status"
	same "its oom_kill" 1 "$own_kills"
}

@test "10-oom-demo: SIGKILL by hand is 137 as well, and memory.events tells the two apart" {
	# check: by hand: memory.max reads back
	same "memory.max" $((32 * MiB)) "$by_hand_limit"
	same "who is in the group" "$child" "$by_hand_procs"
	same "and lives" yes "$child_alive"
	[[ $child_group == */lab10-$lab/by-hand ]]
	same "then it lives" "" "$child_alive_then"
	same "who is in the group then" "" "$by_hand_procs_then"
	# check: by hand: oom_kill
	same "oom_kill" 0 "$by_hand_kills"
	# check: by hand: 128 + SIGKILL
	victim=$(sed -nE 's/^[0-9]+ +kill\(([0-9]+), SIGKILL\) += 0$/\1/p' "$calls")
	same "whom kill(2) named" "$(born 3)" "$victim"
	same "the end of that one" "killed by SIGKILL" "$(end_of "$victim")"
	# By hand.
	same "a shell that kills itself" 137 "$own_kill_status"
	same "its oom_kill" 0 "$own_kill_kills"
}

@test "10-oom-demo: a limit is not a view: inside it the machine looks as large as outside" {
	# check: inside: MemTotal in bytes
	# check: inside: CPUs
	same "MemTotal and CPUs, seen in the limited group" "$machine" "$view"
	same "the limit then" $((32 * MiB)) "$limit"
}

@test "10-oom-demo: memory.current is sampled from 0 to the limit" {
	samples=$(jq -c 'select(.event == "sample" and .series == "memory.current") | [.value, .limit]' "$BATS_FILE_TMPDIR/jsonl")
	jq -es --argjson limit $((32 * MiB)) 'length >= 20
		and all(.[1] == $limit and .[0] >= 0 and .[0] <= $limit)
		and ([.[][0]] | . == sort)
		and first[0] < $limit / 4 and last[0] >= $limit * 0.9' <<<"$samples" >/dev/null || {
		echo "samples: expected at least 20 that rise to the limit, observed $samples"
		return 1
	}
}

@test "10-oom-demo: nothing of its groups is left, and its verdict is pass" {
	same "its status" 0 "$status"
	[ -n "$top" ]
	[ ! -e "$top" ]
}
