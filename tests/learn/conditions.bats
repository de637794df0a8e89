#!/usr/bin/env bats
# bats file_tags=apart
# Exercises on a machine that is not as one expects: full, stopped, shared, or with another's variables. The lab VM's
# part is played, so that each of these happens at the moment that counts.

load ../helper

setup() {
	host_only "the lab VM has no sources and no compiler"
	cd "$ROOT" || return
	export WORK=$BATS_TEST_TMPDIR/work SEED=7
	mkdir "$WORK"
	id=03-uts-ns tree=$BATS_TEST_TMPDIR/tree
	begun=$BATS_TEST_TMPDIR/begun.c
	scripts/learn/cut "labs/$id/solution.c" >"$begun"
	mkdir -p "$tree"/{scripts/labvm,build}
	ln -s "$ROOT/labs" "$tree"
	ln -s "$ROOT"/build/{bin,labs,static} "$tree/build"
	ln -s "$ROOT"/scripts/{learn,run} "$tree/scripts"
	cp scripts/exercise scripts/handin "$tree/scripts"
	printf '#!/bin/sh\n' >"$tree/scripts/labvm/kernel"
	vm_does "$passes"
	chmod +x "$tree/scripts/labvm/kernel"
}

# vm_does SHELL: what the lab VM does in a check.
vm_does() {
	printf '#!/bin/bash\n[ "$1" != --accel ] || exit 0\n%s\n' "$1" >"$tree/scripts/vm"
	chmod +x "$tree/scripts/vm"
}
passes='printf "ready\npass\ta\tb\tb\t\nend\n"'
fails='printf "ready\nfail\ta\tb\tc\tIt differs.\n"'

# standing: of the exercise, as progress has it.
standing() {
	"$tree/scripts/exercise" progress | sed -n "s/^  $id  *//p"
}

@test "conditions: what reset keeps has a name that no editor writes, and a later reset or save leaves it" {
	echo first >"$WORK/$id.c"
	run -0 "$tree/scripts/exercise" reset "$id"
	same "what is told" "$WORK/$id.c is as it was; what it held is in $WORK/.kept/$id.c.1" "$output"
	echo second >"$WORK/$id.c"
	cp "$WORK/$id.c" "$WORK/$id.c~" # as vim and Emacs do
	run -0 "$tree/scripts/exercise" reset "$id"
	[[ $output == *"$WORK/.kept/$id.c.2" ]]
	cmp "$begun" "$WORK/$id.c"
	same "kept" "first second" "$(cat "$WORK/.kept/$id.c".[12] | xargs)"
}

@test "conditions: what is saved during a check is not what was checked" {
	cp "labs/$id/solution.c" "$WORK/$id.c"
	vm_does "echo '/* later */' >>'$WORK/$id.c'; $passes"
	run -0 "$tree/scripts/exercise" check "$id"
	[[ $output == *"worked example, line for line"*"$WORK/$id.c has changed since this check began"* ]] || { echo "$output" && return 1; }
	same "standing" begun "$(standing)"
	sed -i '$d' "$WORK/$id.c"
	same "standing of what was checked" 'done' "$(standing)"
	vm_does "echo '/* later */' >>'$WORK/$id.c'; $fails"
	run -1 "$tree/scripts/exercise" check "$id"
	[[ $output == *"has changed since this check began"* ]]
	run -0 "$tree/scripts/exercise" hint "$id"
	[[ $output == *"The file has changed since then"* ]]
}

@test "conditions: a check that was stopped for longer than it waits reads what was said meanwhile" {
	local check result=0
	cp "labs/$id/solution.c" "$WORK/$id.c"
	vm_does "touch '$tree/ready'; printf 'ready\n'; until [ -e '$tree/stopped' ]; do sleep 0.1; done; ${passes/ready\\n/}"
	"$tree/scripts/exercise" check "$id" >"$tree/said" 2>&1 3>&- &
	check=$!
	until [ -e "$tree/ready" ]; do sleep 0.1; done
	sleep 1 # ready is read
	kill -STOP $check
	touch "$tree/stopped"
	sleep 63
	kill -CONT $check
	wait $check || result=$?
	same "status" 0 "$result"
	same "standing" 'done' "$(standing)"
}

