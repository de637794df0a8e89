#!/usr/bin/env bats
# bats file_tags=apart
# A class is graded on other machines by ssh: these are network namespaces with an SSH server each (tests/class/hosts).

load ../helper

setup() {
	host_only "the lab VM has no sources, and lab VMs are booted from here"
	cd "$ROOT" || return
	for tool in mlr parallel bsdtar bwrap yq zip; do type -P $tool >/dev/null || skip "$tool is missing (make setup-class)"; done
	export CLASS=$BATS_TEST_TMPDIR/class OUT=$BATS_TEST_TMPDIR/sample HOME=$BATS_TEST_TMPDIR/home
	hosts=$BATS_TEST_TMPDIR/hosts run=$CLASS/runs/week1
	local status=0 why
	why=$(tests/class/hosts "$BATS_TEST_TMPDIR/try" true 2>&1 3>&-) || status=$?
	[ $status != 77 ] || skip "$why"
	same "two machines" 0 "$status" || { echo "$why" && return 1; }
	mkdir "$CLASS" "$HOME"
	scripts/class/sample
	cp "$OUT/class.json" "$CLASS"
	export RUN=week1 EXERCISES=03 AT_A_TIME=1 SUBMISSIONS=$OUT/submissions ROSTER=$OUT/roster.csv TIMES=$OUT/times.csv
	export run
}

# grades FOLDER: all that does not tell how long something took or when it was.
grades() {
	jq -S '.students | map(.exercises |= map(del(.took_ms, .seconds)))' "$1/runs/week1/grades.json"
}

# kept: what the hosts have, but for what they had at first and what tests/class/hosts has written down.
kept() {
	find "$hosts"/host?/{root,tmp,var/tmp} -mindepth 1 \( -path '*/root/unboxed' -o -path '*/root/.ssh' -o -path '*/root/seen' \) -prune -o -mindepth 1 -print |
		grep -vE '/root/(key|log|login)$|/tmp/unboxed-0$' || :
}

@test "hosts: two machines, killed at two moments and resumed: the same grades; they see pseudonyms and keep nothing" {
	run -0 timeout 300 scripts/class/grade-class 3>&-
	local there=$BATS_TEST_TMPDIR/there
	mkdir "$there"
	cp "$CLASS"/{key,class.json} "$there"
	# shellcheck disable=SC2016 # it runs beside the hosts
	run -0 env CLASS="$there" run="$there/runs/week1" timeout 500 tests/class/hosts "$hosts" bash -c '
		work() { ps -eo args | grep -cE "class/[j]ob .*job$" || :; }
		begin() { # begins, and waits until one more job is done and others are at work
			local before
			before=$(cat "$run"/batch.*.log 2>/dev/null | grep -c "job$")
			scripts/class/grade-class &
			grader=$!
			until [ "$(cat "$run"/batch.*.log 2>/dev/null | grep -c "job$")" -gt "$before" ] && [ "$(work)" -gt 0 ]; do sleep 0.1; done
		}
		begin
		kill -TERM $grader
		wait $grader
		echo "interrupted: $?"
		for ((tries = 50; tries; tries--)); do [ "$(work)" != 0 ] || break; sleep 0.1; done
		find "$0"/host?/{root/.parallel,tmp/unboxed-[gj]*} 2>/dev/null | sed "s/^/left: /"
		begin
		kill -KILL $grader $(pgrep -P $grader)
		wait $grader
		echo "killed: $?"
		scripts/class/grade-class
		for ((tries = 300; tries; tries--)); do [ "$(work)" != 0 ] || break; sleep 0.1; done' "$hosts" 3>&-
	[[ $output = *"interrupted: 130"*"killed: 137"* && $output != *left:* ]] || { echo "$output" && return 1; }
	same "where they were graded" "host1 host2" "$(cut -f 2 "$there"/runs/week1/batch.*.log | grep -v ^Host | sort -u | xargs)"
	same "grades" "$(grades "$CLASS")" "$(grades "$there")"
	same "students" 6 "$(grades "$there" | jq length)"
	# Each host has seen programs, and of whom only a pseudonym.
	local n seen
	for n in 1 2; do
		seen=$hosts/host$n/root/seen
		find "$seen/files" -name '*.job' -exec cat {} + | jq -c 'del(.source)' >"$seen/words"
		[ -s "$seen/words" ]
		same "host$n: what a job says" '["commit","digest","exercise","job","seed","student"]' "$(jq -sc 'map(keys) | add | unique' "$seen/words")"
		same "host$n: students" "" "$(jq -r .student "$seen/words" | grep -vE '^([0-9a-f]{12}|model|begun)$' || :)"
		tr -d ' ' <"$seen/commands" | perl -pe 's/([0-9a-f]{200,})/pack "H*", $1/ge' >>"$seen/words"
		grep -q 'scripts/class/job' "$seen/words"
		same "host$n: names" "" "$(grep -aoE '\bs0[1-6]\b|example\.org|Jane|Bold|calc' "$seen/words" || :)"
	done
	same "what the hosts keep" "" "$(kept)"
}

@test "hosts: a machine that cannot grade costs nobody a point: the other one grades" {
	# shellcheck disable=SC2016 # it runs beside the hosts
	run -0 timeout 500 tests/class/hosts "$hosts" bash -c '$PARALLEL_SSH host2 umount /root/unboxed && scripts/class/grade-class' 3>&-
	[[ $output = *"5 graded, 1 not begun; "* ]] || { echo "$output" && return 1; }
	same "broken" "" "$(grep '^broken' "$run/notes.txt" || :)"
	same "who has graded" "host1" "$(awk -F '\t' '$7 == 0 { print $2 }' "$run"/batch.*.log | sort -u | xargs)"
	same "what the hosts keep" "" "$(kept)"
}
