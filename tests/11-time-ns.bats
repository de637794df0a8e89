#!/usr/bin/env bats
# 11-time-ns, seen from outside while it waits: the namespaces of its processes,
# the offsets that the kernel says they have, and /proc/uptime and date(1) for a
# process that is let into one. "# check:" names the lab's check whose fact is
# obtained here again.

load helper
program=11-time-ns
offset=86400000 # a thousand days

# "monotonic 0 0 boottime 0 0": of the namespace in which PID's next children are.
offsets() {
	xargs <"/proc/$1/timens_offsets"
}

# ahead PID COMMAND...: by how many seconds what COMMAND prints is ahead in there: "AT-LEAST AT-MOST",
# because outside it is asked before and after.
ahead() {
	local before within after
	before=$("${@:2}")
	# Into the machine's own only root may be let in, and it is in there already.
	if [ "/proc/$1/ns/time" -ef /proc/self/ns/time ]; then
		within=$("${@:2}")
	else
		within=$(inside "$1" time "${@:2}")
	fi
	after=$("${@:2}")
	echo "$((within - after)) $((within - before))"
}
uptime=(sed 's/\..*//' /proc/uptime)
date=(date +%s)

# is_ahead WHAT SECONDS "AT-LEAST AT-MOST"
is_ahead() {
	local least most
	read -r least most <<<"$3"
	[ -n "$most" ] && [ "$least" -le "$2" ] && [ "$2" -le "$most" ] && return
	printf '%s: expected %s s ahead, observed %s to %s\n' "$1" "$2" "$least" "$most"
	return 1
}

# From outside, into what a process has asked for.
write_offset() {
	{ echo "$2" >"/proc/$1/timens_offsets"; } 2>/dev/null && echo yes || echo no
}

setup_file() {
	"$LABS/$program" --can-run || return 0
	fact own_ns "$(ns_of self time)"
	fact own_offsets "$(offsets self)"
	lab_start "$LABS/$program"

	lab_go_to 1 || :
	fact plain_ns "$(ns_of "$lab_pid" time)"
	fact plain_uptime "$(ahead "$lab_pid" "${uptime[@]}")"
	fact plain_offsets "$(offsets "$lab_pid")"

	lab_go_to 2 || :
	fact lab_ns "$(ns_of "$lab" time)"
	fact for_children "$(ns_of "$lab" time_for_children)"
	fact offsets_new "$(offsets "$lab")"
	fact open_yet "$(write_offset "$lab" 'boottime 5 0')"
	fact offsets_from_outside "$(offsets "$lab")"

	lab_go_to 4 || :
	first=$lab_pid
	fact first_ns "$(ns_of "$first" time)"
	fact first_offsets "$(offsets "$first")"
	fact first_uptime "$(ahead "$first" "${uptime[@]}")"
	fact first_date "$(ahead "$first" "${date[@]}")"
	fact lab_ns_then "$(ns_of "$lab" time)"

	lab_go_to 5 || :
	fact open_still "$(write_offset "$lab" 'boottime 5 0')"
	fact offsets_then "$(offsets "$first")"

	lab_go_to 6 || :
	fact second_ns "$(ns_of "$lab_pid" time)"
	fact second_offsets "$(offsets "$lab_pid")"
	fact second_uptime "$(ahead "$lab_pid" "${uptime[@]}")"
	fact first_uptime_then "$(ahead "$first" "${uptime[@]}")"
	fact own_offsets_then "$(offsets self)"
	lab_end
	fact status "$lab_status"

	strace -f -qq -s 128 -e trace=unshare,setns,write,clock_settime,settimeofday,clone,clone3,fork,vfork \
		-o "$BATS_FILE_TMPDIR/calls" "$LABS/$program" --format=jsonl >/dev/null 2>&1 3>&- || :
}

setup() {
	needs_lab "$program"
	read_facts
	calls=$BATS_FILE_TMPDIR/calls
}

