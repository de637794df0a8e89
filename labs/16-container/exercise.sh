# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="Be process 1 of COMMAND's container: pass signals on to COMMAND, wait for all that ends in there, end with COMMAND and its status."
look="labs/16-container/life.h, init_main(); pid_namespaces(7), \"The namespace init process\"; sigwaitinfo(2), waitpid(2)."

# of PID KEY: the last word of that line of its status; nothing where it is gone.
of() {
	awk -v key="$2:" '$1 == key { print $NF }' "$proc/$1/status" 2>/dev/null || :
}
# all STATES PID...: each of them is in one of these.
all() {
	local pid
	for pid in "${@:2}"; do [[ $(state "$pid") =~ ^($1)$ ]] || return 1; done
}
# left_to_it MANY MARK: so many orphans that sleep MARK are children of process 1.
left_to_it() {
	local pid
	asleep "$2" && [ ${#found[@]} = "$1" ] || return 1
	for pid in "${found[@]}"; do [ "$(of "$pid" PPid)" = "$init" ] || return 1; done
}
# has_signal PID: it was sent $signal, and has not received it yet.
has_signal() {
	[ $((0x0$(of "$1" ShdPnd) >> (signal - 1) & 1)) = 1 ]
}
has_ended() {
	[ ! -e "$proc/$started/exe" ]
}

check() {
	local found mark init many orphans zombies signals signal name code pid status=0
	signals=(1 10 12 15) signal=${signals[$(number signal 0 3)]} name=SIG$(kill -l "$signal")
	code=$(number code 2 99) many=$(number orphans 5 8) mark=4$(number orphans 100000 999999)

	unshare --pid --fork --kill-child sleep "$mark" 2>/dev/null 3>&- &
	until_so asleep "$mark"
	kill "-$signal" "${found[0]}"
	expect "before: a sleep that is process 1, after $name" runs "$(all 'R|S|D' "${found[0]}" && echo runs || echo gone)" ""
	kill -KILL "${found[0]}"
	until_so all gone "${found[0]}"

	start
	expect_command
	init=$(of "$it" PPid)
	expect "its PID namespace" "its own" "$(own pid)" "CLONE_NEWPID is for the children that come after unshare()."
	expect "process 1 in there" "its parent" "$(case "$(of "$it" NSpid) $(of "$init" NSpid)" in
		1\ *) echo COMMAND ;; *\ 1) echo "its parent" ;; *) echo another ;; esac)" \
		"Process 1 is your init, and stays it; COMMAND is executed by its child: fork() comes before execvp()."
	expect "signals that COMMAND blocks" none "$(of "$it" SigBlk | sed 's/^0*$/none/')" \
		"A mask lives on through fork() and exec(): the child takes it back before execvp()."

	# Their parent ends at once. They end while process 1 is held, so that it is told once; one sleeps on.
	# shellcheck disable=SC2016 # that shell expands it
	go_on
	# shellcheck disable=SC2016 # that shell expands it
	nsenter --pid="$proc/$it/ns/pid" -- sh -c 'for i in $(seq "$0"); do sleep "$1" & done' $((many + 1)) "$mark" \
		>/dev/null 2>&1 </dev/null 3>&- || :
	until_so left_to_it $((many + 1)) "$mark"
	orphans=("${found[@]:1}")
	kill -STOP "$init" 2>/dev/null || :
	until_so all T "$init"
	kill -KILL "${orphans[@]}" 2>/dev/null || :
	until_so all 'Z|gone' "${orphans[@]}"
	kill -CONT "$init" 2>/dev/null || :
	until_so all gone "${orphans[@]}"
	zombies=$many
	for pid in "${orphans[@]}"; do ! all gone "$pid" || zombies=$((zombies - 1)); done
	expect "zombies, of orphans that have ended" "0 of $many" "$zombies of $many" \
		"Process 1 has every child that is left behind: waitpid(-1, ...), until there is none; one SIGCHLD may stand for many."
	expect "COMMAND, after their end" runs "$(all 'R|S|D' "$it" && echo runs || echo gone)" \
		"With process 1 all ends: it ends when the child that has ended is COMMAND."

	# COMMAND is held, so that the signal is there for as long as one looks.
	kill -STOP "$it"
	until_so all T "$it"
	kill "-$signal" "$init"
	until_so has_signal "$it"
	expect "the signal that process 1 is sent, at COMMAND" "$name" "$(has_signal "$it" && echo "$name" || echo none)" \
		"Nobody passes it on but process 1: kill(). One that it neither handles nor waits for does nothing to it."
	kill -CONT "$it"
	until_so has_ended
	expect "the program, after COMMAND's end" ended "$(has_ended && echo ended || echo "goes on")" \
		"Process 1 ends with COMMAND, whoever else sleeps on. SIGCHLD tells it of that end, unless it is ignored."
	wait "$started" || status=$?
	expect "its status, after that signal" $((128 + signal)) $status \
		"What waitpid() stores is no exit status: WIFEXITED() and WEXITSTATUS(), or 128 + WTERMSIG(), of COMMAND."
	status=0
	on_stage "$groups/program" timeout 20 /exercise sh -c "exit $code" || status=$?
	expect "its status, after a COMMAND that exits with one" "$code" $status \
		"WIFEXITED() tells whether COMMAND has ended by itself, WEXITSTATUS() with what."
}
