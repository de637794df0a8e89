#!/usr/bin/env bats
# bats file_tags=programs
# What every lab does with its command line, and the status with which it ends.

load ../helper
load ../campaign/census
load programs

setup() {
	read_programs
}

# ---- The command line --------------------------------------------------------------------------

# refused PROGRAM OPTION...
refused() {
	local result=0 lines
	timeout --kill-after=5 120 "$LABS/$1" "${@:2}" >"$out" 2>"$err" 3>&- </dev/null || result=$?
	[ "$result" = 2 ] || wrong "$*: expected status 2, observed $result"
	[ ! -s "$out" ] || wrong "$*: expected nothing on stdout, observed $(head -c 200 "$out")"
	mapfile lines <"$err"
	[[ ${#lines[@]} = 1 && ${lines[0]} = *expected*$'\n' ]] ||
		wrong "$*: expected one line on stderr that says what was expected, observed: $(<"$err")"
}

@test "commandline: wrong usage is one line that names what was expected, status 2, and nothing is done" {
	host_only "the programs are the same in both places"
	for program in "${programs[@]}"; do
		refused "$program" --no-such-option
		refused "$program" --format=xml
		refused "$program" --format
		refused "$program" --color=mauve
		refused "$program" --step=never
		refused "$program" --predict=2
		refused "$program" --can-run=no-such-part
		refused "$program" --
		if "$LABS/$program" --about | jq -e '.operands == []' >/dev/null; then refused "$program" operand; fi
		refused "$program" --step --help-me -- true
		while read -r name type min max; do
			if [ "$type" = flag ]; then
				refused "$program" "--$name=yes"
				continue
			fi
			refused "$program" "--$name"
			refused "$program" "--$name" -- true
			# What may be any text is held to its form in the lab's own file.
			case $type in text | texts | volume | named-path) continue ;; esac
			refused "$program" "--$name="
			case $type in
			size)
				for value in 12Q -5 99999999999999999999 9999999999G 1.M 1.5.5M '' ' 1' "$((min - 1))" "$((max + 1))"; do
					refused "$program" "--$name" "$value"
				done
				;;
			number)
				for value in x -5 99999999999999999999 1x "$((min - 1))" "$((max + 1))"; do
					refused "$program" "--$name" "$value"
				done
				;;
			decimal) # its bounds are thousandths
				for value in x -5 1x .5 1. 1.2345 99999999999999999999 '' \
					"$(printf '%d.%03d' $(((min - 1) / 1000)) $(((min - 1) % 1000)))" \
					"$(printf '%d.%03d' $(((max + 1) / 1000)) $(((max + 1) % 1000)))"; do
					refused "$program" "--$name" "$value"
				done
				;;
			name)
				refused "$program" "--$name" 'a b'
				refused "$program" "--$name" "a/b"
				refused "$program" "--$name" "$(printf '%*s' $((max + 1)) '' | tr ' ' x)"
				;;
			path-*) refused "$program" "--$name" /no/such/file ;;
			choice) refused "$program" "--$name" no-such-choice ;;
			*) wrong "$program --$name: this test knows no type $type" ;;
			esac
		done < <("$LABS/$program" --about | jq -r '.options[] | "\(.name) \(.type) \(.min) \(.max)"')

		# Nothing was done: no process, no namespace, no file written.
		result=$(status strace -f -qq -o "$BATS_TEST_TMPDIR/calls" \
			-e trace='clone,clone3,?fork,?vfork,unshare,setns,mount,?mkdir,mkdirat,kill,openat,?open,?creat,sethostname,exit_group' \
			"$LABS/$program" --step --no-such-option)
		[ "$result" = 2 ] && grep -q 'exit_group(2)' "$BATS_TEST_TMPDIR/calls" || wrong "$program under strace: status $result: $(<"$err")"
		did=$(grep -vE '^[0-9]+ +(open(at)?\(.*O_RDONLY|exit_group\(|\+\+\+)' "$BATS_TEST_TMPDIR/calls" || :)
		[ -z "$did" ] || wrong "$program: did this before it refused: $did"
	done
	none_wrong
}

@test "commandline: --help, --version and --about answer anywhere, without an environment" {
	host_only "the programs are the same in both places"
	for program in "${programs[@]}"; do
		copy=$BATS_TEST_TMPDIR/$program
		cp "$LABS/$program" "$copy"
		for option in --help --version --about; do
			[ "$(cd / && status env -i "$copy" "$option")" = 0 ] || wrong "$program $option: status"
			[ -s "$out" ] || wrong "$program $option: expected an answer on stdout"
			[ ! -s "$err" ] || wrong "$program $option: expected nothing on stderr, observed $(<"$err")"
		done
		# --help names every option that --about has, in lines that a terminal holds.
		"$LABS/$program" --help >"$out"
		for option in $("$LABS/$program" --about | jq -r '.options[].name') step predict format color plain can-run about; do
			grep -q -- "--$option" "$out" || wrong "$program --help: no word of --$option"
		done
		long=$(grep -E '.{81}' "$out" || :)
		[ -z "$long" ] || wrong "$program --help: longer than 80 columns: $long"
	done
	none_wrong
}

