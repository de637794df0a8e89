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
	for ((i = 2; i < $#; i += 2)); do
		[ -e "${!i}/cpu.stat" ] || return 0 # nothing to say of a group that is not there
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

setup_file() {
	"$LABS/$program" --can-run || return 0
	PATH=$PATH:$ROOT/build/rootfs/bin
	lab_start "$LABS/$program"
	fact lab "$lab"
	allowed=$(status_of self Cpus_allowed_list)
	first=${allowed%%[,-]*}

	lab_go_to 1 || :
	top=$(find /sys/fs/cgroup -type d -name "lab09-$lab")
	control=$top/control limited=$top/limited light=$top/light heavy=$top/heavy
	fact top "$top"
	fact control_max "$(value "$control/cpu.max")"
	fact control_usage "$(value "$control/cpu.stat" usage_usec)"
	fact control_share "$(spun 1000 -- "$control" "$allowed")"
	fact control_throttled "$(value "$control/cpu.stat" nr_throttled)"

	lab_go_to 2 || :
	fact limit "$(value "$limited/cpu.max")"
	fact periods "$(value "$limited/cpu.stat" nr_periods)"
	fact usage "$(value "$limited/cpu.stat" usage_usec)"
	fact throttled "$(value "$limited/cpu.stat" nr_throttled)"
	fact throttled_usec "$(value "$limited/cpu.stat" throttled_usec)"
	fact spinner_alive "$(alive "$lab_pid" && echo yes)"
	fact spinner_group "$(sed -n 's/^0:://p' "/proc/$lab_pid/cgroup" 2>/dev/null)"
	fact limited_share "$(spun 500 -- "$limited" "$allowed")"
	fact throttled_then "$(value "$limited/cpu.stat" nr_throttled)"
	fact throttled_usec_then "$(value "$limited/cpu.stat" throttled_usec)"

	# The same without the lab, in a group beside its own.
	own=${top%/*}/unboxed-test-$$
	mkdir "$own" || :
	fact own_free "$(spun 1000 -- "$own" "$allowed")"
	echo "25000 100000" >"$own/cpu.max" || :
	fact own_limited "$(spun 250 -- "$own" "$allowed")"
	fact own_throttled "$(value "$own/cpu.stat" nr_throttled)"
	rmdir "$own" || :

	lab_go_to 4 || :
	fact light_weight "$(value "$light/cpu.weight")"
	fact heavy_weight "$(value "$heavy/cpu.weight")"
	light_pid=$(value "$light/cgroup.procs") heavy_pid=$(value "$heavy/cgroup.procs")
	fact pinned "$(status_of "$light_pid" Cpus_allowed_list) $(status_of "$heavy_pid" Cpus_allowed_list)"
	fact on_one "$(spun 250 750 -- "$light" "$first" "$heavy" "$first")"

	lab_go_to 5 || :
	fact light_cpus "$(status_of "$light_pid" Cpus_allowed_list)"
	fact heavy_cpus "$(status_of "$heavy_pid" Cpus_allowed_list)"
	fact on_two "$(spun 1000 1000 -- "$light" "$allowed" "$heavy" "$allowed")"
	fact light_usage "$(value "$light/cpu.stat" usage_usec)"
	lab_end
	fact status "$lab_status"
	cp "$lab_dir/jsonl" "$BATS_FILE_TMPDIR/jsonl"
	fact allowed "$allowed"
	fact first "$first"
}

setup() {
	needs_lab "$program"
	read_facts
}

# near WHAT EXPECTED OBSERVED: within 15 %
near() {
	[ "$3" != busy ] || skip "machine too busy: $1"
	within "$1" $(($2 * 85 / 100)) $(($2 * 115 / 100)) "$3"
}

@test "09-cpu-max: control: without a limit a spinner gets a whole CPU, and is never throttled" {
	same "its cpu.max" "max 100000" "$control_max"
	# check: control: nr_throttled
	same "nr_throttled" 0 "$control_throttled"
	# check: control: usec in each period
	within "what the lab's spinner used" 1 99000000 "$control_usage"
	near "thousandths of a CPU, in the lab's control group" 1000 "$control_share"
	near "the same in a group of our own" 1000 "$own_free"
}

@test "09-cpu-max: with cpu.max 50000 100000 it gets half of one, is throttled, and lives" {
	# check: cpu.max reads back
	same "cpu.max" "50000 100000" "$limit"
	# check: limited: usec in each period
	near "thousandths of a CPU, in the lab's limited group" 500 "$limited_share"
	# check: nr_throttled
	within "nr_throttled beside nr_periods, by the lab's spinner" 1 "$periods" "$throttled"
	within "nr_throttled, by ours too" $((throttled + 10)) $((throttled + 200)) "$throttled_then"
	# check: throttled_usec
	within "throttled_usec, by the lab's spinner" 500000 10000000 "$throttled_usec"
	within "throttled_usec, by ours too" $((throttled_usec + 500000)) $((throttled_usec + 10000000)) "$throttled_usec_then"
	# check: the spinner is
	same "the lab's spinner lives" yes "$spinner_alive"
	[[ $spinner_group == */lab09-$lab/limited ]]
	# By hand.
	near "thousandths of a CPU under 25000 100000" 250 "$own_limited"
	within "its nr_throttled" 10 200 "$own_throttled"
}

@test "09-cpu-max: the samples of the drawing add up to what cpu.stat counts" {
	# check: running cells, % of usage_usec
	samples=$(jq -c 'select(.event == "sample" and .series == "running") | [.value, .limit]' "$BATS_FILE_TMPDIR/jsonl")
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
	# check: light: cpu.weight
	same "the light one's" 100 "$light_weight"
	# check: heavy: cpu.weight
	same "the heavy one's" 300 "$heavy_weight"
	same "the CPU of both of the lab's spinners" "$first $first" "$pinned"
	# check: one CPU: heavy in % of light
	[ "$on_one" != busy ] || skip "machine too busy"
	read -r a b <<<"$on_one"
	near "what the heavy one got, in percent of the light one" 300 $((b * 100 / a))
}

@test "09-cpu-max: with a CPU to spare the weights do nothing" {
	# check: two CPUs: light, % of a CPU
	# check: two CPUs: heavy, % of a CPU
	[[ $light_cpus == *[,-]* ]] || same "where the lab's light one may run" "two CPUs" "$light_cpus"
	same "and its heavy one" "$light_cpus" "$heavy_cpus"
	[ "$on_two" != busy ] || skip "machine too busy"
	read -r a b <<<"$on_two"
	near "thousandths of a CPU, light" 1000 "$a"
	near "thousandths of a CPU, heavy" 1000 "$b"
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

@test "09-cpu-max: nothing of its groups is left, and its verdict is pass" {
	same "its status" 0 "$status"
	[ -n "$top" ]
	[ ! -e "$top" ]
}
