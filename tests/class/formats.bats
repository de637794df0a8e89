#!/usr/bin/env bats
# bats file_tags=apart
# What others read: each format as its specification says, from grades made up here; and what is made of a run.

load ../helper

setup() {
	host_only "the lab VM has no sources"
	cd "$ROOT" || return
	export CLASS=$BATS_TEST_TMPDIR/class RUN=w1
	run=$CLASS/runs/w1
	mkdir -p "$run/sources" "$run/old"
	jq -n '{class: "Kernels & <more>", opens: null, due: null, grace_minutes: 15, late_percent_per_day: 100, attempts: 0, hints: true, worked_examples: false}' >"$CLASS/class.json"
	# Three students: one passes, one fails in what it printed last, and for one the grader is broken.
	jq -n '[{row: 0, id: "ann", name: "=cmd, \"Ann\"", email: "ann@example.org", pseudonym: "aaaaaaaaaaaa", keys: [], due: null},
		{row: 1, id: "bob", name: "Bob <b>", email: "", pseudonym: "bbbbbbbbbbbb", keys: [], due: null},
		{row: 2, id: "cid", name: "Cid", email: "", pseudonym: "cccccccccccc", keys: [], due: null}]' >"$run/people.json"
	digest() { sha256sum <"$1" | cut -d ' ' -f 1; }
	cp labs/03-uts-ns/solution.c "$run/sources/a.c"
	sed 's/strlen(argv\[1\]))/strlen(argv[1]) - 1)/; s/argv\[2\], strlen/  argv[2],  strlen/' labs/03-uts-ns/solution.c >"$run/sources/b.c"
	{ scripts/learn/cut labs/03-uts-ns/solution.c && printf 'static void own(void)\n{\n\tsetuid(0);\n\tchroot("elsewhere");\n\tchdir("/there/it/is");\n}\n'; } >"$run/sources/c.c"
	for one in a b c; do mv "$run/sources/$one.c" "$run/sources/$(digest "$run/sources/$one.c").c"; done
	jq -n --arg a "$(digest labs/03-uts-ns/solution.c)" --arg b "$(for f in "$run"/sources/*; do grep -q -- '- 1)' "$f" && basename "$f" .c; done)" \
		--arg c "$(for f in "$run"/sources/*; do grep -q chroot "$f" && basename "$f" .c; done)" '[["aaaaaaaaaaaa", $a, 7], ["bbbbbbbbbbbb", $b, 8], ["cccccccccccc", $c, 9]]
		| map({pseudonym: .[0], exercise: "03-uts-ns", digest: .[1], path: "x", time: 1800000000, late_days: 0, percent: 100, seed: .[2], begun: true})' >"$run/work.json"
	check() { jq -nc --arg what "$1" --arg verdict "$2" --arg observed "${3-yes}" '{what: $what, expected: "yes", observed: $observed, verdict: $verdict} + if $verdict == "fail" then {why: "Because <it> & that."} else {} end'; }
	jq -n --slurpfile pass <(for n in 1 2 3 4; do check "check $n" pass; done) --slurpfile fail <(check "check 1" pass && check "check 2" pass && check "check 3" fail $'no\001 <x> "&"') --slurpfile begun <(check "check 1" pass && check "check 2" fail no) '
		def result($student; $checks; $verdict): {job: $student, student: $student, exercise: "03-uts-ns", digest: "d", seed: 1, commit: "c0ffee", kernel: "6.1", took_ms: 5, seconds: 1.5, checks: $checks, said: ["<script>"], verdict: $verdict};
		[result("model"; $pass; "pass"), result("begun"; $begun; "fail"), result("aaaaaaaaaaaa"; $pass; "pass"), result("bbbbbbbbbbbb"; $fail; "fail"), result("cccccccccccc"; []; "broken") + {reason: "out of cheese"}][]' >"$BATS_TEST_TMPDIR/all"
	mkdir "$run/results"
	jq -c . "$BATS_TEST_TMPDIR/all" | while IFS= read -r line; do
		who=$(jq -r .student <<<"$line")
		echo "$line" >"$run/results/$who.03.json"
		echo "$who 03-uts-ns $who.03"
	done >"$run/current"
	echo 03-uts-ns >"$run/exercises"
	echo '{"look": [], "twice": [], "no_time": []}' >"$run/notes.json"
	jq '[.[] | {Student: .name, ID: .id}]' "$run/people.json" >"$run/roster.json"
}

