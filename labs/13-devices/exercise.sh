# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="Run COMMAND in GROUP, where MAJOR:MINOR is the only block device that can be opened or made; character devices are as free as before."
look="labs/13-devices/main.c, load_program() and attach(); struct bpf_cgroup_dev_ctx in linux/bpf.h."
because="Whatever is allowed jumps forward to the one yes at the end, and everything else falls through to the no. The mask keeps only the type of the device, so read, write and mknod get the same answer."

prepare() {
	[ -b /dev/ram7 ] || modprobe brd rd_nr=8 rd_size=16384 # eight disks of memory
	[ -b /dev/loop7 ] || modprobe loop max_loop=8
	powers=(--bpf) # which loads nothing in a user namespace
}

# told GROUP WORDS: what a process in GROUP is told by the shell's WORDS, the end of its message.
told() {
	local said
	# shellcheck disable=SC2016 # that shell expands it
	if said=$(sh -c 'echo 0 >"$0/cgroup.procs"; eval "$1"' "$1" "$2" 2>&1 </dev/null 3>&-); then
		echo success
	else
		echo "${said##*: }"
	fi
}

check() {
	local above group beside disks=(ram loop) majors=(1 7) which minor other allowed neighbour stranger device
	local refused="Operation not permitted" node=$box/node
	above=$groups/$(word group) which=$(number which 0 1) minor=$(number minor 0 6) other=$(number other 1 6)
	other=$(((minor + other) % 7)) # never the same one
	allowed=/dev/${disks[which]}$minor neighbour=/dev/${disks[which]}$other stranger=/dev/${disks[1 - which]}$minor
	group=$above/$(word below) beside=$above/beside
	mkdir "$above" "$beside"
	delegate "$above" "$above/cgroup.procs"
	expect "before: GROUP" "not there" "$([ -e "$group" ] && echo there || echo "not there")" ""
	for device in "$allowed" "$neighbour" "$stranger"; do
		expect "before: open() of $device" success "$(told "$beside" ": <$device")" ""
	done
	start "/sys/fs/cgroup${group#"$groups"}" "${majors[which]}" "$minor"
	expect_command
	expect "its group" "0::${group#"$groups"}" "$(group_of "$it")" "COMMAND runs in another group. Write 0 to GROUP/cgroup.procs before execvp()."
	go_on
	expect "in GROUP: open() of another MINOR" "$refused" "$(told "$group" ": <$neighbour")" \
		"The program allows it, or it is not attached to GROUP. Does it compare minor, and separate the type from the access bits with 0xffff?"
	expect "in GROUP: open() of another MAJOR" "$refused" "$(told "$group" ": <$stranger")" \
		"A device has two numbers: the same MINOR with another MAJOR is another disk."
	expect "in GROUP: open() of MAJOR:MINOR" success "$(told "$group" ": <$allowed")" \
		"The program refuses the one block device that it has to allow. A jump counts from the instruction behind it."
	expect "in GROUP: open() of /dev/zero" success "$(told "$group" ": </dev/zero")" \
		"The program refuses a character device, and those are as free as before. A jump counts from the instruction behind it."
	expect "in GROUP: mknod() of another MINOR" "$refused" \
		"$(told "$group" "mknod $node b ${majors[which]} $other")" \
		"The program allows mknod(). The kernel asks about mknod() too: the bits of access_type above the low 16 say what for. Refuse all of it."
	expect "beside GROUP: open() of another MINOR" success "$(told "$beside" ": <$neighbour")" \
		"The program decides for another group too. target_fd chooses the group: it is GROUP's folder, not the one above."
}
