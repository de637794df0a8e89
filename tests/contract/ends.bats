#!/usr/bin/env bats
# bats file_tags=programs
# What every lab leaves behind, however it ends: nothing.

load ../helper
load ../campaign/census
load programs

setup() {
	read_programs
}

# ---- What nothing may leave behind -------------------------------------------------------------

# left KIND MAKE UNDO: what MAKE does must be seen, and no more when UNDO has been done
left() {
	local before seen
	before=$(census)
	eval "$2"
	seen=$(left_behind "$before" 0)
	eval "$3"
	[[ $seen = *"$1"* ]] || wrong "$2: expected '$1' to be seen, observed '$seen'"
	seen=$(left_behind "$before")
	[ -z "$seen" ] || wrong "$3: expected nothing to be seen, observed '$seen'"
}

@test "ends: the census sees what is left: a process, a file; in the lab VM a mount, a group, a hierarchy, a link, a segment, a name" {
	left "sleep 1000" 'MARK=$mark sleep 1000 3>&- & pid=$!' 'kill $pid; wait $pid || :'
	left "file: /tmp/lab00-$mark" 'mkdir /tmp/lab00-$mark' 'rmdir /tmp/lab00-$mark'
	if in_vm; then
		left " /mnt " 'mount -t tmpfs census /mnt' 'umount /mnt'
		left "group: /sys/fs/cgroup/lab00-census" 'mkdir /sys/fs/cgroup/lab00-census' 'rmdir /sys/fs/cgroup/lab00-census'
		left "link: /sys/class/net/lab00" 'ip link add lab00 type bridge' 'ip link delete lab00'
		left "/proc/sysvipc/shm" 'shm=$(ipcmk --shmem 4096)' 'ipcrm --shmem-id "${shm##* }"'
		left "file: /dev/shm/lab00" ': >/dev/shm/lab00' 'rm /dev/shm/lab00'
		left "hierarchy of cgroup v1: devices" 'mkdir /tmp/v1; mount -t cgroup -o devices none /tmp/v1' 'umount /tmp/v1; rmdir /tmp/v1'
		left "names: census" 'old=$(</proc/sys/kernel/hostname); echo census >/proc/sys/kernel/hostname' 'echo "$old" >/proc/sys/kernel/hostname'
		left "< " 'umount /dev/mqueue' 'mount -t mqueue -o nosuid,nodev,noexec mqueue /dev/mqueue; before=$(census)'
	fi
	none_wrong
}

# ---- Ends of every kind ------------------------------------------------------------------------

