#!/usr/bin/env bats
# 10-oom-demo, seen from outside while it waits: the files of its groups in
# cgroup v2, what strace sees of the ends of its children, and the same done by
# hand in a group of this test's own. "# check:" names the lab's check whose
# fact is obtained here a second time.

# shellcheck disable=SC2154 # set by the helper
load helper
program=10-oom-demo
MiB=$((1024 * 1024))

# One run under strace, for all tests: the ends of its children are in calls, its samples in jsonl.
setup_file() {
	"$LABS/$program" --can-run || return 0
	strace -f -e trace=clone3,kill,execve -o "$BATS_FILE_TMPDIR/raw" \
		"$LABS/$program" --memory 32M --format=jsonl >"$BATS_FILE_TMPDIR/jsonl" 2>/dev/null 3>&- || :
	joined "$BATS_FILE_TMPDIR/raw" >"$BATS_FILE_TMPDIR/calls"
}

setup() {
	needs_lab "$program"
	calls=$BATS_FILE_TMPDIR/calls
	own=
}

teardown() {
	lab_stop "$own"
}

# at CHECK: the lab waits after that check; $top is the folder of its groups.
at() {
	lab_at "$1" "$LABS/$program" --memory 32M
	top=$(find /sys/fs/cgroup -type d -name "lab10-$lab")
}

