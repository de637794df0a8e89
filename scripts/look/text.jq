# The map as text of 80 columns: what differs, what is the same, what could not be read.

def pad($n): . + ([range($n - length)] | map(" ") | add // "");
# Lines of at most $n characters; a word that is longer is cut.
def wrap($n):
	reduce (split(" ")[] | if length > $n then [range(0; length; $n) as $i | .[$i:$i + $n]][] else . end) as $word
		([""]; if .[-1] == "" then .[-1] = $word
			elif (.[-1] + " " + $word | length) <= $n then .[-1] += " " + $word
			else . + [$word] end);
def columns($lab; $name; $here; $there):
	[[$lab], ($name | wrap(17)), ($here | wrap(27)), ($there | wrap(27))] as $cells |
	[range($cells | map(length) | max) as $i | [$cells[] | .[$i] // ""] |
		(.[0] | pad(5)) + (.[1] | pad(18)) + (.[2] | pad(28)) + .[3] | sub(" +$"; "")][];
def paragraph: wrap(80)[];
def process: "process \(.pid) (\(.command))";

def text:
	. as $map | [.rows[] | select(.differs)] as $differ | [.rows[] | select(.differs == null and .problem)] as $unread |
	("Linux \(.release): \(.process | process) beside \(.beside | process)" | paragraph),
	(.notes[] | paragraph), "",
	if $differ == [] then "Nothing that could be read differs: to the kernel both are plain processes of this machine." | paragraph
	else columns("lab"; "what differs"; "process \($map.process.pid)"; "process \($map.beside.pid)"),
		($differ[] | columns(.lab; .name; .here; .there)) end,
	"",
	("The same in both: " + ([.rows[] | select(.differs == false).name] | join(", ")) + "." | paragraph),
	if $unread == [] then empty else
		("Not read: " + ([$unread[] | "\(.name) (\(.problem))"] | join(", ")) + "." | paragraph),
		if any($unread[]; .problem | endswith("root is needed")) then
			"As root more can be read: sudo scripts/map \($map.process.pid)" else empty end end,
	("No file tells which devices a group may open: lab 13." | paragraph),
	if .labs == {} then empty else "", (.labs | to_entries[] | "make lab-\(.key)   \(.value.title)" | paragraph) end;
