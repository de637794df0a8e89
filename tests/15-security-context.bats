#!/usr/bin/env bats
# 15-security-context, seen from outside while it waits: what each of its children
# has in /proc/PID/status beside what this shell has, its namespaces and its map,
# who a set-uid program has become, and the calls as strace sees them; and the same
# by hand with setpriv. "# check:" names the lab's check whose fact is obtained here
# a second time.

# shellcheck disable=SC2154 # facts and the helper's variables
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

setup_file() {
	"$LABS/$program" --can-run || return 0
	fact own_mnt "$(ns_of self mnt)"
	fact own_user "$(ns_of self user)"
	fact own_map "$(xargs </proc/self/uid_map)"
	fact own_bounding_set "$(status_of self CapBnd)"
	lab_start "$LABS/$program"

	lab_go_to 1 || :
	place=/mnt
	fact lab_mnt "$(ns_of "$lab" mnt)"
	fact shared "$(grep -cE ' (shared|master):' "/proc/$lab/mountinfo")"
	fact modes "$(stat -c %u:%a "/proc/$lab/root$place/file" "/proc/$lab/root$place/set-uid" | xargs)"
	fact outside "$(ls -d "$place"/file "$place"/set-uid 2>/dev/null)"
	fact devices "$(stat -c %d "/proc/$lab/root$place" "$place" | uniq | wc -l)"
	fact uid_of_lab "$(status_of "$lab" Uid)"
	fact read_by_root "$(nsenter --target="$lab" --mount cat "$place/file" >/dev/null 2>&1 && echo read || echo refused)"
	fact read_by_user "$(nsenter --target="$lab" --mount setpriv --reuid=1000 --clear-groups cat "$place/file" \
		>/dev/null 2>&1 && echo read || echo refused)"
	fact by_hand_set_uid "$(set_uid)"
	fact by_hand_no_new_privs "$(set_uid --no-new-privs)"

	lab_go_to 2 || :
	fact as_user_moved "$(moved "$lab_pid")"
	fact as_user_uid "$(status_of "$lab_pid" Uid)"
	fact as_user_ns "$(ns_of "$lab_pid" user)"
	fact as_user_map "$(xargs <"/proc/$lab_pid/uid_map")"

	lab_go_to 3 || :
	fact dropped_moved "$(moved "$lab_pid")"
	fact dropped_uid "$(status_of "$lab_pid" Uid)"
	fact dropped_sets "$(for set in CapInh CapPrm CapEff CapBnd CapAmb; do status_of "$lab_pid" $set; echo; done | sort -u)"
	fact file_owner "$(stat -c %u:%a "/proc/$lab/root$place/file")"
	fact read_by_empty_root "$(nsenter --target="$lab" --mount setpriv --bounding-set=-all cat "$place/file" \
		>/dev/null 2>&1 && echo read || echo refused)"
	fact chown_by_empty_root "$(nsenter --target="$lab" --mount setpriv --bounding-set=-all chown 1000 "$place/file" \
		>/dev/null 2>&1 && echo allowed || echo refused)"

	lab_go_to 4 || :
	fact set_uid "$(status_of "$lab_pid" Uid)"
	fact set_uid_exe "$(readlink "/proc/$lab_pid/exe")"

	lab_go_to 5 || :
	fact gained "$(status_of "$lab_pid" Uid)"
	fact gained_exe "$(readlink "/proc/$lab_pid/exe")"
	fact gained_moved "$(moved "$lab_pid")"

	lab_go_to 6 || :
	fact filtered_moved "$(moved "$lab_pid")"
	fact filters "$(status_of "$lab_pid" Seccomp) $(status_of "$lab_pid" Seccomp_filters)"
	fact filtered_uid "$(status_of "$lab_pid" Uid)"
	lab_end
	fact status "$lab_status"

	strace -f -qq -e trace=open,openat,chown,fchownat,unshare,personality,setresuid,capset,prctl,seccomp,execve \
		-o "$BATS_FILE_TMPDIR/calls" "$LABS/$program" >/dev/null 2>&1 3>&- || :
}

setup() {
	needs_lab "$program"
	read_facts
	calls=$BATS_FILE_TMPDIR/calls
}

