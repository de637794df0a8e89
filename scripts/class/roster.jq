# Rows of a platform's table of students (by mlr, all strings) to one shape. A column is known by its name.
def trimmed: gsub("^[\\s\\x{feff}]+|\\s+$"; "");
def plain: ascii_downcase | trimmed;
# What the row says in the first of these columns that it has.
def column($names): . as $row | first($names[] as $name | $row[$name] // empty | select(. != "")) // "";
def columns($names): [. as $row | $names[] as $name | $row[$name] // empty | select(. != "")];
[to_entries[] | .key as $n | .value | with_entries(.key |= plain) | map_values(trimmed) | . as $row
	| (has("sis user id") or has("sis login id") or (has("student") and has("section") and has("id"))) as $canvas
	| ([column(["lastname"]), column(["firstname"])] | map(select(. != "")) | join(", ")) as $in_two # where Canvas is so set
	| ($row.student // $in_two) as $student
	| select(($canvas and ($student | test("^(points possible|student, test)$"; "i"))) | not)
	| {row: $n,
		id: column((if $canvas then [] else ["student"] end) + ["id number", "sid", "sis user id", "student id", "sis login id", "username"]
			+ (if $canvas then ["id"] else [] end) + ["email address", "email", "identifier", "id", "name", "full name"]),
		name: (column(["full name", "name"]) | if . == "" and $canvas then $student else . end
			| if . == "" then ($row | [column(["first name"]), column(["last name", "surname"])] | join(" ") | trimmed) else . end),
		email: column(["email address", "email"]),
		factor: (column(["factor", "time factor"]) | if . == "" then 1 else . end),
		time: column(["last modified (submission)", "submission time", "submitted at", "submitted_at", "time"])}
	| .name = (if .name == "" then .id else .name end)
	| .keys = ([.id, .email] + ($row | columns(["identifier", "id", "sid", "id number", "student id", "username", "sis login id", "sis user id", "user_id", "login_id"]))
		| map(plain, (plain | select(startswith("participant ")) | ltrimstr("participant "))) | map(select(. != "")) | unique)
	# What stands in Moodle's and Canvas' file names.
	| .participant = ($row | column(["identifier"]) | plain | ltrimstr("participant "))
	| .canvas = (if $canvas then $row | column(["id"]) else "" end)]
| map(select(.id != ""))
