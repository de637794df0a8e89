# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="Run COMMAND so that the machine seems to it to have been up SECONDS longer."
look="labs/11-time-ns/main.c, the steps with CLONE_NEWTIME; time_namespaces(7) on /proc/PID/timens_offsets."
because="The offset is written between unshare() and fork(), because the kernel refuses a change once a process is inside. Only boottime gets an offset, because that is the clock that uptime reads."

# offset PID CLOCK: what the time namespace of PID adds to that clock.
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
		"COMMAND runs in the machine's time namespace. unshare(CLONE_NEWTIME) puts only children in the new one: fork() after it."
	expect "its offset of boottime" "$seconds" "$(offset "$it" boottime)" \
		"COMMAND has another uptime. Write the line \"boottime SECONDS 0\" to /proc/self/timens_offsets before the first process is inside."
	expect "its offset of monotonic" 0 "$(offset "$it" monotonic)" "uptime reads the clock boottime; leave the offset of monotonic at 0."
}
