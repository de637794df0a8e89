#!/usr/bin/env bats
# 11-time-ns, seen from outside while it waits: the namespaces of its processes,
# the offsets that the kernel reports for them, and /proc/uptime and date(1) of a
# process that enters one. "# check:" names the lab's check whose fact is
# obtained here again.

# shellcheck disable=SC2154 # set by the helper
load helper
program=11-time-ns
offset=86400000 # a thousand days
machine_ns=$(readlink /proc/self/ns/time) || :

setup() {
	needs_lab "$program"
}

teardown() {
	lab_stop
}

# "monotonic 0 0 boottime 0 0": of the namespace in which PID's next children are.
offsets() {
	xargs <"/proc/$1/timens_offsets"
}

# is_ahead WHAT SECONDS uptime|date [PREFIX...]: that clock, read by a command behind PREFIX, is so far ahead of the
# machine's. The machine's is read before and after, so the difference lies between two bounds.
is_ahead() {
	local read_clock=(sed 's/\..*//' /proc/uptime) before within after
	[ "$3" = uptime ] || read_clock=(date +%s)
	before=$("${read_clock[@]}")
	within=$("${@:4}" "${read_clock[@]}" 2>/dev/null)
	after=$("${read_clock[@]}")
	[[ $within =~ ^[0-9]+$ ]] && ((within - after <= $2 && $2 <= within - before)) && return
	printf '%s: expected %s s ahead, observed %s to %s\n' "$1" "$2" "$((within - after))" "$((within - before))"
	return 1
}

# From outside, into what a process has asked for.
write_offset() {
	{ echo "$2" >"/proc/$1/timens_offsets"; } 2>/dev/null && echo yes || echo no
}

# The lab's calls, as strace sees them: $calls.
trace() {
	calls=$BATS_TEST_TMPDIR/calls
	strace -f -qq -s 128 -e trace="$1" -o "$calls" "$LABS/$program" --format=jsonl >/dev/null 2>&1 3>&- || :
	[ -s "$calls" ]
}

@test "11-time-ns: control: a plain child has the clocks of this machine" {
	lab_at "control: /proc/uptime, s" "$LABS/$program"
	same "its namespace" "$machine_ns" "$(ns_of "$lab_pid" time)"
	# check: control: CLOCK_MONOTONIC, s
	# check: control: /proc/uptime, s
	same "its offsets" "monotonic 0 0 boottime 0 0" "$(offsets "$lab_pid")"
	trace clock_settime,settimeofday,unshare
	same "calls that set a clock" "" "$(grep settime "$calls" || :)"
}

@test "11-time-ns: who asks for a time namespace stays outside, the next children are inside" {
	lab_at "our /proc/self/ns/time" "$LABS/$program"
	before=$(offsets self)
	# check: our /proc/self/ns/time
	same "the lab's namespace" "$machine_ns" "$(ns_of "$lab" time)"
	# check: offsets: the namespace
	for_children=$(ns_of "$lab" time_for_children)
	differ "its next children's namespace" "$machine_ns" "$for_children"
	lab_go_until "inside: CLOCK_REALTIME, s"
	same "its first child's namespace" "$for_children" "$(ns_of "$lab_pid" time)"
	same "the lab's namespace, with a child inside" "$machine_ns" "$(ns_of "$lab" time)"
	same "this machine's offsets, meanwhile" "$before" "$(offsets self)"
}

@test "11-time-ns: the kernel takes offsets until a process is inside" {
	lab_at "our /proc/self/ns/time" "$LABS/$program"
	same "offsets of a new namespace" "monotonic 0 0 boottime 0 0" "$(offsets "$lab")"
	# The control: while nobody is inside, this test may write them too.
	same "a write from outside, before" yes "$(write_offset "$lab" 'boottime 5 0')"
	same "the offsets after it" "monotonic 0 0 boottime 5 0" "$(offsets "$lab")"
	lab_go_until "inside: CLOCK_REALTIME, s"
	# check: offsets: monotonic, boottime
	same "the offsets that the lab wrote" "monotonic $offset 0 boottime $offset 0" "$(offsets "$lab_pid")"
	same "a write from outside, then" no "$(write_offset "$lab" 'boottime 5 0')"
	lab_go_until "once a process is inside"
	same "the offsets after that" "monotonic $offset 0 boottime $offset 0" "$(offsets "$lab_pid")"
}

@test "11-time-ns: the kernel refuses an offset for realtime, one below 0, and a late one" {
	trace write
	# check: once a process is inside
	caller=$(caller_of 'write\([0-9]+, "boottime '$((2 * offset))' 0", [0-9]+\) += -1 EACCES')
	# check: offsets: realtime
	same "realtime, by" "$caller" "$(caller_of 'write\([0-9]+, "realtime '$offset' 0", [0-9]+\) += -1 EINVAL')"
	# check: a clock below 0
	same "below 0, by" "$caller" "$(caller_of 'write\([0-9]+, "boottime -[0-9]+ 0", [0-9]+\) += -1 ERANGE')"
}

@test "11-time-ns: inside, the clocks since boot are ahead, and the time of day is not" {
	lab_at "inside: CLOCK_REALTIME, s" "$LABS/$program"
	# check: inside: CLOCK_MONOTONIC, s
	[[ $(offsets "$lab_pid") == "monotonic $offset 0 "* ]]
	# check: inside: CLOCK_BOOTTIME, s
	# check: inside: /proc/uptime, s
	is_ahead "uptime in there" "$offset" uptime inside "$lab_pid" time
	# check: inside: CLOCK_REALTIME, s
	is_ahead "date in there" 0 date inside "$lab_pid" time
}

@test "11-time-ns: unshare(1) and a COMMAND get the uptime that they ask for" {
	for days in 3 0; do
		is_ahead "uptime by unshare(1), $days days" $((days * 86400)) uptime \
			unshare "${userns_make[@]}" --time --boottime $((days * 86400)) --fork
	done
	is_ahead "uptime of a COMMAND" 172800 uptime "$LABS/$program" --days 2 --
}

@test "11-time-ns: two namespaces have two uptimes at once" {
	lab_at "inside: CLOCK_REALTIME, s" "$LABS/$program"
	first=$lab_pid
	lab_go_until "second: /proc/uptime, s"
	second=$lab_pid
	# check: second: the namespace
	differ "the second beside the first" "$(ns_of "$first" time)" "$(ns_of "$second" time)"
	differ "the second beside this machine's" "$machine_ns" "$(ns_of "$second" time)"
	# check: second: monotonic, boottime
	same "its offsets" "monotonic $((offset / 2)) 0 boottime $((offset / 2)) 0" "$(offsets "$second")"
	# check: second: /proc/uptime, s
	is_ahead "its uptime" $((offset / 2)) uptime inside "$second" time
	is_ahead "the first's, at that time" "$offset" uptime inside "$first" time
}

@test "11-time-ns: it ends with 0" {
	run "$LABS/$program"
	same "its status" 0 "$status"
}
