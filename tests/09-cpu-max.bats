#!/usr/bin/env bats
# bats file_tags=measures
# 09-cpu-max, seen from outside while it waits: the files of its groups in
# cgroup v2, and what spinners of this test's own get in those very groups.
# "# check:" names the lab's check whose fact is obtained here a second time.

load helper
program=09-cpu-max

# What the CPUs left idle since the boot, in usec; a tick of /proc/stat is 10 ms.
idle() {
	local name user nice system idle rest
	# shellcheck disable=SC2034 # the fields before it
	read -r name user nice system idle rest </proc/stat
	echo $((idle * 10000))
}

# spin_in GROUP COMMAND...: a spinner that enters, and then becomes COMMAND; sets spinner.
spin_in() {
	sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$@" >/dev/null 2>&1 3>&- &
	spinner=$!
	for ((tries = 100; tries > 0; tries--)); do
		[ "$(status_of $spinner Name)" != spin ] || return 0
		sleep 0.05
	done
	return 1
}

# usage GROUP: sets used and, right after that, at; usec, without a fork in between.
usage() {
	local key
	read -r key used <"$1/cpu.stat" && [ "$key" = usage_usec ]
	at=${EPOCHREALTIME/./}
}

# spun EXPECTED... -- [GROUP CPUS]...: a spinner in each group, on those CPUs (a list as taskset has it),
# for two seconds, under the lock of those who measure time. Prints what each got in thousandths of a CPU.
# Tries three times to see what is EXPECTED; "busy" when the machine left less idle than was missing.
spun() {
	local expected=() lock try i missing off idle used at before from spinners groups shares
	for (( ; $# > 0; )); do
		[ "$1" != -- ] || break
		expected+=("$1")
		shift
	done
	exec {lock}</sys/fs/cgroup
	! command -v flock >/dev/null || flock "$lock"
	for ((try = 1; try <= 3; try++)); do
		spinners=() groups=() before=() from=() shares=() missing=0 off=0
		for ((i = 2; i < $#; i += 2)); do
			spin_in "${!i}" taskset -c "${@:i+1:1}" spin || :
			spinners+=("$spinner") groups+=("${!i}")
		done
		idle=$(idle)
		for ((i = 0; i < ${#groups[@]}; i++)); do
			usage "${groups[i]}" || :
			before+=("$used") from+=("$at")
		done
		sleep 2
		for ((i = 0; i < ${#groups[@]}; i++)); do
			usage "${groups[i]}" || :
			shares+=($(((used - before[i]) * 1000 / (at - from[i]))))
			missing=$((missing + (expected[i] - shares[i]) * (at - from[i]) / 1000))
			((shares[i] * 100 >= expected[i] * 85 && shares[i] * 100 <= expected[i] * 115)) || off=1
		done
		idle=$(($(idle) - idle))
		kill -KILL "${spinners[@]}"
		wait "${spinners[@]}" 2>/dev/null || :
		[ $off != 0 ] || break
	done
	if [ $off != 0 ] && ((missing > 200000 && idle * 2 < missing)); then
		echo busy
	else
		echo "${shares[*]}"
	fi
	exec {lock}<&-
}

setup() {
	needs_lab "$program"
	PATH=$PATH:$ROOT/build/rootfs/bin
	allowed=$(status_of self Cpus_allowed_list)
	first=${allowed%%[,-]*}
	own=
}

teardown() {
	lab_stop "$own"
}

# at CHECK [OPTION]: the lab waits after that check; $top is the folder of its groups.
at() {
	lab_at "$1" "$LABS/$program" "${@:2}"
	top=$(find /sys/fs/cgroup -type d -name "lab09-$lab")
}

# A group of this test's own beside the lab's: $own.
make_group() {
	own=${top%/*}/unboxed-test-$$
	mkdir "$own"
}

# near WHAT EXPECTED OBSERVED: within 15 %
near() {
	[ "$3" != busy ] || skip "machine too busy: $1"
	within "$1" $(($2 * 85 / 100)) $(($2 * 115 / 100)) "$3"
}

@test "09-cpu-max: control: without a limit a spinner gets a whole CPU, and is never throttled" {
	at "control: nr_throttled" --seconds=1
	control=$top/control
	same "its cpu.max" "max 100000" "$(value "$control/cpu.max")"
	# check: control: usec in each period
	within "what the lab's spinner used" 1 99000000 "$(value "$control/cpu.stat" usage_usec)"
	near "thousandths of a CPU, in the lab's control group" 1000 "$(spun 1000 -- "$control" "$allowed")"
	# check: control: nr_throttled
	same "nr_throttled" 0 "$(value "$control/cpu.stat" nr_throttled)"
	# By hand.
	make_group
	near "the same in a group of our own" 1000 "$(spun 1000 -- "$own" "$allowed")"
}

@test "09-cpu-max: with cpu.max 50000 100000 it gets half of one, is throttled, and lives" {
	at "the spinner is"
	limited=$top/limited
	# check: cpu.max reads back
	same "cpu.max" "50000 100000" "$(value "$limited/cpu.max")"
	# check: the spinner is
	alive "$lab_pid"
	same "the group of the lab's spinner" "$limited" "$(group_of "$lab_pid")"
	# check: nr_throttled
	throttled=$(value "$limited/cpu.stat" nr_throttled)
	within "nr_throttled beside nr_periods, by the lab's spinner" 1 "$(value "$limited/cpu.stat" nr_periods)" "$throttled"
	# check: throttled_usec
	throttled_usec=$(value "$limited/cpu.stat" throttled_usec)
	within "throttled_usec, by the lab's spinner" 500000 10000000 "$throttled_usec"
	# check: limited: usec in each period
	near "thousandths of a CPU, in the lab's limited group" 500 "$(spun 500 -- "$limited" "$allowed")"
	within "nr_throttled, by ours too" $((throttled + 10)) $((throttled + 200)) "$(value "$limited/cpu.stat" nr_throttled)"
	within "throttled_usec, by ours too" $((throttled_usec + 500000)) $((throttled_usec + 10000000)) \
		"$(value "$limited/cpu.stat" throttled_usec)"
	# By hand.
	make_group
	echo "25000 100000" >"$own/cpu.max"
	near "thousandths of a CPU under 25000 100000" 250 "$(spun 250 -- "$own" "$allowed")"
	within "its nr_throttled" 10 200 "$(value "$own/cpu.stat" nr_throttled)"
}

@test "09-cpu-max: the samples of the drawing add up to what cpu.stat counts" {
	at "the spinner is"
	usage=$(value "$top/limited/cpu.stat" usage_usec)
	# check: running cells, % of usage_usec
	lab_go_until "running cells, % of usage_usec"
	samples=$(jq -c 'select(.event == "sample" and .series == "running") | [.value, .limit]' "$lab_dir/jsonl")
	same "how many, and how long each can be" "[200,10000]" "$(jq -sc '[length, .[0][1]]' <<<"$samples")"
	drawn=$(jq -s '[.[][0]] | add' <<<"$samples")
	# The lab measures a second time when the first was not as predicted; what is drawn is the last.
	[ "$usage" -lt $((drawn * 3 / 2)) ] || usage=$((usage / 2))
	near "usec of CPU, drawn beside counted" "$usage" "$drawn"
	# It runs and then stands still: few cells are neither full nor empty.
	clear=$(jq -s '[.[][0] | select(. < 2500 or . > 7500)] | length' <<<"$samples")
	within "cells that are nearly full or nearly empty" 120 200 "$clear"
}

@test "09-cpu-max: on one CPU two groups share as their weights say" {
	at "one CPU: heavy in % of light" --seconds=1
	light=$top/light heavy=$top/heavy
	# check: light: cpu.weight
	same "the light one's" 100 "$(value "$light/cpu.weight")"
	# check: heavy: cpu.weight
	same "the heavy one's" 300 "$(value "$heavy/cpu.weight")"
	for group in "$light" "$heavy"; do
		same "the CPU of the lab's spinner in it" "$first" "$(status_of "$(value "$group/cgroup.procs")" Cpus_allowed_list)"
	done
	# check: one CPU: heavy in % of light
	on_one=$(spun 250 750 -- "$light" "$first" "$heavy" "$first")
	[ "$on_one" != busy ] || skip "machine too busy"
	read -r a b <<<"$on_one"
	near "what the heavy one got, in percent of the light one" 300 $((b * 100 / a))
}

@test "09-cpu-max: with a CPU to spare the weights do nothing, and at its end no group is left" {
	[[ $allowed == *[,-]* ]] || skip "there is one CPU"
	at "two CPUs: heavy, % of a CPU"
	light=$top/light heavy=$top/heavy
	# check: two CPUs: light, % of a CPU
	# check: two CPUs: heavy, % of a CPU
	cpus=$(status_of "$(value "$light/cgroup.procs")" Cpus_allowed_list)
	[[ $cpus == *[,-]* ]] || same "where the lab's light one may run" "two CPUs" "$cpus"
	same "and its heavy one" "$cpus" "$(status_of "$(value "$heavy/cgroup.procs")" Cpus_allowed_list)"
	on_two=$(spun 1000 1000 -- "$light" "$allowed" "$heavy" "$allowed")
	lab_end
	same "its status" 0 "$lab_status"
	lab=
	[ ! -e "$top" ]
	[ "$on_two" != busy ] || skip "machine too busy"
	read -r a b <<<"$on_two"
	near "thousandths of a CPU, light" 1000 "$a"
	near "thousandths of a CPU, heavy" 1000 "$b"
}

@test "09-cpu-max: on one CPU it passes, and each check for which it needs two is a skip that says so" {
	local two="two threads: ran, ms a second/two threads: each stood still/two threads: nr_throttled/1.5 CPUs: ms a second"
	for run in "$program" "$program-more"; do
		run --separate-stderr taskset -c "${allowed%%[,-]*}" "$LABS/$run" --seconds=1 --plain
		same "$run: its status" 0 "$status"
		# Named, with the reason in the same line or the next: not for want of an idle machine. A user's group may have no
		# cpuset controller, and then that is the reason.
		mapfile -t skips < <(awk -F '  +' '$2 == "skip" { what = $3; at = NR }
			NR <= at + 1 && /there is one CPU|CPUs are needed|no cpuset controller/ && what { print what; what = "" }' <<<"$output")
		case $run in
		*more)
			skipped=$(printf '%s\n' "${skips[@]}" | paste -sd/)
			# Before Linux 6.2 who comes under a cpuset gets all CPUs back, so that this part can run.
			[ "$(printf '%s\n' 6.2 "$(uname -r)" | sort -V | head -n 1)" = 6.2 ] || skipped=${skipped%/part cpuset}/part\ cpuset
			same "$run: skips" "$two/part cpuset" "$skipped"
			;;
		*) same "$run: skips" "two CPUs: light, % of a CPU/two CPUs: heavy, % of a CPU" "$(printf '%s\n' "${skips[@]}" | paste -sd/)" ;;
		esac
	done
}

@test "09-cpu-max: --cpus is a quota in docker's words, for a command too" {
	read_max='cat "/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)/cpu.max"'
	same "--cpus 1.5" "150000 100000" "$("$LABS/$program" --cpus 1.5 -- sh -c "$read_max" 2>/dev/null)"
	same "--cpus 0.25 --period 20000" "5000 20000" \
		"$("$LABS/$program" --cpus 0.25 --period 20000 -- sh -c "$read_max" 2>/dev/null)"
	same "--quota 30000" "30000 100000" "$("$LABS/$program" --quota 30000 -- sh -c "$read_max" 2>/dev/null)"
}

@test "09-cpu-max: a window that is no two periods long, or longer than the lab waits, is wrong usage" {
	for wrong in "--seconds 1 --period 1000000" "--seconds 0.1" "--seconds 21"; do
		# shellcheck disable=SC2086 # two words, or four
		run "$LABS/$program" $wrong
		same "$wrong" 2 "$status"
	done
}
