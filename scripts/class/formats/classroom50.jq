# classroom50/result/v1 of one student: whole numbers, a hundredth of a point each. A broken check is an error of the
# grader, which that format says by a status that is not 0. Its runner tells the identity in the environment.
def cents: . * 100 + 0.5 | floor;
if .points == null then error("broken: \([.exercises[] | select(.points == null) | .exercise] | join(", "))") else
[.exercises[] | {"test-name": .exercise, passed: (.verdict == "pass"), score: (.points | cents), "max-score": (.possible * 100),
	output: ([.verdict, .reason, .why] | map(select(. != null)) | join("\n"))}] as $tests
| {schema: "classroom50/result/v1", classroom: ($ENV.CLASSROOM // $class), assignment: ($ENV.ASSIGNMENT // $run),
	assignment_type: ($ENV.ASSIGNMENT_TYPE // "individual"), owner: ($ENV.OWNER // .student), submission: ($ENV.SUBMISSION_TAG // .student),
	commit: ($ENV.COMMIT_URL // ""), release: ($ENV.RELEASE_URL // ""), review: ($ENV.REVIEW_URL // ""),
	datetime: ([.exercises[].time // empty] | max // now | floor | todate), graded_at: (now | floor | todate),
	score: ([$tests[].score] | add), "max-score": ([$tests[]["max-score"]] | add), $tests} end
