#!/usr/bin/env bats
# 05-user-ns, looked at from outside while it waits: the ids, maps and capabilities that /proc
# shows of it, what the ordinary user is inside, who owns the file, and the calls that strace
# sees. "# check:" names the check of the lab whose fact is obtained here a second time.

load helper
program=05-user-ns

setup() {
	needs_lab "$program"
}

teardown() {
	lab_stop
}

# at CHECK: the lab waits after that check. Sets uid and gid, those of the ordinary user that it is. Root's has a group
# to lose.
at() {
	local groups=()
	[ "$EUID" != 0 ] || groups=(setpriv --groups=4321)
	lab_at "$1" "${groups[@]}" "$LABS/$program"
	read -r uid _ <<<"$(status_of "$lab" Uid)"
	read -r gid _ <<<"$(status_of "$lab" Gid)"
}

# as_ordinary COMMAND...: as the ordinary user.
as_ordinary() {
	if [ "$EUID" = 0 ]; then
		setpriv --reuid="${uid:-1000}" --regid="${gid:-1000}" --clear-groups "$@"
	else
		"$@"
	fi
}

# inside_as_ordinary COMMAND...: the same, in the user namespace of the lab.
inside_as_ordinary() {
	as_ordinary nsenter "--user=/proc/$lab/ns/user" --preserve-credentials "$@" 2>&1
}

# trace CALLS: what strace sees of these calls goes to $calls.
trace() {
	calls=$BATS_TEST_TMPDIR/calls
	strace -f -qq -s 128 -e trace="$1" -o "$calls" "$LABS/$program" --format=jsonl >/dev/null 2>&1 3>&-
}

# The PID that becomes root in $calls. The probe before the story makes a user namespace too; the last one is the story's.
root_of_story() {
	awk '/unshare\(CLONE_NEWUSER\) += 0/ { pid = $1 } END { print pid }' "$calls"
}

overflow() {
	cat /proc/sys/kernel/overflowuid
}

@test "05-user-ns: the lab is an ordinary user, whoever started it, and may make no UTS namespace" {
	# check: control: CAP_SYS_ADMIN in CapEff
	at "control: CAP_SYS_ADMIN in CapEff"
	differ "its uid beside root's" 0 "$uid"
	same "its real, effective, saved and filesystem uid" "$uid $uid $uid $uid" "$(status_of "$lab" Uid)"
	[ "$EUID" != 0 ] || same "its groups" "" "$(sed -n 's/^Groups://p' "/proc/$lab/status" | xargs)"
	same "its CAP_SYS_ADMIN, number 21" 0 "$((16#$(status_of "$lab" CapEff) >> 21 & 1))"
	same "its user namespace" "$(ns_of self user)" "$(ns_of "$lab" user)"
	# check: control: unshare(CLONE_NEWUTS)
	same "its UTS namespace, after it asked for one" "$(ns_of self uts)" "$(ns_of "$lab" uts)"
	trace unshare
	same "who was refused, beside who makes the user namespace" "$(root_of_story)" \
		"$(caller_of 'unshare\(CLONE_NEWUTS\) += -1 EPERM')"
	# By hand.
	same "unshare --uts of an ordinary user" refused \
		"$(as_ordinary unshare --uts true 2>/dev/null && echo allowed || echo refused)"
}

@test "05-user-ns: before a map every id is the overflow id, and every capability is there" {
	# check: a user namespace of its own
	at "before a map: CapEff"
	differ "its user namespace beside the machine's" "$(ns_of self user)" "$(ns_of "$lab" user)"
	same "its map" "" "$(<"/proc/$lab/uid_map")"
	# check: before a map: getuid()
	same "the ordinary user inside" "$(overflow)" "$(inside_as_ordinary id -u)"
	# check: before a map: CapEff
	same "its capabilities" "$(((2 << $(</proc/sys/kernel/cap_last_cap)) - 1))" "$((16#$(status_of "$lab" CapEff)))"
	# By hand: without a map, and the control: without the namespace.
	same "id -u by hand" "$(overflow)" "$(as_ordinary unshare --user id -u)"
	same "control: id -u" "$uid" "$(as_ordinary id -u)"
}

@test "05-user-ns: the map makes the process root inside, and outside it keeps its id" {
	at "inside: getuid()"
	same "uid_map" "0 $uid 1" "$(xargs <"/proc/$lab/uid_map")"
	same "gid_map" "0 $gid 1" "$(xargs <"/proc/$lab/gid_map")"
	same "setgroups" deny "$(<"/proc/$lab/setgroups")"
	# check: gid_map, once setgroups is denied
	same "the ordinary user's group inside" 0 "$(inside_as_ordinary id -g)"
	# check: inside: getuid()
	same "the ordinary user inside" 0 "$(inside_as_ordinary id -u)"
	# check: outside: its Uid
	same "Uid in its status, read outside" "$uid $uid $uid $uid" "$(status_of "$lab" Uid)"
	# By hand; and a command of your own.
	same "id -u by hand" 0 "$(as_ordinary unshare --user --map-root-user id -u)"
	same "id -u of a COMMAND" 0 "$("$LABS/$program" -- id -u 2>/dev/null)"
}

