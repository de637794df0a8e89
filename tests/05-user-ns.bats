#!/usr/bin/env bats
# 05-user-ns, seen from outside while it waits: the ids, maps and capabilities of
# its processes in /proc, what the ordinary user is in there, who owns the file,
# and the calls as strace sees them. "# check:" names the lab's check whose fact
# is obtained here a second time.

load helper
program=05-user-ns

# Each command of these tests that is meant for an ordinary user is run as one.
as_ordinary() {
	if [ "$EUID" = 0 ]; then
		setpriv --reuid="${uid:-1000}" --regid="${gid:-1000}" --clear-groups "$@"
	else
		"$@"
	fi
}

# in_its_users PID COMMAND...: as the ordinary user, let into the user namespace of PID.
in_its_users() {
	as_ordinary nsenter "--user=/proc/$1/ns/user" --preserve-credentials "${@:2}" 2>&1
}

first_of() {
	local word
	read -r word _ <<<"$1"
	printf '%s' "$word"
}

setup_file() {
	"$LABS/$program" --can-run || return 0
	fact own_user "$(ns_of self user)"
	fact own_uts "$(ns_of self uts)"
	fact hostname_before "$(</proc/sys/kernel/hostname)"
	lab_start "$LABS/$program"
	fact lab "$lab"

	lab_go_to 1 || :
	uid=$(first_of "$(status_of "$lab" Uid)") gid=$(first_of "$(status_of "$lab" Gid)")
	fact uid "$uid"
	fact gid "$gid"
	fact ids "$(status_of "$lab" Uid)"
	fact groups "$(status_of "$lab" Groups)"
	fact ordinary_power "$(status_of "$lab" CapEff)"
	fact ordinary_ns "$(ns_of "$lab" user)"

	lab_go_to 2 || :
	root=$lab_pid
	fact root "$root"
	fact root_ns "$(ns_of "$root" user)"
	fact root_parent "$(status_of "$root" PPid)"
	fact map_before "$(<"/proc/$root/uid_map")"
	fact uid_before "$(in_its_users "$root" id -u)"
	fact power_before "$(status_of "$root" CapEff)"

	lab_go_to 3 || :
	fact uid_map "$(xargs <"/proc/$root/uid_map")"
	fact gid_map "$(xargs <"/proc/$root/gid_map")"
	fact setgroups "$(<"/proc/$root/setgroups")"
	fact uid_after "$(in_its_users "$root" id -u)"
	fact gid_after "$(in_its_users "$root" id -g)"
	fact uid_outside "$(status_of "$root" Uid)"

	lab_go_to 4 || :
	made=(/tmp/lab05-"$lab"-*/*)
	fact file "${made[*]}"
	fact owner_outside "$(stat -c %u "${made[0]}")"
	fact owner_inside "$(in_its_users "$root" stat -c %u "${made[0]}")"

	lab_go_to 5 || :
	fact uts_then "$(ns_of "$root" uts)"
	fact hostname_then "$(</proc/sys/kernel/hostname)"

	lab_go_to 6 || :
	fact root_uts "$(ns_of "$root" uts)"
	fact root_mnt "$(ns_of "$root" mnt)"
	fact lab_mnt "$(ns_of "$lab" mnt)"
	fact name_inside "$(as_ordinary nsenter "--user=/proc/$root/ns/user" --preserve-credentials \
		"--uts=/proc/$root/ns/uts" uname -n 2>&1)"
	fact mounted "$(awk '$5 == "/tmp" { for (i = 7; $i != "-"; i++); print $(i + 1) }' "/proc/$root/mountinfo" | tail -n 1)"
	fact mounted_outside "$(awk '$5 == "/tmp" { if (NR == FNR) device = $3; else if ($3 == device) print }' "/proc/$root/mountinfo" "/proc/$lab/mountinfo")"
	fact hostname_after "$(</proc/sys/kernel/hostname)"
	lab_end
	fact status "$lab_status"

	strace -f -qq -s 128 -e trace=unshare,sethostname,kill,clock_settime,openat,open,mount \
		-o "$BATS_FILE_TMPDIR/calls" "$LABS/$program" --format=jsonl >/dev/null 2>&1 3>&- || :
}

setup() {
	needs_lab "$program"
	read_facts
	calls=$BATS_FILE_TMPDIR/calls
}

@test "05-user-ns: it is an ordinary user, whoever started it, and without power" {
	differ "its uid beside root's" 0 "$uid"
	same "its real, effective, saved and file-system uid" "$uid $uid $uid $uid" "$ids"
	[ "$EUID" != 0 ] || same "its groups" "" "${groups% }"
	same "its user namespace" "$own_user" "$ordinary_ns"
	# check: control: CAP_SYS_ADMIN in CapEff
	same "its CAP_SYS_ADMIN, number 21" 0 "$((16#$ordinary_power >> 21 & 1))"
	# check: control: unshare(CLONE_NEWUTS)
	same "who was refused a UTS namespace, beside who made the user namespace" refused \
		"$(awk '/unshare\(CLONE_NEWUTS\) += -1 EPERM/ { print "refused" }' "$calls")"
	# By hand.
	same "unshare --uts of an ordinary user" refused \
		"$(as_ordinary unshare --uts true 2>/dev/null && echo allowed || echo refused)"
}

@test "05-user-ns: before a map: the overflow id, and every capability" {
	# check: a user namespace of its own
	differ "its user namespace beside the machine's" "$own_user" "$root_ns"
	same "its parent" "$lab" "$root_parent"
	same "its map" "" "$map_before"
	# check: before a map: getuid()
	same "the ordinary user in there" "$(</proc/sys/kernel/overflowuid)" "$uid_before"
	# check: before a map: CapEff
	same "its capabilities" "$(((2 << $(</proc/sys/kernel/cap_last_cap)) - 1))" "$((16#$power_before))"
	# By hand: without a map, and the control: without the namespace.
	same "id -u by hand" "$(</proc/sys/kernel/overflowuid)" "$(as_ordinary unshare --user id -u)"
	same "control: id -u" "$uid" "$(as_ordinary id -u)"
}

@test "05-user-ns: the map makes it root inside, and outside it is who it was" {
	same "uid_map" "0 $uid 1" "$uid_map"
	same "gid_map" "0 $gid 1" "$gid_map"
	same "setgroups" deny "$setgroups"
	# check: gid_map, once setgroups is denied
	same "the ordinary user's group in there" 0 "$gid_after"
	# check: inside: getuid()
	same "the ordinary user in there" 0 "$uid_after"
	# check: outside: its Uid
	same "Uid in its status, read outside" "$ids" "$uid_outside"
	# By hand; and with a command of one's own.
	same "id -u by hand" 0 "$(as_ordinary unshare --user --map-root-user id -u)"
	same "id -u of a COMMAND" 0 "$("$LABS/$program" -- id -u 2>/dev/null)"
}

@test "05-user-ns: root's file belongs to the ordinary user outside" {
	[[ $file =~ ^/tmp/lab05-$lab-[A-Za-z0-9]{6}/made-by-root$ ]] || same "its file" "/tmp/lab05-$lab-XXXXXX/made-by-root" "$file"
	# check: inside: owner of the file
	same "owner, seen by one who is let in" 0 "$owner_inside"
	# check: outside: owner of the file
	same "owner, seen outside" "$uid" "$owner_outside"
	# By hand, and the control: what the machine's root owns is nobody's in there.
	work=$(mktemp -d)
	chmod 777 "$work"
	as_ordinary unshare --user --map-root-user touch "$work/mine"
	same "owner of a file made by hand" "$uid" "$(stat -c %u "$work/mine")"
	rm -rf "$work"
	same "owner of root's file, seen inside" "$(</proc/sys/kernel/overflowuid)" \
		"$(as_ordinary unshare --user --map-root-user stat -c %u /proc/kmsg)"
}

@test "05-user-ns: its power does not reach what the machine owns" {
	same "its UTS namespace at that time" "$own_uts" "$uts_then"
	# The trial before the lab makes one too; the lab's own is the last.
	root=$(awk '/unshare\(CLONE_NEWUSER\) += 0/ { pid = $1 } END { print pid }' "$calls")
	# check: sethostname(), the machine's
	same "sethostname(), by" "$root" "$(caller_of 'sethostname\(.*\) += -1 EPERM')"
	same "the machine's hostname" "$hostname_before $hostname_before" "$hostname_then $hostname_after"
	# check: kill(1, 0), another user's
	same "kill(1, 0), by" "$root" "$(caller_of 'kill\(1, 0\) += -1 EPERM')"
	# check: open() of a file for root only
	same "open() of /proc/kmsg, by" "$root" "$(caller_of 'open.*"/proc/kmsg".* = -1 EACCES')"
	# check: clock_settime(), to what it is
	same "clock_settime(), by" "$root" "$(caller_of 'clock_settime\(CLOCK_REALTIME, .*\) += -1 EPERM')"
	# By hand, each by a root of its own.
	for command in 'hostname "$(uname -n)"' 'kill -0 1' 'head -c 0 </proc/kmsg' \
		'! date -s "@$(date +%s)" 2>&1 | grep -q "not permitted"'; do
		same "$command" refused "$(as_ordinary unshare --user --map-root-user \
			sh -c "$command" >/dev/null 2>&1 && echo allowed || echo refused)"
	done
}

@test "05-user-ns: it does reach the namespaces that its own namespace owns" {
	# check: a hostname of its own
	differ "its UTS namespace beside the machine's" "$own_uts" "$root_uts"
	# check: sethostname(), its own
	same "its hostname" inside "$name_inside"
	# check: a mount table of its own
	differ "its mount table beside the lab's" "$lab_mnt" "$root_mnt"
	# check: mount() of a tmpfs
	same "what is mounted on its /tmp" tmpfs "$mounted"
	same "that file system, outside" "" "$mounted_outside"
	# By hand: the command that was refused above, and a UTS namespace more.
	same "hostname by hand" inside "$(as_ordinary unshare --user --map-root-user --uts sh -c 'hostname inside && uname -n')"
}

@test "05-user-ns: it needs nothing of the folder that it lies in" {
	[ "$EUID" = 0 ] || skip "only root starts what the ordinary user cannot read"
	mkdir -m 700 "$BATS_TEST_TMPDIR/home"
	cp "$LABS/$program" "$LABS/$program-more" "$BATS_TEST_TMPDIR/home"
	cd "$BATS_TEST_TMPDIR/home"
	./$program >/dev/null
	./$program-more >/dev/null
	same "a COMMAND there" 0 "$(./$program -- id -u 2>/dev/null)"
	# And sudo's user is who it becomes.
	same "map for who typed sudo" "0 1234 1" "$(SUDO_UID=1234 SUDO_GID=1234 ./$program -- xargs -a /proc/self/uid_map 2>/dev/null)"
}

@test "05-user-ns: where ordinary users may not, it says so, to root as well" {
	in_vm || skip "in the lab VM only: it turns a switch of the machine"
	local switch=/proc/sys/kernel/unprivileged_userns_clone before
	before=$(</proc/sys/user/max_user_namespaces)
	echo 0 >/proc/sys/user/max_user_namespaces
	run "$LABS/$program" --can-run
	echo "$before" >/proc/sys/user/max_user_namespaces
	same "status" 77 "$status"
	[[ $output == "no user namespace for an ordinary user (ENOSPC); sudo sysctl user.max_user_namespaces="* ]]
	if [ -e $switch ]; then
		echo 0 >$switch
		run "$LABS/$program" --can-run
		echo 1 >$switch
		same "status" 77 "$status"
		[[ $output == *"; sudo sysctl kernel.unprivileged_userns_clone=1"* ]]
	fi
}

@test "05-user-ns: an ordinary user to whom systemd gives CAP_WAKE_ALARM is one all the same" {
	[ "$EUID" = 0 ] || skip "only root can give that capability"
	run as_ordinary --inh-caps=+wake_alarm --ambient-caps=+wake_alarm "$LABS/$program"
	same "its status" 0 "$status"
}

@test "05-user-ns: where PID 1 is the user's own, a signal to it is not asked for" {
	[ "$EUID" = 0 ] || skip "only root makes such a place without a user namespace"
	run unshare --pid --fork --mount-proc setpriv --reuid=1000 --regid=1000 --clear-groups "$LABS/$program"
	same "its status" 0 "$status"
	[[ $output == *"PID 1 is a process of ours"* ]]
}

@test "05-user-ns: and its verdict is pass" {
	same "its status" 0 "$status"
}
