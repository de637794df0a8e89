#!/usr/bin/env bats
# claims.md: each row is proved by a check that passes, explained in a section of GUIDE.md, or corrected. And
# GUIDE.md, "What is often said" and "They see" of the plans: each sentence has a check. The tables say what is run; nothing is listed here.

load ../helper
load ../contract/programs

setup() {
	read_programs
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
			if (text ~ /^`([0-9][0-9](\/more[a-z0-9-]*)?|GUIDE): [^`]+`$/) {
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
	# SENTENCE"** WHAT THE KERNEL DOES (`NN: CHECK`, `NN: CHECK`)
	function prove(text, proofs, at, where) {
		claim = text; sub(/"\*\*.*/, "", claim)
		while (match(text, /`[0-9][0-9](\/more[a-z0-9-]*)?: [^`]+`/)) {
			proofs++
			where = substr(text, RSTART + 1, RLENGTH - 2)
			text = substr(text, RSTART + RLENGTH)
			at = index(where, ": ")
			if (substr(where, 1, at - 1) in program) print "check\t" program[substr(where, 1, at - 1)] "\t" substr(where, at + 2)
			else wrong("there is no lab " substr(where, 1, at - 1))
		}
		if (!proofs) wrong("no check shows it")
	}
	BEGIN {
		n = split(labs, name, "\n")
		for (i = 1; i <= n; i++)
			if (name[i] ~ /^[0-9][0-9]-/ && name[i] !~ /\.d$/)
				program[substr(name[i], 1, 2) (match(name[i], /-more(-[a-z0-9-]+)?$/) ? "/" substr(name[i], RSTART + 1) : "")] = name[i]
	}
	/^```/ { block = !block; next }
	block { next }
	FILENAME ~ /GUIDE.md$/ && /^##+ / {
		words = $0; sub(/^#+ /, "", words); heading[words]
		short = words; sub(/: .*/, "", short); heading[short]
		if (/^## /) chapter = short
	}
	FILENAME ~ /GUIDE.md$/ { prose[chapter] = prose[chapter] $0 " " }
	FILENAME ~ /claims.md$/ && /^\|/ { row[++rows] = $0 }
	END {
		for (i = 1; i <= rows; i++) judge(row[i])
		if (!judged) { claim = "claims.md"; wrong("there is no row") }
		n = split(prose["What is often said, and what the kernel does"], sentence, /\*\*"/)
		for (i = 2; i <= n; i++) prove(sentence[i])
		plans = prose["Plans for teaching"]
		gsub(/ +/, " ", plans)
		m = split(plans, sentence, /They see: /)
		for (i = 2; i <= m; i++) {
			sub(/ (- \*\*|### |Say: |If it goes wrong: ).*/, "", sentence[i])
			if (sentence[i] ~ /`[0-9][0-9](\/more[a-z0-9-]*)?: /) prove(sentence[i])
		}
		if (m < 20) wrong("GUIDE.md: expected twenty things or more to be seen in the plans, observed " m - 1)
		if (n < 20) wrong("GUIDE.md: expected twenty sentences or more that are often said, observed " n - 1)
	}'

# read_rows: sets named, the checks, each as PROGRAM TAB CHECK.
read_rows() {
	local judged
	judged=$(awk -v labs="$(ls "$LABS")" "$judge" "$ROOT/GUIDE.md" "$ROOT/tests/guide/claims.md")
	mapfile -t wrong < <(sed -n 's/^wrong\t//p' <<<"$judged")
	mapfile -t named < <(sed -n 's/^check\t//p' <<<"$judged" | sort -u)
}

@test "claims: each row has a check, a section that is there, or a reason for its correction" {
	host_only "the table is the same in the lab VM"
	read_rows
	none_wrong
}

# verdicts FILE: of each check of that run its name and its verdict.
verdicts() {
	jq -Rrn 'reduce (inputs | fromjson? | select(.event == "check")) as $e ({}; .[$e.what] += [$e.verdict])
		| to_entries[] | "\(.key)\t\(if all(.value[]; . == "pass") then "pass"
			elif any(.value[]; . != "pass" and . != "skip") then "fail" else "skip" end)"' "$1"
}

# judged RUN CHECK...: each is one of that run's, and passes. Whose part was skipped, or who was given no time to
# measure, has checks that nobody sees.
judged() {
	local what verdict lacks=''
	local -A seen=()
	while IFS=$'\t' read -r what verdict; do
		seen[$what]=$verdict
		[[ $verdict != skip || $what = "part $part" ]] || lacks=' a part'
	done < <(verdicts "$1")
	for what in "${@:2}"; do
		case ${seen[$what]-missing}$lacks in
		pass*) ;;
		skip* | "missing a part") unseen+=("$program: $what") ;;
		missing) wrong "$program has no check: $what" ;;
		*) wrong "$program: $what: expected pass, observed ${seen[$what]-nothing}" ;;
		esac
	done
}

# in_a_vm OPTION...: that lab's run in a VM of its own; false where there is none to be had.
in_a_vm() {
	local status=0
	WHERE=vm timeout --kill-after=5 300 scripts/lab "$@" --format=jsonl </dev/null >>"$BATS_TEST_TMPDIR/events" \
		2>"$BATS_TEST_TMPDIR/err" 3>&- || status=$?
	[ $status != 77 ]
}

# all_judged yes|no: the checks that are named of this turn's programs; of those with a part that wants a machine
# booted for it alone, or of the others.
all_judged() {
	local program part id named=() checks=() parts=() unseen=()
	read_rows
	none_wrong
	for program in "${programs[@]}"; do
		its_turn "$program" || continue
		mapfile -t checks < <(printf '%s\n' "${named[@]}" | sed -n "s/^$program\t//p")
		[ ${#checks[@]} -gt 0 ] || continue
		IFS=$'\t' read -r id part parts < <("$LABS/$program" --about | jq -r '[.id, ([.parts[] | select(.boot == "alone") | .name] | first // "-"),
			(.parts | length)] | @tsv')
		case $1$part in
		yes- | no[!-]*) ;;
		yes*)
			if in_a_vm "$id" && in_a_vm "$id" "--$part"; then
				judged "$BATS_TEST_TMPDIR/events" "${checks[@]}"
			else
				unseen+=("${checks[@]/#/$program: }")
			fi
			;;
		no-) # Who is held on the host may lack something there for a part.
			if [[ " ${here[*]} " = *" $program "* ]] || { in_vm && [ "$parts" -gt 0 ]; }; then
				judged "$(whole "$program")" "${checks[@]}"
			fi
			;;
		esac
	done
	none_wrong
	part=$(printf '; %s' "${unseen[@]}")
	[ ${#unseen[@]} = 0 ] || skip "not to be seen here: ${part#; }"
}

# bats test_tags=measures
@test "claims: each check that is named there is one of its lab's, and passes" {
	all_judged no
}

@test "claims: and each of a lab with a part that wants a machine booted for it alone" {
	host_only "each of these machines is booted from here"
	all_judged yes
}
