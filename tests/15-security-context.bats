#!/usr/bin/env bats
# 15-security-context, seen from outside while it waits: the children's /proc/PID/status beside that of
# the lab, their namespaces and maps, the ids of a set-uid program, the calls as strace sees them, and
# the same by hand with setpriv. "# check:" names the check of the lab whose fact a test obtains again.

# shellcheck disable=SC2154 # the helper's variables
load helper
program=15-security-context

# moved PID: the lines in which its status differs from the one that the lab itself has.
moved() {
	local key list=()
	for key in Uid CapBnd NoNewPrivs Seccomp; do
		[ "$(status_of "$1" $key)" = "$(status_of "$lab" $key)" ] || list+=("$key")
	done
	echo "${list[*]}"
}

# set_uid [OPTION...]: the Uid line of the lab's set-uid program, started by uid 1000, by hand.
set_uid() {
	local pid uids
	nsenter --target="$lab" --mount setpriv --reuid=1000 --regid=1000 --clear-groups "$@" \
		/mnt/set-uid 1k --hold >"$BATS_FILE_TMPDIR/said" 3>&- &
	pid=$!
	for ((tries = 100; tries > 0; tries--)); do
		[ ! -s "$BATS_FILE_TMPDIR/said" ] || break
		sleep 0.05
	done
	uids=$(status_of "$pid" Uid)
	kill -KILL "$pid"
	wait "$pid" || :
	rm -f "$BATS_FILE_TMPDIR/said"
	printf '%s' "$uids"
}

# by_hand COMMAND...: whether it succeeds in the mount namespace of the lab, as this shell's user.
by_hand() {
	if nsenter --target="$lab" --mount "$@" >/dev/null 2>&1 3>&-; then echo allowed; else echo refused; fi
}

setup_file() {
	! "$LABS/$program" --can-run >/dev/null || strace -f -qq \
		-e trace=open,openat,chown,fchownat,unshare,personality,setresuid,capset,prctl,seccomp,creat,mount \
		-o "$BATS_FILE_TMPDIR/calls" "$LABS/$program" >/dev/null 2>&1 3>&- || :
}

setup() {
	needs_lab "$program"
	calls=$BATS_FILE_TMPDIR/calls
}

teardown() {
	lab_stop
}

@test "15-security-context: its files are on a tmpfs in a mount namespace of its own" {
	lab_at "a filesystem of its own" "$LABS/$program"
	# check: a filesystem of its own
	differ "its mount namespace beside ours" "$(ns_of self mnt)" "$(ns_of "$lab" mnt)"
	same "shared or slave mounts there" 0 "$(grep -cE ' (shared|master):' "/proc/$lab/mountinfo")"
	differ "the device of /mnt, here and there" "$(stat -c %d /mnt)" "$(stat -c %d "/proc/$lab/root/mnt")"
	same "owner and mode of the file, and of the set-uid program" "0:600 0:4755" \
		"$(stat -c %u:%a "/proc/$lab/root/mnt/file" "/proc/$lab/root/mnt/set-uid" | xargs)"
	same "the files that we see in our /mnt" "" "$(ls -d /mnt/file /mnt/set-uid 2>/dev/null || :)"
}

@test "15-security-context: runAsUser is setresuid, in the same user namespace, with the same map" {
	lab_at "runAsUser: its uid_map" "$LABS/$program"
	# check: runAsUser: moved
	same "lines that moved" Uid "$(moved "$lab_pid")"
	same "its ids" "1000 1000 1000 1000" "$(status_of "$lab_pid" Uid)"
	# check: runAsUser: its user namespace
	same "its user namespace" "$(ns_of self user)" "$(ns_of "$lab_pid" user)"
	# check: runAsUser: its uid_map
	same "its map" "$(xargs </proc/self/uid_map)" "$(xargs <"/proc/$lab_pid/uid_map")"
	# check: before: open() of root's file
	# check: runAsUser: open() of it
	mapfile -t opens < <(grep -E 'open(at)?\(.*"/mnt/file", O_RDONLY' "$calls")
	same "opens of the file, of both children" 4 "${#opens[@]}"
	[[ ${opens[0]} =~ =\ [0-9]+$ ]]
	[[ ${opens[1]} == *"= -1 EACCES"* ]]
	same "they were made by one process" "${opens[0]%% *}" "${opens[1]%% *}"
	same "and that had become the user between them, once" "${opens[0]%% *}" \
		"$(awk '/open.*\/mnt\/file", O_RDONLY/ { opened++ } opened == 1 && /setresuid\(1000, 1000, 1000\) += 0/ { print $1 }' "$calls")"
	same "cat by root, by hand" allowed "$(by_hand cat /mnt/file)"
	same "cat by uid 1000, by hand" refused "$(by_hand setpriv --reuid=1000 --clear-groups cat /mnt/file)"
}

