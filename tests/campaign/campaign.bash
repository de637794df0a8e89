# shellcheck shell=bash
# The tries of scripts/check/campaign, in a lab VM: bash tests/campaign/campaign.bash KIND FOLDER SECONDS tries what stands
# in FOLDER/list, and begins no more of it after SECONDS (0: all). --calls PROGRAM... tells which faults there are.

[ -e /etc/unboxed-vm ] || { echo "tests/campaign/campaign.bash: this is not the lab VM; nothing is done" >&2 && exit 2; }
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
bats_require_minimum_version() { :; }
# shellcheck source=tests/helper.bash disable=SC2034
BATS_TEST_DIRNAME=$PWD/tests && . tests/helper.bash && . tests/campaign/census.bash
scratch=$(mktemp -d -p /run) limit=120

# run_of PROGRAM: sets run, its shortest run as JSON lines
run_of() {
	mapfile -t run < <("$LABS/$1" --about | jq -r '.quick[]')
	run=("$LABS/$1" "${run[@]}" --format=jsonl)
}

# outcome STATUS PROGRAM ERRNOS: what is not as it must be after any harm, or nothing. A lab that says pass has done
# all the checks of a run that nobody harmed, but those of a part that says which of ERRNOS kept it.
outcome() {
	case $1 in
	0)
		steps_of <"$scratch/out" >"$scratch/steps"
		[ "$(checks_of "$scratch/steps")" = "$(checks_of "$scratch/whole.$2")" ] ||
			without_a_part "$2" "$3" || echo "status 0, and its checks are not those of a whole run"
		;;
	1 | 3 | 77 | 130 | 137 | 141 | 143) ;;
	124) echo "it hangs" ;;
	*) echo "status $1" ;;
	esac
}
# whole PROGRAM: to whole.PROGRAM what a run that nobody harms says: a line for each step and for each check with its
# verdict, in their order.
whole() {
	[ ! -e "$scratch/whole.$1" ] || return 0
	run_of "$1"
	for _ in {1..3}; do
		"${run[@]}" >"$scratch/out" 2>/dev/null </dev/null
		had_no_time || break
	done
	steps_of <"$scratch/out" >"$scratch/whole.$1"
}
# had_no_time: a lab that measures time says that others took it. Then it is run once more, and once again.
had_no_time() {
	grep -q 'machine too busy' "$scratch/out"
}
steps_of() {
	jq -r 'if .event == "step" then "@" + .text elif .event == "check" then "\(.what) \(.verdict)" else empty end' 2>/dev/null
}
checks_of() {
	grep -v '^@' "$1" | sort
}

# without_a_part PROGRAM ERRNOS: a part was left out by its name, because what it needs was refused with one of
# these; and what that part does is all that is missing.
without_a_part() {
	jq -en --arg errnos "[(]($2)[)]" 'any(inputs; .verdict == "skip" and (.what // "" | startswith("part ")) and
		(.observed | test($errnos)))' "$scratch/out" >/dev/null 2>&1 || return 1
	# A part begins with its step; a step after that which was not begun either is the part's too.
	awk '
		NR == FNR && /^@/ { begun[step = $0] = 1; next }
		NR == FNR && /^part .* skip$/ { left[step] = 1; next }
		NR == FNR { done[$0] = 1; next }
		/^@/ { out = left[$0] || (out && !begun[$0]); next }
		/^part .* skip$/ { next }
		out == ($0 in done) { wrong = 1 }
		{ delete done[$0] }
		END { for (check in done) wrong = 1; exit wrong }' "$scratch/steps" "$scratch/whole.$1"
}

