# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="Run COMMAND in GROUP, a group that you make. GROUP reads at most RBPS bytes a second from the disk SOURCE, and makes at most WIOPS writes a second to the disk TARGET."
look="labs/12-io-max/main.c, the steps that write io.max; cgroup-v2.rst on io.max; stat(2) on the numbers of a device."
because="Each disk gets a write of its own, because a line of io.max names one device and changes only the limits that it names. The limits are written before the process joins, so they hold from COMMAND's first request on."

prepare() {
	[ -b /dev/ram7 ] || modprobe brd rd_nr=8 rd_size=16384 # eight disks of memory
	devices=(/dev/ram{0..7})
}

# held NUMBERS ARG...: whether a dd(1) in GROUP with work for ten seconds still runs after one second.
# A process that waits for a disk cannot be killed, so the limit is removed at the end.
held() {
	local is=yes
	# shellcheck disable=SC2016 # that shell expands it
	sh -c 'echo 0 >"$0/cgroup.procs"; exec dd "$@"' "$group" "${@:2}" >/dev/null 2>&1 3>&- &
	sleep 1
	kill -0 $! 2>/dev/null || is=no
	echo "$1 rbps=max wbps=max riops=max wiops=max" >"$group/io.max"
	wait $! || is="no, it failed"
	echo "$is"
}

check() {
	local group from to source target rbps wiops limits
	group=$groups/$(word group) from=$(number from 0 3) to=$(number to 4 7)
	source=/dev/ram$from target=/dev/ram$to
	rbps=$(($(number rbps 4 16) << 16)) wiops=$(number wiops 20 60)
	expect "before: GROUP" "not there" "$([ -e "$group" ] && echo there || echo "not there")" ""
	start "/sys/fs/cgroup/${group##*/}" "$source" "$rbps" "$target" "$wiops"
	expect_command
	expect "its group" "0::/${group##*/}" "$(group_of "$it")" "COMMAND runs in another group. A process joins GROUP by writing 0 to GROUP/cgroup.procs."
	limits=$(cat "$group/io.max")
	go_on
	expect "a process that reads SOURCE in GROUP waits" yes \
		"$(held "1:$from" if="$source" of=/dev/null bs=64k count=$((rbps / 6553)) iflag=direct)" \
		"Reads from SOURCE are not limited. A line of io.max is MAJOR:MINOR of the disk, then rbps= with the bytes a second."
	expect "a process that writes to TARGET in GROUP waits" yes \
		"$(held "1:$to" if=/dev/zero of="$target" bs=4k count=$((wiops * 10)) oflag=direct)" \
		"Writes to TARGET are not limited. Each disk has a line of its own; wiops= limits the write requests a second."
	expect "io.max for SOURCE" "1:$from rbps=$rbps wbps=max riops=max wiops=max" "$(grep "^1:$from " <<<"$limits")" \
		"SOURCE has another limit, or one more. rbps alone limits the bytes that are read; a limit that a line does not name stays max."
	expect "io.max for TARGET" "1:$to rbps=max wbps=max riops=max wiops=$wiops" "$(grep "^1:$to " <<<"$limits")" \
		"TARGET has another limit, or one more. Set only wiops: it counts requests, not bytes, and writes, not reads."
}
