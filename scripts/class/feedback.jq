# What one student gets back: what held, what was observed, why, and where to read. Input as the report's; $student.
# Dates are this machine's, as the due date without a zone is.
include "page";
. as $in
| ($looks | split("\n") | map(select(. != "") | split("\t") | {key: .[0], value: {task: .[1], look: .[2]}}) | from_entries) as $texts
| .grades as $g | first(.grades.students[] | select(.student == $student)) as $s
| first(.people[] | select(.pseudonym == $student)) as $who
| ([$g.exercises[].exercise] | if length > 3 then "\(length) exercises" else join(", ") end) as $of
| page("\($g.class): \($g.run): \($of)"; "<h1>\($g.class | safe): \($g.run | safe): \($of | safe)</h1>"
	+ para($who.name)
	+ para(if $s.state == "unreadable" then "There is no total yet: something could not be read." elif $s.points == null then "There is no total yet: a check is broken, which is no fault of yours." else "\($s.points) of \($s.possible | points)." end)
	+ ([$s.exercises[] | . as $e | $texts[.exercise] as $t | "make exercise-\(.exercise[:2])" as $make
		| ([$work[0][] | select(.pseudonym == $student and .exercise == $e.exercise)] | first) as $w
		| ([$in.notes.twice[] | select(.id == $who.id and .exercise == $e.exercise)] | first) as $twice
		| heading(.exercise) + para($t.task // "")
		+ para(if .verdict == "missing" then "Nothing was handed in. Type \($make), write the program in work/, then type make handin and hand in what it makes. If you have handed in something, write to your instructor." elif .verdict == "unreadable" then "What you handed in could not be read\([$in.notes.look[] | select(.id == $who.id) | "\(.path): \(.what)"] | if . == [] then "" else " (\(join("; ")))" end). Hand in the file of make handin, and write to your instructor."
			elif .verdict == "not begun" then "The file is as it was handed out, so there is nothing to grade. Type \($make): it says what to write in work/\(.exercise).c. If you have written another file, hand in that one."
			elif .verdict == "broken" then "The grader is broken here: \(.reason). This is no fault of yours, and costs no point."
			else "\(.verdict): \(.points) of \(.possible | points)"
				+ (if .late_days > 0 then ", handed in \(.late_days) day\(if .late_days == 1 then "" else "s" end) late, which leaves \(.percent) %" else "" end) + "." end)
		+ (if $w then para("What counts: \($w.path)"
			+ (if $twice then "; not \($twice.others | join(", "))" else "" end)
			+ (if $w.time then ". Handed in: \($w.time | strflocaltime("%Y-%m-%d %H:%M %Z"))." elif .late_days > 0 then ". When it was handed in is not known; your platform says that it was late."
				else ". When it was handed in is not known, and counts as in time." end)) else "" end)
		+ table("The checks of \(.exercise), in the order in which they were made"; ["check", "verdict", "expected", "observed"]; [.checks // [] | .[] | [.what, .verdict, .expected, .observed]])
		+ (if .verdict == "fail" then
			(if (.checks // [] | last | .verdict? // "") == "fail" then para("Why: \(.why // "")") + para("A check stops at the first thing that is wrong; what would follow was not looked at.") else para(.reason) end)
			+ para("Where to look: \($t.look // "" | rtrimstr(".")); the chapter: make guide-\(.exercise[:2])") else "" end)
		+ (if (.said // []) == [] then "" else para("Your program printed, at last:") + "<pre tabindex=\"0\">\(.said | join("\n") | safe)</pre>" end)
		+ (if .checks then (if $over then para("To see it again: put your file into work/ and type SEED=\(.seed) make exercise-\(.exercise[:2])") else para("After the due date this says the seed, so that you can see it again.") end)
			+ para("Graded by the commit \(.commit)\(if .kernel == "" then "" else ", with Linux \(.kernel)" end).") else "" end)] | add))
