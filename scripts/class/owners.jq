# Whose is each file, and of which exercise? Input: {roster, files: [{n, path, kind, bytes, digest}], exercises, metadata}.
# The first component of a path that names somebody decides; what a student has packed lies to the right of it, so no name
# in there counts. teams: lists of rows, of which each has what one of them sends.
# Output: {placed: [{row, exercise, n, digest, path, order, time, late}], notes: [{what, path, row}]}, row null: nobody's.
def plain: ascii_downcase | gsub("^\\s+|\\s+$"; "");
.roster as $roster | .exercises as $exercises | .metadata as $metadata | .teams as $teams
# A name may be chosen by its bearer, an ID may not: a name counts where it is nobody's ID.
| def add($who; $key): .[$key] = ((.[$key] // []) + [$who.row] | unique);
(reduce $roster[] as $who ({}; reduce $who.keys[] as $key (.; add($who; $key)))) as $by_id
| ((reduce $roster[] as $who ({}; add($who; $who.name | plain))) + $by_id) as $by_key
| def only($rows): if ($rows | length) == 1 then {row: $rows[0]} elif ($rows | length) > 1 then {problem: "more than one student has this name", may: $rows} else {problem: "nobody in the roster"} end;
def owner: # of one component
	. as $part
	| ([match("_\\d+_assignsubmission_(file|onlinetext)"; "g")] | length) as $moodle
	| if $moodle > 1 then {problem: "two participants in one name"}
	elif $moodle == 1 then capture("^(?<name>.*?)_(?<id>\\d+)_assignsubmission_(file|onlinetext)_?") as $m
		| only(if any($roster[]; .participant != "") then [$roster[] | select(.participant == $m.id) | .row] else $by_key[$m.name | plain] // [] end)
	elif test("^submission_\\d+$") then ($metadata[$part] // null) as $m
		| if $m == null then {problem: "not in submission_metadata.yml"}
		# A group has sent it: it is each one's. A run of an older tree has kept one list of keys.
		else [$m.submitters // [$m.keys] | .[] | only([.[] | plain | $by_key[.] // [] | .[]] | unique) + {time: $m.time}]
			| {group: (if . == [] then [only([])] else unique_by(.row, .problem) end)} end
	elif test("^[\\p{L}\\p{M}\\p{N}-]+_(LATE_)?\\d+_\\d+_.") then capture("^(?<name>[\\p{L}\\p{M}\\p{N}-]+)_(?<late>LATE_)?(?<id>\\d+)_(?<submission>\\d+)_") as $m
		| only([$roster[] | select(.canvas == $m.id) | .row]) + {name: $m.name, late: ($m.late != null), order: ($m.submission | tonumber)}
	# What is written into Canvas, and no file.
	elif test("^[^/]+_\\d+_(text|link)\\.html$") and any($roster[]; .canvas != "") then capture("_(?<id>\\d+)_(text|link)\\.html$") as $m
		| only([$roster[] | select(.canvas == $m.id) | .row])
	else ($part | plain) as $name
		| ($name | sub("\\.(tar(\\.[a-z0-9]+)?|tgz|zip|7z|c)$"; "")) as $stem
		| if $by_key[$name] then only($by_key[$name]) elif $by_key[$stem] then only($by_key[$stem])
		else ([$by_key | keys[] | select(. as $key | ($stem | startswith($key)) and ($stem[($key | length):] | test("^[_.-]")))] | max_by(length)) as $key
			| if $key == null then null
			# ann_smith is not ann.
			elif $stem[($key | length):] | test("^[-_. \\d]*$|handin") or (. as $rest | any($exercises[]; . as $id | $rest | contains($id))) then only($by_key[$key])
			else {problem: "expected \($key | tojson), or that and an exercise, in its name"} end end
	end;
def exercise: . as $base | [$exercises[] | select(. as $id | $base | contains($id))] | if length == 1 then .[0] else null end;
def packed: .kind == "other" and (.path | test("\\.(rar|gz|bz2|xz|zst|lz|lzh|cab|iso)$"; "i"));
# As Canvas writes a name: "Doe, Jane" is doejane. Which name comes first is a setting.
def letters: ascii_downcase | gsub("[^a-z0-9]"; "") | explode | sort;
[.files[] | . as $file | (.path | split("/")) as $parts
	| . + {$parts, who: (first(range($parts | length) as $i | $parts[$i] | owner | select(. != null) | . + {at: $i}) // null)}]
# Beside a folder that names somebody each one should. What names nobody there is nobody's, whatever lies in it.
| (map(select(.who) | {key: (.parts[:.who.at] | join("/")), value: true}) | from_entries) as $platform
| [.[] | .parts as $parts
	| (if .who and all(range(.who.at); $platform[$parts[:.] | join("/")] | not) then .who else {problem: "no student in its name"} end) as $who
	| del(.parts) + {who: ([($who.group // [$who])[] | if .row then .row as $row | . + {row: ((first($teams[] | select(index($row))) // [$row])[])} else . end] | unique_by(.row, .problem)[]),
		exercise: (if .kind == "source" then ($parts[-1] | exercise) else null end),
		copy: ($parts[-1] | [match("(?:[-_ (]{1,2})(\\d{1,3})\\)?\\.c$").captures[0].string | tonumber] | first // 0)}] as $all
# Where there is one exercise, the only program of a student is it.
| [$all[] | select(.kind == "source" and (.who | has("row")))] as $programs
| ($programs | group_by(.who.row) | map({key: (.[0].who.row | tostring), value: length}) | from_entries) as $count
| [$programs[] | if .exercise == null and ($exercises | length) == 1 and $count[.who.row | tostring] == 1 then .exercise = $exercises[0] else . end] as $programs
| [$programs[] | select(.exercise != null) | [.who.row, .exercise]] as $has
| {placed: [$programs[] | select(.exercise != null) | {row: .who.row, exercise, n, digest, path, time: .who.time, late: (.who.late // false),
		order: [.who.order // 0, .copy, -(.path | split("/") | length), .path]}],
	notes: ([$all[] | select(.who | has("problem")) | select(.kind == "source" or .kind == "archive" or .kind == "problem" or packed)
			| {what: .who.problem, path, row: (.who.may // [null])[]}]
		+ [$all[] | select(.kind == "source" and .who.name and .who.row) | . as $file | select(all($teams[]; index($file.who.row) | not) and (.who.name | letters) != (first($roster[] | select(.row == $file.who.row)).name | letters))
			| {what: "the name in it is not this student's; if a group has sent it, TEAMS=FILE.csv has to name its members", path, row: .who.row}]
		+ [$all[] | select(.kind == "problem" and (.who | has("row"))) | {what: .problem, path, row: .who.row, unread: true}]
		+ [$programs[] | select(.exercise == null) | {what: "of no exercise of this class", path, row: .who.row}]
		# Who has sent something has not sent nothing: 03-uts-ns.c.txt, a document, an archive without a program.
		+ [$all[] | select(.kind == "other" and (.who | has("row"))) | . as $file | (.path | split("/") | last | exercise) as $id
			| select(if $id != null then $has | index([[$file.who.row, $id]]) | not else packed and any($exercises[]; [[$file.who.row, .]] as $one | $has | index($one) | not) end)
			| {what: "neither .c nor an archive that is read", path, row: .who.row}])}
| .placed as $placed | .notes as $notes
| .notes += [$all | map(select(.who | has("row"))) | group_by(.who.row)[] | .[0].who.row as $row
	| select(all($placed[], $notes[]; .row != $row)) | {what: "no program in it", path: (map(.path) | min_by(length)), $row}]
