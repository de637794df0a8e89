#!/usr/bin/env bats
# bats file_tags=apart
# GUIDE.md: what it shows is what runs.

load ../helper
load ../contract/programs

# bats test_tags=measures
@test "guide: every console block prints in the lab VM what stands there" {
	host_only "it boots a lab VM of its own"
	run scripts/check/transcripts --check
	[ "$status" = 0 ] || {
		echo "$output"
		return 1
	}
}

# What is not run here says so, shows nothing that nobody has seen, and stays the exception.
@test "guide: what runs elsewhere says so in the line above, and shows no output" {
	host_only "the lab VM has no guide"
	run awk '
		function wrong(why) { print NR ": " why }
		/^```/ && block { block = ""; next }
		block { if (elsewhere && !/^\$ /) wrong("output that nobody has seen: " $0); next }
		/^```/ {
			block = $0
			elsewhere = /^```console elsewhere=/
			if (!/^```(console( elsewhere=(docker|kubectl|systemd|libcgroup))?|sh|text)$/) wrong("a block of another kind: " $0)
			if (!elsewhere) next
			total++
			if (last !~ /Not run here/) wrong("the paragraph above does not say that it is not run here")
			if (++count[section] > 1) wrong("a second one in " section)
			next
		}
		/^##+ / { section = $0 }
		/^$/ { last = paragraph; paragraph = ""; next }
		{ paragraph = paragraph " " $0 }
		END { if (total < 4) wrong("expected four or more, observed " total + 0) }' "$ROOT/GUIDE.md"
	same "what is wrong" "" "$output"
}

# anchor HEADING: as the sites that show Markdown make it.
anchor() {
	tr 'A-Z ' 'a-z-' <<<"$1" | sed 's/[^a-z0-9_-]//g'
}

@test "guide: its contents name every chapter, in their order" {
	host_only "the lab VM has no guide"
	local heading expected=
	while IFS= read -r heading; do
		[ "$heading" = Contents ] || expected+="- [$heading](#$(anchor "$heading"))"$'\n'
	done < <(sed -n 's/^## //p' "$ROOT/GUIDE.md")
	same "contents" "${expected%$'\n'}" "$(sed -n '/^## Contents/,/^## Before/{/^- /p}' "$ROOT/GUIDE.md")"
}

@test "guide: no row of a table is wider than 80 columns" {
	host_only "the lab VM has no guide"
	command -v lowdown >/dev/null || skip "there is no lowdown here: make setup"
	run scripts/guide
	# A table is as wide as the line below its head.
	within "tables" 5 1000 "$(grep -cE '^-+[|]' <<<"$output")"
	same "wider" "" "$(grep -E '^-+[|]' <<<"$output" | awk 'length($0) > 80')"
}