@test "15-security-context: root without capabilities is uid 0, and is refused" {
	lab_at "drop ALL: open() of the user's" "$LABS/$program"
	# check: drop ALL: moved
	same "lines that moved" CapBnd "$(moved "$lab_pid")"
	# check: drop ALL: getuid()
	same "its ids" "0 0 0 0" "$(status_of "$lab_pid" Uid)"
	for set in CapInh CapPrm CapEff CapBnd CapAmb; do
		same "$set" 0000000000000000 "$(status_of "$lab_pid" $set)"
	done
	differ "the bounding set beside ours" 0000000000000000 "$(status_of self CapBnd)"
	same "owner and mode of the file" 1000:600 "$(stat -c %u:%a "/proc/$lab/root/mnt/file")"
	# check: drop ALL: chown()
	mapfile -t chowns < <(grep -E 'chown(at)?\(.*"/mnt/file", 1000, -1' "$calls")
	same "calls of chown()" 2 "${#chowns[@]}"
	[[ ${chowns[0]} == *"= 0" ]]
	[[ ${chowns[1]} == *"= -1 EPERM"* ]]
	# check: before: open() of the user's
	# check: drop ALL: open() of the user's
	mapfile -t opens < <(grep -E 'open(at)?\(.*"/mnt/file", O_RDONLY' "$calls")
	[[ ${opens[2]} =~ =\ [0-9]+$ ]]
	[[ ${opens[3]} == *"= -1 EACCES"* ]]
	same "who dropped its sets" "${opens[3]%% *}" "$(caller_of 'capset\(.* = 0')"
	same "cat by a root with an empty bounding set" refused "$(by_hand setpriv --bounding-set=-all cat /mnt/file)"
	same "chown by it" refused "$(by_hand setpriv --bounding-set=-all chown 1000 /mnt/file)"
}

@test "15-security-context: a set-uid program of root's runs as root, and with no_new_privs as the user" {
	lab_at "set-uid: its Uid" "$LABS/$program"
	# check: set-uid: its Uid
	same "its ids" "1000 0 0 0" "$(status_of "$lab_pid" Uid)"
	exe=$(readlink "/proc/$lab_pid/exe")
	same "by hand: setpriv, then the program" "1000 0 0 0" "$(set_uid)"
	lab_go_until "no_new_privs: its Uid"
	# check: no_new_privs: its Uid
	same "its ids with no_new_privs" "1000 1000 1000 1000" "$(status_of "$lab_pid" Uid)"
	same "the program" "$exe" "$(readlink "/proc/$lab_pid/exe")"
	# check: no_new_privs: moved
	same "lines that moved, with those of its user" "Uid NoNewPrivs" "$(moved "$lab_pid")"
	same "by hand: setpriv --no-new-privs, then the program" "1000 1000 1000 1000" "$(set_uid --no-new-privs)"
}

@test "15-security-context: a filter makes one call fail with EPERM, for root too" {
	lab_at "seccomp: unshare(0)" "$LABS/$program"
	# check: seccomp: moved
	same "lines that moved" Seccomp "$(moved "$lab_pid")"
	same "mode 2, one filter" "2 1" "$(status_of "$lab_pid" Seccomp) $(status_of "$lab_pid" Seccomp_filters)"
	same "it is root" "0 0 0 0" "$(status_of "$lab_pid" Uid)"
	# check: before: unshare(0), which does nothing
	# check: seccomp: unshare(0)
	mapfile -t unshares < <(grep -E 'unshare\(0\)' "$calls")
	same "calls of unshare(0)" 2 "${#unshares[@]}"
	[[ ${unshares[0]} == *"= 0" ]]
	[[ ${unshares[1]} == *"= -1 EPERM"* ]]
	same "unshare of a COMMAND" refused "$("$LABS/$program" -- unshare -m true >/dev/null 2>&1 && echo allowed || echo refused)"
}

@test "15-security-context: a read-only mount refuses a new file with EROFS, and root too" {
	lab_at "read-only root: a new file" "$LABS/$program"
	# check: read-only root: a new file
	same "options of its /mnt" ro "$(awk '$5 == "/mnt" { print $6 }' "/proc/$lab/mountinfo" | tail -n 1 | cut -d, -f1)"
	same "files there" "file first set-uid" "$(cd "/proc/$lab/root/mnt" && echo *)"
	same "a new file, by hand" refused "$(by_hand touch /mnt/third)"
	grep -E '(creat|open(at)?)\(.*"/mnt/second".* = -1 EROFS' "$calls"
}

@test "15-security-context: a filter can kill the caller, and a second filter takes nothing back" {
	more=$BATS_TEST_TMPDIR/more
	strace -f -qq -e trace=unshare,personality,seccomp,prctl -o "$more" "$LABS/$program-more-filters" >/dev/null 2>&1 3>&-
	calls=$more
	victim=$(caller_of 'personality\(0xffffffff\) += 0 \(PER_')
	same "who was killed by SIGSYS" "$victim" "$(caller_of '\+\+\+ killed by SIGSYS')"
	same "calls of unshare(0), and those refused" "2 2" \
		"$(grep -c 'unshare(0)' "$calls") $(grep -c 'unshare(0).*= -1 EPERM' "$calls")"
	same "filters of a user without no_new_privs" 1 "$(grep -c 'seccomp(.*= -1 EACCES' "$calls")"
}

@test "15-security-context: a COMMAND has all of it: the user, no capability, a filter, a read-only root" {
	run --separate-stderr "$LABS/$program" --user 1234 -- sh -c \
		'grep -E "^(Uid|Gid|Groups|Cap...|NoNewPrivs|Seccomp):" /proc/self/status; (: >/new) 2>&1'
	differ "status of a shell that may not write to /, beside success" 0 "$status"
	same "its ids" "Uid: 1234 1234 1234 1234 Gid: 1234 1234 1234 1234" "$(xargs <<<"${lines[0]} ${lines[1]}")"
	same "capabilities that are not empty" "" "$(grep '^Cap' <<<"$output" | grep -v 0000000000000000 || :)"
	[[ $(xargs <<<"$output") == *"NoNewPrivs: 1 Seccomp: 2"* ]]
	[[ $output == *"Read-only file system"* ]]
	[ ! -e /new ]
}

@test "15-security-context: where every mount is shared, as systemd has it, nothing leaks" {
	where_shared "$program"
	where_shared "$program-more"
}

@test "15-security-context: all of its checks pass" {
	run "$LABS/$program"
	same "its status" 0 "$status"
}
