# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="Run COMMAND in GROUP, where MAJOR:MINOR is the only block device that can be opened or made; character devices are as free as before."
look="labs/13-devices/main.c, load_program() and attach(); struct bpf_cgroup_dev_ctx in linux/bpf.h."

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
	expect "its group" "0::${group#"$groups"}" "$(group_of "$it")" "COMMAND is no member of GROUP: write 0 to its cgroup.procs before exec()."
	go_on
	expect "in GROUP: open() of another MINOR" "$refused" "$(told "$group" ": <$neighbour")" \
		"Is the program attached to GROUP? Are type and access told apart by 0xffff? Is minor looked at?"
	expect "in GROUP: open() of another MAJOR" "$refused" "$(told "$group" ": <$stranger")" \
		"A device has two numbers: the same MINOR with another MAJOR is another disk."
	expect "in GROUP: open() of MAJOR:MINOR" success "$(told "$group" ": <$allowed")" \
		"This device should be allowed. A jump counts from the instruction behind it."
	expect "in GROUP: open() of /dev/zero" success "$(told "$group" ": </dev/zero")" \
		"No block device: it should be allowed. A jump counts from the instruction behind it."
	expect "in GROUP: mknod() of another MINOR" "$refused" \
		"$(told "$group" "mknod $node b ${majors[which]} $other")" \
		"The program is asked about mknod() too. Above the low 16 bits access_type says what for; refuse all of it."
	expect "beside GROUP: open() of another MINOR" success "$(told "$beside" ": <$neighbour")" \
		"Other groups should not notice: target_fd is GROUP's folder, not the one above."
}
