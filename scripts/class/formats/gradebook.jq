# The platform's own table with the grades in it, CSV. Input: {grades, people, roster}. A spreadsheet would run what begins
# with = + - or @: an apostrophe keeps it text. What is broken or unreadable has no grade and says so.
def harmless: if type == "string" and test("^[=+\\-@\t\r]") then "'" + . else . end;
# Where Moodle speaks a language with a decimal comma, it reads and writes 100,00.
def number: if test("^\\d+,\\d+$") then sub(","; ".") else . end | tonumber? // null;
def like($text): if $text | test("^\\d+,\\d+$") then tostring | sub("[.]"; ",") else . end;
def comment: [.exercises[] | "\(.exercise[:2]): \(.verdict)" + if .reason then " (\(.reason))" else "" end + if (.late_days // 0) > 0 then ", \(.late_days) day\(if .late_days == 1 then "" else "s" end) late, \(.percent) %" else "" end] | join("; ");
. as $in
| (.grades.students | map({key: .student, value: .}) | from_entries) as $graded
| (.people | map({key: (.row | tostring), value: $graded[.pseudonym]}) | from_entries) as $of
| (.roster[0] | keys_unsorted) as $columns
| (first($columns[] | select(ascii_downcase == "grade")) // null) as $grade
| (first($columns[] | select(ascii_downcase == "feedback comments")) // null) as $feedback
| (first($columns[] | select(ascii_downcase == "maximum grade")) // null) as $most
| (if $grade == null then ["Unboxed: \(.grades.run)"] else [] end) as $total
| [.grades.exercises[].exercise] as $ids
| (if $grade == null then $ids else [] end) as $each
| ($columns + $total + $each + (if $feedback == null then ["Comments"] else [] end)) as $head
| ($head | map(harmless) | @csv),
	(.roster | to_entries[] | .value as $row | $of[.key | tostring] as $g
		| ($columns | map(. as $c | if $c == $grade and $g then
			(if $g.points != null and $most != null then $g.points / $g.possible * ($row[$most] | number // $g.possible) * 100 + 0.5 | floor / 100 | like($row[$most]) else $g.points end) elif $c == $feedback and $g then ($g | comment) else $row[$c] end))
			+ ($total | map(if $g then $g.points else null end))
			+ ($each | map(. as $id | if $g then first($g.exercises[] | select(.exercise == $id) | .points) else null end))
			+ (if $feedback == null then [if $g then $g | comment else null end] else [] end)
		| map(harmless) | @csv)
