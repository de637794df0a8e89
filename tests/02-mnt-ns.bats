#!/usr/bin/env bats
# 02-mnt-ns, seen from outside while it waits: the mount tables of its processes
# in /proc/PID/mountinfo, what they find below their own roots in /proc/PID/root,
# and the calls as strace sees them. "# check:" names the lab's check whose fact
# a test obtains a second time.

load helper
program=02-mnt-ns
tree=$ROOT/build/rootfs/tree

setup() {
	needs_lab "$program"
}

teardown() {
	lab_stop
}

# The mounts at PATH in the table of PID, by their sources, the topmost last.
sources_at() {
	awk -v at="$2" '$5 == at { for (i = 7; $i != "-"; i++); print $(i + 2) }' "/proc/$1/mountinfo" | xargs
}

# The mount points in the table of PID; with a TAG only those whose line has it.
points() {
	awk -v tag="${2-}" 'tag == "" || index($0, tag) { print $5 }' "/proc/$1/mountinfo" | xargs
}

# The mount points that PID shares with another table, or receives mounts from.
not_private() {
	echo "$(points "$1" ' shared:')$(points "$1" ' master:')"
}

# rw or ro: the topmost mount at PATH, not its filesystem.
mode_of() {
	awk -v at="$2" '$5 == at { split($6, option, ","); mode = option[1] } END { print mode }' "/proc/$1/mountinfo"
}

# "device:inode", which is the same under every name of a folder.
folder() {
	stat -Lc %d:%i "$1" 2>&1
}

# What PID reads at PATH, by its own root.
read_in() {
	cat "/proc/$1/root$2" 2>/dev/null || echo "none"
}

# What a lab could have changed in this machine's table; other programs mount as well.
machine_table() {
	grep -E ' (/|/etc|/mnt) | lab02|/lab02|rootfs/tree' /proc/self/mountinfo || :
	read_in self /etc/config
}

# trace PROGRAM: sets calls, a file with the calls of its story.
trace() {
	calls=$BATS_TEST_TMPDIR/calls
	strace -f -qq -s 128 -e trace=unshare,setns,mount,umount2,pivot_root,chroot,openat \
		-o "$calls" "$LABS/$1" --format=jsonl >/dev/null 2>&1 3>&- || :
}

# The calls of PID that change its table or its root, in their order.
changes_of() {
	awk -v pid="$1" '$1 == pid && $2 ~ /^(unshare|mount|umount2|pivot_root|chroot)\(/ {
		sub(/^[0-9]+ +/, ""); sub(/ +=.*/, ""); print }' "$calls"
}

# ---- main.c: a root of its own -------------------------------------------------------------------

@test "02-mnt-ns: a mount in a private table is listed inside only" {
	etc_before=$(sources_at self /etc)
	lab_at "listed on the host" "$LABS/$program"
	# check: web: its mount table
	differ "web's table beside the host's" "$(ns_of self mnt)" "$(ns_of "$lab_pid" mnt)"
	same "mounts of web that are not private" "" "$(not_private "$lab_pid")"
	# check: listed inside
	same "web's /etc" lab02-web "$(sources_at "$lab_pid" /etc | xargs -n 1 | tail -n 1)"
	# check: listed on the host
	same "the table of the lab itself" "$(ns_of self mnt)" "$(ns_of "$lab" mnt)"
	same "the host's /etc" "$etc_before" "$(sources_at "$lab" /etc)"
}

@test "02-mnt-ns: pivot_root(2) makes the rootfs the root and puts the old one at /mnt" {
	lab_at "a path of the host, below /mnt" "$LABS/$program"
	# check: its root
	same "web's root" "$(folder "$tree")" "$(folder "/proc/$lab_pid/root/")"
	same "web's root: mode" ro "$(mode_of "$lab_pid" /)"
	# check: a path of the host, below /mnt
	same "what is at its /mnt" "$(folder /)" "$(folder "/proc/$lab_pid/root/mnt/")"
	same "this program below its /mnt" "$(folder "$LABS/$program")" "$(folder "/proc/$lab_pid/root/mnt$LABS/$program")"
}

@test "02-mnt-ns: it is done by pivot_root(2) and not by chroot(2), and the tree stays as it is" {
	touch "$BATS_TEST_TMPDIR/before"
	trace "$program"
	web=$(caller_of 'pivot_root\("\.", "mnt"\) += 0')
	same "chroot calls" "" "$(grep -E "^$web +chroot" "$calls" || :)"
	same "files of the tree that have changed" "" "$(find "$tree" -newer "$BATS_TEST_TMPDIR/before" 2>&1)"
}

