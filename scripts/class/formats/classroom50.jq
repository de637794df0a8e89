# classroom50/result/v1 of one student: whole numbers, a hundredth of a point each. What has no grade (broken, unreadable) is an error of
# the grader, which that format says by a status that is not 0. Its runner tells the identity in the environment; it takes no
# empty word, so without the runner what was graded is named by its checksum.
def cents: . * 100 + 0.5 | floor;
def told($name; $absent): $ENV[$name] // "" | if . == "" then $absent else . end;
if .points == null then error([.exercises[] | select(.points == null) | "\(.verdict): \(.exercise)"] | join(", ")) else
[.exercises[] | {"test-name": .exercise, passed: (.verdict == "pass"), score: (.points | cents), "max-score": (.possible * 100),
	output: ([.verdict, .reason, .why] | map(select(. != null)) | join("\n"))}] as $tests
| ([.exercises[].time // empty] | max // now | floor | todate) as $when
| ([.exercises[].digest // empty] | first // "nothing") as $digest
| told("COMMIT_URL"; "urn:sha256:\($digest)") as $commit
| {schema: "classroom50/result/v1", classroom: told("CLASSROOM"; $class), assignment: told("ASSIGNMENT"; $run),
	assignment_type: told("ASSIGNMENT_TYPE"; "individual"), owner: told("OWNER"; .student),
	submission: told("SUBMISSION_TAG"; "submit/\($when | gsub(":"; "-"))-\($digest[:7])"),
	$commit, release: told("RELEASE_URL"; $commit), review: told("REVIEW_URL"; $commit),
	datetime: $when, graded_at: (now | floor | todate),
	score: ([$tests[].score] | add), "max-score": ([$tests[]["max-score"]] | add), $tests} end
