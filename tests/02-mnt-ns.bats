#!/usr/bin/env bats
# 02-mnt-ns, seen from outside while it waits: the mount tables of its processes
# in /proc/PID/mountinfo, what they find by their own roots in /proc/PID/root,
# and the calls as strace sees them. "# check:" names the lab's check whose fact
# is obtained here a second time.

load helper
program=02-mnt-ns
tree=$ROOT/build/rootfs/tree

# What is mounted at PATH in the table of PID, the last on top.
sources_at() {
	awk -v at="$2" '$5 == at { for (i = 7; $i != "-"; i++); print $(i + 2) }' "/proc/$1/mountinfo" | xargs
}

# Where the table of PID has mounts; only those with the tag that is given.
points() {
	awk -v tag="${2-}" 'tag == "" || index($0, tag) { print $5 }' "/proc/$1/mountinfo" | xargs
}

# rw or ro: the topmost mount at PATH, not its filesystem.
mode_of() {
	awk -v at="$2" '$5 == at { split($6, option, ","); mode = option[1] } END { print mode }' "/proc/$1/mountinfo"
}

# "device:inode", by which a folder is known under any name.
folder() {
	stat -Lc %d:%i "$1" 2>&1
}

read_in() {
	cat "/proc/$1/root$2" 2>/dev/null || echo "none"
}

# What the lab could change of this machine's table; others mount too.
own_table() {
	grep -E ' (/|/etc|/mnt) | lab02|/lab02|rootfs/tree' /proc/self/mountinfo || :
}

setup_file() {
	"$LABS/$program" --can-run || return 0
	fact own_mnt "$(ns_of self mnt)"
	fact table_before "$(own_table)"
	fact config_before "$(read_in self /etc/config)"
	fact root_before "$(folder /)"
	lab_start "$LABS/$program"
	fact lab "$lab"

	lab_go_to 1 || :
	fact host_mnt "$(ns_of "$lab" mnt)"
	fact host_shared "$(points "$lab" ' shared:')"
	fact host_slave "$(points "$lab" ' master:')"
	fact host_etc "$(sources_at "$lab" /etc)"
	fact host_config "$(read_in "$lab" /etc/config)"

	lab_go_to 2 || :
	fact leaked "$(sources_at "$lab" /etc)"
	fact leaked_config "$(read_in "$lab" /etc/config)"
	fact left_children "$(children_of "$lab")"

	lab_go_to 3 || :
	web=$lab_pid
	fact web "$web"
	fact web_mnt "$(ns_of "$web" mnt)"
	fact web_tags "$(points "$web" ' shared:')$(points "$web" ' master:')"
	fact web_etc "$(sources_at "$web" /etc)"
	fact host_etc_then "$(sources_at "$lab" /etc)"

	lab_go_to 4 || :
	db=$lab_pid
	fact db_mnt "$(ns_of "$db" mnt)"
	fact db_tags "$(points "$db" ' shared:')$(points "$db" ' master:')"
	fact contents "$(read_in "$web" /etc/config) $(read_in "$db" /etc/config) $(read_in "$lab" /etc/config)"
	fact config_meanwhile "$(read_in self /etc/config)"

	lab_go_to 5 || :
	fact web_root "$(folder "/proc/$web/root/")"
	fact web_mode "$(mode_of "$web" /)"
	fact put_old "$(folder "/proc/$web/root/mnt/")"
	fact below_mnt "$(folder "/proc/$web/root/mnt$LABS/$program")"

	lab_go_to 6 || :
	fact web_points "$(points "$web")"
	fact below_mnt_then "$(ls -A "/proc/$web/root/mnt/" 2>&1)"
	own=$(echo "/tmp/lab02-$lab"-*)
	fact paths_then "$(for path in "$LABS/$program" "$tree" "$own"; do
		[ ! -e "/proc/$web/root$path" ] || echo "$path"
	done)"

	lab_go_to 7 || :
	fact note "$(cat "$own/note" 2>&1)"
	fact volume "$(folder "$own")"
	fact volume_inside "$(folder "/proc/$web/root/var/lib/")"
	fact volume_mode "$(mode_of "$web" /var/lib)"
	fact appended "$(echo more 2>/dev/null >>"$own/note" && echo yes)"
	fact appended_inside "$(cat "/proc/$web/root/var/lib/note" 2>&1)"
	fact table_meanwhile "$(own_table)"
	lab_end
	fact status "$lab_status"

	strace -f -qq -s 128 -e trace=unshare,setns,mount,umount2,pivot_root,chroot,openat \
		-o "$BATS_FILE_TMPDIR/calls" "$LABS/$program" --format=jsonl >/dev/null 2>&1 3>&- || :
	fact table_after "$(own_table)"
	fact config_after "$(read_in self /etc/config)"
}