@test "02-mnt-ns: with the old root unmounted no path leads to the host" {
	lab_at "the same path from /" "$LABS/$program"
	same "its whole table" "/ /var/lib" "$(points "$lab_pid")"
	# check: umounted: that path below /mnt
	same "what is at its /mnt" "" "$(ls -A "/proc/$lab_pid/root/mnt/" 2>&1)"
	# check: the same path from /
	for path in "$LABS/$program" "$tree" "/tmp/lab02-$lab"-*; do
		[ -e "$path" ] # this test finds it, by its own root
		[ ! -e "/proc/$lab_pid/root$path" ]
	done
}

@test "02-mnt-ns: a command finds the rootfs, cannot write to it, and finds nothing of the host" {
	same "ls /" "$(cd "$tree" && printf '%s\n' * | xargs)" "$("$LABS/$program" -- ls / 2>/dev/null | xargs)"
	run -1 "$LABS/$program" -- ls "$LABS/$program"
	run -1 "$LABS/$program" -- ls "/mnt/$LABS/$program"
	run -1 "$LABS/$program" -- touch /bin/mine
	[ ! -e "$tree/bin/mine" ]
}

@test "02-mnt-ns: a volume is one folder under two paths, and read-only under one of them" {
	lab_at "outside: the file" "$LABS/$program"
	volume=$(echo "/tmp/lab02-$lab"-*)
	same "the folder outside and inside" "$(folder "$volume")" "$(folder "/proc/$lab_pid/root/var/lib/")"
	# check: outside: the file
	same "the file, outside" "from inside" "$(<"$volume/note")"
	# check: outside: open() to write
	echo more >>"$volume/note"
	same "the file, inside" "from insidemore" "$(read_in "$lab_pid" /var/lib/note)"
	# check: read-only: open() to write
	same "the volume's mode, inside" ro "$(mode_of "$lab_pid" /var/lib)"
	trace "$program"
	web=$(caller_of 'pivot_root\("\.", "mnt"\) += 0')
	same "who may write at first" "$web" "$(caller_of 'openat\(.*"/var/lib/note", O_WRONLY\|O_CREAT.* = [0-9]+$')"
	same "who may not, then" "$web" "$(caller_of 'openat\(.*"/var/lib/note", O_WRONLY\) += -1 EROFS')"
}

@test "02-mnt-ns: a COMMAND with a path is looked up in the rootfs, also in the lab VM" {
	boots_vm
	printf '#!/bin/sh\n' >"$BATS_TEST_TMPDIR/mine"
	chmod +x "$BATS_TEST_TMPDIR/mine"
	for where in host vm; do
		result=0
		said=$(WHERE=$where "$ROOT/scripts/lab" 02 -- "$BATS_TEST_TMPDIR/mine" 2>&1 >/dev/null) || result=$?
		same "WHERE=$where: the status of one that only the machine has" 127 "$result"
		same "what is said of it" "02-mnt-ns: $BATS_TEST_TMPDIR/mine: not found" "${said##*$'\n'}"
		result=0
		WHERE=$where "$ROOT/scripts/lab" 02 -- /bin/true >/dev/null 2>&1 || result=$?
		same "WHERE=$where: the status of one that the rootfs has" 0 "$result"
	done
}

# ---- more-propagation.c: why a mount leaks -------------------------------------------------------

@test "02-mnt-ns: the host of the propagation story is a table of its own, with a shared /etc" {
	before=$(machine_table)
	lab_at "control: the host's /etc/config" "$LABS/$program-more-propagation"
	# more-propagation: host: its mount table
	differ "the story's host beside this machine" "$(ns_of self mnt)" "$(ns_of "$lab" mnt)"
	same "mounts that it receives from this machine" "" "$(points "$lab" ' master:')"
	same "mounts that it shares" "/etc /etc" "$(points "$lab" ' shared:')"
	same "this machine's table, while the lab mounts" "$before" "$(machine_table)"
	# more-propagation: host: /etc/config
	lab_go_until "in web, in db, outside"
	same "its /etc/config" host "$(read_in "$lab" /etc/config)"
	lab_end
	same "this machine's table, after it" "$before" "$(machine_table)"
}