@test "commandline: --can-run answers whoever asks: 0, or 77 with what is missing and its remedy" {
	for program in "${here[@]}" "${elsewhere[@]}"; do
		asks=("")
		[ "$EUID" != 0 ] || asks+=(as-another)
		for who in "${asks[@]}"; do
			as=() run=("$LABS/$program")
			[ -z "$who" ] || as_user "$program"
			result=$(cd / && status env -i PATH="$PATH" "${as[@]}" "${run[0]}" --can-run)
			case $result in
			0) [ ! -s "$out" ] || wrong "$program --can-run: status 0 and yet: $(<"$out")" ;;
			77)
				[ -s "$out" ] || wrong "$program --can-run: status 77 and no word of why"
				! grep -vE '^[^;]+; [^;]' "$out" || wrong "$program --can-run: expected 'what; remedy', observed $(<"$out")"
				;;
			*) wrong "$program --can-run${who:+ as an ordinary user}: expected 0 or 77, observed $result: $(<"$err")" ;;
			esac
		done
		about "$program"
		for part in "${parts[@]}"; do
			result=$(status "$LABS/$program" "--can-run=$part")
			[[ $result =~ ^(0|77)$ ]] || wrong "$program --can-run=$part: expected 0 or 77, observed $result"
		done
	done
	none_wrong
}

@test "commandline: as root of a user namespace alone every lab passes, or says what is missing and that it is to be had outside" {
	in_vm || skip "in the lab VM, where uid 1000 may read every program"
	local reached='' before
	before=$(census)
	for program in "${here[@]}"; do
		its_turn "$program" || continue
		run_of "$LABS/$program"
		result=$(MARK=$mark status setpriv --reuid=1000 --regid=1000 --clear-groups unshare --user --map-root-user "${run[@]}")
		case $result in
		0) reached+=" passes" ;;
		77)
			reached+=" says"
			grep -q '; leave the user namespace in which we are root' "$err" || wrong "$program: expected to be told to leave it, observed $(<"$err")"
			! grep -E '(; |or: )(put )?sudo' "$err" || wrong "$program: no sudo helps in there: $(<"$err")"
			;;
		*) wrong "$program: expected status 0 or 77, observed $result: $(grep -hE '"fail"|broken' "$out" "$err")" ;;
		esac
		# An ordinary user who is to put sudo in front is not told what else a user would lack.
		setpriv --reuid=1000 --regid=1000 --clear-groups "$LABS/$program" --can-run >"$out" || :
		! grep -q '; put sudo in front' "$out" || ! grep -qE 'delegated to us|user namespace|EACCES' "$out" ||
			wrong "$program: with sudo none of the rest is missing: $(<"$out")"
	done
	[ -n "$reached" ] || skip "no program's turn"
	left=$(left_behind "$before")
	[ -z "$left" ] || wrong "left behind: $left"
	none_wrong
}

