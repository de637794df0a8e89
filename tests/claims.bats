#!/usr/bin/env bats
# GUIDE.md, "Claims": each row is proved by a check that passes, explained in a
# section that is there, or corrected. The table says what is run, here nothing is listed.

load helper

# What is wrong, in all rows, before a test gives up.
wrong=()
wrong() {
	wrong+=("$*")
}
none_wrong() {
	[ ${#wrong[@]} = 0 ] && return
	printf '%s\n' "${wrong[@]}"
	return 1
}

setup() {
	host_only "the lab VM has no guide"
	events=$BATS_TEST_TMPDIR/events err=$BATS_TEST_TMPDIR/err
}

# Reads the guide without its blocks, in which a line may begin with # too, and judges each row of
# the table. Prints "wrong TAB WHY", or "check TAB PROGRAM TAB CHECK" for each that is named.
# A section is a heading, whole or up to its colon, or bold words of the row's chapter.
judge='
	function wrong(why) { print "wrong\t" claim ": " why }
	function trim(text) { gsub(/^ +| +$/, "", text); return text }
	function judge(line, cell, part, n, i, text, at, proofs, corrected) {
		n = split(line, cell, "|")
		claim = trim(cell[2]); chapter = trim(cell[4])
		if (claim == "claim" || claim ~ /^---/) return
		judged++
		if (n != 5 || claim == "") wrong("expected three columns, and a claim in the first: " line)
		if (chapter == "" || !(chapter in prose)) wrong("the guide has no chapter " chapter)
		n = split(trim(cell[3]), part, "; ")
		for (i = 1; i <= n; i++) {
			text = part[i]
			if (text ~ /^`([0-9][0-9](\/more)?|GUIDE): [^`]+`$/) {
				proofs++
				at = index(text, ": ")
				where = substr(text, 2, at - 2)
				text = substr(text, at + 2, length(text) - at - 2)
				if (where != "GUIDE" && where in program) print "check\t" program[where] "\t" text
				else if (where != "GUIDE") wrong("there is no lab " where)
				else if (!(text in heading) && !index(prose[chapter], "**" text "**") && !index(prose[chapter], "**" text ".**"))
					wrong("neither a heading nor bold words of " chapter ": " text)
			} else if (i == 1 && text ~ /^corrected because ./) corrected = 1
			else if (!corrected || proofs || text ~ /^`[^`]*`$/) # else the reason goes on
				wrong("expected a check, a section or a reason, got: " text)
		}
		if (!proofs && !corrected) wrong("neither proved nor explained nor corrected")
	}
	BEGIN {
		n = split(labs, name, "\n")
		for (i = 1; i <= n; i++)
			if (name[i] ~ /^[0-9][0-9]-/ && name[i] !~ /\.d$/)
				program[substr(name[i], 1, 2) (name[i] ~ /-more$/ ? "/more" : "")] = name[i]
	}
	/^```/ { block = !block; next }
	block { next }
	/^##+ / {
		words = $0; sub(/^#+ /, "", words); heading[words]
		short = words; sub(/: .*/, "", short); heading[short]
		if (/^## /) chapter = short
	}
	{ prose[chapter] = prose[chapter] $0 " " }
	chapter == "Claims" && /^\|/ { row[++rows] = $0 }
	END {
		for (i = 1; i <= rows; i++) judge(row[i])
		if (!judged) { claim = "GUIDE.md"; wrong("there is no row below ## Claims") }
	}'

# read_rows: sets named, the checks, each as PROGRAM TAB CHECK.
read_rows() {
	local judged
	judged=$(awk -v labs="$(ls "$LABS")" "$judge" "$ROOT/GUIDE.md")
	mapfile -t wrong < <(sed -n 's/^wrong\t//p' <<<"$judged")
	mapfile -t named < <(sed -n 's/^check\t//p' <<<"$judged" | sort -u)
}

@test "claims: each row has a check, a section that is there, or a reason for its correction" {
	read_rows
	none_wrong
}

# Who cannot run there, or lacks something for a part, has checks that nobody sees.
cannot='{"event":"check","what":"part","verdict":"skip"}'

# In the lab VM, one after the other. Who measures time, and was given none to measure, does it once more.
all_of_them='for run; do
	program=${run%% *}
	for try in 1 2; do
		echo "{\"program\":\"$program\"}"
		timeout 240 build/labs/$run --format=jsonl </dev/null >/tmp/events 2>/dev/null
		[ $? != 77 ] || echo "$0"
		cat /tmp/events
		grep -qE "\"verdict\":\"(fail|skip)\"" /tmp/events || break
		case $("build/labs/$program" --about) in *\"exclusive\":\"cpu\"*) ;; *) break ;; esac
	done
done'

# run_all PROGRAM...: what they say goes to $events, after a line that names the program.
run_all() {
	local program about part there=()
	for program; do
		about=$("$LABS/$program" --about)
		if [ "$(jq -r .place <<<"$about")" != host ]; then
			there+=("$program $(jq -r '.quick | join(" ")' <<<"$about")")
		else
			echo "{\"program\":\"$program\"}"
			timeout --kill-after=5 300 "$LABS/$program" --format=jsonl </dev/null 2>"$err" 3>&- || [ $? != 77 ] || echo "$cannot"
		fi
	done >"$events"
	timeout --kill-after=5 1500 "$ROOT/scripts/vm" --memory 768M --cpus 2 /lab/scripts/guest swap block -- \
		sh -c "cd /lab; $all_of_them; :" "$cannot" "${there[@]}" >>"$events" 2>"$err" </dev/null 3>&- || {
		echo "the lab VM: status $?: $(<"$err")"
		return 1
	}
	# A part that wants a machine for itself has one.
	for program; do
		about=$("$LABS/$program" --about)
		for part in $(jq -r '.parts[] | select(.boot == "alone") | .name' <<<"$about"); do
			echo "{\"program\":\"$program\"}"
			timeout --kill-after=5 300 "$ROOT/scripts/lab" "$(jq -r .id <<<"$about")" "--$part" --format=jsonl \
				</dev/null 2>"$err" 3>&- || [ $? != 77 ] || echo "$cannot"
		done
	done >>"$events"
}

# Of each check its program, its name and its verdict: pass, when all of that name have passed in one run.
verdicts() {
	jq -Rrn 'reduce (inputs | fromjson?) as $e ({run: 0, seen: {}};
			if $e.program then .run += 1 | .program = $e.program
			elif $e.event == "check" then .seen["\(.program)\t\($e.what)"]["\(.run)"] += [$e.verdict]
			else . end)
		| .seen | to_entries[]
		| "\(.key)\t\(if any(.value[]; all(. == "pass")) then "pass"
			elif any(.value[][]; . == "fail" or . == "broken") then "fail" else "skip" end)"' "$events"
}

@test "claims: each check that is named there is one of its lab's, and passes" {
	local program what verdict check missing unseen=() programs=()
	local -A seen=() skipped=()
	if ! "$ROOT/scripts/kernel" --path >/dev/null 2>&1 || ! command -v "qemu-system-$(uname -m)" >/dev/null; then
		skip "the lab VM is not set up here"
	fi
	read_rows
	none_wrong
	mapfile -t programs < <(printf '%s\n' "${named[@]}" | cut -f 1 | uniq)
	run_all "${programs[@]}"
	while IFS=$'\t' read -r program what verdict; do
		check="$program: $what"
		seen[$check]=$verdict
		[[ $verdict != skip || $what != part* ]] || skipped[$program]=yes
	done < <(verdicts)
	while IFS=$'\t' read -r program what; do
		check="$program: $what"
		case ${seen[$check]-missing}${skipped[$program]:+ a part} in
		pass*) ;;
		skip* | "missing a part") unseen+=("$check") ;;
		missing) wrong "$program has no check: $what" ;;
		*) wrong "$check: expected pass, observed ${seen[$check]}" ;;
		esac
	done < <(printf '%s\n' "${named[@]}")
	none_wrong
	missing=$(printf '; %s' "${unseen[@]}")
	[ ${#unseen[@]} = 0 ] || skip "not to be seen on this machine: ${missing#; }"
}
