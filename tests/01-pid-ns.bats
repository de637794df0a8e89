#!/usr/bin/env bats
# 01-pid-ns, seen from outside while it waits: the numbers of its processes and
# their namespaces in /proc, and what a process can do that has joined one of them.
# "# check:" names the lab's check whose fact a test obtains a second time.

load helper
program=01-pid-ns

setup() {
	needs_lab "$program"
}

teardown() {
	lab_stop
}

# In A's and B's namespace at the step with both: sets a, b, their second processes, and A's third.
two_containers() {
	lab_at "B: kill(3, 0) finds nobody" "$LABS/$program"
	a=$lab_pid
	for child in $(children_of "$lab"); do
		[ "$child" = "$a" ] || b=$(children_of "$child")
	done
	read -r a_second a_third <<<"$(children_of "$a")"
	b_second=$(children_of "$b")
}

# hits PID NUMBER: whether a process in the PID namespace of PID can signal that number.
hits() {
	inside "$1" pid sh -c "kill -0 $2" 2>/dev/null && echo yes || echo no
}

@test "01-pid-ns: control: a plain child is numbered, and seen, in the lab's own namespace" {
	lab_at "control: getppid() in it" "$LABS/$program"
	child=$(children_of "$lab")
	# check: control: getppid() in it
	same "its parent" "$lab" "$(status_of "$child" PPid)"
	same "its numbers" "$child" "$(status_of "$child" NSpid)"
	same "its namespace" "$(ns_of self pid)" "$(ns_of "$child" pid)"
	# By hand: a plain shell gets no PID 1.
	differ "a plain shell's PID" 1 "$(sh -c 'echo $$')"
}

@test "01-pid-ns: unshare(CLONE_NEWPID) leaves the caller where it is" {
	lab_at "our ns/pid_for_children" "$LABS/$program"
	# check: our PID after unshare
	same "its numbers" "$lab" "$(status_of "$lab" NSpid)"
	# check: our /proc/self/ns/pid
	same "its namespace" "$(ns_of self pid)" "$(ns_of "$lab" pid)"
	# check: our ns/pid_for_children
	same "the namespace of its children" "$(ns_of "$lab_pid" pid)" "$(ns_of "$lab" pid_for_children)"
	differ "that one beside its own" "$(ns_of self pid)" "$(ns_of "$lab" pid_for_children)"
}

@test "01-pid-ns: the first child is PID 1 inside and an ordinary process outside" {
	lab_at "its namespace beside ours" "$LABS/$program"
	# check: getpid() in the first child
	# check: NSpid: outside, inside
	same "its two numbers" "$lab_pid 1" "$(status_of "$lab_pid" NSpid)"
	# check: its namespace beside ours
	differ "its namespace beside the caller's" "$(ns_of "$lab" pid)" "$(ns_of "$lab_pid" pid)"
	same "its parent, from outside" "$lab" "$(status_of "$lab_pid" PPid)"
	# By hand: unshare(1) makes the same.
	same "unshare --fork sh" 1 "$(unshare "${userns_make[@]}" --pid --fork sh -c 'echo $$')"
}

@test "01-pid-ns: two namespaces have a PID 1 and a PID 2 each, at once and apart" {
	two_containers
	differ "A's namespace beside B's" "$(ns_of "$a" pid)" "$(ns_of "$b" pid)"
	# check: A: its second process
	# check: A: its third process
	same "the processes of A" "1 2 3" "$(members_of "$a")"
	# check: B: its first process
	# check: B: its second process
	# check: B: kill(3, 0) finds nobody
	same "the processes of B" "1 2" "$(members_of "$b")"
	same "the second of A" "$a_second 2" "$(status_of "$a_second" NSpid)"
	same "the second of B" "$b_second 2" "$(status_of "$b_second" NSpid)"
}

@test "01-pid-ns: a process finds the numbers of its own namespace, and none from outside" {
	two_containers
	# check: B: kill(2, 0) hits its own 2
	same "signalled in B: its 2" yes "$(hits "$b" 2)"
	same "signalled in B: A's third, by its number outside" no "$(hits "$b" "$a_third")"
	same "signalled in B: the lab" no "$(hits "$b" "$lab")"
	kill -0 "$a_third" # control: outside, the same number finds the process
}

@test "01-pid-ns: an old /proc shows the processes outside" {
	two_containers
	# check: the old /proc lists the lab, outside
	same "A's mount table" "$(ns_of "$lab" mnt)" "$(ns_of "$a" mnt)"
	same "the lab's name, read in A's namespace" "$program" \
		"$(inside "$a" pid sh -c "read -r name <'/proc/$lab/comm' && echo \$name" 2>&1)"
}

@test "01-pid-ns: a new /proc shows exactly the processes inside" {
	lab_at "a fresh /proc lists exactly" "$LABS/$program"
	# check: own mount table
	differ "A's mount table" "$(ns_of "$lab" mnt)" "$(ns_of "$lab_pid" mnt)"
	# check: a fresh /proc lists exactly
	fresh=(/proc/"$lab_pid"/root/proc/[0-9]*)
	same "A's own /proc" "1 2 3" "${fresh[*]##*/}"
	# check: getppid() in the first child
	same "the parent of its PID 1" 0 "$(awk '/^PPid:/ { print $2 }' "/proc/$lab_pid/root/proc/1/status")"
}

@test "01-pid-ns: with its PID 1 a namespace ends: no process, no fork" {
	two_containers
	lab_go_until "fork() without a PID 1"
	# check: its children are gone (pipe closed)
	all_gone "$a" "$a_second" "$a_third"
	alive "$lab"
	# check: fork() without a PID 1
	run ! nsenter ${userns_join[0]:+"--user=/proc/$lab/ns/user" --preserve-credentials} \
		"--pid=/proc/$lab/ns/pid_for_children" true
	[[ $output == *"Cannot allocate memory"* ]]
}

@test "01-pid-ns: SIGKILL from outside ends PID 1" {
	# check: PID 1 ended with 128 + SIGKILL
	strace -f -qq -e trace=kill -o "$BATS_TEST_TMPDIR/calls" "$LABS/$program" >/dev/null 2>&1 3>&- || :
	killed=$(awk '$2 ~ /^kill/ && /SIGKILL\) += 0$/ { sub(/.*\(/, ""); print $0 + 0 }' "$BATS_TEST_TMPDIR/calls")
	grep -qE "^$killed +\+\+\+ killed by SIGKILL" "$BATS_TEST_TMPDIR/calls"
}

@test "01-pid-ns: by hand: children of a killed PID 1 die, those of an ordinary process do not" {
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
	ended=0
	sh -c 'sleep 987 >/dev/null & echo $!; kill -KILL $$' 3>&- >"$BATS_TEST_TMPDIR/orphan" || ended=$?
	same "an ordinary process' status" 137 "$ended"
	read -r orphan <"$BATS_TEST_TMPDIR/orphan"
	alive "$orphan"
	kill -KILL "$orphan"
}

@test "01-pid-ns: the verdict is pass" {
	run -0 "$LABS/$program" --format=jsonl 3>&-
}