setup() {
	needs_lab "$program"
	read_facts
	calls=$BATS_FILE_TMPDIR/calls
}

# The calls of PID that change its table or its root, in their order.
changes_of() {
	awk -v pid="$1" '$1 == pid && $2 ~ /^(unshare|mount|umount2|pivot_root|chroot)\(/ {
		sub(/^[0-9]+ +/, ""); sub(/ +=.*/, ""); print }' "$calls"
}

@test "02-mnt-ns: the lab's host has a table of its own, this machine's is as before" {
	# check: host: its mount table
	differ "the lab's host beside this machine" "$own_mnt" "$host_mnt"
	same "what it shares, and that is its own" "/etc" "$host_shared"
	same "what it would hear of this machine" "" "$host_slave"
	same "its /etc" "lab02-host" "${host_etc##* }"
	# check: host: /etc/config
	same "its /etc/config" "host" "$host_config"
	same "this machine's table, while the lab mounts" "$table_before" "$table_meanwhile"
	same "this machine's table, after it" "$table_before" "$table_after"
	same "this machine's /etc/config, while the lab mounts" "$config_before" "$config_meanwhile"
	same "this machine's /etc/config, after it" "$config_before" "$config_after"
}

@test "02-mnt-ns: where every mount is shared, as systemd has it, nothing leaks either" {
	where_shared "$program"
	where_shared "$program-more"
}

@test "02-mnt-ns: control: a copy that is still shared leaks to its host" {
	# check: control: the host's /etc/config
	same "the host's /etc/config" control "$leaked_config"
	same "the host's /etc, with what leaked on top" "lab02-host lab02-control" "${leaked#"${host_etc%lab02-host}"}"
	same "children of the lab by then" "" "$left_children"
	# check: control: its mount table
	control=$(caller_of 'mount\("lab02-control", "/etc", "tmpfs", 0, NULL\) += 0')
	same "what it did to its table" 'unshare(CLONE_NEWNS) mount("lab02-control", "/etc", "tmpfs", 0, NULL)' \
		"$(changes_of "$control" | xargs -d '\n')"
	# By hand: the same two commands, and only the propagation differs.
	for propagation in unchanged:1 private:0; do
		same "seen by the host of a shell, ${propagation%:*}" "${propagation#*:}" "$(unshare "${userns_make[@]}" --mount \
			sh -c 'mount -t tmpfs host /mnt; mount --make-shared /mnt
				unshare --mount "--propagation=$0" mount -t tmpfs lab02-by-hand /mnt
				grep -c lab02-by-hand /proc/self/mountinfo' "${propagation%:*}")"
	done
}

@test "02-mnt-ns: with a private copy the mount is in the inside table only" {
	# check: web: its mount table
	differ "web's table beside its host's" "$host_mnt" "$web_mnt"
	differ "web's table beside this machine's" "$own_mnt" "$web_mnt"
	same "what web shares, or hears of" "" "$web_tags"
	# check: listed inside
	same "web's /etc" lab02-web "${web_etc##* }"
	# check: listed on the host
	same "its host's /etc" "$host_etc" "$host_etc_then"
}

@test "02-mnt-ns: two containers have two contents at one path, the host a third" {
	# check: db: its mount table
	differ "db's table beside web's" "$web_mnt" "$db_mnt"
	differ "db's table beside the host's" "$host_mnt" "$db_mnt"
	same "what db shares, or hears of" "" "$db_tags"
	# check: in web, in db, outside
	same "/etc/config in web, in db, on the host" "web db host" "$contents"
}

