# The one file of which all else is made. Input: {people, work, results, current, exercises, rules, run, commit, made}.
# Nobody's name is in it. What is broken or could not be read has no points: nobody has a zero for it. Points are the share of the checks that hold, beyond those that hold before anything is written.
def passes: [.checks[] | select(.verdict == "pass")] | length;
def cents: . * 100 + 0.5 | floor / 100;
. as $in
| (.results | map({key: "\(.student) \(.exercise)", value: .}) | from_entries) as $results
| (.work | map({key: "\(.pseudonym) \(.exercise)", value: .}) | from_entries) as $work
| ([.notes.look[].id | select(. != null)] | unique) as $unread
| [.exercises[] as $id | ($results["model \($id)"]) as $model | ($results["begun \($id)"]) as $begun
	| {exercise: $id, possible: 1, checks: ($model // {checks: []} | passes), given: ($begun // {checks: []} | passes),
		broken: (if $model == null or $begun == null then "the worked example has no grade"
			elif $model.verdict == "skip" then "the lab VM cannot run it: \($model.reason)"
			elif $model.verdict != "pass" then "the worked example does not pass: \($model.reason // ($model.checks[-1] | "\(.what): \(.observed)"))"
			elif $begun.verdict == "pass" then "what was handed out passes already" else null end)}] as $exercises
| {format: "unboxed/grades/v1", class: .rules.class, run, made, commit,
	kernels: ([$results[].kernel | select(. != "")] | unique), commits: ([$results[].commit] | unique),
	exercises: $exercises,
	students: [.people[] | .pseudonym as $who | .due as $due | (.id as $id | any($unread[]; . == $id)) as $odd
		| {student: $who, due: $due, exercises: [$exercises[] | . as $ex | ($work["\($who) \(.exercise)"]) as $w | ($results["\($who) \(.exercise)"]) as $r
			| {exercise, possible}
			+ if $w == null and $odd then {verdict: "unreadable", points: null, reason: "nothing of what was handed in could be read as this exercise"}
			elif $w == null then {verdict: "missing", points: 0, reason: "nothing was handed in"}
			elif $w.begun | not then {verdict: "not begun", points: 0, digest: $w.digest, reason: "the file is as it was handed out"}
			else {digest: $w.digest, seed: $w.seed, late_days: $w.late_days, percent: $w.percent, time: $w.time}
				+ if $ex.broken then {verdict: "broken", points: null, reason: $ex.broken}
				elif $r == null then {verdict: "broken", points: null, reason: "no machine has graded it"}
				elif $r.verdict == "broken" or $r.verdict == "skip" then {verdict: "broken", points: null, reason: $r.reason}
				else ($r | passes) as $passes
					| (if $r.verdict == "pass" then 1 elif $ex.checks <= $ex.given then 0
						else [[($passes - $ex.given) / ($ex.checks - $ex.given), 0] | max, (($ex.checks - $ex.given - 1) / ($ex.checks - $ex.given))] | min end) as $share
					| {verdict: $r.verdict, share: ($share | cents), points: ($share * $w.percent / 100 | cents),
						reason: ($r.reason // ($r.checks[-1] // null | if . and .verdict == "fail" then "\(.what): expected \(.expected), observed \(.observed)" else null end)),
						why: ($r.checks[-1].why // null)}
				end
				+ if $r then {checks: $r.checks, said: $r.said, seconds: $r.seconds, took_ms: $r.took_ms, kernel: $r.kernel, commit: $r.commit, job: $r.job} else {} end
			end]}
		| .points = (if any(.exercises[]; .points == null) then null else [.exercises[].points] | add | cents end)
		| .possible = ([.exercises[].possible] | add)
		| .state = (if any(.exercises[]; .verdict == "broken") then "broken" elif any(.exercises[]; .verdict == "unreadable") then "unreadable"
			elif all(.exercises[]; .verdict == "missing") then "nothing handed in"
			elif all(.exercises[]; .verdict == "missing" or .verdict == "not begun") then "not begun" else "graded" end)]
		| sort_by(.student)}
