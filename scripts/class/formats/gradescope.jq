# Gradescope's results.json of one student. Input: one of grades.json's students. What is broken or could not be
# read gives no score, so that nobody has a zero for it.
if .points == null then {output: (if .state == "unreadable" then "What was handed in could not be read, and there is no score yet. Write to your instructor."
	else "Something in the grader is broken, and there is no score yet." end), stdout_visibility: "hidden"} else
{output: "\(.points) of \(.possible) points", stdout_visibility: "hidden", visibility: "visible", score: .points, execution_time: ([.exercises[].seconds // 0] | add | ceil),
	tests: [.exercises[] | {name: .exercise, number: .exercise[:2], score: .points, max_score: .possible, visibility: "visible",
		output: ([.verdict, .reason, .why] | map(select(. != null)) | join("\n")), extra_data: {seed, kernel, commit, digest}}]} end