@test "conditions: a lab VM that says nothing after it has begun is not waited for without end" {
	cp "labs/$id/solution.c" "$WORK/$id.c"
	vm_does 'printf "ready\n"; exec sleep 300'
	run -1 timeout 120 "$tree/scripts/exercise" check "$id"
	[[ $output == *"fail  the check goes on to its end"* ]]
}

@test "conditions: a lab VM that the host has ended is no fault of the program: nothing is noted, and grade calls it broken" {
	local qemu
	cp "labs/$id/solution.c" "$WORK/$id.c"
	run -0 "$tree/scripts/exercise" check "$id"
	# The real client says so, when QEMU is killed once the command has begun.
	vm_does "LAB_STATE=no '$ROOT/scripts/vm' sh -c 'echo ready; echo @kernel 6; echo @ $id; sleep 1000' & vm=\$!
	until qemu=\$(pgrep -P \$vm qemu) && grep -q ready '$tree/out'; do sleep 0.2; done; kill -KILL \$qemu; wait \$vm" # the client, then QEMU
	sed -i "s,sleep 1000' &,sleep 1000' > >(exec tee '$tree/out') \&," "$tree/scripts/vm"
	: >"$tree/out"
	run -3 timeout 400 "$tree/scripts/exercise" check "$id"
	[[ $output == *"the lab VM ended, which is no fault of your program, and nothing is noted: the lab VM was ended from outside: QEMU got signal 9"* ]] ||
		{ echo "$output" && return 1; }
	same "standing" 'done' "$(standing)"
	: >"$tree/out"
	run -0 timeout 400 "$tree/scripts/learn/graded" "$id" "$WORK/$id.c" 7
	same "graded" "broken the lab VM ended, which is no fault of the program" "$(jq -r '"\(.verdict) \(.reason)"' <<<"$output")"
	# What ends the machine by itself has done so.
	vm_does 'printf "ready\n"; echo "vm: the lab VM ended before the command did" >&2; exit 125'
	run -1 "$tree/scripts/exercise" check "$id"
	[[ $output == *"fail  the check goes on to its end"* ]]
}

# on_full FOLDER KIB COMMAND: where that folder, in a mount namespace, has so much room.
on_full() {
	unshare --mount --map-root-user sh -c 'mount -t tmpfs -o size="$2"k full "$1" && shift 2 && exec "$@"' sh "$@"
}

@test "conditions: a disk that is full is no fault of the program: one line, status 3, nothing noted, no grade" {
	unshare --mount --map-root-user true 2>/dev/null || skip "on the host only: no mount namespace is to be had here"
	local kib full=$BATS_TEST_TMPDIR/full
	mkdir "$full"
	cp "labs/$id/solution.c" "$WORK/$id.c"
	# The copy of the source has no room, then the compiler's files.
	for kib in 4 16 300; do
		run -3 env TMPDIR="$full" bash -c "$(declare -f on_full); on_full '$full' $kib '$tree/scripts/exercise' check $id"
		same "$kib KiB: the last line" "no space left" "${lines[-1]##*: }"
		[[ ${lines[-1]} == *"$full"* && $output != *"not yet"* ]] || { echo "$output" && return 1; }
		[ ! -e "$WORK/.state/$id" ]
		run -3 env TMPDIR="$full" bash -c "$(declare -f on_full); on_full '$full' $kib '$tree/scripts/learn/graded' $id '$WORK/$id.c' 7"
	done
	# So does the check's own folder.
	run -3 on_full "$tree/build/work" 16 "$tree/scripts/exercise" check "$id"
	[[ ${lines[-1]} == *"$tree/build/work"*": no space left" ]] || { echo "$output" && return 1; }
	[ ! -e "$WORK/.state/$id" ]
	# A source that does not compile does not, where there is room.
	echo 'int main( {' >"$WORK/$id.c"
	run -1 "$tree/scripts/exercise" check "$id"
	for words in "exercise check $id" grade "learn/graded $id $begun 7"; do
		# shellcheck disable=SC2086 # words
		run -2 env TMPDIR=/nowhere scripts/$words
		same "what is told" "TMPDIR=/nowhere: expected a folder" "${output#*: }"
	done
}

