#!/usr/bin/env bats
# 08-pids-max, seen from outside while it waits: the files of its groups, who is
# in them, and what a fork of this test's own meets inside and outside of the box
# while the bomb burns; and the same by hand in a group of this test's own.
# "# check:" names the lab's check whose fact is obtained here a second time.

# shellcheck disable=SC2154 # the helper's variables
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

# The program that forks, and nothing of the lab's.
forks() {
	type -P forks || echo "$ROOT/build/rootfs/bin/forks"
}

# forked_outside COUNT: how many of so many forks of this shell's are made
forked_outside() {
	local i made=0
	for ((i = 0; i < $1; i++)); do
		if (exit 0); then
			made=$((made + 1))
		fi
	done
	echo $made
}

setup() {
	[[ $BATS_TEST_DESCRIPTION == *"unless that was typed"* ]] || needs_lab "$program"
	own=
}

teardown() {
	lab_stop "$own"
}

# at CHECK: the lab waits after that check; $top is the folder of its groups.
at() {
	lab_at "$1" "$LABS/$program" --pids 16
	top=$(find /sys/fs/cgroup -type d -name "lab08-$lab")
}

# limit_by_hand MAX: a group of this test's own beside the lab's: $own.
limit_by_hand() {
	own=${top%/*}/unboxed-test-$$
	mkdir "$own"
	echo "$1" >"$own/pids.max"
}

@test "08-pids-max: control: with a limit of 4N the bounded loop goes through" {
	at "control: forked"
	# check: control: pids.max reads back
	same "pids.max" 64 "$(value "$top/control/pids.max")"
	# check: control: forked
	same "tasks: the first and its 2N" 33 "$(value "$top/control/pids.current")"
	# check: control: the last fork
	same "refusals" 0 "$(value "$top/control/pids.events" max)"
	limit_by_hand 64
	same "by hand: forks 32 under 64" "forks: 32 children held at once" "$(in_group "$own" "$(forks)" 32)"
}

@test "08-pids-max: with N exactly N tasks exist, and the next fork is refused with EAGAIN" {
	at "who was refused has ended"
	limited=$top/limited
	# check: pids.max reads back
	same "pids.max" 16 "$(value "$limited/pids.max")"
	# check: pids.current
	same "tasks" 16 "$(value "$limited/pids.current")"
	# check: forked, beside the first
	# check: who was refused has ended
	same "processes that live in it" 16 "$(living "$limited")"
	# check: the next fork
	same "refusals" 1 "$(value "$limited/pids.events" max)"
	same "a fork of ours in there" "forks: child 1 refused: EAGAIN" "$(in_group "$limited" "$(forks)" 1)"
	same "refusals then" 2 "$(value "$limited/pids.events" max)"
	limit_by_hand 16
	same "by hand: forks 32 under 16" "forks: child 16 refused: EAGAIN" "$(in_group "$own" "$(forks)" 32)"
	same "refusals" 1 "$(value "$own/pids.events" max)"
}

@test "08-pids-max: before the bomb is lit there is a box, a safety group around it, and nobody in it" {
	at "before: forks outside"
	# check: safety limit: pids.max reads back
	same "the safety group's pids.max" 64 "$(value "$top/safety/pids.max")"
	# check: box: pids.max reads back
	same "the box's pids.max" 16 "$(value "$top/safety/box/pids.max")"
	same "who is in it" "" "$(value "$top/safety/box/cgroup.procs")"
	# check: before: forks outside
	same "forks of ours, of 20" 20 "$(forked_outside 20)"
}

@test "08-pids-max: while the bomb burns forks work outside and are refused inside" {
	at "before: forks outside"
	box=$top/safety/box forks=$(forks) seats='' begun=$SECONDS
	lab_go_until "tasks in its full box"
	# It burns for ten seconds at most, and every fork costs: so by the shell alone, but for those that count.
	{
		read -r burning <"$box/pids.current"
		read -r _ counted <"$box/pids.events"
		mapfile -t bomb <"$box/cgroup.procs"
		made=$(forked_outside 5)
		inside=$(in_group "$box" "$forks" 1)
		read -r _ counted_then <"$box/pids.events"
		read -r _ burning_then <"$box/cgroup.events"
		for pid in "${bomb[@]}"; do
			read -r seat <"/proc/$pid/cgroup" || seat="$pid has none"
			[[ $seats == *"$seat;"* ]] || seats+="$seat;"
		done
	} 2>/dev/null
	[ "$burning_then" = 1 ] || [ $((SECONDS - begun)) -lt 10 ] || skip "machine too busy: it burns for ten seconds"
	# check: the bomb is in
	same "the group of each of its processes" "0::${box#/sys/fs/cgroup};" "$seats"
	# check: tasks in its full box
	same "tasks in the box" 16 "$burning"
	# check: while it burns: EAGAIN inside
	same "a fork of ours inside" "forks: child 1 refused: EAGAIN" "$inside"
	# check: while it burns: forks outside
	same "forks of ours outside, of 5" 5 "$made"
	same "it burned all the time: populated" 1 "$burning_then"
	# check: pids.events has counted them
	within "refusals" 101 999999999 "$counted"
	within "more refusals then" $((counted + 1)) 999999999 "$counted_then"
}

@test "08-pids-max: one write to cgroup.kill ends it, and nothing of its groups is left" {
	begun=$SECONDS
	at "tasks in its full box"
	mapfile -t bomb <"$top/safety/box/cgroup.procs"
	[ ${#bomb[@]} -gt 0 ] || [ $((SECONDS - begun)) -lt 10 ] || skip "machine too busy: it burns for ten seconds"
	same "processes of the bomb" 16 ${#bomb[@]}
	lab_go_until "the bomb's first process"
	# check: populated 0 comes
	same "populated" 0 "$(value "$top/safety/cgroup.events" populated)"
	same "who is in the box" "" "$(value "$top/safety/box/cgroup.procs")"
	# check: the bomb's first process
	all_gone "${bomb[@]}"
	# By hand.
	limit_by_hand max
	in_group "$own" sleep 100 &
	for ((tries = 100; tries > 0; tries--)); do
		sleeper=$(value "$own/cgroup.procs")
		[ -z "$sleeper" ] || [ "$(status_of "$sleeper" Name)" != sleep ] || break
		sleep 0.05
	done
	if [ -e "$own/cgroup.kill" ]; then
		echo 1 >"$own/cgroup.kill"
	else # before Linux 5.14
		echo 1 >"$own/cgroup.freeze"
		kill -KILL "$sleeper"
		echo 0 >"$own/cgroup.freeze"
	fi
	wait $! || :
	all_gone "$sleeper"
	rmdir "$own"
	lab_end
	same "its status" 0 "$lab_status"
	lab=
	[ ! -e "$top" ]
}

@test "08-pids-max: it does not run on a host unless that was typed" {
	host_only "the lab VM is where it belongs"
	result=0
	"$ROOT/build/labs/$program" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" </dev/null || result=$?
	same "its status" 77 "$result"
	same "what it has written" "" "$(<"$BATS_TEST_TMPDIR/out")"
	grep -q "dangerous.*WHERE=host" "$BATS_TEST_TMPDIR/err"
	run -77 strace -f -qq -o "$BATS_TEST_TMPDIR/calls" -e 'trace=execve,?fork,?vfork,clone,clone3,?mkdir,mkdirat' \
		"$ROOT/build/labs/$program" 3>&- </dev/null
	same "calls, of forks and folders too" execve "$(grep -oE '[a-z0-9_]+\(' "$BATS_TEST_TMPDIR/calls" | tr -d '(' | xargs)"
}
