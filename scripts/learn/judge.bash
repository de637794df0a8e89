# shellcheck shell=bash disable=SC2154 # scripts/exercise, which loads this file, has set what is read here
# What one exercise is worth: it is built in a box, run in the lab VM, and judged by what the kernel then has.

# own_folder: sets folder, which is this check's alone, because two may run at a time, and goes with it. What a check
# left that was killed goes with the next one; what another machine or container has made, whose PIDs are not ours, a day
# later.
own_folder() {
	local old pid here
	here=$({ cat /proc/sys/kernel/random/boot_id && readlink /proc/$$/ns/pid; } | sha256sum | cut -c 1-12)
	mkdir -p build/work 2>/dev/null || :
	find build/work -mindepth 1 -maxdepth 1 -mmin +1440 -exec rm -rf {} + 2>/dev/null || :
	for old in build/work/[0-9]*."$here".*; do
		pid=${old##*/} pid=${pid%%.*}
		if [ "$pid" = $$ ] || [ ! -e "/proc/$pid" ]; then rm -rf "$old"; fi
	done
	folder=$(mktemp -d "$root/build/work/$$.$here.XXXXXX" 2>/dev/null) || no_write "$root/build/work"
	trap 'rm -rf "$folder"' EXIT
}

# build: in a box, because it may be a stranger's. Its status is that of scripts/learn/compile.c. What is judged is
# checked, a copy, for the student's file may change meanwhile. Of one that is too large the compiler's box says so.
build() {
	own_folder
	program=$folder/$id checked=$folder/source/${source##*/}
	{ mkdir "$folder/source" && head -c 1048577 <"$source" >"$checked"; } 2>/dev/null || no_write "$folder"
	local static=()
	! grep -q static build/static 2>/dev/null || static=(-static) # so that it runs in the VM too
	build/bin/compile "$checked" "$program" -g -Wall -Wextra -Wno-unused "${static[@]}" 2>"$program.errors"
}

# why_not: the line of the compiler that tells it. What ends it by a limit has no line of the source.
why_not() {
	grep -m 1 -i error "$program.errors" || grep -m 1 . "$program.errors" || echo no
}

# judge: builds and checks. Leaves the checks in the array lines, one an element, as the box prints them; in said
# what the program printed, and in compiler what the compiler did.
judge() {
	local accel='' status=0 line
	lines=() said=() compiler=()
	build || status=$?
	case $status in
	0 | 1) mapfile -t compiler < <(head -n 12 "$program.errors") ;;
	*) tail -n 1 "$program.errors" | grep . >&2 || no_write "$folder" && exit $status ;;
	esac
	[ $status = 0 ] || has_room "$folder" || no_write "$folder"
	if [ $status = 1 ]; then
		lines=("fail"$'\t'"it compiles"$'\t'"yes"$'\t'"$(why_not | cut -c 1-120)"$'\t'"The compiler names the line and the column of what it does not understand. Mend the first error first.")
		return
	fi
	if ! scripts/labvm/kernel --path >/dev/null 2>&1 || ! accel=$(scripts/vm --accel 2>&1); then
		echo "scripts/exercise: $id is checked in the lab VM, and there is none here${accel:+ ($accel)}; type: make setup" >&2
		exit 77
	fi
	# timeout has a process group of its own, which the terminal's Ctrl-C does not reach.
	exec {from}< <(exec timeout --kill-after=2 700 env --default-signal=INT,QUIT scripts/vm --carry "$root/labs/$id/exercise.sh" \
		--carry "$program" scripts/learn/box "$root/labs/$id" "$program" "$seed" 2>"$program.errors" </dev/null)
	box=$!
	trap 'kill $box 2>/dev/null || :; wait $box || :; exit 130' INT TERM HUP
	# The machine may need minutes where the computer is slow. From then on one that says nothing for a minute, or where
	# that is longer for three times what it needed, hangs. A read that has waited so long is the only thing that says
	# it: by the clock, what was stopped or slept meanwhile would be late, with lines unread.
	local ready='' begun=$SECONDS patience=600 got part=''
	while :; do
		got=0
		IFS= read -r -t $patience -u "$from" line || got=$?
		line=$part$line part=''
		if [ $got -gt 128 ] && read -r -t 0 -u "$from"; then
			part=$line
			continue
		fi
		[ $got = 0 ] || break
		line=${line//$'\r'/}
		case $ready$line in
		ready) ready=yes patience=$((SECONDS - begun > 20 ? 3 * (SECONDS - begun) : 60)) ;;
		yessaid$'\t'*) said+=("${line#*$'\t'}") ;;
		yes*) lines+=("$line") ;;
		esac
	done
	# At the end of what it says it ends by itself, with a status that tells how.
	[ $got -le 128 ] || kill $box 2>/dev/null || :
	wait $box || status=$?
	exec {from}<&-
	trap - INT TERM HUP
	if [ -z "$ready" ]; then
		# The reason stands before the end of its logs.
		line=$(grep -m 1 '^vm: ' "$program.errors" || tail -n 1 "$program.errors")
		echo "scripts/exercise: the lab VM did not start, which is no fault of your program: ${line#vm: }" >&2
		exit 3
	fi
	if [ $got -le 128 ] && ended_from_outside $status; then
		echo "scripts/exercise: the lab VM ended, which is no fault of your program, and nothing is noted: $(grep -m 1 '^vm: ' "$program.errors" |
			sed 's/^vm: //' || :)" >&2
		exit 3
	fi
}

