# The report for the instructor. Input: {grades, people, roster, notes}; $names: whether names stand in it.
include "page";
. as $in
| (.people | map({key: .pseudonym, value: (if $names then (if .name == .id then .id else "\(.name) (\(.id))" end) else .pseudonym end)}) | from_entries) as $who
| (.grades | if $names then .students |= sort_by($who[.student] | ascii_downcase | gsub("^[^\\p{L}\\p{N}]+"; "")) else . end) as $g
| [$g.students[] | .student as $s | .exercises[] | . + {student: $s}] as $all
| [$all[] | select(.verdict == "pass" or .verdict == "fail")] as $graded
	| [$all[] | select(.verdict == "unreadable")] as $unread
	| (.people | map({key: .pseudonym, value: .id}) | from_entries) as $ids
| [$g.students[] | select(.points != null and .state == "graded")] as $scored
| page("\($g.class): \($g.run)";
	"<h1>\($g.class | safe): \($g.run | safe)</h1>"
	+ para("\($g.students | length) students, \($g.exercises | length) exercise\(if ($g.exercises | length) == 1 then "" else "s" end). Made \($g.made), by the commit \($g.commits | join(" and ")), with Linux \($g.kernels | join(" and ")).")
	+ heading("What is broken")
	+ ([$all[] | select(.verdict == "broken")] | if . == [] then para("Nothing: each submission that could be read has a grade.")
		else para("These have no points, and nobody has a zero for them. Repair the cause, then type make regrade.")
			+ table("Broken"; ["student", "exercise", "reason"]; map([$who[.student], .exercise, .reason])) end)
	+ heading("What could not be read")
		+ (if $unread == [] then para("Nothing.")
			else para("These have no points either, and nobody has a zero for them. Look at what was handed in: put it where it can be read and type make grade-class again, or write the grade yourself.")
				+ table("Could not be read"; ["student", "exercise"] + (if $names then ["what was handed in"] else [] end);
					$unread | map(.student as $s | [$who[$s], .exercise] + (if $names then [[$in.notes.look[] | select(.id == $ids[$s]) | "\(.path): \(.what)"] | join("; ")] else [] end))) end)
	+ heading("Who did not begin")
	+ ([$g.students[] | select(.state == "nothing handed in" or .state == "not begun")] | if . == [] then para("Everybody has begun.")
		else table("Not begun"; ["student", "state"]; map([$who[.student], .state])) end)
	+ heading("Points")
	+ (if $scored == [] then para("Nobody has points yet.") else ([$scored[].points] | sort) as $p | ($p | length) as $n
		| para("Of \($n) students who began: the median is \($p[($n - 1) / 2 | floor]) of \($scored[0].possible | points), the lowest \($p[0]), the highest \($p[-1]).")
		+ table("How many students have so many points"; ["share of all points", "students"];
			[range(10) as $b | [$scored[] | (.points / .possible * 10 | floor | if . > 9 then 9 else . end) | select(. == $b)] | length | . as $c
			| ["\($b * 10) to \($b * 10 + 10) %", {count: $c, share: ($c / $n)}]]) end)
	+ heading("Exercises")
	+ table("What became of each exercise"; ["exercise", "pass", "fail", "not begun", "missing", "unreadable", "broken"];
		[$g.exercises[].exercise as $e | [$e] + (["pass", "fail", "not begun", "missing", "unreadable", "broken"] | map(. as $v | [$all[] | select(.exercise == $e and .verdict == $v)] | length))])
	+ heading("Which check fails most")
	+ ([$graded[] | select(.verdict == "fail") | {exercise, what: (if (.checks | length) > 0 and .checks[-1].verdict == "fail" then .checks[-1].what else (.reason | sub(":.*"; "")) end), why}]
		| group_by([.exercise, .what]) | map([length, .[0]]) | sort_by(-.[0])
		| if . == [] then para("No check fails.") else table("Checks that fail"; ["check", "exercise", "students", "why"]; map([.[1].what, .[1].exercise, .[0], (.[1].why // "" | sub(" What it printed.*"; ""))])) end)
	+ heading("What to look at")
	+ (if $names then [($in.notes.look[] | select(.id as $id | all($unread[]; $ids[.student] != $id)) | [.path, .what]), (.notes.twice[] | ["\(.id): \(.exercise)", "handed in \(1 + (.others | length)) times; \(.counts) counts"])]
		| if . == [] then para("Nothing.") else table("Look"; ["where", "what"]; .) end
		else para("\($in.notes.look | length) files need a person, \($in.notes.twice | length) were handed in twice. The report with names has them.") end)
	+ heading("Grades")
	+ table("Points"; ["student", "points"] + [$g.exercises[].exercise] ;
		[$g.students[] | [$who[.student], (.points // .state)] + [.exercises[] | "\(.verdict)\(if .points != null and .points > 0 and .points < 1 then " \(.points)" else "" end)\(if (.late_days // 0) > 0 then ", late" else "" end)"]]))