@test "02-mnt-ns: pivot_root(2) makes the rootfs the root and puts the old one at /mnt" {
	# check: its root
	same "web's root" "$(folder "$tree")" "$web_root"
	differ "web's root beside this machine's" "$root_before" "$web_root"
	same "web's root: mode" ro "$web_mode"
	# check: a path of the host, below /mnt
	same "what is at its /mnt" "$root_before" "$put_old"
	same "this program below its /mnt" "$(folder "$LABS/$program")" "$below_mnt"
	web=$(caller_of 'pivot_root\("\.", "mnt"\) += 0')
	same "chroot calls" "" "$(grep -E "^$web +chroot" "$calls" || :)"
	# The tree is the project's own: nobody may write to it through this root.
	same "the tree, after the lab" "" "$(find "$tree" -newer "$BATS_FILE_TMPDIR/facts" 2>&1)"
}

@test "02-mnt-ns: with the old root unmounted no path leads to the host" {
	same "its whole table" "/ /var/lib" "$web_points"
	# check: umounted: that path below /mnt
	same "what is at its /mnt" "" "$below_mnt_then"
	# check: the same path from /
	same "paths of the host that it finds" "" "$paths_then"
	# They are there: by this test's own root.
	ls -d "$LABS/$program" "$tree"
	# By hand, from a command in there; the root can be listed, so ls works.
	inside=$("$LABS/$program" -- ls / 2>/dev/null | xargs)
	same "ls / inside" "$(cd "$tree" && printf '%s\n' * | xargs)" "$inside"
	run "$LABS/$program" -- ls "$LABS/$program"
	same "status of ls of this program, inside" 1 "$status"
	run "$LABS/$program" -- ls "/mnt/$LABS/$program"
	same "status of the same below /mnt" 1 "$status"
	run "$LABS/$program" -- touch /bin/mine
	same "status of touch on the read-only root" 1 "$status"
	[ ! -e "$tree/bin/mine" ]
}

@test "02-mnt-ns: a volume is one folder in two places, and read-only in one of them" {
	same "the folder outside and inside" "$volume" "$volume_inside"
	# check: outside: the file
	same "the file, outside" "from inside" "$note"
	# check: outside: open() to write
	same "written to, outside" yes "$appended"
	same "that, inside" "${note}more" "$appended_inside"
	# check: read-only: open() to write
	same "the volume's mode, inside" ro "$volume_mode"
	web=$(caller_of 'pivot_root\("\.", "mnt"\) += 0')
	same "who may write first" "$web" "$(caller_of 'openat\(.*"/var/lib/note", O_WRONLY\|O_CREAT.* = [0-9]+$')"
	same "who may not, then" "$web" "$(caller_of 'openat\(.*"/var/lib/note", O_WRONLY\) += -1 EROFS')"
}

@test "02-mnt-ns: a COMMAND with a path is looked up in the rootfs, also in the lab VM" {
	host_only "it boots a lab VM"
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

@test "02-mnt-ns: what was skipped has no row in the table of more of it" {
	jsonl=$("$LABS/$program-more" --format=jsonl 2>/dev/null 3>&-)
	seen=0
	! "$LABS/$program-more" --can-run=rm >/dev/null || seen=1
	same "rows of the part rm" "$seen" "$(jq -r 'select(.event == "end").table[][0]' <<<"$jsonl" | grep -c "^rm ")"
}

@test "02-mnt-ns: each wait knows that it is in the lab VM, also when /etc is covered" {
	in_vm || skip "in the lab VM only: its waits name make look"
	told=$("$LABS/$program" --step </dev/null 2>/dev/null 3>&- | grep "^   Look, from a second terminal" | sort -u)
	same "what a wait says" "   Look, from a second terminal (make look):" "$told"
}

@test "02-mnt-ns: and its verdict is pass" {
	same "its status" 0 "$status"
}
