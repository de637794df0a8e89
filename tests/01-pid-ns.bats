#!/usr/bin/env bats
# 01-pid-ns, seen from outside while it waits: the numbers of its processes and
# their namespaces in /proc, and what a process that is let into one can do.
# "# check:" names the lab's check whose fact is obtained here a second time.

load helper
program=01-pid-ns

setup_file() {
	"$LABS/$program" --can-run || return 0
	fact own_ns "$(ns_of self pid)"
	lab_start "$LABS/$program"
	fact lab "$lab"

	lab_go_to 1 || :
	runtime=$(children_of "$lab")
	fact runtime "$runtime"
	fact runtime_parent "$(status_of "$runtime" PPid)"
	fact runtime_numbers "$(status_of "$runtime" NSpid)"
	fact runtime_ns "$(ns_of "$runtime" pid)"

	lab_go_to 2 || :
	fact caller_numbers "$(status_of "$lab" NSpid)"
	fact caller_ns "$(ns_of "$lab" pid)"

	lab_go_to 3 || :
	a=$lab_pid
	fact a "$a"
	fact a_numbers "$(status_of "$a" NSpid)"
	fact a_parent "$(status_of "$a" PPid)"
	fact a_ns "$(ns_of "$a" pid)"
	fact caller_children_ns "$(ns_of "$lab" pid_for_children)"

	lab_go_to 4 || :
	b=$(children_of "$runtime")
	fact b "$b"
	fact b_ns "$(ns_of "$b" pid)"
	fact a_members "$(members_of "$a")"
	fact b_members "$(members_of "$b")"
	read -r a_second a_third <<<"$(children_of "$a")" || :
	b_second=$(children_of "$b")
	fact a_second "$a_second"
	fact a_third "$a_third"
	fact seconds "$(status_of "$a_second" NSpid | cut -d' ' -f2) $(status_of "$b_second" NSpid | cut -d' ' -f2)"
	fact b_hits_2 "$(inside "$b" pid sh -c 'kill -0 2' 2>&1 && echo yes)"
	fact b_hits_a "$(inside "$b" pid sh -c "kill -0 $a_third" 2>/dev/null && echo yes)"
	fact b_hits_lab "$(inside "$b" pid sh -c "kill -0 $lab" 2>/dev/null && echo yes)"
	# The mount table is still the old one: so is what its /proc shows.
	fact a_mnt_before "$(ns_of "$a" mnt)"
	fact old_proc "$(inside "$a" pid sh -c "read -r name <'/proc/$lab/comm' && echo \$name" 2>&1)"

	lab_go_to 5 || :
	fact caller_mnt "$(ns_of "$lab" mnt)"
	fact a_mnt "$(ns_of "$a" mnt)"
	fresh=(/proc/"$a"/root/proc/[0-9]*)
	fresh=("${fresh[@]##*/}")
	fact fresh_proc "${fresh[*]}"
	fact fresh_parent "$(awk '/^PPid:/ { print $2 }' "/proc/$a/root/proc/1/status" 2>/dev/null)"

	lab_go_to 6 || :
	fact still_there "$(for pid in "$a" "$a_second" "$a_third"; do ! alive "$pid" || echo "$pid"; done)"
	fact caller_alive "$(alive "$lab" && echo yes)"
	fact late_fork "$(nsenter ${userns_join[0]:+"--user=/proc/$lab/ns/user" --preserve-credentials} \
		"--pid=/proc/$lab/ns/pid_for_children" true 2>&1 && echo forked)"
	lab_end
	fact status "$lab_status"
	strace -f -qq -e trace=kill -o "$BATS_FILE_TMPDIR/calls" "$LABS/$program" >/dev/null 2>&1 3>&- || :
}

setup() {
	needs_lab "$program"
	read_facts
}

@test "01-pid-ns: control: a plain child is numbered, and seen, in the lab's own namespace" {
	# check: control: getppid() in it
	same "its parent" "$lab" "$runtime_parent"
	same "its numbers" "$runtime" "$runtime_numbers"
	same "its namespace" "$own_ns" "$runtime_ns"
	# By hand, without the lab: no namespace, no PID 1.
	differ "a plain shell's PID" 1 "$(sh -c 'echo $$')"
}