@test "15-security-context: its place is a mount that nobody else has, in a table of its own" {
	# check: its mount table
	differ "its mount table beside ours" "$own_mnt" "$lab_mnt"
	same "lines of it that are shared or slave" 0 "$shared"
	# check: a filesystem of its own
	same "devices of that folder, there and here" 2 "$devices"
	same "owner and mode of the file, and of the set-uid program" "0:600 0:4755" "$modes"
	same "what we find there" "" "$outside"
}

@test "15-security-context: runAsUser is setresuid, in the same user namespace, with the same map" {
	# check: runAsUser: moved
	same "lines that moved" Uid "$as_user_moved"
	same "its ids" "1000 1000 1000 1000" "$as_user_uid"
	# check: runAsUser: its user namespace
	same "its user namespace" "$own_user" "$as_user_ns"
	# check: runAsUser: its uid_map
	same "its map" "$own_map" "$as_user_map"
	# check: before: open() of root's file
	# check: runAsUser: open() of it
	mapfile -t opens < <(grep -E 'open(at)?\(.*"/mnt/file", O_RDONLY' "$calls")
	same "opens of the file, of both children" 4 "${#opens[@]}"
	[[ ${opens[0]} =~ =\ [0-9]+$ ]]
	[[ ${opens[1]} == *"= -1 EACCES"* ]]
	same "they were made by one process" "${opens[0]%% *}" "${opens[1]%% *}"
	same "and that had become the user between them, once" "${opens[0]%% *}" \
		"$(awk '/open.*\/mnt\/file", O_RDONLY/ { opened++ } opened == 1 && /setresuid\(1000, 1000, 1000\) += 0/ { print $1 }' "$calls")"
	# By hand.
	same "cat by root" read "$read_by_root"
	same "cat by uid 1000" refused "$read_by_user"
}

@test "15-security-context: root without capabilities is uid 0, and is refused" {
	# check: drop ALL: moved
	same "lines that moved" CapBnd "$dropped_moved"
	# check: drop ALL: getuid()
	same "its ids" "0 0 0 0" "$dropped_uid"
	same "all its sets" 0000000000000000 "$dropped_sets"
	differ "the bounding set beside ours" "$own_bounding_set" "$dropped_sets"
	# check: before: chown() to the user
	same "owner and mode then" 1000:600 "$file_owner"
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
	# By hand.
	same "cat by a root with an empty bounding set" refused "$read_by_empty_root"
	same "chown by it" refused "$chown_by_empty_root"
}

@test "15-security-context: no_new_privs takes the set-uid bit away, and nothing is refused" {
	# check: set-uid: its Uid
	same "its ids" "1000 0 0 0" "$set_uid"
	# check: no_new_privs: its Uid
	same "its ids with no_new_privs" "1000 1000 1000 1000" "$gained"
	same "both run one program" "$set_uid_exe" "$gained_exe"
	# check: no_new_privs: moved
	same "lines that moved, with those of its user" "Uid NoNewPrivs" "$gained_moved"
	# By hand.
	same "setpriv, then the program" "1000 0 0 0" "$by_hand_set_uid"
	same "setpriv --no-new-privs, then the program" "1000 1000 1000 1000" "$by_hand_no_new_privs"
}

@test "15-security-context: a filter has one call fail with EPERM, and another kill" {
	# check: seccomp: moved
	same "lines that moved" Seccomp "$filtered_moved"
	same "mode 2, one filter" "2 1" "$filters"
	same "it is root still" "0 0 0 0" "$filtered_uid"
	# check: before: unshare(0), which does nothing
	# check: seccomp: unshare(0)
	mapfile -t unshares < <(grep -E 'unshare\(0\)' "$calls")
	same "calls of unshare(0)" 2 "${#unshares[@]}"
	[[ ${unshares[0]} == *"= 0" ]]
	[[ ${unshares[1]} == *"= -1 EPERM"* ]]
	# check: before: personality(), which only asks
	victim=$(caller_of 'personality\(0xffffffff\) += 0 \(PER_')
	# check: seccomp: status of the caller
	same "who was killed by SIGSYS" "$victim" "$(caller_of '\+\+\+ killed by SIGSYS')"
	# By hand: a COMMAND has all knobs at once.
	same "unshare of a COMMAND" refused "$("$LABS/$program" -- unshare -m true >/dev/null 2>&1 && echo allowed || echo refused)"
	if command -v setarch >/dev/null; then # it calls personality(); the lab VM has none
		run -159 "$LABS/$program" -- setarch "$(uname -m)" true
	fi
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

@test "15-security-context: and its verdict is pass" {
	same "its status" 0 "$status"
}
