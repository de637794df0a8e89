# Moodle's GIFT. In it ~ = # { } : and \ have a meaning, and a backslash takes it away. The choice without a misconception is right.
def text: gsub("(?<c>[\\\\~=#{}:])"; "\\\(.c)") | gsub("\\n"; " ");
.[] | select(.questions | length > 0) | . as $lab
| "$CATEGORY: Unboxed/\(.id)", "",
(.questions[]
	| "::\($lab.id) \(.name | text)::[plain]\(.text | text) {",
	(.choices | to_entries[] | "\t\(if .value.misconception == "" then "=" else "~" end)\(.value.text | text)\(if .value.misconception != "" then "#" + (.value.misconception | text) else "" end)"),
	"}", "")
