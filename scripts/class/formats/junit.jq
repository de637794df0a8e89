# JUnit XML of one student: a suite an exercise, a case a check. What is broken or unreadable is an error, and no failure.
def none: .verdict == "broken" or .verdict == "unreadable";
def attr: tostring | gsub("[\\x{0}-\\x{8}\\x{b}\\x{c}\\x{e}-\\x{1f}\\x{fffe}\\x{ffff}]"; "?") | @html;
def body($word): "<\($word) message=\"\(.reason // .verdict | attr)\">\([.reason, .why] | map(select(. != null)) | join("\n") | attr)</\($word)>";
"<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<testsuites name=\"\($run // "unboxed" | attr)\">",
(.exercises[] | . as $ex
	| ([.checks // [] | .[] | select(.verdict == "pass") | {name: .what}]
		+ if .verdict == "pass" then [] else [{name: (.checks // [] | last | if . and .verdict == "fail" then .what else $ex.verdict end),
			inner: (if $ex | none then $ex | body("error") elif $ex.verdict == "fail" then body("failure") else "<skipped message=\"\($ex.verdict | attr)\"/>" end)}] end) as $cases
	| "  <testsuite name=\"\(.exercise)\" tests=\"\($cases | length)\" failures=\"\(if .verdict == "fail" then 1 else 0 end)\" errors=\"\(if none then 1 else 0 end)\" skipped=\"\([$cases[] | select(.inner // "" | startswith("<skipped"))] | length)\" time=\"\(.seconds // 0)\">",
	($cases[] | "    <testcase classname=\"\($ex.exercise)\" name=\"\(.name | attr)\">\(.inner // "")</testcase>"),
	"  </testsuite>"),
"</testsuites>"
