#!/usr/bin/env bats
# bats file_tags=measures
# 12-io-max, seen from outside while it waits: the files of its groups in cgroup
# v2, what dd of this test's own gets in those very groups and in one that it
# limits by hand, and the calls as strace sees them. "# check:" names the lab's
# check whose fact is obtained here a second time.

# shellcheck disable=SC2154 # facts and the helper's variables
load helper
program=12-io-max
MiB=$((1024 * 1024))

# counted GROUP KEY: "rbytes" ... of the scratch device in its io.stat; 0 where it has no line.
counted() {
	local line
	while read -r line; do
		if [[ $line == "$numbers "* && $line == *" $2="* ]]; then
			line=${line#*" $2="}
			echo "${line%% *}"
			return 0
		fi
	done <"$1/io.stat"
	echo 0
}

# idle: usec that all CPUs had nothing to do since the boot, or waited for a disk.
idle() {
	local name user nice system idle iowait rest
	# shellcheck disable=SC2034 # the fields before them
	read -r name user nice system idle iowait rest </proc/stat
	echo $(((idle + iowait) * 10000))
}

# copied GROUP EXPECTED r|w SIZE COUNT [DEVICE]: dd enters the group and copies that many blocks from or
# to the device, past the page cache, under the lock of those who measure time. Prints blocks a second
# in tenths. Tries three times to see what is EXPECTED in tenths (0: anything); "busy" when the machine
# left less idle than was missing.
copied() {
	local lock try begin took idle rate from=(if="${6:-$device}" of=/dev/null iflag=direct)
	[ "$3" = r ] || from=(if=/dev/zero of="${6:-$device}" oflag=direct conv=notrunc)
	[ -e "$1/io.stat" ] || return 0 # nothing to say of a group that is not there
	exec {lock}</sys/fs/cgroup
	! command -v flock >/dev/null || flock "$lock"
	for ((try = 1; try <= 3; try++)); do
		idle=$(idle) begin=${EPOCHREALTIME/./}
		sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$1" dd "${from[@]}" bs="$4" count="$5" >/dev/null 2>&1 3>&- || :
		took=$((${EPOCHREALTIME/./} - begin)) idle=$(($(idle) - idle))
		rate=$(($5 * 10000000 / took))
		! ((rate * 100 >= $2 * 85 && rate * 100 <= $2 * 115 || $2 == 0)) || break
	done
	if ((try > 3 && rate < $2 && idle < $5 * 10000000 / $2)); then
		echo busy
	else
		echo "$rate"
	fi
	exec {lock}<&-
}

setup_file() {
	"$LABS/$program" --can-run || return 0
	for device in /dev/nullb0 /dev/ram0; do
		[ ! -b $device ] || break
	done
	numbers=$(stat -c '%t:%T' "$device")
	numbers=$((16#${numbers%:*})):$((16#${numbers#*:}))
	fact numbers "$numbers"
	lab_start "$LABS/$program"
	fact lab "$lab"

	lab_go_to 1 || :
	top=$(find /sys/fs/cgroup -type d -name "lab12-$lab")
	control=$top/control reads=$top/reads writes=$top/writes small=$top/small
	fact top "$top"
	fact controllers "$(value "$control/cgroup.controllers")"
	fact control_max "$(value "$control/io.max")"
	fact control_stat "$(counted "$control" rbytes) $(counted "$control" wbytes) $(counted "$control" wios)"
	fact control_reads "$(copied "$control" 0 r 64k 512)"
	fact control_writes "$(copied "$control" 0 w 64k 512)"
	fact control_small "$(copied "$control" 0 w 4k 2000)"
	fact control_then "$(counted "$control" rbytes) $(counted "$control" wbytes) $(counted "$control" wios)"

	lab_go_to 2 || :
	fact reads_max "$(value "$reads/io.max")"
	fact reads_rbytes "$(counted "$reads" rbytes)"
	fact reads_pid "$lab_pid"
	fact reads_alive "$(alive "$lab_pid" && echo yes)"
	fact reads_group "$(sed -n 's/^0:://p' "/proc/$lab_pid/cgroup" 2>/dev/null)"
	fact reads_rate "$(copied "$reads" 640 r 64k 128)"
	fact reads_then "$(counted "$reads" rbytes)"
	fact reads_beside "$(copied "$reads" 0 w 64k 512)"

	lab_go_to 3 || :
	fact writes_max "$(value "$writes/io.max")"
	fact writes_wbytes "$(counted "$writes" wbytes)"
	fact writes_pid "$lab_pid"
	fact writes_rate "$(copied "$writes" 640 w 64k 128)"

	lab_go_to 4 || :
	fact small_max "$(value "$small/io.max")"
	fact small_wios "$(counted "$small" wios)"
	fact small_pid "$lab_pid"
	fact small_rate "$(copied "$small" 1000 w 4k 200)"

	# The same without the lab, in a group beside its own.
	own=${top%/*}/unboxed-test-$$
	mkdir "$own" || :
	fact own_free "$(copied "$own" 0 r 64k 512)"
	echo "$numbers rbps=$((2 * MiB)) wiops=50" >"$own/io.max" || :
	fact own_reads "$(copied "$own" 320 r 64k 64)"
	fact own_small "$(copied "$own" 500 w 4k 100)"
	# Another device is not limited by that line.
	if in_vm; then
		truncate -s 64M "$BATS_FILE_TMPDIR/disk"
		modprobe loop || :
		for ((tries = 20; tries > 0; tries--)); do
			[ ! -b /dev/loop0 ] || break
			sleep 0.1
		done
		losetup /dev/loop0 "$BATS_FILE_TMPDIR/disk" || :
		fact own_other "$(copied "$own" 0 r 64k 512 /dev/loop0)"
		losetup -d /dev/loop0 || :
	fi
	rmdir "$own" || :
	lab_end
	fact status "$lab_status"

	strace -f -qq -s 64 -e trace=openat,pread64,pwrite64,write -o "$BATS_FILE_TMPDIR/calls" \
		"$LABS/$program" --seconds=1 --format=jsonl >/dev/null 2>&1 3>&- || :
}

setup() {
	needs_lab "$program"
	read_facts
	calls=$BATS_FILE_TMPDIR/calls
}

# near WHAT EXPECTED OBSERVED: within 15 %
near() {
	[ "$3" != busy ] || skip "machine too busy: $1"
	within "$1" $(($2 * 85 / 100)) $(($2 * 115 / 100)) "$3"
}

# faster WHAT LIMIT OBSERVED: at least twice, whatever this machine is
faster() {
	within "$1" $((2 * $2)) 100000000 "$3"
}

@test "12-io-max: control: without a limit the device is far faster than each limit" {
	# check: the device is
	[ -e "/sys/dev/block/$numbers/size" ]
	[ ! -e "/sys/dev/block/$numbers/partition" ]
	same "who has mounted it" "" "$(awk -v n="$numbers" '$3 == n' /proc/self/mountinfo)"
	# check: its group's io.max
	same "controllers of the lab's group" "io " "$(grep -ow io <<<"$controllers") "
	same "its io.max" "" "$control_max"
	# check: control: reads, times rbps
	faster "64 KiB reads in tenths of a second, in the lab's control group" 640 "$control_reads"
	# check: control: writes, times wbps
	faster "64 KiB writes" 640 "$control_writes"
	# check: control: small, times wiops
	faster "4 KiB writes" 1000 "$control_small"
	faster "the same reads in a group of our own" 640 "$own_free"
	# check: control: io.stat, wios
	read -r rbytes wbytes wios <<<"$control_stat"
	read -r rbytes_then wbytes_then wios_then <<<"$control_then"
	within "rbytes, by the lab" $((8 * MiB)) $((1 << 40)) "$rbytes"
	same "rbytes, with ours too" $((rbytes + 32 * MiB)) "$rbytes_then"
	same "wbytes, with ours too" $((wbytes + 32 * MiB + 2000 * 4096)) "$wbytes_then"
	same "wios, with ours too" $((wios + 512 + 2000)) "$wios_then"
}

@test "12-io-max: rbps: that many bytes read in a second, and writes as before" {
	# check: io.max: rbps
	same "io.max" "$numbers rbps=4194304 wbps=max riops=max wiops=max" "$reads_max"
	same "the lab's reader lives" yes "$reads_alive"
	[[ $reads_group == */lab12-$lab/reads ]]
	# check: rbps: bytes read in a second
	near "64 KiB reads in ten seconds, in the lab's group" 640 "$reads_rate"
	near "the same by hand under 2 MiB a second" 320 "$own_reads"
	# check: rbps: writes, times wbps
	faster "64 KiB writes there" 640 "$reads_beside"
	# check: rbps: io.stat, rbytes
	within "rbytes, by the lab in two windows at most" $((8 * MiB * 85 / 100)) $((20 * MiB)) "$reads_rbytes"
	same "of the whole blocks of 64 KiB, remains" 0 $((reads_rbytes % 65536))
	within "rbytes, with ours too" $((reads_rbytes + 8 * MiB)) $((reads_rbytes + 24 * MiB)) "$reads_then"
}

@test "12-io-max: wbps: that many bytes written in a second" {
	# check: io.max: wbps
	same "io.max" "$numbers rbps=max wbps=4194304 riops=max wiops=max" "$writes_max"
	# check: wbps: bytes written in a second
	near "64 KiB writes in ten seconds, in the lab's group" 640 "$writes_rate"
	# check: wbps: io.stat, wbytes
	within "wbytes, by the lab in two windows at most" $((8 * MiB * 85 / 100)) $((20 * MiB)) "$writes_wbytes"
	differ "the writer beside the reader" "$reads_pid" "$writes_pid"
}

@test "12-io-max: wbps and wiops: what is reached first holds" {
	# check: both: io.max: wbps
	# check: both: io.max: wiops
	same "io.max" "$numbers rbps=max wbps=4194304 riops=max wiops=100" "$small_max"
	# check: both: writes of 4 KiB in a second
	near "4 KiB writes in ten seconds, in the lab's group" 1000 "$small_rate"
	near "the same by hand with wiops=50" 500 "$own_small"
	# check: both: io.stat, wios
	within "wios, by the lab in two windows at most" 170 500 "$small_wios"
}

@test "12-io-max: the limit is that device's" {
	in_vm || skip "in the lab VM only: a second device to read from"
	faster "64 KiB reads of a loop device in the group that may read 2 MiB a second" 640 "$own_other"
}

@test "12-io-max: the calls: one O_DIRECT descriptor, and each limit one write to io.max" {
	disk=$(sed -nE 's/^[0-9]+ +openat\(AT_FDCWD, "\/dev\/[a-z0-9]+", O_RDWR\|O_DIRECT\|O_CLOEXEC\) = ([0-9]+)$/\1/p' "$calls")
	[[ $disk =~ ^[0-9]+$ ]]
	same "what was written to io.max" "rbps=4194304,wbps=4194304,wbps=4194304,wiops=100," \
		"$(sed -nE "s/^[0-9]+ +write\([0-9]+, \"$numbers ([^\"]+)\".*/\1/p" "$calls" | tr '\n' ,)"
	for size in 65536 4096; do
		[ "$(grep -cE "pwrite64\($disk, .*, $size, [0-9]+\) = $size" "$calls")" -ge 60 ]
	done
	[ "$(grep -cE "pread64\($disk, .*, 65536, [0-9]+\) = 65536" "$calls")" -ge 60 ]
	same "reads and writes that went wrong" "" "$(grep -E "p(read|write)64\($disk, .* = -1" "$calls" || :)"
}

@test "12-io-max: a COMMAND is in such a group, with the limits that the options say" {
	# shellcheck disable=SC2016 # that shell expands it
	read_max='cat "/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)/io.max"'
	same "as it is" "$numbers rbps=4194304 wbps=4194304 riops=max wiops=100" \
		"$("$LABS/$program" -- sh -c "$read_max" 2>/dev/null)"
	same "with options" "$numbers rbps=1048576 wbps=524288 riops=max wiops=20" \
		"$("$LABS/$program" --rbps 1M --wbps 512k --wiops 20 -- sh -c "$read_max" 2>/dev/null)"
}

# refused WHAT OPTION...: status 2, one line that says what was expected, and nothing done
refused() {
	run --separate-stderr "$LABS/$program" "${@:2}"
	same "$1: status" 2 "$status"
	[[ $stderr == *"expected"* ]] && [ ${#stderr_lines[@]} = 1 ] && [ -z "$output" ]
}

@test "12-io-max: a device that is named must be meant, a disk, and nobody's" {
	in_vm || skip "in the lab VM only: a device that may be lost"
	disk=$BATS_TEST_TMPDIR/disk place=$BATS_TEST_TMPDIR/place
	truncate -s 64M "$disk"
	mkdir "$place"
	modprobe loop || :
	losetup /dev/loop0 "$disk"
	refused "without --scratch" --device /dev/loop0
	[[ $stderr == *--scratch* ]]
	refused "no block device" --scratch --device /dev/null
	refused "a file" --scratch --device "$disk"
	mke2fs /dev/loop0 >/dev/null
	before=$(md5sum <"$disk")
	mount -t ext4 /dev/loop0 "$place"
	refused "one that is mounted" --scratch --device /dev/loop0
	umount "$place"
	losetup -d /dev/loop0
	losetup /dev/loop0 "$disk"
	run "$LABS/$program" --scratch --device /dev/loop0 --seconds=1
	same "its status with both" 0 "$status"
	losetup -d /dev/loop0
	differ "what was on it" "$before" "$(md5sum <"$disk")"
}

@test "12-io-max: nothing of its groups is left, and its verdict is pass" {
	same "its status" 0 "$status"
	[ -n "$top" ]
	[ ! -e "$top" ]
}