# told NUMBER TEXT [MORE]: bad when there is a text, and what else is to be said
told() {
	local text=${2//$'\n'/; }
	printf '@end\t%s\t%s\t%s\n' "$1" "$([ -z "$text" ] && echo ok || echo bad)" "$text${3:+${text:+ | }$3}"
}

# ---- Mutants: the mutant in the lab's place ------------------------------------------------------

# What fails without a mutant as well catches none.
try_mutants() { # NUMBER PROGRAM NAME CHECK
	local program=$2 status=0 failed bad='' left before title caught='' said
	if [ -z "${sound[$program]-}" ]; then
		if [[ $program = *-more* ]]; then said=$(alone "$LABS/$program" "$program"); else said=$(refused "tests/$program.bats" .); fi
		sound[$program]=-$said
	fi
	[ "${sound[$program]}" = - ] || bad+="without it, too: ${sound[$program]#-}; "
	mount --bind "$folder/$1" "$LABS/$program"
	before=$(census)
	run_of "$program"
	MARK=$mark timeout --kill-after=5 $limit "${run[@]}" >"$scratch/out" 2>"$scratch/err" </dev/null || status=$?
	left=$(left_behind "$before")
	failed=$(jq -r 'select(.event == "check" and .verdict == "fail") | .what' "$scratch/out" 2>/dev/null)
	said=$(jq -r 'select(.event == "end").verdict' "$scratch/out" 2>/dev/null)
	if [[ $program = *-more* ]]; then
		caught=$(alone "$folder/$1" "$program")
	else
		# First the test that holds the fact of this check, then all of them.
		title=$(awk -v tag="# check: $4" '/^@test/ { title = $0 } { sub(/^[ \t]+/, "") } $0 == tag { print title; exit }' "tests/$program.bats")
		title=${title#@test \"} title=${title%\" \{}
		[ -z "$title" ] || caught=$(refused "tests/$program.bats" "^${title//[^a-zA-Z0-9 _-]/.}\$")
		[ -n "$caught" ] || caught=$(refused "tests/$program.bats" .)
	fi
	umount "$LABS/$program"
	# Broken: what the mutant left mounted cannot be removed, which is told after the checks.
	[[ $status = [013] && $said = @(fail|broken|) ]] || bad+="status $status, $said: $(tail -n 1 "$scratch/err"); "
	grep -qxF "$4" <<<"$failed" || bad+="the check named does not fail; "
	[ -n "$caught" ] || bad+="no test fails; "
	[ -z "$left" ] || bad+="left: $left"
	told "$1" "$bad" "${said:-status $status}; $(head -n 3 <<<"$failed" | paste -sd ';'); $caught"
}

# refused FILE FILTER: the first of these tests that fails
refused() {
	timeout --kill-after=5 600 bats --tap --filter "$2" "$1" </dev/null 2>/dev/null |
		sed -n 's/^not ok [0-9]* //p' | head -n 1
}

# alone FILE PROGRAM: the same of the contract, where FILE is the program and there is no other.
alone() {
	mkdir "$scratch/alone"
	cp "$1" "$scratch/alone/$2"
	mount --bind "$scratch/alone" "$LABS"
	refused tests/contract/story.bats 'a story ends with 0'
	umount "$LABS"
	rm -r "$scratch/alone"
}

# ---- Attacks: with the defense, and without it ----------------------------------------------------

try_attack() { # NUMBER PROGRAM MUTANT NAME
	local bad='' before left
	# shellcheck source=tests/campaign/attack/attack.bash
	. tests/campaign/attack/attack.bash
	before=$(census)
	! attack "tests/campaign/attack/$2" "$4" "$LABS/$2" >/dev/null || bad="it gets through"
	left=$(left_behind "$before")
	mkdir "$scratch/mutant"
	cp "$folder/$3" "$scratch/mutant/$2"
	attack "tests/campaign/attack/$2" "$4" "$scratch/mutant/$2" >/dev/null || bad+="${bad:+; }without the defense it is refused, too"
	rm -r "$scratch/mutant"
	told "$1" "$bad${left:+; left: $left}"
}

# ---- Signals, at moments spread over its duration -------------------------------------------------

# Through the runner, as scripts/lab does: it sweeps what a killed lab leaves. A shell has what runs in its
# background ignore SIGINT.
supervised() {
	exec env --default-signal=INT,QUIT,TERM,HUP "MARK=$mark" build/bin/supervise "${run[@]}" >"$scratch/out" 2>/dev/null </dev/null
}

# Nothing but the shell's own commands from its begin to the signal: in an emulated machine each other one takes
# as long as a part of a lab. One that has ended before was faster than had been measured, and is tried again.
try_signals() { # NUMBER PROGRAM SIGNAL MOMENT
	local status=0 pid lab bad='' before left tries delay
	run_of "$2"
	[ -e "$scratch/pause" ] || { mkfifo "$scratch/pause" && exec 8<>"$scratch/pause"; }
	if [ -z "${took[$2]-}" ]; then
		for tries in {1..3}; do
			begun=${EPOCHREALTIME/./}
			(supervised)
			echo $((${EPOCHREALTIME/./} - begun))
		done | sort -n >"$scratch/took" # the first fills the caches, and others may have taken time
		took[$2]=$(head -n 1 "$scratch/took")
	fi
	before=$(census)
	for tries in {0..19}; do
		delay=$((took[$2] * (2 * $4 - 1) / 40))
		printf -v delay '%d.%06d' $((delay / 1000000)) $((delay % 1000000))
		supervised &
		pid=$! lab='' status=0
		until read -r lab _ <"/proc/$pid/task/$pid/children" || [ -n "$lab" ] || [ ! -d "/proc/$pid" ]; do :; done 2>/dev/null
		read -r -t "$delay" -u 8 || :
		kill "-$3" "$lab" 2>/dev/null || :
		ends_in 60 $pid || status=124
		[ $status -le 1 ] || break # 1: where another took the time that it measures
		took[$2]=$((took[$2] * 9 / 10))
	done
	case "$3 $status" in
	'INT 130' | 'TERM 130' | 'KILL 137' | 'TERM 143') ;; # 143: before it had a handler
	*) bad="status $status" ;;
	esac
	left=$(left_behind "$before")
	told "$1" "$bad${left:+; left: $left}" "status $status, in try $((tries + 1)) after $delay s"
}