# A group of this test's own beside the lab's: $own.
make_group() {
	own=${top%/*}/unboxed-test-$$
	mkdir "$own"
}

# in_group GROUP COMMAND...: its status. The shell enters, and then becomes COMMAND.
in_group() {
	local result=0
	sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$@" >/dev/null 2>&1 3>&- || result=$?
	echo "$result"
}

# The program that touches memory, and nothing of the lab's.
eat() {
	type -P eat || echo "$ROOT/build/rootfs/bin/eat"
}

# end_of PID: what the kernel told strace.
end_of() {
	sed -nE "s/^$1 +\\+\\+\\+ (.*) \\+\\+\\+\$/\\1/p" "$calls"
}

# The Nth process that was born in a group.
born() {
	sed -nE 's/^[0-9]+ +clone3\(\{flags=CLONE_INTO_CGROUP,.* = ([0-9]+)$/\1/p' "$calls" | sed -n "$1p"
}

@test "10-oom-demo: a limit that needs more memory than this machine has is refused as missing memory" {
	max=$("$LABS/$program" --about | jq '.options[] | select(.name == "memory").max')
	run "$LABS/$program" --can-run --memory "$max"
	same "status" 77 "$status"
	[[ $output == *" of memory "* ]]
	# A COMMAND touches what it likes.
	"$LABS/$program" --can-run --memory "$max" -- true
}

@test "10-oom-demo: control: without a limit the same allocation ends with 0" {
	at "control: oom_kill"
	same "its memory.max" max "$(value "$top/control/memory.max")"
	# check: control: oom_kill
	same "its oom_kill" 0 "$(value "$top/control/memory.events" oom_kill)"
	peak=$(value "$top/control/memory.peak")
	[ -z "$peak" ] || within "its memory.peak" $((64 * MiB)) $((80 * MiB)) "$peak"
	# check: control: exit status
	same "the end of the first child" "exited with 0" "$(end_of "$(born 1)")"
	# By hand.
	make_group
	same "eat 64M without a limit" 0 "$(in_group "$own" "$(eat)" 64M)"
	same "its oom_kill" 0 "$(value "$own/memory.events" oom_kill)"
}

@test "10-oom-demo: with memory.max and no swap the kernel kills at the limit: 137" {
	at "memory.events: oom_kill"
	limited=$top/limited
	# check: memory.max reads back
	same "memory.max" $((32 * MiB)) "$(value "$limited/memory.max")"
	swap=$(value "$limited/memory.swap.max")
	[ -z "$swap" ] || same "memory.swap.max" 0 "$swap"
	# check: memory.events: oom_kill
	same "oom_kill" 1 "$(value "$limited/memory.events" oom_kill)"
	same "processes in the group" "" "$(value "$limited/cgroup.procs")"
	# check: memory.peak
	peak=$(value "$limited/memory.peak")
	[ -z "$peak" ] || within "memory.peak" $((32 * MiB * 9 / 10)) $((32 * MiB)) "$peak"
	# check: exit status: 128 + SIGKILL
	same "the end of the second child" "killed by SIGKILL" "$(end_of "$(born 2)")"
	same "kill(2) was called for it" "" "$(grep -E "kill\($(born 2)," "$calls" || :)"
	# By hand.
	make_group
	echo $((32 * MiB)) >"$own/memory.max"
	[ ! -e "$own/memory.swap.max" ] || echo 0 >"$own/memory.swap.max"
	same "eat 64M under 32M" 137 "$(in_group "$own" "$(eat)" 64M)"
	same "its oom_kill" 1 "$(value "$own/memory.events" oom_kill)"
}

@test "10-oom-demo: what no address of 32 bits reaches is refused, and not cut" {
	[[ $HOSTTYPE == i?86 ]] || skip "this machine has 64 bits"
	run "$(eat)" 4097M --no-touch
	same "its status" 1 "$status"
	same "its words" "eat: mmap of 4296015872 bytes refused: ENOMEM" "$output"
}

@test "10-oom-demo: SIGKILL by hand is 137 as well, and memory.events tells the two apart" {
	at "by hand: memory.max reads back"
	by_hand=$top/by-hand child=$lab_pid
	# check: by hand: memory.max reads back
	same "memory.max" $((32 * MiB)) "$(value "$by_hand/memory.max")"
	same "the processes in the group" "$child" "$(value "$by_hand/cgroup.procs")"
	alive "$child"
	same "the child's group" "$by_hand" "$(group_of "$child")"
	lab_go_until "by hand: oom_kill"
	all_gone "$child"
	same "the processes in the group after the kill" "" "$(value "$by_hand/cgroup.procs")"
	# check: by hand: oom_kill
	same "oom_kill" 0 "$(value "$by_hand/memory.events" oom_kill)"
	# check: by hand: 128 + SIGKILL
	victim=$(sed -nE 's/^[0-9]+ +kill\(([0-9]+), SIGKILL\) += 0$/\1/p' "$calls")
	same "the process that kill(2) named" "$(born 3)" "$victim"
	same "the end of that one" "killed by SIGKILL" "$(end_of "$victim")"
	# By hand.
	make_group
	# shellcheck disable=SC2016 # that shell expands it
	same "a shell that kills itself" 137 "$(in_group "$own" sh -c 'kill -KILL $$')"
	same "its oom_kill" 0 "$(value "$own/memory.events" oom_kill)"
}

@test "10-oom-demo: a limit is not a view: inside it the machine looks as large as outside" {
	at "inside: CPUs"
	same "the limit" $((32 * MiB)) "$(value "$top/limited/memory.max")"
	# check: inside: MemTotal in bytes
	# check: inside: CPUs
	machine="$(grep MemTotal: /proc/meminfo); $(nproc) CPUs"
	# shellcheck disable=SC2016 # that shell expands it
	same "MemTotal and CPUs, seen in the limited group" "$machine" "$(
		sh -c 'echo $$ >"$0/cgroup.procs" && echo "$(grep MemTotal: /proc/meminfo); $(nproc) CPUs"' "$top/limited" 2>&1
	)"
}

# Each CPU may give back what it has in stock, 64 pages: MEMCG_CHARGE_BATCH of mm/memcontrol.c.
@test "10-oom-demo: memory.current is sampled from 0 to the limit" {
	samples=$(jq -c 'select(.event == "sample" and .series == "memory.current") | [.value, .limit]' "$BATS_FILE_TMPDIR/jsonl")
	jq -es --argjson limit $((32 * MiB)) --argjson stock $((64 * 4096 * $(nproc))) 'length >= 20
		and all(.[1] == $limit and .[0] >= 0 and .[0] <= $limit)
		and ([.[][0]] as $at | all(range(1; length); $at[.] >= $at[. - 1] - $stock))
		and first[0] < $limit / 4 and last[0] >= $limit * 0.9' <<<"$samples" >/dev/null || {
		echo "samples: expected at least 20 that rise to the limit, observed $samples"
		return 1
	}
}

@test "10-oom-demo: it ends with 0, and none of its groups is left" {
	at "inside: CPUs"
	[ -d "$top" ]
	lab_end
	same "its status" 0 "$lab_status"
	lab=
	[ ! -e "$top" ]
}
