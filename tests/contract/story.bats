#!/usr/bin/env bats
# bats file_tags=programs
# What every lab prints: the story, its JSON lines, the questions, and the commands to paste.

load ../helper
load programs

setup() {
	read_programs
}

# ---- Both formats ------------------------------------------------------------------------------

# bats test_tags=measures
@test "story: a story ends with 0, and its JSON lines are whole, counted and unique" {
	for program in "${here[@]}"; do
		its_turn "$program" || continue
		json=$(events "$program")
		result=$(<"$json.status")
		[ "$result" = 0 ] || wrong "$program: expected status 0, observed $result; $(<"$json.err")"
		jq -es --arg id "${program/-more//more}" '
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

@test "story: a story is plain where it is no terminal's, ASCII with --plain, coloured on demand" {
	escape=$'\033'
	for program in "${here[@]}"; do
		plain=$(story "$program")
		ended_well "$program" "$(<"$plain.status")" || wrong "$program --plain: status $(<"$plain.status"): $(tail -n 1 "$plain")"
		[ "$(wc -l <"$plain")" -ge 10 ] || wrong "$program: a story of $(wc -l <"$plain") lines"
		left=$(tr -d '\n -~' <"$plain" | wc -c)
		[ "$left" = 0 ] || wrong "$program --plain: $left bytes that are not ASCII's printable ones"
		[ "$(wc -l <"$plain.err")" = 1 ] || wrong "$program: expected the where-line alone on stderr, observed $(<"$plain.err")"
		[[ $program == *-more* ]] || [ "$(tail -n 1 "$plain" | cut -d: -f1)" = "$program" ] ||
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
		echo; echo "@@@ $v $p"; env STEP=0 "$v" $p 2>/dev/null; v=$?; echo; echo "@@status $v"; done; done'
	TERM=xterm PATH="$LABS:$PATH" timeout --kill-after=5 300 script -qec \
		"stty cols 60 rows 24; $1 sh -c '$script'" /dev/null </dev/null 3>&- 2>&1 |
		tr -d '\r' | awk -v out="$out" '/^@@@ / { file = out "." $3 "." $2; next } file { print >file }'
}

@test "story: on a terminal of 60 columns no line is longer, NO_COLOR and TERM=dumb are honoured" {
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

# ---- Predictions -------------------------------------------------------------------------------

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
@test "story: each lab asks two or three times; the right answer is what the kernel did, each wrong one has its own reason" {
	command -v script >/dev/null || skip "on the host only: there is no script(1) here to make a terminal"
	asking() {
		for program; do [[ $program = *-more* ]] || ! its_turn "$program" || echo "$program"; done
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

# A reason is read after "You said: ...": it has a word of the choice in it, and refers to nothing by "that".
@test "story: each choice but the right one has a reason, which speaks of that choice by name" {
	host_only "the programs are the same in both places"
	for program in "${programs[@]}"; do
		nameless=$("$LABS/$program" --about | jq -r '
			def small: ["the", "and", "for", "with", "that", "this", "its", "from", "not", "but", "are", "has", "have",
				"was", "all", "any", "now", "there", "one", "only", "it", "as", "in", "of", "to", "is", "an", "by", "on",
				"a", "no", "or", "can", "at"];
			def words: ascii_downcase | [scan("[a-z0-9_./-]+") | sub("[.-]+$"; "")] - small | map(sub("(ing|ed|es|s)$"; ""));
			.questions[] | .name as $question
			| if ([.choices[] | select(.misconception == "")] | length) != 1
				then "\($question): expected a reason for each choice but one" else empty end,
			(.choices[] | select(.misconception != "")
				| (.text | words) as $said | (.misconception | words) as $reason
				| select(($said - $reason) == $said or (.misconception | test("^(That|This|It)\\b")))
				| "\($question), \(.text): the reason does not name it: \(.misconception)")')
		[ -z "$nameless" ] || wrong "$program: $nameless"
	done
	none_wrong
}

# ---- What the story offers to paste ------------------------------------------------------------

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

@test "story: what --step says to look at works, as root and as an ordinary user" {
	for program in "${here[@]}"; do
		as=()
		brief "$LABS/$program"
		look_at_all "${run[@]}"
		[[ $program == *-more* || $seen != 0 ]] || wrong "$program --step: nothing to look at in any step"
		[ "$EUID" = 0 ] || continue
		ordinary_user "$program" || continue
		brief "${run[0]}"
		look_at_all "${as[@]}" "${run[@]}"
	done
	none_wrong
}

@test "story: each \"Try now\" can be pasted where the lab ran" {
	for program in "${here[@]}"; do
		mapfile -t commands < <(sed -n '/^Try now:$/,/^[^ T]/s/^  //p' "$(story "$program")")
		[ ${#commands[@]} -ge 1 ] || wrong "$program: no command under \"Try now\""
		[[ $program == *-more* || ${#commands[@]} = 3 ]] ||
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
