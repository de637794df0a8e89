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
	{ scripts/learn/cut labs/03-uts-ns/solution.c && printf 'static void own(void)\n{\n\tif (0)\n\t\treturn;\n\tsetuid(0);\n\tchroot("elsewhere");\n\tchdir("/there/it/is");\n}\n'; } >"$run/sources/c.c"
	for one in a b c; do mv "$run/sources/$one.c" "$run/sources/$(digest "$run/sources/$one.c").c"; done
	jq -n --arg a "$(digest labs/03-uts-ns/solution.c)" --arg b "$(for f in "$run"/sources/*; do grep -q -- '- 1)' "$f" && basename "$f" .c; done)" \
		--arg c "$(for f in "$run"/sources/*; do grep -q chroot "$f" && basename "$f" .c; done)" '[["aaaaaaaaaaaa", $a, 7], ["bbbbbbbbbbbb", $b, 8], ["cccccccccccc", $c, 9]]
		| map({pseudonym: .[0], exercise: "03-uts-ns", digest: .[1], path: "\(.[0])/x.c", time: 1800000000, late_days: 0, percent: 100, seed: .[2], begun: true})' >"$run/work.json"
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
	same "two marks at an end" "" "$(grep -ho '\.[;.,]' "$run"/feedback/* || :)"
	grep -q 'no fault of yours' "$run/feedback/cid.html"
	grep -q 'Because &lt;it&gt; &amp; that' "$run/feedback/bob.html"
	# Every page is whole, and its tables have heads.
	for page in "$run"/feedback/*.html "$run"/report*.html; do
		xmllint --html --noout "$page" 2>&1 | grep -v 'Tag main invalid\|<main>\|^ *\^$' | grep -q error && { echo "$page" && return 1; }
		grep -q '<html lang="en">' "$page"
		same "$page: headings of level 1" 1 "$(grep -o '<h1>' "$page" | wc -l)"
	done
}

@test "formats: a grading worksheet with a decimal comma gets grades with one" {
	jq '[.[] | {Identifier: .ID, Grade: "", "Maximum Grade": "7,50", "Feedback comments": ""}]' "$run/roster.json" >"$run/new"
	mv "$run/new" "$run/roster.json"
	conclude
	same "Grade and Maximum Grade" '"7,5","7,50"|"2,48","7,50"|,"7,50"' "$(tail -n +2 "$run/grades.csv" | sed -E 's/^"[a-z]*",(.*,"7,50"),.*/\1/' | paste -sd '|')"
}

@test "formats: what names nobody has no grade, while somebody has handed in nothing" {
	jq 'map(select(.pseudonym != "cccccccccccc"))' "$run/work.json" >"$run/new" && mv "$run/new" "$run/work.json"
	jq '.look = [{what: "no student in its name", path: "x.c"}] | .late = ["ann"] | .zone = "UTC (UTC+00:00)"' "$run/notes.json" >"$run/new" && mv "$run/new" "$run/notes.json"
	conclude
	same "the notes" "of nobody: x.c: no student in its name|late by the platform, of unknown time, taken as one day: ann; TIMES=FILE.csv says when|times without a zone are taken as UTC (UTC+00:00), the zone of this machine; for another one put TZ=Europe/Berlin in front of make" \
		"$(paste -sd '|' "$run/notes.txt")"
	# Where there is no such file, nothing handed in is a grade.
	jq '.look = []' "$run/notes.json" >"$run/new" && mv "$run/new" "$run/notes.json"
	run -0 scripts/class/conclude "$run"
}

@test "formats: who changed says why: the grader with its changes, the rules, an exercise" {
	conclude
	same "kept" "" "$(find "$run/old" -type f)"
	local hash=0123456789abcdef0123456789abcdef01234567
	sed -i "s/\"c0ffee\"/\"$hash with changes 00112233aabb\"/; s/\"fail\"/\"pass\"/g" "$run/results/bbbbbbbbbbbb.03.json"
	jq --arg hash $hash '(.students[] | select(.student == "bbbbbbbbbbbb") | .exercises[0].commit) = $hash | .exercises += [{exercise: "01-pid-ns"}]' "$run/grades.json" >"$run/new"
	mv "$run/new" "$run/grades.json"
	conclude
	same "why" "01-pid-ns: it counted before, and does not count now|bob 03-uts-ns: fail 0.33 -> pass 1: another grader, ${hash:0:12} -> ${hash:0:12} with changes 00112233aabb" \
		"$(head -n 2 "$run/changes.txt" | sed 's/; was: .*//' | paste -sd '|')"
	same "kept" 1 "$(find "$run/old" -type f | wc -l)"
}