@test "11-time-ns: control: a plain child has the clocks of this machine" {
	same "its namespace" "$own_ns" "$plain_ns"
	same "its offsets" "monotonic 0 0 boottime 0 0" "$plain_offsets"
	# check: control: CLOCK_MONOTONIC, s
	# check: control: /proc/uptime, s
	is_ahead "its uptime" 0 "$plain_uptime"
	same "calls that set a clock" "" "$(grep -E 'settime' "$calls" || :)"
}

@test "11-time-ns: who asks for a time namespace stays out of it, the next children are in" {
	# check: our /proc/self/ns/time
	same "the lab's namespace" "$own_ns" "$lab_ns"
	same "the lab's namespace, when a child was inside" "$own_ns" "$lab_ns_then"
	# check: offsets: the namespace
	differ "its next children's namespace" "$own_ns" "$for_children"
	same "its first child's namespace" "$for_children" "$first_ns"
	same "this machine's offsets, meanwhile" "$own_offsets" "$own_offsets_then"
}

@test "11-time-ns: offsets are open until a process is inside, and realtime has none" {
	same "offsets of a new namespace" "monotonic 0 0 boottime 0 0" "$offsets_new"
	# The control: before anybody is inside this test may write them too.
	same "a write from outside, before" yes "$open_yet"
	same "the offsets after it" "monotonic 0 0 boottime 5 0" "$offsets_from_outside"
	# check: offsets: monotonic, boottime
	same "the offsets that the lab has set" "monotonic $offset 0 boottime $offset 0" "$first_offsets"
	# check: once a process is inside
	same "a write from outside, then" no "$open_still"
	same "the offsets after that" "$first_offsets" "$offsets_then"
	lab=$(caller_of 'write\([0-9]+, "boottime '$((2 * offset))' 0", [0-9]+\) += -1 EACCES')
	# check: offsets: realtime
	same "realtime, by" "$lab" "$(caller_of 'write\([0-9]+, "realtime '$offset' 0", [0-9]+\) += -1 EINVAL')"
	# check: a clock below 0
	same "below 0, by" "$lab" "$(caller_of 'write\([0-9]+, "boottime -[0-9]+ 0", [0-9]+\) += -1 ERANGE')"
}

@test "11-time-ns: inside, the clocks since the boot are ahead, and the time of day is not" {
	# check: inside: CLOCK_MONOTONIC, s
	same "what is added to CLOCK_MONOTONIC" "monotonic $offset 0" "${first_offsets% boottime*}"
	# check: inside: CLOCK_BOOTTIME, s
	# check: inside: /proc/uptime, s
	is_ahead "uptime in there" "$offset" "$first_uptime"
	# check: inside: CLOCK_REALTIME, s
	is_ahead "date in there" 0 "$first_date"
	# By hand, without the lab: three days, and none.
	for days in 3 0; do
		read -r least most < <(
			before=$("${uptime[@]}")
			within=$(unshare "${userns_make[@]}" --time --boottime $((days * 86400)) --fork "${uptime[@]}")
			after=$("${uptime[@]}")
			echo "$((within - after)) $((within - before))"
		)
		is_ahead "uptime by unshare(1), $days days" $((days * 86400)) "$least $most"
	done
	# And with a COMMAND of one's own, whose days are an option.
	before=$("${uptime[@]}")
	within=$("$LABS/$program" --days 2 -- "${uptime[@]}" 2>/dev/null)
	after=$("${uptime[@]}")
	is_ahead "uptime of a COMMAND" 172800 "$((within - after)) $((within - before))"
}

@test "11-time-ns: two namespaces have two uptimes at once" {
	# check: second: the namespace
	differ "the second beside the first" "$first_ns" "$second_ns"
	differ "the second beside this machine's" "$own_ns" "$second_ns"
	# check: second: monotonic, boottime
	same "its offsets" "monotonic $((offset / 2)) 0 boottime $((offset / 2)) 0" "$second_offsets"
	# check: second: /proc/uptime, s
	is_ahead "its uptime" $((offset / 2)) "$second_uptime"
	is_ahead "the first's, at that time" "$offset" "$first_uptime_then"
}

@test "11-time-ns: and its verdict is pass" {
	same "its status" 0 "$status"
}
