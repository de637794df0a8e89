#!/usr/bin/env bats
# bats file_tags=apart
# A class is graded: what platforms pack is read, what is hostile is held, and each grade says what it depends on.

load ../helper

setup() {
	host_only "the lab VM has no sources, and lab VMs are booted from here"
	cd "$ROOT" || return
	for tool in mlr parallel bsdtar bwrap yq zip; do type -P $tool >/dev/null || skip "$tool is missing (make setup-class)"; done
	export CLASS=$BATS_TEST_TMPDIR/class OUT=$BATS_TEST_TMPDIR/sample
	run=$CLASS/runs/week1
	mkdir "$CLASS"
}

# rules NAME VALUE...: class.json, with these.
rules() {
	cp "$OUT/class.json" "$CLASS"
	while [ $# -gt 0 ]; do
		jq --arg name "$1" --argjson value "$2" '.[$name] = $value' "$CLASS/class.json" >"$CLASS/new"
		mv "$CLASS/new" "$CLASS/class.json"
		shift 2
	done
}

# collected SUBMISSIONS: reads it into $run, without grading.
collected() {
	mkdir -p "$run"
	EXERCISES_OF_CLASS=03-uts-ns scripts/class/collect "$1" "$OUT/roster.csv" "$run"
}

# whose: a line for each exercise that somebody has handed in: ID, checksum, begun, days late.
whose() {
	jq -rn --slurpfile p "$run/people.json" --slurpfile w "$run/work.json" '$w[0][] | . as $w
		| "\(first($p[0][] | select(.pseudonym == $w.pseudonym) | .id)) \($w.digest[:12]) \($w.begun) \($w.late_days) \($w.seed)"' | sort
}

@test "grade: Moodle's, Canvas' and Gradescope's downloads, folders and archives are read alike" {
	local shape want got
	for shape in folder moodle canvas gradescope; do
		SHAPE=$shape scripts/class/sample
		rules
		TIMES=$OUT/times.csv
		[[ $shape = folder || $shape = canvas ]] || TIMES=''
		TIMES=$TIMES collected "$OUT/submissions"
		got=$(whose)
		[ -n "${want-}" ] || want=$got
		same "$shape" "$want" "$got"
		# Once more as one archive, which is what a platform gives.
		(cd "$OUT/submissions" && zip -qry "$BATS_TEST_TMPDIR/all.zip" .)
		TIMES=$TIMES collected "$BATS_TEST_TMPDIR/all.zip"
		same "$shape, zipped" "$want" "$(whose)"
		rm "$BATS_TEST_TMPDIR/all.zip"
	done
	# Right, begun and late are what sample has made of s01, s04 and s03; s06 has sent a file below another's name.
	same "students" "s01 s02 s03 s04 s05 s06" "$(cut -d ' ' -f 1 <<<"$want" | xargs)"
	same "s01's is the worked example" "$(sha256sum <labs/03-uts-ns/solution.c | cut -c 1-12)" "$(sed -n 's/^s01 \([^ ]*\) .*/\1/p' <<<"$want")"
	same "not begun" s04 "$(awk '$3 == "false" { print $1 }' <<<"$want")"
	same "days late" "s03 2" "$(awk '$4 != 0 { print $1, $4 }' <<<"$want")"
	same "what s06 has sent is s06's" "$(printf 'int main(void) { return 0; }\n' | sha256sum | cut -c 1-12)" "$(sed -n 's/^s06 \([^ ]*\) .*/\1/p' <<<"$want")"
}

@test "grade: the command that class-sample says has all that it has made" {
	local shape said
	for shape in folder moodle; do
		said=$(SHAPE=$shape scripts/class/sample | tail -n 1)
		[[ $said = "make grade-class CLASS=$OUT SUBMISSIONS=$OUT/submissions ROSTER=$OUT/roster.csv EXTENSIONS=$OUT/extensions.csv"*" EXERCISES=03" ]]
		same "$shape: times" "$([ $shape = moodle ] || echo yes)" "$([[ $said != *" TIMES=$OUT/times.csv"* ]] || echo yes)"
	done
	rules
	EXTENSIONS=$OUT/extensions.csv collected "$OUT/submissions"
	same "days late" "s03 2" "$(whose | awk '$4 != 0 { print $1, $4 }' | xargs)"
}

@test "grade: seeds and pseudonyms are an HMAC of student and exercise, by the instructor's key" {
	scripts/class/sample
	rules
	collected "$OUT/submissions"
	local key seed first
	key=$(<"$CLASS/key")
	first=$(whose)
	seed=$(printf 'seed:%s:03-uts-ns' "$(printf s01 | base64)" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" | sed 's/.*= //' | cut -c 1-8)
	same "s01's seed, by openssl" "$((0x$seed % 1000000000))" "$(sed -n 's/^s01 .* //p' <<<"$first")"
	same "mode of the folder and of the key" "700 600" "$(stat -c %a "$CLASS" "$CLASS/key" | xargs)"
	rm "$CLASS/key"
	collected "$OUT/submissions"
	differ "with another key" "$first" "$(whose)"
	same "the others' fields" "$(cut -d ' ' -f 1-4 <<<"$first")" "$(whose | cut -d ' ' -f 1-4)"
}

@test "grade: rules or a key that a full disk has cut are one line, and nothing is graded by them" {
	scripts/class/sample
	rules
	cp "$CLASS/class.json" "$BATS_TEST_TMPDIR/rules"
	local first
	collected "$OUT/submissions"
	first=$(whose)
	for text in '' '{"class": ' '{} {}'; do
		printf %s "$text" >"$CLASS/class.json"
		run -2 collected "$OUT/submissions"
		same "lines for '$text'" 1 "$(wc -l <<<"$output")"
		[[ $output = *"class.json: "* && $output != *"cannot be"* ]] || { echo "$output" && return 1; }
	done
	cp "$BATS_TEST_TMPDIR/rules" "$CLASS/class.json"
	# An editor ends it with a line feed; it is the same key.
	echo >>"$CLASS/key"
	collected "$OUT/submissions"
	same "seeds" "$first" "$(whose)"
	for text in '' hello "$(head -c 63 "$CLASS/key")"; do
		printf %s "$text" >"$CLASS/key"
		run -2 collected "$OUT/submissions"
		[[ $output = *"key: expected 64 hexadecimal digits"* && $(wc -l <<<"$output") = 1 ]] || { echo "$output" && return 1; }
		same "the key" "$text" "$(cat "$CLASS/key")"
	done
}

@test "grade: due dates, grace, extensions and a time factor; times are the platform's" {
	scripts/class/sample
	late() { whose | awk '$4 != 0 { print $1 ":" $4 }' | xargs; }
	export TIMES=$OUT/times.csv
	# From the roster: who, and when by the platform. s03 is 26 hours after the due date.
	rules
	collected "$OUT/submissions"
	same "two days" "s03:2" "$(late)"
	touch -d 2001-01-01 "$OUT"/submissions/*/*.c
	collected "$OUT/submissions"
	same "what a file's own time says" "s03:2" "$(late)"
	rules grace_minutes 1560
	collected "$OUT/submissions"
	same "in the grace" "" "$(late)"
	rules
	printf 'student,due,days,factor\ns03,,1,\n' >"$OUT/e.csv"
	EXTENSIONS=$OUT/e.csv collected "$OUT/submissions"
	same "a day more" "s03:1" "$(late)"
	printf 'Student,due,days,factor\nS03,2026-11-03T12:00,,\n' >"$OUT/e.csv"
	EXTENSIONS=$OUT/e.csv collected "$OUT/submissions"
	same "until then" "" "$(late)"
	# From 10:00 on the first to 10:00 on the second are 24 hours; three times as many are enough.
	printf 'student,due,days,factor\ns03,,,3\n' >"$OUT/e.csv"
	EXTENSIONS=$OUT/e.csv collected "$OUT/submissions"
	same "a factor" "" "$(late)"
	printf 'student,due,days,factor\nnobody,,1,\n' >"$OUT/e.csv"
	EXTENSIONS=$OUT/e.csv run -2 collected "$OUT/submissions"
	[[ $output = *'"nobody": expected a student of'* ]]
	printf 'student,due,days,factor\ns03,perhaps,,\n' >"$OUT/e.csv"
	EXTENSIONS=$OUT/e.csv run -2 collected "$OUT/submissions"
	[[ $output = *"/e.csv: s03: perhaps: expected a date and time"* ]]
	printf 'student,time\ns02,2026-11-02 09:00\ns05,soon\n' >"$OUT/t.csv"
	TIMES=$OUT/t.csv run -2 collected "$OUT/submissions"
	[[ $output = *"/t.csv: s05: soon: expected a date and time"* ]]
}

@test "grade: an extension that would be read otherwise than it was meant is refused" {
	scripts/class/sample
	rules
	local rows words
	while IFS='|' read -r rows words; do
		printf '%b' "$rows" >"$OUT/e.csv"
		EXTENSIONS=$OUT/e.csv run -2 collected "$OUT/submissions"
		[[ $output = *"$words"* ]] || { echo "$rows: $output" && return 1; }
	done <<-'TXT'
		student,days\ns03,0\ns03,5\n|e.csv: "s03": expected one row for each student
		student,days\ns03,0\ns03@example.org,5\n|e.csv: "s03": expected one row for each student
		student,deadline\ns03,2026-11-03T12:00\n|e.csv: expected one of the columns due days factor
		student,due\ns03,2026-11-03\n|2026-11-03: expected a date and time like
		student,due\ns03,friday\n|friday: expected a date and time like
		student,due\ns03,02/11/2026 23:59\n|02/11/2026 23:59: expected a date and time like
		student,factor\ns03,0.5\n|e.csv: s03: days , factor 0.5: expected whole days, and a factor like 1.5
	TXT
	printf 'student,name,factor\r\ns01,A,"1,5"\r\n' >"$OUT/roster.csv"
	run -2 collected "$OUT/submissions"
	[[ $output = *"roster.csv: factor 1,5: expected one like 1.5"* ]] || { echo "$output" && return 1; }
}

@test "grade: hostile archives leave nothing behind, and are read within bounds" {
	local out=$BATS_TEST_TMPDIR/out list before kind
	mkdir -p "$out" "$OUT"
	cd "$OUT"
	printf 'int main;\n' >a.c
	tar -P --transform 's,^,../../../../tmp/unboxed-evil/,' -cf traversal.tar a.c
	tar -P --transform "s,^,$OUT/planted-," -cf absolute.tar a.c
	ln -s "$OUT" ln && tar -cf link.tar ln && tar --transform 's,^,ln/planted-,' -rf link.tar a.c && rm ln
	printf '#mtree\n./x.c type=char device=linux,1,5 mode=0666\n./y.c type=fifo mode=0666\n./z.c type=link link=/etc/passwd\n' | bsdtar -cf device.tar @-
	head -c 300M /dev/zero >big.c && zip -q bomb.zip big.c && rm big.c
	mkdir many && (cd many && seq -f '%g.c' 3000 | xargs touch && zip -qr ../many.zip .) && rm -r many
	printf x >$'new\nline.c' && zip -q newline.zip $'new\nline.c' && rm $'new\nline.c'
	head -c 3000 /dev/urandom >torn.tar.gz
	: >empty.zip
	before=$(find "$OUT" | sort)
	for kind in traversal.tar absolute.tar link.tar device.tar bomb.zip many.zip newline.zip torn.tar.gz empty.zip; do
		list=$(timeout 60 "$ROOT/scripts/class/unpack" "$OUT/$kind" "$out" 16 1000)
		case $kind in
		absolute.tar | newline.zip) same "$kind: sources" 1 "$(grep -c ^source <<<"$list")" ;;
		*) same "$kind: sources" 0 "$(grep -c ^source <<<"$list" || :)" ;;
		esac
		case $kind in
		absolute.tar | newline.zip | empty.zip) ;;
		*) [[ $list = *problem* ]] || { echo "$kind: expected a problem, observed $list" && return 1; } ;;
		esac
		same "$kind: links, pipes and devices that came out" "" "$(find "$out" ! -type f ! -type d)"
		within "$kind: bytes that came out" 0 20000000 "$(du -sb "$out" | cut -f 1)"
		rm -f "$out"/*
	done
	same "what lies beside" "$before" "$(find "$OUT" | sort)"
	[ ! -e /tmp/unboxed-evil ]
	# A folder that somebody has unpacked: neither a link nor a pipe is followed.
	mkdir d && ln -s /etc/passwd d/a.c && mkfifo d/b.c && printf 'int main;\n' >d/c.c
	list=$(timeout 60 "$ROOT/scripts/class/unpack" "$OUT/d" "$out")
	same "of the folder" "problem problem source" "$(cut -f 1 <<<"$list" | sort | xargs)"
}

@test "grade: six are graded, interrupted and resumed; regrade lists who changed; nobody's name is in grades.json" {
	local jobs first
	scripts/class/sample
	rules
	echo 03-uts-ns >"$CLASS/exercises" # as make handout has left it
	export RUN=week1 SUBMISSIONS=$OUT/submissions ROSTER=$OUT/roster.csv TIMES=$OUT/times.csv
	AT_A_TIME=1 scripts/class/grade-class 3>&- &
	for ((tries = 600; tries; tries--)); do
		[ "$(find "$run" -name '*.log' -exec cat {} + 2>/dev/null | wc -l)" -lt 3 ] || break
		sleep 0.2
	done
	kill -TERM $!
	wait $! || :
	jobs=$(wc -l <"$run/batch.1.log")
	[ ! -e "$run/grades.csv" ]
	run -0 timeout 500 scripts/class/grade-class 3>&-
	same "jobs in the log, and the log's head" 8 "$(wc -l <"$run/batch.1.log")"
	same "done once" "" "$(cut -f 1 "$run/batch.1.log" | sort | uniq -d)"
	[ "$jobs" -lt 8 ]
	verdicts() {
		jq -rn --slurpfile p "$run/people.json" --slurpfile g "$run/grades.json" '($p[0] | map({key: .pseudonym, value: .id}) | from_entries) as $id
			| $g[0].students[] | "\($id[.student]),03-uts-ns,\(.exercises[0].verdict)"' | sort
	}
	same "verdicts" "$(tr -d '"' <"$OUT/expected.csv")" "$(verdicts)"
	same "points of s01, s03 and s04" "1 0.5 0" "$(mlr --icsv --onidx -S filter '$SID == "s01" || $SID == "s03" || $SID == "s04"' 'then' cut -f 03-uts-ns "$run/grades.csv" | xargs)"
	# Partial credit, less than all.
	jq -e '[.students[].exercises[0] | select(.verdict == "fail") | .points] | all(. >= 0 and . < 1) and any(. > 0)' "$run/grades.json"
	jq -e '.students[].exercises[] | select(.verdict == "pass") | (.seed | type == "number") and (.kernel | length > 0) and (.commit | length > 0) and (.digest | length == 64)' "$run/grades.json"
	same "names and IDs in the files without names" "" "$(grep -lE 'example\.org|Bold|Jane|\bs0[1-6]\b' "$run/grades.json" "$run/report.html" || :)"
	grep -q 'Jane' "$run/report-names.html"
	# A name is text: for a spreadsheet, and for a browser.
	same "cells that a spreadsheet runs" "" "$(mlr --icsv --ojson -S cat "$run/grades.csv" | jq -r '.[][] | select(test("^[=+@-]"))')"
	same "tags of a name" 0 "$(cat "$run"/*.html "$run"/feedback/*.html | grep -c '<b>Bold' || :)"
	same "feedback, one each" 6 "$(find "$run/feedback" -name 's0*.html' | wc -l)"
	grep -q 'SEED=' "$run/feedback/s01.html"
	# s06's program prints nothing.
	grep -q 'observed no; the program ended with 0)' "$run/grades.csv"
	grep -q 'What it printed: nothing\.' "$run/feedback/s06.html"
	same "folders that others may enter" "" "$(find "$CLASS" -type d ! -perm 700)"
	# The same grades, and then another one.
	first=$(verdicts)
	ONLY="s01" run -0 timeout 300 scripts/class/grade-class --again 3>&-
	[[ $output = *"nobody changed"* && $output = *"the grades before: "* ]] || { echo "$output" && return 1; }
	same "still" "$first" "$(verdicts)"
	# An extension that comes later, for the one or for all, and rules that have changed: regrade needs no submissions for it.
	points() { mlr --icsv --onidx -S filter '$SID == "s03"' 'then' cut -f 03-uts-ns "$run/grades.csv"; }
	printf 'student,due,days,factor\ns03,,1,\n' >"$OUT/e.csv"
	mv "$OUT/submissions" "$OUT/elsewhere"
	ONLY=s03 EXTENSIONS=$OUT/e.csv run -0 env -u SUBMISSIONS -u ROSTER -u TIMES timeout 300 scripts/class/grade-class --again 3>&-
	[[ $output = *"s03 03-uts-ns: pass 0.5 -> pass 0.75: late days 2 -> 1; percent 50 -> 75"* && $output != *"nobody changed"* ]] || { echo "$output" && return 1; }
	same "s03's points" 0.75 "$(points)"
	rules late_percent_per_day 0
	ONLY=s03 run -0 env -u SUBMISSIONS -u ROSTER -u TIMES timeout 300 scripts/class/grade-class --again 3>&-
	[[ $output = *"s03 03-uts-ns: pass 0.75 -> pass 1: percent 75 -> 100"* ]] || { echo "$output" && return 1; }
	mv "$OUT/elsewhere" "$OUT/submissions"
	same "kept" 3 "$(find "$run/old" -name '*.json' | wc -l)"
	# So it is with grade-class, and where nothing changes nothing is kept.
	rules
	run -0 timeout 300 scripts/class/grade-class 3>&-
	grep -q "s03 03-uts-ns: pass 1 -> pass 0.5: late days 1 -> 2; percent 100 -> 50" "$run/changes.txt"
	run -0 timeout 300 scripts/class/grade-class 3>&-
	same "kept" 4 "$(find "$run/old" -name '*.json' | wc -l)"
	printf 'int main(void) { return 0; }\n' >"$OUT/submissions/s01/03-uts-ns.c"
	run -0 timeout 500 scripts/class/grade-class 3>&-
	ONLY="03" run -2 timeout 300 scripts/class/grade-class nonsense
	same "s01 now" "s01,03-uts-ns,fail" "$(verdicts | head -n 1)"
	grep -q "s01 03-uts-ns: pass 1 -> fail .*: another file" "$run/changes.txt"
	same "kept" 5 "$(find "$run/old" -name '*.json' | wc -l)"
}

@test "grade: what the grader cannot judge is broken, which is no zero" {
	scripts/class/sample
	rules
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	# A machine that cannot begin.
	KERNEL=/nowhere RUN=week1 EXERCISES=03 SUBMISSIONS=$OUT/submissions ROSTER=$OUT/roster.csv run -1 timeout 300 scripts/class/grade-class 3>&-
	[[ $output = *"broken: s01 03-uts-ns: "* ]]
	same "points of what was begun" "" "$(jq -r '.students[].exercises[] | select(.verdict == "broken") | .points | select(. != null)' "$run/grades.json")"
	same "broken" 5 "$(jq '[.students[].exercises[] | select(.verdict == "broken")] | length' "$run/grades.json")"
	same "s04, who has not begun" "not begun" "$(jq -r --slurpfile p "$run/people.json" '($p[0][] | select(.id == "s04") | .pseudonym) as $s | .students[] | select(.student == $s) | .exercises[0].verdict' "$run/grades.json")"
	same "the first of the report" "What is broken" "$(grep -o '<h2>[^<]*' "$run/report.html" | head -n 1 | cut -c 5-)"
}

@test "grade: a gradebook whose columns have a dot in their names is read" {
	scripts/class/sample
	rules
	printf 'Student,ID,SIS User ID,Section,Lab 1.2 (77)\n"Doe, Jo",1,s01,S,5\n' >"$OUT/roster.csv"
	collected "$OUT/submissions"
	same "s01" "s01" "$(whose | cut -d ' ' -f 1)"
	same "the columns" "Student ID SIS User ID Section Lab 1.2 (77)" "$(jq -r '.[0] | keys_unsorted | join(" ")' "$run/roster.json")"
}

@test "grade: what a Mac packs beside each file is no attempt and no program" {
	scripts/class/sample
	rules attempts 1
	local at=$OUT/submissions
	rm -r "${at:?}"/*
	mkdir -p "$at/s01/__MACOSX" "$at/s02"
	cp labs/03-uts-ns/solution.c "$at/s01/03-uts-ns.c"
	cp labs/03-uts-ns/solution.c "$at/s02/main.c"
	printf '\0\5\26\7\0\2\0\0Mac OS X' | tee "$at/s01/__MACOSX/._03-uts-ns.c" "$at/s01/._03-uts-ns.c" >"$at/s02/._main.c"
	collected "$at"
	same "what counts" "s01/03-uts-ns.c s02/main.c" "$(jq -r '.[].path' "$run/work.json" | sort | xargs)"
	same "notes" "[] []" "$(jq -c '.look, .twice' "$run/notes.json" | xargs)"
}

@test "grade: who has sent what is not read has not sent nothing, and is listed" {
	scripts/class/sample
	rules
	local at=$OUT/submissions
	rm -r "${at:?}"/*
	mkdir -p "$at"/s0{1,2,3,4}
	cp labs/03-uts-ns/solution.c "$at/s01/03-uts-ns.c.txt"
	head -c 500 /dev/urandom >"$at/s02/work.rar"
	tar -czf "$at/s03/handin.tar.gz" -T /dev/null
	# A text beside the program is nothing to look at.
	cp labs/03-uts-ns/solution.c "$at/s04/03-uts-ns.c" && echo hello | tee "$at/s04/03-uts-ns.txt" >"$at/s04/notes.pdf"
	collected "$at"
	same "who" "s01 s02 s03" "$(jq -r '.look[].id' "$run/notes.json" | sort | xargs)"
	same "the names" "s01/03-uts-ns.c.txt s02/work.rar s03/handin.tar.gz" "$(jq -r '.look[].path' "$run/notes.json" | sort | xargs)"
}

@test "grade: what a group has sent by Gradescope is each one's, and who is not in the roster is listed" {
	SHAPE=gradescope scripts/class/sample
	rules
	local at=$OUT/submissions
	rm -r "${at:?}"/*
	mkdir "$at"/submission_{1,2}
	cp labs/03-uts-ns/solution.c "$at/submission_1/03-uts-ns.c"
	{ cat labs/03-uts-ns/solution.c && echo '// again'; } >"$at/submission_2/03-uts-ns.c"
	# By one's ID and by another's address; s03 then hands in alone.
	printf '%s\n' 'submission_1:' '  :submitters:' '  - :name: A' '    :sid: s01' '  - :email: S02@example.org' '  - :sid: s03' '  - :sid: s99' \
		'  :created_at: 2026-11-02 09:00' 'submission_2:' '  :submitters:' '  - :sid: s03' '  :created_at: 2026-11-03 12:00' >"$at/submission_metadata.yml"
	collected "$at"
	local one two
	one=$(sha256sum <"$at/submission_1/03-uts-ns.c" | cut -c 1-12) two=$(sha256sum <"$at/submission_2/03-uts-ns.c" | cut -c 1-12)
	same "who, what, days late" "s01 $one 0|s02 $one 0|s03 $two 2" "$(whose | cut -d ' ' -f 1,2,4 | paste -sd '|')"
	same "notes" '[{"what":"nobody in the roster","path":"submission_1/03-uts-ns.c"}]' "$(jq -c .look "$run/notes.json")"
	# What an older tree has kept of one who sent it alone is read as it was.
	jq '.metadata |= map_values({time, keys: .submitters[0]})' "$run/files.json" >"$run/new" && mv "$run/new" "$run/files.json"
	collected ''
	same "from an older tree" "s01 $one 0|s03 $two 2" "$(whose | cut -d ' ' -f 1,2,4 | paste -sd '|')"
}

@test "grade: a student's submission_metadata.yml is no word of the platform, and stops nobody" {
	scripts/class/sample
	rules
	local first
	collected "$OUT/submissions"
	first=$(whose)
	printf ':\n\t- {' >"$OUT/submissions/s01/submission_metadata.yml"
	mkdir "$OUT/submissions/s05/submission_7"
	printf 'submission_7:\n  :submitters:\n  - :sid: s03\n' >"$OUT/submissions/s05/submission_metadata.yml"
	collected "$OUT/submissions"
	same "what everybody has" "$first" "$(whose)"
}

@test "grade: a file or folder that the grader may not read is no empty program, and is listed" {
	scripts/class/sample
	rules
	local at=$OUT/submissions
	chmod 000 "$at/s01/03-uts-ns.c" "$at/s02"
	[ "$EUID" != 0 ] || chown nobody "$at/s01/03-uts-ns.c" "$at/s02" # root reads what is its own
	collected "$at"
	chmod 700 "$at/s02"
	same "who has a program" "s03 s04 s05 s06" "$(whose | cut -d ' ' -f 1 | xargs)"
	same "who is listed" "s01 s02" "$(jq -r '.look[].id' "$run/notes.json" | sort | xargs)"
}

@test "grade: an encrypted archive is listed as such, and its noise is no program" {
	scripts/class/sample
	rules
	(cd "$OUT/submissions/s01" && zip -qm -P word work.zip 03-uts-ns.c)
	collected "$OUT/submissions"
	same "who has a program" "s02 s03 s04 s05 s06" "$(whose | cut -d ' ' -f 1 | xargs)"
	same "the note" "s01 s01/work.zip: it is encrypted" "$(jq -r '.look[] | "\(.id) \(.path): \(.what)"' "$run/notes.json")"
}

@test "grade: a download that is torn, or is none, is refused: who is not read would have a zero" {
	scripts/class/sample
	rules
	local kind all=$BATS_TEST_TMPDIR/all
	head -c 3000 /dev/urandom | base64 >"$OUT/submissions/s01/notes.txt"
	(cd "$OUT/submissions" && zip -qr "$all.zip" . && tar -czf "$all.tar.gz" . && zip -qr -P word "$all-encrypted.zip" .)
	head -c 4000 "$all.zip" >"$all-torn.zip"
	head -c 4000 "$all.tar.gz" >"$all-torn.tar.gz"
	cp "$OUT/roster.csv" "$all.csv"
	for kind in -torn.zip -torn.tar.gz -encrypted.zip .csv; do
		run -2 collected "$all$kind"
		[[ $output = *"/all$kind: "*": expected all of it"* && $(wc -l <<<"$output") -le 2 ]] || { echo "$output" && return 1; }
	done
	same "folders that are left" "" "$(find "$run" -mindepth 1 -name 'collect.*')"
	# One entry that cannot be is its student's affair.
	(cd "$OUT/submissions" && cp s05/03-uts-ns.c "$BATS_TEST_TMPDIR/x" && tar -P --transform 's,.*/x$,s05/../../x.c,' -cf "$all.tar" "$BATS_TEST_TMPDIR/x" s01 s02 s03 s04)
	collected "$all.tar"
	same "who has a program" "s01 s02 s03 s04" "$(whose | cut -d ' ' -f 1 | xargs)"
}

@test "grade: who is not in the roster hands in nothing for others" {
	scripts/class/sample
	rules
	local at=$OUT/submissions first
	rm -r "$at/s02"
	collected "$at"
	first=$(whose)
	mkdir -p "$at/zoe/s01" "$at/zoe/s02"
	echo 'int main(void) { return 0; }' | tee "$at/zoe/s01/03-uts-ns-9.c" >"$at/zoe/s02/03-uts-ns.c"
	collected "$at"
	same "what everybody has" "$first" "$(whose)"
	same "the notes" "no student in its name: zoe/s01/03-uts-ns-9.c, zoe/s02/03-uts-ns.c" \
		"$(jq -r '.look | sort_by(.path) | "\(.[0].what): \(map(.path) | join(", "))"' "$run/notes.json")"
	# A folder around all of them names nobody.
	mkdir -p "$BATS_TEST_TMPDIR/around/week1"
	cp -a "$at" "$BATS_TEST_TMPDIR/around/week1"
	collected "$BATS_TEST_TMPDIR/around"
	same "with a folder around it" "$first" "$(whose)"
}

@test "grade: Canvas keeps the letters of every language in a file's name" {
	scripts/class/sample
	rules
	local at=$OUT/submissions
	rm -r "${at:?}"/*
	printf 'Student,ID,SIS User ID,Section\n"Müller, Jan",11,s01,S\n"李, 明",12,s02,S\n' >"$OUT/roster.csv"
	cp labs/03-uts-ns/solution.c "$at/müllerjan_11_91_03-uts-ns.c"
	cp labs/03-uts-ns/solution.c "$at/李明_LATE_12_92_03-uts-ns-2.c"
	collected "$at"
	same "who" "s01 s02" "$(whose | cut -d ' ' -f 1 | xargs)"
}

@test "grade: what stands between two comments of a line is begun; the line ends of Windows are not" {
	scripts/class/sample
	rules
	scripts/learn/cut labs/03-uts-ns/solution.c >"$BATS_TEST_TMPDIR/cut"
	sed '/YOUR TURN/s,$,\n\t/* both */ unshare(CLONE_NEWUTS); /* done */,' "$BATS_TEST_TMPDIR/cut" >"$OUT/submissions/s01/03-uts-ns.c"
	sed 's/$/\r/' "$BATS_TEST_TMPDIR/cut" >"$OUT/submissions/s02/03-uts-ns.c"
	collected "$OUT/submissions"
	same "begun" "s01 true s02 false" "$(whose | awk '$1 == "s01" || $1 == "s02" { print $1, $3 }' | xargs)"
}

@test "grade: many archives in one student's archive are that student's bound, and nobody else's" {
	scripts/class/sample
	rules
	local at=$BATS_TEST_TMPDIR/many
	mkdir "$at"
	(cd "$at" && cp "$ROOT/labs/03-uts-ns/solution.c" x.c && zip -q one x.c && seq -f '%g.zip' 42 | xargs -n 1 cp one.zip && rm one.zip x.c && zip -q "$OUT/submissions/s01/work.zip" ./*.zip)
	collected "$OUT/submissions"
	same "who has too many, how often" "s01 s01" "$(jq -r '.look[] | select(.what | test("too many archives$")) | .id' "$run/notes.json" | xargs)"
	same "who has a program, s06 in an archive" "s01 s02 s03 s04 s05 s06" "$(whose | cut -d ' ' -f 1 | xargs)"
}

@test "grade: a control character in a table, as it is pasted from a document, stops nobody; UTF-16 is one line" {
	scripts/class/sample
	rules
	printf 'student,name,comment\ns01,A \033[31m,one\013two\ns02,B,\n' >"$OUT/roster.csv"
	collected "$OUT/submissions"
	same "students" "s01 A ?[31m s02 B" "$(jq -r '.[] | "\(.id) \(.name)"' "$run/people.json" | xargs)"
	printf 'student,name\ns01,A\n' | iconv -t UTF-16 >"$OUT/roster.csv"
	run -2 collected "$OUT/submissions"
	[[ $output = *"roster.csv: expected UTF-8 ("*"found UTF-16"* && $(wc -l <<<"$output") = 1 ]] || { echo "$output" && return 1; }
}

# only FILE...: these alone are submitted, each the worked example of 03.
only() {
	local file
	rm -rf "${OUT:?}/submissions"
	for file; do
		mkdir -p "$OUT/submissions/$(dirname "$file")"
		{ cat labs/03-uts-ns/solution.c && echo "// $file"; } >"$OUT/submissions/$file"
	done
}
table() { printf '%s\n' "${@:2}" >"$OUT/$1.csv"; }
# refuses WORDS: one line, which has these.
refuses() {
	run -2 collected "$OUT/submissions"
	[[ $output = *"$1"* && $(grep -vc '^class: made ' <<<"$output") = 1 ]] || { echo "expected $1, got $output" && return 1; }
}

@test "grade: a roster that fits nobody is refused, for everybody would have a zero" {
	scripts/class/sample
	rules
	collected "$OUT/submissions"
	# Moodle in German: none of the columns has a name that is known.
	only "Ann B_1011_assignsubmission_file_/03-uts-ns.c"
	table roster 'ID,"Vollständiger Name",E-Mail-Adresse,Status' '"Teilnehmer/in1011","Ann B",ann@example.org,Zur'
	refuses 'nobody in it is in the roster: the first is "Ann B_1011_assignsubmission_file_/03-uts-ns.c", the first of the roster is "Teilnehmer/in1011"'
	# A spreadsheet has made a number of an ID.
	only 007/03-uts-ns.c
	table roster student 7
	refuses 'the first is "007/03-uts-ns.c", the first of the roster is "7"'
	rm -r "$OUT/submissions/007"
	collected "$OUT/submissions"
	same "with nothing handed in" "[]" "$(jq -c . "$run/work.json")"
}

@test "grade: a table by hand: its column student is who it is, whatever columns stand beside it; letters are composed" {
	scripts/class/sample
	rules
	only s01/03-uts-ns.c
	for names in section username "ID number" sid; do
		table roster "student,name,$names" "s01,Ann Bee,A" "s02,Bob,B"
		collected "$OUT/submissions"
		same "with $names" "s01 s02" "$(jq -r '.[].id' "$run/people.json" | xargs)"
		same "with $names: who has something" s01 "$(whose | cut -d ' ' -f 1)"
	done
	# A Mac writes the name of a file in two pieces, u and its dots.
	only $'Ju\xcc\x88rg M/03-uts-ns.c'
	table roster student,name $'x1,J\xc3\xbcrg M'
	collected "$OUT/submissions"
	same "by a name with an umlaut" x1 "$(whose | cut -d ' ' -f 1)"
	table roster LastName,FirstName,ID,"SIS User ID" '    Points Possible,,,' 'Doe,Jane,11,u1' 'Student,Test,12,'
	only doejane_11_91_03-uts-ns.c
	collected "$OUT/submissions"
	same "Canvas, with a name in two columns" "u1 Doe, Jane" "$(jq -r '.[] | "\(.id) \(.name)"' "$run/people.json")"
	same "notes" "[]" "$(jq -c .look "$run/notes.json")"
}

@test "grade: a table that would lose a row, a letter or a column on the way is refused, with the line" {
	scripts/class/sample
	rules
	table roster student,name s01,Ann 's02,"Bob' s03,Cid
	refuses "roster.csv: expected a field with a quote in it to be in quotes, and its own doubled, in line 3"
	table roster student,name 's01,Ann "B" C'
	refuses "in line 2"
	printf 'student,name\ns01,Ann\ns02,J\374rg\n' >"$OUT/roster.csv"
	refuses "roster.csv: expected UTF-8 (spreadsheets call it CSV UTF-8), found another byte in line 3"
	table roster 'student;name' 's01;Ann'
	refuses "expected CSV: commas between the columns, and a line of names first; found student;name"
	table roster 'sep=,' student,name s01,Ann
	refuses "found sep=,"
	table roster student,name 's01,"Ann ""A"" B"' 's02,"two' 'lines"' s03,x
	collected "$OUT/submissions"
	same "with doubled quotes, and a line's end in a field" 's01 s02 s03' "$(jq -r '.[].id' "$run/people.json" | xargs)"
	same "the name" 'Ann "A" B' "$(jq -r '.[0].name' "$run/people.json")"
}

@test "grade: a table of times, extensions or teams is of students of the roster, and mends what the platform says" {
	scripts/class/sample
	rules
	local name
	for name in TIMES EXTENSIONS TEAMS; do
		table t student,time,days,team nobody,2026-11-02T09:00Z,1,a
		declare -x "$name=$OUT/t.csv"
		refuses '"nobody": expected a student of'
		unset "$name"
	done
	table roster Identifier,"ID number" "Participant 1042,2001" "Participant 2001,1042"
	table t student,days 1042,1
	only Ann_1042_assignsubmission_file_/03-uts-ns.c
	EXTENSIONS=$OUT/t.csv refuses '"1042": expected one student of'
	table roster student s01 s02
	only s01/03-uts-ns.c
	table t student,submitted s01,2026-11-02T09:00Z
	TIMES=$OUT/t.csv refuses "expected the columns student and time"
	# A factor stretches the time from "opens", which a class need not have.
	rules opens null
	table t student,factor s01,2
	EXTENSIONS=$OUT/t.csv refuses "class.json: opens: expected a date and time, from which a factor stretches the time to due (s01: factor 2)"
	rules
	for name in '23:59 06/11/2026' 'Fri 06/11/2026 23:59' '2026-11-02 10:30 (UTC+01:00)'; do
		table t student,due "s01,$name"
		EXTENSIONS=$OUT/t.csv refuses "$name: expected a date and time like"
	done
	# What the platform has as two days late was in time.
	table t student,time 's01,2026-11-02 09:00'
	table roster student,time 's01,2026-11-03 12:00'
	collected "$OUT/submissions"
	same "by the platform" "s01 2" "$(whose | awk '{ print $1, $4 }')"
	TIMES=$OUT/t.csv collected "$OUT/submissions"
	same "by the table" "s01 0" "$(whose | awk '{ print $1, $4 }')"
	same "whose zone" "$(date '+%Z (UTC%:z)')" "$(jq -r .zone "$run/notes.json")"
	table t student,time 's01,2026-11-02T09:00+01:00'
	table roster student s01
	TIMES=$OUT/t.csv collected "$OUT/submissions"
	same "with a zone" null "$(jq -r .zone "$run/notes.json")"
}

@test "grade: Canvas: what a team sends is each one's by TEAMS, a name of another is told, and LATE is a day unless it was extended" {
	scripts/class/sample
	rules
	table roster Student,ID,"SIS User ID",Section '"Doe, Jane",11,s11,A' '"Poe, Al",12,s12,A' '"Roe, Cy",13,s13,A'
	only team1_11_91_03-uts-ns.c cyroe_LATE_13_93_03-uts-ns.c
	collected "$OUT/submissions"
	same "who has something" "s11 0 s13 1" "$(whose | awk '{ print $1, $4 }' | xargs)"
	same "what is told" "s11 the name in it is not this student's; if a group has sent it, TEAMS=FILE.csv has to name its members" "$(jq -r '.look[] | "\(.id) \(.what)"' "$run/notes.json")"
	same "late, by how much is not known" '["s13"] ["s11"]' "$(jq -c '.late, .no_time' "$run/notes.json" | xargs -d '\n')"
	# As Canvas exports its groups.
	table teams name,user_id,group_name 'Jane,s11,team 1' 'Al,s12,team 1' 'Cy,s13,'
	TEAMS=$OUT/teams.csv collected "$OUT/submissions"
	same "by TEAMS" "s11 s12 s13" "$(whose | cut -d ' ' -f 1 | xargs)"
	same "one file" 1 "$(whose | grep -E '^s1[12]' | cut -d ' ' -f 2 | sort -u | wc -l)"
	same "what is told" "[]" "$(jq -c .look "$run/notes.json")"
	table extensions student,days s13,3
	EXTENSIONS=$OUT/extensions.csv collected "$OUT/submissions"
	same "with an extension" "s11 0 s13 0" "$(whose | awk '{ print $1, $4 }' | xargs)"
	# A text that was written into the page is something.
	only doejane_11_text.html poeal_12_link.html cyroe_13_93_03-uts-ns.c
	collected "$OUT/submissions"
	same "what is no program" "s11 s12" "$(jq -r '.look[].id' "$run/notes.json" | xargs)"
}

@test "grade: nobody has another's work: by Moodle's number, not by a name; by a whole name, not by its beginning" {
	scripts/class/sample
	rules
	table roster Identifier,"Full name" "Participant 11,Sam Poe" "Participant 14,Al"
	only "Sam Poe_12_assignsubmission_file_/03-uts-ns.c" "Al_14_assignsubmission_file_/03-uts-ns.c"
	collected "$OUT/submissions"
	same "who has something" "participant 14" "$(whose | sed -E 's/ [0-9a-f]{12} .*//' | tr '[:upper:]' '[:lower:]')"
	table roster student ann bo
	only ann_smith/03-uts-ns.c bo_03-uts-ns.c
	collected "$OUT/submissions"
	same "who has something" bo "$(whose | cut -d ' ' -f 1)"
	same "what is told" 'null expected "ann", or that and an exercise, in its name' "$(jq -r '.look[] | "\(.id) \(.what)"' "$run/notes.json")"
	# Archives that are not read are told where an exercise is missing, and where they name nobody.
	only ann/03-uts-ns.c ann/rest.rar bo/03-uts-ns.c nobody/work.rar
	mkdir -p "$run"
	EXERCISES_OF_CLASS=$'03-uts-ns\n01-pid-ns' scripts/class/collect "$OUT/submissions" "$OUT/roster.csv" "$run"
	same "what is told" 'ann neither .c nor an archive that is read|null no student in its name' "$(jq -r '.look[] | "\(.id) \(.what)"' "$run/notes.json" | sort | paste -sd '|')"
	collected "$OUT/submissions"
	same "who has it all" 'null no student in its name' "$(jq -r '.look[] | "\(.id) \(.what)"' "$run/notes.json")"
}

@test "grade: attempts are counted; of several files the last one that may count does" {
	scripts/class/sample
	rules
	local first=$OUT/submissions/s01/03-uts-ns.c counts
	counts() { jq -r --slurpfile p "$run/people.json" '($p[0][] | select(.id == "s01") | .pseudonym) as $s | .[] | select(.pseudonym == $s) | .path' "$run/work.json"; }
	for n in 1 2; do sed "s/^int main/static int n$n;\n&/" "$first" >"$OUT/submissions/s01/03-uts-ns-$n.c"; done
	collected "$OUT/submissions"
	same "any number" "s01/03-uts-ns-2.c" "$(counts)"
	same "who has handed in twice" "s01 2" "$(jq -r '.twice[] | "\(.id) \(.others | length)"' "$run/notes.json")"
	rules attempts 2
	collected "$OUT/submissions"
	same "two" "s01/03-uts-ns-1.c" "$(counts)"
	rules attempts 1
	collected "$OUT/submissions"
	same "one" "s01/03-uts-ns.c" "$(counts)"
}

@test "grade: a name that two students bear is nobody's, and an ID is stronger than a name" {
	scripts/class/sample
	rules
	mkdir "$BATS_TEST_TMPDIR/s"
	printf 'student,name\r\nx1,Sam Poe\r\nx2,Sam Poe\r\nx3,x1\r\n' >"$OUT/roster.csv"
	for who in "Sam Poe" x1 nobody; do mkdir "$BATS_TEST_TMPDIR/s/$who" && cp labs/03-uts-ns/solution.c "$BATS_TEST_TMPDIR/s/$who/03-uts-ns.c"; done
	collected "$BATS_TEST_TMPDIR/s"
	same "who has something" "x1" "$(whose | cut -d ' ' -f 1 | xargs)"
	# It may be of either, and neither has sent nothing.
	same "what is for a person" "x1 more than one student has this name;x2 more than one student has this name;null no student in its name" \
		"$(jq -r '.look[] | "\(.id) \(.what)"' "$run/notes.json" | sort -r | sort -k 1,1 | paste -sd ';' | sed -E 's/(null.*);(x1.*)/\2;\1/')"
	printf 'student,name\r\nx1,A\r\nX1,B\r\n' >"$OUT/roster.csv"
	run -2 collected "$BATS_TEST_TMPDIR/s"
	[[ $output = *'"x1": expected one row for each student'* ]]
}

@test "grade: as Gradescope's autograder: who it is, is the platform's word; what breaks has no score" {
	local at=$BATS_TEST_TMPDIR/autograder results=$BATS_TEST_TMPDIR/autograder/results/results.json
	scripts/class/sample
	rules
	mkdir -p "$at/submission"
	echo 03-uts-ns >"$CLASS/exercises"
	jq -n '[["model", 6, "pass"], ["begun", 3, "fail"]][] | {student: .[0], exercise: "03-uts-ns", commit: "c", kernel: "k", verdict: .[2], checks: [range(.[1]) | {what: "c\(.)", expected: "y", observed: "y", verdict: "pass"}]}' >"$CLASS/models.json"
	cp labs/03-uts-ns/solution.c "$at/submission/03-uts-ns.c"
	run -3 scripts/class/autograde "$at"
	[[ $output = *"submission_metadata.json: expected .users"* ]]
	same "without a score" '["output","stdout_visibility"]' "$(jq -c keys "$results")"
	echo '{"users": [{"sid": "s01", "email": "s01@example.org"}]}' >"$at/submission_metadata.json"
	run -0 timeout 300 scripts/class/autograde "$at" 3>&-
	same "the score" "1 1" "$(jq -r '"\(.score) \(.tests[0].score)"' "$results")"
	same "its seed is that of grade-class" "$(collected "$OUT/submissions" && whose | sed -n 's/^s01 .* //p')" "$(jq -r '.tests[0].extra_data.seed' "$results")"
	# What fails has points where the worked example passes, and no score where that fails too: it is the grader's fault.
	local tree=$BATS_TEST_TMPDIR/tree wrong
	mkdir "$tree"
	cp -a Makefile scripts labs common "$tree"
	ln -s "$ROOT/build" "$tree/build"
	wrong=$(grep -v '^#' tests/learn/wrong/03-uts-ns | cut -f 1 | sed -n 2p)
	sed "$wrong" labs/03-uts-ns/solution.c >"$at/submission/03-uts-ns.c"
	echo c >"$tree/class.commit"
	run -0 timeout 300 "$tree/scripts/class/autograde" "$at" 3>&-
	jq -e '.score < 1' "$results"
	sed -i "$wrong" "$tree/labs/03-uts-ns/solution.c"
	echo '/* another file */' >>"$at/submission/03-uts-ns.c"
	run -0 timeout 300 "$tree/scripts/class/autograde" "$at" 3>&-
	[[ $output = *"broken: 03-uts-ns: the worked example does not pass: "* ]] || { echo "$output" && return 1; }
	same "where the worked example fails" '["output","stdout_visibility"]' "$(jq -c keys "$results")"
	scripts/learn/cut labs/03-uts-ns/solution.c >"$at/submission/03-uts-ns.c"
	run -0 scripts/class/autograde "$at"
	same "not begun" "0 not begun" "$(jq -r '"\(.score) \(.tests[0].output | split("\n")[0])"' "$results")"
	# It reads what grade-class reads. Here the file is as it was handed out, so that nothing has to be graded.
	local sub=$at/submission begun
	begun=$(<"$sub/03-uts-ns.c")
	anew() { rm -r "${sub:?}" && mkdir "$sub"; }
	graded_as() { run -0 scripts/class/autograde "$at" && same "$1" "$2" "$(jq -r '"\(.score) \(.tests[0].output // .output | split("\n")[0])"' "$results")"; }
	echo '{"users": [{"sid": "", "email": "s01@example.org"}]}' >"$at/submission_metadata.json"
	anew && echo "$begun" >"$sub/main.c"
	graded_as "the only program" "0 not begun"
	anew && echo "$begun" >"$sub/03-UTS-NS.c" && (cd "$sub" && zip -qm one.zip 03-UTS-NS.c && zip -qm WORK.ZIP one.zip)
	graded_as "in an archive of an archive" "0 not begun"
	local unread="null What was handed in could not be read, and there is no score yet. Write to your instructor."
	anew && echo "$begun" >"$sub/03-uts-ns.c.txt"
	graded_as "another ending" "$unread"
	anew && head -c 4000 /dev/urandom >"$sub/handin.tar.gz"
	graded_as "a torn archive" "$unread"
	anew && echo "$begun" >"$sub/03-uts-ns.c" && (cd "$sub" && zip -qm -P secret work.zip 03-uts-ns.c)
	graded_as "an encrypted archive" "$unread"
	[[ $output = *"look: work.zip: it is damaged or encrypted"* ]]
	anew
	graded_as "nothing" "0 missing"
}