@test "02-mnt-ns: control: a copy that is still shared leaks to its host" {
	lab_at "control: the host's /etc/config" "$LABS/$program-more-propagation"
	# more-propagation: control: the host's /etc/config
	same "the host's /etc/config" control "$(read_in "$lab" /etc/config)"
	same "the host's /etc, with what leaked on top" "lab02-host lab02-control" \
		"$(sources_at "$lab" /etc | xargs -n 1 | tail -n 2 | xargs)"
	same "children of the lab by then" "" "$(children_of "$lab")"
	# more-propagation: control: its mount table
	trace "$program-more-propagation"
	control=$(caller_of 'mount\("lab02-control", "/etc", "tmpfs", 0, NULL\) += 0')
	same "what it did to its table" 'unshare(CLONE_NEWNS) mount("lab02-control", "/etc", "tmpfs", 0, NULL)' \
		"$(changes_of "$control" | xargs -d '\n')"
}

@test "02-mnt-ns: by hand: a mount leaks from an unchanged copy, and not from a private one" {
	for propagation in unchanged:1 private:0; do
		same "seen by the host of a shell, ${propagation%:*}" "${propagation#*:}" "$(unshare "${userns_make[@]}" --mount \
			sh -c 'mount -t tmpfs host /mnt; mount --make-shared /mnt
				unshare --mount "--propagation=$0" mount -t tmpfs lab02-by-hand /mnt
				grep -c lab02-by-hand /proc/self/mountinfo' "${propagation%:*}")"
	done
}

@test "02-mnt-ns: two private containers have two contents at one path, the host a third" {
	lab_at "in web, in db, outside" "$LABS/$program-more-propagation"
	read -r web db <<<"$(children_of "$lab")"
	# more-propagation: web: its mount table
	# more-propagation: db: its mount table
	differ "web's table beside the host's" "$(ns_of "$lab" mnt)" "$(ns_of "$web" mnt)"
	differ "db's table beside the host's" "$(ns_of "$lab" mnt)" "$(ns_of "$db" mnt)"
	differ "db's table beside web's" "$(ns_of "$web" mnt)" "$(ns_of "$db" mnt)"
	same "mounts of the two that are not private" "" "$(not_private "$web")$(not_private "$db")"
	# more-propagation: in web, in db, outside
	same "/etc/config in web, in db, on the host" "web db host" \
		"$(read_in "$web" /etc/config) $(read_in "$db" /etc/config) $(read_in "$lab" /etc/config)"
}

@test "02-mnt-ns: a slave receives the host's mount, and the host not the slave's" {
	lab_at "control: in a private one" "$LABS/$program-more-propagation"
	# more-propagation: slave: its mount table
	differ "the slave's table beside the host's" "$(ns_of "$lab" mnt)" "$(ns_of "$lab_pid" mnt)"
	same "mounts that the slave shares" "" "$(points "$lab_pid" ' shared:')"
	# more-propagation: the host's mount, in the slave
	same "the slave's /etc/out" lab02-outside "$(sources_at "$lab_pid" /etc/out)"
	# more-propagation: the slave's mount, on the host
	same "the slave's /etc/in" lab02-inside "$(sources_at "$lab_pid" /etc/in)"
	same "the host's /etc/in" "" "$(sources_at "$lab" /etc/in)"
	# more-propagation: control: in a private one
	read -r web _ <<<"$(children_of "$lab")"
	same "web's /etc/out" "" "$(sources_at "$web" /etc/out)"
}

# ---- All three -----------------------------------------------------------------------------------

@test "02-mnt-ns: nothing leaks where every mount is shared, as systemd has it" {
	where_shared "$program"
	where_shared "$program-more"
	where_shared "$program-more-propagation"
}

@test "02-mnt-ns: a part that was skipped has no row in the table of more.c" {
	jsonl=$("$LABS/$program-more" --format=jsonl 2>/dev/null 3>&-)
	seen=0
	! "$LABS/$program-more" --can-run=rm >/dev/null || seen=1
	same "rows of the part rm" "$seen" "$(jq -r 'select(.event == "end").table[][0]' <<<"$jsonl" | grep -c "^rm ")"
}

@test "02-mnt-ns: each wait knows that it is in the lab VM, also when /etc is covered" {
	in_vm || skip "in the lab VM only: its waits name make look"
	told=$("$LABS/$program-more-propagation" --step </dev/null 2>/dev/null 3>&- | grep "^   Look, from a second terminal" | sort -u)
	same "what a wait says" "   Look, from a second terminal (make look):" "$told"
}

@test "02-mnt-ns: the verdict of all three is pass" {
	for which in "" -more -more-propagation; do
		run -0 "$LABS/$program$which" --format=jsonl 3>&-
	done
}
