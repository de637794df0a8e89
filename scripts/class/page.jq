# A page that reads in any browser, without a network, in light and dark, by a screen reader and on paper.
# A text of theirs: no tag, and nothing that a page may not hold.
def safe: tostring | gsub("[\\x{0}-\\x{8}\\x{b}\\x{c}\\x{e}-\\x{1f}\\x{7f}-\\x{9f}]"; "?") | @html;
def page($title; $body): "<!doctype html>
<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"><title>\($title | safe)</title>
<style>:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:auto;padding:1rem;color:#1b1b1b;background:#fff;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;margin:1rem 0}caption{text-align:left;font-weight:bold}th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border:1px solid #767676;overflow-wrap:anywhere}
th[scope=col]{overflow-wrap:normal}th[scope=row],td{min-width:7rem}td.n{min-width:0;text-align:right;font-variant-numeric:tabular-nums}.scroll{overflow-x:auto}pre{white-space:pre-wrap;overflow-wrap:anywhere;padding:.5rem;border:1px solid #767676}
.bars{width:70%}.bars span{display:inline-block;min-width:3rem;font-variant-numeric:tabular-nums}.bars i{display:inline-block;border-top:.8em solid #4a7fb5;vertical-align:middle}
@media(max-width:40rem){table,tbody,tr,th,td,caption{display:block;width:auto}thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
tbody tr{border:1px solid #767676;margin:.5rem 0}th[scope=row],td,td.n{width:auto;border:0;text-align:left;padding:.15rem .6rem}td::before{content:attr(data-head) \": \";content:attr(data-head) \": \" / \"\";font-style:italic}}
@media(prefers-color-scheme:dark){body{color:#f0f0f0;background:#161616}}</style></head>
<body><main>\($body)</main></body></html>";
# A cell is text, a number, or {count, share}: a number with a bar. On a narrow screen each row is a block and each cell says
# its column; the roles keep it a table there. Only a wide table scrolls, in a region that the keyboard reaches.
def cell($head): type as $t | " data-head=\"\($head | safe)\"" as $named
	| if $t == "object" then "<td role=\"cell\" class=\"bars\"\($named)><span>\(.count)</span><i aria-hidden=\"true\" style=\"width:\(.share * 80 | ceil)%\"></i></td>"
	else "<td role=\"cell\"\(if $t == "number" then " class=\"n\"" else "" end)\($named)>\(safe)</td>" end;
def table($caption; $heads; $rows): if ($rows | length) == 0 then "" else
	"<table role=\"table\"><caption>\($caption | safe)</caption><thead role=\"rowgroup\"><tr role=\"row\">\($heads | map("<th role=\"columnheader\" scope=\"col\">\(. | safe)</th>") | add)</tr></thead><tbody role=\"rowgroup\">"
	+ ($rows | map("<tr role=\"row\">" + (to_entries | map($heads[.key] as $head | if .key == 0 then "<th role=\"rowheader\" scope=\"row\">\(.value | safe)</th>" else .value | cell($head) end) | add) + "</tr>") | add) + "</tbody></table>"
	| if ($heads | length) > 6 then "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Scrolls sideways: \($caption | safe)\">\(.)</div>" else . end end;
def heading($words): "<h2>\($words | safe)</h2>";
def para($words): "<p>\($words | safe)</p>";
# How many points something is worth.
def points: "\(.) point\(if . == 1 then "" else "s" end)";
