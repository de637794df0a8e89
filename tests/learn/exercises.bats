#!/usr/bin/env bats
# bats file_tags=apart
# The exercises: each fails as it stands and its solution passes, by what the kernel has; wrong ones are
# refused with a hint that fits. What is in labs/ is found, nothing is listed.

load ../helper

setup() {
	host_only "the lab VM has no sources and no compiler; it is booted from here"
	cd "$ROOT" || return
	export WORK=$BATS_TEST_TMPDIR/work SEED=$((RANDOM % 1000))
	mkdir "$WORK"
	mapfile -t ids < <(for file in labs/*/solution.c; do basename "$(dirname "$file")"; done)
	source=$BATS_TEST_TMPDIR/exercise.c
	# What a student begins with, of each.
	begun=$BATS_TEST_TMPDIR/begun
	mkdir "$begun"
	for id in "${ids[@]}"; do scripts/learn/cut "labs/$id/solution.c" >"$begun/$id.c"; done
}

# judged ID STATUS FILE: the check of FILE ends with it.
judged() {
	run env SOURCE="$3" scripts/exercise check "$1"
	[ "$status" = "$2" ] || { echo "$1, $3: expected status $2, observed $status; $output" && return 1; }
}

# one_try SECONDS: waits so long, of tries; false when there are none left.
one_try() {
	((tries-- > 0)) || return 1
	sleep "$1"
}

# without_breaks: as if the terminal had no end of a line.
without_breaks() {
	tr '\n' ' ' <<<"$output" | tr -s ' '
}

@test "exercises: each is its solution with the holes cut, and both compile without a warning" {
	[ ${#ids[@]} -gt 0 ]
	for id in "${ids[@]}"; do
		grep -q '/\* YOUR TURN: ' "$begun/$id.c"
		same "$id: holes" "$(grep -c '/\* hole: ' "labs/$id/solution.c")" "$(grep -c '/\* YOUR TURN: ' "$begun/$id.c")"
		run ! grep 'hole: \|/\* end \*/' "$begun/$id.c"
		same "$id: lines that the solution has not" "" "$(diff "labs/$id/solution.c" "$begun/$id.c" | grep '^>' | grep -v 'YOUR TURN: ' || :)"
		for file in "$begun/$id.c" "labs/$id/solution.c"; do
			run gcc -std=gnu11 -Wall -Wextra -Wno-unused -c "$file" -o "$BATS_TEST_TMPDIR/o"
			same "$file: warnings" "" "$output"
		done
	done
}

@test "exercises: make exercise-NN checks in the lab VM: as it stands it fails, the solution passes with any seed" {
	id=${ids[SEED % ${#ids[@]}]}
	judged "$id" 1 "$begun/$id.c"
	for SEED in 1 $SEED; do
		judged "$id" 0 "labs/$id/solution.c"
		[[ $output == *"(SEED=$SEED)"* ]]
	done
	echo 'int main(void) { return nothing; }' >"$source"
	judged "$id" 1 "$source"
	[[ $(without_breaks) == *"it compiles: expected yes, observed exercise.c:1:25: error: "*"The compiler says: |"* ]]
}

@test "exercises: where the lab VM does not start it is no fault of the program, and nothing is noted" {
	id=${ids[SEED % ${#ids[@]}]}
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\necho a warning >&2\nexec sleep 0.1\n' >"$BATS_TEST_TMPDIR/bin/qemu-system-$(uname -m)"
	chmod +x "$BATS_TEST_TMPDIR"/bin/*
	run env PATH="$BATS_TEST_TMPDIR/bin:$PATH" scripts/exercise check "$id"
	same "status" 3 "$status"
	[[ $output == *"the lab VM did not start, which is no fault of your program: expected the lab VM to answer"* && $output != *"not yet"* ]]
	[ ! -e "$WORK/.state/$id" ]
	# Where the machine has ended before the judge's first line there is a diagnosis, too.
	run bash -euo pipefail -c '. scripts/learn/judge.bash; wrap() { cat; }; lines=() said=() compiler=(); diagnosis'
	same "status of a diagnosis without a line" 0 "$status"
	[[ $output == *"goes on to its end"*"expected yes, observed no"*"it ended the machine"* ]]
}

@test "exercises: a check says what was observed, why, where to look, and what the program printed, stderr too" {
	id=03-uts-ns
	sed 's/strlen(argv\[1\]))/strlen(argv[1]) - 1)/; s/^\texecvp/\tdprintf(1, "to stdout\\n");\n\tdprintf(2, "to \\033[31m stderr\\n");\n&/; s/^#include <err.h>/&\n#include <stdio.h>/' \
		labs/$id/solution.c >"$source"
	judged $id 1 "$source"
	[[ $(without_breaks) == *"fail its hostname: expected "*" Why: "*"number of bytes"*" Where to look: labs/$id/main.c"* ]]
	[[ $output == *"| to stdout"* && $output == *"| to ?[31m stderr"* && $output != *$'\033'* ]]
	# And once it holds, the model beside it, and why that is written so.
	sed 's/unshare(CLONE_NEWUTS)/unshare(CLONE_NEWUTS) != 0/' labs/$id/solution.c >"$source"
	judged $id 0 "$source"
	[[ $output == *"yours | "*"unshare(CLONE_NEWUTS) != 0)"*"example | "*"unshare(CLONE_NEWUTS))"*"Why the worked example"* ]]
	same "lines of the program that are shown" 1 "$(grep -c 'yours |' <<<"$output")"
}

@test "exercises: begun once, never overwritten, reset byte for byte; progress; the next one by name" {
	local other order
	id=03-uts-ns
	run scripts/exercise check "$id"
	same "the first check" 1 "$status"
	cmp "$begun/$id.c" "$WORK/$id.c"
	cp "labs/$id/solution.c" "$WORK/$id.c"
	run scripts/exercise check "$id"
	cmp "labs/$id/solution.c" "$WORK/$id.c"
	[[ $output == *"is the worked example, line for line"* ]]
	other=$(sed -n 's/^Next: make exercise-[0-9]* (\([^:]*\): .*/\1/p' <<<"$output")
	run scripts/exercise progress
	[[ $output == *"$id "*done* && $output == *" 1 of ${#ids[@]}"* ]]
	# The course's order: no lab comes before one that it builds on; the next one is the one that follows.
	order=$(sed -n 's/^  \([0-9][0-9]-[^ ]*\) .*/\1/p' <<<"$output")
	same "exercises in the list" "${ids[*]}" "$(sort <<<"$order" | xargs)"
	same "next" "$(sed -n "/^$id\$/{n;p}" <<<"$order")" "$other"
	while read -r other; do
		for before in $("$LABS/$other" --about | jq -r '.after[]'); do
			[[ $'\n'${order%%"$other"*} = *$'\n'"$before"$'\n'* ]] || { echo "$other comes before $before" && return 1; }
		done
	done <<<"$order"
	echo >>"$WORK/$id.c" # another content than the one that passed
	run scripts/exercise progress
	[[ $output == *" 0 of ${#ids[@]}"* ]]
	scripts/exercise reset "$id"
	cmp "$begun/$id.c" "$WORK/$id.c"
	# What was written is kept, also when it is reset once more.
	cp "$WORK/.kept/$id.c.1" "$BATS_TEST_TMPDIR/kept"
	scripts/exercise reset "$id"
	cmp "$WORK/.kept/$id.c.1" "$BATS_TEST_TMPDIR/kept"
}

# hints WORDS...: so many more are given, each with these words, and each with what the last check saw. There is no
# lab VM for them.
hints() {
	local words
	for words; do
		run env KERNEL=/nowhere scripts/exercise hint "$id"
		same "$words: status" 0 "$status"
		[[ $output == *"$diagnosis"*"$words"* ]] || { echo "expected $diagnosis, then $words; observed $output" && return 1; }
	done
}

@test "exercises: hints go from one YOUR TURN to the next, keep the diagnosis, begin anew after progress, and boot nothing" {
	local diagnosis first='if (unshare(CLONE_NEWPID | CLONE_NEWNS))'
	id=01-pid-ns
	run scripts/exercise hint $id
	same "not begun: status" 1 "$status"
	run scripts/exercise check $id
	run env KERNEL=/nowhere scripts/exercise check $id
	same "a check without a lab VM" 77 "$status"
	diagnosis="fail  its PID namespace: expected its own, observed the machine's"
	hints "Where to look" "YOUR TURN 1 of 2" "$first" "YOUR TURN 2 of 2"
	[[ $output == *"Calls"*"mount()"*"MS_PRIVATE"* && $output != *'mount("proc"'* ]]
	hints 'mount("proc", "/proc"' "make solution-01"
	run scripts/exercise check $id # no progress, nothing anew
	hints "make solution-01"
	# The first YOUR TURN is written: another diagnosis, and what is left to write comes first.
	sed -i "s/^\t\/\* YOUR TURN: ask.*/&\n\t$first err(1, \"unshare\");/" "$WORK/$id.c"
	hints "The file has changed"
	run scripts/exercise check $id
	diagnosis="fail  processes that its ps sees: expected 1, observed "
	hints "Where to look" "YOUR TURN 2 of 2" 'mount("proc", "/proc"' "YOUR TURN 1 of 2"
	cp "labs/$id/solution.c" "$WORK/$id.c"
	run scripts/exercise check $id
	diagnosis='' hints "all holds"
}

@test "exercises: who is shown the solution has done it with the solution, and a week later it is to do again" {
	id=03-uts-ns
	scripts/exercise check $id || :
	run env KERNEL=/nowhere scripts/exercise solution $id
	same "status" 0 "$status"
	same "marks of the exercise" 0 "$(grep -cE 'hole:|/\* end \*/|YOUR TURN' <<<"$output")"
	same "what is shown is the solution" "" "$(diff -w <(sed '/^Why it is written so/,$d' <<<"$output") <(scripts/learn/cut --whole labs/$id/solution.c) | grep '[^<> ]' | grep -v '^[0-9]' || :)"
	standing() {
		scripts/exercise progress | sed -n "s/^  $id  *//p"
	}
	same "standing" "done with the solution" "$(standing)"
	cp labs/$id/solution.c "$WORK/$id.c"
	run scripts/exercise check $id
	[[ $output == *"It counts as done with the solution"* ]]
	same "after a pass" "done with the solution" "$(standing)"
	scripts/exercise reset $id
	same "reset in that week" "done with the solution" "$(standing)"
	echo $(($(date +%s) - 8 * 86400)) >"$WORK/.state/$id.solution"
	cp labs/$id/solution.c "$WORK/$id.c"
	same "a week later" "to do again" "$(standing)"
	if command -v inotifywait >/dev/null; then # practice begins with it
		run timeout 60 scripts/exercise practice </dev/null
		[[ $output == *"write it once more"*"$id: not yet"* ]]
		cmp "$begun/$id.c" "$WORK/$id.c"
		cmp labs/$id/solution.c "$WORK/.kept/$id.c.1"
	else
		scripts/exercise reset $id
	fi
	cp labs/$id/solution.c "$WORK/$id.c"
	scripts/exercise check $id
	same "and then" "done" "$(standing)"
	scripts/exercise solution $id
	same "looked at afterwards" "done" "$(standing)"
}

@test "exercises: what does not compile is told below the check's name, each line of it indented" {
	id=03-uts-ns
	sed 's,^.*YOUR TURN.*,nonsense here_and_on_and_on_and_on_so_that_the_line_is_long;,' "$begun/$id.c" >"$source"
	judged $id 1 "$source"
	same "lines below the check, up to the reason" "" "$(sed -n '/^  fail  it compiles/,/^Why:/p' <<<"$output" | sed '1d; $d; /^        [^ ]/d')"
	[ "$(sed -n '/^  fail  it compiles/,/^Why:/p' <<<"$output" | wc -l)" -gt 3 ]
}

@test "exercises: on a terminal the solution is announced before it counts, and comes by the pager; progress says what to type" {
	command -v script >/dev/null || skip "there is no script(1) here to make a terminal"
	local id=03-uts-ns pager=$BATS_TEST_TMPDIR/pager
	printf '#!/bin/sh\necho by the pager; exec cat\n' >"$pager"
	chmod +x "$pager"
	solution_with() {
		printf '%s\n' "$1" | PAGER=$pager timeout 60 script -qec "scripts/exercise solution $id" /dev/null 3>&-
	}
	run -0 solution_with q
	[[ $output == *"Enter: show it. q: not yet"* && $output != *"by the pager"* ]] || { echo "$output" && return 1; }
	run -0 scripts/exercise progress
	[[ $output == *"$id "*"not begun"* ]]
	same "the last line" "Type next: make exercise-03" "${lines[-1]}"
	run -0 solution_with ""
	[[ $output == *"by the pager"*"unshare(CLONE_NEWUTS)"*"Why it is written so"* ]] || { echo "$output" && return 1; }
	run -0 scripts/exercise progress
	[[ $output == *"$id "*"done with the solution"* ]]
	same "the last line then" "Type next: make exercise-01" "${lines[-1]}"
	run -0 solution_with "" # it counts already
	[[ $output != *"Enter: show it"* && $output == *"by the pager"* ]]
}

@test "exercises: each has two sentences on why its solution is written so, and every check but a control has a reason" {
	local because file
	for file in labs/*/exercise.sh; do
		because=$(sed -n 's/^because="\(.*\)"$/\1/p' "$file")
		same "$file: sentences" 2 "$(grep -oE '[.](  *|$)' <<<"$because" | wc -l)"
		same "$file: sentences of more than 25 words" "" "$(awk -v RS='[.]( |\n)' 'NF > 25' <<<"$because")"
		same "$file: checks without a reason" "" "$(sed -e ':a' -e '/\\$/{N;s/\\\n//;ta' -e '}' "$file" | grep -E '^\s*expect .*""$' | grep -v 'expect "before: ' || :)"
	done
}

@test "exercises: a wrong solution is no error of make's" {
	run make exercise-03
	same "status" 0 "$status"
	[[ $output == *"03-uts-ns: not yet"* && $output != *"***"* ]]
	run make hint-03
	same "hint" 0 "$status"
	run -2 make solution-99
	[[ $output == *"expected solution-NN"* ]]
}

@test "exercises: a program that hangs, or forks without end to hold on, is ended, and nothing is left" {
	id=${ids[0]}
	cat >"$source" <<-C
		#include <signal.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			for (int i = 1; i < 32; i++)
				signal(i, SIG_IGN);
			setsid();
			if (fork() == 0)
				setsid();
			for (;;)
				pause();
		}
	C
	judged "$id" 1 "$source"
	[[ $output == *"COMMAND runs"* ]]
	run grep -ls "$ROOT/build/work/[0-9]*[.][^/]*/$id" /proc/[0-9]*/cmdline
	same "processes left" "" "$output"
	# A terminal's Ctrl-C, which goes to one process group.
	SOURCE=$source setsid env --default-signal=INT scripts/exercise check "$id" >/dev/null 2>&1 3>&- &
	local check=$! tries=6000 result=0
	until grep -qs "$ROOT/build/work/[0-9]*[.][^/]*/$id" /proc/[0-9]*/cmdline; do one_try 0.05; done
	kill -INT -- -$check
	wait $check || result=$?
	same "status after Ctrl-C" 130 "$result"
	for ((tries = 100; tries > 0; tries--)); do
		run grep -ls "$ROOT/build/work/[0-9]*[.][^/]*/$id" /proc/[0-9]*/cmdline
		[ -n "$output" ] || break
		sleep 0.05
	done
	same "processes left after Ctrl-C" "" "$output"
	run ! compgen -G "build/work/$check.*"
}

@test "exercises: two checks of one exercise at a time have each its own result, and the next one takes away what was killed" {
	local first second=0 tries=6000 id=${ids[0]}
	scripts/learn/cut "labs/$id/solution.c" >"$source"
	SOURCE=$source SEED=1 scripts/exercise check "$id" >"$BATS_TEST_TMPDIR/cut" 3>&- &
	first=$!
	SOURCE=labs/$id/solution.c SEED=2 scripts/exercise check "$id" >"$BATS_TEST_TMPDIR/solved" || second=$?
	same "the solution's status" 0 "$second"
	wait $first && return 1
	[[ $(<"$BATS_TEST_TMPDIR/cut") = *"not yet (SEED=1)"* && $(<"$BATS_TEST_TMPDIR/solved") = *"all holds (SEED=2)"* ]] ||
		{ cat "$BATS_TEST_TMPDIR"/{cut,solved} && return 1; }
	SOURCE=$source setsid scripts/exercise check "$id" >/dev/null 2>&1 3>&- &
	first=$!
	until compgen -G "build/work/$first.*" >/dev/null; do one_try 0.05; done
	kill -KILL -- -$first
	wait $first || :
	compgen -G "build/work/$first.*"
	SOURCE=$source run -1 scripts/exercise check "$id"
	run ! compgen -G "build/work/$first.*"
}

# As it stands, what does nothing or only prints, and all the wrong ones; each exercise in a machine of its own. The solutions are graded there, below.
@test "exercises: in the lab VM each fails as it stands, and what is wrong is refused" {
	local bin=$BATS_TEST_TMPDIR/bin list=$BATS_TEST_TMPDIR/list count=0 running
	# built FILE ID CHECK WORDS: the check that is to fail, and the hint; ' ' for any.
	built() {
		count=$((count + 1))
		mkdir -p "$bin/$2"
		# shellcheck disable=SC2046 # a flag or nothing
		gcc -s -std=gnu11 $(cat build/static) "$1" -o "$bin/$2/$count"
		printf '%s\t' "$count" "${@:2}" >>"$list"
		echo >>"$list"
	}
	# check ID: all that was built for it
	check() {
		# shellcheck disable=SC2016 # that shell expands it
		timeout 300 scripts/vm --carry "$bin/$1" --carry "$ROOT/labs/$1/exercise.sh" sh -c 'for program in "$0"/*; do
			echo "@ ${program##*/}"
			scripts/learn/box "$1" "$program" "${program##*/}" # each its own seed, so its own names
		done' "$bin/$1" "$ROOT/labs/$1" </dev/null 2>>"$list.errors" 3>&- | tr -d '\r' >"$list.$1"
	}
	echo 'int main(void) { return 0; }' >"$BATS_TEST_TMPDIR/nothing.c"
	cat >"$BATS_TEST_TMPDIR/prints.c" <<-'C'
		#include <stdio.h>
		#include <string.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			puts("pass\tits PID namespace\tits own\tits own\t\nend");
			fflush(stdout);
			for (int i = 1; i < argc; i++)
				if (!strcmp(argv[i], "sleep"))
					execvp(argv[i], argv + i);
			return 0;
		}
	C
	# Of three parts one, which SEED chooses; WHOLE=yes takes all.
	local part=0 some=()
	for id in "${ids[@]}"; do
		if [ -n "${WHOLE-}" ] || [ $((part++ % 3)) = $((SEED % 3)) ]; then some+=("$id"); fi
	done
	for id in "${some[@]}"; do
		built "$begun/$id.c" "$id" ' ' ' '
		built "$BATS_TEST_TMPDIR/nothing.c" "$id" ' ' ' '
		built "$BATS_TEST_TMPDIR/prints.c" "$id" ' ' ' '
		while IFS=$'\t' read -r edit check words; do
			[[ $edit != '#'* ]] || continue
			sed "$edit" "labs/$id/solution.c" >"$source"
			! cmp -s "labs/$id/solution.c" "$source" || { echo "$id: $edit changes nothing" && return 1; }
			built "$source" "$id" "$check" "$words"
		done <"tests/learn/wrong/$id"
		within "$id: wrong solutions" 5 50 "$(grep -vc '^#' "tests/learn/wrong/$id")"
	done
	for id in "${some[@]}"; do
		while mapfile -t running < <(jobs -pr) && [ ${#running[@]} -ge "$(nproc)" ]; do wait -n || :; done
		check "$id" &
	done
	wait
	while IFS=$'\t' read -r number id check words _; do
		said=$(sed -n "/^@ $number\$/,/^@ /{/^@ /d;p}" "$list.$id")
		said=$(grep -v $'^said\t' <<<"$said" | tail -n 1)
		[[ $said == fail$'\t'"${check# }"*"${words# }"* ]] ||
			{ echo "$number $id: expected '$check', '$words', observed $said" && cat "$list.errors" && return 1; }
	done <"$list"
}

@test "exercises: make grade tells who solved it, who did not begin, and who hangs, floods, forges or ends the VM" {
	mkdir -p "$WORK"
	cp labs/01-pid-ns/solution.c "$WORK/01-pid-ns.c"
	cp labs/08-pids-max/solution.c "$WORK/08-pids-max.c"
	echo 'int main( {' >"$WORK/02-mnt-ns.c"
	echo 'int main(void) { for (;;); }' >"$WORK/03-uts-ns.c"
	cat >"$WORK/04-ipc-ns.c" <<-'C'
		#include <sys/reboot.h>
		#include <unistd.h>
		int main(void)
		{
			return reboot(RB_POWER_OFF) + pause();
		}
	C
	cat >"$WORK/05-user-ns.c" <<-'C'
		#include <stdio.h>
		#include <unistd.h>
		int main(void)
		{
			for (int fd = 3; fd < 64; fd++)
				dprintf(fd, "pass\tits user namespace\tits own\tits own\t\nend\n");
			for (;;)
				puts("pass\tits user namespace\tits own\tits own\t\nend");
		}
	C
	cat >"$WORK/06-net-ns.c" <<-'C'
		#include <signal.h>
		#include <unistd.h>
		int main(void)
		{
			for (kill(-1, SIGKILL);;)
				pause();
		}
	C
	run timeout 500 scripts/grade
	same "status" 0 "$status"
	[[ $output == *"2 of ${#ids[@]} points; $WORK/grade.json" ]] || { echo "$output" && return 1; }
	graded() {
		same "$1" "$2" "$(jq -r --arg id "$1" '.exercises[] | select(.exercise == $id) | "\(.verdict) \(.points)"' "$WORK/grade.json")"
	}
	graded 01-pid-ns "pass 1"
	graded 08-pids-max "pass 1"
	for id in 02-mnt-ns 03-uts-ns 04-ipc-ns 05-user-ns 06-net-ns 07-cgroup-ns; do graded $id "fail 0"; done
	same "why 02" "it does not compile" "$(jq -r '.exercises[1].reason[:19]' "$WORK/grade.json")"
	same "why 04" "the program has ended it" "$(jq -r '.exercises[3].checks[-1].observed' "$WORK/grade.json")"
	jq -e --arg seed "$SEED" '(.kernel | length > 0) and (.seed | tostring) == $seed and (.exercises | all(
		(.digest | test("^[0-9a-f]{64}$")) and (.seconds | type == "number") and (.checks | all(
			(.what, .expected, .observed | type == "string") and (.verdict | test("^(pass|fail)$"))))))' "$WORK/grade.json"
	same "digest" "$(sha256sum <"$WORK/01-pid-ns.c" | cut -d ' ' -f 1)" "$(jq -r '.exercises[0].digest' "$WORK/grade.json")"
}

@test "exercises: make grade gives a point to each solution, none to what was not begun" {
	mkdir -p "$WORK"
	for id in "${ids[@]:1}"; do cp "labs/$id/solution.c" "$WORK/$id.c"; done
	run timeout 500 scripts/grade
	same "status" 0 "$status"
	same "without a point" "${ids[0]} fail 0" \
		"$(jq -r '.exercises[] | select(.verdict != "pass" or .points != 1) | "\(.exercise) \(.verdict) \(.points)"' "$WORK/grade.json" | xargs)"
	same "digests of what was graded" "$(for id in "${ids[@]:1}"; do sha256sum <"$WORK/$id.c"; done | cut -d ' ' -f 1)" \
		"$(jq -r '.exercises[1:][].digest' "$WORK/grade.json")"
}

# The VM's part is played: what cannot run there, and what the check cannot do, is no good program's fault
# and no bad one's merit.
@test "exercises: make grade tells what is skipped and what is broken, and neither scores" {
	local tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree/scripts" "$WORK"
	ln -s "$ROOT/labs" "$ROOT/build" "$tree"
	cp scripts/grade "$tree/scripts"
	ln -s "$ROOT"/scripts/{learn,run} "$tree/scripts"
	cat >"$tree/scripts/vm" <<-'SH'
		#!/bin/sh
		printf '@kernel 6.1\n'
		for id; do case $id in
		01-*) printf '@ %s\n@skip\tneeds what is not there\n' "$id" ;;
		02-*) printf '@ %s\nready\npass\ta\tb\tb\t\n@end\t1\t5\t60\n' "$id" ;;
		03-*) printf '@ %s\nready\npass\ta\tb\tb\t\nend\n' "$id" ;;
		[0-9]*-*) printf '@ %s\nready\npass\ta\tb\tb\t\nend\n@end\t0\t5\t60\n' "$id" ;;
		esac; done
	SH
	chmod +x "$tree/scripts/vm"
	run "$tree/scripts/grade"
	same "status" 0 "$status"
	[[ $output == *"$((${#ids[@]} - 3)) of ${#ids[@]} points"* ]]
	same "skip" "skip 0 needs what is not there" "$(jq -r '.exercises[0] | "\(.verdict) \(.points) \(.reason)"' "$WORK/grade.json")"
	same "broken" "broken 0 the check itself broke off" "$(jq -r '.exercises[1] | "\(.verdict) \(.points) \(.reason)"' "$WORK/grade.json")"
	same "a machine that has ended" "fail 0 the program has ended the machine" "$(jq -r '.exercises[2] | "\(.verdict) \(.points) \(.reason)"' "$WORK/grade.json")"
	printf '#!/bin/sh\nexit 1\n' >"$tree/scripts/vm"
	rm "$WORK/grade.json"
	run "$tree/scripts/grade"
	same "status without a VM" 3 "$status"
	[ ! -e "$WORK/grade.json" ]
}

@test "exercises: wrong usage is one line and status 2, and nothing is done" {
	local words
	wrong() {
		run "$@"
		same "$*: status" 2 "$status"
		same "$*: lines" 1 "${#lines[@]}"
	}
	for words in "" "check" "check no-such" "check 01 02" "progress x" "practice x" "cut" "bogus 01"; do
		# shellcheck disable=SC2086 # words
		wrong scripts/exercise $words
	done
	for words in "" "99" "labs/01-pid-ns" "/nowhere $LABS/01-pid-ns 1" "labs/01-pid-ns /nowhere 1" "labs/01-pid-ns $LABS/01-pid-ns x"; do
		# shellcheck disable=SC2086
		wrong scripts/learn/box $words
	done
	wrong env WORK=/nowhere scripts/exercise check 01
	wrong env WORK=/nowhere scripts/grade
	wrong env SEED=x scripts/grade
	wrong scripts/grade now
	[ ! -e /nowhere ]
	# A link is not followed, and what has no end is not read.
	ln -s "$ROOT/labs/01-pid-ns/solution.c" "$WORK/01-pid-ns.c"
	mkfifo "$WORK/02-mnt-ns.c"
	for id in 01-pid-ns 02-mnt-ns; do
		for words in check hint reset; do wrong timeout 20 scripts/exercise $words $id; done
	done
	same "files" "01-pid-ns.c 02-mnt-ns.c" "$(cd "$WORK" && find . -mindepth 1 | sort | xargs | sed 's,\./,,g')"
}

@test "exercises: what root checks in a student's tree is the student's, and no link is followed" {
	[ "$EUID" = 0 ] || skip "needs root"
	local tree
	tree=$(mktemp -d "${TMPDIR:-/tmp}/unboxed-test.XXXXXX")
	chmod 755 "$tree"
	mkdir -p "$tree"/{scripts/labvm,build,roots}
	echo kept >"$tree/roots/file"
	ln -s "$ROOT/labs" "$tree"
	ln -s "$ROOT"/build/{bin,labs,static} "$tree/build"
	cp scripts/exercise scripts/grade "$tree/scripts"
	ln -s "$ROOT"/scripts/{learn,run} "$tree/scripts"
	printf '#!/bin/sh\nexit 1\n' >"$tree/scripts/vm"
	cp "$tree/scripts/vm" "$tree/scripts/labvm/kernel"
	chmod +x "$tree/scripts/vm" "$tree/scripts/labvm/kernel"
	chown -Rh 1000:1000 "$tree"
	chown -R 0:0 "$tree/roots"
	unset WORK
	run "$tree/scripts/exercise" check 01
	run "$tree/scripts/exercise" reset 01
	same "reset" 0 "$status"
	same "files of others" "./roots ./roots/file" "$(cd "$tree" && find . ! -user 1000 | sort | xargs)"
	rm -r "$tree/work"
	ln -s roots "$tree/work"
	chown -h 1000 "$tree/work"
	run "$tree/scripts/exercise" check 01
	differ "status with a link to a folder of root's" 0 "$status"
	same "root's folder" "0 file" "$(stat -c %u "$tree/roots") $(ls "$tree/roots")"
	run "$tree/scripts/grade"
	same "grade, without a VM: files of others" "./roots ./roots/file" "$(cd "$tree" && find . ! -user 1000 | sort | xargs)"
	chmod a-w "$tree/build"
	run "$tree/scripts/grade"
	same "grade, in a folder that cannot be written: status" 2 "$status"
	[[ $output == *"expected a folder that can be written to"* ]]
	rm -r "$tree"
}

@test "exercises: Ctrl-C leaves make practice as q does, without a word of make's" {
	command -v inotifywait >/dev/null || skip "on the host only: there is no inotifywait here; make setup"
	local said=$BATS_TEST_TMPDIR/said keys tries=6000
	mkfifo "$BATS_TEST_TMPDIR/keys"
	TERM=xterm timeout --kill-after=5 1500 script -qec 'make practice; echo "status $?"; stty -a | grep -o "intr = [^;]*"' /dev/null \
		<"$BATS_TEST_TMPDIR/keys" >"$said" 2>&1 3>&- &
	exec {keys}>"$BATS_TEST_TMPDIR/keys"
	until grep -q 'q quit' "$said"; do one_try 0.2; done
	printf '\003' >&"$keys"
	wait $!
	same "its end" "status 0 intr = ^C" "$(tr -d '\r' <"$said" | tail -n 2 | xargs)"
	run ! grep -F '***' "$said"
}

@test "exercises: make practice checks what is saved, and has keys" {
	command -v inotifywait >/dev/null || skip "on the host only: there is no inotifywait here; make setup"
	local said=$BATS_TEST_TMPDIR/said
	mkfifo "$BATS_TEST_TMPDIR/keys"
	timeout --kill-after=5 3000 scripts/exercise practice <"$BATS_TEST_TMPDIR/keys" >"$said" 2>&1 3>&- &
	practice=$!
	exec {keys}>"$BATS_TEST_TMPDIR/keys"
	# told COUNT WORDS: they have been said so often.
	told() {
		local tries=6000
		until [ "$(grep -c "$2" "$said")" -ge "$1" ]; do
			one_try 0.1 || { echo "expected $1 times $2, observed $(<"$said")" && return 1; }
		done
	}
	mapfile -t ids < <(scripts/exercise progress | sed -nE 's/^  ([0-9]{2}-[^ ]+) .*/\1/p') # in the course's order
	id=${ids[0]}
	told 1 "^$id: not yet"
	# watchers: as practice has them; in /proc a word ends with a NUL.
	watchers() {
		pgrep -f -- "--format %e %f $WORK" | xargs
	}
	[[ $(watchers) =~ ^[0-9]+$ ]]
	cmp "$begun/$id.c" "$WORK/$id.c"
	cp "labs/$id/solution.c" "$WORK/$id.c"
	told 1 "^$id: all holds"
	# As editors do it: another file, renamed. It is that exercise then.
	cp "$begun/$id.c" "$WORK/.new"
	mv "$WORK/.new" "$WORK/$id.c"
	told 2 "^$id: not yet"
	echo r >&"$keys"
	told 3 "^$id: not yet"
	printf h >&"$keys"
	told 1 "^Hint 1 of"
	cp "labs/$id/solution.c" "$WORK/$id.c"
	told 2 "^$id: all holds"
	printf l >&"$keys"
	told 1 " 1 of ${#ids[@]}"
	printf n >&"$keys"
	told 1 "^$WORK/${ids[1]}.c is yours now\|^${ids[1]}: not yet"
	told 1 "^${ids[1]}: not yet"
	printf q >&"$keys"
	wait "$practice"
	same "watchers left" "" "$(watchers)"
}
