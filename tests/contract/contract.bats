#!/usr/bin/env bats
# What holds for every lab program that exists now or later: each that is found
# in build/labs is held to it, here where it can run here. Nothing is listed by name.

load ../helper
load ../campaign/census
load runs

# What is wrong, in all programs, before a test gives up.
wrong=()
wrong() {
	wrong+=("$*")
}
none_wrong() {
	[ ${#wrong[@]} = 0 ] && return
	printf '%s\n' "${wrong[@]}"
	return 1
}

setup_file() {
	find_programs
}

setup() {
	read_programs
	mark=unboxed-$$-$RANDOM
	RANDOM=$seed
	cd "$ROOT" || return
	out=$BATS_TEST_TMPDIR/out err=$BATS_TEST_TMPDIR/err
}

# some_of LAST: sets some to the numbers from 1 on; in the lab VM, where a run costs seconds, to one of them, which
# LAB_SEED chooses.
some_of() {
	if in_vm; then some=($((RANDOM % $1 + 1))); else mapfile -t some < <(seq "$1"); fi
}

# status COMMAND...: its exit status; stdout and stderr go to $out and $err. Bounded: 124 is a hang.
status() {
	local result=0
	timeout --kill-after=5 120 "$@" >"$out" 2>"$err" 3>&- </dev/null || result=$?
	echo "$result"
}

# ---- What nothing may leave behind -------------------------------------------------------

# left KIND MAKE UNDO: what MAKE does must be seen, and no more when UNDO has been done
left() {
	local before seen
	before=$(census)
	eval "$2"
	seen=$(left_behind "$before" 0)
	eval "$3"
	[[ $seen = *"$1"* ]] || wrong "$2: expected '$1' to be seen, observed '$seen'"
	seen=$(left_behind "$before")
	[ -z "$seen" ] || wrong "$3: expected nothing to be seen, observed '$seen'"
}

@test "contract: the census sees what is left: a process, a file; in the lab VM a mount, a group, a link, a segment, a name" {
	left "sleep 1000" 'MARK=$mark sleep 1000 3>&- & pid=$!' 'kill $pid; wait $pid || :'
	left "file: /tmp/lab00-$mark" 'mkdir /tmp/lab00-$mark' 'rmdir /tmp/lab00-$mark'
	if in_vm; then
		left " /mnt " 'mount -t tmpfs census /mnt' 'umount /mnt'
		left "group: /sys/fs/cgroup/lab00-census" 'mkdir /sys/fs/cgroup/lab00-census' 'rmdir /sys/fs/cgroup/lab00-census'
		left "link: /sys/class/net/lab00" 'ip link add lab00 type bridge' 'ip link delete lab00'
		left "/proc/sysvipc/shm" 'shm=$(ipcmk --shmem 4096)' 'ipcrm --shmem-id "${shm##* }"'
		left "file: /dev/shm/lab00" ': >/dev/shm/lab00' 'rm /dev/shm/lab00'
		left "names: census" 'old=$(</proc/sys/kernel/hostname); echo census >/proc/sys/kernel/hostname' 'echo "$old" >/proc/sys/kernel/hostname'
		left "< " 'umount /dev/mqueue' 'mount -t mqueue -o nosuid,nodev,noexec mqueue /dev/mqueue; before=$(census)'
	fi
	none_wrong
}

# ---- The command line ------------------------------------------------------------------

# refused PROGRAM OPTION...
refused() {
	local result
	result=$(status "$LABS/$1" "${@:2}")
	[ "$result" = 2 ] || wrong "$*: expected status 2, observed $result"
	[ ! -s "$out" ] || wrong "$*: expected nothing on stdout, observed $(head -c 200 "$out")"
	if [ "$(wc -l <"$err")" != 1 ] || ! grep -q expected "$err"; then
		wrong "$*: expected one line on stderr that says what was expected, observed: $(<"$err")"
	fi
}

@test "contract: wrong usage is one line that names what was expected, status 2, and nothing is done" {
	host_only "the programs are the same in both places"
	for program in "${programs[@]}"; do
		refused "$program" --no-such-option
		refused "$program" --format=xml
		refused "$program" --format
		refused "$program" --color=mauve
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
				for value in 12Q -5 99999999999999999999 9999999999G 1.5M '' ' 1' "$((min - 1))" "$((max + 1))"; do
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
		strace -f -qq -o "$BATS_TEST_TMPDIR/calls" -e trace=clone,clone3,fork,vfork,unshare,setns,mount,mkdir,mkdirat,kill,openat,open,creat,sethostname \
			"$LABS/$program" --step --no-such-option >/dev/null 2>&1 3>&- || :
		did=$(grep -vE '^[0-9]+ +open(at)?\(.*O_RDONLY|^[0-9]+ +\+\+\+' "$BATS_TEST_TMPDIR/calls" || :)
		[ -z "$did" ] || wrong "$program: did this before it refused: $did"
	done
	none_wrong
}

@test "contract: --help, --version and --about answer anywhere, without an environment" {
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

@test "contract: --can-run answers whoever asks: 0, or 77 with what is missing and its remedy" {
	for program in "${here[@]}" "${elsewhere[@]}"; do
		asks=("")
		[ "$EUID" != 0 ] || asks+=(as-another)
		for who in "${asks[@]}"; do
			as=() run=("$LABS/$program")
			[ -z "$who" ] || ordinary_user "$program" || :
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

@test "contract: what a program says of itself is complete, and agrees with its place" {
	host_only "the programs are the same in both places"
	for program in "${programs[@]}"; do
		id=${program/%-more//more}
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
		[[ $program != *-more ]] || [ -x "$LABS/${program%-more}" ] || wrong "$program: there is no ${program%-more}"
	done
	none_wrong
}

@test "contract: in the lab VM every lab can run, on the host every lab whose place that is" {
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

# ---- Both formats ----------------------------------------------------------------------

# bats test_tags=measures
@test "contract: a story ends with 0, and its JSON lines are whole, counted and unique" {
	for program in "${here[@]}"; do
		its_turn "$program" || continue
		json=$(events "$program")
		result=$(<"$json.status")
		[ "$result" = 0 ] || wrong "$program: expected status 0, observed $result; $(<"$json.err")"
		jq -es --arg id "${program/%-more//more}" '
			[.[] | select(.event == "check")] as $checks
			| .[0].event == "where" and (.[0] | (.place | test("^(host|vm)$")) and (.kernel | length > 0))
			and .[1].event == "lab" and .[1].id == $id
			and .[-1].event == "end" and ([.[] | select(.event == "end")] | length == 1)
			and all(.event | test("^(where|lab|step|call|check|sample|wait|end)$"))
			and ([.[] | select(.event == "step") | .number] | . == [range(1; length + 1)] and length > 0)
			and ($checks | length > 0 and all(
				(.what | type == "string" and length > 0) and (.expected | type == "string")
				and (.observed | type == "string") and (.verdict | test("^(pass|fail|skip)$"))))
			and ($checks | ([.[].what] | unique | length) == length)
			and ([.[] | select(.event == "call")] | all((.place | test("^labs/[^:]+:[0-9]+$")) and (.pid | type == "number")))
			and ([.[] | select(.event == "sample")] | all((.value | type == "number") and .limit > 0))
			and (.[-1] | .verdict == "pass"
				and .passed == ([$checks[] | select(.verdict == "pass")] | length)
				and .failed == 0 and ([$checks[] | select(.verdict == "fail")] | length == 0)
				and .skipped == ([$checks[] | select(.verdict == "skip")] | length)
				and .checks == .passed + .failed
				and (.table | length <= 10 and all(length == 4)))
		' "$json" >/dev/null || wrong "$program --format=jsonl: not as it must be: $(jq -c 'select(.event == "end" or .verdict == "fail")' "$json" 2>&1)"
		# Only three things may be missing in the lab VM.
		if in_vm; then
			left=$(cat "$session/cgroup.subtree_control" && find "$session" -mindepth 1 -type d)
			[ -z "$left" ] || wrong "$program has left in the group of its session: $left"
			skipped=$(jq -r 'select(.verdict == "skip" and (.observed | test("machine too busy|CONFIG_MEMCG_V1|where the kernel has it") | not)) | "\(.what): \(.observed)"' "$json")
			[ -z "$skipped" ] || wrong "$program: skipped in the lab VM: $skipped"
		fi
	done
	none_wrong
}

@test "contract: a story is plain where it is no terminal's, ASCII with --plain, coloured on demand" {
	escape=$'\033'
	for program in "${here[@]}"; do
		plain=$(story "$program")
		ended_well "$program" "$(<"$plain.status")" || wrong "$program --plain: status $(<"$plain.status"): $(tail -n 1 "$plain")"
		[ "$(wc -l <"$plain")" -ge 10 ] || wrong "$program: a story of $(wc -l <"$plain") lines"
		left=$(tr -d '\n -~' <"$plain" | wc -c)
		[ "$left" = 0 ] || wrong "$program --plain: $left bytes that are not ASCII's printable ones"
		[ "$(wc -l <"$plain.err")" = 1 ] || wrong "$program: expected the where-line alone on stderr, observed $(<"$plain.err")"
		[[ $program == *-more ]] || [ "$(tail -n 1 "$plain" | cut -d: -f1)" = "$program" ] ||
			wrong "$program: expected its summary last, observed $(tail -n 1 "$plain")"
		! in_vm || continue # the rest is the library's

		brief "$LABS/$program"
		result=$(status "${run[@]}")
		ended_well "$program" "$result" || wrong "$program: status $result: $(tail -n 1 "$out")"
		! grep -q "$escape" "$out" || wrong "$program: escape codes in a file"

		result=$(status "${run[@]}" --color=always)
		ended_well "$program" "$result" || wrong "$program --color=always: status $result: $(tail -n 1 "$out")"
		grep -q "$escape" "$out" || wrong "$program --color=always: no colour"
		# The eight basic colours, bold and off; and no cursor movement in a file.
		codes=$(grep -o "$escape"'\[[0-9;?]*[A-Za-z]' "$out" | sort -u | sed "s/$escape//" | grep -vE '^\[(0|1|3[0-7])m$' || :)
		[ -z "$codes" ] || wrong "$program --color=always: $codes"
	done
	none_wrong
}

# Runs each PROGRAM on a terminal of 60 columns in each of these ENVIRONMENTS, stderr apart; what they
# write goes to files $out.PROGRAM.ENVIRONMENT, their statuses to the last line of each.
on_terminal() { # PREFIX ENVIRONMENTS PROGRAM...
	local script program words=''
	for program in "${@:3}"; do
		brief "$program"
		words+=" \"${run[*]}\""
	done
	script='for p in '"$words"'; do for v in '"$2"'; do
		echo; echo "@@@ $v $p"; env "$v" $p 2>/dev/null; v=$?; echo; echo "@@status $v"; done; done'
	TERM=xterm PATH="$LABS:$PATH" timeout --kill-after=5 300 script -qec \
		"stty cols 60 rows 24; $1 sh -c '$script'" /dev/null </dev/null 3>&- 2>&1 |
		tr -d '\r' | awk -v out="$out" '/^@@@ / { file = out "." $3 "." $2; next } file { print >file }'
}

@test "contract: on a terminal of 60 columns no line is longer, NO_COLOR and TERM=dumb are honoured" {
	command -v script >/dev/null || skip "on the host only: there is no script(1) here to make a terminal"
	escape=$'\033'
	# Colours are the library's: without them each is seen that runs on the host, and one in the lab VM.
	environments='A=1 NO_COLOR=1 TERM=dumb'
	! in_vm || environments=A=1
	on_terminal "" "$environments" "${here[@]}"
	mapfile -t there < <(in_vm || printf '%s\n' "${elsewhere[@]:0:1}")
	[ -z "${there-}" ] || on_terminal "scripts/vm --cpus 2 --swap --block" "$environments" "$there"
	for program in "${here[@]}" ${there-}; do
		for variable in $environments; do
			file=$out.$program.$variable
			if [ ! -s "$file" ]; then
				wrong "$program with $variable: nothing on the terminal"
				continue
			fi
			ended_well "$program" "$(sed -n 's/^@@status //p' "$file")" ||
				wrong "$program with $variable: expected status 0, observed: $(tail -n 4 "$file")"
			long=$(sed "s/$escape\[[0-9;?]*[A-Za-z]//g" "$file" | while IFS= read -r line; do
				[ ${#line} -le 60 ] || printf '%s\n' "$line"
			done)
			[ -z "$long" ] || [ "$variable" != A=1 ] || wrong "$program: longer than 60 columns: $long"
		done
		grep -q "$escape\[[0-9;]*m" "$out.$program.A=1" || wrong "$program on a terminal: no colour"
		# Colour there is none of; with TERM=dumb the cursor does not move either.
		[ -e "$out.$program.NO_COLOR=1" ] || continue
		! grep -q "$escape\[[0-9;]*m" "$out.$program.NO_COLOR=1" || wrong "$program with NO_COLOR: colours"
		! grep -q "$escape" "$out.$program.TERM=dumb" || wrong "$program with TERM=dumb: escape codes"
	done
	none_wrong
}

# ---- Predictions -----------------------------------------------------------------------

# predicted PREFIX PROGRAM...: each on a terminal, its questions answered with their first choice, then with
# their second, and so on to the last (some_of them). JSON lines go to $out.PROGRAM.N, what is told to $out.PROGRAM.N.told.
predicted() {
	local program words='' answers='' n last
	for program in "${@:2}"; do
		last=$("$LABS/$program" --about | jq '[.questions[].choices | length] | max')
		run_of "$program"
		some_of "$last"
		for n in "${some[@]}"; do
			words+=" \"$n ${run[*]}\""
			answers+=$("$LABS/$program" --about | jq -r --argjson n "$n" '.questions[] | [$n, (.choices | length)] | min')$'\n.\n'
		done
	done
	TERM=xterm PATH="$LABS:$PATH" timeout --kill-after=5 500 script -qec "stty -echo; $1 sh -c '
		for run in $words; do
			set -- \$run; n=\$1; shift
			echo \"@@@ \$1.\$n\"; echo \"@@@ \$1.\$n.told\" >&2
			\"\$@\" --predict --format=jsonl
			echo \"@@status \$?\" >&2
			while read -r rest && [ \"\$rest\" != . ]; do :; done # what was not asked
		done' >$out.all 2>$out.all.told" /dev/null <<<"$answers" >/dev/null 2>&1 3>&-
	awk -v out="$out" '/^@@@ / { file = out "." $2; next } file { print >file }' "$out.all" "$out.all.told"
}

# bats test_tags=measures
@test "contract: each lab asks two or three times; the right answer is what the kernel did, each wrong one has its own reason" {
	command -v script >/dev/null || skip "on the host only: there is no script(1) here to make a terminal"
	asking() {
		for program; do [[ $program = *-more ]] || ! its_turn "$program" || echo "$program"; done
	}
	mapfile -t mine < <(asking "${here[@]}")
	mapfile -t there < <(in_vm || [ "${LAB_MEASURES-}" = only ] || asking "${elsewhere[@]}" | head -n 1)
	[ ${#mine[@]} = 0 ] || predicted "" "${mine[@]}"
	[ ${#there[@]} = 0 ] || predicted "scripts/vm --cpus 2 --swap --block" "${there[@]}"
	for program in "${mine[@]}" "${there[@]}"; do
		questions=$("$LABS/$program" --about | jq -c .questions)
		jq -e 'length == 2 or length == 3' <<<"$questions" >/dev/null || wrong "$program: expected two or three questions"
		last=$(jq '[.[].choices | length] | max' <<<"$questions") tried=0
		for ((n = 1; n <= last; n++)); do
			! in_vm || [ -e "$out.$program.$n" ] || continue # not this one of them
			tried=$((tried + 1))
			jq -ec --argjson questions "$questions" --argjson n "$n" --rawfile told "$out.$program.$n.told" -s '
				[.[] | select(.event == "prediction")] as $events | last as $summary
				| def right: .predicted == .observed;
				# A part that is skipped, as the shortest run may, asks nothing.
				([$events[].question] == [$questions[].name] or ($summary.skipped > 0 and ($events | length) > 0
					and [$events[].question] == [$questions[:$events | length][].name]))
				and ([range($events | length) | . as $i | $events[$i] as $event | $questions[$i].choices as $choices
					| $choices[[$n, ($choices | length)] | min - 1] as $picked
					| $event.predicted == $picked.value
					and ([$choices[].value] | index($event.observed) != null)
					and (if $event | right then true
						else ($picked.misconception | length > 20) and ($told | contains($picked.misconception)) end)] | all)
				and $summary.event == "end" and $summary.questions == ($events | length)
				and $summary.score == ([$events[] | select(right)] | length)
			' "$out.$program.$n" >/dev/null ||
				wrong "$program, choice $n: $(grep -h '"prediction"\|"end"' "$out.$program.$n" | tail -n 5); $(tail -n 3 "$out.$program.$n.told")"
		done
		[ $tried -gt 0 ] || wrong "$program: was not asked"
		# What was right is so in each run, and the reasons of the wrong ones differ.
		cat "$out.$program."[1-9] | jq -es --argjson questions "$questions" '
			[.[] | select(.event == "prediction")] | group_by(.question)
			| all([.[].observed] | unique | length == 1)' >/dev/null || wrong "$program: what is right differs from run to run"
		jq -e '[.[].choices[].misconception | select(. != "")] | length == (unique | length)' <<<"$questions" >/dev/null ||
			wrong "$program: two choices have one misconception"
	done
	none_wrong
}

# ---- Statuses --------------------------------------------------------------------------

@test "contract: a command's status passes through: its own, 126, 127, 128 + signal" {
	for program in "${here[@]}"; do
		if [[ $program == *-more ]] && [ "$(status "$LABS/$program" -- true)" = 2 ]; then
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
		for ((tries = 100; tries > 0; tries--)); do
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

@test "contract: a stdout that is closed or full is an error and no hang" {
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

# ---- What the story offers to paste -------------------------------------------------------

# look_at_all COMMAND...: walks the lab and runs what each wait says; complains about what does not work.
look_at_all() {
	local count=0 look looks
	lab_start "$@"
	while lab_go; do
		# A JSON string; a jq(1) for each would take longer than all labs.
		looks=${lab_wait#*\"look\":\"} looks=${looks%\"\}} looks=${looks//\\\"/\"}
		while IFS= read -r look; do
			[ -n "$look" ] || continue
			count=$((count + 1))
			if ! "${as[@]}" sh -c "$look" >"$out" 2>"$err" </dev/null 3>&-; then
				wrong "$* step $lab_step${as:+ as an ordinary user}: $look: $(<"$err")"
			elif [ ! -s "$out" ]; then
				wrong "$* step $lab_step: $look: shows nothing"
			fi
		done < <(printf '%b\n' "$looks")
	done
	lab_end
	ended_well "$program" "$lab_status" || wrong "$* --step: expected status 0, observed $lab_status"
	[ "$lab_waits" = "$(jq -s '[.[] | select(.event == "step")] | length' "$lab_dir/jsonl")" ] ||
		wrong "$* --step: expected a wait in each step, observed $lab_waits"
	# shellcheck disable=SC2034 # read by the caller
	seen=$count
}

@test "contract: what --step says to look at works, as root and as an ordinary user" {
	for program in "${here[@]}"; do
		as=()
		brief "$LABS/$program"
		look_at_all "${run[@]}"
		[[ $program == *-more || $seen != 0 ]] || wrong "$program --step: nothing to look at in any step"
		[ "$EUID" = 0 ] || continue
		ordinary_user "$program" || continue
		brief "${run[0]}"
		look_at_all "${as[@]}" "${run[@]}"
	done
	none_wrong
}

# ordinary_user PROGRAM: sets as, and run with a copy that it may start; false where it cannot run it.
ordinary_user() {
	as=(setpriv --reuid=1000 --regid=1000 --clear-groups env HOME=/tmp)
	local after parts teaches copy=/tmp/$mark/labs/$1
	mkdir -p "/tmp/$mark/labs"
	chmod 755 "/tmp/$mark" "/tmp/$mark/labs"
	cp "$LABS/$1" "$copy"
	# What it builds on lies beside it: it may start that.
	about "$1"
	for after in "${after[@]}"; do
		[ ! -x "$LABS/$after" ] || cp "$LABS/$after" "/tmp/$mark/labs"
	done
	# The root of the labs' containers lies beside the labs.
	if [ ! -d "/tmp/$mark/rootfs" ]; then
		mkdir -m 755 "/tmp/$mark/rootfs"
		cp -R "$ROOT/build/rootfs/tree" "/tmp/$mark/rootfs/tree"
	fi
	run_of "$copy"
	"${as[@]}" "$copy" --can-run >/dev/null 2>&1
}

teardown() {
	[ -z "${mark-}" ] || rm -rf "/tmp/$mark"
}

@test "contract: each \"Try now\" can be pasted where the lab ran" {
	for program in "${here[@]}"; do
		mapfile -t commands < <(sed -n '/^Try now:$/,/^[^ T]/s/^  //p' "$(story "$program")")
		[ ${#commands[@]} -ge 1 ] || wrong "$program: no command under \"Try now\""
		[[ $program == *-more || ${#commands[@]} = 3 ]] ||
			wrong "$program: expected three commands under \"Try now\", observed ${#commands[@]}"
		some_of ${#commands[@]}
		for number in "${some[@]}"; do
			line=${commands[number - 1]}
			result=$(status sh -c "$line")
			[ "$result" = 0 ] || wrong "$program: $line: status $result: $(tail -n 3 "$err")"
			! grep -qiE 'not found|no such file|unknown option|broken' "$err" || wrong "$program: $line: $(<"$err")"
		done
	done
	none_wrong
}

# ---- Visibility -----------------------------------------------------------------------------

# Sources without comments, their macros not expanded; of a lab with the headers that lie in a lab's folder.
bare_source() {
	local file
	for file in $(gcc -std=gnu11 -MM -MG -I common -I build/made "$@" 2>/dev/null |
		tr -d '\134' | tr ' ' '\n' | grep -E '\.[ch]$' | sort -u | grep -E '^labs/' || echo "$@"); do
		gcc -fpreprocessed -dD -E -P "$file" 2>/dev/null
	done
}

@test "contract: what a lab teaches stands in its own source" {
	host_only "the lab VM has no sources and no compiler"
	for program in "${programs[@]}"; do
		read -ra files < <(make -s -C "$ROOT" "sources-$program")
		file=${files[0]}
		read -ra flags < <("$ROOT/scripts/make/libraries" --cflags "${files[@]}") || :
		gcc "${flags[@]}" -std=gnu11 -D_GNU_SOURCE -DVERSION='""' -I "$ROOT/common" -I "$ROOT/build/made" -r -nostdlib "${files[@]}" -o "$BATS_TEST_TMPDIR/lab.o" 2>"$err" ||
			wrong "$file: $(<"$err")"
		symbols=" $(nm -u "$BATS_TEST_TMPDIR/lab.o" | awk '{ print $2 }' | xargs) "
		text=$(bare_source "${files[@]}")
		about "$program"
		for word in "${teaches[@]}"; do
			call=${word%%:*} flag=
			[[ $word != *:* ]] || flag=${word#*:}
			if [ "$call" = file ]; then
				grep -qF "$flag" <<<"$text" || wrong "$program teaches $word: the name is not in $file"
				continue
			fi
			[[ $symbols == *" $call "* ]] || grep -qE "(SYS|__NR)_$call\b" <<<"$text" ||
				wrong "$program teaches $word: $file does not make that call"
			[ -z "$flag" ] || grep -qw "$flag" <<<"$text" || wrong "$program teaches $word: $flag is not in $file"
		done
	done
	none_wrong
}

@test "contract: no object of common/ makes a call that teaches, but the three that hold nothing else" {
	host_only "the lab VM has no objects and no sources"
	calls='unshare|setns|clone|clone3|__clone|mount|umount|umount2|pivot_root|chroot|sethostname|setdomainname'
	objects=0
	for source in common/*/*.c; do
		name=${source##*/}
		name=${name%.c}
		case $name in mounts | probe | spawn) continue ;; esac
		objects=$((objects + 1))
		object=$BATS_TEST_TMPDIR/$name.o
		gcc -std=gnu11 -DVERSION='""' -I "$ROOT/common" -c "$source" -o "$object" 2>"$err" || wrong "$source: $(<"$err")"
		found=$(nm -u "$object" | grep -woE "$calls" | xargs)
		[ -z "$found" ] || wrong "$source refers to: $found"
		text=$(bare_source "$source")
		found=$(grep -oE "\b(SYS|__NR)_($calls)\b" <<<"$text" | xargs)
		[ -z "$found" ] || wrong "$source: $found"
		# A call by its number has to be named, or it could be any of them.
		found=$(grep -oE '\bsyscall\([^,)]*' <<<"$text" | grep -vE '\((SYS|__NR)_[a-z0-9_]+$' | xargs)
		[ -z "$found" ] || wrong "$source: a call without its name: $found"
	done
	[ $objects -gt 3 ] || wrong "only $objects objects were looked at"
	# mounts.o: the two calls of its name, with their flags, and nothing else.
	text=$(bare_source common/kernel/mounts.c)
	same "calls in mounts.c" "mount unshare" "$(grep -oE '\b(unshare|setns|clone3?|u?mount2?|pivot_root|chroot|sethostname|setdomainname)\(' <<<"$text" | tr -d '(' | sort -u | xargs)" || wrong "see above"
	same "flags in mounts.c" "CLONE_NEWNS MS_PRIVATE MS_REC" "$(grep -oE '\b(CLONE|MS)_[A-Z_]+' <<<"$text" | sort -u | xargs)" || wrong "see above"
	# spawn.o: one clone3, with that one flag, and nothing else.
	text=$(bare_source common/kernel/spawn.c)
	same "calls by number in spawn.c" "SYS_clone3" "$(grep -oE '\b(SYS|__NR)_[a-z0-9_]+' <<<"$text" | xargs)" || wrong "see above"
	same "flags in spawn.c" "CLONE_INTO_CGROUP" "$(grep -oE '\bCLONE_[A-Z_]+' <<<"$text" | sort -u | xargs)" || wrong "see above"
	none_wrong
}

@test "contract: strace of the story shows each call that it teaches, with the flag" {
	command -v strace >/dev/null || skip "there is no strace here: make setup"
	for program in "${here[@]}"; do
		about "$program"
		traced=openat,open
		for word in "${teaches[@]}"; do
			case $word in
			file:*) ;;
			fork*) traced+=,clone,fork,vfork ;; # what the C library's fork() makes
			*) traced+=,${word%%:*} ;;
			esac
		done
		calls=$BATS_TEST_TMPDIR/calls
		brief "$LABS/$program"
		result=0
		timeout 300 strace -f --seccomp-bpf -qq -s 256 -e "trace=$traced" -o "$calls" "${run[@]}" >"$out" 2>"$err" 3>&- </dev/null || result=$?
		ended_well "$program" "$result" || wrong "$program under strace: status $result: $(tail -n 1 "$out")"
		for word in "${teaches[@]}"; do
			call=${word%%:*} flag=
			[[ $word != *:* ]] || flag=${word#*:}
			case $call in
			file) grep -qE "open(at)?\(.*[/\"]$flag\".* = [0-9]+$" "$calls" || wrong "$program teaches $word: no such file was opened" ;;
			*)
				name=$call
				[ "$call" != fork ] || name='(clone|fork|vfork)'
				made=$(grep -E "^[0-9]+ +${name}\(" "$calls" || :)
				[ -n "$made" ] || wrong "$program teaches $word: the story did not make it"
				[ -z "$flag" ] || grep -qw -- "$flag" <<<"$made" || wrong "$program teaches $word: not with that flag: $made"
				;;
			esac
		done
	done
	none_wrong
}

# ---- Ends of every kind ------------------------------------------------------------------------

# bats test_tags=measures
@test "contract: nothing is left behind; again, two at a time, two users at a time" {
	for program in "${here[@]}"; do
		its_turn "$program" || continue
		before=$(census)
		run_of "$LABS/$program"
		if ! in_vm; then
			result=$(status env "MARK=$mark" "${run[@]}")
			[ "$result" = 0 ] || wrong "$program: expected status 0, observed $result: $(tail -n 1 "$out")"
			left=$(left_behind "$before")
			[ -z "$left" ] || wrong "$program left behind: $left"
		fi

		some_of 2
		for users in "${some[@]}"; do
			# A third user has all the names that can be foreseen: with the number of the lab, and with its PID.
			roots=("${run[@]}") as=() third=()
			[ "$EUID" != 0 ] || third=(sh -c 'setpriv --reuid=1001 --regid=1001 --clear-groups \
				sh -c "umask 077; mkdir /tmp/lab$0-$$; : >/dev/shm/lab$0; : >/dev/mqueue/lab$0" 2>/dev/null; exec "$@"' "${program:0:2}")
			if [ "$users" = 2 ] && ! { [ "$EUID" = 0 ] && ordinary_user "$program"; }; then
				in_vm || continue
				as=() run=("${roots[@]}")
			fi
			MARK=$mark timeout 240 "${third[@]}" "${roots[@]}" --format=jsonl >"$out.1" 2>&1 </dev/null 3>&- &
			first=$!
			MARK=$mark timeout 240 "${third[@]}" "${as[@]}" "${run[@]}" --format=jsonl >"$out.2" 2>&1 </dev/null 3>&- &
			second=$!
			result=0
			wait $first || result=$?
			wait $second || result+=" $?"
			[ "$result" = 0 ] || wrong "$program two at a time, users: $users: status $result: $(grep -hE '"fail"|broken' "$out.1" "$out.2")"
			if [ ${#third[@]} != 0 ]; then
				taken=("/tmp/lab${program:0:2}-"*)
				[ ${#taken[@]} = 2 ] && rmdir "${taken[@]}" || wrong "$program: expected the third user's two folders, observed ${taken[*]}"
				rm -f /dev/shm/lab"${program:0:2}" /dev/mqueue/lab"${program:0:2}"
			fi
		done
		rm -rf "/tmp/$mark"
		left=$(left_behind "$before")
		[ -z "$left" ] || wrong "$program two at a time left behind: $left"
	done
	none_wrong
}

# in_a_pid_namespace PROGRAM: it waits at a step in which it has a group, as a process of another PID namespace whose
# number nobody has here. Sets group; false when it makes none.
in_a_pid_namespace() {
	brief "$LABS/$1"
	lab_start unshare --pid --fork --mount-proc --kill-child sh -c 'echo 30000 >/proc/sys/kernel/ns_last_pid; "$@"; exit $?' sh "${run[@]}"
	while lab_go; do
		group=$(find /sys/fs/cgroup -maxdepth 1 -name "lab${1:0:2}-300*")
		[ -z "$group" ] || return 0
	done
	lab_end
	return 1
}

@test "contract: what is swept has the mark of a run that is over; a stranger's files, groups and live runs are not" {
	in_vm || skip "in the lab VM only: it makes groups beside those of others"
	sweep=("$ROOT/build/bin/supervise" true)
	mkdir /tmp/lab10-2024 /tmp/lab99-31337 /sys/fs/cgroup/lab10-99999 /sys/fs/cgroup/lab42-77777-leaf
	echo essay >/tmp/lab10-2024/essay.txt
	sleep 1000 3>&- &
	stranger=$!
	echo $stranger >/sys/fs/cgroup/lab10-99999/cgroup.procs
	controllers=$(</sys/fs/cgroup/cgroup.subtree_control)
	"${sweep[@]}"
	same "a stranger's file" essay "$(cat /tmp/lab10-2024/essay.txt)" || wrong "see above"
	[ -d /tmp/lab99-31337 ] || wrong "a stranger's empty folder has gone"
	same "who is in a stranger's group" $stranger "$(cat /sys/fs/cgroup/lab10-99999/cgroup.procs)" || wrong "see above"
	[ -d /sys/fs/cgroup/lab42-77777-leaf ] || wrong "a stranger's empty group has gone"
	same "the controllers" "$controllers" "$(</sys/fs/cgroup/cgroup.subtree_control)" || wrong "see above"
	kill $stranger
	wait $stranger || :
	rm -r /tmp/lab10-2024 /tmp/lab99-31337
	rmdir /sys/fs/cgroup/lab10-99999 /sys/fs/cgroup/lab42-77777-leaf

	for program in "${here[@]}"; do
		in_a_pid_namespace "$program" || continue
		"${sweep[@]}"
		[ -d "$group" ] || wrong "$program: the group of a live run in another PID namespace has gone"
		lab_end
		ended_well "$program" "$lab_status" || wrong "$program, swept around: status $lab_status: $(<"$lab_dir/stderr")"
		in_a_pid_namespace "$program" || wrong "$program: made a group once"
		kill -KILL "$lab"
		lab_end 20
		[ -d "$group" ] || wrong "$program, killed: expected it to leave a group"
		"${sweep[@]}"
		[ ! -d "$group" ] || wrong "$program, killed: its group is left in spite of the sweep"
		break
	done
	[ -n "${group-}" ] || wrong "no program was seen to make a group"
	none_wrong
}

# ended_by SIGNAL EXPECTED PROGRAM STEP: as the terminal does it, to the whole foreground group.
# False when the lab has no such step.
ended_by() {
	local step
	brief "$LABS/$3"
	lab_start setsid env --default-signal=INT,QUIT,TERM,HUP "MARK=$mark" "${run[@]}"
	for ((step = 0; step < $4; step++)); do
		if ! lab_go; then
			lab_end
			return 1
		fi
	done
	case $1 in
	q) lab_key q || wrong "$3 step $4: has ended before q" ;;
	*) kill "-$1" -- "-$lab" ;;
	esac
	lab_end 20
	[ "$lab_status" = "$2" ] || wrong "$3 step $4, $1: expected status $2, observed $lab_status"
}

@test "contract: Ctrl-C at each step, SIGTERM and q: 130, and nothing left" {
	for program in "${here[@]}"; do
		before=$(census)
		last=$(steps "$program")
		some_of "$last"
		mapfile -t ways < <(printf 'INT %s\n' "${some[@]}")
		ways+=("TERM ${some[0]}" "q ${some[-1]}") # which step does not matter to these
		some_of ${#ways[@]}
		for way in "${some[@]}"; do
			read -r by step <<<"${ways[way - 1]}"
			ended_by "$by" 130 "$program" "$step" || wrong "$program: no wait in step $step of $last"
		done
		left=$(left_behind "$before")
		[ -z "$left" ] || wrong "$program, ended at steps 1 to $last: left behind: $left"
	done
	none_wrong
}

@test "contract: kill -9 at each step: the runner ends with 137, and nothing is left a second later" {
	for program in "${here[@]}"; do
		before=$(census)
		last=$(steps "$program")
		[ "$last" -ge 1 ] || wrong "$program: has no step"
		some_of "$last"
		for step in "${some[@]}"; do
			brief "$LABS/$program"
			# Once as it is typed; else without its preparations.
			runner=("$ROOT/build/bin/supervise" "$LABS/$program")
			[ "$step" != 2 ] || runner=("$ROOT/scripts/lab" "${program/%-more//more}")
			lab_start env "MARK=$mark" WHERE=host "${runner[@]}" "${run[@]:1}"
			for ((i = 0; i < step; i++)); do
				lab_go || break
			done
			if [ $i -lt "$step" ]; then
				lab_end
				wrong "$program: no wait in step $step of $last"
				continue
			fi
			# What scripts/lab has started before it becomes the runner may be a child still.
			victim=
			for child in $(children_of "$lab"); do
				[ ! "/proc/$child/exe" -ef "$LABS/$program" ] || victim=$child
			done
			if [ -z "$victim" ]; then
				lab_end 20
				wrong "$program: no child of the runner is the lab"
				continue
			fi
			kill -KILL "$victim"
			lab_end 20
			[ "$lab_status" = 137 ] || wrong "$program step $step, killed: expected the runner to end with 137, observed $lab_status"
			# The runner sweeps what older runs have left, so after each.
			left=$(left_behind "$before")
			[ -z "$left" ] || wrong "$program step $step, killed: left behind: $left"
		done
	done
	none_wrong
}

# ---- The tree ----------------------------------------------------------------------------------

@test "contract: every lab has its folder, its tests and its chapter, and no list names one" {
	host_only "the lab VM has no sources"
	for folder in "$ROOT"/labs/*/; do
		id=$(basename "$folder")
		[[ $id =~ ^[0-9]{2}-[a-z0-9]+(-[a-z0-9]+)*$ ]] || wrong "labs/$id: expected NN-kebab"
		[ -f "$folder/main.c" ] || wrong "labs/$id has no main.c"
		[ -x "$LABS/$id" ] || wrong "labs/$id is not built"
		[ ! -f "$folder/more.c" ] || [ -x "$LABS/$id-more" ] || wrong "labs/$id/more.c is not built"
		[ -f "$ROOT/tests/$id.bats" ] || wrong "labs/$id has no tests/$id.bats"
		grep -qE "^## $id( |:|$)" "$ROOT/GUIDE.md" || wrong "GUIDE.md has no chapter ## $id"
		lists=$(cd "$ROOT" && grep -rlF --exclude=scripts.bats -- "$id" Makefile ./*/rules.mk scripts rootfs .ci common tests/helper.bash tests/contract 2>/dev/null || :)
		for list in $lists; do
			# An example in a comment or in a usage text is no list; two labs in one file are.
			others=$(cd "$ROOT" && for other in labs/*/; do grep -lF -- "$(basename "$other")" "$list"; done | wc -l)
			[ "$others" -lt 2 ] && [[ $list != Makefile && $list != *rules.mk ]] || wrong "$list names $id: nothing may list labs"
		done
	done
	for program in "${programs[@]}"; do
		[ -n "$(make -s -C "$ROOT" "sources-$program")" ] || wrong "build/labs/$program has no source any more: make clean"
	done
	for file in "$ROOT"/tests/[0-9]*.bats; do
		id=$(basename "$file" .bats)
		[ -d "$ROOT/labs/$id" ] || wrong "tests/$id.bats is of no lab"
		tags=$(grep -c '^# bats file_tags=measures$' "$file") || :
		same "$id: measures time" "$([[ " $measure_time " = *" $id "* ]] && echo 1 || echo 0)" "$tags" || wrong "see above"
		! grep '^@test' "$file" | grep -v "^@test \"$id: " || wrong "tests/$id.bats: a test's title begins with the lab's id"
	done
	none_wrong
}

@test "contract: the facts of every lab are obtained a second time" {
	# In tests/NN-name.bats "# check: WHAT" tags the assertion. Every check of main.c has one.
	for program in "${here[@]}"; do
		[[ $program != *-more ]] || continue
		file=$ROOT/tests/$program.bats
		if [ ! -f "$file" ]; then
			wrong "$program has no tests/$program.bats"
			continue
		fi
		checks=$(jq -r 'select(.event == "check") | .what' "$(whole "$program")" | sort -u)
		tags=$(sed -n 's/^[[:space:]]*# check: //p' "$file" | sort -u)
		list=$(grep -vxF -e "$checks" <<<"$tags" || :)
		[ -z "$list" ] || wrong "tests/$program.bats tags what is no check of $program: ${list//$'\n'/, }"
		list=$(grep -vxF -e "$tags" <<<"$checks" || :)
		[ -z "$list" ] || wrong "tests/$program.bats has no assertion for: ${list//$'\n'/, }"
		# An assertion is held beside the kernel, not beside the lab's words.
		! grep -nE 'grep.*(story|"?observed"?)|\.observed|\.verdict|select\(.event == "check"' "$file" ||
			wrong "tests/$program.bats reads the lab's own verdicts"
	done
	none_wrong
}