@test "formats: what could not be read has no grade, comes right after what is broken, and is no error of the grader" {
	jq 'map(select(.pseudonym != "aaaaaaaaaaaa"))' "$run/work.json" >"$run/new" && mv "$run/new" "$run/work.json"
	echo '{"look": [{"id": "bob", "path": "bob/x.c", "what": "of no exercise of this class"}, {"id": "ann", "path": "ann/work.zip", "what": "it is encrypted"}], "twice": [], "no_time": []}' >"$run/notes.json"
	conclude
	same "the notes" "broken: cid 03-uts-ns: out of cheese|unreadable: ann 03-uts-ns: ann/work.zip: it is encrypted|look: bob/x.c: of no exercise of this class" "$(paste -sd '|' "$run/notes.txt")"
	same "ann's cells" '"ann",,,' "$(sed -n 2p "$run/grades.csv" | grep -o '"ann",,,')"
	same "the report" "What is broken|What could not be read" "$(grep -o '<h2[^<]*' "$run/report-names.html" | sed 's/.*>//' | head -n 2 | paste -sd '|')"
	grep -q 'ann/work.zip: it is encrypted' "$run/report-names.html"
	run ! grep -q 'ann' "$run/report.html"
	for format in gradescope junit classroom50; do FORMAT=$format run scripts/class/format; done
	[[ $output = *"ann: unreadable: 03-uts-ns"* && ! -e $run/formats/classroom50/ann.json ]]
	jq -e '(has("score") | not) and (.output | test("could not be read"))' "$run/formats/gradescope/ann.json"
	same "an error" 1 "$(xmllint --xpath 'count(//error)' "$run/formats/junit/ann.xml")"
	# No note of another stands where one is graded again.
	ONLY_IDS='["bob"]' run -1 scripts/class/conclude "$run" --again
	[[ $output != *ann* && $output = *"look: bob/x.c"* ]] || { echo "$output" && return 1; }
}

