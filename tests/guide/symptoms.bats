#!/usr/bin/env bats
# bats file_tags=apart
# GUIDE.md, "Symptom index": the words of each entry are those that somebody sees, and its cause is the cause.
# tests/guide/symptoms.tsv has for each entry a command that prints them, and one that does the same without the cause.

load ../helper

setup() {
	host_only "the lab VM has no guide"
	cd "$ROOT" || return
	mapfile -t rows < <(grep -v '^#' tests/guide/symptoms.tsv)
}

# index: the entries of GUIDE.md, a line each.
index() {
	awk '/^## / { here = $0 == "## Symptom index" } !here { next }
		/^- `/ { if (entry) print entry; entry = $0; next }
		entry && NF { sub(/^ +/, ""); entry = entry " " $0 }
		END { if (entry) print entry }' GUIDE.md
}

@test "symptoms: each entry of the index has its row, and each names chapters that are there" {
	local entry number
	# shellcheck disable=SC2016 # these are no commands
	same "the words" "$(printf '%s\n' "${rows[@]}" | cut -f 1 | sort)" "$(index | sed 's/^- `\([^`]*\)`.*/\1/' | sort)"
	within "entries" 30 100 "$(index | wc -l)"
	same "the last section of the guide" "## Symptom index" "$(grep '^## ' GUIDE.md | tail -n 1)"
	while IFS= read -r entry; do
		[[ $entry =~ \ [0-9][0-9](,\ [0-9][0-9])*$ || $entry == *')' ]] || { echo "no chapter: $entry" && return 1; }
		for number in $(grep -oE '( [0-9][0-9],?)+$' <<<"$entry" | tr -d ,); do
			grep -q "^## $number-" GUIDE.md || { echo "there is no chapter $number: $entry" && return 1; }
		done
	done < <(index)
}

@test "symptoms: in the lab VM each is seen as it stands there, and is not seen without its cause" {
	local number words command without said folder=$BATS_TEST_TMPDIR/symptoms wrong=0 tried=0
	mkdir "$folder"
	for number in "${!rows[@]}"; do
		IFS=$'\t' read -r words command without <<<"${rows[number]}"
		[[ $command != "- "* ]] || continue
		printf '%s\n' "$command" >"$folder/$number.with"
		[ -z "$without" ] || printf '%s\n' "$without" >"$folder/$number.without"
	done
	cat >"$folder/run" <<-'SH'
		for file in "$1"/*.with "$1"/*.without; do
			echo "@ ${file##*/}"
			mkdir /tmp/symptom && cd /tmp/symptom
			timeout 60 bash "$file" </dev/null 2>&1
			echo "@status $?"
			cd / && rm -rf /tmp/symptom
			[ ! -e /sys/fs/cgroup/demo ] || echo "@left /sys/fs/cgroup/demo"
		done
	SH
	timeout 500 scripts/vm --memory 768M --block --carry "$folder" bash "$folder/run" "$folder" </dev/null 2>"$folder/errors" | tr -d '\r' >"$folder/said"
	for number in "${!rows[@]}"; do
		IFS=$'\t' read -r words command without <<<"${rows[number]}"
		[ -e "$folder/$number.with" ] || continue
		tried=$((tried + 1))
		said=$(sed -n "/^@ $number.with\$/,/^@ /p" "$folder/said")
		# shellcheck disable=SC2053 # a pattern: ... is any name
		[[ $said == *${words//.../*}* ]] || { echo "expected: $words; observed: $said" && wrong=1; }
		[ -e "$folder/$number.without" ] || continue
		said=$(sed -n "/^@ $number.without\$/,/^@ /p" "$folder/said")
		# shellcheck disable=SC2053
		[[ $said == *"@status 0"* && $said != *${words//.../*}* ]] || { echo "expected status 0 without the cause of: $words; observed: $said" && wrong=1; }
	done
	same "groups left" "" "$(grep '^@left' "$folder/said" || :)"
	within "tried" 30 100 $tried
	[ $wrong = 0 ]
}
