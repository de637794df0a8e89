# The map as a picture: a row for each line of the table, one box for both processes where they have the same, a box
# each where they differ. Colour says nothing that the words do not say.

def cut($n): if length > $n then .[:$n - 3] + "..." else . end;
def words($x; $y; $size; $style): "<text x=\"\($x)\" y=\"\($y)\" font-size=\"\($size)\" \($style)>\(@html)</text>";
def box($x; $y; $width; $fill; $text):
	"<rect x=\"\($x)\" y=\"\($y)\" width=\"\($width)\" height=\"20\" rx=\"3\" fill=\"\($fill)\" stroke=\"#555\"/>",
	($text | cut($width / 7.5 - 2 | floor) | words($x + 6; $y + 14; 12; ""));

def svg:
	. as $map | (.rows | length) as $count | ($count * 24 + 96) as $height |
	"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 900 \($height)\" font-family=\"monospace\">",
	"<title>\("process \(.process.pid) beside process \(.beside.pid)" | @html)</title>",
	"<rect width=\"900\" height=\"\($height)\" fill=\"#fff\"/>",
	("process \(.process.pid): \(.process.command)" | cut(40) | words(190; 28; 15; "font-weight=\"bold\"")),
	("process \(.beside.pid): \(.beside.command)" | cut(40) | words(510; 28; 15; "font-weight=\"bold\"")),
	(.rows | to_entries[] | (.key * 24 + 44) as $y | .value |
		(.name | words(16; $y + 14; 12; "")),
		if .differs == null then box(190; $y; 630; "#eee"; "not read: \(.problem)")
		elif .differs then box(190; $y; 310; "#fde2c4"; .here), box(510; $y; 310; "#d6e6f8"; .there),
			("lab \(.lab)" | words(832; $y + 14; 12; "font-weight=\"bold\""))
		else box(190; $y; 630; "#eef4ee"; "the same: \(.here)") end),
	("Linux \(.release). Two boxes in a row: the processes differ, and the lab explains it." | words(16; $height - 18; 12; "")),
	"</svg>";