# plans: MINUTES TAB MINUTE TAB COMMAND of each row, and what stands in backquotes behind "They see", with tabs.
plans() {
	awk '
		function row_ends(   words) {
			if (command == "") return
			gsub(/ +/, " ", sees)
			while (match(sees, /`[^`]+`/)) {
				words = words "\t" substr(sees, RSTART + 1, RLENGTH - 2)
				sees = substr(sees, RSTART + RLENGTH)
			}
			print minutes "\t" minute "\t" command words
			command = sees = ""
			told = 0
		}
		/^## / { row_ends(); plans = /^## Plans for teaching/ } !plans { next }
		/^### [0-9]+ minutes/ { row_ends(); minutes = $2 }
		/^- \*\*[0-9]+ min\*\* `/ { row_ends(); minute = $2; sub(/^\*\*/, "", minute)
			command = $0; sub(/^[^`]*`/, "", command); sub(/`$/, "", command) }
		/^  [A-Z][a-z ]+: / { told = /^  They see: / }
		told { sees = sees " " $0 }
		END { row_ends() }' "$ROOT/GUIDE.md"
}

# What a lab tells when make lab-NN is typed stands in its chapter, so that the other test has run it. A check behind
# "They see" is judged with those of claims.md; other words in backquotes have to be in what the command prints.
# bats test_tags=measures
@test "guide: the commands of the plans for teaching work, and show what is said to be seen" {
	host_only "the lab VM has no guide"
	local minutes='' before last='' minute command words word place list=$BATS_TEST_TMPDIR/list program lab
	local -A typed=()
	while IFS=$'\t' read -r length minute command words; do
		[ "$length" = "$last" ] || before=-1 minutes+=" $length"
		[ "$minute" -gt "$before" ] && [ "$minute" -lt "$length" ] || {
			echo "$length minutes: $command at minute $minute, after $before" && return 1
		}
		before=$minute last=$length
		[ -n "$words" ] || { echo "$length minutes: $command: nothing in backquotes behind They see" && return 1; }
		lab=$(sed -E 's/.*lab[ -]([0-9]{2}(\/more[a-z-]*)?).*/\1/' <<<"$command")
		program=$(basename "labs/${lab%%/*}"-*)
		mapfile -t words < <(tr '\t' '\n' <<<"$words" | grep -vE "^$lab: ")
		for word in "${words[@]}"; do
			[[ ! $word =~ ^[0-9][0-9](/more[a-z-]*)?:\  ]] || { echo "$command: $word is a check of another lab" && return 1; }
		done
		its_turn "$program" || continue
		place=vm
		# shellcheck disable=SC2153 # it is the helper's
		[ "$("$LABS/$program" --about | jq -r .place)" != host ] || place=host
		if [[ $place = vm && $command =~ ^make\ lab-([0-9]+)$ ]]; then
			grep -qxF "\$ scripts/lab ${BASH_REMATCH[1]}" GUIDE.md || { echo "$command: no transcript" && return 1; }
			awk -v id="$program:" '/^## / { mine = $2 == id } /^```/ { block = !block } mine && block' GUIDE.md >"$list.chapter"
			for word in "${words[@]}"; do
				grep -qF -- "$word" "$list.chapter" || { echo "$command: nobody sees $word" && return 1; }
			done
		elif [ -z "${typed[$command]-}" ]; then
			(IFS=$'\t' && printf '%s\t%s\t%s\n' "$place" "$command" "${words[*]}" >>"$list")
		fi
		typed[$command]=yes
	done < <(plans)
	same "plans" " 45 90 180" "$minutes"
	[ ${#typed[@]} -gt 0 ]
	while IFS=$'\t' read -r place command words; do
		[ "$place" = vm ] || timeout --kill-after=5 300 bash -c "$command" </dev/null >/dev/null 2>&1 3>&- ||
			{ echo "$command: status $?" && return 1; }
	done <"$list"
	grep -q '^vm' "$list" || return 0
	# One boot for the others.
	{
		echo 'cd /lab'
		while IFS=$'\t' read -r place command words; do
			[ "$place" = vm ] || continue
			printf '{ %s; } </dev/null >/tmp/said 2>&1 || { echo "%s: status $?"; tail -n 3 /tmp/said; }\n' "$command" "${command//[\"\$\`]/}"
			[ -z "$words" ] || tr '\t' '\n' <<<"$words" | while IFS= read -r word; do
				printf 'grep -qF -- %q /tmp/said || echo "nobody sees %s after %s"\n' "$word" "$word" "${command//[\"\$\`]/}"
			done
		done <"$list"
		echo 'echo all typed'
	} >"$BATS_TEST_TMPDIR/commands"
	run timeout --kill-after=5 900 "$ROOT/scripts/vm" --cpus 2 --block bash -s <"$BATS_TEST_TMPDIR/commands"
	same "what went wrong" "all typed" "${output//$'\r'/}"
}

# What the lab or the runner never says cannot go wrong.
@test "guide: what can go wrong in a lecture is what the programs can say" {
	host_only "the lab VM has no guide"
	local text wrong=() said=0
	while IFS= read -r text; do
		said=$((said + 1))
		grep -rqF --include='*.[ch]' -- "$text" labs common || grep -qF -- "$text" scripts/lab scripts/vm || wrong+=("$text")
	done < <(awk '/^## / { plans = /^## Plans for teaching/ } plans' GUIDE.md | tr '\n' ' ' | sed 's/\*\*[^*]*\*\*//g' | grep -oE '\*[^*]+\*:' | sed 's/^\*//; s/\*:$//' | sort -u)
	same "what nothing says" "" "${wrong[*]}"
	within "sayings" 3 20 $said
}

setup() {
	read_programs
	cd "$ROOT" || return
}

# lacks: what is missing in the guide, a line a thing, with its chapter and part. What has an exercise is
# known by its solution, what is a lab by its folder; nothing is listed.
lacks() {
	local labs exercises
	labs=$(cd labs && echo [0-9][0-9]-*)
	exercises=$(cd labs && printf '%s ' */solution.c)
	LABS=$labs EXERCISES=${exercises//\/solution.c/} awk '
		function wrong(what) { print (id ? id : "the glossary") ": " what }
		function item_ends() {
			if (item == "") return
			items++
			if (item !~ /^[0-9]+\. \*[^* ][^*]*\?\* +[^ *].*\.$/ || item + 0 != items)
				wrong("Three questions: expected *A question?* and its answer, got " substr(item, 1, 60))
			item = ""
		}
		function chapter_ends(   i) {
			item_ends()
			if (id == "") return
			for (i = 1; i <= parts; i++)
				if (!index(text, "**" part[i])) wrong("no part **" part[i])
			if (index(" " ENVIRON["EXERCISES"], " " id " ") && !index(text, "**The exercise")) wrong("no part **The exercise")
			if (!console) wrong("no console block")
			if (items != 3) wrong("Three questions: expected 3, got " items)
			if (!index(" " ENVIRON["LABS"] " ", " " id " ")) wrong("a chapter without a lab")
			if (id in seen) wrong("a second chapter of this name")
			seen[id]
		}
		BEGIN {
			parts = split("The idea;Predict;Run it;By hand;In Docker;In Kubernetes;What goes wrong in practice;Three questions;Man pages", part, ";")
		}
		/^```/ { block = !block; if (block && $0 == "```console") console = 1; next }
		block { next }
		/^## / {
			chapter_ends()
			id = $2 ~ /^[0-9][0-9]-/ ? $2 : ""
			sub(/:$/, "", id)
			text = ""; items = console = asks = 0
		}
		/^###? / { glossary = $2 == "Glossary" }
		glossary && /^- \*\*/ { rows++ }
		{ text = text " " $0 } # a bold word may go over the end of a line
		/^\*\*/ { item_ends(); asks = /^\*\*Three questions\.\*\*$/; next }
		asks && /^[0-9]+\. / { item_ends(); item = $0; next }
		asks && NF { sub(/^ +/, ""); item = item " " $0 }
		END {
			chapter_ends()
			id = ""
			if (rows < 1 || rows > 40) wrong("expected 1 to 40 words, got " rows + 0)
			labs = split(ENVIRON["LABS"], lab, " ")
			for (i = 1; i <= labs; i++)
				if (!(lab[i] in seen)) { id = lab[i]; wrong("a lab without a chapter") }
		}' GUIDE.md
}

@test "guide: each chapter has all its parts" {
	host_only "the labs' folders are here"
	run lacks
	[ "$status" = 0 ] && [ -z "$output" ] || {
		echo "$output"
		return 1
	}
}