@test "01-pid-ns: unshare(CLONE_NEWPID) leaves the caller where it is" {
	# check: our PID after unshare
	same "its numbers" "$lab" "$caller_numbers"
	# check: our /proc/self/ns/pid
	same "its namespace" "$own_ns" "$caller_ns"
	# check: our ns/pid_for_children
	same "the namespace of its children" "$a_ns" "$caller_children_ns"
	differ "that one beside its own" "$own_ns" "$caller_children_ns"
}

@test "01-pid-ns: the first child is PID 1 inside and an ordinary process outside" {
	# check: getpid() in the first child
	# check: NSpid: outside, inside
	same "its two numbers" "$a 1" "$a_numbers"
	# check: its namespace beside ours
	differ "its namespace beside the caller's" "$own_ns" "$a_ns"
	# check: getppid() in the first child
	same "its parent, from outside" "$lab" "$a_parent"
	same "its parent, from inside" 0 "$fresh_parent"
	# By hand: unshare(1) makes the same.
	same "unshare --fork sh" 1 "$(unshare "${userns_make[@]}" --pid --fork sh -c 'echo $$')"
}

@test "01-pid-ns: two namespaces have a PID 1 and a PID 2 each, at once and apart" {
	differ "A's namespace beside B's" "$a_ns" "$b_ns"
	# check: A: its second process
	# check: A: its third process
	same "the processes of A" "1 2 3" "$a_members"
	# check: B: its first process
	# check: B: its second process
	# check: B: kill(3, 0) finds nobody
	same "the processes of B" "1 2" "$b_members"
	same "the second of A, the second of B" "2 2" "$seconds"
	# check: B: kill(2, 0) hits its own 2
	same "signalled in B: its 2" yes "$b_hits_2"
	same "signalled in B: A's third, by its number outside" "" "$b_hits_a"
	same "signalled in B: the lab" "" "$b_hits_lab"
	kill -0 $$ # control: outside, a process is found by its number
}

@test "01-pid-ns: the old /proc shows outside, a fresh one exactly its own" {
	# check: the old /proc lists the lab, outside
	same "the lab's name, read in A's namespace through the old /proc" "$program" "$old_proc"
	same "A's mount table until then" "$caller_mnt" "$a_mnt_before"
	# check: own mount table
	differ "A's mount table then" "$caller_mnt" "$a_mnt"
	# check: a fresh /proc lists exactly
	same "A's own /proc" "1 2 3" "$fresh_proc"
}

@test "01-pid-ns: with its PID 1 a namespace ends: no process, no fork" {
	# check: its children hold a pipe no more
	same "processes of A that are left" "" "$still_there"
	same "the lab itself lives" yes "$caller_alive"
	# check: fork() without a PID 1
	[[ $late_fork == *"Cannot allocate memory"* ]] || {
		echo "a fork into the namespace: expected ENOMEM, observed $late_fork"
		return 1
	}
	# check: PID 1 ended with 128 + SIGKILL
	killed=$(awk '$2 ~ /^kill/ && /SIGKILL\) += 0$/ { sub(/.*\(/, ""); print $0 + 0 }' "$BATS_FILE_TMPDIR/calls")
	grep -qE "^$killed +\+\+\+ killed by SIGKILL" "$BATS_FILE_TMPDIR/calls"
	# By hand: the first child of a shell that has unshared is killed from outside.
	unshare "${userns_make[@]}" --pid sh -c 'sh -c "sleep 987 & sleep 987 & wait" & wait $!' 3>&- &
	maker=$!
	for ((tries = 100; tries > 0; tries--)); do
		first=$(children_of "$maker")
		[ -z "$first" ] || read -r sleep1 sleep2 <<<"$(children_of "$first")" || :
		[ -z "${sleep2-}" ] || break
		sleep 0.05
	done
	same "its number inside" 1 "$(status_of "$first" NSpid | cut -d' ' -f2)"
	kill -KILL "$first"
	ended=0
	wait "$maker" || ended=$?
	same "its status" 137 "$ended"
	all_gone "$sleep1" "$sleep2"
	# Control: the children of an ordinary process outlive it.
	sh -c 'sleep 987 >/dev/null & echo $!; kill -KILL $$' 3>&- >"$BATS_TEST_TMPDIR/orphan" || ended=$?
	same "an ordinary process' status" 137 "$ended"
	read -r orphan <"$BATS_TEST_TMPDIR/orphan"
	alive "$orphan"
	kill -KILL "$orphan"
}

@test "01-pid-ns: and its verdict is pass" {
	same "its status" 0 "$status"
}