# ends_in SECONDS PID: its status is then in status, 124 when it had to be ended
ends_in() {
	local tries=$(($1 * 20))
	while alive "$2" && ((tries-- > 0)); do sleep 0.05; done
	((tries >= 0)) || kill -KILL "$2"
	wait "$2" || status=$?
	((tries >= 0))
}

# ---- What is scarce --------------------------------------------------------------------------------

try_scarce() { # NUMBER PROGRAM WHAT, such as pids 3
	local status=0 bad='' enter=: before left group=/sys/fs/cgroup/scarce what=${3%% *} value=${3#* }
	whole "$2"
	run_of "$2"
	echo "+memory +pids +cpu +io +cpuset" >/sys/fs/cgroup/cgroup.subtree_control
	mkdir -p $group
	case $what in
	memory) echo "$value" >$group/memory.max && echo 0 >$group/memory.swap.max && enter="echo \$\$ >$group/cgroup.procs" ;;
	pids) echo "$value" >$group/pids.max && enter="echo \$\$ >$group/cgroup.procs" ;;
	descriptors) enter="ulimit -n $value" ;;
	disk) mount -t tmpfs -o mode=1777,size=4k full "$value" && head -c 4096 /dev/zero >"$value/filled" ;;
	esac
	before=$(census)
	# Through the runner, which sweeps what was killed for want of memory. In the foreground, so that a terminal's
	# end meets the lab.
	run=(timeout --foreground --kill-after=5 "$limit" bash -c "$enter; exec build/bin/supervise \"\$@\"" - "${run[@]}")
	(
		export MARK=$mark STEP=0 # a terminal would be waited for
		case $what in
		closed) exec "${run[@]}" >&- ;;
		full) exec "${run[@]}" >/dev/full ;;
		gone) "${run[@]}" | head -c 100 >/dev/null && exit "${PIPESTATUS[0]}" ;;
		# It ends once the lab has said a word, or has ended.
		terminal) exec script -qec "${run[*]@Q} & while kill -0 \$! && [ ! -s '$scratch/out' ]; do sleep 0.05; done; kill -HUP \$\$" /dev/null ;;
		clock) { sleep 0.2 && date -s '2001-01-01' >/dev/null; } & ;;
		esac
		exec "${run[@]}"
	) >"$scratch/out" 2>"$scratch/err" </dev/null || status=$?
	case $what in
	closed | full) [ "$status" != 0 ] || bad="status 0, though nobody can have read it" ;;
	gone) [ "$status" != 124 ] || bad="it hangs" ;;
	terminal) [ -s "$scratch/out" ] || bad="it has not said a word" ;; # what hangs is left
	# ECHILD and EINTR: a trial was killed.
	*) bad=$(outcome $status "$2" 'EAGAIN|EMFILE|ENOMEM|ENOSPC|ECHILD|EINTR') ;;
	esac
	left=$(left_behind "$before")
	[ "$what" != disk ] || umount "$value"
	for _ in {1..20}; do ! rmdir $group 2>/dev/null || break && sleep 0.1; done
	[ ! -d $group ] || left+=" its group is in use"
	told "$1" "$bad${left:+; left: $left}" "status $status; $(tail -n 1 "$scratch/err" | cut -c 1-200)"
}

# ---- Several at once, many in a row -----------------------------------------------------------------

# Kernel memory that stays when what can be given back has been, KiB; Documentation/filesystems/proc.rst
kernel_memory() {
	sync && echo 3 >/proc/sys/vm/drop_caches && sleep 0.5
	awk '/^(SUnreclaim|KernelStack|PageTables|Percpu):/ { sum += $2 } END { print sum }' /proc/meminfo
}

