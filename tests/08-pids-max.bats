#!/usr/bin/env bats
# 08-pids-max, seen from outside while it waits: the files of its groups, who is
# in them, and what a fork of this test's own meets inside and outside of the box
# while the bomb burns; and the same by hand in groups of this test's own.
# "# check:" names the lab's check whose fact is obtained here a second time.

# shellcheck disable=SC2154 # facts and the helper's variables
load helper
program=08-pids-max

# living GROUP: how many of those whom it lists are alive
living() {
	local pid count=0
	for pid in $(value "$1/cgroup.procs"); do
		! alive "$pid" || count=$((count + 1))
	done
	echo "$count"
}

# in_group GROUP COMMAND...: what it prints. The shell enters, and then becomes COMMAND.
in_group() {
	sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$@" 2>&1 3>&- || :
}

setup_file() {
	"$LABS/$program" --can-run || return 0
	forks=$(type -P forks) || forks=$ROOT/build/rootfs/bin/forks
	lab_start "$LABS/$program" --pids 16

	lab_go_to 1 || :
	top=$(find /sys/fs/cgroup -type d -name "lab08-$lab")
	box=$top/safety/box
	fact lab "$lab"
	fact top "$top"
	fact control_max "$(value "$top/control/pids.max")"
	fact control_current "$(value "$top/control/pids.current")"
	fact control_events "$(value "$top/control/pids.events" max)"

	# The same acts by hand, beside its groups.
	own=${top%/*}/unboxed-test-$$
	mkdir "$own" "$own.free" || :
	echo 16 >"$own/pids.max" || :
	echo 64 >"$own.free/pids.max" || :
	fact own "$(in_group "$own" "$forks" 32)"
	fact own_events "$(value "$own/pids.events" max)"
	fact own_free "$(in_group "$own.free" "$forks" 32)"
	in_group "$own.free" sleep 100 &
	for ((tries = 100; tries > 0; tries--)); do
		sleeper=$(value "$own.free/cgroup.procs")
		[ -z "$sleeper" ] || [ "$(status_of "$sleeper" Name)" != sleep ] || break
		sleep 0.05
	done
	echo 1 >"$own.free/cgroup.kill" || :
	wait $! || :
	fact own_killed "$(all_gone "$sleeper" && echo gone)"
	rmdir "$own" "$own.free" || :

	lab_go_to 2 || :
	fact max "$(value "$top/limited/pids.max")"
	fact current "$(value "$top/limited/pids.current")"
	fact living "$(living "$top/limited")"
	fact events "$(value "$top/limited/pids.events" max)"
	fact one_more "$(in_group "$top/limited" "$forks" 1)"
	fact events_then "$(value "$top/limited/pids.events" max)"

	lab_go_to 3 || :
	fact safety_max "$(value "$top/safety/pids.max")"
	fact box_max "$(value "$box/pids.max")"
	fact box_before "$(value "$box/cgroup.procs")"
	made=0
	for ((i = 0; i < 20; i++)); do
		if (exit 0); then
			made=$((made + 1))
		fi
	done
	fact outside_before "$made"

	lab_go_to 4 || :
	# It burns for ten seconds at most, and every fork costs: so by the shell alone, but for those that count.
	{
		read -r burning <"$box/pids.current"
		read -r _ counted <"$box/pids.events"
		mapfile -t bomb <"$box/cgroup.procs"
		made=0
		for ((i = 0; i < 5; i++)); do
			if (exit 0); then
				made=$((made + 1))
			fi
		done
		in_group "$box" "$forks" 1 >"$BATS_FILE_TMPDIR/inside"
		read -r _ counted_then <"$box/pids.events"
		read -r _ burning_then <"$box/cgroup.events"
		for pid in "${bomb[@]}"; do
			read -r seat <"/proc/$pid/cgroup" || seat="$pid has none"
			[[ ${seats-} == *"$seat;"* ]] || seats+="$seat;"
		done
	} 2>/dev/null || :
	fact burning "${burning-}"
	fact counted "${counted-}"
	fact outside "$made"
	fact inside "$(<"$BATS_FILE_TMPDIR/inside")"
	fact counted_then "${counted_then-}"
	fact burning_then "${burning_then-}"
	fact seats "${seats-}"

	lab_go_to 5 || :
	fact after "$(value "$top/safety/cgroup.events" populated)"
	fact after_procs "$(value "$box/cgroup.procs")"
	fact bomb_gone "$([ ${#bomb[@]} = 16 ] && all_gone "${bomb[@]}" && echo gone)"
	lab_end
	fact status "$lab_status"
}

setup() {
	[[ $BATS_TEST_DESCRIPTION == *"unless that was typed"* ]] || needs_lab "$program"
	read_facts
}

@test "08-pids-max: control: with a limit of 4N the bounded loop goes through" {
	# check: control: pids.max reads back
	same "pids.max" 64 "$control_max"
	# check: control: forked
	same "tasks: the first and its 2N" 33 "$control_current"
	# check: control: the last fork
	same "refusals" 0 "$control_events"
	same "by hand: forks 32 under 64" "forks: 32 children held at once" "$own_free"
}

@test "08-pids-max: with N exactly N tasks exist, and the next fork is refused with EAGAIN" {
	# check: pids.max reads back
	same "pids.max" 16 "$max"
	# check: pids.current
	same "tasks" 16 "$current"
	# check: forked, beside the first
	# check: who was refused has ended
	same "processes that live in it" 16 "$living"
	# check: the next fork
	same "refusals" 1 "$events"
	same "a fork of ours in there" "forks: child 1 refused: EAGAIN" "$one_more"
	same "refusals then" 2 "$events_then"
	same "by hand: forks 32 under 16" "forks: child 16 refused: EAGAIN" "$own"
	same "refusals" 1 "$own_events"
}

@test "08-pids-max: before the bomb is lit there is a box, a safety group around it, and nobody in it" {
	# check: safety limit: pids.max reads back
	same "the safety group's pids.max" 64 "$safety_max"
	# check: box: pids.max reads back
	same "the box's pids.max" 16 "$box_max"
	same "who is in it" "" "$box_before"
	# check: before: forks outside
	same "forks of ours, of 20" 20 "$outside_before"
}

@test "08-pids-max: while the bomb burns forks work outside and are refused inside" {
	# check: the bomb is in
	same "the group of each of its processes" "0::${top#/sys/fs/cgroup}/safety/box;" "$seats"
	# check: tasks in its full box
	same "tasks in the box" 16 "$burning"
	# check: while it burns: EAGAIN inside
	same "a fork of ours inside" "forks: child 1 refused: EAGAIN" "$inside"
	# check: while it burns: forks outside
	same "forks of ours outside, of 5" 5 "$outside"
	same "it burned all the time: populated" 1 "$burning_then"
	# check: pids.events has counted them
	within "refusals" 101 999999999 "$counted"
	within "more refusals then" $((counted + 1)) 999999999 "$counted_then"
}

@test "08-pids-max: one write to cgroup.kill ends it" {
	# check: populated 0 comes
	same "populated" 0 "$after"
	same "who is in the box" "" "$after_procs"
	# check: the bomb's first process
	same "its processes" gone "$bomb_gone"
	same "by hand: a sleep in a group that is killed" gone "$own_killed"
}

@test "08-pids-max: nothing of its groups is left, and its verdict is pass" {
	same "its status" 0 "$status"
	[ -n "$top" ]
	[ ! -e "$top" ]
}

@test "08-pids-max: it does not run on a host unless that was typed" {
	host_only "the lab VM is where it belongs"
	result=0
	"$LABS/$program" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" </dev/null || result=$?
	same "its status" 77 "$result"
	same "what it has written" "" "$(<"$BATS_TEST_TMPDIR/out")"
	grep -q "dangerous.*WHERE=host" "$BATS_TEST_TMPDIR/err"
	strace -f -qq -o "$BATS_TEST_TMPDIR/calls" -e trace=fork,clone,clone3,mkdir "$LABS/$program" >/dev/null 2>&1 3>&- </dev/null || :
	same "forks and folders" "" "$(<"$BATS_TEST_TMPDIR/calls")"
}