@test "formats: a page says what counts, when it came and what is next; a narrow screen and a screen reader have all of it" {
	# ann has not begun, bob has two files and does not compile, dan has sent nothing.
	jq '.[0].begun = false' "$run/work.json" >"$run/new" && mv "$run/new" "$run/work.json"
	jq '. + [{row: 3, id: "dan", name: "Aaron", email: "", pseudonym: "dddddddddddd", keys: [], due: null}]' "$run/people.json" >"$run/new" && mv "$run/new" "$run/people.json"
	echo '{"look": [], "twice": [{"id": "bob", "exercise": "03-uts-ns", "counts": "bbbbbbbbbbbb/x.c", "others": ["old/y.c"]}], "no_time": []}' >"$run/notes.json"
	jq '.kernel = "" | .checks = [] | .said = [] | .reason = "it does not compile: x"' "$run/results/bbbbbbbbbbbb.03.json" >"$run/new" && mv "$run/new" "$run/results/bbbbbbbbbbbb.03.json"
	conclude
	local at=$run/feedback
	grep -q "What counts: bbbbbbbbbbbb/x.c; not old/y.c. Handed in: $(date -d @1800000000 '+%F %H:%M')" "$at/bob.html"
	grep -q 'Graded by the commit c0ffee\.<' "$at/bob.html"
	grep -q '<title>Kernels &amp; &lt;more&gt;: w1: 03-uts-ns</title>' "$at/bob.html"
	grep -q 'as it was handed out, so .* Type make exercise-03' "$at/ann.html"
	grep -q 'Nothing was handed in. Type make exercise-03, .* make handin' "$at/dan.html"
	same "one point" "" "$(grep -ho 'of 1 points' "$at"/*.html "$run"/report*.html || :)"
	# Each cell says its column where the heads are not seen; a bar is for the eye alone.
	for page in "$at/cid.html" "$run"/report*.html; do
		same "$page: cells without a column" "" "$(grep -o '<td[^>]*>' "$page" | grep -v 'role="cell".* data-head="[^"]' || :)"
	done
	same "bars of signs" "" "$(grep -o '##' "$run/report.html" || :)"
	grep -q '<span>1</span><i aria-hidden="true" style="width:[0-9]*%">' "$run/report.html"
	same "by name" "Aaron (dan)|Bob &lt;b&gt; (bob)|Cid (cid)|=cmd, &quot;Ann&quot; (ann)" \
		"$(sed 's/.*<h2>Grades//' "$run/report-names.html" | grep -o 'scope="row">[^<]*' | cut -d '>' -f 2 | paste -sd '|')"
}

@test "formats: gradescope, by docs/specs.md of gradescope/autograder_samples" {
	conclude
	local at=$run/formats
	run -0 env FORMAT=gradescope scripts/class/format
	same "files" 3 "$(find "$at/gradescope" -type f | wc -l)"
	# A score stands on top or with each test; a number of a test is a text; five fields have words of their own.
	for file in "$at"/gradescope/{ann,bob}.json; do
		jq -e 'def shown: IN("hidden", "after_due_date", "after_published", "visible");
			(.score | type == "number") and (.execution_time | type == "number") and (.output | type == "string") and (.visibility | shown) and (.stdout_visibility | shown)
			and (keys - ["score", "execution_time", "output", "visibility", "stdout_visibility", "extra_data", "tests", "leaderboard"] == [])
			and (.tests | length > 0 and all((.score, .max_score | type == "number") and .score >= 0 and .score <= .max_score and (.name, .number, .output | type == "string")
				and (.visibility | shown) and (.extra_data | type == "object") and (keys - ["score", "max_score", "name", "number", "output", "tags", "visibility", "extra_data"] == [])))
			and ((.score - ([.tests[].score] | add)) * 1000 | fabs < 1)' "$file"
	done
	same "a broken one has words only" '["output","stdout_visibility"]' "$(jq -c keys "$at/gradescope/cid.json")"
	run -2 env FORMAT=nonsense scripts/class/format
	[[ $output = *"FORMAT=nonsense: expected one of: classroom50 gradescope junit"* ]]
	run -2 env FORMAT=junit RUN=../../etc scripts/class/format
}

@test "formats: classroom50, by the result.json contract of its wiki and what its collector refuses" {
	conclude
	local at=$run/formats who
	# The runner's words, some of them empty; and no runner at all.
	for who in octocat ''; do
		run -1 env FORMAT=classroom50 OWNER="$who" COMMIT_URL="${who:+https://example.org/c}" REVIEW_URL='' SUBMISSION_TAG="${who:+submit/2026-06-01T14-32-05Z-a1b2c3d}" scripts/class/format
		[[ $output = *"cid: "*"broken: 03-uts-ns"* && ! -e $at/classroom50/cid.json ]]
		for file in "$at"/classroom50/{ann,bob}.json; do
			jq -e --arg owner "${who:-$(basename "$file" .json)}" 'def whole: type == "number" and . == floor and . >= 0;
				.schema == "classroom50/result/v1" and .owner == $owner and (.assignment_type | IN("individual", "group"))
				and ([.classroom, .assignment, .submission, .commit, .release, .review, .datetime] | all(type == "string" and . != "")) and (.submission | startswith("submit/"))
				and (.datetime, .graded_at | fromdate > 0) and (.score | whole) and (."max-score" | whole) and .score <= ."max-score"
				and .score == ([.tests[].score] | add) and ."max-score" == ([.tests[]."max-score"] | add)
				and (.tests | length > 0 and all((."test-name" | type == "string" and . != "") and (.passed | type == "boolean") and (.score | whole) and (."max-score" | whole) and .score <= ."max-score"))' "$file"
		done
	done
	same "the hand-in's moment, not the grading's" "$(date -u -d @1800000000 +%FT%TZ)" "$(jq -r .datetime "$at/classroom50/bob.json")"
}

@test "formats: junit, by the schema of Jenkins' xunit plugin; its counts are those of its cases" {
	conclude
	local at=$run/formats verdict file
	run -0 env FORMAT=junit scripts/class/format
	# And what these three students do not have.
	for verdict in pass fail "not begun" missing unreadable broken; do
		jq --arg verdict "$verdict" '.students[0] | .exercises |= map(.verdict = $verdict | if $verdict != "pass" and $verdict != "fail" then del(.checks) else . end)' "$run/grades.json" |
			jq -r --arg run w1 -f scripts/class/formats/junit.jq >"$at/junit/as $verdict.xml"
	done
	for file in "$at"/junit/*.xml; do
		run -0 xmllint --noout --relaxng tests/class/junit.rng "$file"
		same "$file: suites whose counts differ from their cases" 0 "$(xmllint --xpath 'count(//testsuite[@tests != count(testcase) or @failures != count(*/failure) or @errors != count(*/error) or @skipped != count(*/skipped)])' "$file")"
	done
	count() { xmllint --xpath "count($1)" "$at/junit/$2.xml"; }
	same "ann: cases, failures, errors" "4 0 0" "$(count //testcase ann) $(count //failure ann) $(count //error ann)"
	same "bob" "3 1 0" "$(count //testcase bob) $(count //failure bob) $(count //error bob)"
	same "cid" "1 0 1" "$(count //testcase cid) $(count //failure cid) $(count //error cid)"
	# The control: the schema refuses what it is there for.
	sed 's/ failures="[0-9]*"//' "$at/junit/bob.xml" >"$BATS_TEST_TMPDIR/wrong.xml"
	run ! xmllint --noout --relaxng tests/class/junit.rng "$BATS_TEST_TMPDIR/wrong.xml"
}