# The last check that has failed, or what it says of its end
why() {
	grep -hE '"check".*"fail"|broken' "$1" | tail -n 1 | cut -c 1-200
}

try_together() { # NUMBER PROGRAM WHAT
	local status bad='' before left i pids=() names=() memory grown=
	run_of "$2"
	before=$(census)
	case $3 in
	eight) for i in {1..8}; do names+=("$2"); done ;;
	all) for i in "$LABS"/[0-9]*; do ! "$i" --can-run >/dev/null 2>&1 || names+=("${i##*/}"); done ;;
	row)
		for i in {1..210}; do # the first ten fill the kernel's caches
			[ "$i" != 11 ] || memory=$(kernel_memory)
			status=0
			MARK=$mark timeout --kill-after=5 $limit "${run[@]}" >"$scratch/out" 2>&1 </dev/null || status=$?
			[ $status = 0 ] || bad+="run $i: status $status: $(why "$scratch/out"); "
		done
		grown=$(($(kernel_memory) - memory))
		[ $grown -lt 1024 ] || bad+="200 runs have left $grown KiB of kernel memory; "
		;;
	esac
	for i in "${!names[@]}"; do
		run_of "${names[i]}"
		MARK=$mark timeout --kill-after=5 600 "${run[@]}" >"$scratch/out.$i" 2>&1 </dev/null &
		pids+=($!)
	done
	for i in "${!pids[@]}"; do
		status=0
		wait "${pids[i]}" || status=$?
		# Others may have what it needs, memory above all: then it has to say so.
		[ $status = 0 ] || [ "$3 $status" = "all 77" ] || bad+="${names[i]}: status $status: $(why "$scratch/out.$i"); "
	done
	left=$(left_behind "$before")
	told "$1" "$bad${left:+left: $left}" "${#pids[@]} at once${grown:+; $grown KiB more}"
}

# ---- Faults: one call fails -------------------------------------------------------------------------

# An errno that the call can give, by its manual page.
errno_of() {
	case $1 in
	open | openat | pipe2 | dup | dup2 | dup3 | socket | socketpair | eventfd2 | signalfd4 | pidfd_open | epoll_create1) echo EMFILE ;;
	fork | vfork | clone | clone3) echo EAGAIN ;;
	mmap | munmap | mremap | madvise) echo ENOMEM ;;
	read | pread64 | readlink | readlinkat | lseek | newfstatat | fstat | statx | getdents64) echo EIO ;;
	write | pwrite64 | writev | mkdir | mkdirat | ftruncate) echo ENOSPC ;;
	poll | ppoll | wait4 | waitid | rt_sigtimedwait | nanosleep | clock_nanosleep | futex) echo EINTR ;;
	close) echo EINTR ;;
	*) echo EPERM ;;
	esac
}
# The words that a call can be named by: its own, and those of the library whose function makes it.
words_for() {
	case $1 in
	clone | clone3 | fork | vfork) echo 'fork|clone3?|posix_spawnp?|pthread_create' ;;
	openat) echo 'open|opendir|fopen|read|write' ;; # of a file: the act, of which opening it is a part
	newfstatat | fstat | statx) echo 'l?stat|fstat' ;;
	statfs | fstatfs) echo 'f?statv?fs' ;;
	readlink) echo 'readlink|realpath' ;;
	mmap | munmap | mremap | madvise) echo "$1|out of memory|pthread_create|posix_spawnp?" ;;
	socket | bind | getsockname | setsockopt | sendmsg | recvmsg) echo "$1|r?t?nl_\w+|if_nametoindex" ;;
	ioctl) echo 'ioctl|if_nametoindex|tc[gs]etattr' ;;
	fcntl) echo 'fcntl|fdopen' ;;
	dup2) echo 'dup2|posix_spawnp?' ;;
	fadvise64) echo 'posix_fadvise' ;;
	getdents64) echo 'read' ;;
	pread64 | pwrite64) echo "${1%64}|read|write" ;;
	*at) echo "$1|${1%at}|remove" ;;
	*) echo "$1|${1%64}|${1%[0-9]}" ;;
	esac
}
# below PROGRAM: sets below, strace(1) as the lab can be run below it: without a fault it passes there, or no fault
# could be seen. Another program that it starts is let go (--detach-on). Who measures the CPU that it has must not be
# stopped at each call, but only at those that are traced (--seccomp-bpf, once it has made one); both cannot be had.
below() {
	local status way
	for way in $(cat "$scratch/below.$1" 2>/dev/null || echo --detach-on=execve --seccomp-bpf); do
		below=(strace -f -qq -o /dev/null "$way")
		[ ! -e "$scratch/below.$1" ] || return 0
		for _ in {1..3}; do
			status=0
			timeout --kill-after=5 120 "${below[@]}" -e trace=openat "${run[@]}" >"$scratch/out" 2>"$scratch/err" </dev/null || status=$?
			{ [ $status = 0 ] && had_no_time; } || break
		done
		[ "$status$(outcome $status "$1" '')" != 0 ] || { echo "$way" >"$scratch/below.$1" && return 0; }
	done
	return 1
}
# What can succeed without effect: not a call whose value is an answer.
effects=' unshare setns mount umount2 pivot_root chroot sethostname setdomainname prctl capset seccomp setresuid setresgid sched_setaffinity chdir fchdir mkdir rmdir unlink kill '

