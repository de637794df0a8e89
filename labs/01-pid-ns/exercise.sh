# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="Run COMMAND as process 1 of a PID namespace, with a /proc that shows nothing but its own."
look="labs/01-pid-ns/main.c, the steps with unshare() and mount(); pid_namespaces(7) on /proc."

mounts_there() {
	grep -c ' /proc ' "$proc/$self/mountinfo"
}

check() {
	local before
	before=$(mounts_there)
	start
	expect_command
	expect "its PID namespace" "its own" "$(own pid)" \
		"CLONE_NEWPID is for the children that come after unshare(): has COMMAND been forked after it?"
	expect "its PID in there" 1 "$(awk '/^NSpid/ { print $NF }' "$proc/$it/status")" \
		"The first child after unshare() is process 1. What else was forked before it?"
	expect "mounts at the machine's /proc" "$before" "$(mounts_there)" \
		"The mount has reached the machine, whose mounts are shared: MS_PRIVATE comes before it."
	expect "its mount table" "its own" "$(own mnt)" "A /proc of its own is a mount: CLONE_NEWNS."
	expect "processes that its ps sees" 1 "$(ps_at "$it")" \
		"ps reads /proc, and /proc shows the namespace of whoever mounted it: mount one in the child."
}