@test "formats: an ID with a backslash, as a domain gives it, is the same ID in what others read" {
	jq '.[0].id = "UNI\\ann"' "$run/people.json" >"$run/new" && mv "$run/new" "$run/people.json"
	# And of one line of its own there are two questions.
	{ scripts/learn/cut labs/03-uts-ns/solution.c && echo 'setuid(0);'; } >"$run/sources/one.c"
	jq --arg digest one '.[1].digest = $digest' "$run/work.json" >"$run/new" && mv "$run/new" "$run/work.json"
	ONLY=bob run -0 scripts/class/viva
	same "numbers" "1. 2." "$(grep -o '^  [1-3]\.' <<<"$output" | xargs)"
	conclude
	FORMAT=classroom50 run -1 scripts/class/format
	same "owners" '["UNI\\ann","bob"]' "$(cat "$run"/formats/classroom50/*.json | jq -cs 'map(.owner) | sort')"
	ONLY='UNI\ann' run -0 scripts/class/viva
	same "who is asked" 'UNI\ann' "${lines[0]}"
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
	cp "$run/viva.txt" "$BATS_TEST_TMPDIR/viva.txt"
	ONLY=bob run -0 scripts/class/viva
	same "for one, who is asked and how often" "bob 3" "${lines[0]} $(grep -c '^  [1-3]\. ' <<<"$output")"
	same "what was written for all" "" "$(diff "$BATS_TEST_TMPDIR/viva.txt" "$run/viva.txt")"
	same "questions about no call" "" "$(grep -E 'does (|if|return)\(\)|: if \(0\)' "$run/viva.txt" || :)"
	given=$(scripts/learn/cut labs/03-uts-ns/solution.c)
	while IFS= read -r line; do
		! grep -qF -- "$line" <<<"$given" || { echo "the handout has '$line'" && return 1; }
	done < <(sed -nE 's/^  [12]\. [^,]*, line [0-9]+: //p' "$run/viva.txt")
	run -0 scripts/class/likeness
	[[ $output = *"ann and bob"* || $output = *"bob and ann"* ]] || { echo "$output" && return 1; }
	[[ $output = *"like the worked example: "*ann* ]]
	# Who has one and the same file is one line.
	local work
	work=$(<"$run/work.json")
	jq '.[0] as $a | . + [range(3) | $a + {pseudonym: "same\(.)", path: "same\(.)/x.c"}] + [$a + {pseudonym: "eve"}]' <<<"$work" >"$run/work.json"
	jq '. + [range(3) | {row: (3 + .), id: "dan\(.)", name: "D", email: "", pseudonym: "same\(.)", keys: [], due: null}] + [{row: 6, id: "eve", name: "E", email: "", pseudonym: "eve", keys: [], due: null}]' "$run/people.json" >"$run/new" && mv "$run/new" "$run/people.json"
	run -0 scripts/class/likeness
	# A group has sent one, and is one.
	[[ $output = *"  the same file, byte for byte: ann+eve, dan0, dan1, dan2"* && $output = *"ann+eve (and 3 with the same file) and bob"* && $output != *"dan0 and"* ]] || { echo "$output" && return 1; }
	# What both have only from the handout is no likeness.
	[[ $output != *cid* ]] || { echo "$output" && return 1; }
	run -0 scripts/class/forget
	run -2 env FORMAT=gradescope scripts/class/format
	[[ $output = *"expected a run whose students are known"* && ${#lines[@]} = 1 ]] || { echo "$output" && return 1; }
	same "files that are left" "grades.json report.html" "$(find "$run" -type f -printf '%f\n' | sort | xargs)"
	same "who is named there" "" "$(grep -oiE 'ann|bob|cid|aaaaaaaaaaaa|cmd|example\.org' "$run"/* || :)"
	same "points that are left" "0.33 1 null" "$(jq -r '.students | map(.points | tostring) | sort | join(" ")' "$run/grades.json")"
	echo key >"$CLASS/key"
	env -u RUN ALL=yes scripts/class/forget
	[ ! -e "$CLASS/key" ] && [ ! -e "$CLASS/runs" ]
}
