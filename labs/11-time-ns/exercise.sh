# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="Run COMMAND on a machine that seems to have been up SECONDS longer."
look="labs/11-time-ns/main.c, the steps with CLONE_NEWTIME; time_namespaces(7) on /proc/PID/timens_offsets."

# offset PID CLOCK: by which its namespace's clock differs.
offset() {
	awk -v clock="$2" '$1 == clock { print $2 }' "$proc/$1/timens_offsets"
}

check() {
	local seconds
	seconds=$((86400 * $(number days 10 900)))
	expect "before: the machine's offset of boottime" 0 "$(offset "$self" boottime)" ""
	start "$seconds"
	expect_command
	expect "its time namespace" "its own" "$(own time)" \
		"unshare(CLONE_NEWTIME) comes first: who is forked after it is in there."
	expect "its offset of boottime" "$seconds" "$(offset "$it" boottime)" \
		"One line, \"boottime SECONDS 0\", into /proc/self/timens_offsets before the first process is in there."
	expect "its offset of monotonic" 0 "$(offset "$it" monotonic)" "Uptime is boottime; the other clock was not asked for."
}
