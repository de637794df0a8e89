#!/usr/bin/env bats
# make demo: which labs, in which order, and what each key does. A terminal is played by script(1).
# bats file_tags=apart

load ../helper

setup() {
	host_only "a lecture is begun on the host"
	command -v script >/dev/null || skip "there is no script(1) here to make a terminal"
	cd "$ROOT" || return
	unset CI STEP PREDICT
}

# talk COMMAND KEY...: types one KEY at each prompt. Sets said to all that was told, status to how it ended.
talk() {
	local command=$1 chunk rest
	shift
	said=''
	coproc { TERM=dumb exec timeout --kill-after=5 200 script -qec "stty -echo cols 80 rows 24; $command; echo ended \$?" /dev/null 2>&1 3>&-; }
	# bash forgets these when it has ended.
	local pid=$COPROC_PID from to
	exec {from}<&"${COPROC[0]}" {to}>&"${COPROC[1]}"
	while IFS= read -r -t 120 -d '>' -u "$from" chunk; do
		said+="$chunk>"
		[[ $chunk = *' ' ]] || continue # a prompt ends with " > "
		[ $# -gt 0 ] || break
		said+=" [$1]"
		printf '%s\n' "$1" >&"$to"
		shift
	done
	[ $# = 0 ] || said+=" [never asked for: $*]"
	said+=$chunk
	exec {to}>&-
	while IFS= read -r -t 60 -u "$from" rest; do said+=$rest$'\n'; done
	exec {from}<&-
	wait "$pid" || :
	said=${said//$'\r'/}
}

# told: the headings of the items, in their order.
told() {
	sed -n 's/^==== [0-9]* of [0-9]*: scripts\/lab //p' <<<"$said" | xargs
}

@test "lecture: n is the next lab, r the lab again, a number that lab, Enter the next one, and q ends all" {
	talk "scripts/labs --step 03 01" n r 3 a "" q
	same "items" "03 01 01 03 01" "$(told)"
	[[ $said = *"03-"*": pass, 12 checks"* && $said = *"The lecture ends here."*"ended 0"* ]] || { echo "$said" && return 1; }
	# One that is not in the list comes in between; there is none with 99.
	talk "scripts/labs --step 03 01" 05 99 n q
	same "items" "03 05 01" "$(told)"
	[[ $said = *"There is no lab 99. The labs are: 01 "*" 18"* ]] || { echo "$said" && return 1; }
}

@test "lecture: a number that is no lab's, and n where nothing follows, leave the lab where it is" {
	talk "scripts/labs --step 03 01" 99 n n r 0 n a n q
	same "items" "03 01 01" "$(told)"
	same "the list, told in the lab" 2 "$(grep -c 'There is no lab \(99\|0\). The labs are: 01 02 ' <<<"$said")"
	same "that the lab is the last" 2 "$(grep -c 'This is the last lab of the lecture' <<<"$said")"
	same "that nothing follows, after its end" 1 "$(grep -c 'This was the last of the lecture' <<<"$said")"
	[[ $said = *"01-"*": pass"*"ended 0"* ]] || { echo "$said" && return 1; }
}

@test "lecture: Ctrl-C ends it, in a lab and between two, and nothing is left however it ends" {
	export TMPDIR=$BATS_TEST_TMPDIR/tmp
	mkdir "$TMPDIR"
	talk "scripts/labs --step 03 01" $'\003'
	same "items" "03" "$(told)"
	talk "scripts/labs --step 03 01" a $'\003'
	same "items" "03" "$(told)"
	talk "scripts/labs --step 03 01" n q
	same "items" "03 01" "$(told)"
	same "left" "" "$(ls -A "$TMPDIR")"
}

@test "lecture: LABS and PLAN choose; the heading comes first, then a key, then the result" {
	talk 'make demo LABS="01 03"' n q
	same "items of LABS" "01 03" "$(told)"
	[[ $said != *"***"* ]]
	talk 'make demo LABS="03 02/more-propagation 01/more"' n n q
	same "items, further lessons among them" "03 02/more-propagation 01/more" "$(told)"
	[[ $said = *"02-"*"/more-propagation: "* ]] || { echo "$said" && return 1; }
	talk "make demo-03" q
	same "items of demo-03" "03" "$(told)"
	# A plan's command that is no story waits for a key too.
	talk "make demo PLAN=45" n n n n "" q
	[[ $said = *"scripts/lab 10 --memory 32M -- eat 64M; echo "*"Enter: run it"*"[]"*$'\n137\n'* ]] || { echo "$said" && return 1; }
	[[ $said = *"5 of 7"* && $said != *"***"* ]]
	run -2 scripts/labs --step --plan 46
	[[ ${#lines[@]} = 1 && $output = *"expected one of GUIDE.md's: 45 90 180" ]]
	run -2 scripts/labs --step --plan
	[ ${#lines[@]} = 1 ]
}

@test "lecture: it asks for predictions, which PREDICT=0 turns off, and begins in the course's order" {
	# A number that is no answer is no lab either.
	talk "make demo LABS=03" "" "" "" 3 2 q
	same "items" "03" "$(told)"
	[[ $said = *"What do you think?"*"You said: empty, or localhost."*"What happens: the same as before."*"Why: "* ]] ||
		{ echo "$said" && return 1; }
	talk "make demo LABS=03 PREDICT=0" "" "" "" "" q
	[[ $said != *"What do you think?"* && $said = *"it begins as a copy"* ]] || { echo "$said" && return 1; }
	talk "make demo" n n n q
	same "items" "03 01 02 05" "$(told)"
}

@test "make: a story that is quit, a shell that is left and a solution that does not hold yet are no error of make's" {
	talk "make lab-03" q
	[[ $said = *"03-"*": ended at step 1"*"ended 0"* && $said != *"***"* ]] || { echo "$said" && return 1; }
	talk "make lab-03" 1 a
	[[ $said = *"1 2 3  answer the question"* ]] || { echo "$said" && return 1; }
	run -0 env WORK="$(mktemp -d "$BATS_TEST_TMPDIR/work.XXXXXX")" make exercise-03 </dev/null
	[[ $output = *"not yet"* && $output != *"***"* ]]
	run -0 bash -c 'echo "echo in the VM; exit 3" | make vm'
	[[ $output = *"in the VM"* && $output != *"***"* ]]
	# What did go wrong still is one.
	run -2 make lab-03 ARGS=--no-such-option
	run -2 env KERNEL="$BATS_TEST_TMPDIR/none" make vm
}

@test "step: a shell in a PID namespace gives the terminal back, and the next key is the lab's" {
	talk "WHERE=host scripts/lab 01" "" "" "" "" $'s\necho $$ in here; exit' q
	[[ $said = *"in here"*"01-"*": ended at step 4"* && $said != *": pass"* ]] || { echo "$said" && return 1; }
	same "complaints of the shell" 0 "$(grep -c 'process group' <<<"$said")"
}

@test "make shell-01: the shell is PID 1, has the lab's prompt, and leaves without a complaint" {
	said=$(printf '%s\n' 'echo $$ is its PID' exit | TERM=dumb timeout 60 script -qec "WHERE=host make shell-01; echo ended \$?" /dev/null 3>&- | tr -d '\r')
	[[ $said = *"01-"*" \$ "*"1 is its PID"*"ended 0"* ]] || { echo "$said" && return 1; }
	same "complaints of the shell" 0 "$(grep -c 'process group' <<<"$said")"
}
