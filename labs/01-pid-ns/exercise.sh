# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="Run COMMAND as process 1 of a PID namespace, with a /proc that shows only the processes of that namespace."
look="labs/01-pid-ns/main.c, the steps with unshare() and mount(); pid_namespaces(7) on /proc."
because="fork() comes after unshare(), because CLONE_NEWPID does not move the caller: its first child becomes process 1. MS_PRIVATE comes before the new /proc, because a copied mount table still passes shared mounts on to the machine."

mounts_there() {
	grep -c ' /proc ' "$proc/$self/mountinfo"
}

check() {
	local before
	before=$(mounts_there)
	start
	expect_command
	expect "its PID namespace" "its own" "$(own pid)" \
		"COMMAND is in the machine's PID namespace. CLONE_NEWPID applies to later children: is COMMAND forked after it?"
	expect "its PID in there" 1 "$(awk '/^NSpid/ { print $NF }' "$proc/$it/status")" \
		"COMMAND has another number. The first child after unshare() is process 1: did you fork something else before?"
	expect "mounts at the machine's /proc" "$before" "$(mounts_there)" \
		"The mount has reached the machine, because its mounts are shared: MS_PRIVATE comes before it."
	expect "its mount table" "its own" "$(own mnt)" "COMMAND still has the machine's mount table: CLONE_NEWNS is missing."
	expect "processes that its ps sees" 1 "$(ps_at "$it")" \
		"COMMAND sees another /proc. ps reads it, and it shows the namespace of whoever mounted it: mount a new one in the child."
}
