# What one student gets back: what held, what was observed, why, and where to read. Input as the report's; $student.
include "page";
($looks | split("\n") | map(select(. != "") | split("\t") | {key: .[0], value: {task: .[1], look: .[2]}}) | from_entries) as $texts
| .grades as $g | first(.grades.students[] | select(.student == $student)) as $s
| first(.people[] | select(.pseudonym == $student)) as $who
| page("\($g.class): \($g.run)"; "<h1>\($g.class | safe): \($g.run | safe)</h1>"
	+ para($who.name)
	+ para(if $s.points == null then "There is no total yet: a check is broken, which is no fault of yours." else "\($s.points) of \($s.possible) points." end)
	+ ([$s.exercises[] | . as $e | $texts[.exercise] as $t
		| heading(.exercise) + para($t.task // "")
		+ para(if .verdict == "missing" then "Nothing was handed in." elif .verdict == "unreadable" then "What you handed in could not be read. Hand in the file of make handin, and write to your instructor."
			elif .verdict == "not begun" then "The file is as it was handed out."
			elif .verdict == "broken" then "The grader is broken here: \(.reason). This is no fault of yours, and costs no point."
			else "\(.verdict): \(.points) of \(.possible) point\(if .possible == 1 then "" else "s" end)"
				+ (if .late_days > 0 then ", handed in \(.late_days) day\(if .late_days == 1 then "" else "s" end) late, which leaves \(.percent) %" else "" end) + "." end)
		+ table("The checks of \(.exercise), in the order in which they were made"; ["check", "verdict", "expected", "observed"]; [.checks // [] | .[] | [.what, .verdict, .expected, .observed]])
		+ (if .verdict == "fail" then
			(if (.checks // [] | last | .verdict? // "") == "fail" then para("Why: \(.why // "")") + para("A check stops at the first thing that is wrong; what would follow was not looked at.") else para(.reason) end)
			+ para("Where to look: \($t.look // "" | rtrimstr(".")); the chapter: make guide-\(.exercise[:2])") else "" end)
		+ (if (.said // []) == [] then "" else para("Your program printed, at last:") + "<pre tabindex=\"0\">\(.said | join("\n") | safe)</pre>" end)
		+ (if .checks then (if $over then para("To see it again: put your file into work/ and type SEED=\(.seed) make exercise-\(.exercise[:2])") else para("After the due date this says the seed, so that you can see it again.") end)
			+ para("Graded by the commit \(.commit), with Linux \(.kernel).") else "" end)] | add))