@test "conditions: a build folder that cannot be written is one line, and only what is a day old is taken away" {
	cp "labs/$id/solution.c" "$WORK/$id.c"
	mkdir -p "$tree/build/work"/{12345.old,23456.new,1}
	touch -d '2 days ago' "$tree/build/work/12345.old"
	run -0 "$tree/scripts/exercise" check "$id"
	same "folders" "1 23456.new" "$(cd "$tree/build/work" && echo *)"
	rm -r "$tree/build/work"
	echo >"$tree/build/work" # nobody's to write, root's neither
	rm -r "$WORK/.state"
	run -2 "$tree/scripts/exercise" check "$id"
	same "the last line" "$tree/build/work: expected a folder that can be written to" "${lines[-1]#*: }"
	same "lines of bash's" 0 "$(grep -c 'line [0-9]' <<<"$output")"
	[ ! -e "$WORK/.state/$id" ]
}

@test "conditions: a full disk empties no file of the student's or of their state; what is no time counts as now" {
	unshare --mount --map-root-user true 2>/dev/null || skip "on the host only: no mount namespace is to be had here"
	cp "labs/$id/solution.c" "$WORK/$id.c"
	run -0 "$tree/scripts/exercise" solution "$id"
	cp -a "$WORK" "$BATS_TEST_TMPDIR/before"
	vm_does "$fails"
	# fills COMMAND: a copy of work is on a disk that has no room left. after is then what it holds.
	fills() {
		unshare --mount --map-root-user sh -c 'mount -t tmpfs -o size=400k full "$1" && cp -a "$2/." "$1" && { cat /dev/zero >"$1/filler" 2>/dev/null
			shift 2; "$@"; status=$?; rm "$WORK/filler"; cp -a "$WORK/." "$0"; exit $status; }' "$BATS_TEST_TMPDIR/after" "$WORK" "$BATS_TEST_TMPDIR/before" "$@"
	}
	for verb in check hint solution reset; do
		rm -rf "$BATS_TEST_TMPDIR/after"
		mkdir "$BATS_TEST_TMPDIR/after"
		echo '/* changed */' >>"$BATS_TEST_TMPDIR/before/$id.c"
		run -3 fills "$tree/scripts/exercise" $verb "$id"
		[[ $output == *"$WORK"*": no space left" && $output != *"line "[0-9]* ]] || { echo "$verb: $output" && return 1; }
		same "$verb: what has changed" "" "$(diff -r "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after" 2>&1 | grep -v '^Only in .*/after: .kept' || :)"
	done
	for words in "" nonsense 99999999999; do
		echo "$words" >"$WORK/.state/$id.solution"
		same "standing with the time '$words'" "done with the solution" "$(standing)"
	done
}

@test "conditions: two terminals that begin the same exercise at once both do, and replace nothing" {
	local first second=0
	# What the second has written when the first one's is ready.
	mkdir "$tree/bin"
	printf '#!/bin/sh\necho mine >"%s"\nexec /usr/bin/env -- %s "$@"\n' "$WORK/$id.c" "$(command -v chmod)" >"$tree/bin/chmod"
	chmod +x "$tree/bin/chmod"
	vm_does "$fails"
	run env PATH="$tree/bin:$PATH" "$tree/scripts/exercise" check "$id"
	same "what came in between" mine "$(cat "$WORK/$id.c")"
	rm "$WORK/$id.c"
	for first in 1 2 3 4 5; do
		rm -f "$WORK/$id.c"
		"$tree/scripts/exercise" check "$id" >"$tree/said.1" 2>&1 3>&- &
		"$tree/scripts/exercise" check "$id" >"$tree/said.2" 2>&1 || second=$?
		wait $! || :
		cmp "$begun" "$WORK/$id.c"
		run ! grep -h 'mv:\|ln:\|line [0-9]' "$tree"/said.[12]
	done
	same "left" "" "$(find "$WORK/.state" -name 'new.*')"
}

