# A page that reads in any browser, without a network, in light and dark, by a screen reader and on paper.
# A text of theirs: no tag, and nothing that a page may not hold.
def safe: tostring | gsub("[\\x{0}-\\x{8}\\x{b}\\x{c}\\x{e}-\\x{1f}\\x{7f}-\\x{9f}]"; "?") | @html;
def page($title; $body): "<!doctype html>
<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"><title>\($title | safe)</title>
<style>:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:auto;padding:1rem;color:#1b1b1b;background:#fff;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;margin:1rem 0}caption{text-align:left;font-weight:bold}th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border:1px solid #767676;overflow-wrap:anywhere}
th[scope=col]{overflow-wrap:normal}th[scope=row],td{min-width:7rem}td.n{min-width:0;text-align:right;font-variant-numeric:tabular-nums}.scroll{overflow-x:auto}pre{white-space:pre-wrap;overflow-wrap:anywhere;padding:.5rem;border:1px solid #767676}meter{width:8rem;vertical-align:middle}
@media(prefers-color-scheme:dark){body{color:#f0f0f0;background:#161616}}</style></head>
<body><main>\($body)</main></body></html>";
def table($caption; $heads; $rows): if ($rows | length) == 0 then "" else
	"<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"\($caption | safe)\"><table><caption>\($caption | safe)</caption><thead><tr>\($heads | map("<th scope=\"col\">\(. | safe)</th>") | add)</tr></thead><tbody>"
	+ ($rows | map("<tr>" + (to_entries | map(if .key == 0 then "<th scope=\"row\">\(.value | safe)</th>"
		else (.value | type) as $t | "<td\(if $t == "number" then " class=\"n\"" else "" end)>\(.value | safe)</td>" end) | add) + "</tr>") | add) + "</tbody></table></div>" end;
def heading($words): "<h2>\($words | safe)</h2>";
def para($words): "<p>\($words | safe)</p>";