# bats test_tags=measures
@test "ends: nothing is left behind; again, two at a time, two users at a time" {
	for program in "${here[@]}"; do
		its_turn "$program" || continue
		before=$(census)
		run_of "$LABS/$program"
		if ! in_vm; then
			result=$(status env "MARK=$mark" "${run[@]}")
			[ "$result" = 0 ] || wrong "$program: expected status 0, observed $result: $(tail -n 1 "$out")"
			left=$(left_behind "$before")
			[ -z "$left" ] || wrong "$program left behind: $left"
		fi

		some_of 2
		for users in "${some[@]}"; do
			# A third user has all the names that can be foreseen: with the number of the lab, and with its PID.
			roots=("${run[@]}") as=() third=()
			[ "$EUID" != 0 ] || third=(sh -c 'setpriv --reuid=1001 --regid=1001 --clear-groups \
				sh -c "umask 077; mkdir /tmp/lab$0-$$; : >/dev/shm/lab$0; : >/dev/mqueue/lab$0" 2>/dev/null; exec "$@"' "${program:0:2}")
			if [ "$users" = 2 ] && ! { [ "$EUID" = 0 ] && ordinary_user "$program"; }; then
				in_vm || continue
				as=() run=("${roots[@]}")
			fi
			MARK=$mark timeout 240 "${third[@]}" "${roots[@]}" --format=jsonl >"$out.1" 2>&1 </dev/null 3>&- &
			first=$!
			MARK=$mark timeout 240 "${third[@]}" "${as[@]}" "${run[@]}" --format=jsonl >"$out.2" 2>&1 </dev/null 3>&- &
			second=$!
			result=0
			wait $first || result=$?
			wait $second || result+=" $?"
			[ "$result" = 0 ] || wrong "$program two at a time, users: $users: status $result: $(grep -hE '"fail"|broken' "$out.1" "$out.2")"
			if [ ${#third[@]} != 0 ]; then
				taken=("/tmp/lab${program:0:2}-"*)
				[ ${#taken[@]} = 2 ] && rmdir "${taken[@]}" || wrong "$program: expected the third user's two folders, observed ${taken[*]}"
				rm -f /dev/shm/lab"${program:0:2}" /dev/mqueue/lab"${program:0:2}"
			fi
		done
		rm -rf "/tmp/$mark"
		left=$(left_behind "$before")
		[ -z "$left" ] || wrong "$program two at a time left behind: $left"
	done
	none_wrong
}

# in_a_pid_namespace PROGRAM: it waits at a step in which it has a group, as a process of another PID namespace whose
# number nobody has here. Sets group; false when it makes none.
in_a_pid_namespace() {
	brief "$LABS/$1"
	lab_start unshare --pid --fork --mount-proc --kill-child sh -c 'echo 30000 >/proc/sys/kernel/ns_last_pid; "$@"; exit $?' sh "${run[@]}"
	while lab_go; do
		group=$(find /sys/fs/cgroup -maxdepth 1 -name "lab${1:0:2}-300*")
		[ -z "$group" ] || return 0
	done
	lab_end
	return 1
}

@test "ends: what is swept has the mark of a run that is over; a stranger's files, groups and live runs are not" {
	in_vm || skip "in the lab VM only: it makes groups beside those of others"
	sweep=("$ROOT/build/bin/supervise" true)
	mkdir /tmp/lab10-2024 /tmp/lab99-31337 /sys/fs/cgroup/lab10-99999 /sys/fs/cgroup/lab42-77777-leaf
	echo essay >/tmp/lab10-2024/essay.txt
	sleep 1000 3>&- &
	stranger=$!
	echo $stranger >/sys/fs/cgroup/lab10-99999/cgroup.procs
	controllers=$(</sys/fs/cgroup/cgroup.subtree_control)
	"${sweep[@]}"
	same "a stranger's file" essay "$(cat /tmp/lab10-2024/essay.txt)" || wrong "see above"
	[ -d /tmp/lab99-31337 ] || wrong "a stranger's empty folder has gone"
	same "who is in a stranger's group" $stranger "$(cat /sys/fs/cgroup/lab10-99999/cgroup.procs)" || wrong "see above"
	[ -d /sys/fs/cgroup/lab42-77777-leaf ] || wrong "a stranger's empty group has gone"
	same "the controllers" "$controllers" "$(</sys/fs/cgroup/cgroup.subtree_control)" || wrong "see above"
	kill $stranger
	wait $stranger || :
	rm -r /tmp/lab10-2024 /tmp/lab99-31337
	rmdir /sys/fs/cgroup/lab10-99999 /sys/fs/cgroup/lab42-77777-leaf

	for program in "${here[@]}"; do
		in_a_pid_namespace "$program" || continue
		"${sweep[@]}"
		[ -d "$group" ] || wrong "$program: the group of a live run in another PID namespace has gone"
		lab_end
		ended_well "$program" "$lab_status" || wrong "$program, swept around: status $lab_status: $(<"$lab_dir/stderr")"
		in_a_pid_namespace "$program" || wrong "$program: made a group once"
		kill -KILL "$lab"
		lab_end 20
		[ -d "$group" ] || wrong "$program, killed: expected it to leave a group"
		"${sweep[@]}"
		[ ! -d "$group" ] || wrong "$program, killed: its group is left in spite of the sweep"
		break
	done
	[ -n "${group-}" ] || wrong "no program was seen to make a group"
	none_wrong
}

# ended_by SIGNAL EXPECTED PROGRAM STEP: as the terminal does it, to the whole foreground group.
# False when the lab has no such step.
ended_by() {
	local step
	brief "$LABS/$3"
	lab_start setsid env --default-signal=INT,QUIT,TERM,HUP "MARK=$mark" "${run[@]}"
	for ((step = 0; step < $4; step++)); do
		if ! lab_go; then
			lab_end
			return 1
		fi
	done
	case $1 in
	q) lab_key q || wrong "$3 step $4: has ended before q" ;;
	*) kill "-$1" -- "-$lab" ;;
	esac
	lab_end 20
	[ "$lab_status" = "$2" ] || wrong "$3 step $4, $1: expected status $2, observed $lab_status"
}

@test "ends: what only has the name of a container that was detached ends with its lab" {
	needs_lab 03-uts-ns
	local pid=$BATS_TEST_TMPDIR/pid name=$BATS_TEST_TMPDIR/name
	printf '%s\n' 'printf lab16-detached >/proc/self/comm' "cat /proc/\$\$/comm >$name; echo \$\$ >$pid" 'while :; do sleep 1; done' >"$BATS_TEST_TMPDIR/stays"
	printf '%s\n' "bash $BATS_TEST_TMPDIR/stays &" "until [ -s $pid ]; do sleep 0.1; done" >"$BATS_TEST_TMPDIR/lab"
	"$ROOT/build/bin/supervise" "$LABS/03-uts-ns" -- bash "$BATS_TEST_TMPDIR/lab" 3>&-
	same "its name" lab16-detached "$(<"$name")"
	same "the process" gone "$(alive "$(<"$pid")" && echo runs || echo gone)"
}

@test "ends: where memory is scarce a runner that may say so is not the one that is killed, and its lab is as likely to be as before" {
	local runner=500 # less than it has only CAP_SYS_RESOURCE may ask for
	! (echo -999 >/proc/self/oom_score_adj) 2>/dev/null || runner=-999
	# shellcheck disable=SC2016 # that shell expands it
	same "oom_score_adj of the runner and of its lab" "$runner 500" "$(bash -c 'echo 500 >/proc/self/oom_score_adj
		exec "$0" sh -c "cat /proc/\$PPID/oom_score_adj /proc/self/oom_score_adj"' "$ROOT/build/bin/supervise" 3>&- | xargs)"
}

@test "ends: Ctrl-C at each step, SIGTERM and q: 130, and nothing left" {
	for program in "${here[@]}"; do
		before=$(census)
		last=$(steps "$program")
		some_of "$last"
		mapfile -t ways < <(printf 'INT %s\n' "${some[@]}")
		ways+=("TERM ${some[0]}" "q ${some[-1]}") # which step does not matter to these
		some_of ${#ways[@]}
		for way in "${some[@]}"; do
			read -r by step <<<"${ways[way - 1]}"
			ended_by "$by" 130 "$program" "$step" || wrong "$program: no wait in step $step of $last"
		done
		left=$(left_behind "$before")
		[ -z "$left" ] || wrong "$program, ended at steps 1 to $last: left behind: $left"
	done
	none_wrong
}

@test "ends: kill -9 at each step: the runner ends with 137, and nothing is left a second later" {
	for program in "${here[@]}"; do
		before=$(census)
		last=$(steps "$program")
		[ "$last" -ge 1 ] || wrong "$program: has no step"
		some_of "$last"
		for step in "${some[@]}"; do
			brief "$LABS/$program"
			# Once as it is typed; else without its preparations.
			runner=("$ROOT/build/bin/supervise" "$LABS/$program")
			[ "$step" != 2 ] || runner=("$ROOT/scripts/lab" "${program/-more//more}")
			lab_start env "MARK=$mark" WHERE=host "${runner[@]}" "${run[@]:1}"
			for ((i = 0; i < step; i++)); do
				lab_go || break
			done
			if [ $i -lt "$step" ]; then
				lab_end
				wrong "$program: no wait in step $step of $last"
				continue
			fi
			# What scripts/lab has started before it becomes the runner may be a child still.
			victim=
			for child in $(children_of "$lab"); do
				[ ! "/proc/$child/exe" -ef "$LABS/$program" ] || victim=$child
			done
			if [ -z "$victim" ]; then
				lab_end 20
				wrong "$program: no child of the runner is the lab"
				continue
			fi
			kill -KILL "$victim"
			lab_end 20
			[ "$lab_status" = 137 ] || wrong "$program step $step, killed: expected the runner to end with 137, observed $lab_status"
			# The runner sweeps what older runs have left, so after each.
			left=$(left_behind "$before")
			[ -z "$left" ] || wrong "$program step $step, killed: left behind: $left"
		done
	done
	none_wrong
}
