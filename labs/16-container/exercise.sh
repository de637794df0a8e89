# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="Write process 1 of a container. It runs COMMAND, passes signals on to it, reaps every child, and ends with COMMAND's status."
look="labs/16-container/init.c, init_main(); pid_namespaces(7), \"The namespace init process\"; sigwaitinfo(2), waitpid(2)."
because="All signals are blocked before fork(), so none is lost between the start of COMMAND and the first sigwaitinfo(). The inner loop calls waitpid() until it finds nothing, because one SIGCHLD may stand for several children."

# of PID KEY: the last word of that line of its status; nothing when the process is gone.
of() {
	awk -v key="$2:" '$1 == key { print $NF }' "$proc/$1/status" 2>/dev/null || :
}
# all STATES PID...: each process is in one of these states.
all() {
	local pid
	for pid in "${@:2}"; do [[ $(state "$pid") =~ ^($1)$ ]] || return 1; done
}
# left_to_it MANY MARK: so many orphans that sleep MARK are now children of process 1.
left_to_it() {
	local pid
	asleep "$2" && [ ${#found[@]} = "$1" ] || return 1
	for pid in "${found[@]}"; do [ "$(of "$pid" PPid)" = "$init" ] || return 1; done
}
# has_signal PID: $signal is pending for the process.
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
	expect "its PID namespace" "its own" "$(own pid)" "COMMAND runs in the machine's PID namespace. CLONE_NEWPID affects the children that fork() creates after unshare()."
	expect "process 1 in there" "its parent" "$(case "$(of "$it" NSpid) $(of "$init" NSpid)" in
		1\ *) echo COMMAND ;; *\ 1) echo "its parent" ;; *) echo another ;; esac)" \
		"COMMAND is process 1 itself, or a child of another process. Call fork() in init(), and execvp() in the child."
	expect "signals that COMMAND blocks" none "$(of "$it" SigBlk | sed 's/^0*$/none/')" \
		"COMMAND starts with blocked signals, because fork() and exec() keep the signal mask. Unblock them in the child before execvp()."

	# Their parent ends at once, so they are orphans. All but one end while process 1 is stopped, so that it gets
	# one SIGCHLD for all of them.
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
		"Orphans become children of process 1, and stay zombies until it waits for them. One SIGCHLD may stand for several: call waitpid(-1, ...) until it finds none."
	expect "COMMAND, after their end" runs "$(all 'R|S|D' "$it" && echo runs || echo gone)" \
		"COMMAND was killed, because process 1 has ended and its PID namespace with it. Return only when the child that waitpid() reports is COMMAND."

	# COMMAND is stopped, so the signal stays pending until we have seen it.
	kill -STOP "$it"
	until_so all T "$it"
	kill "-$signal" "$init"
	until_so has_signal "$it"
	expect "the signal that process 1 is sent, at COMMAND" "$name" "$(has_signal "$it" && echo "$name" || echo none)" \
		"The signal did not reach COMMAND. Process 1 receives it with sigwaitinfo() and has to send it on with kill(). A signal that process 1 neither handles nor waits for is ignored."
	kill -CONT "$it"
	until_so has_ended
	expect "the program, after COMMAND's end" ended "$(has_ended && echo ended || echo "goes on")" \
		"Process 1 still runs after COMMAND has ended. SIGCHLD reports that end; return then, even if other children still run."
	wait "$started" || status=$?
	expect "its status, after that signal" $((128 + signal)) $status \
		"The value that waitpid() stores is not an exit status. Use WEXITSTATUS() if WIFEXITED(), else 128 + WTERMSIG()."
	status=0
	on_stage "$groups/program" timeout 20 /exercise sh -c "exit $code" || status=$?
	expect "its status, after a COMMAND that exits with one" "$code" $status \
		"The program ended with another status. COMMAND exited by itself: WIFEXITED() is true then, and WEXITSTATUS() is its status."
}