if [ "${1-}" = --calls ]; then
	for program in "${@:2}"; do
		run_of "$program"
		"$LABS/$program" --can-run >/dev/null 2>&1 || continue
		whole "$program"
		below "$program" || echo "below strace, without a fault, $program does not pass" >&2
		"${below[@]}" -o "$scratch/calls" -e 'trace=!clock_gettime' "${run[@]}" >/dev/null 2>&1 </dev/null
		# A call is counted in each process, as strace counts when it injects.
		sed -nE 's/^([0-9]+) +([a-z0-9_]+)\(.*/\1 \2/p' "$scratch/calls" | sort | uniq -c |
			awk '$1 > most[$3] { most[$3] = $1 } END { for (call in most) print call, most[call] }' | sort |
			grep -vE '^(execve|execveat|brk|arch_prctl|set_tid_address|set_robust_list|rseq|prlimit64|exit|exit_group|rt_sigreturn|restart_syscall|getpid|getppid|gettid|getuid|geteuid|getgid|getegid|mprotect|rt_sigaction|rt_sigprocmask|clock_gettime|clock_getres|sched_yield|uname|umask) ' |
			while read -r call most; do
				for when in $(printf '%s\n' 1 $(((most + 1) / 2)) "$most" | sort -nu); do
					printf '@%s\t%s\t%s\t%s\n' "$program" "$call" "$when" "error=$(errno_of "$call")"
					[[ $effects != *" $call "* ]] || printf '@%s\t%s\t%s\t%s\n' "$program" "$call" "$when" retval=0
				done
			done
	done
	echo '@@end'
	exit
fi

try_faults() { # NUMBER PROGRAM CALL WHEN HOW
	local status=0 bad before left errno
	whole "$2"
	run_of "$2"
	before=$(census)
	below "$2" || { told "$1" 'without a fault it does not pass below strace' "status $(tail -n 1 "$scratch/err")" && return 0; }
	for _ in {1..3}; do
		status=0
		MARK=$mark timeout --kill-after=5 60 "${below[@]}" -e "trace=openat,$3" \
			-e "inject=$3:$5:when=$4" "${run[@]}" >"$scratch/out" 2>"$scratch/err" </dev/null || status=$?
		had_no_time || break
	done
	# What succeeds without effect is seen by a probe that looks for it: EINVAL.
	errno=${5#error=}
	bad=$(outcome $status "$2" "${errno/retval=0/EINVAL}")
	# It says which call it was, as above or as it stands at that line of the source, and its errno; unless that is
	# what it could not write. Where there is no memory for a stack, pthread_create(3) has an errno of its own.
	[ "$3" != mmap ] || errno+='|EAGAIN'
	[ "$status $5" = "3 retval=0" ] || [ $status != 3 ] || [ "$3" = write ] ||
		grep -qE "(\.[ch]:[0-9]+  |\<($(words_for "$3"))\>).*\<($errno)\>" "$scratch/err" ||
		bad+="stderr does not say $3 and $errno"
	left=$(left_behind "$before")
	told "$1" "$bad${left:+; left: $left}" "status $status; $(tail -n 1 "$scratch/err" | cut -c 1-200)"
}

# ---- One after the other -----------------------------------------------------------------------------

kind=$1 folder=$2
declare -A took sound
while IFS=$'\t' read -r -u 7 number program rest; do
	if [ "$3" -gt 0 ] && [ $SECONDS -ge "$3" ]; then
		echo '@late'
		break
	fi
	printf '@begin\t%s\n' "$number" && sync
	mark=campaign-$number-$RANDOM
	IFS=$'\t' read -ra words <<<"$rest"
	"try_$kind" "$number" "$program" "${words[@]}" 7<&-
done 7<"$folder/list"
rm -rf "$scratch"
