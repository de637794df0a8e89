#!/usr/bin/env bats
# 13-devices, seen from outside while it waits: what a shell of this test's own may
# open and make in the lab's group and outside of it, the program in
# /proc/PID/fdinfo, and the calls as strace sees them. "# check:" names the lab's
# check whose fact is obtained here a second time.

# shellcheck disable=SC2154 # the helper's variables
load helper
program=13-devices

# What became of COMMAND...: works, or EPERM, or what it said.
outcome() {
	local said
	if said=$("$@" 2>&1 3>&-); then
		echo "works${said:+ $said}"
	elif [[ $said == *"Operation not permitted"* ]]; then
		echo EPERM
	else
		echo "$said"
	fi
}

# in_group GROUP SCRIPT: a shell enters the group, and then runs SCRIPT.
in_group() {
	outcome sh -c 'echo $$ >"$0/cgroup.procs" && eval "$1"' "$1" "$2"
}

# all_in GROUP: what becomes of the six acts in it
all_in() {
	local node=$BATS_TEST_TMPDIR/node name device
	{
		for name in null zero; do
			in_group "$1" ": </dev/$name"
		done
		for device in "c 1 3" "c 1 5" "c 4 3" "b 1 3"; do
			in_group "$1" "mknod $node $device"
			rm -f "$node"
		done
	} | xargs
}

# at CHECK: the lab waits after that check; $top is the folder of its groups, and $box its group.
at() {
	lab_at "$1" "$LABS/$program"
	top=$(find /sys/fs/cgroup -type d -name "lab13-$lab")
	box=$top/box
}

setup() {
	needs_lab "$program"
	beside=
}

teardown() {
	lab_stop "$beside"
}

# results PATTERN: what the calls like this returned, in their order
results() {
	grep -E "$1" "$calls" | sed -E 's/.* = (-1 )?([A-Z]+|[0-9]+).*/\2/; s/^[0-9]+$/works/' | xargs
}

@test "13-devices: control: root in the group opens both devices and makes all nodes" {
	at "before: mknod() of b 1:N"
	same "the numbers of null and zero" "1:3 1:5" "$(stat -c %t:%T /dev/null /dev/zero | xargs)"
	# check: before: programs on the group
	# check: before: open() of /dev/null
	# check: before: open() of /dev/zero
	# check: before: mknod() of 1:3
	# check: before: mknod() of 1:5
	# check: before: mknod() of c 4:N
	# check: before: mknod() of b 1:N
	same "ours in its group" "works works works works works works" "$(all_in "$box")"
}

@test "13-devices: a program of the kernel's device type is asked, in that group only" {
	at "programs on the group"
	# check: programs on the group
	same "its type: BPF_PROG_TYPE_CGROUP_DEVICE" 15 "$(sed -n 's/^prog_type:[[:space:]]*//p' "/proc/$lab/fdinfo"/*)"
	same "ours in its group" "works EPERM works EPERM EPERM EPERM" "$(all_in "$box")"
	same "another device there" EPERM "$(in_group "$box" ': </dev/full')"
	beside=$top/unboxed-test
	mkdir "$beside"
	same "ours in the group beside it" "works works works works works works" "$(all_in "$beside")"
	# check: outside: open() of /dev/zero
	same "ours in no group of the lab's" works "$(outcome sh -c ': </dev/zero')"
}

@test "13-devices: it is root with all its power, and the mode allows it, who is refused" {
	at "outside: open() of /dev/zero"
	same "its group" "$box" "$(group_of "$lab_pid")"
	same "its ids" "0 0 0 0" "$(status_of "$lab_pid" Uid)"
	same "its capabilities, beside ours" "$(status_of self CapEff)" "$(status_of "$lab_pid" CapEff)"
	same "mode of /dev/zero" 666 "$(stat -c %a /dev/zero)"
}

@test "13-devices: the calls: with the program attached the kernel refuses all but the device 1:3" {
	calls=$BATS_TEST_TMPDIR/calls
	strace -f -qq -e trace=bpf,openat,mknodat -o "$calls" "$LABS/$program" >/dev/null 2>&1 3>&-
	same "loaded, attached, detached" "BPF_PROG_LOAD BPF_PROG_ATTACH BPF_PROG_DETACH" \
		"$(grep -oE 'BPF_PROG_(LOAD|ATTACH|DETACH)' "$calls" | xargs)"
	# check: asked: open() of /dev/null
	[[ " $(results 'openat\(AT_FDCWD, "/dev/null", O_RDONLY\|O_CLOEXEC\)') " == *" works works works "* ]]
	# check: asked: open() of /dev/zero
	# check: after: open() of /dev/zero
	same "opens of /dev/zero: before, asked, outside, after" "works EPERM works works" \
		"$(results 'openat\(AT_FDCWD, "/dev/zero", ')"
	# check: asked: mknod() of 1:3
	same "nodes 1:3: before, asked, after" "works works works" "$(results 'mknodat\(.*S_IFCHR.*makedev\(0x1, 0x3\)')"
	# check: asked: mknod() of 1:5
	same "nodes 1:5: before, asked, after" "works EPERM works" "$(results 'mknodat\(.*makedev\(0x1, 0x5\)')"
	# check: asked: mknod() of c 4:N
	same "nodes c 4:3: before, asked, after" "works EPERM works" "$(results 'mknodat\(.*S_IFCHR.*makedev\(0x4, 0x3\)')"
	# check: asked: mknod() of b 1:N
	same "nodes b 1:3: before, asked, after" "works EPERM works" "$(results 'mknodat\(.*S_IFBLK.*makedev\(0x1, 0x3\)')"
}

@test "13-devices: detached, both work again, and the end of the lab takes its group away" {
	at "after: mknod() of b 1:N"
	# check: after: programs on the group
	# check: after: open() of /dev/null
	# check: after: mknod() of 1:3
	# check: after: mknod() of 1:5
	# check: after: mknod() of c 4:N
	# check: after: mknod() of b 1:N
	same "ours in its group" "works works works works works works" "$(all_in "$box")"
	lab_end
	same "its status" 0 "$lab_status"
	lab=
	[ ! -e "$top" ]
}

@test "13-devices: a COMMAND is in such a group, and --minor says which device it may open" {
	run "$LABS/$program" -- sh -c ': </dev/null'
	same "status with null" 0 "$status"
	run --separate-stderr "$LABS/$program" -- sh -c ': </dev/zero'
	differ "status beside success" 0 "$status"
	[[ $stderr == *"Operation not permitted"* ]]
	run "$LABS/$program" --minor 5 -- sh -c ': </dev/zero'
	same "status with --minor 5" 0 "$status"
	run "$LABS/$program" --minor 5 --format=jsonl
	same "status of its story" 0 "$status"
}