conclude() {
	run -1 scripts/class/conclude "$run" # cid's is broken
}

@test "formats: points are the share of the checks beyond those that hold at first; broken is none and comes first" {
	conclude
	[[ ${lines[0]} = "broken: cid 03-uts-ns: out of cheese" ]]
	same "points" "1 0.33 null" "$(jq -r '.students | map(.points) | map(tostring) | join(" ")' "$run/grades.json")"
	same "the gradebook" '"'\''=cmd, ""Ann""","ann",1,1' "$(sed -n 2p "$run/grades.csv" | cut -d , -f 1-5)"
	same "cid's cells" ',,' "$(sed -n 4p "$run/grades.csv" | sed -E 's/^"Cid","cid"(,,).*/\1/')"
	same "a tag of theirs" "" "$(grep -ho '<script>\|<b>' "$run"/feedback/* "$run"/report*.html || :)"
	grep -q 'no fault of yours' "$run/feedback/cid.html"
	grep -q 'Because &lt;it&gt; &amp; that' "$run/feedback/bob.html"
	# Every page is whole, and its tables have heads.
	for page in "$run"/feedback/*.html "$run"/report*.html; do
		xmllint --html --noout "$page" 2>&1 | grep -v 'Tag main invalid\|<main>\|^ *\^$' | grep -q error && { echo "$page" && return 1; }
		grep -q '<html lang="en">' "$page"
		same "$page: headings of level 1" 1 "$(grep -o '<h1>' "$page" | wc -l)"
	done
}

@test "formats: gradescope, classroom50 and junit, by what their documents ask for" {
	conclude
	local at=$run/formats
	run -0 env FORMAT=gradescope scripts/class/format
	jq -e '(.score | type == "number") and (.visibility | IN("hidden", "after_due_date", "after_published", "visible")) and (.stdout_visibility | IN("hidden", "after_due_date", "after_published", "visible"))
		and (.tests | all((.score, .max_score | type == "number") and (.name, .number, .output | type == "string") and .score <= .max_score))
		and ((keys - ["score", "execution_time", "output", "visibility", "stdout_visibility", "extra_data", "tests", "leaderboard"]) == [])
		and ([.tests[] | keys[]] - ["score", "max_score", "name", "number", "output", "tags", "visibility", "extra_data"] == [])' "$at/gradescope/bob.json"
	same "a broken one has words only" '["output","stdout_visibility"]' "$(jq -c keys "$at/gradescope/cid.json")"
	run -1 env FORMAT=classroom50 OWNER=octocat COMMIT_URL=https://example.org/c scripts/class/format
	[[ $output = *"cid: "*"broken: 03-uts-ns"* && ! -e $at/classroom50/cid.json ]]
	jq -e '.schema == "classroom50/result/v1" and .owner == "octocat" and .commit == "https://example.org/c" and (.score, ."max-score" | type == "number" and . == floor)
		and (.classroom, .assignment, .assignment_type, .submission, .release, .review | type == "string") and (.datetime, .graded_at | fromdate > 0)
		and .score == ([.tests[].score] | add) and (.tests | all((."test-name" | type == "string") and (.passed | type == "boolean") and (.score == (.score | floor))))' "$at/classroom50/bob.json"
	run -0 env FORMAT=junit scripts/class/format
	same "well formed" "" "$(xmllint --noout "$at"/junit/*.xml 2>&1)"
	count() { xmllint --xpath "count($1)" "$at/junit/$2.xml"; }
	same "ann: cases, failures, errors" "4 0 0" "$(count //testcase ann) $(count //failure ann) $(count //error ann)"
	same "bob" "3 1 0" "$(count //testcase bob) $(count //failure bob) $(count //error bob)"
	same "cid" "1 0 1" "$(count //testcase cid) $(count //failure cid) $(count //error cid)"
	same "bob's failure" "the sum of its suite" "$([ "$(xmllint --xpath 'string(//testsuite/@tests)' "$at/junit/bob.xml")" = 3 ] && echo the sum of its suite)"
	run -2 env FORMAT=nonsense scripts/class/format
	[[ $output = *"FORMAT=nonsense: expected one of: classroom50 gradescope junit"* ]]
	run -2 env FORMAT=junit RUN=../../etc scripts/class/format
}

@test "formats: a fifth format is one more file" {
	conclude
	mkdir "$BATS_TEST_TMPDIR/tree"
	cp -a scripts labs common "$BATS_TEST_TMPDIR/tree"
	echo '{gradable: (.points != null), score: (if .points then .points / .possible else 0 end), tests: [.exercises[] | {name: .exercise, points, max_points: .possible}]}' \
		>"$BATS_TEST_TMPDIR/tree/scripts/class/formats/prairielearn.jq"
	run -0 env FORMAT=prairielearn "$BATS_TEST_TMPDIR/tree/scripts/class/format"
	same "cid's" "false" "$(jq .gradable "$run/formats/prairielearn/cid.json")"
}

@test "formats: questions for Moodle: one right answer each, and what GIFT reads is escaped" {
	mkdir "$BATS_TEST_TMPDIR/tree"
	cp -a scripts labs "$BATS_TEST_TMPDIR/tree"
	mkdir "$BATS_TEST_TMPDIR/tree/build"
	cp -a build/labs "$BATS_TEST_TMPDIR/tree/build"
	run -0 "$BATS_TEST_TMPDIR/tree/scripts/class/questions"
	local file=$BATS_TEST_TMPDIR/tree/build/questions.gift
	same "questions" "$(for lab in build/labs/[0-9]*; do [[ $lab = *.* ]] || "$lab" --about; done | jq -s '[.[].questions[]] | length')" "$(grep -c '^::' "$file")"
	same "right answers" "$(grep -c '^::' "$file")" "$(grep -c $'^\t=' "$file")"
	# Between the marks of the format no mark stands bare.
	same "bare marks" "" "$(sed -E '/^\$CATEGORY/d; /^\}$/d; s/^::([^:\\]|\\.)*::(\[plain\])?//; s/ \{$//; s/^\t[=~]//; s/\\[\\~=#{}:]//g; s/#//' "$file" | grep '[~=#{}]' || :)"
}

@test "formats: viva asks about a student's own lines; likeness leaves out the handout; forget leaves no name" {
	local given line
	type -P sim_c >/dev/null || skip "sim_c is missing (make setup-class)"
	conclude
	scripts/class/viva
	same "questions" "3 3 3" "$(awk '/^[a-z]/ { n++ } /^  [1-3]\. / { count[n]++ } END { print count[1], count[2], count[3] }' "$run/viva.txt")"
	given=$(scripts/learn/cut labs/03-uts-ns/solution.c)
	while IFS= read -r line; do
		! grep -qF -- "$line" <<<"$given" || { echo "the handout has '$line'" && return 1; }
	done < <(sed -nE 's/^  [12]\. [^,]*, line [0-9]+: //p' "$run/viva.txt")
	run -0 scripts/class/likeness
	[[ $output = *"ann and bob"* || $output = *"bob and ann"* ]] || { echo "$output" && return 1; }
	[[ $output = *"like the worked example: "*ann* ]]
	# What both have only from the handout is no likeness.
	[[ $output != *cid* ]] || { echo "$output" && return 1; }
	run -0 scripts/class/forget
	same "files that are left" "grades.json report.html" "$(find "$run" -type f -printf '%f\n' | sort | xargs)"
	same "who is named there" "" "$(grep -oiE 'ann|bob|cid|aaaaaaaaaaaa|cmd|example\.org' "$run"/* || :)"
	same "points that are left" "0.33 1 null" "$(jq -r '.students | map(.points | tostring) | sort | join(" ")' "$run/grades.json")"
	echo key >"$CLASS/key"
	env -u RUN ALL=yes scripts/class/forget
	[ ! -e "$CLASS/key" ] && [ ! -e "$CLASS/runs" ]
}
