# Who has another grade than before, and why: a line each. $old and $new are grades.json, $people says whose a pseudonym is.
def short: . // "none" | sub("^(?<hash>[0-9a-f]{12})[0-9a-f]*"; .hash);
def whose: [.students[] | .student as $s | .exercises[] | {key: "\($s) \(.exercise)", value: .}] | from_entries;
def grade: "\(.verdict)\(if .points == null then "" else " \(.points)" end)";
($people[0] | map({key: .pseudonym, value: .id}) | from_entries) as $ids
| ($old[0] | whose) as $before | ($new[0] | whose) as $after
| (($old[0].exercises | map(.exercise)) - ($new[0].exercises | map(.exercise)) | .[] | "\(.): it counted before, and does not count now"),
	(($old[0].students | map(.student)) - ($new[0].students | map(.student)) | if . == [] then empty else "no longer in the roster: \(join(", "))" end),
	($new[0].students | sort_by($ids[.student])[] | .student as $s | .exercises[] | . as $now | $before["\($s) \(.exercise)"] as $was
		| select($was == null or $was.points != $now.points or $was.verdict != $now.verdict)
		| ($was != null and ($was.verdict != $now.verdict or $was.share != $now.share)) as $judged
		| [if $was == null then "not counted before"
			elif $was.digest != $now.digest then "another file"
			elif $judged and $was.commit != $now.commit then "another grader, \($was.commit | short) -> \($now.commit | short)"
			elif $judged and $was.kernel != $now.kernel then "another kernel, \($was.kernel // "none") -> \($now.kernel // "none")"
			elif $judged then "the same file and grader" else empty end,
			if $was == null or $was.late_days == $now.late_days then empty else "late days \($was.late_days // "none") -> \($now.late_days // "none")" end,
			if $was == null or $was.percent == $now.percent then empty else "percent \($was.percent // "none") -> \($now.percent // "none")" end,
			if $judged then "was: \($was.reason // "all holds"), is: \($now.reason // "all holds")" else empty end]
		| if . == [] then ["another grader"] else . end
		| "\($ids[$s]) \($now.exercise): \(if $was == null then "nothing" else $was | grade end) -> \($now | grade): \(join("; "))")
