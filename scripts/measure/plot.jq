# The rows of build/bench.json as a table with bars, and as a picture. A bar is the value beside its goal: the goal is at
# its middle, so what ends before that has met it; what is more than twice the goal ends at the edge.

def name: .what + if .beside then " : " + .beside else "" end;
def pad($n): . + " " * ([$n - length, 0] | max);
def left($n): " " * ([$n - length, 0] | max) + .;
def share: if .goal == null or .goal == 0 then null else [.value / .goal / 2, 1] | min end;
def cpu_share: if .goal == null or .goal == 0 or .cpu == null then null else [.cpu / .goal / 2, 1] | min end;
def bar: if share == null then "" else (share * 12 | round) as $n
	| [range(12) | if . == 6 then "|" else "" end + if . < $n then "=" else " " end] | add end;

def text:
	"place what                                          value       CPU   goal  |goal",
	(.rows[] | [(.place | pad(5)), (name | .[:42] | pad(42)), (.value | tostring | left(8)), (.unit | .[:6] | pad(6)),
		(.cpu // "" | tostring | left(6)), (.goal // "" | tostring | left(6)), bar, (.verdict // "")] | join(" ") | sub(" +$"; ""));

def words($x; $y; $style): "<text x=\"\($x)\" y=\"\($y)\" \($style)>\(@html)</text>";
def line($x; $y; $width; $height; $fill): "<rect x=\"\($x)\" y=\"\($y)\" width=\"\($width | round)\" height=\"\($height)\" fill=\"\($fill)\"/>";

def svg:
	[.rows[] | select(share != null)] as $rows | ($rows | length * 24 + 92) as $height |
	"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 980 \($height)\" font-family=\"sans-serif\" font-size=\"12\">",
	"<title>How fast it is, beside the goals</title>",
	"<rect width=\"980\" height=\"\($height)\" fill=\"#fff\"/>",
	("Each bar is the value beside its goal, which is the line. Below it, thin: by CPU time." | words(16; 26; "font-weight=\"bold\"")),
	($rows | to_entries[] | (.key * 24 + 44) as $y | .value |
		(name | words(16; $y + 13; "")),
		line(430; $y + 2; share * 360; 11; if .verdict == "met" then "#2a7f62" else "#b5562b" end),
		(cpu_share | values | line(430; $y + 15; . * 360; 3; "#555")),
		("\(.value)\(if .unit == "x" then "" else " \(.unit)" end)\(if .cpu then ", CPU \(.cpu)" else "" end); goal \(.goal)" | words(800; $y + 13; ""))),
	"<line x1=\"610\" y1=\"38\" x2=\"610\" y2=\"\($height - 44)\" stroke=\"#222\"/>",
	("Linux \(.kernel), \(.rounds) rounds; the lab VM by \(.vm)" | words(16; $height - 18; "")),
	"</svg>";
