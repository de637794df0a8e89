#!/usr/bin/env bats
# bats file_tags=measures
# 12-io-max, seen from outside while it waits: the files of its groups in cgroup
# v2, what a dd(1) of this test gets in those groups and in one that the test
# limits by hand, and the calls as strace sees them. "# check:" names the lab's
# check whose fact is obtained here a second time.

# shellcheck disable=SC2030,SC2031,SC2154 # set by bats and the helper
load helper
program=12-io-max
MiB=$((1024 * 1024))

# counted GROUP KEY: "rbytes" and so on of the scratch disk in its io.stat; 0 where it has no line.
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

# idle: for how many usec since the boot the CPUs were idle, or waited for a disk.
idle() {
	local name user nice system idle iowait rest
	# shellcheck disable=SC2034 # the fields before them
	read -r name user nice system idle iowait rest </proc/stat
	echo $(((idle + iowait) * 10000))
}

# copied GROUP EXPECTED r|w SIZE COUNT [DEVICE]: dd enters the group and copies that many blocks from or
# to the disk, past the page cache, under the lock of all that measure time. Prints blocks in ten seconds.
# Tries three times to see what is EXPECTED (0: anything). Prints "busy" when the machine was idle for
# less than what is missing.
copied() {
	local lock try begin took idle rate from=(if="${6:-$device}" of=/dev/null iflag=direct)
	[ "$3" = r ] || from=(if=/dev/zero of="${6:-$device}" oflag=direct conv=notrunc)
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

setup() {
	needs_lab "$program"
	for device in /dev/nullb0 /dev/ram0; do
		[ ! -b $device ] || break
	done
	numbers=$(stat -c '%t:%T' "$device")
	numbers=$((16#${numbers%:*})):$((16#${numbers#*:}))
	own=
}

teardown() {
	lab_stop "$own"
	[ ! -e "$BATS_TEST_TMPDIR/disk" ] || losetup -d /dev/loop0 2>/dev/null || :
}

# at CHECK: the lab waits after that check; $top is the folder of its groups.
at() {
	lab_at "$1" "$LABS/$program" --seconds=1
	top=$(find /sys/fs/cgroup -type d -name "lab12-$lab")
}

# limit_by_hand LIMITS: a group of this test's own beside the lab's: $own.
limit_by_hand() {
	own=${top%/*}/unboxed-test-$$
	mkdir "$own"
	echo "$numbers $1" >"$own/io.max"
}

# A second disk: /dev/loop0, of a file of 64 MiB.
make_loop() {
	truncate -s 64M "$BATS_TEST_TMPDIR/disk"
	modprobe loop || :
	for ((tries = 20; tries > 0; tries--)); do
		[ ! -b /dev/loop0 ] || break
		sleep 0.1
	done
	losetup /dev/loop0 "$BATS_TEST_TMPDIR/disk"
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

@test "12-io-max: control: without a limit the disk is far faster than each limit" {
	at "control: io.stat, wios"
	control=$top/control
	# check: the device is
	[ -e "/sys/dev/block/$numbers/size" ]
	[ ! -e "/sys/dev/block/$numbers/partition" ]
	same "mounts of it" "" "$(awk -v n="$numbers" '$3 == n' /proc/self/mountinfo)"
	# check: its group's io.max
	same "its io.max" "" "$(value "$control/io.max")"
	grep -qw io "$control/cgroup.controllers"
	rbytes=$(counted "$control" rbytes) wbytes=$(counted "$control" wbytes) wios=$(counted "$control" wios)
	within "rbytes, by the lab" $((8 * MiB)) $((1 << 40)) "$rbytes"
	# check: control: reads, times rbps
	faster "64 KiB reads in ten seconds, in the lab's group" 640 "$(copied "$control" 0 r 64k 512)"
	# check: control: writes, times wbps
	faster "64 KiB writes" 640 "$(copied "$control" 0 w 64k 512)"
	# check: control: small, times wiops
	faster "4 KiB writes" 1000 "$(copied "$control" 0 w 4k 2000)"
	# check: control: io.stat, wios
	same "rbytes, with ours too" $((rbytes + 32 * MiB)) "$(counted "$control" rbytes)"
	same "wbytes, with ours too" $((wbytes + 32 * MiB + 2000 * 4096)) "$(counted "$control" wbytes)"
	same "wios, with ours too" $((wios + 512 + 2000)) "$(counted "$control" wios)"
	# By hand.
	limit_by_hand "rbps=max"
	faster "the same reads in a group of our own" 640 "$(copied "$own" 0 r 64k 512)"
}

@test "12-io-max: rbps: that many bytes read in a second, and writes as before" {
	at "rbps: io.stat, rbytes"
	reads=$top/reads
	# check: io.max: rbps
	same "io.max" "$numbers rbps=4194304 wbps=max riops=max wiops=max" "$(value "$reads/io.max")"
	alive "$lab_pid"
	same "the group of the lab's reader" "$reads" "$(group_of "$lab_pid")"
	# check: rbps: io.stat, rbytes
	rbytes=$(counted "$reads" rbytes)
	within "rbytes, by the lab in two windows at most" $((4 * MiB * 85 / 100)) $((12 * MiB)) "$rbytes"
	same "rbytes beside whole blocks of 64 KiB" 0 $((rbytes % 65536))
	# check: rbps: bytes read in a second
	near "64 KiB reads in ten seconds, in the lab's group" 640 "$(copied "$reads" 640 r 64k 128)"
	within "rbytes, with ours too" $((rbytes + 8 * MiB)) $((rbytes + 24 * MiB)) "$(counted "$reads" rbytes)"
	# check: rbps: writes, times wbps
	faster "64 KiB writes there" 640 "$(copied "$reads" 0 w 64k 512)"
	# By hand.
	limit_by_hand "rbps=$((2 * MiB))"
	near "the same by hand under 2 MiB a second" 320 "$(copied "$own" 320 r 64k 64)"
}

@test "12-io-max: wbps: that many bytes written in a second" {
	at "wbps: io.stat, wbytes"
	writes=$top/writes
	# check: io.max: wbps
	same "io.max" "$numbers rbps=max wbps=4194304 riops=max wiops=max" "$(value "$writes/io.max")"
	same "the group of the lab's writer" "$writes" "$(group_of "$lab_pid")"
	# check: wbps: io.stat, wbytes
	within "wbytes, by the lab in two windows at most" $((4 * MiB * 85 / 100)) $((12 * MiB)) "$(counted "$writes" wbytes)"
	# check: wbps: bytes written in a second
	near "64 KiB writes in ten seconds, in the lab's group" 640 "$(copied "$writes" 640 w 64k 128)"
}

@test "12-io-max: wbps and wiops: both hold, so the first that is reached decides" {
	at "both: io.stat, wios"
	small=$top/small
	# check: both: io.max: wbps
	# check: both: io.max: wiops
	same "io.max" "$numbers rbps=max wbps=4194304 riops=max wiops=100" "$(value "$small/io.max")"
	# check: both: io.stat, wios
	within "wios, by the lab in two windows at most" 85 300 "$(counted "$small" wios)"
	# check: both: writes of 4 KiB in a second
	near "4 KiB writes in ten seconds, in the lab's group" 1000 "$(copied "$small" 1000 w 4k 200)"
	# By hand.
	limit_by_hand "rbps=$((2 * MiB)) wiops=50"
	near "the same by hand with wiops=50" 500 "$(copied "$own" 500 w 4k 100)"
}

@test "12-io-max: a line of io.max limits one disk, and no other" {
	in_vm || skip "in the lab VM only: a second device to read from"
	at "control: io.stat, wios"
	limit_by_hand "rbps=$((2 * MiB)) wiops=50"
	make_loop
	faster "64 KiB reads of a loop device in the group that may read 2 MiB a second" 640 \
		"$(copied "$own" 0 r 64k 512 /dev/loop0)"
}

@test "12-io-max: the calls: one O_DIRECT descriptor, and each limit one write to io.max" {
	calls=$BATS_TEST_TMPDIR/calls
	strace -f -qq -s 64 -e trace=openat,pread64,pwrite64,write -o "$calls" \
		"$LABS/$program" --seconds=1 --format=jsonl >/dev/null 2>&1 3>&- || :
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

@test "12-io-max: a COMMAND runs in a group with the limits that the options give" {
	# shellcheck disable=SC2016 # that shell expands it
	read_max='cat "/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)/io.max"'
	same "as it is" "$numbers rbps=4194304 wbps=4194304 riops=max wiops=100" \
		"$("$LABS/$program" -- sh -c "$read_max" 2>/dev/null)"
	same "with options" "$numbers rbps=1048576 wbps=524288 riops=max wiops=20" \
		"$("$LABS/$program" --rbps 1M --wbps 512k --wiops 20 -- sh -c "$read_max" 2>/dev/null)"
}

# refused WHAT OPTION...: status 2, one line that says what was expected, and nothing is done
refused() {
	run --separate-stderr "$LABS/$program" "${@:2}"
	same "$1: status" 2 "$status"
	[[ $stderr == *"expected"* ]] && [ ${#stderr_lines[@]} = 1 ] && [ -z "$output" ]
}

@test "12-io-max: --device takes a whole disk that is not in use, and only with --scratch" {
	in_vm || skip "in the lab VM only: a device that may be lost"
	disk=$BATS_TEST_TMPDIR/disk folder=$BATS_TEST_TMPDIR/folder
	make_loop
	mkdir "$folder"
	refused "without --scratch" --device /dev/loop0
	[[ $stderr == *--scratch* ]]
	refused "no block device" --scratch --device /dev/null
	refused "a file" --scratch --device "$disk"
	mke2fs /dev/loop0 >/dev/null
	before=$(md5sum <"$disk")
	mount -t ext4 /dev/loop0 "$folder"
	refused "one that is mounted" --scratch --device /dev/loop0
	umount "$folder"
	losetup -d /dev/loop0
	losetup /dev/loop0 "$disk"
	run "$LABS/$program" --scratch --device /dev/loop0 --seconds=1
	same "its status with both" 0 "$status"
	losetup -d /dev/loop0
	differ "what was on it" "$before" "$(md5sum <"$disk")"
}

@test "12-io-max: it ends with 0, and none of its groups is left" {
	at "control: io.stat, wios"
	[ -d "$top" ]
	lab_end
	same "its status" 0 "$lab_status"
	lab=
	[ ! -e "$top" ]
}