@test "commandline: what a program says of itself is complete, and agrees with its place" {
	host_only "the programs are the same in both places"
	for program in "${programs[@]}"; do
		id=${program/-more//more}
		"$LABS/$program" --about >"$out"
		jq -e --arg id "$id" '
			def words: type == "array" and all(type == "string" and test("^[^ ]+$"));
			def needs: ([.root, .namespaces, .proc_mount, .limits, .swap, .block] | all(type == "boolean"))
				and (.controllers | words) and (.modules | words) and (.kernel | type == "string")
				and (.cpus | type == "number") and (.memory | type == "number");
			.id == $id
			and ([.title, .goal, .root, .boot, .place, .exclusive] | all(type == "string"))
			and (.title | length > 0) and (.goal | length > 0)
			and (.manual | words and length > 0 and all(test("^[a-z0-9_.-]+\\([1-9]\\)$")))
			and (.teaches | words and length > 0 and all(test("^(file:[a-z0-9_./-]+|[a-z0-9_]+(:[A-Za-z0-9_]+)?)$")))
			and (.after | words and all(test("^[0-9]{2}-[a-z0-9-]+(/more)?$")))
			and (.needs | needs)
			and (.boot | . == "" or . == "alone") and (.place | . == "" or . == "host")
			and (.root | . == "" or . == "own")
			and (.exclusive | . == "" or . == "cpu") and (.hazard | type == "boolean")
			and (.parts | all((.name | test("^[a-z0-9-]+$")) and (.title | length > 0) and (.needs | needs)
				and (.boot | . == "" or . == "alone") and (.hazard | type == "boolean")))
			and ([.parts[].name] | . == unique or length == (unique | length))
			and (.options | all((.name | test("^[a-z0-9-]+$")) and (.help | length > 0)
				and (.type | test("^(size|number|decimal|name|path-in|path-in-out|flag|choice|text|texts|volume|named-path)$")) and .min <= .max))
			and (.questions | all((.name | test("^[a-z0-9-]+$")) and (.text | length > 0)
				and (.choices | length >= 2 and all((.value, .text) | length > 0))
				and ([.choices[].value] | length == (unique | length))))
			and (.quick | words) and ([.quick[] | ltrimstr("--") | split("=")[0]] - [.options[].name] == [])
			and (.operands | all((.name | test("^[A-Z]+$")) and (.help | length > 0)))
		' "$out" >/dev/null || wrong "$program --about: a field is missing or not as it must be: $(<"$out")"
		# What it builds on is a lab that is here, or one that is to come under a number that no lab here has.
		for after in $(jq -r '.after[]' "$out"); do
			[ "$after" != "$id" ] || wrong "$program: comes after itself"
			same_number=("$LABS/${after:0:2}-"*)
			[ -e "$LABS/${after%/more}" ] || [ ! -e "${same_number[0]}" ] ||
				wrong "$program: comes after $after, but that number is ${same_number[0]##*/}"
		done
		[[ $program != *-more* ]] || [ -x "$LABS/${program%%-more*}" ] || wrong "$program: there is no ${program%%-more*}"
	done
	none_wrong
}

@test "commandline: in the lab VM every lab can run, on the host every lab whose place that is" {
	! in_vm || echo "# LAB_SEED=$seed chooses one of several runs" >&3
	for program in "${elsewhere[@]}"; do
		place=$("$LABS/$program" --about | jq -r .place)
		missing=$(<"$runs/missing.$program")
		if in_vm && [ "$place" != host ]; then
			wrong "$program cannot run in the lab VM: $missing"
		elif ! in_vm; then
			echo "# $program is tested in the lab VM: ${missing%%;*}" >&3
		fi
	done
	none_wrong
}

# ---- Statuses ----------------------------------------------------------------------------------

@test "commandline: a command's status passes through: its own, 126, 127, 128 + signal" {
	for program in "${here[@]}"; do
		if [[ $program == *-more* ]] && [ "$(status "$LABS/$program" -- true)" = 2 ]; then
			refused "$program" -- true # there is no place in it that one COMMAND could run in
			continue
		fi
		before=$(census)
		for expected in "7 sh -c 'exit 7'" "0 true" "126 /etc/passwd" "127 no-such-command" "127 /no/such/command"; do
			eval "command=(${expected#* })"
			result=$(status env "MARK=$mark" "$LABS/$program" -- "${command[@]}")
			[ "$result" = "${expected%% *}" ] || wrong "$program -- ${expected#* }: expected status ${expected%% *}, observed $result; $(<"$err")"
		done
		[ "$(status "$LABS/$program" -- sh -c 'printf a; printf b >&2')" = 0 ] && [ "$(<"$out")" = a ] ||
			wrong "$program -- COMMAND: expected its output alone on stdout, observed $(<"$out")"
		# It may be PID 1 in there, which only a SIGKILL from outside can end.
		unique=1$RANDOM$RANDOM
		env "MARK=$mark" "$LABS/$program" -- sleep "$unique" >/dev/null 2>&1 </dev/null 3>&- &
		lab=$! sleeper=
		for ((tries = 1200; tries > 0; tries--)); do
			while IFS=/ read -r _ _ process _; do
				[ "$(status_of "$process" Name)" != sleep ] || sleeper=$process
			done < <(grep -ls "$unique" /proc/[0-9]*/cmdline)
			[ -z "$sleeper" ] || break
			sleep 0.05
		done
		result=0
		kill -KILL "${sleeper:-$lab}"
		wait "$lab" || result=$?
		[ -n "$sleeper" ] || wrong "$program -- sleep: was not started"
		[ "$result" = 137 ] || wrong "$program -- sleep, killed: expected status 137, observed $result"
		left=$(left_behind "$before")
		[ -z "$left" ] || wrong "$program -- COMMAND left behind: $left"
	done
	none_wrong
}

@test "commandline: a stdout that is closed or full is an error and no hang" {
	for program in "${here[@]}"; do
		brief "$LABS/$program"
		before=$(census)
		for format in story jsonl; do
			result=0
			MARK=$mark timeout --kill-after=5 60 "${run[@]}" --format=$format >&- 2>/dev/null </dev/null 3>&- || result=$?
			[[ $result != 0 && $result -lt 124 || $result = 130 ]] || wrong "$program --format=$format, stdout closed: status $result"
			result=0
			MARK=$mark timeout --kill-after=5 60 "${run[@]}" --format=$format >/dev/full 2>/dev/null </dev/null 3>&- || result=$?
			[[ $result != 0 && $result -lt 124 || $result = 130 ]] || wrong "$program --format=$format, stdout full: status $result"
		done
		# A reader may go at any moment, and whoever writes then, be it a child, finds out.
		some_of 4
		for part in "${some[@]}"; do
			result=0
			bytes=$(($(wc -c <"$(story "$program")") * (part - 1) / 4))
			(set -o pipefail && MARK=$mark timeout --kill-after=5 60 "${run[@]}" 2>/dev/null </dev/null 3>&- |
				head -c $bytes >/dev/null) || result=$?
			ended_well "$program" "$result" || [[ $result =~ ^(130|141)$ ]] || wrong "$program | head -c $bytes: status $result"
		done
		left=$(left_behind "$before")
		[ -z "$left" ] || wrong "$program left behind: $left"
	done
	none_wrong
}