@test "05-user-ns: a file that root inside creates belongs to the ordinary user outside" {
	at "inside: owner of the file"
	file=$(echo /tmp/lab05-"$lab"-*/made-by-root)
	[[ $file =~ ^/tmp/lab05-$lab-[A-Za-z0-9]{6}/made-by-root$ ]] || same "its file" "/tmp/lab05-$lab-XXXXXX/made-by-root" "$file"
	# check: inside: owner of the file
	same "its owner, seen inside" 0 "$(inside_as_ordinary stat -c %u "$file")"
	# check: outside: owner of the file
	same "its owner, seen outside" "$uid" "$(stat -c %u "$file")"
	# By hand, and the control: a file of the machine's root is nobody's inside.
	work=$(mktemp -d)
	chmod 777 "$work"
	as_ordinary unshare --user --map-root-user touch "$work/mine"
	same "owner of a file made by hand" "$uid" "$(stat -c %u "$work/mine")"
	rm -rf "$work"
	same "owner of root's file, seen inside" "$(overflow)" \
		"$(as_ordinary unshare --user --map-root-user stat -c %u /proc/kmsg)"
}

@test "05-user-ns: its power does not reach what the machine owns" {
	hostname=$(</proc/sys/kernel/hostname)
	at "sethostname(), the machine's"
	same "its UTS namespace" "$(ns_of self uts)" "$(ns_of "$lab" uts)"
	differ "its user namespace beside the machine's" "$(ns_of self user)" "$(ns_of "$lab" user)"
	same "its CAP_SYS_ADMIN, number 21" 1 "$((16#$(status_of "$lab" CapEff) >> 21 & 1))"
	same "the machine's hostname" "$hostname" "$(</proc/sys/kernel/hostname)"
	trace unshare,sethostname,kill,clock_settime,openat,open
	root=$(root_of_story)
	# check: sethostname(), the machine's
	same "sethostname(), by" "$root" "$(caller_of 'sethostname\(.*\) += -1 EPERM')"
	# check: kill(1, 0), another user's
	same "kill(1, 0), by" "$root" "$(caller_of 'kill\(1, 0\) += -1 EPERM')"
	# check: open() of a file for root only
	same "open() of /proc/kmsg, by" "$root" "$(caller_of 'open.*"/proc/kmsg".* = -1 EACCES')"
	# check: clock_settime(), to what it is
	same "clock_settime(), by" "$root" "$(caller_of 'clock_settime\(CLOCK_REALTIME, .*\) += -1 EPERM')"
	# By hand, each by root of a user namespace.
	for command in 'hostname "$(uname -n)"' 'kill -0 1' 'head -c 0 </proc/kmsg' \
		'! date -s "@$(date +%s)" 2>&1 | grep -q "not permitted"'; do
		same "$command" refused "$(as_ordinary unshare --user --map-root-user \
			sh -c "$command" >/dev/null 2>&1 && echo allowed || echo refused)"
	done
}

@test "05-user-ns: its power does reach the namespaces that its user namespace owns" {
	hostname=$(</proc/sys/kernel/hostname)
	at "mount() of a tmpfs"
	same "the child's user namespace" "$(ns_of "$lab" user)" "$(ns_of "$lab_pid" user)"
	# check: a hostname of its own
	differ "its UTS namespace beside the machine's" "$(ns_of self uts)" "$(ns_of "$lab_pid" uts)"
	# check: sethostname(), its own
	same "its hostname" inside "$(inside_as_ordinary nsenter "--uts=/proc/$lab_pid/ns/uts" uname -n)"
	same "the machine's hostname" "$hostname" "$(</proc/sys/kernel/hostname)"
	# check: a mount table of its own
	differ "its mount table beside the lab's" "$(ns_of "$lab" mnt)" "$(ns_of "$lab_pid" mnt)"
	# check: mount() of a tmpfs
	same "what is mounted on its /tmp" tmpfs \
		"$(awk '$5 == "/tmp" { for (i = 7; $i != "-"; i++); print $(i + 1) }' "/proc/$lab_pid/mountinfo" | tail -n 1)"
	same "that filesystem, outside" "" \
		"$(awk '$5 == "/tmp" { if (NR == FNR) device = $3; else if ($3 == device) print }' "/proc/$lab_pid/mountinfo" "/proc/$lab/mountinfo")"
	# By hand: the command that was refused above, and a UTS namespace more.
	same "hostname by hand" inside "$(as_ordinary unshare --user --map-root-user --uts sh -c 'hostname inside && uname -n')"
	lab_end
	same "the lab's status" 0 "$lab_status"
}

@test "05-user-ns: it reads nothing from the folder that it is in" {
	[ "$EUID" = 0 ] || skip "only root starts what the ordinary user cannot read"
	mkdir -m 700 "$BATS_TEST_TMPDIR/home"
	cp "$LABS/$program" "$LABS/$program-more" "$BATS_TEST_TMPDIR/home"
	cd "$BATS_TEST_TMPDIR/home"
	./$program >/dev/null
	./$program-more >/dev/null
	same "a COMMAND there" 0 "$(./$program -- id -u 2>/dev/null)"
	# The lab becomes the user who typed sudo.
	same "map of the user who typed sudo" "0 1234 1" "$(SUDO_UID=1234 SUDO_GID=1234 ./$program -- xargs -a /proc/self/uid_map 2>/dev/null)"
}

@test "05-user-ns: where ordinary users may make no user namespace, it says so, to root as well" {
	in_vm || skip "in the lab VM only: it changes a sysctl of the machine"
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

@test "05-user-ns: a user to whom systemd gives CAP_WAKE_ALARM is still an ordinary user" {
	[ "$EUID" = 0 ] || skip "only root can give that capability"
	run as_ordinary --inh-caps=+wake_alarm --ambient-caps=+wake_alarm "$LABS/$program"
	same "its status" 0 "$status"
}

@test "05-user-ns: where PID 1 belongs to the user, no signal to it is tried" {
	[ "$EUID" = 0 ] || skip "only root can make a PID namespace without a user namespace"
	run unshare --pid --fork --mount-proc setpriv --reuid=1000 --regid=1000 --clear-groups "$LABS/$program"
	same "its status" 0 "$status"
	[[ $output == *"PID 1 belongs to this user here"* ]]
}