@test "conditions: a handin that fails does not look like one, and leaves its folder in the state, where the next takes it away" {
	unshare --mount --map-root-user true 2>/dev/null || skip "on the host only: no mount namespace is to be had here"
	cp "labs/$id/solution.c" "$WORK/$id.c"
	cp -r Makefile "$tree"
	mkdir "$WORK/.state"
	run unshare --mount --map-root-user sh -c 'mount -t tmpfs -o size=12k full "$1" && cd "$2" && make handin' sh "$WORK/.state" "$tree"
	same "status of make" 2 "$status"
	[[ $output == *"scripts/handin: nothing was packed: "*": expected room and leave to write"* ]] || { echo "$output" && return 1; }
	mkdir "$WORK/.state/handin.killed"
	touch -d '2 hours ago' "$WORK/.state/handin.killed"
	run -0 "$tree/scripts/handin"
	same "left" "handins packed" "$(cd "$WORK/.state" && echo *)"
	same "left in the tree" "" "$(find "$tree" -maxdepth 1 -name '.handin*')"
	# What ends a check by set -e is not what does not hold.
	sed -i 's/^check() {/&\n\tfalse/' "$tree/scripts/exercise"
	run -3 "$tree/scripts/exercise" check "$id"
}

@test "conditions: a class.json that is damaged, or without jq, is one line" {
	echo '{"due": ' >"$tree/class.json"
	run -2 "$tree/scripts/exercise" progress
	same "what is told" "scripts/exercise: class.json: expected JSON as it was handed out" "$output"
	run -2 "$tree/scripts/handin"
	same "what is told" "scripts/handin: class.json: expected JSON as it was handed out" "$output"
	echo '{}' >"$tree/class.json"
	mkdir "$tree/none"
	ln -s /usr/bin/* "$tree/none"
	rm "$tree/none/jq"
	run -77 env PATH="$tree/none" "$tree/scripts/handin"
	same "what is told" "scripts/handin: jq is missing; type: make setup" "$output"
}

@test "conditions: CC and CFLAGS are taken from the command line alone, and no shell's variables are passed on" {
	run env CC=other CFLAGS=-no-such make -pn welcome
	grep -qx 'CC := gcc' <<<"$output"
	grep -qx 'B := build' <<<"$output"
	grep -qx 'CFLAGS := -O2 -g' <<<"$output"
	run make -pn welcome CC=other
	grep -qx 'B := build/other' <<<"$output"
	echo 'echo from BASH_ENV' >"$tree/env"
	run -0 env BASH_ENV="$tree/env" make progress
	[[ $output != *"from BASH_ENV"* ]]
}

@test "conditions: practice that cannot watch says so, and leaves no watcher when it is killed" {
	command -v inotifywait >/dev/null || skip "on the host only: there is no inotifywait here; make setup"
	local practice keys said=$tree/said tries
	vm_does "$fails"
	mkfifo "$tree/keys"
	timeout --kill-after=5 60 "$tree/scripts/exercise" practice <"$tree/keys" >"$said" 2>&1 3>&- &
	exec {keys}>"$tree/keys"
	for ((tries = 200; tries; tries--)); do ! grep -q 'q quit' "$said" || break && sleep 0.1; done
	mv "$WORK" "$WORK.old"
	mkdir "$WORK"
	for ((tries = 100; tries; tries--)); do ! grep -q 'is not watched' "$said" || break && sleep 0.1; done
	same "said so" 1 "$(grep -c "^$WORK is not watched (the folder was replaced); type r to check" "$said")"
	kill -KILL "$(pgrep -f "^bash $tree/scripts/exercise practice\$" | head -n 1)"
	for ((tries = 50; tries; tries--)); do pgrep -f -- "inotifywait.* $WORK\$" >/dev/null || break && sleep 0.1; done
	same "watchers left" "" "$(pgrep -f -- "inotifywait.* $WORK\$" | xargs)"
}