# ended_from_outside STATUS: of scripts/vm. The judge had not come to its end, and QEMU was killed. A status that a program
# can have, such as 137 where it has killed the judge, says nothing of that.
ended_from_outside() {
	[[ $(last) != end && $(last) != fail$'\t'* ]] || return 1
	[ "$1" = 125 ] && grep -q '^vm: the lab VM was ended from outside' "$program.errors"
}

# last: the line at which the judge stopped.
last() {
	[ ${#lines[@]} = 0 ] || echo "${lines[-1]}"
}

# all_hold: every line that judge has left is a pass, and the end was reached.
all_hold() {
	local line
	[ ${#lines[@]} -gt 1 ] && [ "${lines[-1]}" = end ] || return 1
	for line in "${lines[@]::${#lines[@]}-1}"; do
		[[ $line == pass$'\t'* ]] || return 1
	done
}

# where_to_look: the line that the compiler names, or what exercise.sh says.
where_to_look() {
	local line
	if [[ $(last) == fail$'\t''it compiles'* ]]; then
		line=$(grep -m 1 -oE ':[0-9]+:[0-9]+: (fatal )?error' "$program.errors" | cut -d : -f 2) || line=
		echo "$source${line:+, line $line}"
	else
		words_of look
	fi
}

# quote TITLE LINE...: lines that are not ours.
quote() {
	[ $# -gt 1 ] || return 0
	echo "$1"
	printf '%s\n' "${@:2}" | fold -s -w 74 | sed 's/ *$//; s/^/  | /'
}

# diagnosis: what was wrong in this run, and why.
diagnosis() {
	local word what expected observed why
	IFS=$'\t' read -r word what expected observed why < <(last) || :
	if [ "$word" != fail ]; then
		what="the check goes on to its end" expected=yes observed=no
		why="Your program did not end in time, or it ended the machine that it ran in."
	fi
	[ ${#said[@]} = 0 ] || observed=${observed%": ${said[-1]}"} # which is shown below
	if [ $((${#what} + ${#expected} + ${#observed})) -lt 45 ]; then
		echo "  fail  $what: expected $expected, observed $observed"
	else
		wrap <<<"  fail  $what:"
		wrap <<<"        expected $expected, observed $observed"
	fi
	[ -z "$why" ] || wrap <<<"Why: $why"
	quote "The compiler says:" "${compiler[@]}"
	quote "Your program printed:" "${said[@]}"
}
